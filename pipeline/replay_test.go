package pipeline

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"ltcles/fixtures"
	"ltcles/pipeline/civil"
	"ltcles/pipeline/contract"
	"ltcles/pipeline/workspace"
)

// A period computed again is what was published, whatever was accepted by hand and
// whatever was published since; and what has changed in the meantime is named.
func TestReplay(t *testing.T) {
	t.Parallel()
	w := generated(t, "2026-05", "2026-06", "2026-07")
	config := func(period string) Config {
		parsed, err := contract.ParsePeriod(period)
		if err != nil {
			t.Fatal(err)
		}
		return Config{Workspace: w, Period: parsed, AsAt: civil.None, Today: parsed.End() + 2, Threads: 1}
	}
	stands := func(period string) (standing Standing) {
		t.Helper()
		err := replay(context.Background(), config(period), func(r *run, s Standing) error {
			standing = s
			rows, err := r.db.Count(context.Background(), "select count(*) from int_disposition")
			if err == nil && rows == 0 {
				t.Errorf("%s: nothing was computed", period)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return standing
	}

	if s := stands("2026-06"); s.Published != nil || s.IsSame || s.Changes != nil {
		t.Errorf("of a period that is not published: %+v", s)
	}
	for _, period := range []string{"2026-05", "2026-06"} {
		publishing := config(period)
		publishing.Publish, publishing.AcceptAll = true, period == "2026-06"
		if _, err := Run(context.Background(), publishing); err != nil {
			t.Fatal(err)
		}
	}
	before := readTree(t, w.Dir)
	for _, period := range []string{"2026-05", "2026-06"} {
		if s := stands(period); s.Published == nil || s.Published.Period != period || !s.IsSame || s.Changes != nil {
			t.Errorf("of %s as published: %+v", period, s)
		}
	}
	if after := readTree(t, w.Dir); !slices.Equal(before, after) {
		t.Errorf("it left\n%v\nexpected\n%v", after, before)
	}

	again := config("2026-05") // so that the evidence of June is no longer current
	again.Publish, again.AsAt = true, again.Today+3
	if _, err := Run(context.Background(), again); err != nil {
		t.Fatal(err)
	}
	if s := stands("2026-06"); !s.IsSame {
		t.Errorf("of June after May was published again: %+v", s)
	}

	inbox := w.Inbox("2026-06")
	if err := os.WriteFile(filepath.Join(inbox, "later.csv"), []byte("NHS Number,Code,Date\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	practices := filepath.Join(w.Dir, "reference", "practices.csv")
	text, err := os.ReadFile(practices)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(practices, append(text, '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
	want := []Change{{"inbox/2026-06/later.csv", added}, {"reference/practices.csv", changed}}
	if s := stands("2026-06"); s.IsSame || !slices.Equal(s.Changes, want) {
		t.Errorf("of changed files: %+v; expected %v", s, want)
	}
}

// generated is a workspace with synthetic files.
func generated(t *testing.T, periods ...string) *workspace.Workspace {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "workspace")
	if err := workspace.Init(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := fixtures.Generate(dir, fixtures.Options{Seed: 7, Practices: 4, Patients: 60, Year: "2026-27", Periods: periods}); err != nil {
		t.Fatal(err)
	}
	w, err := workspace.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// readTree names every file of a folder, with its content.
func readTree(t *testing.T, dir string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		files = append(files, path+"\n"+string(text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
