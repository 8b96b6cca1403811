-- lost_assessment: one row per assessment of the first period that the second has
-- not at the same practice, or that no longer counts, with the reason so far as the
-- published tables tell it. Where the second period can be computed again,
-- int_assessment_lost has the better ones.
create table lost_assessment as
with
now_at as (
    select patient_key, practice_code from to_fact_assessment
    union
    select patient_key, practice_code from to_fact_cohort_patient
),
final as (
    select
        earlier.patient_key,
        earlier.practice_code,
        case
            when coverage.practice_code is null then 'practice not listed'
            when coverage.state = 'missing' then 'practice sent nothing'
            when elsewhere.patient_key is not null then 'patient registered elsewhere'
            when later.segments = 0 then 'patient in no segment'
            when later.patient_key is not null then 'no eligibility code'
            else 'not known: what it was computed from has changed'
        end as reason,
        elsewhere.practice_code as practice_now
    from from_fact_assessment as earlier
    cross join asked
    left join to_fact_assessment as later
        on later.patient_key = earlier.patient_key
        and later.practice_code = earlier.practice_code
    left join now_at as elsewhere
        on elsewhere.patient_key = earlier.patient_key
        and elsewhere.practice_code <> earlier.practice_code
    left join to_fact_coverage as coverage on coverage.practice_code = earlier.practice_code
    where (asked.practice_code is null or asked.practice_code = earlier.practice_code)
      and (later.patient_key is null or (earlier.is_counted and not later.is_counted))
)
select * from final;
