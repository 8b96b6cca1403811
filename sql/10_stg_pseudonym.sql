-- stg_pseudonym: one row per input row and pseudonym in it: its four parts of
-- eight bytes. The first is the number by which rows are joined: no two NHS numbers of
-- a run share it, nor two EMIS numbers that had to be resolved, which
-- checks/pseudonyms_are_told_apart.sql sees to. It is a view: the parts are read only of
-- those who are asked for.
create view stg_pseudonym as
with
final as (
    select true as is_nhs_number, nhs_no as identity_no, nhs_second as second_part, nhs_third as third_part, nhs_fourth as fourth_part
    from raw_row
    where nhs_no is not null
    union all
    select false as is_nhs_number, emis_no as identity_no, emis_second as second_part, emis_third as third_part, emis_fourth as fourth_part
    from raw_row
    where emis_no is not null
)
select * from final;
