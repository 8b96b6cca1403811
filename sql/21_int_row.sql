-- int_row: one row per input row, with its patient.
--
--  1. R5: a valid NHS number is the patient; else the NHS number that the EMIS
--     number is paired with; else the EMIS number itself, local to its practice.
--  2. A row without a valid NHS number whose EMIS number is paired with two is
--     patient_ambiguous (step 4): before whatever later step the row met.
--  3. Rows that pass steps 1 to 5 are evidence of status, whatever becomes of
--     their event (SPEC §6.1).
--
-- It is a view: of most rows the patient is the row's own number.
create view int_row as
with
input_rows as (
    select
        stg_row.*,
        case when nhs_no is null then emis_no end as lone_emis_no
    from stg_row
),
identified as (
    select
        input_rows.*,
        case
            when input_rows.own_step in (1, 2, 3, 4) then null
            when input_rows.nhs_no is not null then input_rows.nhs_no
            when pairs.is_ambiguous then null
            else coalesce(pairs.nhs_no, input_rows.emis_no)
        end as patient_no,
        input_rows.own_step > 4 and coalesce(pairs.is_ambiguous, false) as is_ambiguous
    from input_rows
    left join int_number_pair as pairs on pairs.emis_no = input_rows.lone_emis_no
),
final as (
    select
        file_no,
        line,
        event,
        state_no,
        stated_extract_date,
        practice_no,
        patient_no,
        nhs_second,
        is_ambiguous,
        has_status,
        registered_date,
        deducted_date,
        death_date,
        code_no,
        activity_date,
        recorded_date,
        is_recorded_invalid,
        case when is_ambiguous then 4 else own_step end as step
    from identified
)
select * from final;
