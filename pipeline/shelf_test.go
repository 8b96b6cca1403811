package pipeline

import (
	"bytes"
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ltcles/pipeline/civil"
	"ltcles/pipeline/contract"
	"ltcles/pipeline/workspace"
)

// What an earlier run staged is not read again, and what is published is the same as
// where nothing is staged: all as it was, one file changed, one renamed, another as-at.
func TestStagedFilesGiveTheSame(t *testing.T) {
	t.Parallel()
	w := generated(t, "2026-06")
	inbox := w.Inbox("2026-06")
	// A day in a year of two digits, which is of this century from 2 July 2026 on.
	leaning := "Organisation Code,NHS Number,Date,SNOMED Code,Registered Date\nY90001,9990000018,01-May-2026,756261000000100,02-Jul-28\n"
	if err := os.WriteFile(filepath.Join(inbox, "leaning.csv"), []byte(leaning), 0o600); err != nil {
		t.Fatal(err)
	}
	asAt, _ := civil.Of(2026, 7, 1)
	all := stagedRun(t, w, asAt)
	if len(all.taken) > 0 || len(all.read) < 10 {
		t.Fatalf("the first run took %q and read %q", all.taken, all.read)
	}
	names := slices.Sorted(maps.Keys(all.rows))
	var one string // a file that stands for itself
	for _, name := range names {
		if filepath.Ext(name) == ".csv" && name != "leaning.csv" && all.kind[name] == "search_export" && !strings.Contains(name, "!") {
			one = name
		}
	}
	for _, step := range []struct {
		name   string
		change func() error
		asAt   civil.Date
		read   []string
	}{
		{"as it was", func() error { return nil }, asAt, nil},
		{"one file changed", func() error {
			text, err := os.ReadFile(filepath.Join(inbox, filepath.FromSlash(one)))
			if err != nil {
				return err
			}
			lines := bytes.SplitAfter(text, []byte("\n"))
			return os.WriteFile(filepath.Join(inbox, filepath.FromSlash(one)), bytes.Join(lines[:len(lines)-3], nil), 0o600)
		}, asAt, []string{one}},
		{"another as-at", func() error { return nil }, asAt + 1, []string{"leaning.csv"}},
		{"and the first again", func() error { return nil }, asAt, []string{"leaning.csv"}},
		{"one renamed", func() error {
			return os.Rename(filepath.Join(inbox, "leaning.csv"), filepath.Join(inbox, "renamed.csv"))
		}, asAt, []string{"renamed.csv"}},
		{"other settings", func() error {
			settings := filepath.Join(w.Dir, workspace.SettingsFile)
			text, err := os.ReadFile(settings)
			if err != nil {
				return err
			}
			if err := os.WriteFile(settings, append(text, "headers: {practice_code: [Surgery]}\n"...), 0o600); err != nil {
				return err
			}
			w, err = workspace.Open(w.Dir)
			return err
		}, asAt, slices.DeleteFunc(append(slices.Clone(names), "renamed.csv"), func(name string) bool { return name == "leaning.csv" })},
	} {
		if err := step.change(); err != nil {
			t.Fatal(err)
		}
		mustStageTheSame(t, step.name, w, step.asAt, step.read)
	}
}

// A staged file that is damaged, cut off or gone is noticed, and its file read again.
func TestDamagedStagedFilesAreReadAgain(t *testing.T) {
	t.Parallel()
	w := generated(t, "2026-06")
	asAt, _ := civil.Of(2026, 7, 1)
	all := stagedRun(t, w, asAt)
	for name, damage := range map[string]func(path string, text []byte) error{
		"damaged": func(path string, text []byte) error { text[len(text)/2] ^= 1; return os.WriteFile(path, text, 0o600) },
		"cut off": func(path string, text []byte) error { return os.WriteFile(path, text[:len(text)/2], 0o600) },
		"gone":    func(path string, _ []byte) error { return os.Remove(path) },
	} {
		for _, kind := range []string{"*.parquet", "*.json"} {
			paths, err := filepath.Glob(filepath.Join(w.Staged(), kind))
			if err != nil || len(paths) != len(all.rows) {
				t.Fatalf("%d staged files, %v; want %d", len(paths), err, len(all.rows))
			}
			for _, path := range paths {
				text, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if err := damage(path, text); err != nil {
					t.Fatal(err)
				}
			}
			mustStageTheSame(t, kind+" "+name, w, asAt, slices.Sorted(maps.Keys(all.rows)))
		}
	}
}

