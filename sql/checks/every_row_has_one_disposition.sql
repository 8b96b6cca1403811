-- rows without a disposition, with an unknown one, or with more than one.
select dispositions.file_no, dispositions.line, dispositions.event
from int_disposition as dispositions
left join raw_disposition as named on named.disposition = dispositions.disposition
group by dispositions.file_no, dispositions.line, dispositions.event
having count(*) <> 1 or count(named.disposition) <> 1;
