-- mart_dim_practice: one row per practice of the contract year.
create table mart_dim_practice as
with
final as (
    select
        practice_code,
        practice_name,
        place,
        place_choice,
        pcn_code,
        pcn_name,
        registered_population,
        cast(weighted_population as double) as weighted_population,
        annual_target
    from raw_practice
)
select * from final;
