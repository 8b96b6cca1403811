-- int_disposition: one row per input row: what became of it. Every row has
-- exactly one disposition (SPEC §6.1). The rows that steps 1 to 10 leave are ranked
-- where step 11 does not remove them.
create table int_disposition as
with
ranked as (
    select file_no, line, event, practice_code, case when claim_rank = 1 then 'assessment' else 'duplicate' end as disposition
    from int_claim
    union all
    select
        file_no,
        line,
        event,
        practice_code,
        case
            when membership_rank > 1 then 'duplicate'
            when role = 'eligibility' then 'eligibility'
            when segment is null then 'not_chosen_by_place'
            else 'cohort'
        end as disposition
    from int_membership
    union all
    select file_no, line, event, practice_code, case when mdt_rank = 1 then 'mdt' else 'duplicate' end as disposition
    from int_mdt
),
removed as (
    select file_no, line, event, practice_code, removed_as as disposition
    from int_event
    where removed_as is not null
),
decided_before as (
    select
        int_row.file_no,
        int_row.line,
        int_row.event,
        int_row.practice_code,
        int_row.disposition,
        states.invalid_status_date
    from int_row
    inner join stg_row_state as states on states.state_no = int_row.state_no
    where int_row.step <> 99
),
final as (
    select file_no, line, event, practice_code, disposition, cast(null as string) as invalid_status_date from ranked
    union all
    select file_no, line, event, practice_code, disposition, cast(null as string) as invalid_status_date from removed
    union all
    select file_no, line, event, practice_code, disposition, invalid_status_date from decided_before
)
select * from final;
