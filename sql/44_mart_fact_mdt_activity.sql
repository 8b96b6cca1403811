-- mart_fact_mdt_activity: one row per practice, contract quarter and MDT code
-- with activity (R15).
create table mart_fact_mdt_activity as
with
counted as (
    select
        events.practice_no,
        calendar.quarter,
        events.code_no,
        count(distinct events.patient_no) as patients,
        count(*) as events
    from int_mdt as events
    inner join raw_calendar as calendar on calendar.date = events.activity_date
    where events.mdt_rank = 1
    group by events.practice_no, calendar.quarter, events.code_no
),
final as (
    select practices.practice_code, counted.quarter, codes.code, counted.patients, counted.events
    from counted
    inner join raw_practice as practices on practices.practice_no = counted.practice_no
    inner join raw_code as codes on codes.code_no = counted.code_no
)
select * from final;
