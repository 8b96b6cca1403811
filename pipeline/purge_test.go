package pipeline

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ltcles/pipeline/civil"
	"ltcles/pipeline/contract"
	"ltcles/pipeline/snapshot"
	"ltcles/pipeline/workspace"
)

// history is snapshots one after the other, told by what each of them publishes.
type history struct {
	all []*snapshot.Snapshot
}

// publish adds a snapshot that has what the one before it has, and a period.
func (h *history) publish(period, asAt string, evidence ...string) {
	day, err := civil.Parse(asAt)
	if err != nil {
		panic(err)
	}
	year := period
	if parsed, err := contract.ParsePublished(period); err == nil {
		year = string(parsed.Year())
	}
	id := fmt.Sprintf("%d", len(h.all)+1)
	m := snapshot.Manifest{RunID: id, ContractYear: year, Period: period, AsAt: day}
	own := snapshot.PublishedPeriod{ContractYear: year, Period: period, RunID: id, AsAt: day, Status: snapshot.Provisional}
	m.Periods = append(m.Periods, own)
	m.Files = append(m.Files, snapshot.File{Table: "fact_assessment", Period: period, SHA256: period + " of " + id})
	if len(h.all) > 0 {
		last := h.all[len(h.all)-1]
		for _, before := range last.Manifest.Periods {
			if before.Period != period {
				m.Periods = append(m.Periods, before)
			}
		}
		for _, file := range last.Manifest.Files {
			if file.Period != period {
				m.Files = append(m.Files, file)
			}
		}
	}
	for _, sum := range evidence {
		consulted, _, _ := strings.Cut(sum, " ")
		m.Evidence = append(m.Evidence, snapshot.Evidence{Use: "previous_period", Table: "fact_assessment", Period: consulted, SHA256: sum})
	}
	h.all = append(h.all, &snapshot.Snapshot{Name: id, Manifest: m})
}

// freeze makes the period of the last snapshot final.
func (h *history) freeze() {
	m := &h.all[len(h.all)-1].Manifest
	m.Freeze = &snapshot.Freeze{}
	m.Periods[0].Status = snapshot.Final
}

// rekey publishes the last snapshot's periods again, each by a run of its own.
func (h *history) rekey() {
	last := h.all[len(h.all)-1].Manifest
	h.publish(last.Period, last.AsAt.String())
	m := &h.all[len(h.all)-1].Manifest
	m.Rekey = &snapshot.Rekey{}
	for i := range m.Periods[1:] {
		p := &m.Periods[i+1]
		p.RunID += " again"
		m.Rekey.Runs = append(m.Rekey.Runs, snapshot.Record{RunID: p.RunID, Period: p.Period, Evidence: last.Evidence})
	}
}

