package snapshot

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"ltcles/pipeline/schema"
)

func TestCommitAndReadBack(t *testing.T) {
	p := newPublishing(t)
	p.store.disk = disk{} // as it is for users, with every sync
	if current, err := p.store.Current(); current != nil || err != nil {
		t.Fatalf("Current() of an empty store = %v, %v", current, err)
	}
	if list, err := p.store.Snapshots(); len(list) != 0 || err != nil {
		t.Fatalf("Snapshots() of an empty store = %v, %v", list, err)
	}
	may, june := month(t, "2026-27", "2026-05", "2026-06-02"), month(t, "2026-27", "2026-06", "2026-07-02")
	if name := p.publish(t, may); name != "run-2026-05" {
		t.Errorf("first snapshot is %s", name)
	}
	if name := p.publish(t, june); name != "run-2026-06" {
		t.Errorf("second snapshot is %s", name)
	}
	if name := p.publish(t, june); name != "run-2026-06-2" {
		t.Errorf("the same run again is %s; its name was taken", name)
	}
	current, err := p.store.Current()
	if err != nil {
		t.Fatal(err)
	}
	if current.Name != "run-2026-06-2" || current.Manifest.RunID != "run-2026-06" {
		t.Errorf("current is %s of run %s", current.Name, current.Manifest.RunID)
	}
	if got, err := os.ReadFile(p.store.path("current/manifest.json")); err != nil || len(got) == 0 {
		t.Errorf("readers find no manifest through current: %v", err)
	}
	file, ok := current.File("fact_assessment", "2026-05")
	if want := "history/fact_assessment/2026-05.parquet"; !ok || file.Name != want || file.Rows != 3 {
		t.Errorf("File(fact_assessment, 2026-05) = %+v, %v", file, ok)
	}
	if sum, size, err := HashFile(current.Path(file.Name)); err != nil || sum != file.SHA256 || size != file.Bytes {
		t.Errorf("%s has %d bytes, %s; the manifest says %+v; %v", file.Name, size, sum, file, err)
	}
	if n := len(current.Manifest.Files); n != 3*len(schema.Tables()) {
		t.Errorf("the manifest lists %d files", n)
	}
	if want := []bool{false, true}; !slices.Equal(want, []bool{current.Manifest.Periods[0].Latest, current.Manifest.Periods[1].Latest}) {
		t.Errorf("periods are %+v", current.Manifest.Periods)
	}
	list, err := p.store.Snapshots()
	if err != nil || len(list) != 3 || list[0].Name != "run-2026-05" || list[2].Name != "run-2026-06-2" {
		t.Errorf("Snapshots() = %v, %v", list, err)
	}
	mustVerify(t, p.store)
}

func TestUnchangedHistoryIsShared(t *testing.T) {
	p := twoYears(t)
	list, err := p.store.Snapshots()
	if err != nil {
		t.Fatal(err)
	}
	stat := func(s *Snapshot, name string) os.FileInfo {
		info, err := os.Stat(s.Path(name))
		if err != nil {
			t.Fatal(err)
		}
		return info
	}
	old, recent := list[0], list[2]
	if name := "history/fact_assessment/2025-26.parquet"; !os.SameFile(stat(old, name), stat(recent, name)) {
		t.Errorf("%s is stored twice", name)
	}
	if name := "fact_assessment.parquet"; os.SameFile(stat(old, name), stat(recent, name)) {
		t.Errorf("%s is shared and was written anew", name)
	}
}

func TestWritingOverALinkLeavesTheOldFileAlone(t *testing.T) {
	p := twoYears(t)
	current, err := p.store.Current()
	if err != nil {
		t.Fatal(err)
	}
	draft, err := p.store.Begin("run-x")
	if err != nil {
		t.Fatal(err)
	}
	defer draft.Discard()
	const name = "history/fact_assessment/2025-26.parquet"
	if err := draft.LinkFrom(current, name); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(draft.Path(name), []byte("other"), 0o644); err != nil {
		t.Fatal(err)
	}
	mustVerify(t, p.store)
}

