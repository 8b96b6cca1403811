-- int_claim: one row per claim of a patient at the practice that may claim,
-- ranked: rank 1 is the assessment, the others are duplicates.
--
--  1. R14: with a recorded date, on_time if it is not after the coding deadline,
--     else late. Without: on_time if the file's stated extract date (else as-at)
--     is not after the deadline, or if a snapshot published by then holds the
--     patient's assessment with the same activity date; else unproven. A patient
--     whom it knew by EMIS number alone is the NHS number paired with that now (R5).
--  2. R11: on_time first, then the earliest activity date, then the earliest
--     recorded date (none last), then file path, then line, then the place of
--     the event on its line.
create table int_claim as
with
evidence as (
    select coalesce(pairs.nhs_no, published.patient_no) as patient_no, published.activity_date
    from raw_published_assessment as published
    left join int_number_pair as pairs
        on pairs.emis_no = published.patient_no
        and not pairs.is_ambiguous
    where published.use = 'on_time_evidence'
    group by coalesce(pairs.nhs_no, published.patient_no), published.activity_date
),
timed as (
    select
        int_event.file_no,
        int_event.line,
        int_event.event,
        int_event.patient_no,
        int_event.practice_no,
        int_event.activity_date,
        int_event.recorded_date,
        case
            when int_event.recorded_date <= run.coding_deadline then 'on_time'
            when int_event.recorded_date > run.coding_deadline then 'late'
            when coalesce(int_event.stated_extract_date, run.as_at) <= run.coding_deadline then 'on_time'
            when evidence.patient_no is not null then 'on_time'
            else 'unproven'
        end as timeliness
    from int_event
    inner join raw_code as codes on codes.code_no = int_event.code_no
    cross join run
    left join evidence
        on evidence.patient_no = int_event.patient_no
        and evidence.activity_date = int_event.activity_date
    where codes.role = 'claim' and int_event.removed_as is null
),
final as (
    select
        timed.*,
        row_number() over (
            partition by patient_no
            order by
                case when timeliness = 'on_time' then 0 else 1 end,
                activity_date,
                recorded_date nulls last,
                file_no,
                line,
                event
        ) as claim_rank
    from timed
)
select * from final;
