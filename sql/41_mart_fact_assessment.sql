-- mart_fact_assessment: one row per assessed patient.
create table mart_fact_assessment as
with
final as (
    select
        patients.patient_key,
        practices.practice_code,
        assessments.activity_date,
        assessments.recorded_date,
        assessments.timeliness,
        assessments.has_eligibility,
        assessments.is_counted,
        assessments.segments,
        assessments.in_population_health,
        assessments.in_cardiovascular,
        assessments.in_respiratory,
        assessments.in_place_choice,
        assessments.in_severe_mental_illness,
        assessments.assessed_last_year
    from int_assessment as assessments
    inner join raw_practice as practices on practices.practice_no = assessments.practice_no
    inner join int_patient_key as patients on patients.patient_no = assessments.patient_no
)
select * from final;
