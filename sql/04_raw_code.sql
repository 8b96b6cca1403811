-- raw_code: one row per code of the contract's code book.
create table raw_code (
    code varchar not null,
    term varchar not null,
    role varchar not null,              -- claim, eligibility, cohort, mdt
    cohort varchar,
    segment varchar,
    is_place_choice boolean not null,   -- the cohort gives its segment only where the place chose it
);
