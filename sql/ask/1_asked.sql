-- asked: one row: the number that someone asks about, as its pseudonym.
create or replace table asked (
    patient_key varchar not null,
    identity_no bigint not null,        -- its first eight bytes (stg_pseudonym)
    is_emis_number boolean not null,    -- the pseudonym of a practice and its EMIS number
);
