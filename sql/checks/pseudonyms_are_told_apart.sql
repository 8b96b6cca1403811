-- numbers that stand for more than one pseudonym, of rows or of what is published.
with
pseudonyms as (
    select nhs_no as identity_no, nhs_second as second_part from stg_row where nhs_no is not null
    union all
    select emis_no as identity_no, emis_second as second_part from stg_row where emis_no is not null
    union all
    select patient_no as identity_no, patient_second as second_part from raw_published_assessment
)
select identity_no
from pseudonyms
group by identity_no
having min(second_part) <> max(second_part);
