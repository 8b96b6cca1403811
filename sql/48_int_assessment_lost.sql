-- int_assessment_lost: one row per patient whose assessment counted at a practice
-- in the period published before and no longer does, with the reason.
create table int_assessment_lost as
with
previous as (
    select
        published.practice_code,
        published.activity_date,
        identities.identity_no as patient_no
    from raw_published_assessment as published
    left join stg_identity as identities on identities.patient_key = published.patient_key
    where published.use = 'previous_period' and published.is_counted
),
final as (
    select
        previous.practice_code,
        case
            when not coalesce(coverage.is_supplied, false) then 'practice sent nothing'
            when deceased.patient_no is not null then 'patient died'
            when registration.is_left then 'patient left'
            when registration.is_not_regular then 'patient no longer regular'
            when chosen.practice_code <> previous.practice_code then 'patient registered elsewhere'
            when assessments.patient_no is not null then 'assessment no longer counts for a segment'
            else 'claim gone from the export'
        end as reason
    from previous
    left join int_coverage as coverage on coverage.practice_code = previous.practice_code
    left join int_deceased as deceased on deceased.patient_no = previous.patient_no
    left join int_registration as registration
        on registration.patient_no = previous.patient_no
        and registration.practice_code = previous.practice_code
    left join int_registration as chosen
        on chosen.patient_no = previous.patient_no
        and chosen.is_chosen
    left join int_assessment as assessments
        on assessments.patient_no = previous.patient_no
        and assessments.practice_code = previous.practice_code
    where assessments.patient_no is null or not assessments.is_counted
)
select * from final;
