package snapshot

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"ltcles/pipeline/schema"
)

// frozenStore holds a year end that was published, looked at, frozen, and then followed by a month
// that was run again and by a supplement.
func frozenStore(t testing.TB) *publishing {
	p := newPublishing(t)
	p.publish(t, month(t, "2026-27", "2027-03", "2027-04-02"))
	p.publish(t, month(t, "2026-27", "2026-27", "2027-04-14"))
	p.freeze(t, "run-frozen")
	again := month(t, "2026-27", "2027-03", "2027-05-02")
	again.RunID = "run-later"
	p.publish(t, again)
	p.publish(t, month(t, "2026-27", "2026-27-s1", "2027-05-20"))
	return p
}

// copied is a store of its own with the same files.
func (p *publishing) copied(t testing.TB) *publishing {
	t.Helper()
	other := newPublishing(t)
	if err := os.CopyFS(other.store.Dir, os.DirFS(p.store.Dir)); err != nil {
		t.Fatal(err)
	}
	other.worlds = maps.Clone(p.worlds)
	return other
}

func (p *publishing) freeze(t testing.TB, runID string) {
	t.Helper()
	draft, manifest := p.freezing(t, runID)
	if _, err := draft.Commit(manifest); err != nil {
		t.Fatal(err)
	}
}

// freezing is the draft of a freeze.
func (p *publishing) freezing(t testing.TB, runID string) (*Draft, Manifest) {
	t.Helper()
	own := month(t, "2026-27", "2026-27", "2027-04-14")
	own.RunID, own.Status = runID, Final
	draft, manifest := p.draft(t, own, onePeriod(t, own))
	manifest.Freeze = &Freeze{Missing: []MissingPractice{{"Z00002", "closed on 1 May"}}}
	manifest.Inputs = []Input{{File: "a.csv", SHA256: patientKey(1), Bytes: 1, Status: "read"}}
	manifest.Reference = []Reference{{File: "ltcles.yaml", SHA256: patientKey(2)}}
	return draft, manifest
}

func TestFrozenYearEndVerifiesWhateverFollows(t *testing.T) {
	p := frozenStore(t)
	mustVerify(t, p.store)
	current, err := p.store.Current()
	if err != nil {
		t.Fatal(err)
	}
	frozen := current.Period("2026-27")
	if frozen == nil || frozen.RunID != "run-frozen" || frozen.Status != Final || len(frozen.Seal) != 64 || !frozen.Latest {
		t.Errorf("the frozen year end is %+v", frozen)
	}
	if s1 := current.Period("2026-27-s1"); s1 == nil || s1.Status != Provisional || s1.Seal != "" || s1.Latest {
		t.Errorf("the supplement is %+v", s1)
	}
	all, err := p.store.Snapshots()
	if err != nil || len(all) != 5 {
		t.Fatalf("%d snapshots, %v", len(all), err)
	}
	if breaches := Breaches(current, all); breaches != nil {
		t.Errorf("breaches are %q", breaches)
	}
}

