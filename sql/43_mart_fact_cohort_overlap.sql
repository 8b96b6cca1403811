-- mart_fact_cohort_overlap: one row per practice and exact set of segments that
-- its cohort patients are in. The set is spelt in dim_segment's order.
create table mart_fact_cohort_overlap as
with
spelt as (
    select
        segment_patients.practice_code,
        segment_patients.patient_no,
        count(*) as segments,
        concat_ws(
            '+',
            max(case when segments.sort_order = 1 then segments.segment end),
            max(case when segments.sort_order = 2 then segments.segment end),
            max(case when segments.sort_order = 3 then segments.segment end),
            max(case when segments.sort_order = 4 then segments.segment end),
            max(case when segments.sort_order = 5 then segments.segment end)
        ) as segment_set
    from int_segment_patient as segment_patients
    inner join raw_segment as segments on segments.segment = segment_patients.segment
    group by segment_patients.practice_code, segment_patients.patient_no
),
final as (
    select
        spelt.practice_code,
        spelt.segment_set,
        min(spelt.segments) as segments,
        count(*) as patients,
        count(assessments.patient_no) as assessed_patients,
        count(*) - count(assessments.patient_no) as outstanding_patients
    from spelt
    left join int_assessment as assessments on assessments.patient_no = spelt.patient_no
    group by spelt.practice_code, spelt.segment_set
)
select * from final;