func TestPathStaysInside(t *testing.T) {
	draft, err := (Store{Dir: filepath.Join(t.TempDir(), "published")}).Begin("run")
	if err != nil {
		t.Fatal(err)
	}
	defer draft.Discard()
	for _, name := range []string{"a.parquet", "../a.parquet", "/a.parquet", "history/../../a.parquet"} {
		if got := draft.Path(name); filepath.Dir(got) != draft.dir {
			t.Errorf("Path(%s) = %s", name, got)
		}
	}
}

func TestCommitRefuses(t *testing.T) {
	own := month(t, "2026-27", "2026-06", "2026-07-02")
	other := func(change func(*PublishedPeriod)) PublishedPeriod {
		p := own
		p.Latest = true
		change(&p)
		return p
	}
	latest := other(func(*PublishedPeriod) {})
	cases := []struct {
		name   string
		spoil  func(*testing.T, *publishing, *Draft, *Manifest)
		expect string
	}{
		{"unknown table", func(t *testing.T, _ *publishing, d *Draft, _ *Manifest) {
			replaceFile(t, d.Path("fact_asessment.parquet"), nil)
		}, "fact_asessment.parquet: is no published table"},
		{"table in another place", func(t *testing.T, _ *publishing, d *Draft, _ *Manifest) {
			replaceFile(t, d.Path("old/fact_file.parquet"), nil)
		}, "is no published table"},
		{"no Parquet", func(t *testing.T, _ *publishing, d *Draft, _ *Manifest) {
			replaceFile(t, d.Path("fact_file.parquet"), []byte("PAR1 and nothing else PAR1"))
		}, "fact_file.parquet"},
		{"run id", func(_ *testing.T, _ *publishing, _ *Draft, m *Manifest) { m.RunID = "other" }, "run id other; expected run-2026-06"},
		{"own period", func(_ *testing.T, _ *publishing, _ *Draft, m *Manifest) { m.Period = "2026-07" }, "period 2026-07 of contract year 2026-27, which the run is for"},
		{"as-at", func(t *testing.T, _ *publishing, _ *Draft, m *Manifest) { m.AsAt = day(t, "2026-07-03") }, "another run id, as-at date or key id"},
		{"two latest", func(_ *testing.T, _ *publishing, _ *Draft, m *Manifest) {
			m.Periods = append(m.Periods, other(func(p *PublishedPeriod) { p.Period = "2026-05" }))
		}, `is marked "2026-06 2026-05"; expected 2026-06`},
		{"month after the year end", func(_ *testing.T, _ *publishing, _ *Draft, m *Manifest) {
			m.Periods = append(m.Periods, other(func(p *PublishedPeriod) { p.Period, p.Latest = "2026-27", false }))
		}, `is marked "2026-06"; expected 2026-27`},
		{"supplement marked", func(_ *testing.T, _ *publishing, _ *Draft, m *Manifest) {
			m.Periods = []PublishedPeriod{other(func(p *PublishedPeriod) { p.Latest = false }), other(func(p *PublishedPeriod) { p.Period = "2026-27-s1" })}
		}, `is marked "2026-27-s1"; expected 2026-06`},
		{"period twice", func(_ *testing.T, _ *publishing, _ *Draft, m *Manifest) {
			m.Periods = append(m.Periods, other(func(p *PublishedPeriod) { p.Latest = false }))
		}, "is there twice"},
		{"month of another year", func(_ *testing.T, _ *publishing, _ *Draft, m *Manifest) {
			m.Periods = append(m.Periods, other(func(p *PublishedPeriod) { p.Period = "2027-04" }))
		}, "period 2027-04 of contract year 2026-27 is no period"},
		{"changed history", func(t *testing.T, p *publishing, d *Draft, _ *Manifest) {
			current, err := p.store.Current()
			if err != nil {
				t.Fatal(err)
			}
			const name = "history/fact_assessment/2026-05.parquet"
			if err := d.LinkFrom(current, name); err != nil {
				t.Fatal(err)
			}
			data, err := os.ReadFile(current.Path(name))
			if err != nil {
				t.Fatal(err)
			}
			data[40] ^= 1
			if err := os.WriteFile(current.Path(name), data, 0o644); err != nil {
				t.Fatal(err)
			}
		}, "history/fact_assessment/2026-05.parquet: was changed after it was published; run ltcles verify, which names every such file, and restore it from a backup"},
	}
	for _, c := range cases {
		t.Run(strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) {
			p := newPublishing(t)
			p.publish(t, month(t, "2026-27", "2026-05", "2026-06-02"))
			draft, err := p.store.Begin(own.RunID)
			if err != nil {
				t.Fatal(err)
			}
			manifest := manifestOf(own, latest)
			c.spoil(t, p, draft, &manifest)
			name, err := draft.Commit(manifest)
			if name != "" || err == nil || !strings.Contains(err.Error(), c.expect) {
				t.Errorf("Commit = %q, %v; expected %q", name, err, c.expect)
			}
			if err := draft.Discard(); err != nil {
				t.Error(err)
			}
			if current, err := p.store.Current(); err != nil || current.Name != "run-2026-05" {
				t.Errorf("current is %v, %v", current, err)
			}
			if entries, _ := os.ReadDir(p.store.snapshots()); len(entries) != 1 {
				t.Errorf("snapshots/ holds %v", entries)
			}
		})
	}
	t.Run("twice", func(t *testing.T) {
		p := newPublishing(t)
		draft, manifest := p.draft(t, own, onePeriod(t, own))
		if _, err := draft.Commit(manifest); err != nil {
			t.Fatal(err)
		}
		if _, err := draft.Commit(manifest); err == nil {
			t.Error("a second Commit succeeds")
		}
		if err := draft.Discard(); err != nil {
			t.Error(err)
		}
		mustVerify(t, p.store)
	})
}

