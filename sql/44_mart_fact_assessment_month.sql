-- mart_fact_assessment_month: one row per practice and month with an assessment.
create table mart_fact_assessment_month as
with
final as (
    select
        assessments.practice_code,
        calendar.month,
        count(*) as assessments,
        sum(case when assessments.is_counted then 1 else 0 end) as counted
    from int_assessment as assessments
    inner join raw_calendar as calendar on calendar.date = assessments.activity_date
    group by assessments.practice_code, calendar.month
)
select * from final;
