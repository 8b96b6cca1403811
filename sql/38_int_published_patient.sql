-- int_published_patient: one row per patient who is published: who is assessed, or in a cohort.
create table int_published_patient as
with
final as (
    select patient_no from int_assessment
    union
    select memberships.patient_no
    from int_membership as memberships
    inner join raw_code as codes on codes.code_no = memberships.code_no
    where codes.role = 'cohort' and memberships.membership_rank = 1
)
select * from final;