func TestBeginRefusesNamesThatAreNone(t *testing.T) {
	store := Store{Dir: t.TempDir()}
	for _, id := range []string{"", ".", "..", "a/b", `a\b`, ".draft-x", "a b", strings.Repeat("a", 201)} {
		if _, err := store.Begin(id); err == nil {
			t.Errorf("Begin(%q) succeeds", id)
		}
	}
}

func TestManifestBytesAreTheSameEachTime(t *testing.T) {
	read := func() []byte {
		data, err := os.ReadFile(twoYears(t).store.path("current/manifest.json"))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	if !bytes.Equal(read(), read()) {
		t.Error("two stores that published the same have other manifests")
	}

	year, may, june := month(t, "2025-26", "2025-26", "2026-04-14"), month(t, "2026-27", "2026-05", "2026-06-02"), month(t, "2026-27", "2026-06", "2026-07-02")
	m := manifestOf(june, year, may, june)
	m.Accepted = []Accepted{{"a & b.csv", "asked <twice>"}, {"c.csv", ""}}
	m.Inputs = []Input{{File: "a.csv"}, {File: "b.csv"}}
	m.Evidence = []Evidence{{"last_year", "fact_assessment", "2025-26", "2025-26", "1"}, {"previous_period", "fact_assessment", "2026-27", "2026-05", "2"}}
	m.Files = []File{{Name: "a.parquet"}, {Name: "b.parquet"}}
	want, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(m.Accepted)
	slices.Reverse(m.Inputs)
	slices.Reverse(m.Evidence)
	slices.Reverse(m.Files)
	slices.Reverse(m.Periods)
	got, err := m.Encode()
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("another order of the lists gives other bytes, %v:\n%s\n%s", err, got, want)
	}
	if m.Files[0].Name != "b.parquet" {
		t.Error("Encode sorts the caller's lists")
	}
	if !bytes.Contains(want, []byte(`"a & b.csv"`)) || !bytes.Contains(want, []byte(`"as_at": "2026-07-02"`)) || bytes.Contains(want, []byte("null")) {
		t.Errorf("manifest is\n%s", want)
	}
}

