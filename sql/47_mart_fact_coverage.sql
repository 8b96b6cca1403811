-- mart_fact_coverage: one row per practice of the year: what was received.
create table mart_fact_coverage as
with
final as (
    select
        practice_code,
        search_files,
        bulk_files,
        batch_files,
        register_files,
        refused_files,
        newest_extract_date,
        case when is_supplied then 'supplied' else 'missing' end as state
    from int_coverage
)
select * from final;
