-- raw_segment_set: one row per non-empty set of segments and segment in it.
create table raw_segment_set (
    set_no bigint not null,
    segment varchar not null,
);
