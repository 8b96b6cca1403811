package pipeline_test

import (
	"context"
	"database/sql/driver"
	"fmt"
	"testing"

	"ltcles/pipeline/duck"
	"ltcles/sql"
)

// Invented practices go through the SQL of R19 by the hundred thousand: ten of each weighted
// population and target, with more and more counted. Populations have up to six decimals, some are
// 0 or blank; targets are 0, 1, blank, small, usual and beyond anything.
const inventedPractices = `
	insert into raw_practice
	with numbered as (
		select range as number, range // 10 as family, range %% 10 as step from range(%d)
	),
	drawn as (
		select number, family, step,
			hash(family, 1) %% 1000000 as decimals, hash(family, 2) %% 20 as size, hash(family, 3) as heads,
			hash(family, 4) %% 12 as reach, hash(family, 5) as wanted, hash(family, 6) %% 8 as price
		from numbered
	)
	select
		number, printf('P%%07d', number), null, cast(family as varchar), null, null, null, null,
		case
			when size = 0 then null
			when size = 1 then '0'
			when size = 2 then printf('%%d.%%06d', heads %% 3, decimals)
			when size = 3 then printf('0.%%06d', decimals %% 20000)
			when size < 6 then printf('%%d.%%06d', heads %% 1000000000, decimals)
			when size < 8 then cast(heads %% 20000 as varchar)
			else printf('%%d.%%02d', 1000 + heads %% 29000, decimals %% 100)
		end,
		case
			when reach = 0 then null
			when reach = 1 then 0
			when reach = 2 then 1
			when reach = 3 then 1 + wanted %% 999999999
			when reach < 6 then 5 * (1 + wanted %% 200)
			when reach < 8 then 1 + wanted %% 20
			else 50 + wanted %% 1000
		end,
		case when price = 0 then 1 + heads %% 99999 else 840 end
	from drawn`

// Of each ten, one counts nothing, one four fifths and one the whole of the target; the rest lie
// anywhere up to a third beyond it. One family in thirty is missing.
const inventedPositions = `
	create table mart_fact_practice_position as
	with steps as (
		select practice_code, annual_target, cast(substr(practice_code, 2) as bigint) % 10 as step, hash(place) as family
		from raw_practice
	),
	counts as (
		select practice_code, annual_target, family,
			case step
				when 0 then 0
				when 4 then annual_target * 4 // 5
				when 6 then annual_target
				else annual_target * (cast(step as hugeint) * 1000 + family % 700) // 7000
			end as counted
		from steps
	)
	select practice_code, annual_target,
		case when family % 30 > 0 then cast(coalesce(counted, 3) as bigint) end as counted,
		case when family % 30 > 0 then cast(coalesce(counted, 3) * (family % 11) // 10 as bigint) end as counted_on_time,
		case when family % 30 > 0 then cast(coalesce(counted, 3) * 3 // 2 as bigint) end as projected_year_end
	from counts`

