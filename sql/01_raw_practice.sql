-- raw_practice: one row per practice of the contract year (practices.csv).
create table raw_practice (
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
