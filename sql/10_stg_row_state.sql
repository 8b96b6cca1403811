-- stg_row_state: one row per state that a staged row is in, with what it says and
-- decides of SPEC §6.1's steps by itself.
--
--  1. Steps 1 to 3: deleted, malformed, without a known practice (R4).
--  2. Step 4: the NHS number of the test range is rejected whatever else the row
--     holds (R1); blank or invalid only where there is no EMIS number either.
--  3. Step 7: what is wrong with the code (R2).
create table stg_row_state as
with
final as (
    select
        state_no,
        is_dummy,
        practice_state = 'valid' as is_practice_known,
        patient_type,
        registration_status,
        invalid_status_date,
        activity_state,
        coalesce(recorded_state = 'invalid', false) as is_recorded_unreadable,
        coalesce(code_state = 'repaired', false) as is_code_repaired,
        coalesce(code_state in ('not_concept', 'local'), false) as is_code_not_concept,
        coalesce(nhs_state = 'invalid', false) as is_nhs_invalid,
        coalesce(patient_type = 'unknown', false) or coalesce(registration_status = 'unknown', false) as is_text_unknown,
        coalesce(patient_type, 'blank') not in ('blank', 'unknown')
            or coalesce(registration_status, 'blank') not in ('blank', 'unknown')
            or is_dummy as has_status_text,
        case
            when is_deleted then 1
            when is_malformed then 2
            when practice_state in ('blank', 'unknown') then 3
        end as source_step,
        case
            when is_deleted then 'deleted_at_source'
            when is_malformed then 'malformed_row'
            when practice_state = 'blank' then 'practice_missing'
            when practice_state = 'unknown' then 'practice_unknown'
        end as source_disposition,
        coalesce(nhs_state = 'test_range', false) as is_test_range,
        case
            when nhs_state = 'blank' then 'patient_missing'
            when nhs_state = 'test_range' then 'nhs_number_test_range'
            when nhs_state = 'invalid' then 'nhs_number_invalid'
        end as number_disposition,
        case
            when code_state = 'blank' then 'code_missing'
            when code_state = 'damaged' then 'code_damaged'
            when code_state in ('invalid', 'not_concept') then 'code_invalid'
        end as code_disposition
    from raw_row_state
)
select * from final;
