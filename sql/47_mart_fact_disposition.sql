-- mart_fact_disposition: one row per practice (null if unknown), file and
-- disposition. The rows of a file add up to the rows read of it.
create table mart_fact_disposition as
with
final as (
    select
        dispositions.practice_code,
        files.file_name,
        dispositions.disposition,
        count(*) as rows
    from int_disposition as dispositions
    inner join raw_file as files on files.file_no = dispositions.file_no
    group by dispositions.practice_code, files.file_name, dispositions.disposition
)
select * from final;
