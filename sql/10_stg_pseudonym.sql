-- stg_pseudonym: one row per input row and pseudonym in it: its four parts of
-- eight bytes. The first is the number by which rows are joined: no two pseudonyms
-- of a run share it, which checks/pseudonyms_are_told_apart.sql sees to. It is a
-- view: the parts are read only of those who are asked for.
create view stg_pseudonym as
with
sides as (
    select true as is_nhs
    union all
    select false as is_nhs
),
parts as (
    select
        case when sides.is_nhs then input_rows.nhs_no else input_rows.emis_no end as identity_no,
        case when sides.is_nhs then input_rows.nhs_second else input_rows.emis_second end as second_part,
        case when sides.is_nhs then input_rows.nhs_third else input_rows.emis_third end as third_part,
        case when sides.is_nhs then input_rows.nhs_fourth else input_rows.emis_fourth end as fourth_part
    from raw_row as input_rows
    cross join sides
),
final as (
    select * from parts where identity_no is not null
)
select * from final;
