-- stg_row_code: one row per input row that gives a code, whether the contract names
-- it or not. It is a view: the codes are read only of the rows that are asked about.
create view stg_row_code as
with
final as (
    select files.file_no, input_rows.line, input_rows.event, input_rows.code
    from raw_row as input_rows
    inner join raw_file as files
        on files.staged_no = input_rows.staged_no
        and files.status = 'read'
    where input_rows.code is not null
)
select * from final;
