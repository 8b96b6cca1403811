-- difference: one row per thing that only one of the two periods has, and per value
-- that they have different. What does not apply is '', which is how a null reads.
create table difference (
    what_no integer not null,           -- the order in which things are listed
    what varchar not null,              -- assessment, cohort, position, money
    practice_code varchar not null,
    patient_key varchar not null,
    cohort varchar not null,
    change varchar not null,            -- gained, lost, changed
    column_no integer not null,
    column_name varchar not null,
    from_value varchar not null,
    to_value varchar not null,
);
