-- mart_fact_cohort_patient: one row per patient and cohort, the cohorts that the
-- place did not choose included (segment is null).
create table mart_fact_cohort_patient as
with
final as (
    select
        patients.patient_key,
        memberships.practice_code,
        memberships.cohort,
        memberships.segment,
        memberships.activity_date as first_coded_date,
        case
            when memberships.is_in_record and memberships.is_in_batch_add then 'both'
            when memberships.is_in_record then 'record'
            else 'batch_add'
        end as source,
        assessments.patient_no is not null as is_assessed
    from int_membership as memberships
    inner join int_patient_key as patients on patients.patient_no = memberships.patient_no
    left join int_assessment as assessments on assessments.patient_no = memberships.patient_no
    where memberships.role = 'cohort' and memberships.membership_rank = 1
)
select * from final;
