-- stg_row: one row per input row, with what the row decides by itself. What it says
-- in words is its state's, in stg_row_state: rows hold numbers, which cost a quarter
-- of what words do to copy and to join.
--
-- own_step is the first of SPEC §6.1's steps 1 to 10 that applies to the row
-- alone, 99 where none does: the row is an event of the period. What the step is
-- called is int_disposition's. patient_ambiguous (step 4) needs other rows and comes
-- in int_row.
--
--  1. R1, R4: a row without a known practice or a usable number is rejected.
--  2. R6: activity is judged at the cut-off; the year's first day bounds it below.
--  3. A batch-add row may have no date, where its code is a cohort or the
--     eligibility code; it is in the year (R12).
--  4. A code that the contract does not name is out of scope, also where settings
--     say that a group of columns stands for it.
--  5. A recorded date that is no date, or is after as-at, reads as missing.
create table stg_row as
with
files as (
    select file_no, staged_no, kind, extract_date from raw_file where status = 'read'
),
joined as (
    select
        files.file_no,
        input_rows.line,
        input_rows.event,
        input_rows.state_no,
        files.kind,
        files.extract_date as stated_extract_date,
        states.source_step,
        case when states.is_test_range or input_rows.emis_no is null then states.number_disposition end as number_disposition,
        states.invalid_status_date,
        states.code_disposition,
        states.activity_state,
        states.is_recorded_unreadable,
        states.has_status_text
            or input_rows.registered_date is not null
            or input_rows.deducted_date is not null
            or input_rows.death_date is not null as has_status,
        case when states.is_practice_known then practices.practice_no end as practice_no,
        input_rows.nhs_no,
        input_rows.nhs_second,
        input_rows.emis_no,
        input_rows.emis_second,
        input_rows.registered_date,
        input_rows.deducted_date,
        input_rows.death_date,
        codes.code_no,
        codes.role,
        input_rows.activity_date,
        input_rows.recorded_date as stated_recorded_date
    from raw_row as input_rows
    inner join files on files.staged_no = input_rows.staged_no
    inner join stg_row_state as states on states.state_no = input_rows.state_no
    left join raw_practice as practices on practices.practice_code = input_rows.practice_code
    left join raw_code as codes on codes.code = input_rows.code
),
final as (
    select
        joined.file_no,
        joined.line,
        joined.event,
        joined.state_no,
        joined.stated_extract_date,
        joined.practice_no,
        joined.nhs_no,
        joined.nhs_second,
        joined.emis_no,
        joined.emis_second,
        joined.has_status,
        joined.registered_date,
        joined.deducted_date,
        joined.death_date,
        joined.code_no,
        joined.activity_date,
        case when joined.stated_recorded_date <= run.as_at then joined.stated_recorded_date end as recorded_date,
        joined.is_recorded_unreadable or coalesce(joined.stated_recorded_date > run.as_at, false) as is_recorded_invalid,
        cast(case
            when joined.source_step is not null then joined.source_step
            when joined.number_disposition is not null then 4
            when joined.invalid_status_date is not null then 5
            when joined.event = 0 then 6
            when joined.code_disposition is not null or (joined.role = 'claim' and joined.kind = 'batch_add') then 7
            when joined.role is null then 8
            when joined.activity_state = 'blank' and joined.kind = 'batch_add' and joined.role in ('cohort', 'eligibility') then 99
            when joined.activity_state <> 'valid' then 9
            when joined.activity_date > run.as_at then 9
            when joined.activity_date < run.year_start then 10
            when joined.activity_date > run.cut_off then 10
            else 99
        end as tinyint) as own_step
    from joined
    cross join run
)
select * from final;
