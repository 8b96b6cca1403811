-- int_patient_key: one row per patient who is published, with the pseudonym as
-- 64 hex digits.
create table int_patient_key as
with
published as (
    select patient_no from int_assessment
    union
    select memberships.patient_no
    from int_membership as memberships
    inner join raw_code as codes on codes.code_no = memberships.code_no
    where codes.role = 'cohort' and memberships.membership_rank = 1
),
parts as (
    select
        pseudonyms.identity_no,
        min(pseudonyms.second_part) as second_part,
        min(pseudonyms.third_part) as third_part,
        min(pseudonyms.fourth_part) as fourth_part
    from stg_pseudonym as pseudonyms
    inner join published on published.patient_no = pseudonyms.identity_no
    group by pseudonyms.identity_no
),
final as (
    select
        identity_no as patient_no,
        lower(concat(
            lpad(hex(identity_no), 16, '0'),
            lpad(hex(second_part), 16, '0'),
            lpad(hex(third_part), 16, '0'),
            lpad(hex(fourth_part), 16, '0')
        )) as patient_key
    from parts
)
select * from final;
