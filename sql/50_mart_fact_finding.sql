-- mart_fact_finding: one row per practice (null where a file names none) and
-- check that found something, with its severity and a message.
create table mart_fact_finding as
with
final as (
    select
        findings.practice_code,
        findings.check_name,
        checks.severity,
        findings.affected,
        concat(
            case when checks.is_counted then concat(cast(findings.affected as string), ' ') else '' end,
            checks.found,
            case when findings.detail is not null then concat(': ', findings.detail) else '' end
        ) as message
    from int_finding as findings
    inner join raw_check as checks on checks.check_name = findings.check_name
)
select * from final;
