-- int_finding: one row per practice (null where a file names none) and check that
-- found something (SPEC §9). affected counts what the check is about: files, rows,
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
member_patients as (
    select
        memberships.patient_no,
        memberships.practice_no,
        max(case when codes.role = 'eligibility' then 1 else 0 end) as eligibilities,
        max(case when codes.role = 'cohort' then 1 else 0 end) as cohorts
    from int_membership as memberships
    inner join raw_code as codes on codes.code_no = memberships.code_no
    where memberships.membership_rank = 1
    group by memberships.patient_no, memberships.practice_no
),
patient_counts as (
    select
        registration.practice_no,
        sum(case when registration.has_status then 0 else 1 end) as status_unknown,
        sum(case when member_patients.cohorts = 1 and member_patients.eligibilities = 0 then 1 else 0 end) as cohort_only,
        sum(case when member_patients.cohorts = 0 and member_patients.eligibilities = 1 then 1 else 0 end) as eligibility_only
    from int_registration as registration
    left join member_patients
        on member_patients.patient_no = registration.patient_no
        and member_patients.practice_no = registration.practice_no
    group by registration.practice_no
),
recorded_cohorts as (
    select int_row.practice_no, codes.membership_no
    from int_row
    inner join raw_code as codes on codes.code_no = int_row.code_no
    inner join raw_file as files on files.file_no = int_row.file_no
    where int_row.step > 8 and codes.role = 'cohort' and files.kind <> 'batch_add'
    group by int_row.practice_no, codes.membership_no
),
membership_counts as (
    select memberships.practice_no, count(*) as not_in_record
    from int_membership as memberships
    inner join recorded_cohorts
        on recorded_cohorts.practice_no = memberships.practice_no
        and recorded_cohorts.membership_no = memberships.membership_no
    where memberships.membership_rank = 1 and not memberships.is_in_record
    group by memberships.practice_no
),
assessment_counts as (
    select
        assessments.practice_no,
        sum(case when assessments.segments = 0 then 1 else 0 end) as without_segment,
        sum(case when assessments.has_eligibility then 0 else 1 end) as without_eligibility,
        sum(case when assessments.activity_date < registration.registered_date then 1 else 0 end) as before_registration,
        sum(case when assessments.timeliness = 'late' then 1 else 0 end) as late,
        sum(case when assessments.timeliness = 'unproven' then 1 else 0 end) as unproven
    from int_assessment as assessments
    inner join int_registration as registration
        on registration.patient_no = assessments.patient_no
        and registration.practice_no = assessments.practice_no
    group by assessments.practice_no
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
            when 'status_unknown' then patient_counts.status_unknown
            when 'cohort_without_eligibility' then patient_counts.cohort_only
            when 'eligibility_without_cohort' then patient_counts.eligibility_only
            when 'batch_add_not_in_record' then membership_counts.not_in_record
            when 'assessment_without_segment' then assessment_counts.without_segment
            when 'assessment_without_eligibility' then assessment_counts.without_eligibility
            when 'assessment_before_registration' then assessment_counts.before_registration
            when 'late_coded' then assessment_counts.late
            when 'unproven_coding_date' then assessment_counts.unproven
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
    left join patient_counts on patient_counts.practice_no = counts.practice_no
    left join membership_counts on membership_counts.practice_no = counts.practice_no
    left join assessment_counts on assessment_counts.practice_no = counts.practice_no
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
)
select * from final;
