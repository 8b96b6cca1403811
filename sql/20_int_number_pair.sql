-- int_number_pair: one row per practice's EMIS number that has to be resolved and
-- that rows pair with a valid NHS number.
--
-- R5: a row that passes steps 1 to 3 with two valid numbers pairs them. A number
-- paired with two NHS numbers names nobody.
create table int_number_pair as
with
pairing_rows as (
    select stg_row.emis_no, stg_row.nhs_no
    from stg_row
    inner join int_lone_number as lone on lone.emis_no = stg_row.emis_no
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
