-- mart_fact_mdt_activity: one row per practice, contract quarter and MDT code
-- with activity (R15).
create table mart_fact_mdt_activity as
with
final as (
    select
        events.practice_code,
        calendar.quarter,
        events.code,
        count(distinct events.patient_no) as patients,
        count(*) as events
    from int_mdt as events
    inner join raw_calendar as calendar on calendar.date = events.activity_date
    where events.mdt_rank = 1
    group by events.practice_code, calendar.quarter, events.code
)
select * from final;
