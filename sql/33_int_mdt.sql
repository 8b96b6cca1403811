-- int_mdt: one row per MDT code of a patient at the practice that may claim,
-- ranked: rank 1 counts, the others are duplicates.
--
-- R15: an MDT code counts once per patient, code and day.
create table int_mdt as
with
final as (
    select
        file_no,
        line,
        event,
        patient_no,
        practice_code,
        code,
        activity_date,
        row_number() over (
            partition by patient_no, code, activity_date
            order by file_no, line, event
        ) as mdt_rank
    from int_event
    where role = 'mdt' and removed_as is null
)
select * from final;
