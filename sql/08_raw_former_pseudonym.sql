-- raw_former_pseudonym: one row per identity in the rows and other key that a snapshot consulted is under.
create table raw_former_pseudonym (
    key_id varchar not null,
    former_key varchar not null,        -- the pseudonym under that key
    patient_key varchar not null,       -- under the run's
);
