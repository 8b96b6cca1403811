package pipeline

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ltcles/fixtures"
	"ltcles/pipeline/civil"
	"ltcles/pipeline/contract"
	"ltcles/pipeline/workspace"
	"ltcles/sql"
)

// Rows that do not add up stop the run before anything is published: a row that
// the engine has and the reader did not count, one that the reader counted and
// the engine has not, and one that is counted for another practice.
func TestRowsThatDoNotAddUpStopTheRun(t *testing.T) {
	for _, tt := range []struct {
		name  string
		spoil func(in *input)
		want  string
	}{
		{"a row too many", func(in *input) { in.tally.Rows++ }, "rows are not conserved"},
		{"a row too few", func(in *input) { in.tally.Rows-- }, "rows are not conserved"},
		{"another practice's row", func(in *input) {
			for practice := range in.tally.ByPractice {
				in.tally.ByPractice[practice]--
				in.tally.ByPractice["Y99999"]++
				return
			}
		}, "checks/rows_are_conserved.sql"},
		{"a staged file that is not read", func(in *input) { in.staged = nil }, "rows are not conserved"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := ingested(t)
			for _, in := range r.inputs {
				if in.tally.Rows > 0 {
					tt.spoil(in)
					break
				}
			}
			err := r.transform(context.Background())
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "nothing was published") {
				t.Fatalf("got %v; want %s", err, tt.want)
			}
			if _, err := os.Lstat(filepath.Join(r.store.Dir, "current")); !os.IsNotExist(err) {
				t.Errorf("something is published: %v", err)
			}
		})
	}
}

// ingested is a run of a small synthetic workspace, as far as its staged files.
func ingested(t *testing.T) *run {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "workspace")
	if err := workspace.Init(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := fixtures.Generate(dir, fixtures.Options{Practices: 1, Patients: 20, Periods: []string{"2026-06"}}); err != nil {
		t.Fatal(err)
	}
	w, err := workspace.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	period, err := contract.ParsePeriod("2026-06")
	if err != nil {
		t.Fatal(err)
	}
	r, err := open(Config{Workspace: w, Period: period, AsAt: civil.None, Publish: true, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []func() error{
		r.makePrivate,
		func() error { return r.survey(context.Background()) },
		r.start,
		func() error { return r.ingest(context.Background()) },
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(r.stop)
	return r
}

// Rows are joined by a part of the pseudonym: two pseudonyms that have it in common stop the run.
func TestPseudonymsThatShareANumberStopTheRun(t *testing.T) {
	for name, share := range map[string]string{
		"two rows at one practice": `
			update stg_row set nhs_second = nhs_second + 1
			where (file_no, line, event) = (
				select (file_no, line, event) from stg_row
				where own_step > 5 and nhs_no in (select nhs_no from stg_row where own_step > 5 group by nhs_no having count(*) > 1) limit 1)`,
		"a row, and one that is rejected": `
			insert into stg_row by name
			select * replace (1 as own_step, nhs_second + 1 as nhs_second) from stg_row where own_step > 5 and nhs_no is not null limit 1`,
		"a row, and one that pairs numbers": `
			insert into stg_row by name
			select * replace (5 as own_step, 4242 as emis_no, nhs_second + 1 as nhs_second) from stg_row where own_step > 5 and nhs_no is not null limit 1`,
		"rows at two practices": `
			insert into stg_row by name
			select * replace (practice_no + 1 as practice_no, nhs_second + 1 as nhs_second) from stg_row where own_step > 5 and nhs_no is not null limit 1`,
		"two practices' EMIS numbers": `
			insert into stg_row by name
			select * replace (null as nhs_no, 4 as own_step, emis_second + 1 as emis_second) from stg_row where emis_no is not null limit 1`,
		"what was published, and a row": `
			insert into raw_published_assessment
			select 'last_year', 'another', min(nhs_no), 0, 'Z00001', cast('2026-05-01' as date), true from stg_row where own_step > 5`,
	} {
		t.Run(name, func(t *testing.T) {
			r := transformed(t)
			spoil(t, r, share)
			for _, name := range []string{"20_int_lone_number.sql", "23_int_status.sql"} { // which rest on the rows
				spoil(t, r, "drop table "+tableOf(name))
				if err := r.db.ExecFile(context.Background(), sql.Files, name); err != nil {
					t.Fatal(err)
				}
			}
			wantCheck(t, r, "pseudonyms_are_told_apart")
		})
	}
}

// A row without a disposition, with one that is not known, or with another row's stops the run.
func TestRowsWithoutOneDispositionStopTheRun(t *testing.T) {
	const one = " where (file_no, line, event) = (select (file_no, line, event) from int_disposition order by all limit 1)"
	for name, change := range map[string]string{
		"none":          "delete from int_disposition" + one,
		"two":           "insert into int_disposition from int_disposition" + one,
		"another row's": "update int_disposition set line = line + 1" + one,
		"one unknown":   "update int_disposition set disposition = 'mislaid'" + one,
	} {
		t.Run(name, func(t *testing.T) {
			r := transformed(t)
			spoil(t, r, change)
			wantCheck(t, r, "every_row_has_one_disposition")
		})
	}
}

// transformed is a run as far as its tables, whose checks all pass.
func transformed(t *testing.T) *run {
	t.Helper()
	r := ingested(t)
	if err := r.transform(context.Background()); err != nil {
		t.Fatal(err)
	}
	return r
}

// spoil changes a run's tables.
func spoil(t *testing.T, r *run, statement string) {
	t.Helper()
	if err := r.db.Exec(context.Background(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// wantCheck runs a check, which has to stop the run.
func wantCheck(t *testing.T, r *run, check string) {
	t.Helper()
	name := "checks/" + check + ".sql"
	if err := r.runCheck(context.Background(), name); err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "nothing was published") {
		t.Errorf("got %v", err)
	}
}