func TestEveryByteOfTheManifestIsSealed(t *testing.T) {
	p := newPublishing(t)
	own := month(t, "2026-27", "2026-06", "2026-07-02")
	own.Latest = true
	publishSmall(t, p.store, own)
	path := p.store.path("current/manifest.json")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for at := range whole {
		for _, bit := range []byte{0x01, 0x20} { // 0x20 changes the case of letters, which JSON keys do not mind
			damaged := slices.Clone(whole)
			damaged[at] ^= bit
			if err := os.WriteFile(path, damaged, 0o644); err != nil {
				t.Fatal(err)
			}
			if _, err := p.store.Current(); err == nil || strings.Contains(err.Error(), "\n") {
				t.Fatalf("byte %d of manifest.json flipped: %v", at, err)
			}
		}
	}
}

func TestPeriodsAreInOrder(t *testing.T) {
	order := []string{"2025-26 2025-26", "2026-27 2026-04", "2026-27 2026-12", "2026-27 2027-01", "2026-27 2027-03",
		"2026-27 2026-27", "2026-27 2026-27-s1", "2026-27 2026-27-s2", "2026-27 2026-27-s10"}
	for i := range order {
		for j := range order {
			a, b := strings.Fields(order[i]), strings.Fields(order[j])
			if got := comparePeriods(a[0], a[1], b[0], b[1]); got != cmpInt(i, j) {
				t.Errorf("%s against %s: %d", order[i], order[j], got)
			}
		}
	}
	for _, none := range []string{"2026-03", "2027-04", "2026-13", "2026-27-s", "2026-27-sx", "2026", "", "2026-6", "2025-26"} {
		if periodKind("2026-27", none) != unknownPeriod {
			t.Errorf("%q is a period of 2026-27", none)
		}
	}
	for _, year := range []string{"2026-28", "2026", "2026-7", "abcd-27"} {
		if periodKind(year, year) != unknownPeriod {
			t.Errorf("%q is a contract year", year)
		}
	}
}

func cmpInt(a, b int) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// The forms of current, and of file systems under it.
func forms() map[string]disk {
	return map[string]disk{
		"link":      {noSync: true},
		"directory": {noSync: true, noSymlinks: true},
		"copies":    {noSync: true, noSymlinks: true, noHardLinks: true},
	}
}

func TestWithoutLinksCurrentIsADirectory(t *testing.T) {
	for name, form := range forms() {
		t.Run(name, func(t *testing.T) {
			p := newPublishing(t)
			p.store.disk = form
			p.publish(t, month(t, "2026-27", "2026-05", "2026-06-02"))
			p.publish(t, month(t, "2026-27", "2026-06", "2026-07-02"))
			info, err := os.Lstat(p.store.path("current"))
			if err != nil || info.IsDir() == (name == "link") {
				t.Errorf("current is %v, %v", info, err)
			}
			if current, err := p.store.Current(); err != nil || current.Dir != filepath.Join(p.store.snapshots(), "run-2026-06") {
				t.Errorf("Current() = %v, %v", current, err)
			}
			mustVerify(t, p.store)

			p.store.disk = disk{} // links work from now on, or on another machine
			p.publish(t, month(t, "2026-27", "2026-07", "2026-08-02"))
			mustVerify(t, p.store)
			p.store.disk = disk{noSymlinks: true}
			p.publish(t, month(t, "2026-27", "2026-08", "2026-09-02"))
			mustVerify(t, p.store)
			if entries, _ := os.ReadDir(p.store.Dir); len(entries) != 2 {
				t.Errorf("published/ holds %v", entries)
			}
		})
	}
}

