-- mart_fact_segment_month: one row per practice, segment and month with an
-- assessment in the segment.
create table mart_fact_segment_month as
with
final as (
    select
        assessments.practice_code,
        segment_patients.segment,
        calendar.month,
        count(*) as assessments
    from int_assessment as assessments
    inner join int_segment_patient as segment_patients on segment_patients.patient_no = assessments.patient_no
    inner join raw_calendar as calendar on calendar.date = assessments.activity_date
    group by assessments.practice_code, segment_patients.segment, calendar.month
)
select * from final;
