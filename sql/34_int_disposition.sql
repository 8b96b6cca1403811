-- int_disposition: one row per input row: what became of it. Every row has
-- exactly one disposition (SPEC §6.1).
create table int_disposition as
with
ranked as (
    select file_no, line, event, case when claim_rank = 1 then 'assessment' else 'duplicate' end as disposition
    from int_claim
    union all
    select
        file_no,
        line,
        event,
        case
            when membership_rank > 1 then 'duplicate'
            when role = 'eligibility' then 'eligibility'
            when segment is null then 'not_chosen_by_place'
            else 'cohort'
        end as disposition
    from int_membership
    union all
    select file_no, line, event, case when mdt_rank = 1 then 'mdt' else 'duplicate' end as disposition
    from int_mdt
),
removed as (
    select file_no, line, event, removed_as as disposition
    from int_event
    where removed_as is not null
),
decided as (
    select * from ranked
    union all
    select * from removed
    union all
    select file_no, line, event, disposition
    from int_row
    where step <> 99
),
final as (
    select
        int_row.file_no,
        int_row.line,
        int_row.event,
        int_row.practice_code,
        decided.disposition,
        int_row.invalid_status_date
    from int_row
    left join decided
        on decided.file_no = int_row.file_no
        and decided.line = int_row.line
        and decided.event = int_row.event
)
select * from final;
