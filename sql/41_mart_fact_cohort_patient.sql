-- mart_fact_cohort_patient: one row per patient and cohort, the cohorts that the
-- place did not choose included (segment is null).
create view mart_fact_cohort_patient as
with
final as (
    select
        patients.patient_key,
        practices.practice_code,
        codes.cohort,
        case when memberships.segment_no is not null then codes.segment end as segment,
        memberships.activity_date as first_coded_date,
        case
            when memberships.is_in_record and memberships.is_in_batch_add then 'both'
            when memberships.is_in_record then 'record'
            else 'batch_add'
        end as source,
        assessments.patient_no is not null as is_assessed
    from int_membership as memberships
    inner join raw_code as codes on codes.code_no = memberships.code_no
    inner join raw_practice as practices on practices.practice_no = memberships.practice_no
    inner join int_patient_key as patients on patients.patient_no = memberships.patient_no
    left join int_assessment as assessments on assessments.patient_no = memberships.patient_no
    where codes.role = 'cohort' and memberships.membership_rank = 1
)
select * from final;
