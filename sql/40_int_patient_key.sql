-- int_patient_key: one row per patient who is published, with the pseudonym as
-- 64 hex digits.
create table int_patient_key as
with
parts as (
    select patient_no, second_part, third_part, fourth_part from int_nhs_pseudonym
    union all
    select
        pseudonyms.identity_no as patient_no,
        min(pseudonyms.second_part) as second_part,
        min(pseudonyms.third_part) as third_part,
        min(pseudonyms.fourth_part) as fourth_part
    from stg_pseudonym as pseudonyms
    inner join int_emis_patient as published on published.patient_no = pseudonyms.identity_no
    where not pseudonyms.is_nhs_number
    group by pseudonyms.identity_no
),
final as (
    select
        patient_no,
        printf('%016x%016x%016x%016x', patient_no, second_part, third_part, fourth_part) as patient_key
    from parts
)
select * from final;
