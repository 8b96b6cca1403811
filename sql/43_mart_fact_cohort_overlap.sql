-- mart_fact_cohort_overlap: one row per practice and exact set of segments that
-- its cohort patients are in. The set is spelt in dim_segment's order.
create table mart_fact_cohort_overlap as
with
patient_sets as (
    select
        practice_no,
        patient_no,
        count(*) as segments,
        max(case when segment_no = 1 then 1 end) as first_segment,
        max(case when segment_no = 2 then 2 end) as second_segment,
        max(case when segment_no = 3 then 3 end) as third_segment,
        max(case when segment_no = 4 then 4 end) as fourth_segment,
        max(case when segment_no = 5 then 5 end) as fifth_segment
    from int_segment_patient
    group by practice_no, patient_no
),
counted as (
    select
        patient_sets.practice_no,
        patient_sets.segments,
        patient_sets.first_segment,
        patient_sets.second_segment,
        patient_sets.third_segment,
        patient_sets.fourth_segment,
        patient_sets.fifth_segment,
        count(*) as patients,
        count(assessments.patient_no) as assessed_patients
    from patient_sets
    left join int_assessment as assessments on assessments.patient_no = patient_sets.patient_no
    group by
        patient_sets.practice_no,
        patient_sets.segments,
        patient_sets.first_segment,
        patient_sets.second_segment,
        patient_sets.third_segment,
        patient_sets.fourth_segment,
        patient_sets.fifth_segment
),
final as (
    select
        practices.practice_code,
        concat_ws('+', first_named.segment, second_named.segment, third_named.segment, fourth_named.segment, fifth_named.segment) as segment_set,
        counted.segments,
        counted.patients,
        counted.assessed_patients,
        counted.patients - counted.assessed_patients as outstanding_patients
    from counted
    inner join raw_practice as practices on practices.practice_no = counted.practice_no
    left join raw_segment as first_named on first_named.sort_order = counted.first_segment
    left join raw_segment as second_named on second_named.sort_order = counted.second_segment
    left join raw_segment as third_named on third_named.sort_order = counted.third_segment
    left join raw_segment as fourth_named on fourth_named.sort_order = counted.fourth_segment
    left join raw_segment as fifth_named on fifth_named.sort_order = counted.fifth_segment
)
select * from final;
