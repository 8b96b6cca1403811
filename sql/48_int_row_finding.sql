-- int_row_finding: one row per input row of a known practice and check that found
-- something in it (SPEC §9), with the field that it found it in (null: the whole row).
--
--  1. What a row says: it counts for a check from the step on that it must have
--     passed. A bulk extract holds a practice's whole record, so that codes of
--     EMIS's own in it that nothing rests on are as they should be.
--  2. What an assessment lacks: the row is the claim that was kept.
--  3. What a patient who has a cohort or the eligibility code lacks: the row is the
--     first that was kept of what the patient has.
--  4. A cohort code that is kept from a batch-add file is missed in the record only
--     where the practice supplied a search export of that cohort.
create table int_row_finding as
with
input_rows as (
    select
        int_row.file_no,
        int_row.line,
        int_row.event,
        practices.practice_code,
        int_row.activity_date,
        int_row.recorded_date,
        int_row.is_recorded_invalid,
        int_row.step,
        files.kind,
        states.patient_type,
        states.registration_status,
        states.is_text_unknown,
        states.is_nhs_invalid,
        states.is_code_repaired,
        states.is_code_not_concept
    from int_row
    inner join raw_file as files on files.file_no = int_row.file_no
    inner join stg_row_state as states on states.state_no = int_row.state_no
    inner join raw_practice as practices on practices.practice_no = int_row.practice_no
),
assessments as (
    select
        claims.file_no,
        claims.line,
        claims.event,
        practices.practice_code,
        claims.timeliness,
        assessments.segments,
        assessments.has_eligibility,
        assessments.activity_date < registration.registered_date as is_before_registration
    from int_assessment as assessments
    inner join int_claim as claims on claims.patient_no = assessments.patient_no and claims.claim_rank = 1
    inner join int_registration as registration
        on registration.patient_no = assessments.patient_no
        and registration.practice_no = assessments.practice_no
    inner join raw_practice as practices on practices.practice_no = assessments.practice_no
),
one_sided as (
    select memberships.patient_no
    from int_membership as memberships
    inner join raw_code as codes on codes.code_no = memberships.code_no
    where memberships.membership_rank = 1
    group by memberships.patient_no
    having min(codes.role) = max(codes.role)
),
memberships as (
    select
        memberships.file_no,
        memberships.line,
        memberships.event,
        practices.practice_code,
        codes.role,
        row_number() over (
            partition by memberships.patient_no
            order by memberships.file_no, memberships.line, memberships.event
        ) as place
    from int_membership as memberships
    inner join one_sided on one_sided.patient_no = memberships.patient_no
    inner join raw_code as codes on codes.code_no = memberships.code_no
    inner join raw_practice as practices on practices.practice_no = memberships.practice_no
    where memberships.membership_rank = 1
),
recorded_cohorts as (
    select int_row.practice_no, codes.membership_no
    from int_row
    inner join raw_code as codes on codes.code_no = int_row.code_no
    inner join raw_file as files on files.file_no = int_row.file_no
    where int_row.step > 8 and codes.role = 'cohort' and files.kind <> 'batch_add'
    group by int_row.practice_no, codes.membership_no
),
final as (
    select
        file_no,
        line,
        event,
        practice_code,
        'status_text_unknown' as check_name,
        case
            when patient_type = 'unknown' and registration_status = 'unknown' then 'patient_type, registration_status'
            when patient_type = 'unknown' then 'patient_type'
            else 'registration_status'
        end as field
    from input_rows
    where is_text_unknown and step > 3
    union all
    select file_no, line, event, practice_code, 'nhs_number_invalid' as check_name, 'nhs_number' as field
    from input_rows
    where is_nhs_invalid and step > 4
    union all
    select file_no, line, event, practice_code, 'recorded_date_invalid' as check_name, 'recorded_date' as field
    from input_rows
    where is_recorded_invalid and step > 8
    union all
    select file_no, line, event, practice_code, 'recorded_before_activity' as check_name, 'activity_date' as field
    from input_rows
    where recorded_date < activity_date and step > 8
    union all
    select file_no, line, event, practice_code, 'code_repaired' as check_name, 'code' as field
    from input_rows
    where is_code_repaired and step > 6
    union all
    select file_no, line, event, practice_code, 'code_not_concept' as check_name, 'code' as field
    from input_rows
    where is_code_not_concept
        and (step = 7 or step = 8 and kind <> 'bulk_extract')
    union all
    select file_no, line, event, practice_code, 'assessment_without_segment' as check_name, cast(null as string) as field
    from assessments
    where segments = 0
    union all
    select file_no, line, event, practice_code, 'assessment_without_eligibility' as check_name, cast(null as string) as field
    from assessments
    where not has_eligibility
    union all
    select file_no, line, event, practice_code, 'assessment_before_registration' as check_name, 'activity_date' as field
    from assessments
    where is_before_registration
    union all
    select file_no, line, event, practice_code, 'late_coded' as check_name, 'recorded_date' as field
    from assessments
    where timeliness = 'late'
    union all
    select file_no, line, event, practice_code, 'unproven_coding_date' as check_name, 'recorded_date' as field
    from assessments
    where timeliness = 'unproven'
    union all
    select
        file_no,
        line,
        event,
        practice_code,
        case when role = 'cohort' then 'cohort_without_eligibility' else 'eligibility_without_cohort' end as check_name,
        cast(null as string) as field
    from memberships
    where place = 1
    union all
    select
        memberships.file_no,
        memberships.line,
        memberships.event,
        practices.practice_code,
        'batch_add_not_in_record' as check_name,
        cast(null as string) as field
    from int_membership as memberships
    inner join recorded_cohorts
        on recorded_cohorts.practice_no = memberships.practice_no
        and recorded_cohorts.membership_no = memberships.membership_no
    inner join raw_practice as practices on practices.practice_no = memberships.practice_no
    where memberships.membership_rank = 1 and not memberships.is_in_record
)
select * from final;
