-- mart_fact_finding: one row per practice (null where a file names none) and
-- check that found something (SPEC §9). affected counts what the check is about:
-- files, rows, patients or assessments.
create table mart_fact_finding as
with
-- files
no_files as (
    select practice_code, 'practice_no_files' as check_name, count(*) as affected,
        'no readable search export or bulk extract arrived; the practice''s figures are missing, not zero' as message
    from int_coverage
    where not is_supplied
    group by practice_code
),
files_by_status as (
    select
        practice_code,
        case status when 'refused' then 'file_refused' when 'duplicate' then 'duplicate_file' else 'file_ignored' end as check_name,
        count(*) as affected,
        concat(
            cast(count(*) as string),
            case status
                when 'refused' then ' file(s) could not be read, first '
                when 'duplicate' then ' file(s) with the same bytes as another were read once, first '
                else ' file(s) are no data and were left alone, first '
            end,
            min(file_name)
        ) as message
    from raw_file
    where status <> 'read'
    group by practice_code, status
),
stale as (
    select practice_code, 'stale_extract' as check_name, count(*) as affected,
        concat(cast(count(*) as string), ' file(s) were run, or look back from, before the period''s last day') as message
    from int_file_practice
    cross join run
    where int_file_practice.stated_extract_date < run.period_end or int_file_practice.relative_date < run.period_end
    group by practice_code
),
ahead as (
    select practice_code, 'extract_after_as_at' as check_name, count(*) as affected,
        concat(cast(count(*) as string), ' file(s) say that they were run after the as-at date') as message
    from int_file_practice
    cross join run
    where int_file_practice.stated_extract_date > run.as_at
    group by practice_code
),
-- rows
row_flags as (
    select
        practice_code,
        sum(case when is_text_unknown and step > 3 then 1 else 0 end) as text_unknown,
        sum(case when is_nhs_invalid and step > 4 then 1 else 0 end) as nhs_invalid,
        sum(case when is_recorded_invalid and step > 8 then 1 else 0 end) as recorded_invalid,
        sum(case when recorded_date < activity_date and step > 8 then 1 else 0 end) as recorded_before,
        sum(case when is_code_repaired and step > 6 then 1 else 0 end) as code_repaired
    from int_row
    where practice_code is not null
    group by practice_code
),
text_unknown as (
    select practice_code, 'status_text_unknown' as check_name, text_unknown as affected,
        concat(cast(text_unknown as string), ' row(s) have a patient type or registration status without a meaning; it reads as blank') as message
    from row_flags
    where text_unknown > 0
),
nhs_invalid as (
    select practice_code, 'nhs_number_invalid' as check_name, nhs_invalid as affected,
        concat(cast(nhs_invalid as string), ' row(s) have an invalid NHS number and were read by EMIS number') as message
    from row_flags
    where nhs_invalid > 0
),
recorded_invalid as (
    select practice_code, 'recorded_date_invalid' as check_name, recorded_invalid as affected,
        concat(cast(recorded_invalid as string), ' row(s) have a recorded date that is no date or after as-at; it reads as missing') as message
    from row_flags
    where recorded_invalid > 0
),
recorded_before as (
    select practice_code, 'recorded_before_activity' as check_name, recorded_before as affected,
        concat(cast(recorded_before as string), ' row(s) were recorded before their activity date') as message
    from row_flags
    where recorded_before > 0
),
code_repaired as (
    select practice_code, 'code_repaired' as check_name, code_repaired as affected,
        concat(cast(code_repaired as string), ' row(s) had a code in scientific notation that only one code of the book prints as') as message
    from row_flags
    where code_repaired > 0
),
-- patients
status_unknown as (
    select practice_code, 'status_unknown' as check_name, count(*) as affected,
        concat(cast(count(*) as string), ' patient(s) have no status in any file; they are taken as registered') as message
    from int_registration
    where not has_status
    group by practice_code
),
member_patients as (
    select
        patient_no,
        practice_code,
        max(case when role = 'eligibility' then 1 else 0 end) as eligibilities,
        max(case when role = 'cohort' then 1 else 0 end) as cohorts
    from int_membership
    where membership_rank = 1
    group by patient_no, practice_code
),
cohort_without_eligibility as (
    select practice_code, 'cohort_without_eligibility' as check_name, count(*) as affected,
        concat(cast(count(*) as string), ' patient(s) have a cohort code and no eligibility code') as message
    from member_patients
    where cohorts = 1 and eligibilities = 0
    group by practice_code
),
eligibility_without_cohort as (
    select practice_code, 'eligibility_without_cohort' as check_name, count(*) as affected,
        concat(cast(count(*) as string), ' patient(s) have the eligibility code and no cohort code') as message
    from member_patients
    where cohorts = 0 and eligibilities = 1
    group by practice_code
),
recorded_cohorts as (
    select practice_code, cohort
    from int_row
    where step > 8 and role = 'cohort' and kind <> 'batch_add'
    group by practice_code, cohort
),
not_in_record as (
    select memberships.practice_code, 'batch_add_not_in_record' as check_name, count(*) as affected,
        concat(cast(count(*) as string), ' cohort code(s) of batch-add files are not in the practice''s search export of that cohort') as message
    from int_membership as memberships
    inner join recorded_cohorts
        on recorded_cohorts.practice_code = memberships.practice_code
        and recorded_cohorts.cohort = memberships.cohort
    where memberships.membership_rank = 1 and not memberships.is_in_record
    group by memberships.practice_code
),
-- assessments
assessment_flags as (
    select
        assessments.practice_code,
        sum(case when assessments.segments = 0 then 1 else 0 end) as without_segment,
        sum(case when assessments.has_eligibility then 0 else 1 end) as without_eligibility,
        sum(case when assessments.activity_date < registration.registered_date then 1 else 0 end) as before_registration,
        sum(case when assessments.timeliness = 'late' then 1 else 0 end) as late,
        sum(case when assessments.timeliness = 'unproven' then 1 else 0 end) as unproven
    from int_assessment as assessments
    inner join int_registration as registration
        on registration.patient_no = assessments.patient_no
        and registration.practice_code = assessments.practice_code
    group by assessments.practice_code
),
without_segment as (
    select practice_code, 'assessment_without_segment' as check_name, without_segment as affected,
        concat(cast(without_segment as string), ' assessment(s) are in no segment: the patient has no cohort code that counts') as message
    from assessment_flags
    where without_segment > 0
),
without_eligibility as (
    select practice_code, 'assessment_without_eligibility' as check_name, without_eligibility as affected,
        concat(cast(without_eligibility as string), ' assessed patient(s) have no eligibility code') as message
    from assessment_flags
    where without_eligibility > 0
),
before_registration as (
    select practice_code, 'assessment_before_registration' as check_name, before_registration as affected,
        concat(cast(before_registration as string), ' assessment(s) are dated before the patient registered') as message
    from assessment_flags
    where before_registration > 0
),
late as (
    select practice_code, 'late_coded' as check_name, late as affected,
        concat(cast(late as string), ' assessment(s) were coded after the deadline; they stay valid and are held') as message
    from assessment_flags
    where late > 0
),
unproven as (
    select practice_code, 'unproven_coding_date' as check_name, unproven as affected,
        concat(cast(unproven as string), ' assessment(s) have nothing to show when they were coded') as message
    from assessment_flags
    where unproven > 0
),
daily as (
    select practice_code, activity_date, count(*) as on_the_day
    from int_assessment
    group by practice_code, activity_date
),
totals as (
    select practice_code, sum(on_the_day) as assessments, max(on_the_day) as most
    from daily
    group by practice_code
),
spike as (
    select totals.practice_code, 'single_day_spike' as check_name, totals.most as affected,
        concat(
            cast(totals.most as string), ' of ', cast(totals.assessments as string),
            ' assessments are dated on one day, ', cast(min(daily.activity_date) as string)
        ) as message
    from totals
    inner join daily
        on daily.practice_code = totals.practice_code
        and daily.on_the_day = totals.most
    where totals.most >= 20 and 4 * totals.most >= totals.assessments
    group by totals.practice_code, totals.most, totals.assessments
),
lost as (
    select practice_code, 'fewer_than_last_period' as check_name, count(*) as affected,
        concat(
            cast(count(*) as string), ' assessment(s) that counted in the period before no longer do:',
            concat_ws(
                ',',
                max(case when reason = 'practice sent nothing' then ' practice sent nothing' end),
                case when sum(case when reason = 'patient died' then 1 else 0 end) > 0
                    then concat(' patient died ', cast(sum(case when reason = 'patient died' then 1 else 0 end) as string)) end,
                case when sum(case when reason = 'patient left' then 1 else 0 end) > 0
                    then concat(' patient left ', cast(sum(case when reason = 'patient left' then 1 else 0 end) as string)) end,
                case when sum(case when reason = 'patient no longer regular' then 1 else 0 end) > 0
                    then concat(' patient no longer regular ', cast(sum(case when reason = 'patient no longer regular' then 1 else 0 end) as string)) end,
                case when sum(case when reason = 'patient registered elsewhere' then 1 else 0 end) > 0
                    then concat(' patient registered elsewhere ', cast(sum(case when reason = 'patient registered elsewhere' then 1 else 0 end) as string)) end,
                case when sum(case when reason = 'assessment no longer counts for a segment' then 1 else 0 end) > 0
                    then concat(' no longer in a segment ', cast(sum(case when reason = 'assessment no longer counts for a segment' then 1 else 0 end) as string)) end,
                case when sum(case when reason = 'claim gone from the export' then 1 else 0 end) > 0
                    then concat(' claim gone from the export ', cast(sum(case when reason = 'claim gone from the export' then 1 else 0 end) as string)) end
            )
        ) as message
    from int_assessment_lost
    group by practice_code
),
-- reference
undecided as (
    select practice_code, 'place_choice_undecided' as check_name, count(*) as affected,
        'the practice''s place has chosen neither diabetes nor frailty; neither counts yet' as message
    from raw_practice
    where place_choice is null
    group by practice_code
),
no_target as (
    select practice_code, 'missing_target' as check_name, count(*) as affected,
        'no annual target: no achievement, no minimums and no earned money' as message
    from raw_practice
    where coalesce(annual_target, 0) = 0
    group by practice_code
),
found as (
    select * from no_files
    union all select * from files_by_status
    union all select * from stale
    union all select * from ahead
    union all select * from text_unknown
    union all select * from nhs_invalid
    union all select * from recorded_invalid
    union all select * from recorded_before
    union all select * from code_repaired
    union all select * from status_unknown
    union all select * from cohort_without_eligibility
    union all select * from eligibility_without_cohort
    union all select * from not_in_record
    union all select * from without_segment
    union all select * from without_eligibility
    union all select * from before_registration
    union all select * from late
    union all select * from unproven
    union all select * from spike
    union all select * from lost
    union all select * from undecided
    union all select * from no_target
),
final as (
    select
        found.practice_code,
        found.check_name,
        checks.severity,
        found.affected,
        found.message
    from found
    inner join raw_check as checks on checks.check_name = found.check_name
)
select * from final;
