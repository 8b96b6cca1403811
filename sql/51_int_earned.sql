-- int_earned: one row per practice of the year, basis and measure of activity: what
-- the practice earns by it, in whole pence.
--
--  1. R19, domain_2: of the domains that follow activity, value x min(1, activity /
--     target), half up; the others are earned in full.
--  2. R19, whole_contract: all of the contract value follows activity.
--  3. The measures: counted, counted_on_time, and projected (R20: counted at the
--     year's end if the pace stays the same).
--  4. Null where the practice is missing, without a target (0 reads as none), and
--     without a contract value.
--
-- n - mod(n, d) is a multiple of d, so that the quotient is a whole number.
create table int_earned as
with
bases as (
    select
        domain_values.practice_code,
        'domain_2' as basis,
        sum(case when domains.is_by_activity then domain_values.value_pence end) as activity_pence,
        sum(case when not domains.is_by_activity then domain_values.value_pence end) as fixed_pence
    from int_domain_value as domain_values
    inner join raw_domain as domains on domains.domain = domain_values.domain
    group by domain_values.practice_code
    union all
    select practice_code, 'whole_contract' as basis, contract_pence as activity_pence, 0 as fixed_pence
    from int_contract_value
),
measures as (
    select practice_code, 'counted' as measure, counted as assessments, nullif(annual_target, 0) as target
    from mart_fact_practice_position
    union all
    select practice_code, 'counted_on_time' as measure, counted_on_time as assessments, nullif(annual_target, 0) as target
    from mart_fact_practice_position
    union all
    select practice_code, 'projected' as measure, projected_year_end as assessments, nullif(annual_target, 0) as target
    from mart_fact_practice_position
),
capped as (
    select
        practice_code,
        measure,
        target,
        case when assessments > target then target else assessments end as assessments
    from measures
),
numerators as (
    select
        bases.practice_code,
        bases.basis,
        capped.measure,
        bases.fixed_pence,
        cast(2 * bases.activity_pence * capped.assessments + capped.target as decimal(38, 0)) as numerator,
        2 * capped.target as denominator
    from bases
    inner join capped on capped.practice_code = bases.practice_code
),
earned as (
    select
        practice_code,
        basis,
        measure,
        fixed_pence,
        cast(round((numerator - mod(numerator, denominator)) / denominator) as decimal(18, 0)) as activity_pence
    from numerators
),
final as (
    select
        practice_code,
        basis,
        measure,
        activity_pence,
        cast(fixed_pence + activity_pence as decimal(18, 0)) as earned_pence
    from earned
)
select * from final;
