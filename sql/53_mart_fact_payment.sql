-- mart_fact_payment: one row per practice of the year and domain, in pounds.
--
--  R19: balance = earned - advance.
create table mart_fact_payment as
with
final as (
    select
        domain_values.practice_code,
        domain_values.domain,
        cast(domain_values.value_pence * 0.01 as decimal(18, 2)) as annual_value,
        cast(domain_values.advance_pence * 0.01 as decimal(18, 2)) as advance_value,
        cast(earned.earned_pence * 0.01 as decimal(18, 2)) as earned_value,
        cast(earned.held_pence * 0.01 as decimal(18, 2)) as held_value,
        cast((earned.earned_pence - domain_values.advance_pence) * 0.01 as decimal(18, 2)) as balance
    from int_domain_value as domain_values
    inner join int_domain_earned as earned
        on earned.practice_code = domain_values.practice_code
        and earned.domain = domain_values.domain
)
select * from final;
