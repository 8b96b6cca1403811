-- practices whose domains do not add up to what the contract earns on the basis
-- selected, and domains that earn more than their value or hold more than they
-- earn (R19).
with
payments as (
    select
        practice_code,
        sum(earned_value) as earned_value,
        sum(held_value) as held_value,
        sum(balance) as balance,
        count(earned_value) as earned_domains,
        count(*) as domains,
        max(case when earned_value > annual_value or held_value > earned_value or held_value < 0 then 1 else 0 end) as is_beyond
    from mart_fact_payment
    group by practice_code
)
select reconciliations.practice_code
from mart_fact_reconciliation as reconciliations
left join payments on payments.practice_code = reconciliations.practice_code
where payments.practice_code is null
    or payments.is_beyond = 1
    or (payments.earned_domains = payments.domains) <> (reconciliations.earned_value is not null)
    or reconciliations.earned_value <> payments.earned_value
    or reconciliations.held_value <> payments.held_value
    or reconciliations.balance <> payments.balance;