func TestVerifyComparesADirectoryWithItsSnapshot(t *testing.T) {
	for _, file := range []string{"dim_code.parquet", "manifest.json"} {
		p := newPublishing(t)
		p.store.disk = disk{noSymlinks: true}
		p.publish(t, month(t, "2026-27", "2026-06", "2026-07-02"))
		replaceFile(t, p.store.path("current/"+file), []byte("x"))
		problems, err := p.store.Verify()
		if err != nil || len(problems) != 1 || problems[0].File != "current/"+file {
			t.Errorf("%s: problems are %v, %v", file, problems, err)
		}
	}
}

// Between the two renames of a directory there is no current.
func TestVerifyBetweenTheRenamesOfADirectory(t *testing.T) {
	p := newPublishing(t)
	p.store.disk = disk{noSymlinks: true}
	p.publish(t, month(t, "2026-27", "2026-06", "2026-07-02"))
	if err := os.Rename(p.store.path(currentName), p.store.path(previousName)); err != nil {
		t.Fatal(err)
	}
	problems, err := p.store.Verify()
	if err != nil || len(problems) != 1 || problems[0].File != currentName || !strings.Contains(problems[0].What, "the next run puts it back") {
		t.Errorf("problems are %v, %v", problems, err)
	}
}

var errKilled = errors.New("killed")

// Killed at any change to the file system, and started again, readers have the old snapshot or
// the new one, complete, and nothing else is left. The same where a change fails once, as on a
// full disk, and the program goes on to clean up.
func TestCommitAtEveryFault(t *testing.T) {
	may, june := month(t, "2026-27", "2026-05", "2026-06-02"), month(t, "2026-27", "2026-06", "2026-07-02")
	may.Latest, june.Latest = true, true
	for formName, form := range forms() {
		for _, first := range []bool{true, false} {
			for _, killed := range []bool{true, false} {
				name := fmt.Sprintf("%s/first_%t/killed_%t", formName, first, killed)
				t.Run(name, func(t *testing.T) {
					old, seenOld, seenNew := "", 0, 0
					if !first {
						old = "run-2026-05"
					}
					for at := 1; ; at++ {
						store := Store{Dir: filepath.Join(t.TempDir(), "published"), disk: form}
						if !first {
							publishSmall(t, store, may)
						}
						step := 0
						faulty := store
						faulty.disk.before = func(string, string) error {
							if step++; step == at || killed && step > at {
								return errKilled
							}
							return nil
						}
						committed, err := commitSmall(t, faulty, june)
						if step < at {
							if err != nil || committed != "run-2026-06" {
								t.Fatalf("without a fault: %q, %v", committed, err)
							}
							if at < 18 || seenOld == 0 || seenNew == 0 {
								t.Errorf("%d steps, %d ended with the old snapshot, %d with the new", at, seenOld, seenNew)
							}
							return
						}
						if err == nil {
							t.Fatalf("step %d fails and nobody says so", at)
						}
						now := nameOfCurrent(t, store)
						switch {
						case now == old && committed == "":
							seenOld++
						case now == "run-2026-06" && (committed == now || killed):
							seenNew++
						default:
							t.Fatalf("step %d: current is %q, Commit says %q", at, now, committed)
						}
						if list, err := store.Snapshots(); err != nil || slices.ContainsFunc(list, func(s *Snapshot) bool { return s.Name != old && s.Name != now && s.Name != "run-2026-05" }) {
							t.Fatalf("step %d: Snapshots() = %v, %v", at, list, err)
						}
						if killed || committed != "" { // a fault while .previous goes leaves it to the sweep
							if err := store.Sweep(); err != nil {
								t.Fatalf("step %d: %v", at, err)
							}
						}
						want := map[string]bool{old: true, now: true}
						delete(want, "")
						mustHold(t, store, at, want, now)
						publishSmall(t, store, june)
					}
				})
			}
		}
	}
}

