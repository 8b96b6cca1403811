-- int_seen: one row per patient and practice with a row that is evidence.
--
-- R10: the newest stated extract date of any row there; R8: that of the rows that
-- carry any status field. Null where none is stated.
create table int_seen as
with
final as (
    select
        patient_no,
        practice_no,
        max(stated_extract_date) as newest_extract_date,
        max(case when has_status then stated_extract_date end) as newest_status_date
    from int_row
    where step > 5
    group by patient_no, practice_no
)
select * from final;
