-- ask_key: one row per pseudonym that the patient who is asked about may be
-- published under.
--
-- Their own comes first. Before rows paired the two numbers (R5) it was that of an
-- EMIS number: the one asked about, then those that are paired with them now.
create or replace table ask_key as
with
known as (
    select patient_key, 1 as place from ask_patient where patient_key is not null
    union all
    select asked_key as patient_key, 2 as place from ask_patient
    union all
    select identities.patient_key, 3 as place
    from ask_patient
    inner join ask_number_pair as pairs
        on pairs.nhs_no = ask_patient.patient_no
        and not pairs.is_ambiguous
    inner join ask_identity as identities on identities.identity_no = pairs.emis_no
),
final as (
    select patient_key, min(place) as place
    from known
    group by patient_key
)
select * from final;
