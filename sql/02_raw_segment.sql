-- raw_segment: one row per segment of the contract.
create table raw_segment (
    segment varchar not null,
    segment_name varchar not null,
    minimum_share_ppm bigint,           -- millionths of the annual target; null: not set
    sort_order bigint not null,
);
