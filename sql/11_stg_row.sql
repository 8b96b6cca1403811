-- stg_row: one row per input row, with what the row decides by itself.
--
-- own_disposition is the first of SPEC §6.1's steps 1 to 10 that applies to the
-- row alone; null where none does: the row is an event of the period. own_step
-- is its step, 99 where there is none. patient_ambiguous (step 4) needs other
-- rows and comes in int_row.
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
input_rows as (
    select * from raw_row
),
files as (
    select file_no, staged_key, kind, extract_date from raw_file where status = 'read'
),
judged as (
    select
        files.file_no,
        input_rows.line,
        input_rows.event,
        files.kind,
        files.extract_date as stated_extract_date,
        case when input_rows.practice_state = 'valid' then input_rows.practice_code end as practice_code,
        nhs.identity_no as nhs_no,
        emis.identity_no as emis_no,
        input_rows.patient_type,
        input_rows.registration_status,
        input_rows.registered_date,
        input_rows.deducted_date,
        input_rows.death_date,
        input_rows.is_dummy,
        input_rows.code,
        codes.role,
        codes.cohort,
        input_rows.activity_date,
        case when input_rows.recorded_date <= run.as_at then input_rows.recorded_date end as recorded_date,
        coalesce(input_rows.recorded_state = 'invalid' or input_rows.recorded_date > run.as_at, false) as is_recorded_invalid,
        coalesce(input_rows.code_state = 'repaired', false) as is_code_repaired,
        coalesce(input_rows.code_state in ('not_concept', 'local'), false) as is_code_not_concept,
        coalesce(input_rows.nhs_state = 'invalid', false) as is_nhs_invalid,
        coalesce(input_rows.patient_type = 'unknown', false) or coalesce(input_rows.registration_status = 'unknown', false) as is_text_unknown,
        input_rows.invalid_status_date,
        case
            when input_rows.is_deleted then 'deleted_at_source'
            when input_rows.is_malformed then 'malformed_row'
            when input_rows.practice_state = 'blank' then 'practice_missing'
            when input_rows.practice_state = 'unknown' then 'practice_unknown'
            when input_rows.nhs_state = 'blank' and input_rows.emis_key is null then 'patient_missing'
            when input_rows.nhs_state = 'test_range' then 'nhs_number_test_range'
            when input_rows.nhs_state = 'invalid' and input_rows.emis_key is null then 'nhs_number_invalid'
            when input_rows.invalid_status_date is not null then 'date_invalid'
            when input_rows.event = 0 then 'status_only'
            when input_rows.code_state = 'blank' then 'code_missing'
            when input_rows.code_state = 'damaged' then 'code_damaged'
            when input_rows.code_state in ('invalid', 'not_concept') then 'code_invalid'
            when codes.role = 'claim' and files.kind = 'batch_add' then 'claim_in_batch_add'
            when codes.role is null then 'code_not_in_scope'
            when input_rows.activity_state = 'blank' then
                case when files.kind = 'batch_add' and codes.role in ('cohort', 'eligibility') then null else 'date_missing' end
            when input_rows.activity_state = 'invalid' then 'date_invalid'
            when input_rows.activity_date > run.as_at then 'date_in_future'
            when input_rows.activity_date < run.year_start then 'outside_contract_year'
            when input_rows.activity_date > run.cut_off then 'after_period'
        end as own_disposition
    from input_rows
    inner join files on files.staged_key = input_rows.staged_key
    cross join run
    left join raw_code as codes on codes.code = input_rows.code
    left join stg_identity as nhs on nhs.pseudonym = input_rows.nhs_key
    left join stg_identity as emis on emis.pseudonym = input_rows.emis_key
),
final as (
    select
        judged.*,
        case
            when own_disposition is null then 99
            when own_disposition = 'deleted_at_source' then 1
            when own_disposition = 'malformed_row' then 2
            when own_disposition in ('practice_missing', 'practice_unknown') then 3
            when own_disposition in ('patient_missing', 'nhs_number_test_range', 'nhs_number_invalid') then 4
            when own_disposition = 'date_invalid' and invalid_status_date is not null then 5
            when own_disposition = 'status_only' then 6
            when own_disposition in ('code_missing', 'code_damaged', 'code_invalid', 'claim_in_batch_add') then 7
            when own_disposition = 'code_not_in_scope' then 8
            when own_disposition in ('date_missing', 'date_invalid', 'date_in_future') then 9
            else 10
        end as own_step
    from judged
)
select * from final;
