-- raw_domain: one row per domain of the contract.
create table raw_domain (
    domain varchar not null,
    share_ppm bigint not null,          -- millionths of the contract value; they add up to all of it
    is_by_activity boolean not null,    -- R19: what it earns follows activity on the basis domain_2
    sort_order bigint not null,
);
