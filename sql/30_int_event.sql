-- int_event: one row per event of the period (a row that met none of steps 2 to
-- 10), with who it belongs to at the cut-off.
--
-- removed_as is the first of step 11 that applies, else null: deceased (R7),
-- left (R8), not regular (R9), registered elsewhere (R10).
create table int_event as
with
events as (
    select * from int_row where step = 99
),
final as (
    select
        events.file_no,
        events.line,
        events.event,
        events.stated_extract_date,
        events.practice_no,
        events.patient_no,
        events.code_no,
        events.activity_date,
        events.recorded_date,
        case
            when deceased.patient_no is not null then 'patient_deceased'
            when registration.is_left then 'patient_left'
            when registration.is_not_regular then 'patient_not_regular'
            when not registration.is_chosen then 'registered_elsewhere'
        end as removed_as
    from events
    inner join int_registration as registration
        on registration.patient_no = events.patient_no
        and registration.practice_no = events.practice_no
    left join int_deceased as deceased on deceased.patient_no = events.patient_no
)
select * from final;
