-- numbers that stand for more than one pseudonym, of rows or of what is published.
with
pseudonyms as (
    select identity_no, second_part from stg_pseudonym
    union all
    select patient_no as identity_no, patient_second as second_part from raw_published_assessment
)
select identity_no
from pseudonyms
group by identity_no
having min(second_part) <> max(second_part);
