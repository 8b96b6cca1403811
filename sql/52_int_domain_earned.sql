-- int_domain_earned: one row per practice of the year and domain: what the domain
-- earns on the basis selected, and what of it is held, in whole pence.
--
--  1. R19: a domain that does not follow activity is earned in full, and nothing of
--     it is held.
--  2. R19: what activity earns is split over the domains that follow it by their
--     shares, largest remainder first, as their values are; what is held of it too.
--     On domain_2 one domain follows activity, on whole_contract all do.
--  3. By largest remainders alone a part of a smaller sum can be a penny more than
--     the same part of a greater one. A domain never earns more than its value, nor
--     is more held than it earns: where it has that already, the odd penny goes to
--     the next.
--  4. Null where the practice is missing, and where int_earned is for a domain that
--     follows activity.
create table int_domain_earned as
with
domains as (
    select
        raw_domain.domain,
        raw_domain.sort_order,
        run.reconciliation_basis as basis,
        raw_domain.is_by_activity or run.reconciliation_basis = 'whole_contract' as is_by_activity,
        case
            when run.reconciliation_basis = 'whole_contract' then raw_domain.share_ppm
            when raw_domain.is_by_activity then 1000000
            else 0
        end as share_ppm
    from raw_domain
    cross join run
),
amounts as (
    select
        counted.practice_code,
        counted.basis,
        counted.activity_pence as earned_pence,
        counted.activity_pence - on_time.activity_pence as held_pence
    from int_earned as counted
    inner join int_earned as on_time
        on on_time.practice_code = counted.practice_code
        and on_time.basis = counted.basis
    where counted.measure = 'counted' and on_time.measure = 'counted_on_time'
),
parts as (
    select
        domain_values.practice_code,
        domains.domain,
        domains.sort_order,
        domains.is_by_activity,
        coverage.is_supplied,
        domain_values.value_pence,
        amounts.earned_pence,
        amounts.held_pence,
        amounts.earned_pence * domains.share_ppm * 0.000001 as earned_part,
        amounts.held_pence * domains.share_ppm * 0.000001 as held_part
    from int_domain_value as domain_values
    inner join domains on domains.domain = domain_values.domain
    inner join amounts
        on amounts.practice_code = domain_values.practice_code
        and amounts.basis = domains.basis
    inner join int_coverage as coverage on coverage.practice_code = domain_values.practice_code
),
earned_ranked as (
    select
        parts.*,
        row_number() over (
            partition by practice_code
            order by
                case when floor(earned_part) < value_pence then 0 else 1 end,
                earned_part - floor(earned_part) desc,
                sort_order
        ) as remainder_rank,
        earned_pence - sum(floor(earned_part)) over (partition by practice_code) as odd_pence
    from parts
),
earned as (
    select
        practice_code,
        domain,
        sort_order,
        is_by_activity,
        is_supplied,
        held_pence,
        held_part,
        case
            when is_by_activity then floor(earned_part) + case when remainder_rank <= odd_pence then 1 else 0 end
            else value_pence
        end as earned_pence
    from earned_ranked
),
held_ranked as (
    select
        earned.*,
        row_number() over (
            partition by practice_code
            order by
                case when floor(held_part) < earned_pence then 0 else 1 end,
                held_part - floor(held_part) desc,
                sort_order
        ) as remainder_rank,
        held_pence - sum(floor(held_part)) over (partition by practice_code) as odd_pence
    from earned
),
final as (
    select
        practice_code,
        domain,
        case when is_supplied then cast(earned_pence as decimal(18, 0)) end as earned_pence,
        case
            when not is_supplied or earned_pence is null then null
            when is_by_activity then cast(floor(held_part) + case when remainder_rank <= odd_pence then 1 else 0 end as decimal(18, 0))
            else 0
        end as held_pence
    from held_ranked
)
select * from final;
