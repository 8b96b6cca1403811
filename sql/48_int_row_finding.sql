-- int_row_finding: one row per input row of a known practice and check that found
-- something in it (SPEC §9), with the field that it found it in.
--
-- A row counts for a check from the step on that it must have passed. A bulk
-- extract holds a practice's whole record, so that codes of EMIS's own in it that
-- nothing rests on are as they should be.
create table int_row_finding as
with
input_rows as (
    select
        int_row.file_no,
        int_row.line,
        int_row.event,
        practices.practice_code,
        int_row.activity_date,
        int_row.recorded_date,
        int_row.is_recorded_invalid,
        int_row.step,
        files.kind,
        states.patient_type,
        states.registration_status,
        states.is_text_unknown,
        states.is_nhs_invalid,
        states.is_code_repaired,
        states.is_code_not_concept
    from int_row
    inner join raw_file as files on files.file_no = int_row.file_no
    inner join stg_row_state as states on states.state_no = int_row.state_no
    inner join raw_practice as practices on practices.practice_no = int_row.practice_no
),
final as (
    select
        file_no,
        line,
        event,
        practice_code,
        'status_text_unknown' as check_name,
        case
            when patient_type = 'unknown' and registration_status = 'unknown' then 'patient_type, registration_status'
            when patient_type = 'unknown' then 'patient_type'
            else 'registration_status'
        end as field
    from input_rows
    where is_text_unknown and step > 3
    union all
    select file_no, line, event, practice_code, 'nhs_number_invalid' as check_name, 'nhs_number' as field
    from input_rows
    where is_nhs_invalid and step > 4
    union all
    select file_no, line, event, practice_code, 'recorded_date_invalid' as check_name, 'recorded_date' as field
    from input_rows
    where is_recorded_invalid and step > 8
    union all
    select file_no, line, event, practice_code, 'recorded_before_activity' as check_name, 'activity_date' as field
    from input_rows
    where recorded_date < activity_date and step > 8
    union all
    select file_no, line, event, practice_code, 'code_repaired' as check_name, 'code' as field
    from input_rows
    where is_code_repaired and step > 6
    union all
    select file_no, line, event, practice_code, 'code_not_concept' as check_name, 'code' as field
    from input_rows
    where is_code_not_concept
        and (step = 7 or step = 8 and kind <> 'bulk_extract')
)
select * from final;
