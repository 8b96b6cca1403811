-- stg_identity: one row per pseudonym in the rows, numbered in the order of the
-- pseudonyms. The numbers live for one run; they only make the joins narrow.
create table stg_identity as
with
row_numbers as (
    select nhs_key, emis_key from raw_row
),
pseudonyms as (
    select nhs_key as pseudonym from row_numbers where nhs_key is not null
    union
    select emis_key as pseudonym from row_numbers where emis_key is not null
),
final as (
    select
        cast(row_number() over (order by pseudonym) as integer) as identity_no,
        pseudonym,
        lower(hex(pseudonym)) as patient_key
    from pseudonyms
)
select * from final;
