-- asked: one row: the number that someone asks about, as its pseudonym.
create or replace table asked (
    pseudonym blob not null,
    is_emis_number boolean not null,    -- the pseudonym of a practice and its EMIS number
);
