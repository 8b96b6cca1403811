-- raw_file: one row per file of the period's inbox, numbered in byte order of
-- the paths, so that file_no orders as the path does (R11).
create table raw_file (
    file_no integer not null,
    file_name varchar not null,
    staged_no bigint,                   -- of its staged rows; null where the file was not read
    sha256 varchar,                     -- null where the bytes could not be read
    kind varchar not null,
    status varchar not null,
    practice_code varchar,              -- the file's own practice
    practice_codes varchar,             -- every practice that the reader met in it
    extract_date date,                  -- stated; null where the file states none
    renewed_date date,                  -- extract_date; of a bulk extract's file that of its agreement's newest
    relative_date date,
    encoding varchar,
    delimiter varchar,
    header_line bigint,
    message varchar,
);
