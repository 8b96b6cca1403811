-- mart_fact_assessment_month: one row per practice and month with an assessment.
create table mart_fact_assessment_month as
with
counted as (
    select
        assessments.practice_no,
        calendar.month,
        count(*) as assessments,
        sum(case when assessments.is_counted then 1 else 0 end) as counted
    from int_assessment as assessments
    inner join raw_calendar as calendar on calendar.date = assessments.activity_date
    group by assessments.practice_no, calendar.month
),
final as (
    select practices.practice_code, counted.month, counted.assessments, counted.counted
    from counted
    inner join raw_practice as practices on practices.practice_no = counted.practice_no
)
select * from final;
