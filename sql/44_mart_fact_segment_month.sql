-- mart_fact_segment_month: one row per practice, segment and month with an
-- assessment in the segment.
create table mart_fact_segment_month as
with
counted as (
    select
        assessments.practice_no,
        segment_patients.segment_no,
        calendar.month,
        count(*) as assessments
    from int_assessment as assessments
    inner join int_segment_patient as segment_patients on segment_patients.patient_no = assessments.patient_no
    inner join raw_calendar as calendar on calendar.date = assessments.activity_date
    group by assessments.practice_no, segment_patients.segment_no, calendar.month
),
final as (
    select practices.practice_code, segments.segment, counted.month, counted.assessments
    from counted
    inner join raw_practice as practices on practices.practice_no = counted.practice_no
    inner join raw_segment as segments on segments.sort_order = counted.segment_no
)
select * from final;
