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
	r := ingested(t)
	ctx := context.Background()
	if err := r.transform(ctx); err != nil {
		t.Fatal(err)
	}
	if err := r.db.Exec(ctx, `
		insert into raw_published_assessment
		select 'last_year', 'another', min(identity_no), 0, 'Z00001', cast('2026-05-01' as date), true from stg_pseudonym`); err != nil {
		t.Fatal(err)
	}
	if err := r.runChecks(ctx); err == nil || !strings.Contains(err.Error(), "pseudonyms_are_told_apart") || !strings.Contains(err.Error(), "nothing was published") {
		t.Errorf("got %v", err)
	}
}
