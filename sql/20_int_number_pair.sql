-- int_number_pair: one row per practice's EMIS number that has to be resolved and
-- that rows pair with a valid NHS number.
--
--  1. To be resolved are the EMIS numbers of rows without a valid NHS number, and
--     whoever earlier snapshots know: of most practices no number at all.
--  2. R5: a row that passes steps 1 to 3 with two valid numbers pairs them. A number
--     paired with two NHS numbers names nobody.
create table int_number_pair as
with
unresolved as (
    select emis_no from stg_row where nhs_no is null and emis_no is not null
    union
    select patient_no as emis_no from raw_published_assessment
),
pairing_rows as (
    select stg_row.emis_no, stg_row.nhs_no
    from stg_row
    inner join unresolved on unresolved.emis_no = stg_row.emis_no
    where stg_row.own_step > 3 and stg_row.nhs_no is not null
),
final as (
    select
        emis_no,
        min(nhs_no) as nhs_no,
        min(nhs_no) <> max(nhs_no) as is_ambiguous
    from pairing_rows
    group by emis_no
)
select * from final;