// Where the settings keep nothing, nothing stays.
func TestStagedFilesAreNotKept(t *testing.T) {
	t.Parallel()
	w := generated(t, "2026-06")
	w.Settings.StagedDays = 0
	asAt, _ := civil.Of(2026, 7, 1)
	for range 2 {
		if all := stagedRun(t, w, asAt); len(all.taken) > 0 {
			t.Errorf("took %q", all.taken)
		}
	}
	if entries, err := os.ReadDir(w.Staged()); err == nil && len(entries) > 0 {
		t.Errorf("%v stay staged", entries)
	}
}

// stagedFiles is what a run made of the files: which it read, which it took as they were
// staged, and what it computed.
type stagedFiles struct {
	taken, read []string
	rows        map[string]int64
	kind        map[string]string
	figures     map[string][]byte // by table, as it would be published
}

// stagedRun computes the period as check does, without a record.
func stagedRun(t *testing.T, w *workspace.Workspace, asAt civil.Date) (files stagedFiles) {
	t.Helper()
	period, err := contract.ParsePeriod("2026-06")
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{Workspace: w, Period: period, AsAt: asAt, Today: asAt, Threads: 2}
	files.rows, files.kind, files.figures = map[string]int64{}, map[string]string{}, map[string][]byte{}
	err = replay(context.Background(), cfg, func(r *run, _ Standing) error {
		for _, in := range r.inputs {
			switch {
			case in.staged == nil:
				continue
			case in.isTaken:
				files.taken = append(files.taken, in.Name)
			default:
				files.read = append(files.read, in.Name)
			}
			files.rows[in.Name], files.kind[in.Name] = in.tally.Rows, string(in.Kind)
		}
		for _, table := range tablesOfRows() {
			path := filepath.Join(r.stagedDir(), table+".figures")
			if err := r.db.CopyParquet(context.Background(), "select * from "+table+" order by all", path); err != nil {
				return err
			}
			if files.figures[table], err = os.ReadFile(path); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(files.read)
	return files
}

// tablesOfRows lists tables that every row decides something of.
func tablesOfRows() []string {
	return []string{"mart_fact_assessment", "mart_fact_cohort_patient", "mart_fact_disposition", "mart_fact_file", "mart_fact_finding", "int_disposition", "int_number_pair"}
}

// mustStageTheSame computes the period from what is staged, and again from nothing.
func mustStageTheSame(t *testing.T, name string, w *workspace.Workspace, asAt civil.Date, read []string) {
	t.Helper()
	warm := stagedRun(t, w, asAt)
	slices.Sort(read)
	if !slices.Equal(warm.read, read) {
		t.Errorf("%s: read %q; want %q", name, warm.read, read)
	}
	aside := w.Staged() + " aside"
	if err := os.Rename(w.Staged(), aside); err != nil {
		t.Fatal(err)
	}
	cold := stagedRun(t, w, asAt)
	if len(cold.taken) > 0 {
		t.Fatalf("%s: took %q where nothing is staged", name, cold.taken)
	}
	if err := os.RemoveAll(w.Staged()); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(aside, w.Staged()); err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(warm.rows, cold.rows) {
		t.Errorf("%s: rows %v; cold %v", name, warm.rows, cold.rows)
	}
	for table, want := range cold.figures {
		if !bytes.Equal(warm.figures[table], want) {
			t.Errorf("%s: %s is not what a cold run computes", name, table)
		}
	}
}
