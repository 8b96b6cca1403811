-- raw_calendar: one row per day of the contract year.
create table raw_calendar (
    date date not null,
    month date not null,
    contract_month bigint not null,
    quarter bigint not null,
    is_month_end boolean not null,
);
