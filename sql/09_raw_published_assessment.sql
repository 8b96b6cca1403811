-- raw_published_assessment: one row per assessment of a snapshot consulted, and use.
create table raw_published_assessment (
    use varchar not null,               -- on_time_evidence (R14), last_year (R17), previous_period (fewer_than_last_period), compared (diff)
    patient_key varchar not null,
    patient_no bigint not null,         -- the first eight bytes of patient_key (stg_pseudonym)
    patient_second bigint not null,     -- the next eight
    practice_code varchar not null,
    activity_date date not null,
    is_counted boolean not null,
);
