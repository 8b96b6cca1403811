package pipeline

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ltcles/pipeline/civil"
	"ltcles/pipeline/config"
	"ltcles/pipeline/contract"
	"ltcles/pipeline/duck"
	"ltcles/pipeline/pseudonym"
	"ltcles/pipeline/schema"
	"ltcles/pipeline/snapshot"
	"ltcles/pipeline/workspace"
)

func TestWhyFixed(t *testing.T) {
	for _, tt := range []struct {
		period snapshot.PublishedPeriod
		want   string
	}{
		{snapshot.PublishedPeriod{KeyID: "a", Status: snapshot.Provisional}, ""},
		{snapshot.PublishedPeriod{KeyID: "a", Status: snapshot.Final}, "it is final"},
		{snapshot.PublishedPeriod{KeyID: "b", Status: snapshot.Provisional}, "an earlier change of key left it there"},
	} {
		if got := whyFixed(tt.period, "a"); got != tt.want {
			t.Errorf("%+v: %q; expected %q", tt.period, got, tt.want)
		}
	}
}

// A period comes after what it consulted, also where that is of a later month that was
// published before it.
func TestEvidenceFirst(t *testing.T) {
	h := &history{}
	h.publish("2026-05", "2026-06-02")
	h.publish("2026-06", "2026-07-02", "2026-05 of 1")
	h.publish("2026-07", "2026-08-02", "2026-06 of 2")
	h.publish("2026-05", "2026-09-02", "2026-07 of 3")
	current := h.all[3]
	runs := map[string]*snapshot.Snapshot{"2026-05": h.all[3], "2026-06": h.all[1], "2026-07": h.all[2]}
	if got := strings.Join(evidenceFirst(current, runs), " "); got != "2026-06 2026-07 2026-05" {
		t.Errorf("order %s", got)
	}
	delete(runs, "2026-07")
	if got := strings.Join(evidenceFirst(current, runs), " "); got != "2026-06 2026-05" && got != "2026-05 2026-06" {
		t.Errorf("order %s", got)
	}
}

