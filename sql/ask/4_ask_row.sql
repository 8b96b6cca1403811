-- ask_row: one row per input row that bears on the patient who is asked about.
--
--  1. Their own (R5), whatever became of them: the rows of steps 1 to 4 have no
--     patient in int_row, and give a number all the same. Where an EMIS number is
--     asked about, every row that gives it.
--  2. Those that may be theirs: of an EMIS number that rows pair with the patient's
--     NHS number and with another.
--  3. kept_ is the row that stands in a duplicate's place (R11, R12, R15).
create or replace table ask_row as
with
doubtful as (
    select stg_row.emis_no
    from stg_row
    inner join ask_patient on ask_patient.patient_no = stg_row.nhs_no
    inner join ask_number_pair as pairs on pairs.emis_no = stg_row.emis_no
    where pairs.is_ambiguous and stg_row.own_step > 3
    group by stg_row.emis_no
),
numbered as (
    select
        stg_row.file_no,
        stg_row.line,
        stg_row.event,
        stg_row.nhs_no is not null as has_nhs_number,
        states.is_nhs_invalid,
        case
            when ask_patient.is_emis_number and stg_row.emis_no = ask_patient.asked_no then true
            when stg_row.nhs_no is not null then coalesce(stg_row.nhs_no = ask_patient.patient_no, false)
            when pairs.is_ambiguous then false
            else coalesce(coalesce(pairs.nhs_no, stg_row.emis_no) = ask_patient.patient_no, false)
        end as is_own,
        stg_row.nhs_no is null and doubtful.emis_no is not null as is_doubtful
    from stg_row
    inner join stg_row_state as states on states.state_no = stg_row.state_no
    cross join ask_patient
    left join ask_number_pair as pairs on pairs.emis_no = stg_row.emis_no
    left join doubtful on doubtful.emis_no = stg_row.emis_no
),
bearing as (
    select * from numbered where is_own or is_doubtful
),
ranked as (
    select
        file_no,
        line,
        event,
        patient_no,
        'claim' as one_of,
        claim_rank as place,
        timeliness,
        cast(null as string) as segment,
        cast(null as string) as source
    from int_claim
    union all
    select
        file_no,
        line,
        event,
        patient_no,
        cast(membership_no as string) as one_of,
        membership_rank as place,
        cast(null as string) as timeliness,
        segments.segment,
        case
            when is_in_record and is_in_batch_add then 'both'
            when is_in_record then 'record'
            else 'batch_add'
        end as source
    from int_membership
    left join raw_segment as segments on segments.sort_order = int_membership.segment_no
    union all
    select
        file_no,
        line,
        event,
        patient_no,
        concat(cast(code_no as string), ' ', cast(activity_date as string)) as one_of,
        mdt_rank as place,
        cast(null as string) as timeliness,
        cast(null as string) as segment,
        cast(null as string) as source
    from int_mdt
),
kept as (
    select ranked.patient_no, ranked.one_of, files.file_name, ranked.line, ranked.event
    from ranked
    inner join raw_file as files on files.file_no = ranked.file_no
    where ranked.place = 1
),
final as (
    select
        bearing.file_no,
        files.file_name,
        bearing.line,
        bearing.event,
        bearing.is_own,
        bearing.has_nhs_number,
        bearing.is_nhs_invalid,
        files.kind,
        cast(int_row.step as integer) as step,
        int_row.stated_extract_date,
        practices.practice_code,
        states.patient_type,
        states.registration_status,
        int_row.registered_date,
        int_row.deducted_date,
        int_row.death_date,
        states.is_dummy,
        states.invalid_status_date,
        row_codes.code,
        codes.term,
        codes.role,
        codes.cohort,
        int_row.activity_date,
        int_row.recorded_date,
        dispositions.disposition,
        named.outcome,
        ranked.place,
        ranked.timeliness,
        ranked.segment,
        ranked.source,
        case when ranked.place > 1 then kept.file_name end as kept_file_name,
        case when ranked.place > 1 then kept.line end as kept_line,
        case when ranked.place > 1 then kept.event end as kept_event
    from bearing
    inner join raw_file as files on files.file_no = bearing.file_no
    inner join int_row
        on int_row.file_no = bearing.file_no
        and int_row.line = bearing.line
        and int_row.event = bearing.event
    inner join stg_row_state as states on states.state_no = int_row.state_no
    inner join int_disposition as dispositions
        on dispositions.file_no = bearing.file_no
        and dispositions.line = bearing.line
        and dispositions.event = bearing.event
    inner join raw_disposition as named on named.disposition = dispositions.disposition
    left join raw_practice as practices on practices.practice_no = int_row.practice_no
    left join raw_code as codes on codes.code_no = int_row.code_no
    left join stg_row_code as row_codes
        on row_codes.file_no = bearing.file_no
        and row_codes.line = bearing.line
        and row_codes.event = bearing.event
    left join ranked
        on ranked.file_no = bearing.file_no
        and ranked.line = bearing.line
        and ranked.event = bearing.event
    left join kept
        on kept.patient_no = ranked.patient_no
        and kept.one_of = ranked.one_of
)
select * from final;
