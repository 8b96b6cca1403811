-- mart_fact_instalment: one row per practice of the year and instalment of its
-- advance, in pounds.
--
--  1. R19: the instalments are equal, and the pence left over go one each to the
--     first; they add up to the advance of all domains.
--  2. amount is null where the contract value is not known.
create table mart_fact_instalment as
with
advances as (
    select practice_code, cast(sum(advance_pence) as decimal(18, 0)) as advance_pence
    from int_domain_value
    group by practice_code
),
counted as (
    select count(*) as instalments from raw_instalment
),
final as (
    select
        advances.practice_code,
        instalments.instalment,
        instalments.paid_month,
        instalments.covers,
        cast(
            (
                round((advances.advance_pence - mod(advances.advance_pence, counted.instalments)) / counted.instalments)
                + case when instalments.instalment <= mod(advances.advance_pence, counted.instalments) then 1 else 0 end
            ) as decimal(18, 0)
        ) * 0.01 as amount
    from advances
    cross join counted
    cross join raw_instalment as instalments
)
select * from final;
