-- ask_identity: one row per pseudonym in the rows that the patient who is asked about
-- may have: that of the number asked about, and of those that rows pair with it (R5).
create or replace table ask_identity as
with
nhs_numbers as (
    select identity_no from asked
    union
    select pairs.nhs_no as identity_no
    from asked
    inner join ask_number_pair as pairs on pairs.emis_no = asked.identity_no
),
numbers as (
    select identity_no from nhs_numbers
    union
    select pairs.emis_no as identity_no
    from nhs_numbers
    inner join ask_number_pair as pairs on pairs.nhs_no = nhs_numbers.identity_no
),
parts as (
    select
        pseudonyms.identity_no,
        min(pseudonyms.second_part) as second_part,
        min(pseudonyms.third_part) as third_part,
        min(pseudonyms.fourth_part) as fourth_part
    from stg_pseudonym as pseudonyms
    inner join numbers on numbers.identity_no = pseudonyms.identity_no
    group by pseudonyms.identity_no
),
final as (
    select
        identity_no,
        printf('%016x%016x%016x%016x', identity_no, second_part, third_part, fourth_part) as patient_key
    from parts
)
select * from final;
