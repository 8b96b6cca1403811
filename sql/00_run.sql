-- run: one row per run, that is one row: every parameter that a rule needs.
-- Dates, shares and policies stand here and in the other raw_ tables; none is
-- written in SQL.
create table run (
    contract_year varchar not null,
    period varchar not null,
    as_at date not null,
    cut_off date not null,              -- R6: the earlier of period end and as-at
    period_end date not null,
    year_start date not null,
    year_end date not null,
    coding_deadline date not null,      -- R14
    days_elapsed bigint not null,       -- from the year's first day to the cut-off, both included
    days_in_year bigint not null,
    require_regular boolean not null,
    count_without_segment boolean not null,
    require_eligibility boolean not null,
    has_last_year boolean not null,     -- last year's newest snapshot was published
    reconciliation_basis varchar not null, -- R19: domain_2 or whole_contract
    advance_share_ppm bigint not null,  -- R19: millionths of each domain's value
    is_final boolean not null,          -- R20: the year end is being frozen
    run_id varchar not null,
);
