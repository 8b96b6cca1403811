-- ask_number_pair: one row per practice's EMIS number that may be that of the patient
-- who is asked about, and that rows pair with a valid NHS number. It says what
-- int_number_pair says (R5), which has the numbers alone that a run needs.
create or replace table ask_number_pair as
with
nhs_numbers as (
    select identity_no as nhs_no from asked
    union
    select stg_row.nhs_no
    from stg_row
    inner join asked on asked.identity_no = stg_row.emis_no
    where stg_row.nhs_no is not null
),
emis_numbers as (
    select identity_no as emis_no from asked
    union
    select stg_row.emis_no
    from stg_row
    inner join nhs_numbers on nhs_numbers.nhs_no = stg_row.nhs_no
    where stg_row.emis_no is not null
),
pairing_rows as (
    select stg_row.emis_no, stg_row.nhs_no
    from stg_row
    inner join emis_numbers on emis_numbers.emis_no = stg_row.emis_no
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
