-- patients whose claims or memberships stand at more than one practice (R10).
with
counted as (
    select patient_no, practice_no from int_claim
    union
    select patient_no, practice_no from int_membership
    union
    select patient_no, practice_no from int_mdt
)
select patient_no
from counted
group by patient_no
having count(*) > 1;
