-- raw_practice: one row per practice of the contract year (practices.csv), numbered
-- in byte order of the codes, so that practice_no orders as the code does (R10).
create table raw_practice (
    practice_no integer not null,
    practice_code varchar not null,
    practice_name varchar,
    place varchar,
    place_choice varchar,               -- the cohort that the place chose; null: undecided
    pcn_code varchar,
    pcn_name varchar,
    registered_population bigint,
    weighted_population varchar,        -- a plain decimal, exactly as given
    annual_target bigint,
    pence_per_weighted_head bigint,     -- of its place; null: not known
);
