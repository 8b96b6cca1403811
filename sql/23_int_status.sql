-- int_status: one row per patient and practice with status evidence.
--
--  1. R8: of the rows that carry any status field, those of the newest stated
--     extract date count; rows whose file states none rank oldest.
--  2. R8 left: the latest deducted date not after the cut-off, unless a later
--     registered date is not after the cut-off either; or, on any of the rows,
--     text that means left with no deducted date on that row.
--  3. R9 not regular: a text that means not regular, or a dummy patient, on any of
--     the rows.
create table int_status as
with
carrying as (
    select
        int_row.patient_no,
        int_row.practice_no,
        int_row.stated_extract_date,
        states.patient_type,
        states.registration_status,
        int_row.registered_date,
        int_row.deducted_date,
        states.is_dummy
    from int_row
    inner join stg_row_state as states on states.state_no = int_row.state_no
    where int_row.step > 5 and int_row.has_status
),
judged as (
    select
        carrying.patient_no,
        carrying.practice_no,
        max(carrying.stated_extract_date) as extract_date,
        max(case when carrying.deducted_date <= run.cut_off then carrying.deducted_date end) as deducted_date,
        max(case when carrying.registered_date <= run.cut_off then carrying.registered_date end) as registered_date,
        max(case
            when carrying.deducted_date is null
                and (carrying.patient_type = 'left' or carrying.registration_status = 'left') then 1
            else 0
        end) as left_texts,
        max(case
            when carrying.patient_type = 'not_regular' or carrying.registration_status = 'not_regular' then 1
            else 0
        end) as not_regular_texts,
        max(case when carrying.is_dummy then 1 else 0 end) as dummies
    from carrying
    inner join int_seen as seen
        on seen.patient_no = carrying.patient_no
        and seen.practice_no = carrying.practice_no
        and (seen.newest_status_date is null or seen.newest_status_date = carrying.stated_extract_date)
    cross join run
    group by carrying.patient_no, carrying.practice_no
),
final as (
    select
        judged.patient_no,
        judged.practice_no,
        judged.extract_date,
        judged.registered_date,
        judged.deducted_date,
        judged.left_texts = 1 as has_left_text,
        judged.not_regular_texts = 1 as has_not_regular_text,
        judged.dummies = 1 as is_dummy,
        judged.left_texts = 1
            or (
                judged.deducted_date is not null
                and (judged.registered_date is null or judged.registered_date <= judged.deducted_date)
            ) as is_left,
        run.require_regular and (judged.not_regular_texts = 1 or judged.dummies = 1) as is_not_regular
    from judged
    cross join run
)
select * from final;
