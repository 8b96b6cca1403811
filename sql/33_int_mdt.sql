-- int_mdt: one row per MDT code of a patient at the practice that may claim,
-- ranked: rank 1 counts, the others are duplicates.
--
-- R15: an MDT code counts once per patient, code and day.
create table int_mdt as
with
final as (
    select
        int_event.file_no,
        int_event.line,
        int_event.event,
        int_event.patient_no,
        int_event.practice_no,
        int_event.code_no,
        int_event.activity_date,
        row_number() over (
            partition by int_event.patient_no, int_event.code_no, int_event.activity_date
            order by int_event.file_no, int_event.line, int_event.event
        ) as mdt_rank
    from int_event
    inner join raw_code as codes on codes.code_no = int_event.code_no
    where codes.role = 'mdt' and int_event.removed_as is null
)
select * from final;
