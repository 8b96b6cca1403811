-- int_membership: one row per cohort or eligibility code of a patient at the
-- practice that may claim, ranked: rank 1 counts, the others are duplicates.
--
--  1. R12: a cohort or the eligibility code counts once per patient and year: the
--     earliest date (none last), then file path, line, place on the line. What is there
--     once, as nearly all is, needs no ranking.
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
several as (
    select patient_no, membership_no from memberships group by patient_no, membership_no having count(*) > 1
),
ranked as (
    select
        memberships.*,
        row_number() over (
            partition by memberships.patient_no, memberships.membership_no
            order by memberships.activity_date nulls last, memberships.file_no, memberships.line, memberships.event
        ) as membership_rank,
        bool_or(memberships.is_batch_add) over (partition by memberships.patient_no, memberships.membership_no) as is_in_batch_add,
        bool_or(not memberships.is_batch_add) over (partition by memberships.patient_no, memberships.membership_no) as is_in_record
    from memberships
    semi join several
        on several.patient_no = memberships.patient_no
        and several.membership_no = memberships.membership_no
),
final as (
    select * from ranked
    union all
    select memberships.*, 1 as membership_rank, memberships.is_batch_add as is_in_batch_add, not memberships.is_batch_add as is_in_record
    from memberships
    anti join several
        on several.patient_no = memberships.patient_no
        and several.membership_no = memberships.membership_no
)
select * from final;