// keyed is a workspace with two months published, May twice, so that June rests on a
// publication that is no longer current; and July, of which a file has changed since.
func keyed(t *testing.T) *workspace.Workspace {
	t.Helper()
	w := generated(t, "2026-05", "2026-06", "2026-07")
	for _, run := range []struct {
		period string
		later  civil.Date
	}{{"2026-05", 0}, {"2026-06", 0}, {"2026-05", 3}, {"2026-07", 0}} {
		publishAs(t, w, run.period, run.later)
	}
	if err := os.WriteFile(filepath.Join(w.Inbox("2026-07"), "later.csv"), []byte("NHS Number,Code,Date\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return w
}

func keyedConfig(t *testing.T, w *workspace.Workspace, period string, later civil.Date) Config {
	t.Helper()
	parsed, err := contract.ParsePeriod(period)
	if err != nil {
		t.Fatal(err)
	}
	return Config{Workspace: w, Period: parsed, AsAt: parsed.End() + 2 + later, AcceptAll: true, Threads: 1}
}

func publishAs(t *testing.T, w *workspace.Workspace, period string, later civil.Date) *Report {
	t.Helper()
	cfg := keyedConfig(t, w, period, later)
	cfg.Publish = true
	report, err := Run(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func currentOf(t *testing.T, w *workspace.Workspace) *snapshot.Snapshot {
	t.Helper()
	store := snapshot.Store{Dir: w.Published()}
	problems, err := store.Verify()
	if err != nil || len(problems) > 0 {
		t.Fatalf("verify: %v, %v", problems, err)
	}
	current, err := store.Current()
	if err != nil {
		t.Fatal(err)
	}
	return current
}

// The new key is that of every period that can be computed again; each of them can be
// again, and so can the others under the former key. What is run afterwards gives the
// figures that it gives where no key was changed.
func TestRekey(t *testing.T) {
	t.Parallel()
	w := keyed(t)
	other := filepath.Join(t.TempDir(), "other")
	if err := os.CopyFS(other, os.DirFS(w.Dir)); err != nil {
		t.Fatal(err)
	}
	tightenKey(t, other)
	untouched, err := workspace.Open(other)
	if err != nil {
		t.Fatal(err)
	}
	before, tree := currentOf(t, w), readTree(t, w.Dir)
	former := before.Manifest.KeyID

	dry, err := Rekey(context.Background(), RekeyConfig{Workspace: w, DryRun: true, Threads: 1})
	if err != nil || dry.Key != "" || !slices.Equal(readTree(t, w.Dir), tree) {
		t.Fatalf("a dry run: %+v, %v", dry, err)
	}
	done, err := Rekey(context.Background(), RekeyConfig{Workspace: w, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(w.Staged()); err != nil || len(left) > 0 {
		t.Errorf("%d files stay staged under the former key, %v", len(left), err)
	}
	if !slices.Equal(done.Periods, dry.Periods) || done.Key == former || done.Former != former {
		t.Errorf("it did %+v; a dry run says %+v", done, dry)
	}
	want := []RekeyedPeriod{{"2026-05", former, ""}, {"2026-06", former, ""}, {"2026-07", former, "inbox/2026-07/later.csv: added"}}
	if !slices.Equal(done.Periods, want) {
		t.Errorf("periods %+v; expected %+v", done.Periods, want)
	}
	now := currentOf(t, w)
	if now.Name != done.Snapshot || now.Manifest.WorkspaceKey() != done.Key {
		t.Errorf("current is %s under key %s", now.Name, now.Manifest.WorkspaceKey())
	}
	for i, key := range []string{done.Key, done.Key, former} {
		if got := now.Manifest.Periods[i]; got.KeyID != key || (got.RunID == before.Manifest.Periods[i].RunID) != (key == former) {
			t.Errorf("%+v; expected key %s", got, key)
		}
	}
	for _, period := range []string{"2026-05", "2026-06"} {
		cfg := keyedConfig(t, w, period, 0)
		cfg.AsAt, cfg.AcceptAll = civil.None, false
		if err := replay(context.Background(), cfg, func(r *run, s Standing) error {
			if !s.IsSame || r.key.ID() != done.Key {
				t.Errorf("%s is not computed as it was published: %+v, under %s", period, s, r.key)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}

	// Of August the period before is July, under the former key.
	for _, dir := range []*workspace.Workspace{w, untouched} {
		if err := os.CopyFS(dir.Inbox("2026-08"), os.DirFS(dir.Inbox("2026-06"))); err != nil {
			t.Fatal(err)
		}
		if report := publishAs(t, dir, "2026-08", 0); report.Unmatched != nil {
			t.Errorf("with the former key at hand: %v", report.Unmatched)
		}
	}
	after := currentOf(t, w)
	sameButForKeys(t, after, currentOf(t, untouched), "2026-08")
	if findings, ok := after.File("fact_finding", "2026-08"); !ok || findings.Rows == 0 {
		t.Error("August has no findings to compare")
	}

	if err := os.Rename(done.FormerFile, done.FormerFile+".away"); err != nil {
		t.Fatal(err)
	}
	report, err := Run(context.Background(), keyedConfig(t, w, "2026-08", 3))
	if err != nil || len(report.Unmatched) != 1 || !strings.HasPrefix(report.Unmatched[0], "key "+former+" is not at ") || !strings.Contains(report.Unmatched[0], "the period before is not consulted") {
		t.Errorf("without the former key: %v, %v", report.Unmatched, err)
	}
	cfg := keyedConfig(t, w, "2026-07", 0)
	cfg.AsAt = civil.None
	err = replay(context.Background(), cfg, func(*run, Standing) error { return nil })
	if problem := new(config.Problem); !errors.As(err, &problem) || problem.File != done.FormerFile {
		t.Errorf("July without its key: %v", err)
	}

	// Run again, July is under the workspace's key.
	publishAs(t, w, "2026-07", 5)
	for _, period := range currentOf(t, w).Manifest.Periods {
		if period.KeyID != done.Key {
			t.Errorf("%s is under key %s", period.Period, period.KeyID)
		}
	}
}

// Cut off at any point, a rekey is taken back or finished by what runs next, and no key
// is lost.
func TestRekeyCutOff(t *testing.T) {
	t.Parallel()
	w := keyed(t)
	file := w.KeyFile()
	former := currentOf(t, w).Manifest.KeyID

	ctx, cancel := context.WithCancel(context.Background())
	tree := readTree(t, w.Dir)
	stop := func(p Progress) {
		if p.Step == "computing" && p.Done == p.Total {
			cancel()
		}
	}
	if _, err := Rekey(ctx, RekeyConfig{Workspace: w, Threads: 1, Progress: stop}); !errors.Is(err, context.Canceled) {
		t.Fatalf("interrupted: %v", err)
	}
	if !slices.Equal(readTree(t, w.Dir), tree) {
		t.Error("interrupted, it left something changed")
	}

	// Killed before it published: a next key that nothing is under.
	if _, err := pseudonym.Next(file); err != nil {
		t.Fatal(err)
	}
	if err := pseudonym.Keep(file); err != nil {
		t.Fatal(err)
	}
	if _, err := Run(context.Background(), keyedConfig(t, w, "2026-06", 0)); err != nil {
		t.Fatalf("after it was killed early: %v", err)
	}
	done, err := Rekey(context.Background(), RekeyConfig{Workspace: w, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}

	// Killed once it had published: the former key is still the workspace's.
	if err := os.Rename(file, pseudonym.NextFile(file)); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(done.FormerFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	diagnoses, err := Doctor(context.Background(), DoctorConfig{Workspace: w})
	if err != nil || !slices.ContainsFunc(diagnoses, func(d Diagnosis) bool {
		return d.Level == LevelWarning && d.About == "key" && strings.Contains(d.Found, "cut off")
	}) {
		t.Errorf("doctor says %v, %v", diagnoses, err)
	}
	if _, err := Run(context.Background(), keyedConfig(t, w, "2026-06", 0)); err != nil {
		t.Fatalf("after it was killed late: %v", err)
	}
	for path, want := range map[string]string{file: done.Key, done.FormerFile: former} {
		if key, err := pseudonym.Load(path); err != nil || key.ID() != want {
			t.Errorf("%s holds %v, %v; expected %s", path, key, err, want)
		}
	}
	if _, err := os.Stat(pseudonym.NextFile(file)); err == nil {
		t.Error("the next key is still there")
	}

	// Any other key is refused before anything is published.
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := pseudonym.Create(file); err != nil {
		t.Fatal(err)
	}
	before := readTree(t, w.Published())
	publishing := keyedConfig(t, w, "2026-06", 9)
	publishing.Publish = true
	for _, act := range []func() error{
		func() error { _, err := Run(context.Background(), publishing); return err },
		func() error { _, err := Rekey(context.Background(), RekeyConfig{Workspace: w}); return err },
	} {
		err := act()
		if problem := new(config.Problem); !errors.As(err, &problem) || problem.File != file || !strings.Contains(problem.Expected, done.Key) {
			t.Errorf("under another key: %v", err)
		}
	}
	if !slices.Equal(before, readTree(t, w.Published())) {
		t.Error("under another key something was published")
	}
}

// Where nothing is published, the key alone is changed.
func TestRekeyOfNothing(t *testing.T) {
	t.Parallel()
	w := generated(t, "2026-05")
	done, err := Rekey(context.Background(), RekeyConfig{Workspace: w})
	if err != nil || done.Snapshot != "" || done.Periods != nil {
		t.Fatalf("%+v, %v", done, err)
	}
	if key, err := pseudonym.Load(w.KeyFile()); err != nil || key.ID() != done.Key || done.Key == done.Former {
		t.Errorf("the key is %v, %v; expected %s", key, err, done.Key)
	}
}

// tightenKey gives a copied workspace's key the mode that it has to have.
func tightenKey(t *testing.T, dir string) {
	t.Helper()
	for name, mode := range map[string]os.FileMode{"secrets": 0o700, "secrets/pseudonym.key": 0o600} {
		if err := os.Chmod(filepath.Join(dir, name), mode); err != nil {
			t.Fatal(err)
		}
	}
}

// sameButForKeys compares the tables of a period in all but pseudonyms and run ids.
func sameButForKeys(t *testing.T, a, b *snapshot.Snapshot, period string) {
	t.Helper()
	r := &run{cfg: Config{Period: contract.YearEnd("2026-27")}}
	db, err := openBeside(a.Dir, b.Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	r.db = db
	for _, table := range schema.Tables() {
		fileA, okA := a.File(table.Name, period)
		fileB, okB := b.File(table.Name, period)
		if !okA || !okB {
			t.Fatalf("%s of %s is not there", table.Name, period)
		}
		if err := r.compareRekeyed(context.Background(), table, a.Path(fileA.Name), b.Path(fileB.Name)); err != nil {
			t.Error(err)
		}
	}
}

func openBeside(dirs ...string) (*duck.DB, error) {
	return duck.Open(context.Background(), duck.Options{Threads: 1, Directories: dirs})
}
