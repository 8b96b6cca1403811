-- raw_code: one row per code of the contract's code book.
create table raw_code (
    code_no integer not null,
    code varchar not null,
    term varchar not null,
    role varchar not null,              -- claim, eligibility, cohort, mdt
    cohort varchar,
    membership_no integer,              -- the same for all codes of a cohort, and for those of eligibility (R12)
    segment varchar,
    segment_no integer,                 -- the segment's sort_order
    is_place_choice boolean not null,   -- the cohort gives its segment only where the place chose it
);
