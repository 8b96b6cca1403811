-- int_status: one row per patient and practice with a row that is evidence.
--
--  1. R10: newest_extract_date is the newest stated extract date of any row there;
--     null where none is stated.
--  2. R8: of the rows that carry any status field, those of the newest stated
--     extract date count; rows whose file states none rank oldest. One pass tells
--     what they say: extract_day is how new a row with status is, and what a row
--     says is taken behind that, so that the greatest is the greatest of the newest.
--  3. R8 left: the latest deducted date not after the cut-off, unless a later
--     registered date is not after the cut-off either; or, on any of the rows,
--     text that means left with no deducted date on that row.
--  4. R9 not regular: a text that means not regular, or a dummy patient, on any of
--     the rows.
--
-- has_two_pseudonyms is for checks/pseudonyms_are_told_apart.sql, which see.
create table int_status as
with
evidence as (
    select
        int_row.patient_no,
        int_row.practice_no,
        int_row.nhs_second,
        int_row.stated_extract_date,
        cast(case
            when int_row.has_status then coalesce(int_row.stated_extract_date - date '0001-01-01' + 1, 0)
        end as integer) as extract_day,
        case when int_row.registered_date <= run.cut_off then int_row.registered_date - date '0001-01-01' end as registered_day,
        case when int_row.deducted_date <= run.cut_off then int_row.deducted_date - date '0001-01-01' end as deducted_day,
        int_row.deducted_date is null
            and (states.patient_type = 'left' or states.registration_status = 'left') as is_left_text,
        states.patient_type = 'not_regular' or states.registration_status = 'not_regular' as is_not_regular_text,
        states.is_dummy
    from int_row
    inner join stg_row_state as states on states.state_no = int_row.state_no
    cross join run
    where int_row.step > 5
),
newest as (
    select
        patient_no,
        practice_no,
        min(nhs_second) as nhs_second,
        max(nhs_second) as other_nhs_second,
        max(stated_extract_date) as newest_extract_date,
        max(extract_day) as extract_day,
        max(cast(extract_day as bigint) * 10000000 + registered_day) as registered_at,
        max(cast(extract_day as bigint) * 10000000 + deducted_day) as deducted_at,
        max(case when is_left_text then extract_day end) as left_text_at,
        max(case when is_not_regular_text then extract_day end) as not_regular_text_at,
        max(case when is_dummy then extract_day end) as dummy_at
    from evidence
    group by patient_no, practice_no
),
told as (
    select
        patient_no,
        practice_no,
        nhs_second,
        nhs_second <> other_nhs_second as has_two_pseudonyms,
        newest_extract_date,
        extract_day is not null as has_status,
        case when extract_day > 0 then date '0001-01-01' + (extract_day - 1) end as extract_date,
        case
            when registered_at // 10000000 = extract_day then date '0001-01-01' + cast(registered_at % 10000000 as integer)
        end as registered_date,
        case
            when deducted_at // 10000000 = extract_day then date '0001-01-01' + cast(deducted_at % 10000000 as integer)
        end as deducted_date,
        coalesce(left_text_at = extract_day, false) as has_left_text,
        coalesce(not_regular_text_at = extract_day, false) as has_not_regular_text,
        coalesce(dummy_at = extract_day, false) as is_dummy
    from newest
),
final as (
    select
        told.*,
        told.has_left_text
            or (
                told.deducted_date is not null
                and (told.registered_date is null or told.registered_date <= told.deducted_date)
            ) as is_left,
        run.require_regular and (told.has_not_regular_text or told.is_dummy) as is_not_regular
    from told
    cross join run
)
select * from final;
