-- raw_row_state: one row per state that a staged row is in: what its cells say
-- besides codes, dates and numbers, each as one of a few words.
create table raw_row_state (
    state_no integer not null,
    is_deleted boolean not null,
    is_malformed boolean not null,
    is_dummy boolean not null,
    practice_state varchar,
    nhs_state varchar,
    patient_type varchar,
    registration_status varchar,
    invalid_status_date varchar,
    code_state varchar,
    activity_state varchar,
    recorded_state varchar,
);
