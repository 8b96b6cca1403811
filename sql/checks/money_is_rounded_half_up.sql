-- practices with an amount that is not its exact value rounded half up, or a
-- domain that is a penny or more from its share (R19). Everything is multiplied
-- out, so that nothing here is rounded itself.
with
contract_values as (
    select practices.practice_code
    from raw_practice as practices
    inner join int_contract_value as contract_values on contract_values.practice_code = practices.practice_code
    where cast(practices.weighted_population as decimal(25, 16)) * cast(practices.pence_per_weighted_head as decimal(10, 0)) - contract_values.contract_pence
        not between -0.5 and 0.4999999999999999
),
domain_values as (
    select domain_values.practice_code
    from int_domain_value as domain_values
    cross join run
    inner join raw_domain as domains on domains.domain = domain_values.domain
    inner join int_contract_value as contract_values on contract_values.practice_code = domain_values.practice_code
    where contract_values.contract_pence * domains.share_ppm * 0.000001 - domain_values.value_pence not between -0.999999 and 0.999999
        or domain_values.value_pence * run.advance_share_ppm * 0.000001 - domain_values.advance_pence not between -0.5 and 0.499999
),
activity_values as (
    select
        domain_values.practice_code,
        bases.basis,
        sum(case when domains.is_by_activity or bases.basis = 'whole_contract' then domain_values.value_pence end) as activity_pence
    from int_domain_value as domain_values
    inner join raw_domain as domains on domains.domain = domain_values.domain
    cross join (select 'domain_2' as basis union all select 'whole_contract' as basis) as bases
    group by domain_values.practice_code, bases.basis
),
assessments as (
    select practice_code, 'counted' as measure, counted as assessments, annual_target
    from mart_fact_practice_position
    union all
    select practice_code, 'counted_on_time' as measure, counted_on_time as assessments, annual_target
    from mart_fact_practice_position
    union all
    select practice_code, 'projected' as measure, projected_year_end as assessments, annual_target
    from mart_fact_practice_position
),
earned as (
    select earned.practice_code
    from int_earned as earned
    inner join activity_values
        on activity_values.practice_code = earned.practice_code
        and activity_values.basis = earned.basis
    inner join assessments
        on assessments.practice_code = earned.practice_code
        and assessments.measure = earned.measure
    where case
        when earned.activity_pence is null then
            assessments.annual_target > 0 and assessments.assessments is not null and activity_values.activity_pence is not null
        when assessments.assessments >= assessments.annual_target then earned.activity_pence <> activity_values.activity_pence
        else 2 * (activity_values.activity_pence * assessments.assessments - earned.activity_pence * assessments.annual_target)
            not between -assessments.annual_target and assessments.annual_target - 1
    end
)
select practice_code from contract_values
union
select practice_code from domain_values
union
select practice_code from earned;
