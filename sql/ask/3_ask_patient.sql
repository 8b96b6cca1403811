-- ask_patient: one row: who the number that is asked about stands for.
--
-- R5: a valid NHS number is the patient. An EMIS number stands for the NHS number
-- that rows pair it with; for nobody where they pair it with two; else for itself.
create or replace table ask_patient as
with
numbers as (
    select
        asked.is_emis_number,
        asked.patient_key as asked_key,
        identities.identity_no as asked_no
    from asked
    left join ask_identity as identities on identities.identity_no = asked.identity_no
),
resolved as (
    select
        numbers.is_emis_number,
        numbers.asked_key,
        numbers.asked_no,
        pairs.emis_no is not null and not pairs.is_ambiguous as is_paired,
        coalesce(pairs.is_ambiguous, false) as is_ambiguous,
        case
            when pairs.is_ambiguous then null
            else coalesce(pairs.nhs_no, numbers.asked_no)
        end as patient_no
    from numbers
    left join ask_number_pair as pairs
        on pairs.emis_no = numbers.asked_no
        and numbers.is_emis_number
),
final as (
    select
        resolved.*,
        identities.patient_key
    from resolved
    left join ask_identity as identities on identities.identity_no = resolved.patient_no
)
select * from final;
