-- explained_difference: one row per difference, with the reason where an assessment
-- is lost or counts no longer.
--
--  1. other_practice: of what is lost, where the patient is registered now (R10); of
--     an assessment that is gained, where it was. '' where there is no other.
create table explained_difference as
with
assessments as (
    select * from difference where what = 'assessment'
),
losses as (
    select
        assessments.what,
        assessments.practice_code,
        assessments.patient_key,
        assessments.column_no,
        lost.reason,
        lost.practice_now as other_practice
    from assessments
    inner join lost_assessment as lost
        on lost.practice_code = assessments.practice_code
        and lost.patient_key = assessments.patient_key
    where assessments.change = 'lost'
        or (assessments.column_name = 'is_counted' and assessments.from_value = 'true' and assessments.to_value = 'false')
),
gains as (
    select
        assessments.what,
        assessments.practice_code,
        assessments.patient_key,
        assessments.column_no,
        cast(null as string) as reason,
        earlier.practice_code as other_practice
    from assessments
    inner join from_fact_assessment as earlier on earlier.patient_key = assessments.patient_key
    where assessments.change = 'gained' and earlier.practice_code <> assessments.practice_code
),
causes as (
    select * from losses
    union all
    select * from gains
),
final as (
    select
        difference.*,
        coalesce(causes.reason, '') as reason,
        coalesce(causes.other_practice, '') as other_practice
    from difference
    left join causes
        on causes.what = difference.what
        and causes.practice_code = difference.practice_code
        and causes.patient_key = difference.patient_key
        and causes.column_no = difference.column_no
)
select * from final;
