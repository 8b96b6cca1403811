-- numbers that stand for more than one pseudonym: of the patients that rows are
-- evidence of; of NHS numbers in the rows that are none; of EMIS numbers that had to be
-- resolved; of what is published.
with
pseudonyms as (
    select patient_no as identity_no, nhs_second as second_part, has_two_pseudonyms from int_status
    union all
    select nhs_no as identity_no, nhs_second as second_part, false as has_two_pseudonyms
    from stg_row
    where own_step <= 5 and nhs_no is not null
    union all
    select stg_row.emis_no as identity_no, stg_row.emis_second as second_part, false as has_two_pseudonyms
    from stg_row
    inner join int_lone_number as lone on lone.emis_no = stg_row.emis_no
    union all
    select patient_no as identity_no, patient_second as second_part, false as has_two_pseudonyms
    from raw_published_assessment
)
select identity_no
from pseudonyms
group by identity_no
having min(second_part) <> max(second_part) or bool_or(has_two_pseudonyms);
