-- practices whose domains do not add up to the contract value, or their advances to
-- the contract's (R19).
with
domains as (
    select
        practice_code,
        sum(annual_value) as annual_value,
        sum(advance_value) as advance_value,
        count(annual_value) as valued
    from mart_fact_payment
    group by practice_code
)
select reconciliations.practice_code
from mart_fact_reconciliation as reconciliations
cross join (select count(*) as domains from raw_domain) as named
left join domains on domains.practice_code = reconciliations.practice_code
where coalesce(domains.valued, -1) <> case when reconciliations.contract_value is null then 0 else named.domains end
    or domains.annual_value <> reconciliations.contract_value
    or domains.advance_value <> reconciliations.advance_value;
