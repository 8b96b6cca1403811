-- int_disposition: one row per input row: what became of it. Every row has
-- exactly one disposition (SPEC §6.1). The rows that steps 1 to 10 leave are ranked
-- where step 11 does not remove them.
create table int_disposition as
with
ranked as (
    select file_no, line, event, practice_no, case when claim_rank = 1 then 'assessment' else 'duplicate' end as disposition
    from int_claim
    union all
    select
        memberships.file_no,
        memberships.line,
        memberships.event,
        memberships.practice_no,
        case
            when memberships.membership_rank > 1 then 'duplicate'
            when codes.role = 'eligibility' then 'eligibility'
            when memberships.segment_no is null then 'not_chosen_by_place'
            else 'cohort'
        end as disposition
    from int_membership as memberships
    inner join raw_code as codes on codes.code_no = memberships.code_no
    union all
    select file_no, line, event, practice_no, case when mdt_rank = 1 then 'mdt' else 'duplicate' end as disposition
    from int_mdt
),
removed as (
    select file_no, line, event, practice_no, removed_as as disposition
    from int_event
    where removed_as is not null
),
decided_before as (
    select
        int_row.file_no,
        int_row.line,
        int_row.event,
        int_row.practice_no,
        case int_row.step
            when 4 then case when int_row.is_ambiguous then 'patient_ambiguous' else states.number_disposition end
            when 5 then 'date_invalid'
            when 6 then 'status_only'
            when 7 then coalesce(states.code_disposition, 'claim_in_batch_add')
            when 8 then 'code_not_in_scope'
            when 9 then case states.activity_state when 'blank' then 'date_missing' when 'valid' then 'date_in_future' else 'date_invalid' end
            when 10 then case when int_row.activity_date < run.year_start then 'outside_contract_year' else 'after_period' end
            else states.source_disposition
        end as disposition,
        states.invalid_status_date
    from int_row
    inner join stg_row_state as states on states.state_no = int_row.state_no
    cross join run
    where int_row.step <> 99
),
final as (
    select file_no, line, event, practice_no, disposition, cast(null as string) as invalid_status_date from ranked
    union all
    select file_no, line, event, practice_no, disposition, cast(null as string) as invalid_status_date from removed
    union all
    select file_no, line, event, practice_no, disposition, invalid_status_date from decided_before
)
select * from final;