// money runs R19's SQL files, as they are, and their checks over invented practices.
func money(t *testing.T, practices int, basis string, shares [3]int64) *duck.DB {
	t.Helper()
	ctx := context.Background()
	db, err := duck.Open(ctx, duck.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	files := func(names ...string) {
		for _, name := range names {
			if err := db.ExecFile(ctx, sql.Files, name+".sql"); err != nil {
				t.Fatal(err)
			}
		}
	}
	fill := func(statement string) {
		if err := db.Exec(ctx, statement); err != nil {
			t.Fatal(err)
		}
	}
	files("00_run", "01_raw_practice", "02_raw_domain", "05_raw_instalment")
	fill(fmt.Sprintf(`insert into run select '2026-27', '2026-08', date '2026-09-01', date '2026-08-31', date '2026-08-31', date '2026-04-01',
		date '2027-03-31', date '2027-04-10', 153, 365, true, false, false, false, '%s', 800000, true, 'run'`, basis))
	fill(fmt.Sprintf(inventedPractices, practices))
	fill(inventedPositions)
	fill("create table int_coverage as select practice_code, counted is not null as is_supplied from mart_fact_practice_position")
	fill(`insert into raw_instalment select range + 1, date '2026-04-01' + to_months(cast(range as integer)), 'its month' from range(12)`)
	err = db.Append(ctx, "raw_domain", [][]driver.Value{
		{"implementation", shares[0], false, int64(1)}, {"assessments", shares[1], true, int64(2)}, {"mdt", shares[2], false, int64(3)},
	})
	if err != nil {
		t.Fatal(err)
	}
	files("39_int_contract_value", "39_int_domain_value", "51_int_earned", "52_int_domain_earned",
		"53_mart_fact_instalment", "53_mart_fact_payment", "54_mart_fact_reconciliation")
	for _, check := range []string{"domains_add_up_to_the_contract_value", "instalments_add_up_to_the_advance",
		"payments_add_up_to_the_reconciliation", "money_is_rounded_half_up"} {
		text, err := sql.Files.ReadFile("checks/" + check + ".sql")
		if err != nil {
			t.Fatal(err)
		}
		none(t, db, check, string(text))
	}
	return db
}

// none fails with the first row that offends.
func none(t *testing.T, db *duck.DB, claim, offending string) {
	t.Helper()
	found := 0
	err := db.Query(context.Background(), offending, func(values []any) error {
		if found++; found == 1 {
			t.Errorf("%s: %v", claim, values)
		}
		return nil
	})
	if err != nil {
		t.Fatalf("%s: %v", claim, err)
	}
	if found > 1 {
		t.Errorf("%s: %d rows in all", claim, found)
	}
}

// R19 over a million splits and some of odd shares besides. A practice has two on domain_2: its value
// and its advance; on whole_contract what it earns and what is held are split too.
func TestMoneyR19(t *testing.T) {
	practices := 100_000
	if testing.Short() {
		practices = 10_000
	}
	for _, tt := range []struct {
		name      string
		practices int
		basis     string
		shares    [3]int64
	}{
		{"domain_2", practices, "domain_2", [3]int64{200_000, 550_000, 250_000}},
		{"whole_contract", 2 * practices, "whole_contract", [3]int64{350_000, 530_000, 120_000}},
		{"thirds", 10_000, "whole_contract", [3]int64{333_333, 333_334, 333_333}},
		{"sevenths", 10_000, "whole_contract", [3]int64{428_571, 428_571, 142_858}},
		{"assessments only", 10_000, "domain_2", [3]int64{0, 1_000_000, 0}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			db := money(t, tt.practices, tt.basis, tt.shares)
			n, err := db.Count(context.Background(), "select count(*) from mart_fact_reconciliation where earned_value is not null")
			if err != nil || n < int64(tt.practices)/2 {
				t.Fatalf("%d practices earn something, %v", n, err)
			}
			for claim, offending := range moneyClaims() {
				none(t, db, claim, offending)
			}
			if tt.basis == "domain_2" {
				none(t, db, "the balance of the assessments domain changes sign at 80 %", signAt80Percent)
			}
		})
	}
}

