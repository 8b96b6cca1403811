-- int_file_practice: one row per file read and practice whose own it is: by the
-- file's practice, or by any row's practice code (SPEC §7). A bulk extract's
-- look-up files and an archive are nobody's; an archive's members are files of
-- their own.
create table int_file_practice as
with
named as (
    select file_no, practice_no from int_row where practice_no is not null group by file_no, practice_no
),
owned as (
    select file_no, practice_code from raw_file where status = 'read' and kind <> 'archive' and practice_code is not null
    union
    select named.file_no, practices.practice_code
    from named
    inner join raw_practice as practices on practices.practice_no = named.practice_no
),
final as (
    select
        owned.file_no,
        owned.practice_code,
        files.kind,
        files.extract_date as stated_extract_date,
        coalesce(files.extract_date, run.as_at) as extract_date,
        files.relative_date
    from owned
    inner join raw_file as files on files.file_no = owned.file_no
    cross join run
    where files.kind <> 'bulk_lookup'
)
select * from final;
