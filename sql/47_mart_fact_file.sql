-- mart_fact_file: one row per file of the period's inbox.
--
-- R6: a file's extract date is the one it states, else as-at; of a file that was
-- not read, only what it states.
create table mart_fact_file as
with
counts as (
    select file_no, sum(row_count) as rows_read
    from raw_file_count
    group by file_no
),
rejected as (
    select dispositions.file_no, count(*) as rows_rejected
    from int_disposition as dispositions
    inner join raw_disposition as named on named.disposition = dispositions.disposition
    where named.outcome = 'rejected'
    group by dispositions.file_no
),
final as (
    select
        files.file_name,
        files.sha256,
        files.kind,
        files.practice_codes,
        case when files.status = 'read' and files.kind <> 'archive' then coalesce(files.extract_date, run.as_at) else files.extract_date end as extract_date,
        files.relative_date,
        files.encoding,
        files.delimiter,
        files.header_line,
        coalesce(counts.rows_read, 0) as rows_read,
        coalesce(rejected.rows_rejected, 0) as rows_rejected,
        files.status,
        files.message
    from raw_file as files
    cross join run
    left join counts on counts.file_no = files.file_no
    left join rejected on rejected.file_no = files.file_no
)
select * from final;
