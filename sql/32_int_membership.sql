-- int_membership: one row per cohort or eligibility code of a patient at the
-- practice that may claim, ranked: rank 1 counts, the others are duplicates.
--
--  1. R12: a cohort or the eligibility code counts once per patient and year: the
--     earliest date (none last), then file path, line, place on the line.
--  2. R13: a cohort that the practice's place did not choose gives no segment.
create table int_membership as
with
memberships as (
    select
        int_event.file_no,
        int_event.line,
        int_event.event,
        int_event.patient_no,
        int_event.practice_no,
        int_event.code_no,
        codes.membership_no,
        case
            when codes.is_place_choice and coalesce(practices.place_choice, '') <> codes.cohort then null
            else codes.segment_no
        end as segment_no,
        int_event.activity_date,
        files.kind = 'batch_add' as is_batch_add
    from int_event
    inner join raw_code as codes on codes.code_no = int_event.code_no
    inner join raw_practice as practices on practices.practice_no = int_event.practice_no
    inner join raw_file as files on files.file_no = int_event.file_no
    where codes.role in ('cohort', 'eligibility') and int_event.removed_as is null
),
final as (
    select
        memberships.*,
        row_number() over (
            partition by patient_no, membership_no
            order by activity_date nulls last, file_no, line, event
        ) as membership_rank,
        max(case when is_batch_add then 1 else 0 end) over (partition by patient_no, membership_no) = 1 as is_in_batch_add,
        max(case when is_batch_add then 0 else 1 end) over (partition by patient_no, membership_no) = 1 as is_in_record
    from memberships
)
select * from final;
