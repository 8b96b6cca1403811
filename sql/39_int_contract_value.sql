-- int_contract_value: one row per practice of the year: what its contract is worth
-- in whole pence.
--
--  1. R19: contract value = weighted population x pounds per head, half up.
--  2. Null where either is not known, which is not 0.
create table int_contract_value as
with
final as (
    select
        practice_code,
        cast(
            round(cast(weighted_population as decimal(25, 16)) * cast(pence_per_weighted_head as decimal(10, 0))) as decimal(18, 0)
        ) as contract_pence
    from raw_practice
)
select * from final;
