-- int_registration: one row per patient and practice with a row that is evidence.
--
-- R10: is_chosen marks the one practice whose events count. Of the practices
-- where the patient is registered: one with status evidence before one without,
-- then the latest registered date (none last), then the newest stated extract
-- date of any row there (none last), then the smallest practice code. choice is the
-- practice's place in that order, among those where the patient is registered and
-- among the others. Who is at one practice alone, as nearly all are, needs no ranking.
create table int_registration as
with
judged as (
    select patient_no, practice_no, newest_extract_date, has_status, registered_date, is_left, is_not_regular
    from int_status
),
several as (
    select patient_no from int_status group by patient_no having count(*) > 1
),
ranked as (
    select
        judged.*,
        row_number() over (
            partition by judged.patient_no, judged.is_left or judged.is_not_regular
            order by
                has_status desc,
                registered_date desc nulls last,
                newest_extract_date desc nulls last,
                practice_no
        ) as choice
    from judged
    inner join several on several.patient_no = judged.patient_no
),
placed as (
    select * from ranked
    union all
    select judged.*, 1 as choice
    from judged
    anti join several on several.patient_no = judged.patient_no
),
final as (
    select
        patient_no,
        practice_no,
        newest_extract_date,
        has_status,
        registered_date,
        is_left,
        is_not_regular,
        choice,
        choice = 1 and not is_left and not is_not_regular as is_chosen
    from placed
)
select * from final;
