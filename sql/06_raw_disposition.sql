-- raw_disposition: one row per disposition that a row can have (SPEC §6.1).
create table raw_disposition (
    disposition varchar not null,
    outcome varchar not null,           -- ignored, rejected, excluded, kept
);
