-- raw_check: one row per finding that there can be.
create table raw_check (
    check_name varchar not null,
    severity varchar not null,
);
