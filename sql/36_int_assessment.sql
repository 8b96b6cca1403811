-- int_assessment: one row per assessed patient: the one claim kept (R11), and
-- what it counts for (R13 and the policies of SPEC §8).
--
--  1. counted: in at least one segment, unless the policy counts without one;
--     and with the eligibility code, where the policy asks for it.
--  2. assessed_last_year: null where last year was not published (R17). A patient
--     whom it knew by EMIS number alone is the NHS number paired with that now (R5).
create table int_assessment as
with
segments as (
    select
        members.patient_no,
        count(*) as segments,
        max(case when segments.segment = 'population_health' then 1 else 0 end) = 1 as in_population_health,
        max(case when segments.segment = 'cardiovascular' then 1 else 0 end) = 1 as in_cardiovascular,
        max(case when segments.segment = 'respiratory' then 1 else 0 end) = 1 as in_respiratory,
        max(case when segments.segment = 'place_choice' then 1 else 0 end) = 1 as in_place_choice,
        max(case when segments.segment = 'severe_mental_illness' then 1 else 0 end) = 1 as in_severe_mental_illness
    from int_segment_patient as members
    inner join raw_segment as segments on segments.sort_order = members.segment_no
    group by members.patient_no
),
eligible as (
    select memberships.patient_no
    from int_membership as memberships
    inner join raw_code as codes on codes.code_no = memberships.code_no
    where codes.role = 'eligibility' and memberships.membership_rank = 1
),
last_year as (
    select coalesce(pairs.nhs_no, published.patient_no) as patient_no
    from raw_published_assessment as published
    left join int_number_pair as pairs
        on pairs.emis_no = published.patient_no
        and not pairs.is_ambiguous
    where published.use = 'last_year'
    group by coalesce(pairs.nhs_no, published.patient_no)
),
assessed as (
    select
        claims.patient_no,
        claims.practice_no,
        claims.activity_date,
        claims.recorded_date,
        claims.timeliness,
        eligible.patient_no is not null as has_eligibility,
        coalesce(segments.segments, 0) as segments,
        coalesce(segments.in_population_health, false) as in_population_health,
        coalesce(segments.in_cardiovascular, false) as in_cardiovascular,
        coalesce(segments.in_respiratory, false) as in_respiratory,
        coalesce(segments.in_place_choice, false) as in_place_choice,
        coalesce(segments.in_severe_mental_illness, false) as in_severe_mental_illness,
        case when run.has_last_year then last_year.patient_no is not null end as assessed_last_year
    from int_claim as claims
    cross join run
    left join segments on segments.patient_no = claims.patient_no
    left join eligible on eligible.patient_no = claims.patient_no
    left join last_year on last_year.patient_no = claims.patient_no
    where claims.claim_rank = 1
),
final as (
    select
        assessed.*,
        (assessed.segments > 0 or run.count_without_segment)
            and (assessed.has_eligibility or not run.require_eligibility) as is_counted
    from assessed
    cross join run
)
select * from final;
