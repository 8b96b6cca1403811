-- int_finding: one row per practice (null where a file names none, and for practices
-- that are no longer listed) and check that found something (SPEC §9). affected counts what the check is about: files, rows,
-- patients or assessments; detail says more where there is more to say.
create table int_finding as
with
practice_counts as (
    select
        coverage.practice_code,
        practices.practice_no,
        case when coverage.is_supplied then 0 else 1 end as no_files,
        case when practices.place_choice is null then 1 else 0 end as undecided,
        case when coalesce(practices.annual_target, 0) = 0 then 1 else 0 end as no_target,
        case when contract_values.contract_pence is null then 1 else 0 end as no_value
    from int_coverage as coverage
    inner join raw_practice as practices on practices.practice_code = coverage.practice_code
    inner join int_contract_value as contract_values on contract_values.practice_code = coverage.practice_code
),
file_counts as (
    select
        owners.practice_code,
        sum(case when files.renewed_date < run.period_end or files.relative_date < run.period_end then 1 else 0 end) as stale,
        sum(case when files.extract_date > run.as_at then 1 else 0 end) as ahead
    from raw_file as files
    cross join run
    left join int_file_practice as owners on owners.file_no = files.file_no
    where files.status = 'read' and files.kind <> 'bulk_lookup'
    group by owners.practice_code
),
unowned_files as (
    select 'stale_extract' as check_name, stale as affected from file_counts where practice_code is null
    union all
    select 'extract_after_as_at' as check_name, ahead as affected from file_counts where practice_code is null
),
unread_files as (
    select
        practice_code,
        case status when 'refused' then 'file_refused' when 'duplicate' then 'duplicate_file' else 'file_ignored' end as check_name,
        count(*) as affected,
        concat('first ', min(file_name)) as detail
    from raw_file
    where status <> 'read'
    group by practice_code, status
),
row_counts as (
    select practice_code, check_name, count(*) as affected
    from int_row_finding
    group by practice_code, check_name
),
status_counts as (
    select practice_no, sum(case when has_status then 0 else 1 end) as status_unknown
    from int_registration
    group by practice_no
),
daily as (
    select practice_no, activity_date, count(*) as on_the_day
    from int_assessment
    group by practice_no, activity_date
),
totals as (
    select practice_no, sum(on_the_day) as assessments
    from daily
    group by practice_no
),
spike_days as (
    select
        daily.practice_no,
        sum(daily.on_the_day) as affected,
        concat('first ', cast(min(daily.activity_date) as string), ', of ', cast(min(totals.assessments) as string), ' in all') as detail
    from daily
    inner join totals on totals.practice_no = daily.practice_no
    where daily.on_the_day >= 20 and 4 * daily.on_the_day >= totals.assessments
    group by daily.practice_no
),
lost_reasons as (
    select practice_code, reason, count(*) as affected
    from int_assessment_lost
    where use = 'previous_period' and was_counted
    group by practice_code, reason
),
lost_counts as (
    select
        practice_code,
        sum(affected) as affected,
        concat_ws(
            ', ',
            max(case when reason = 'practice sent nothing' then concat(reason, ' ', cast(affected as string)) end),
            max(case when reason = 'patient died' then concat(reason, ' ', cast(affected as string)) end),
            max(case when reason = 'patient left' then concat(reason, ' ', cast(affected as string)) end),
            max(case when reason = 'patient no longer regular' then concat(reason, ' ', cast(affected as string)) end),
            max(case when reason = 'patient registered elsewhere' then concat(reason, ' ', cast(affected as string)) end),
            max(case when reason = 'patient known by NHS number now' then concat(reason, ' ', cast(affected as string)) end),
            max(case when reason = 'patient in no segment' then concat(reason, ' ', cast(affected as string)) end),
            max(case when reason = 'no eligibility code' then concat(reason, ' ', cast(affected as string)) end),
            max(case when reason = 'claim dated after the cut-off' then concat(reason, ' ', cast(affected as string)) end),
            max(case when reason = 'claim dated before the contract year' then concat(reason, ' ', cast(affected as string)) end),
            max(case when reason = 'claim rejected' then concat(reason, ' ', cast(affected as string)) end),
            max(case when reason = 'claim gone from the export' then concat(reason, ' ', cast(affected as string)) end)
        ) as detail
    from lost_reasons
    group by practice_code
),
unlisted_counts as (
    select sum(affected) as affected, concat('practice not listed, first ', min(practice_code)) as detail
    from lost_reasons
    where reason = 'practice not listed'
    having count(*) > 0
),
counted as (
    select
        counts.practice_code,
        checks.check_name,
        case checks.check_name
            when 'practice_no_files' then counts.no_files
            when 'place_choice_undecided' then counts.undecided
            when 'missing_target' then counts.no_target
            when 'missing_contract_value' then counts.no_value
            when 'stale_extract' then file_counts.stale
            when 'extract_after_as_at' then file_counts.ahead
            when 'status_unknown' then status_counts.status_unknown
            when 'single_day_spike' then spike_days.affected
            when 'fewer_than_last_period' then lost_counts.affected
        end as affected,
        case checks.check_name
            when 'single_day_spike' then spike_days.detail
            when 'fewer_than_last_period' then lost_counts.detail
        end as detail
    from practice_counts as counts
    cross join raw_check as checks
    left join file_counts on file_counts.practice_code = counts.practice_code
    left join status_counts on status_counts.practice_no = counts.practice_no
    left join spike_days on spike_days.practice_no = counts.practice_no
    left join lost_counts on lost_counts.practice_code = counts.practice_code
),
final as (
    select practice_code, check_name, affected, detail from counted where affected > 0
    union all
    select practice_code, check_name, affected, cast(null as string) as detail from row_counts
    union all
    select cast(null as string) as practice_code, check_name, affected, cast(null as string) as detail from unowned_files where affected > 0
    union all
    select practice_code, check_name, affected, detail from unread_files
    union all
    select cast(null as string) as practice_code, 'fewer_than_last_period' as check_name, affected, detail from unlisted_counts
)
select * from final;
