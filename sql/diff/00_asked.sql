-- asked: one row: what is to be compared of the two published periods.
create table asked (
    practice_code varchar,              -- null for every practice
);