func TestRetained(t *testing.T) {
	tests := []struct {
		name   string
		make   func(h *history)
		before string
		want   string
	}{
		{"one publication of each month", func(h *history) {
			h.publish("2026-05", "2026-06-02")
			h.publish("2026-06", "2026-07-02", "2026-05 of 1")
			h.publish("2026-07", "2026-08-02", "2026-06 of 2")
		}, "2030-01-01", "1 2 3"},
		{"a publication that another replaced, of a year that is not final", func(h *history) {
			h.publish("2026-05", "2026-06-02")
			h.publish("2026-05", "2026-06-09")
		}, "2030-01-01", "1 2"},
		{"a publication after the coding deadline that another replaced", func(h *history) {
			h.publish("2026-27", "2027-04-11")
			h.publish("2026-27", "2027-04-12")
		}, "2030-01-01", "2"},
		{"one on the coding deadline", func(h *history) {
			h.publish("2026-27", "2027-04-10")
			h.publish("2026-27", "2027-04-12")
		}, "2030-01-01", "1 2"},
		{"of a final year, what nobody consulted", func(h *history) {
			h.publish("2026-05", "2026-06-02")
			h.publish("2026-05", "2026-06-09")
			h.publish("2026-27", "2027-04-12")
			h.publish("2026-27", "2027-04-12")
			h.freeze()
		}, "2030-01-01", "2 4"},
		{"of a final year, what it consulted", func(h *history) {
			h.publish("2026-05", "2026-06-02")
			h.publish("2026-05", "2026-06-09")
			h.publish("2026-27", "2027-04-12", "2026-05 of 1", "2026-05 of 2")
			h.freeze()
		}, "2030-01-01", "1 2 3"},
		{"what was consulted and is still in current", func(h *history) {
			h.publish("2025-06", "2026-05-02")
			h.publish("2025-06", "2026-05-03")
			h.publish("2025-07", "2026-05-04", "2025-06 of 2")
			h.publish("2025-07", "2026-05-05", "2025-06 of 2")
		}, "2030-01-01", "2 4"},
		{"what was consulted by what was consulted", func(h *history) {
			h.publish("2025-05", "2026-05-01")
			h.publish("2025-05", "2026-05-02")
			h.publish("2025-06", "2026-05-03", "2025-05 of 1")
			h.publish("2025-06", "2026-05-04")
			h.publish("2025-07", "2026-05-05", "2025-06 of 3")
		}, "2030-01-01", "1 2 3 4 5"},
		{"what is not old", func(h *history) {
			h.publish("2025-06", "2026-05-02")
			h.publish("2025-06", "2026-05-03")
			h.publish("2025-06", "2026-05-04")
		}, "2026-05-03", "2 3"},
		{"what a change of key published, and what that rests on", func(h *history) {
			h.publish("2025-05", "2026-05-01")
			h.publish("2025-05", "2026-05-02")
			h.publish("2025-06", "2026-05-03", "2025-05 of 1")
			h.rekey()
			h.publish("2025-07", "2026-05-04")
		}, "2030-01-01", "1 4 5"},
		{"supplements prove nothing", func(h *history) {
			h.publish("2026-27", "2027-04-12")
			h.publish("2026-27-s1", "2027-04-02")
			h.publish("2026-27-s1", "2027-04-13")
		}, "2030-01-01", "1 3"},
	}
	deadlines := map[string]civil.Date{}
	for year, day := range map[string]string{"2025-26": "2026-04-10", "2026-27": "2027-04-10"} {
		deadlines[year], _ = civil.Parse(day)
	}
	for _, tt := range tests {
		t.Run(strings.ReplaceAll(tt.name, " ", "_"), func(t *testing.T) {
			h := &history{}
			tt.make(h)
			before, err := civil.Parse(tt.before)
			if err != nil {
				t.Fatal(err)
			}
			keep := retained(h.all[len(h.all)-1], h.all, before, deadlines)
			if got := strings.Join(slices.Sorted(maps.Keys(keep)), " "); got != tt.want {
				t.Errorf("kept %s; expected %s; %v", got, tt.want, keep)
			}
		})
	}
}

