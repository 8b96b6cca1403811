-- int_domain_value: one row per practice of the year and domain: its annual value
-- and the part of it that is paid in advance, in whole pence.
--
--  1. R19: the domains split the contract value by their shares: each has the whole
--     pence of its part, and the pence left over go one each to the largest
--     remainders (of equal ones to the first in the contract's order).
--  2. R19: advance = the advance share of each domain's value, half up.
--  3. Null where the contract value is.
create table int_domain_value as
with
parts as (
    select
        contract_values.practice_code,
        domains.domain,
        domains.sort_order,
        contract_values.contract_pence,
        contract_values.contract_pence * domains.share_ppm * 0.000001 as part
    from int_contract_value as contract_values
    cross join raw_domain as domains
),
ranked as (
    select
        practice_code,
        domain,
        floor(part) as whole_pence,
        row_number() over (partition by practice_code order by part - floor(part) desc, sort_order) as remainder_rank,
        contract_pence - sum(floor(part)) over (partition by practice_code) as odd_pence
    from parts
),
valued as (
    select
        practice_code,
        domain,
        cast(whole_pence + case when remainder_rank <= odd_pence then 1 else 0 end as decimal(18, 0)) as value_pence
    from ranked
),
final as (
    select
        valued.practice_code,
        valued.domain,
        valued.value_pence,
        cast(round(valued.value_pence * run.advance_share_ppm * 0.000001) as decimal(18, 0)) as advance_pence
    from valued
    cross join run
)
select * from final;
