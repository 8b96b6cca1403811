-- int_deceased: one row per patient who is dead at the cut-off.
--
-- R7, person-wide: a row with a death date not after the cut-off; or a status or
-- type text that means dead, with no death date on that row. death_date is the
-- earliest of the first; null where only a text tells.
create table int_deceased as
with
final as (
    select
        int_row.patient_no,
        min(case when int_row.death_date <= run.cut_off then int_row.death_date end) as death_date
    from int_row
    inner join stg_row_state as states on states.state_no = int_row.state_no
    cross join run
    where int_row.step > 5
      and (
          int_row.death_date <= run.cut_off
          or (
              int_row.death_date is null
              and (states.patient_type = 'dead' or states.registration_status = 'dead')
          )
      )
    group by int_row.patient_no
)
select * from final;
