package pipeline

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"ltcles/pipeline/civil"
	"ltcles/pipeline/contract"
	"ltcles/pipeline/snapshot"
	"ltcles/pipeline/workspace"
)

// A frozen year end and its supplement are computed again as they were published,
// from the one inbox that they share.
func TestFrozenYearEndIsComputedAgain(t *testing.T) {
	t.Parallel()
	w := yearEnd(t)
	frozen := mustFreeze(t, w, 1)
	inbox := w.Inbox("2026-27")
	if err := os.WriteFile(filepath.Join(inbox, "later.csv"), []byte("NHS Number,Code,Date\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	supplement := mustRun(t, w, civil.None)
	if supplement.Period != "2026-27-s1" || supplement.Shows != "2026-27" {
		t.Fatalf("it was published as %s, and %s is shown", supplement.Period, supplement.Shows)
	}
	before := readTree(t, w.Dir)
	stands := func(name string) (standing Standing, runID string, final bool) {
		t.Helper()
		period, err := contract.ParsePublished(name)
		if err != nil {
			t.Fatal(err)
		}
		err = replay(context.Background(), Config{Workspace: w, Period: period, AsAt: civil.None, Threads: 1}, func(r *run, s Standing) error {
			standing, runID, final = s, r.id, r.final
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return standing, runID, final
	}
	if s, id, final := stands("2026-27-s1"); !s.IsSame || s.Changes != nil || id != supplement.RunID || final {
		t.Errorf("of the supplement: %+v, run %s, final %v", s, id, final)
	}
	if s, _, final := stands("2026-27"); s.IsSame || !final || !slices.Equal(s.Changes, []Change{{"inbox/2026-27/later.csv", added}}) {
		t.Errorf("of the frozen year end, the supplement's file being there: %+v, final %v", s, final)
	}
	if after := readTree(t, w.Dir); !slices.Equal(before, after) {
		t.Error("computing again left something")
	}
	if err := os.Remove(filepath.Join(inbox, "later.csv")); err != nil {
		t.Fatal(err)
	}
	if s, id, final := stands("2026-27"); !s.IsSame || s.Changes != nil || id != frozen.RunID || !final {
		t.Errorf("of the frozen year end: %+v, run %s, final %v", s, id, final)
	}
}

// The same year end is frozen to the same bytes, however many threads compute it.
func TestFreezeGivesTheSameBytes(t *testing.T) {
	t.Parallel()
	one, eight := yearEnd(t), yearEnd(t)
	for w, threads := range map[*workspace.Workspace]int{one: 1, eight: 8} {
		mustFreeze(t, w, threads)
	}
	if !slices.Equal(snapshotHashes(t, one), snapshotHashes(t, eight)) {
		t.Error("one thread and eight freeze other bytes")
	}
}

// A freeze that is interrupted anywhere leaves the year end provisional, and can be
// tried again.
func TestFreezeInterrupted(t *testing.T) {
	t.Parallel()
	w := yearEnd(t)
	before := readTree(t, w.Published())
	for _, step := range []string{"inspecting files", "reading files", "computing", "writing tables"} {
		ctx, interrupt := context.WithCancel(context.Background())
		config := freezeConfig(w, 1)
		config.Progress = func(at Progress) {
			if at.Step == step {
				interrupt()
			}
		}
		if _, err := Freeze(ctx, config); !errors.Is(err, context.Canceled) {
			t.Errorf("interrupted while %s: %v", step, err)
		}
		interrupt()
		if !slices.Equal(before, readTree(t, w.Published())) {
			t.Errorf("interrupted while %s, it changed what is published", step)
		}
	}
	mustFreeze(t, w, 1)
}

// Every supplement is compared with the year end as it was frozen.
func TestSupplementsAreComparedWithTheFrozenYearEnd(t *testing.T) {
	t.Parallel()
	w := yearEnd(t)
	frozen := mustFreeze(t, w, 1)
	deadline, _ := civil.Of(2027, 4, 10)
	for n, name := range []string{"2026-27-s1", "2026-27-s2"} {
		report := mustRun(t, w, deadline-civil.Date(n)) // which of themselves would be evidence
		if report.Period != name {
			t.Fatalf("it was published as %s; expected %s", report.Period, name)
		}
		if again := mustRun(t, w, deadline-civil.Date(n)); !again.Unchanged || again.Period != name {
			t.Errorf("%s again: %s, unchanged %v", name, again.Period, again.Unchanged)
		}
		published := openSnapshot(t, w, report.Snapshot)
		var previous []string
		for _, e := range published.Manifest.Evidence {
			if e.Use == "previous_period" {
				previous = append(previous, e.Period)
			}
			if parsed, err := contract.ParsePublished(e.Period); err != nil || parsed.IsSupplement() {
				t.Errorf("%s consulted %s as %s", name, e.Period, e.Use)
			}
		}
		if !slices.Equal(previous, []string{"2026-27"}) || published.Period("2026-27").RunID != frozen.RunID {
			t.Errorf("%s is compared with %v", name, previous)
		}
	}
}

// yearEnd is a workspace whose year end is published and fit to be frozen.
func yearEnd(t *testing.T) *workspace.Workspace {
	t.Helper()
	w := generated(t, "2026-27")
	const key = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n" // the same patients have the same pseudonyms
	if err := os.WriteFile(w.KeyFile(), []byte(key), 0o600); err != nil {
		t.Fatal(err)
	}
	settings := filepath.Join(w.Dir, workspace.SettingsFile)
	text, err := os.ReadFile(settings)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(settings, append(bytes.TrimSpace(text), "\nreconciliation_basis: whole_contract\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	if w, err = workspace.Open(w.Dir); err != nil {
		t.Fatal(err)
	}
	mustRun(t, w, civil.None)
	return w
}

func mustRun(t *testing.T, w *workspace.Workspace, asAt civil.Date) *Report {
	t.Helper()
	report, err := Run(context.Background(), Config{Workspace: w, Period: contract.YearEnd("2026-27"), AsAt: asAt, AcceptAll: true, Publish: true, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func freezeConfig(w *workspace.Workspace, threads int) FreezeConfig {
	return FreezeConfig{Workspace: w, Period: contract.YearEnd("2026-27"), Threads: threads}
}

func mustFreeze(t *testing.T, w *workspace.Workspace, threads int) *Report {
	t.Helper()
	report, err := Freeze(context.Background(), freezeConfig(w, threads))
	if err != nil {
		t.Fatal(err)
	}
	if report.Freeze == nil || report.Snapshot == "" || report.Period != "2026-27" {
		t.Fatalf("it was frozen as %+v", report)
	}
	return report
}

func openSnapshot(t *testing.T, w *workspace.Workspace, name string) *snapshot.Snapshot {
	t.Helper()
	all, err := snapshot.Store{Dir: w.Published()}.Snapshots()
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(all, func(s *snapshot.Snapshot) bool { return s.Name == name })
	if at < 0 {
		t.Fatalf("no snapshot %s", name)
	}
	return all[at]
}

// snapshotHashes names what is published, with the hash of each file.
func snapshotHashes(t *testing.T, w *workspace.Workspace) (hashes []string) {
	t.Helper()
	all, err := snapshot.Store{Dir: w.Published()}.Snapshots()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		hashes = append(hashes, s.Name+" "+s.Manifest.SHA256)
	}
	return hashes
}
