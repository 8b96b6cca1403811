-- int_lone_number: one row per number that has to be resolved as a practice's EMIS
-- number: those of rows without a valid NHS number, and whoever earlier snapshots
-- know (R5). Of most practices that is no number at all.
create table int_lone_number as
with
final as (
    select emis_no from stg_row where nhs_no is null and emis_no is not null
    union
    select patient_no as emis_no from raw_published_assessment
)
select * from final;
