-- ask_published: one row per assessment that is published for the period.
create or replace table ask_published (
    patient_key varchar not null,
    practice_code varchar not null,
    activity_date date not null,
    recorded_date date,
    timeliness varchar not null,
    has_eligibility boolean not null,
    is_counted boolean not null,
    in_population_health boolean not null,
    in_cardiovascular boolean not null,
    in_respiratory boolean not null,
    in_place_choice boolean not null,
    in_severe_mental_illness boolean not null,
);
