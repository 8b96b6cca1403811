-- int_seen: one row per patient and practice with a row that is evidence.
--
-- R10: the newest stated extract date of any row there; null where none is stated.
create table int_seen as
with
final as (
    select patient_no, practice_code, max(stated_extract_date) as newest_extract_date
    from int_row
    where step > 5
    group by patient_no, practice_code
)
select * from final;
