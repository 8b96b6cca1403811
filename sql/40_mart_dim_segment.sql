-- mart_dim_segment: one row per segment of the contract.
create table mart_dim_segment as
with
final as (
    select
        segment,
        segment_name,
        cast(minimum_share_ppm as double) / 1000000 as minimum_share,
        sort_order
    from raw_segment
)
select * from final;
