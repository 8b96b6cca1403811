-- raw_file_count: one row per file read and practice: the rows as the reader
-- counted them, whatever SQL makes of them. practice_code is null for rows of
-- no known practice.
create table raw_file_count (
    file_no integer not null,
    practice_code varchar,
    row_count bigint not null,
);
