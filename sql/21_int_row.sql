-- int_row: one row per input row, with its patient.
--
--  1. R5: a valid NHS number is the patient; else the NHS number that the EMIS
--     number is paired with; else the EMIS number itself, local to its practice.
--  2. A row without a valid NHS number whose EMIS number is paired with two is
--     patient_ambiguous (step 4): before whatever later step the row met.
--  3. Rows that pass steps 1 to 5 are evidence of status, whatever becomes of
--     their event (SPEC §6.1).
create table int_row as
with
identified as (
    select
        stg_row.*,
        case
            when stg_row.own_step in (1, 2, 3, 4) then null
            when stg_row.nhs_no is not null then stg_row.nhs_no
            when pairs.is_ambiguous then null
            else coalesce(pairs.nhs_no, stg_row.emis_no)
        end as patient_no,
        stg_row.own_step > 4 and stg_row.nhs_no is null and coalesce(pairs.is_ambiguous, false) as is_ambiguous
    from stg_row
    left join int_number_pair as pairs on pairs.emis_no = stg_row.emis_no
),
final as (
    select
        file_no,
        line,
        event,
        kind,
        stated_extract_date,
        practice_code,
        patient_no,
        patient_type,
        registration_status,
        registered_date,
        deducted_date,
        death_date,
        is_dummy,
        coalesce(patient_type, 'blank') not in ('blank', 'unknown')
            or coalesce(registration_status, 'blank') not in ('blank', 'unknown')
            or registered_date is not null
            or deducted_date is not null
            or death_date is not null
            or is_dummy as has_status,
        code,
        role,
        cohort,
        activity_date,
        recorded_date,
        is_recorded_invalid,
        is_code_repaired,
        is_code_not_concept,
        is_nhs_invalid,
        is_text_unknown,
        invalid_status_date,
        case when is_ambiguous then 'patient_ambiguous' else own_disposition end as disposition,
        case when is_ambiguous then 4 else own_step end as step
    from identified
)
select * from final;
