-- int_segment_patient: one row per patient and segment (R13): the segments that
-- the patient's cohorts give at the practice that may claim.
create table int_segment_patient as
with
final as (
    select patient_no, practice_no, segment_no
    from int_membership
    where membership_rank = 1 and segment_no is not null
    group by patient_no, practice_no, segment_no
)
select * from final;
