-- int_nhs_pseudonym: one row per patient who is published and known by NHS number (R5),
-- with the parts of the pseudonym. It is a table of its own so that the EMIS numbers in
-- the rows are not looked through where it has everybody.
create table int_nhs_pseudonym as
with
final as (
    select
        pseudonyms.identity_no as patient_no,
        min(pseudonyms.second_part) as second_part,
        min(pseudonyms.third_part) as third_part,
        min(pseudonyms.fourth_part) as fourth_part
    from stg_pseudonym as pseudonyms
    inner join int_published_patient as published on published.patient_no = pseudonyms.identity_no
    where pseudonyms.is_nhs_number
    group by pseudonyms.identity_no
)
select * from final;