// A panic at any step of a commit is an error, with a name just where readers see the snapshot.
func TestCommitAtEveryPanic(t *testing.T) {
	may, june := month(t, "2026-27", "2026-05", "2026-06-02"), month(t, "2026-27", "2026-06", "2026-07-02")
	may.Latest, june.Latest = true, true
	for formName, form := range forms() {
		t.Run(formName, func(t *testing.T) {
			seenOld, seenNew := 0, 0
			for at := 1; ; at++ {
				store := Store{Dir: filepath.Join(t.TempDir(), "published"), disk: form}
				publishSmall(t, store, may)
				draft, err := beginSmall(t, store, june)
				if err != nil {
					t.Fatal(err)
				}
				step := 0
				draft.store.disk.before = func(string, string) error {
					if step++; step == at {
						panic("stop")
					}
					return nil
				}
				committed, err := draft.Commit(manifestOf(june, june))
				if step < at {
					if err != nil || committed != "run-2026-06" || seenOld < 10 || seenNew < 1 {
						t.Errorf("%d steps, %d ended with the old snapshot, %d with the new; without a panic: %q, %v", at, seenOld, seenNew, committed, err)
					}
					return
				}
				switch now := nameOfCurrent(t, store); {
				case err == nil:
					t.Fatalf("step %d panics and nobody says so", at)
				case now == "run-2026-05" && committed == "":
					seenOld++
				case now == "run-2026-06" && committed == now:
					seenNew++
				default:
					t.Fatalf("step %d: current is %q, Commit says %q", at, now, committed)
				}
			}
		})
	}
}

func TestSweepAtEveryFault(t *testing.T) {
	may, june := month(t, "2026-27", "2026-05", "2026-06-02"), month(t, "2026-27", "2026-06", "2026-07-02")
	may.Latest, june.Latest = true, true
	for formName, form := range forms() {
		t.Run(formName, func(t *testing.T) {
			// killAt publishes, killed at a step, over a published May; false where there is no such step.
			killAt := func(at int) (Store, bool) {
				store := Store{Dir: filepath.Join(t.TempDir(), "published"), disk: form}
				publishSmall(t, store, may)
				step, faulty := 0, store
				faulty.disk.before = func(string, string) error {
					if step++; step >= at {
						return errKilled
					}
					return nil
				}
				_, _ = commitSmall(t, faulty, june)
				return store, step >= at
			}
			for at := 1; ; at++ {
				for sweepAt := 1; ; sweepAt++ {
					store, killed := killAt(at)
					if !killed {
						return
					}
					before := nameOfCurrent(t, store)
					step, faulty := 0, store
					faulty.disk.before = func(string, string) error {
						if step++; step >= sweepAt {
							return errKilled
						}
						return nil
					}
					err := faulty.Sweep()
					if after := nameOfCurrent(t, store); after != before {
						t.Fatalf("killed at %d, swept to %d: current goes from %s to %s", at, sweepAt, before, after)
					}
					if err := store.Sweep(); err != nil {
						t.Fatal(err)
					}
					mustHold(t, store, at, map[string]bool{"run-2026-05": true, before: true}, before)
					if err == nil {
						break
					}
				}
			}
		})
	}
}

func TestSweepOfACleanStoreChangesNothing(t *testing.T) {
	if err := (Store{Dir: filepath.Join(t.TempDir(), "published")}).Sweep(); err != nil {
		t.Errorf("sweep of nothing: %v", err)
	}
	p := twoYears(t)
	before := tree(t, p.store.Dir)
	for range 2 {
		if err := p.store.Sweep(); err != nil {
			t.Fatal(err)
		}
	}
	if after := tree(t, p.store.Dir); !slices.Equal(before, after) {
		t.Errorf("sweep changes %v to %v", before, after)
	}
}

