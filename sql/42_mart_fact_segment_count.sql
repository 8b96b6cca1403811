-- mart_fact_segment_count: one row per practice of the year and segment.
--
--  1. R16: minimum_required = ceiling(share x target), in whole millionths;
--     null without a target (0 reads as none) or where the minimum is not set.
--  2. R16: shortfall = minimum_required - assessed_patients, not below 0.
--  3. Of a missing practice only minimum_required is known (SPEC §7).
create table mart_fact_segment_count as
with
practice_segments as (
    select
        practices.practice_no,
        practices.practice_code,
        segments.segment,
        segments.sort_order as segment_no,
        coverage.is_supplied,
        segments.minimum_share_ppm * nullif(practices.annual_target, 0) as minimum_millionths
    from raw_practice as practices
    cross join raw_segment as segments
    inner join int_coverage as coverage on coverage.practice_code = practices.practice_code
),
cohorts as (
    select practices.practice_code, codes.segment, min(codes.cohort) as cohort
    from raw_practice as practices
    inner join raw_code as codes
        on codes.segment is not null
        and (not codes.is_place_choice or codes.cohort = practices.place_choice)
    group by practices.practice_code, codes.segment
),
patients as (
    select
        segment_patients.practice_no,
        segment_patients.segment_no,
        count(*) as cohort_patients,
        count(assessments.patient_no) as assessed_patients,
        sum(case when assessments.timeliness = 'on_time' then 1 else 0 end) as assessed_on_time
    from int_segment_patient as segment_patients
    left join int_assessment as assessments on assessments.patient_no = segment_patients.patient_no
    group by segment_patients.practice_no, segment_patients.segment_no
),
counted as (
    select
        practice_segments.practice_code,
        practice_segments.segment,
        cohorts.cohort,
        case when practice_segments.is_supplied then coalesce(patients.cohort_patients, 0) end as cohort_patients,
        case when practice_segments.is_supplied then coalesce(patients.assessed_patients, 0) end as assessed_patients,
        case when practice_segments.is_supplied then coalesce(patients.assessed_on_time, 0) end as assessed_on_time,
        cast(
            (minimum_millionths + 999999 - mod(minimum_millionths + 999999, 1000000)) / 1000000 as bigint
        ) as minimum_required
    from practice_segments
    left join cohorts
        on cohorts.practice_code = practice_segments.practice_code
        and cohorts.segment = practice_segments.segment
    left join patients
        on patients.practice_no = practice_segments.practice_no
        and patients.segment_no = practice_segments.segment_no
),
final as (
    select
        practice_code,
        segment,
        cohort,
        cohort_patients,
        assessed_patients,
        assessed_on_time,
        cohort_patients - assessed_patients as outstanding_patients,
        minimum_required,
        case
            when minimum_required is null or assessed_patients is null then null
            when minimum_required > assessed_patients then minimum_required - assessed_patients
            else 0
        end as shortfall,
        assessed_patients >= minimum_required as is_minimum_met
    from counted
)
select * from final;
