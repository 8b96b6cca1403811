-- int_assessment_lost: one row per use and assessment of the published period that
-- the use compares with, that is no longer there or no longer counts, with the reason.
--
--  1. R5: a patient who was known by an EMIS number alone is looked for as the NHS
--     number that the EMIS number is paired with now, if it is.
--  2. Lost: the patient has no assessment at that practice under the pseudonym that
--     was published, or one that counted does not count.
--  3. reason is the first that applies: of the practice, of the patient (R7 to R10),
--     of the assessment (R5, R13 and the policies of SPEC §8), of the claims that are
--     read and are not kept (SPEC §6.1, steps 5 to 10). A claim that is rejected
--     before its patient is known is gone.
--  4. practice_now is where the patient is registered now (R10), if elsewhere.
create table int_assessment_lost as
with
published as (
    select
        published.use,
        published.patient_key,
        published.practice_code,
        practices.practice_no,
        published.is_counted as was_counted,
        published.patient_no as identity_no,
        coalesce(pairs.nhs_no, published.patient_no) as patient_no
    from raw_published_assessment as published
    left join raw_practice as practices on practices.practice_code = published.practice_code
    left join int_number_pair as pairs
        on pairs.emis_no = published.patient_no
        and not pairs.is_ambiguous
    where published.use in ('previous_period', 'compared')
),
patients as (
    select patient_no from published group by patient_no
),
claims as (
    select
        int_row.patient_no,
        int_row.practice_no,
        max(case when dispositions.disposition in ('after_period', 'date_in_future') then 1 else 0 end) as later,
        max(case when dispositions.disposition = 'outside_contract_year' then 1 else 0 end) as earlier,
        max(case when named.outcome = 'rejected' then 1 else 0 end) as rejected
    from int_row
    inner join patients on patients.patient_no = int_row.patient_no
    inner join raw_code as codes on codes.code_no = int_row.code_no
    inner join int_disposition as dispositions
        on dispositions.file_no = int_row.file_no
        and dispositions.line = int_row.line
        and dispositions.event = int_row.event
    inner join raw_disposition as named on named.disposition = dispositions.disposition
    where codes.role = 'claim'
    group by int_row.patient_no, int_row.practice_no
),
final as (
    select
        published.use,
        published.patient_key,
        published.practice_code,
        published.was_counted,
        case
            when coverage.practice_code is null then 'practice not listed'
            when not coverage.is_supplied then 'practice sent nothing'
            when deceased.patient_no is not null then 'patient died'
            when registration.is_left then 'patient left'
            when registration.is_not_regular then 'patient no longer regular'
            when elsewhere.practice_code <> published.practice_code then 'patient registered elsewhere'
            when assessments.is_counted or (assessments.patient_no is not null and not published.was_counted)
                then 'patient known by NHS number now'
            when assessments.segments = 0 and not run.count_without_segment then 'patient in no segment'
            when assessments.patient_no is not null then 'no eligibility code'
            when claims.later = 1 then 'claim dated after the cut-off'
            when claims.earlier = 1 then 'claim dated before the contract year'
            when claims.rejected = 1 then 'claim rejected'
            else 'claim gone from the export'
        end as reason,
        case
            when deceased.patient_no is null and elsewhere.practice_code <> published.practice_code then elsewhere.practice_code
        end as practice_now
    from published
    cross join run
    left join int_coverage as coverage on coverage.practice_code = published.practice_code
    left join int_deceased as deceased on deceased.patient_no = published.patient_no
    left join int_registration as registration
        on registration.patient_no = published.patient_no
        and registration.practice_no = published.practice_no
    left join int_registration as chosen
        on chosen.patient_no = published.patient_no
        and chosen.is_chosen
    left join raw_practice as elsewhere on elsewhere.practice_no = chosen.practice_no
    left join int_assessment as assessments
        on assessments.patient_no = published.patient_no
        and assessments.practice_no = published.practice_no
    left join claims
        on claims.patient_no = published.patient_no
        and claims.practice_no = published.practice_no
    where assessments.patient_no is null
        or published.patient_no <> published.identity_no
        or (published.was_counted and not assessments.is_counted)
)
select * from final;
