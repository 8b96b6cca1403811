-- findings that no definition knows of would be dropped from mart_fact_finding:
-- refused, duplicate and ignored files without their finding.
select raw_file.file_no
from raw_file
left join mart_fact_finding as findings
    on findings.check_name = case raw_file.status when 'refused' then 'file_refused' when 'duplicate' then 'duplicate_file' else 'file_ignored' end
    and coalesce(findings.practice_code, '') = coalesce(raw_file.practice_code, '')
where raw_file.status <> 'read' and findings.check_name is null;