// Whatever is exchanged, with the manifest that lists it and that manifest's hash, another
// snapshot knows better.
func TestVerifyKnowsAFrozenYearEndFromAForgery(t *testing.T) {
	const (
		first  = "snapshots/run-frozen/manifest.json"
		middle = "snapshots/run-later/manifest.json"
		last   = "snapshots/run-2026-27-s1/manifest.json"
		table  = "history/fact_practice_position/2026-27.parquet"
	)
	own := func(change func(*PublishedPeriod)) func(*Manifest) {
		return func(m *Manifest) {
			change(&m.Periods[slices.IndexFunc(m.Periods, func(p PublishedPeriod) bool { return p.Period == "2026-27" })])
		}
	}
	cases := []struct {
		name, snapshot string
		forge          func(t *testing.T, p *publishing, m *Manifest)
		file, want     string
	}{
		{"table of a later snapshot", "run-later", func(t *testing.T, p *publishing, m *Manifest) { p.exchange(t, "run-later", table, m) }, middle, "has " + table + " with SHA-256 "},
		{"table of the current snapshot", "run-2026-27-s1", func(t *testing.T, p *publishing, m *Manifest) { p.exchange(t, "run-2026-27-s1", table, m) }, last, "has " + table + " with SHA-256 "},
		{"table of the frozen snapshot", "run-frozen", func(t *testing.T, p *publishing, m *Manifest) { p.exchange(t, "run-frozen", table, m) }, first, "is under seal "},
		{"table of the frozen snapshot and its seal", "run-frozen", func(t *testing.T, p *publishing, m *Manifest) {
			p.exchange(t, "run-frozen", table, m)
			own(func(p *PublishedPeriod) { p.Seal = m.seal() })(m)
		}, middle, "has " + table + " with SHA-256 "},
		{"inputs of the frozen snapshot and its seal", "run-frozen", func(_ *testing.T, _ *publishing, m *Manifest) {
			m.Inputs[0].SHA256 = patientKey(3)
			own(func(p *PublishedPeriod) { p.Seal = m.seal() })(m)
		}, last, "has period 2026-27 under seal "},
		{"reason of the frozen snapshot", "run-frozen", func(_ *testing.T, _ *publishing, m *Manifest) { m.Freeze.Missing[0].Reason = "asked for" }, first, "is under seal "},
		{"status of a later snapshot", "run-later", func(_ *testing.T, _ *publishing, m *Manifest) {
			own(func(p *PublishedPeriod) { p.Status, p.Seal = Provisional, "" })(m)
		}, middle, "has period 2026-27 as provisional; expected final"},
		{"run of the current snapshot", "run-2026-27-s1", func(_ *testing.T, _ *publishing, m *Manifest) {
			own(func(p *PublishedPeriod) { p.RunID, p.Status, p.Seal = "run-other", Provisional, "" })(m)
		}, last, "lacks period 2026-27 as snapshot run-frozen froze it"},
		{"a second freeze", "run-2026-27", func(_ *testing.T, _ *publishing, m *Manifest) {
			m.Freeze = &Freeze{}
			own(func(p *PublishedPeriod) { p.Status, p.Seal = Final, m.seal() })(m)
		}, last, "lacks period 2026-27 as snapshot run-2026-27 froze it"},
	}
	frozen := frozenStore(t)
	for _, c := range cases {
		t.Run(strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) {
			p := frozen.copied(t)
			p.forge(t, c.snapshot, func(m *Manifest) { c.forge(t, p, m) })
			problems, err := p.store.Verify()
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(problems, func(problem Problem) bool {
				return problem.File == c.file && strings.Contains(problem.What, c.want)
			}) {
				t.Errorf("no problem of %s says %q; problems are %v", c.file, c.want, problems)
			}
		})
	}
}

func TestVerifyMissesTheFrozenSnapshot(t *testing.T) {
	p := frozenStore(t)
	remove(t, p.store.path("snapshots/run-frozen"))
	problems, err := p.store.Verify()
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, problem := range problems {
		files = append(files, problem.File)
		if problem.What != "has period 2026-27 as run run-frozen froze it, and no snapshot of that run is there; restore that from a backup" {
			t.Errorf("problem %s", problem)
		}
	}
	if want := []string{"snapshots/run-2026-27-s1/manifest.json", "snapshots/run-later/manifest.json"}; !slices.Equal(files, want) {
		t.Errorf("problems of %q; expected %q", files, want)
	}
}

func TestVerifyOfALinkFromBeforeTheFreeze(t *testing.T) {
	p := frozenStore(t)
	remove(t, p.store.path(currentName))
	if err := os.Symlink("snapshots/run-2026-27", p.store.path(currentName)); err != nil {
		t.Fatal(err)
	}
	problems, err := p.store.Verify()
	if err != nil || len(problems) != 1 || problems[0].String() != "snapshots/run-2026-27/manifest.json: lacks period 2026-27 as snapshot run-frozen froze it; make current lead to a snapshot that holds it" {
		t.Errorf("problems are %v, %v", problems, err)
	}
}