// What was synced when: a power cut keeps what was synced and may keep or lose the rest, so
// each step of the commit must be on disk before the next is taken.
func TestCommitSyncsBeforeItRenames(t *testing.T) {
	june := month(t, "2026-27", "2026-06", "2026-07-02")
	june.Latest = true
	for formName, form := range forms() {
		t.Run(formName, func(t *testing.T) {
			store := Store{Dir: filepath.Join(t.TempDir(), "published"), disk: form}
			var steps []string
			store.disk.before = func(op, path string) error {
				name, err := filepath.Rel(store.Dir, path)
				if err != nil {
					t.Fatal(err)
				}
				name = filepath.ToSlash(name)
				if i := strings.Index(name, draftPrefix); i >= 0 {
					_, rest, _ := strings.Cut(name[i:], "/")
					name = strings.TrimSuffix("DRAFT/"+rest, "/")
				}
				steps = append(steps, op+" "+name)
				return nil
			}
			publishSmall(t, store, june)
			last := -1
			for _, want := range []string{
				"write DRAFT/manifest.json", "sync DRAFT/manifest.json", "sync DRAFT", // the whole snapshot
				"sync .", // .next
				"rename snapshots/run-2026-06", "sync snapshots", "rename current", "sync .",
			} {
				i := slices.Index(steps[last+1:], want)
				if i < 0 {
					t.Fatalf("no %q after step %d of:\n%s", want, last, strings.Join(steps, "\n"))
				}
				last += 1 + i
			}
			renamed := slices.Index(steps, "rename snapshots/run-2026-06")
			for _, want := range []string{"sync DRAFT/fact_file.parquet", "sync DRAFT/history/fact_file/2026-06.parquet",
				"sync DRAFT/history/fact_file", "sync DRAFT/history", "sync DRAFT"} {
				if i := slices.Index(steps, want); i < 0 || i > renamed {
					t.Errorf("%q is step %d; expected before step %d", want, i, renamed)
				}
			}
		})
	}
}

// publishSmall publishes one table of one period; Verify would miss the others.
func publishSmall(t testing.TB, store Store, own PublishedPeriod) {
	t.Helper()
	if _, err := commitSmall(t, store, own); err != nil {
		t.Fatal(err)
	}
}

func commitSmall(t testing.TB, store Store, own PublishedPeriod) (string, error) {
	t.Helper()
	draft, err := beginSmall(t, store, own)
	if err != nil {
		return "", err
	}
	defer func() { _ = draft.Discard() }()
	return draft.Commit(manifestOf(own, own))
}

func beginSmall(t testing.TB, store Store, own PublishedPeriod) (*Draft, error) {
	t.Helper()
	draft, err := store.Begin(own.RunID)
	if err != nil {
		return nil, err
	}
	table, _ := schema.Lookup("fact_file")
	rows := arrange(table, onePeriod(t, own)["fact_file"])
	writeParquet(t, draft.Path("fact_file.parquet"), table, rows)
	writeParquet(t, draft.Path("history/fact_file/"+own.Period+".parquet"), table, rows)
	return draft, nil
}

func nameOfCurrent(t testing.TB, store Store) string {
	t.Helper()
	current, err := store.Current()
	if err != nil {
		t.Fatal(err)
	}
	if current == nil {
		return ""
	}
	return current.Name
}

