-- raw_instalment: one row per instalment of the advance.
create table raw_instalment (
    instalment bigint not null,         -- from 1, in the order of payment
    paid_month date not null,
    covers varchar not null,
);
