-- int_coverage: one row per practice of the contract year: which files are its
-- own, and whether it is supplied.
--
-- A practice is missing where no search export or bulk extract that was read is
-- its own. Missing is never zero (SPEC §7).
create table int_coverage as
with
received as (
    select
        practice_code,
        sum(case when kind = 'search_export' then 1 else 0 end) as search_files,
        sum(case when kind = 'bulk_extract' then 1 else 0 end) as bulk_files,
        sum(case when kind = 'batch_add' then 1 else 0 end) as batch_files,
        sum(case when kind = 'register' then 1 else 0 end) as register_files,
        max(extract_date) as newest_extract_date
    from int_file_practice
    group by practice_code
),
refused as (
    select practice_code, count(*) as refused_files
    from raw_file
    where status = 'refused' and practice_code is not null
    group by practice_code
),
counted as (
    select
        practices.practice_code,
        cast(coalesce(received.search_files, 0) as bigint) as search_files,
        cast(coalesce(received.bulk_files, 0) as bigint) as bulk_files,
        cast(coalesce(received.batch_files, 0) as bigint) as batch_files,
        cast(coalesce(received.register_files, 0) as bigint) as register_files,
        cast(coalesce(refused.refused_files, 0) as bigint) as refused_files,
        received.newest_extract_date
    from raw_practice as practices
    left join received on received.practice_code = practices.practice_code
    left join refused on refused.practice_code = practices.practice_code
),
final as (
    select
        counted.*,
        search_files + bulk_files > 0 as is_supplied
    from counted
)
select * from final;