// No draft can take the place of a frozen year end, whatever it says of it.
func TestCommitLeavesAFrozenYearEndAlone(t *testing.T) {
	cases := []struct {
		name  string
		draft func(t *testing.T, p *publishing) (*Draft, Manifest)
		want  string
	}{
		{"provisional", func(t *testing.T, p *publishing) (*Draft, Manifest) {
			own := month(t, "2026-27", "2026-27", "2027-06-01")
			own.RunID = "run-again"
			return p.draft(t, own, onePeriod(t, own))
		}, "lacks period 2026-27 as snapshot run-frozen froze it"},
		{"the same run", func(t *testing.T, p *publishing) (*Draft, Manifest) {
			own := month(t, "2026-27", "2026-27", "2027-04-14")
			own.RunID = "run-frozen"
			return p.draft(t, own, onePeriod(t, own))
		}, "has period 2026-27 as provisional; expected final"},
		{"frozen again", func(t *testing.T, p *publishing) (*Draft, Manifest) { return p.freezing(t, "run-again") }, "lacks period 2026-27 as snapshot run-frozen froze it"},
		{"frozen again by the same run", func(t *testing.T, p *publishing) (*Draft, Manifest) {
			draft, manifest := p.freezing(t, "run-frozen")
			manifest.Freeze.Missing = nil
			return draft, manifest
		}, "has period 2026-27 under seal "},
		{"left out", func(t *testing.T, p *publishing) (*Draft, Manifest) {
			draft, manifest := p.draft(t, month(t, "2026-27", "2027-02", "2027-03-02"), onePeriod(t, month(t, "2026-27", "2027-02", "2027-03-02")))
			manifest.Periods = slices.DeleteFunc(manifest.Periods, func(p PublishedPeriod) bool { return p.Period == "2026-27" })
			manifest.Periods[slices.IndexFunc(manifest.Periods, func(p PublishedPeriod) bool { return p.Period == "2027-03" })].Latest = true
			return draft, manifest
		}, "lacks period 2026-27 as snapshot run-frozen froze it"},
		{"a table of it written again", func(t *testing.T, p *publishing) (*Draft, Manifest) {
			own := month(t, "2026-27", "2027-02", "2027-03-02")
			draft, manifest := p.draft(t, own, onePeriod(t, own))
			table, _ := schema.Lookup("fact_file")
			writeParquet(t, draft.Path(TableFile(table.Name, "2026-27")), table, nil)
			return draft, manifest
		}, "has history/fact_file/2026-27.parquet with SHA-256 "},
	}
	frozen := frozenStore(t)
	for _, c := range cases {
		t.Run(strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) {
			p := frozen.copied(t)
			draft, manifest := c.draft(t, p)
			name, err := draft.Commit(manifest)
			if name != "" || err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Commit = %q, %v; expected %q", name, err, c.want)
			}
			if err := draft.Discard(); err != nil {
				t.Error(err)
			}
			mustVerify(t, p.store)
		})
	}
}

// forge changes the manifest of a snapshot, and gives it the hash that it then needs.
func (p *publishing) forge(t *testing.T, snapshot string, change func(*Manifest)) {
	t.Helper()
	path := p.store.path(manifestFile(snapshot))
	manifest, err := readManifest(path)
	if err != nil {
		t.Fatal(err)
	}
	change(&manifest)
	data, err := manifest.Encode()
	if err != nil {
		t.Fatal(err)
	}
	replaceFile(t, path, data)
}

// exchange gives a snapshot another file, and its manifest the hash of that.
func (p *publishing) exchange(t *testing.T, snapshot, name string, m *Manifest) {
	t.Helper()
	path := p.store.path("snapshots/" + snapshot + "/" + name)
	table, _, _ := tableOf(name)
	shape, _ := schema.Lookup(table)
	remove(t, path)
	writeParquet(t, path, shape, nil)
	sum, size, err := HashFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range m.Files {
		if m.Files[i].Name == name {
			m.Files[i].SHA256, m.Files[i].Bytes, m.Files[i].Rows = sum, size, 0
		}
	}
}
