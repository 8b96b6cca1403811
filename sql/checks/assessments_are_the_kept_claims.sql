-- practices whose assessments are not their rows kept as one.
with
assessed as (
    select practice_code, count(*) as assessments from mart_fact_assessment group by practice_code
),
kept as (
    select practices.practice_code, count(*) as assessments
    from int_disposition as dispositions
    inner join raw_practice as practices on practices.practice_no = dispositions.practice_no
    where dispositions.disposition = 'assessment'
    group by practices.practice_code
)
select coalesce(assessed.practice_code, kept.practice_code) as practice_code
from assessed
full outer join kept on kept.practice_code = assessed.practice_code
where coalesce(assessed.assessments, 0) <> coalesce(kept.assessments, 0);
