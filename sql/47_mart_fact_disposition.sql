-- mart_fact_disposition: one row per practice (null if unknown), file and
-- disposition. The rows of a file add up to the rows read of it.
create table mart_fact_disposition as
with
counted as (
    select practice_no, file_no, disposition, count(*) as rows
    from int_disposition
    group by practice_no, file_no, disposition
),
final as (
    select practices.practice_code, files.file_name, counted.disposition, counted.rows
    from counted
    inner join raw_file as files on files.file_no = counted.file_no
    left join raw_practice as practices on practices.practice_no = counted.practice_no
)
select * from final;
