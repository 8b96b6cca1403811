-- practices whose instalments do not add up to the advance, are more than a penny
-- apart, or have an odd penny after one without (R19).
with
instalments as (
    select
        practice_code,
        sum(amount) as amount,
        max(amount) - min(amount) as spread,
        count(*) as instalments
    from mart_fact_instalment
    group by practice_code
),
rising as (
    select earlier.practice_code
    from mart_fact_instalment as earlier
    inner join mart_fact_instalment as later
        on later.practice_code = earlier.practice_code
        and later.instalment = earlier.instalment + 1
        and later.amount > earlier.amount
    group by earlier.practice_code
)
select reconciliations.practice_code
from mart_fact_reconciliation as reconciliations
cross join (select count(*) as instalments from raw_instalment) as named
left join instalments on instalments.practice_code = reconciliations.practice_code
left join rising on rising.practice_code = reconciliations.practice_code
where coalesce(instalments.instalments, 0) <> named.instalments
    or coalesce(instalments.amount, -1) <> coalesce(reconciliations.advance_value, -1)
    or instalments.spread > 0.01
    or rising.practice_code is not null;
