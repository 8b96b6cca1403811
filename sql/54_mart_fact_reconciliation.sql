-- mart_fact_reconciliation: one row per practice of the year, in pounds.
--
--  1. R19: earned on the basis selected and on the other one; held = what of earned
--     rests on claims that are not on time; balance = earned - advance.
--  2. R20: provisional, and without a direction, until the year end is frozen; then
--     the direction is that of the balance's sign.
--  3. R20: advance_paid_to_date is what was paid up to the period's month;
--     projected values apply R19 to projected_year_end.
create table mart_fact_reconciliation as
with
earned as (
    select
        int_earned.practice_code,
        max(case when int_earned.basis = run.reconciliation_basis and int_earned.measure = 'counted' then int_earned.earned_pence end) as earned_pence,
        max(case when int_earned.basis = run.reconciliation_basis and int_earned.measure = 'counted_on_time' then int_earned.earned_pence end) as on_time_pence,
        max(case when int_earned.basis = run.reconciliation_basis and int_earned.measure = 'projected' then int_earned.earned_pence end) as projected_pence,
        max(case when int_earned.basis <> run.reconciliation_basis and int_earned.measure = 'counted' then int_earned.earned_pence end) as other_pence
    from int_earned
    cross join run
    group by int_earned.practice_code
),
advances as (
    select practice_code, cast(sum(advance_pence) as decimal(18, 0)) as advance_pence
    from int_domain_value
    group by practice_code
),
paid as (
    select
        instalments.practice_code,
        sum(instalments.amount * case when instalments.paid_month <= run.period_end then 1 else 0 end) as advance_paid
    from mart_fact_instalment as instalments
    cross join run
    group by instalments.practice_code
),
balances as (
    select
        contract_values.practice_code,
        run.is_final,
        run.reconciliation_basis as basis,
        contract_values.contract_pence,
        advances.advance_pence,
        paid.advance_paid,
        earned.earned_pence,
        earned.earned_pence - earned.on_time_pence as held_pence,
        earned.earned_pence - advances.advance_pence as balance_pence,
        earned.other_pence,
        earned.other_pence - advances.advance_pence as other_balance_pence,
        earned.projected_pence,
        earned.projected_pence - advances.advance_pence as projected_balance_pence
    from int_contract_value as contract_values
    cross join run
    inner join advances on advances.practice_code = contract_values.practice_code
    inner join paid on paid.practice_code = contract_values.practice_code
    inner join earned on earned.practice_code = contract_values.practice_code
),
final as (
    select
        practice_code,
        case when is_final then 'final' else 'provisional' end as status,
        basis,
        cast(contract_pence * 0.01 as decimal(18, 2)) as contract_value,
        cast(advance_pence * 0.01 as decimal(18, 2)) as advance_value,
        cast(advance_paid as decimal(18, 2)) as advance_paid_to_date,
        cast(earned_pence * 0.01 as decimal(18, 2)) as earned_value,
        cast(held_pence * 0.01 as decimal(18, 2)) as held_value,
        cast(balance_pence * 0.01 as decimal(18, 2)) as balance,
        case
            when not is_final then null
            when balance_pence > 0 then 'pay'
            when balance_pence < 0 then 'recoup'
            when balance_pence = 0 then 'none'
        end as direction,
        cast(other_pence * 0.01 as decimal(18, 2)) as earned_value_other_basis,
        cast(other_balance_pence * 0.01 as decimal(18, 2)) as balance_other_basis,
        cast(projected_pence * 0.01 as decimal(18, 2)) as projected_earned_value,
        cast(projected_balance_pence * 0.01 as decimal(18, 2)) as projected_balance
    from balances
)
select * from final;