// moneyClaims are what R19 says, each as the rows that belie it.
func moneyClaims() map[string]string {
	return map[string]string{
		"domains, advances and instalments add up to the penny": `
			select r.practice_code from mart_fact_reconciliation as r
			join (select practice_code, sum(annual_value) as annual, sum(advance_value) as advance, sum(earned_value) as earned,
				count(earned_value) as domains, sum(held_value) as held, sum(balance) as balance from mart_fact_payment group by practice_code) as p using (practice_code)
			join (select practice_code, sum(amount) as advance from mart_fact_instalment group by practice_code) as i using (practice_code)
			where p.annual is distinct from r.contract_value or p.advance is distinct from r.advance_value or i.advance is distinct from r.advance_value
				or domains = 3 and (p.earned is distinct from r.earned_value or p.held is distinct from r.held_value or p.balance is distinct from r.balance)`,
		"what is earned rises with achievement": `
			select practice_code, earned_value, fewer from (
				select practice_code, r.earned_value, lag(r.earned_value) over (partition by place order by counted) as fewer
				from mart_fact_reconciliation as r join raw_practice using (practice_code) join mart_fact_practice_position using (practice_code))
			where earned_value < fewer`,
		"the target is the cap": `
			select practice_code, earned_value, contract_value from mart_fact_reconciliation join mart_fact_practice_position as p using (practice_code)
			where p.annual_target > 0 and p.counted >= p.annual_target and earned_value <> contract_value
				or p.annual_target > 0 and p.projected_year_end >= p.annual_target and projected_earned_value <> contract_value`,
		"no target, no files and no value earn nothing that is known": `
			select practice_code, earned_value from mart_fact_reconciliation join mart_fact_practice_position as p using (practice_code)
			where (coalesce(p.annual_target, 0) = 0 or p.counted is null or contract_value is null) <> (earned_value is null)
				or (earned_value is null) <> (held_value is null) or (earned_value is null) <> (projected_earned_value is null)
				or (earned_value is null) <> (earned_value_other_basis is null) or (earned_value is null) <> (direction is null)`,
		"no population has no value, and a population of 0 one of 0": `
			select practice_code, contract_value from mart_fact_reconciliation join raw_practice as p using (practice_code)
			where (p.weighted_population is null) <> (contract_value is null) or p.weighted_population = '0' and contract_value <> 0`,
		"the direction is that of the balance": `
			select practice_code, balance, direction from mart_fact_reconciliation
			where balance is not null and direction is distinct from case sign(balance) when 1 then 'pay' when -1 then 'recoup' else 'none' end`,
		"five of twelve instalments are paid by August": `
			select practice_code, advance_paid_to_date from mart_fact_reconciliation
			where 12 * advance_paid_to_date - 5 * advance_value not between 0 and 0.35`,
		"held is nothing where all is on time, and everything where nothing is": `
			select practice_code, domain, held_value from mart_fact_payment join mart_fact_practice_position as p using (practice_code)
			where p.counted = p.counted_on_time and held_value <> 0 or domain = 'assessments' and p.counted_on_time = 0 and held_value <> earned_value`,
	}
}

// signAt80Percent: exactly at four fifths nothing is owed; a fifth of an assessment to either side
// of it something is, where that is worth a penny.
const signAt80Percent = `
	select practice_code, p.counted, p.annual_target, balance from mart_fact_payment join mart_fact_practice_position as p using (practice_code)
	where domain = 'assessments' and balance is not null and (
		sign(balance) * sign(5 * p.counted - 4 * p.annual_target) < 0
		or 5 * p.counted = 4 * p.annual_target and balance <> 0
		or 5 * p.counted <> 4 * p.annual_target and annual_value * 100 >= 5 * p.annual_target and balance = 0
			and not (p.counted >= p.annual_target and advance_value = annual_value))`

// The other basis is what the one would publish, were it selected.
func TestMoneyR19OnBothBases(t *testing.T) {
	ctx := context.Background()
	shares := [3]int64{350_000, 530_000, 120_000}
	const columns = "practice_code, contract_value, advance_value, %s, %s"
	read := func(basis, earned, balance string) (rows []string) {
		db := money(t, 5_000, basis, shares)
		err := db.Query(ctx, fmt.Sprintf("select "+columns+" from mart_fact_reconciliation order by practice_code", earned, balance), func(values []any) error {
			rows = append(rows, fmt.Sprint(values...))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return rows
	}
	for _, pair := range [][2]string{{"domain_2", "whole_contract"}, {"whole_contract", "domain_2"}} {
		own, other := read(pair[0], "earned_value", "balance"), read(pair[1], "earned_value_other_basis", "balance_other_basis")
		for n := range own {
			if own[n] != other[n] {
				t.Fatalf("%s publishes %s, %s beside it %s", pair[0], own[n], pair[1], other[n])
			}
		}
	}
}