// mustHold says that the store has these snapshots, whole, and nothing besides.
func mustHold(t testing.TB, store Store, at int, names map[string]bool, current string) {
	t.Helper()
	var want []string
	for name := range names {
		want = append(want, name)
	}
	slices.Sort(want)
	var got []string
	entries, err := os.ReadDir(store.snapshots())
	if err != nil && len(want) > 0 {
		t.Fatal(err)
	}
	for _, entry := range entries {
		got = append(got, entry.Name())
	}
	if !slices.Equal(got, want) {
		t.Fatalf("step %d: snapshots/ holds %v, want %v", at, got, want)
	}
	got, want = nil, []string{snapshotsDir}
	if current != "" {
		want = []string{currentName, snapshotsDir}
	}
	entries, _ = os.ReadDir(store.Dir)
	for _, entry := range entries {
		got = append(got, entry.Name())
	}
	if !slices.Equal(got, want) && len(entries) > 0 {
		t.Fatalf("step %d: published/ holds %v, want %v", at, got, want)
	}
	r := newReport()
	list, err := store.Snapshots()
	if err != nil {
		t.Fatal(err)
	}
	for _, snapshot := range list {
		if _, err := verifyFiles(r, snapshot.Dir, "", snapshot.Manifest, hashes{}, nil); err != nil {
			t.Fatal(err)
		}
		if snapshot.Name == current {
			if _, err := verifyFiles(r, store.path(currentName)+"/", "", snapshot.Manifest, hashes{}, []string{manifestName, nameFile}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if problems := r.problems(); len(problems) > 0 {
		t.Fatalf("step %d: %v", at, problems)
	}
}

func TestLinksAndLeftovers(t *testing.T) {
	for _, c := range []struct{ symbolic, hard bool }{{true, true}, {false, true}, {true, false}, {false, false}} {
		store := Store{Dir: t.TempDir(), disk: disk{noSymlinks: !c.symbolic, noHardLinks: !c.hard}}
		symbolic, hard, err := store.Links()
		if err != nil || symbolic != (c.symbolic && runtime.GOOS != "windows") || hard != c.hard {
			t.Errorf("%+v: Links = %v, %v, %v", c, symbolic, hard, err)
		}
		if left, err := store.Leftovers(); err != nil || left != nil {
			t.Errorf("%+v: it left %v, %v", c, left, err)
		}
	}
	store := Store{Dir: t.TempDir()}
	for _, name := range []string{"snapshots/.draft-one-1", "snapshots/whole", ".next", ".previous"} {
		if err := os.MkdirAll(store.path(name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if left, err := store.Leftovers(); err != nil || !slices.Equal(left, []string{".next", ".previous", "snapshots/.draft-one-1"}) {
		t.Errorf("Leftovers = %v, %v", left, err)
	}
}

// Killed at any step of a removal, and started again, a snapshot is whole or gone.
func TestRemoveAtEveryFault(t *testing.T) {
	may, june := month(t, "2026-27", "2026-05", "2026-06-02"), month(t, "2026-27", "2026-06", "2026-07-02")
	may.Latest, june.Latest = true, true
	for at := 1; ; at++ {
		store := Store{Dir: t.TempDir(), disk: disk{noSync: true}}
		publishSmall(t, store, may)
		publishSmall(t, store, june)
		step, renamed := 0, false
		faulty := store
		faulty.disk.before = func(op, _ string) error {
			if step++; step >= at {
				return errKilled
			}
			renamed = renamed || op == "rename"
			return nil
		}
		err := faulty.Remove("run-2026-05")
		if (err == nil) != (step < at) {
			t.Fatalf("killed at step %d of %d: %v", at, step, err)
		}
		if err := store.Sweep(); err != nil {
			t.Fatal(err)
		}
		snapshots, listErr := store.Snapshots()
		if listErr != nil || nameOfCurrent(t, store) != "run-2026-06" || len(snapshots) > 2 || len(snapshots) == 2 && renamed {
			t.Fatalf("killed at step %d: %d snapshots, %v", at, len(snapshots), listErr)
		}
		if left, err := store.Leftovers(); err != nil || left != nil {
			t.Fatalf("killed at step %d: it left %v, %v", at, left, err)
		}
		if err == nil {
			break
		}
	}
	store := Store{Dir: t.TempDir(), disk: disk{noSync: true}}
	publishSmall(t, store, may)
	for _, name := range []string{"run-2026-05", "run-2026-06", "..", ""} {
		if err := store.Remove(name); err == nil {
			t.Errorf("Remove(%q) removed it", name)
		}
	}
	if nameOfCurrent(t, store) != "run-2026-05" {
		t.Error("the current snapshot is gone")
	}
}
