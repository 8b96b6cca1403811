-- raw_check: one row per finding that there can be.
create table raw_check (
    check_name varchar not null,
    severity varchar not null,
    found varchar not null,             -- what its message says
    is_counted boolean not null,        -- the message begins with the number affected
);
