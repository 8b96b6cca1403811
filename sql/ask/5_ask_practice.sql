-- ask_practice: one row per practice with evidence of the patient who is asked
-- about: what R8 to R10 decided there, and by what.
create or replace table ask_practice as
with
final as (
    select
        practices.practice_code,
        practices.place_choice,
        registration.newest_extract_date,
        registration.has_status,
        status.extract_date,
        status.registered_date,
        status.deducted_date,
        status.has_left_text,
        status.has_not_regular_text,
        status.is_dummy,
        registration.is_left,
        registration.is_not_regular,
        registration.choice,
        registration.is_chosen
    from int_registration as registration
    inner join ask_patient on ask_patient.patient_no = registration.patient_no
    inner join raw_practice as practices on practices.practice_no = registration.practice_no
    inner join int_status as status
        on status.patient_no = registration.patient_no
        and status.practice_no = registration.practice_no
)
select * from final;
