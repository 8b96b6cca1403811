-- files whose rows are not those that have a disposition, each once; and unknown
-- dispositions. Rows are compared by how many there are and by the sum of their
-- places' hashes; that no place comes twice among the input rows, staging sees to.
with
input_rows as (
    select file_no, count(*) as row_count, sum(hash(line, event)) as places
    from stg_row
    group by file_no
),
decided as (
    select file_no, count(*) as row_count, sum(hash(line, event)) as places
    from int_disposition
    group by file_no
),
dispositions as (
    select disposition, min(file_no) as file_no from int_disposition group by disposition
)
select coalesce(input_rows.file_no, decided.file_no) as file_no
from input_rows
full outer join decided on decided.file_no = input_rows.file_no
where decided.row_count is distinct from input_rows.row_count or decided.places is distinct from input_rows.places
union all
select dispositions.file_no
from dispositions
left join raw_disposition as named on named.disposition = dispositions.disposition
where named.disposition is null;
