-- files and practices where the rows that the reader counted are not the rows
-- that have a disposition.
with
read_rows as (
    select file_no, practice_code, sum(row_count) as row_count
    from raw_file_count
    group by file_no, practice_code
),
counted as (
    select file_no, practice_no, count(*) as row_count
    from int_disposition
    group by file_no, practice_no
),
decided_rows as (
    select counted.file_no, practices.practice_code, counted.row_count
    from counted
    left join raw_practice as practices on practices.practice_no = counted.practice_no
)
select
    coalesce(read_rows.file_no, decided_rows.file_no) as file_no,
    coalesce(read_rows.practice_code, decided_rows.practice_code) as practice_code,
    read_rows.row_count as rows_read,
    decided_rows.row_count as rows_decided
from read_rows
full outer join decided_rows
    on decided_rows.file_no = read_rows.file_no
    and coalesce(decided_rows.practice_code, '') = coalesce(read_rows.practice_code, '')
where coalesce(read_rows.row_count, 0) <> coalesce(decided_rows.row_count, 0);
