-- int_exclusive_shortfall: one row per practice with minimums: the fewest further
-- assessments needed if each could serve only one segment's minimum.
--
-- R18, Hall's condition: the greatest, over sets of segments, of the sum of the
-- set's minimums less the counted patients in any segment of the set; not below 0.
create table int_exclusive_shortfall as
with
counted_patients as (
    select
        practice_no,
        in_population_health,
        in_cardiovascular,
        in_respiratory,
        in_place_choice,
        in_severe_mental_illness,
        count(*) as patients
    from int_assessment
    where is_counted and segments > 0
    group by
        practice_no,
        in_population_health,
        in_cardiovascular,
        in_respiratory,
        in_place_choice,
        in_severe_mental_illness
),
sets as (
    select
        set_no,
        max(case when segment = 'population_health' then 1 else 0 end) = 1 as has_population_health,
        max(case when segment = 'cardiovascular' then 1 else 0 end) = 1 as has_cardiovascular,
        max(case when segment = 'respiratory' then 1 else 0 end) = 1 as has_respiratory,
        max(case when segment = 'place_choice' then 1 else 0 end) = 1 as has_place_choice,
        max(case when segment = 'severe_mental_illness' then 1 else 0 end) = 1 as has_severe_mental_illness
    from raw_segment_set
    group by set_no
),
served as (
    select practices.practice_code, sets.set_no, sum(counted_patients.patients) as patients
    from counted_patients
    inner join raw_practice as practices on practices.practice_no = counted_patients.practice_no
    inner join sets
        on (sets.has_population_health and counted_patients.in_population_health)
        or (sets.has_cardiovascular and counted_patients.in_cardiovascular)
        or (sets.has_respiratory and counted_patients.in_respiratory)
        or (sets.has_place_choice and counted_patients.in_place_choice)
        or (sets.has_severe_mental_illness and counted_patients.in_severe_mental_illness)
    group by practices.practice_code, sets.set_no
),
required as (
    select segment_counts.practice_code, sets.set_no, sum(segment_counts.minimum_required) as minimums
    from mart_fact_segment_count as segment_counts
    inner join raw_segment_set as sets on sets.segment = segment_counts.segment
    where segment_counts.minimum_required is not null
    group by segment_counts.practice_code, sets.set_no
),
final as (
    select
        required.practice_code,
        greatest(max(required.minimums - coalesce(served.patients, 0)), 0) as exclusive_shortfall
    from required
    left join served
        on served.practice_code = required.practice_code
        and served.set_no = required.set_no
    group by required.practice_code
)
select * from final;