// What a purge that was cut off left of a record is swept, however new that is.
func TestPurgeCutOff(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "workspace")
	if err := workspace.Init(dir); err != nil {
		t.Fatal(err)
	}
	w, err := workspace.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	r := &run{cfg: Config{Workspace: w}}
	for _, name := range []string{"old", "other"} {
		if err := os.MkdirAll(filepath.Join(w.Runs(), name, "full"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.removeRecord("old"); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(w.Runs(), gonePrefix+"older"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Purge(PurgeConfig{Workspace: w, Before: civil.None}); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(w.Runs())
	if err != nil || len(left) != 1 || left[0].Name() != "other" {
		t.Errorf("left %v, %v; want the record that was not removed", left, err)
	}
}

// After a purge, what is published verifies, each period can be computed again as it
// was published, and a later run consults what it would have consulted before.
func TestPurge(t *testing.T) {
	t.Parallel()
	w := generated(t, "2026-05", "2026-06")
	if err := os.CopyFS(w.Inbox("2026-27"), os.DirFS(w.Inbox("2026-06"))); err != nil {
		t.Fatal(err)
	}
	config := func(period, asAt string) Config {
		parsed, err := contract.ParsePeriod(period)
		if err != nil {
			t.Fatal(err)
		}
		cfg := Config{Workspace: w, Period: parsed, AsAt: civil.None, AcceptAll: true, Threads: 1}
		if asAt != "" {
			cfg.AsAt, err = civil.Parse(asAt)
		}
		if err != nil {
			t.Fatal(err)
		}
		return cfg
	}
	for _, run := range [][2]string{
		{"2026-05", "2027-03-01"}, {"2026-06", "2027-03-02"}, {"2026-05", "2027-04-11"}, {"2026-05", "2027-04-12"}, {"2026-06", "2027-04-13"},
	} {
		publishing := config(run[0], run[1])
		publishing.Publish = true
		if _, err := Run(context.Background(), publishing); err != nil {
			t.Fatal(err)
		}
	}
	consults := func(period, asAt string) (list []snapshot.Evidence, isSame bool) {
		err := replay(context.Background(), config(period, asAt), func(r *run, s Standing) error {
			list, isSame = r.consulted(), s.IsSame
			slices.SortFunc(list, func(a, b snapshot.Evidence) int { return strings.Compare(a.Use+a.SHA256, b.Use+b.SHA256) })
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return list, isSame
	}
	before, _ := consults("2026-27", "2027-04-20")
	records, err := os.ReadDir(w.Runs())
	if err != nil {
		t.Fatal(err)
	}
	for _, record := range records {
		files, err := filepath.Glob(filepath.Join(w.Runs(), record.Name(), "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if err := os.Chtimes(file, time.Time{}, time.Date(2027, 4, 14, 12, 0, 0, 0, time.UTC)); err != nil {
				t.Fatal(err)
			}
		}
	}

	day, _ := civil.Parse("2027-05-01")
	tree := readTree(t, w.Dir)
	dry, err := Purge(PurgeConfig{Workspace: w, Before: day})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(tree, readTree(t, w.Dir)) {
		t.Error("without Remove something was changed")
	}
	purged, err := Purge(PurgeConfig{Workspace: w, Before: day, Remove: true})
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(dry) != fmt.Sprint(purged) {
		t.Errorf("removed %v; said %v", purged, dry)
	}
	var gone []string
	for _, old := range append(slices.Clone(purged.Snapshots), purged.Runs...) {
		if old.Keep == "" {
			gone = append(gone, old.Day.String())
		}
	}
	// The first publication of May is in the first of June too; its second proves nothing.
	if want := []string{"2027-03-01", "2027-04-11", "2027-04-14", "2027-04-14"}; !slices.Equal(gone, want) {
		t.Errorf("removed what is of %v; expected %v: %+v", gone, want, purged)
	}
	problems, err := (snapshot.Store{Dir: w.Published()}).Verify()
	if err != nil || len(problems) > 0 {
		t.Errorf("after the purge: %v, %v", problems, err)
	}
	for _, period := range []string{"2026-05", "2026-06"} {
		if _, isSame := consults(period, ""); !isSame {
			t.Errorf("%s is not computed as it was published", period)
		}
	}
	if after, _ := consults("2026-27", "2027-04-20"); !slices.Equal(before, after) || len(after) == 0 {
		t.Errorf("a later run consults %v; before the purge %v", after, before)
	}
	if again, err := Purge(PurgeConfig{Workspace: w, Before: day, Remove: true}); err != nil || slices.ContainsFunc(append(again.Snapshots, again.Runs...), func(o Old) bool { return o.Keep == "" }) {
		t.Errorf("a second purge: %+v, %v", again, err)
	}
}

// Staged files go once no run has used them for as long as is said, and no sooner.
func TestPurgeStagedFiles(t *testing.T) {
	t.Parallel()
	w := generated(t, "2026-06")
	asAt, _ := civil.Of(2026, 7, 1)
	all := stagedRun(t, w, asAt)
	notes, err := filepath.Glob(filepath.Join(w.Staged(), "*.json"))
	if err != nil || len(notes) != len(all.rows) {
		t.Fatalf("%d notes, %v; want %d", len(notes), err, len(all.rows))
	}
	used := time.Now()
	for i, path := range notes {
		on := used
		if i < 3 {
			on = used.AddDate(0, 0, -30)
		}
		if err := os.Chtimes(path, on, on); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct {
		days, unused, left int
		remove             bool
	}{{40, 0, len(notes), true}, {20, 3, len(notes), false}, {20, 3, len(notes) - 3, true}, {20, 0, len(notes) - 3, true}} {
		purged, err := Purge(PurgeConfig{Workspace: w, Before: civil.FromTime(used.AddDate(0, 0, -step.days)), Remove: step.remove})
		if err != nil {
			t.Fatal(err)
		}
		if purged.Staged.Files != step.unused || (purged.Staged.Bytes > 0) != (step.unused > 0) {
			t.Errorf("of %d days: %+v; want %d files", step.days, purged.Staged, step.unused)
		}
		if left, err := filepath.Glob(filepath.Join(w.Staged(), "*.parquet")); err != nil || len(left) != step.left {
			t.Errorf("of %d days: %d staged files are left, %v; want %d", step.days, len(left), err, step.left)
		}
	}
}
