-- int_emis_patient: one row per patient who is published and known by an EMIS number
-- alone (R5), whom most periods have none of.
create table int_emis_patient as
with
final as (
    select published.patient_no
    from int_published_patient as published
    left join int_nhs_pseudonym as known on known.patient_no = published.patient_no
    where known.patient_no is null
)
select * from final;
