-- raw_practice: one row per practice of the contract year (practices.csv).
create table raw_practice (
    practice_code varchar not null,
    practice_name varchar,
    place varchar,
    place_choice varchar,               -- the cohort that the place chose; null: undecided
    pcn_code varchar,
    pcn_name varchar,
    registered_population bigint,
    weighted_population double,
    annual_target bigint,
);
