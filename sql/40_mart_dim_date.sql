-- mart_dim_date: one row per day of the contract year.
create table mart_dim_date as
with
final as (
    select date, month, contract_month, quarter, is_month_end
    from raw_calendar
)
select * from final;
