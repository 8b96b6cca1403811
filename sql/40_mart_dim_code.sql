-- mart_dim_code: one row per code of the code book.
create table mart_dim_code as
with
final as (
    select code, term, role, cohort, segment
    from raw_code
)
select * from final;
