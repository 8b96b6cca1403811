-- mart_fact_practice_position: one row per practice of the year.
--
--  1. R17: achievement = counted / target (null without a target or with 0),
--     capped at 1; achievement_all is the same over all assessments.
--  2. R17: expected_to_date = target x days elapsed / days in the year;
--     projected_year_end = counted x days in the year / days elapsed, half up.
--  3. R18: inclusive_shortfall is the sum of the shortfalls; segments_met counts
--     the minimums met; null without minimums.
--  4. Of a missing practice everything that rests on activity or on elapsed time
--     is null (SPEC §7).
create table mart_fact_practice_position as
with
assessments as (
    select
        practice_no,
        count(*) as assessments,
        sum(case when is_counted then 1 else 0 end) as counted,
        sum(case when is_counted and timeliness = 'on_time' then 1 else 0 end) as counted_on_time,
        sum(case when is_counted and timeliness = 'late' then 1 else 0 end) as counted_late,
        sum(case when is_counted and timeliness = 'unproven' then 1 else 0 end) as counted_unproven,
        sum(case when segments = 0 then 1 else 0 end) as without_segment,
        sum(case when has_eligibility then 0 else 1 end) as without_eligibility,
        sum(case when assessed_last_year then 1 else 0 end) as repeat_assessments
    from int_assessment
    group by practice_no
),
removed as (
    select
        int_event.practice_no,
        count(distinct case when int_event.removed_as = 'patient_left' then int_event.patient_no end) as removed_left,
        count(distinct case when int_event.removed_as = 'patient_deceased' then int_event.patient_no end) as removed_deceased
    from int_event
    inner join raw_code as codes on codes.code_no = int_event.code_no
    where codes.role = 'claim'
    group by int_event.practice_no
),
eligible as (
    select memberships.practice_no, count(*) as eligible_patients
    from int_membership as memberships
    inner join raw_code as codes on codes.code_no = memberships.code_no
    where codes.role = 'eligibility' and memberships.membership_rank = 1
    group by memberships.practice_no
),
cohort_patients as (
    select
        practice_code,
        sum(patients) as cohort_patients,
        sum(outstanding_patients) as outstanding_patients
    from mart_fact_cohort_overlap
    group by practice_code
),
minimums as (
    select
        practice_code,
        sum(shortfall) as inclusive_shortfall,
        sum(case when is_minimum_met then 1 else 0 end) as segments_met
    from mart_fact_segment_count
    where minimum_required is not null
    group by practice_code
),
gathered as (
    select
        practices.practice_code,
        practices.annual_target,
        nullif(practices.annual_target, 0) as target,
        coverage.is_supplied,
        coverage.search_files + coverage.bulk_files + coverage.batch_files + coverage.register_files as files_received,
        run.days_elapsed,
        run.days_in_year,
        run.has_last_year,
        coalesce(assessments.assessments, 0) as assessments,
        coalesce(assessments.counted, 0) as counted,
        coalesce(assessments.counted_on_time, 0) as counted_on_time,
        coalesce(assessments.counted_late, 0) as counted_late,
        coalesce(assessments.counted_unproven, 0) as counted_unproven,
        coalesce(assessments.without_segment, 0) as without_segment,
        coalesce(assessments.without_eligibility, 0) as without_eligibility,
        coalesce(assessments.repeat_assessments, 0) as repeat_assessments,
        coalesce(removed.removed_left, 0) as removed_left,
        coalesce(removed.removed_deceased, 0) as removed_deceased,
        coalesce(eligible.eligible_patients, 0) as eligible_patients,
        coalesce(cohort_patients.cohort_patients, 0) as cohort_patients,
        coalesce(cohort_patients.outstanding_patients, 0) as outstanding_patients,
        minimums.inclusive_shortfall,
        exclusive.exclusive_shortfall,
        minimums.segments_met
    from raw_practice as practices
    cross join run
    inner join int_coverage as coverage on coverage.practice_code = practices.practice_code
    left join assessments on assessments.practice_no = practices.practice_no
    left join removed on removed.practice_no = practices.practice_no
    left join eligible on eligible.practice_no = practices.practice_no
    left join cohort_patients on cohort_patients.practice_code = practices.practice_code
    left join minimums on minimums.practice_code = practices.practice_code
    left join int_exclusive_shortfall as exclusive on exclusive.practice_code = practices.practice_code
),
final as (
    select
        practice_code,
        annual_target,
        case when is_supplied then assessments end as assessments,
        case when is_supplied then counted end as counted,
        case when is_supplied then counted_on_time end as counted_on_time,
        case when is_supplied then counted_late end as counted_late,
        case when is_supplied then counted_unproven end as counted_unproven,
        case when is_supplied then without_segment end as without_segment,
        case when is_supplied then without_eligibility end as without_eligibility,
        case when is_supplied and has_last_year then repeat_assessments end as repeat_assessments,
        case when is_supplied then removed_left end as removed_left,
        case when is_supplied then removed_deceased end as removed_deceased,
        case when is_supplied then eligible_patients end as eligible_patients,
        case when is_supplied then cohort_patients end as cohort_patients,
        case when is_supplied then outstanding_patients end as outstanding_patients,
        case when is_supplied then cast(counted as double) / target end as achievement,
        case when is_supplied and target is not null then least(cast(counted as double) / target, 1) end as achievement_capped,
        case when is_supplied then cast(assessments as double) / target end as achievement_all,
        case when is_supplied then cast(target * days_elapsed as double) / days_in_year end as expected_to_date,
        case when is_supplied then cast(
            (
                2 * counted * days_in_year + days_elapsed
                - mod(2 * counted * days_in_year + days_elapsed, 2 * days_elapsed)
            ) / (2 * days_elapsed) as bigint
        ) end as projected_year_end,
        case when is_supplied then inclusive_shortfall end as inclusive_shortfall,
        case when is_supplied then exclusive_shortfall end as exclusive_shortfall,
        case when is_supplied then segments_met end as segments_met,
        files_received
    from gathered
)
select * from final;
