-- explained_difference: one row per difference, with the reason where an assessment
-- is lost or counts no longer.
--
--  1. other_practice: of what is lost, where the patient is registered now (R10); of
--     an assessment that is gained, where it was. '' where there is no other.
create table explained_difference as
with
losses as (
    select
        difference.practice_code,
        difference.patient_key,
        difference.change,
        difference.column_no,
        lost.reason,
        lost.practice_now
    from difference
    inner join lost_assessment as lost
        on lost.practice_code = difference.practice_code
        and lost.patient_key = difference.patient_key
    where difference.what = 'assessment'
      and (
          difference.change = 'lost'
          or (difference.change = 'changed' and difference.column_name = 'is_counted' and difference.to_value = 'false')
      )
),
final as (
    select
        difference.*,
        coalesce(losses.reason, '') as reason,
        coalesce(losses.practice_now, moved.practice_code, '') as other_practice
    from difference
    left join losses
        on difference.what = 'assessment'
        and losses.practice_code = difference.practice_code
        and losses.patient_key = difference.patient_key
        and losses.change = difference.change
        and losses.column_no = difference.column_no
    left join from_fact_assessment as moved
        on difference.what = 'assessment'
        and difference.change = 'gained'
        and moved.patient_key = difference.patient_key
        and moved.practice_code <> difference.practice_code
)
select * from final;
