package snapshot

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"ltcles/pipeline/schema"
)

// ErrNothingPublished says that there is nothing to verify.
var ErrNothingPublished = errors.New("nothing is published; run ltcles run first")

// Verify reads back everything that is published. Of every snapshot it checks the manifest, each
// file's size and SHA-256, and that it holds a frozen year end as it was frozen; of the current one also the tables: schema, nulls, values, keys,
// order, and the sums that must agree between them, in the top-level files and in each period of
// history. It changes nothing.
func (s Store) Verify() ([]Problem, error) {
	names, err := s.names()
	if err != nil {
		return nil, fmt.Errorf("verify: %w", err)
	}
	r := newReport()
	current, err := s.currentSnapshot()
	switch {
	case errors.Is(err, fs.ErrNotExist) && len(names) == 0:
		return nil, fmt.Errorf("verify %s: %w", s.Dir, ErrNothingPublished)
	case errors.Is(err, fs.ErrNotExist):
		r.add(currentName, "", "is not there; expected a link to %s/<run_id>; restore it from a backup", snapshotsDir)
	case err != nil:
		r.add(currentName, "", "does not lead to a snapshot; expected a link to %s/<run_id>; restore it from a backup", snapshotsDir)
	case !slices.Contains(names, current):
		r.add(currentName, "", "leads to %s/%s, which is not there; restore that from a backup", snapshotsDir, current)
	default: // the current one first
		names = append([]string{current}, slices.DeleteFunc(names, func(name string) bool { return name == current })...)
	}
	manifests, frozen := map[string]Manifest{}, frozenYears{}
	for _, name := range names {
		if manifest, ok := s.verifyManifest(r, name); ok {
			manifests[name] = manifest
			frozen.take(name, manifest)
		}
	}
	sums := hashes{}
	for _, name := range names {
		manifest, ok := manifests[name]
		if !ok {
			continue
		}
		breaches := frozen.breaches(manifest)
		if name == current {
			breaches = append(frozen.missingFrom(manifest), breaches...)
		}
		for _, breach := range breaches {
			r.add(manifestFile(name), "", "%s", breach)
		}
		if err := s.verifySnapshot(r, name, manifest, name == current, sums); err != nil {
			return nil, fmt.Errorf("verify: %w", err)
		}
	}
	return r.problems(), nil
}

// again follows a run's id in the name of its snapshot, where it was published again.
var again = regexp.MustCompile(`^(-[0-9]+)?$`)

func manifestFile(snapshot string) string { return snapshotsDir + "/" + snapshot + "/" + manifestName }

// verifyManifest reads a snapshot's manifest, and says whether it can be read.
func (s Store) verifyManifest(r *report, name string) (Manifest, bool) {
	manifest, err := readManifest(filepath.Join(s.snapshots(), name, manifestName))
	if errors.Is(err, fs.ErrNotExist) {
		r.add(manifestFile(name), "", "is not there; restore it from a backup, or remove the directory if it is not a snapshot")
		return manifest, false
	}
	if err != nil {
		r.add(manifestFile(name), "", "%s", oneLine(err))
		return manifest, false
	}
	for _, fault := range manifest.faults() {
		r.add(manifestFile(name), "", "%s", fault)
	}
	if number, isOwn := strings.CutPrefix(name, manifest.RunID); !isOwn || !again.MatchString(number) {
		r.add(snapshotsDir+"/"+name, "", "is the snapshot of run %s under another name; expected that name; rename it", manifest.RunID)
	}
	return manifest, true
}

func (s Store) verifySnapshot(r *report, name string, manifest Manifest, isCurrent bool, sums hashes) error {
	dir, prefix := filepath.Join(s.snapshots(), name), snapshotsDir+"/"+name+"/"
	intact, err := verifyFiles(r, dir, prefix, manifest, sums, nil)
	if err != nil || !isCurrent {
		return err
	}
	info, err := s.disk.lstat(s.path(currentName))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		r.add(currentName, "", "is not there: a run was cut off while it replaced the folder; the next run puts it back")
	case err != nil:
		return err
	case info.IsDir():
		extra := []string{manifestName, nameFile}
		if _, err := verifyFiles(r, s.path(currentName), currentName+"/", manifest, sums, extra); err != nil {
			return err
		}
		verifySameManifest(r, dir, s.path(currentName))
	}
	whole := func(file File) bool { return intact[file.Name] }
	verifyTables(r, dir, prefix, manifest, whole, func(File) bool { return true })
	return nil
}

// verifyFiles compares a directory with its manifest, and says which files are as published.
func verifyFiles(r *report, dir, prefix string, m Manifest, sums hashes, extra []string) (map[string]bool, error) {
	if extra == nil {
		extra = []string{manifestName}
	}
	listed := map[string]File{}
	for _, file := range m.Files {
		listed[file.Name] = file
	}
	intact := map[string]bool{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		relative, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(relative)
		file, ok := listed[name]
		if !ok {
			if !slices.Contains(extra, name) {
				table, _, _ := tableOf(name)
				r.add(prefix+name, table, "is not in the manifest; remove it")
			}
			return nil
		}
		delete(listed, name)
		if !entry.Type().IsRegular() {
			r.add(prefix+name, file.Table, "is no regular file; restore it from a backup")
			return nil
		}
		sum, size, err := sums.of(path)
		switch {
		case err != nil:
			r.add(prefix+name, file.Table, "cannot be read: %s; restore it from a backup", oneLine(err))
		case size != file.Bytes:
			r.add(prefix+name, file.Table, "has %d bytes; expected %d; restore it from a backup", size, file.Bytes)
		case sum != file.SHA256:
			r.add(prefix+name, file.Table, "was changed after it was published: SHA-256 %s; expected %s; restore it from a backup", sum, file.SHA256)
		default:
			intact[name] = true
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, file := range m.Files {
		if _, missing := listed[file.Name]; missing {
			r.add(prefix+file.Name, file.Table, "is not there; restore it from a backup")
		}
	}
	return intact, nil
}

func verifySameManifest(r *report, dir, current string) {
	want, err := os.ReadFile(filepath.Join(dir, manifestName))
	if err != nil {
		return // reported where the snapshot was read
	}
	if got, err := os.ReadFile(filepath.Join(current, manifestName)); err != nil || string(got) != string(want) {
		r.add(currentName+"/"+manifestName, "", "is not the snapshot's; restore it from %s", snapshotsDir)
	}
}

// hashes remembers what was hashed, so that a file that several snapshots share is read once.
type hashes map[string][]hashed

type hashed struct {
	info fs.FileInfo
	sum  string
	size int64
}

func (h hashes) of(path string) (sum string, size int64, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", 0, err
	}
	base := filepath.Base(path)
	for _, known := range h[base] {
		if os.SameFile(known.info, info) {
			return known.sum, known.size, nil
		}
	}
	if sum, size, err = HashFile(path); err == nil {
		h[base] = append(h[base], hashed{info, sum, size})
	}
	return sum, size, err
}

// verifyTables checks the tables of one snapshot, file set by file set: the top level, then each
// period of history. readable says which files can be read at all, wanted which a set must have
// one of to be checked.
func verifyTables(r *report, dir, prefix string, m Manifest, readable, wanted func(File) bool) {
	files := map[string]File{}
	for _, file := range m.Files {
		if file.Table == "" {
			continue
		}
		files[TableFile(file.Table, file.Period)] = file
		if !slices.ContainsFunc(m.Periods, func(p PublishedPeriod) bool { return file.Period == "" || p.Period == file.Period }) {
			r.add(prefix+file.Name, file.Table, "is of period %s, which the manifest does not list", file.Period)
		}
	}
	latest := map[string]PublishedPeriod{}
	for _, period := range m.Periods {
		if period.Latest {
			latest[period.ContractYear] = period
		}
	}
	top := r.newSet(dir, prefix, "", latest, files, readable, wanted)
	var history []*fileSet
	for _, period := range m.Periods {
		set := r.newSet(dir, prefix, period.Period, map[string]PublishedPeriod{period.ContractYear: period}, files, readable, wanted)
		set.isTop = top.isWanted && len(latest) == 1 && period.Latest && sameBytes(files, period.Period, readable)
		history = append(history, set)
	}
	for _, set := range append(history, top) {
		r.rows.total += set.rows()
	}
	before := r.count()
	shown := top.verify()
	isSound := r.count() == before
	for i, period := range m.Periods {
		if history[i].isTop && isSound {
			continue // the same would be found in them
		}
		past := history[i].verify()
		if !period.Latest || shown == nil || past == nil {
			continue
		}
		for _, table := range schema.Tables() {
			above, below := shown[table.Name], past[table.Name]
			if above == nil || below == nil {
				continue
			}
			compareContents(r, prefix, table.Name, period, above[period.ContractYear], below[period.ContractYear])
		}
	}
}

// newSet is the set of a period, "" for the top level, of the files by name.
func (r *report) newSet(dir, prefix, period string, runs map[string]PublishedPeriod, files map[string]File, readable, wanted func(File) bool) *fileSet {
	set := &fileSet{report: r, dir: dir, prefix: prefix, period: period, runs: runs, files: map[string]File{}}
	for _, table := range schema.Tables() {
		name := TableFile(table.Name, period)
		file, ok := files[name]
		if !ok {
			r.add(prefix+name, table.Name, "is not in the manifest; expected a file of every table")
			continue
		}
		if readable(file) {
			set.files[table.Name] = file
		}
		set.isWanted = set.isWanted || wanted(file)
	}
	return set
}

// sameBytes tells whether the top level is, byte by byte, what history holds of a period.
func sameBytes(files map[string]File, period string, readable func(File) bool) bool {
	for _, table := range schema.Tables() {
		above, below := files[TableFile(table.Name, "")], files[TableFile(table.Name, period)]
		if above.SHA256 == "" || above.SHA256 != below.SHA256 || above.Rows != below.Rows || !readable(above) || !readable(below) {
			return false
		}
	}
	return true
}

func compareContents(r *report, prefix, table string, period PublishedPeriod, above, below *content) {
	rows := func(c *content) int64 {
		if c == nil {
			return 0
		}
		return c.rows
	}
	name := TableFile(table, "")
	switch {
	case rows(above) != rows(below):
		r.add(prefix+name, table, "has %d rows of contract year %s; expected the %d of %s",
			rows(above), period.ContractYear, rows(below), TableFile(table, period.Period))
	case above != nil && below != nil && !above.same(below):
		r.add(prefix+name, table, "has other rows of contract year %s than %s", period.ContractYear, TableFile(table, period.Period))
	}
}

// fileSet is one file of each table: the top-level files, or those of one period.
type fileSet struct {
	report   *report
	dir      string
	prefix   string
	period   string
	runs     map[string]PublishedPeriod
	files    map[string]File // by table; those that can be read
	ledgers  map[string]*ledger
	sound    map[string]bool // tables that were read whole
	contents map[string]map[string]*content
	names    map[string]string

	isWanted bool // it is to be checked
	isTop    bool // it is, byte by byte, the top level, which is checked before
}

// rows is how many rows verifying the set reads.
func (s *fileSet) rows() (n int64) {
	if !s.isWanted || s.isTop {
		return 0
	}
	for _, file := range s.files {
		n += file.Rows
	}
	return n
}

// verify reads every table of the set once, and returns what each holds by contract year; nil for
// a set that is not wanted.
func (s *fileSet) verify() map[string]map[string]*content {
	if !s.isWanted {
		return nil
	}
	s.sound, s.contents = map[string]bool{}, map[string]map[string]*content{}
	s.ledgers, s.names = map[string]*ledger{}, map[string]string{}
	for year, run := range s.runs {
		s.ledgers[year] = newLedger(year, run.Period)
	}
	readers := rowReaders()
	for _, table := range schema.Tables() {
		if table.Name == "fact_assessment" || table.Name == "fact_cohort_patient" {
			continue // read side by side
		}
		c := s.open(table)
		if c == nil {
			continue
		}
		if reader, ok := readers[table.Name]; ok {
			row := reader(s, c)
			for c.next() {
				if l := s.ledgers[c.nowYear]; l != nil {
					row(l)
				}
			}
		} else {
			for c.next() {
			}
		}
		s.shut(c)
	}
	s.readPatients()
	for _, year := range sortedKeys(s.ledgers) {
		s.ledgers[year].settle(s)
	}
	return s.contents
}

func (s *fileSet) open(table schema.Table) *cursor {
	file, ok := s.files[table.Name]
	if !ok {
		return nil
	}
	c := openCursor(s.report, filepath.Join(s.dir, filepath.FromSlash(file.Name)), s.prefix+file.Name, table, s.runs)
	if c != nil && c.parquet.NumRows() != file.Rows {
		c.wrong("has %d rows; the manifest says %d", c.parquet.NumRows(), file.Rows)
	}
	return c
}

func (s *fileSet) shut(c *cursor) {
	if c == nil {
		return
	}
	c.close()
	s.sound[c.table.Name] = c.sound
	if c.sound {
		s.contents[c.table.Name] = c.contents
	}
}

// file is how problems name the set's file of a table.
func (s *fileSet) file(table string) string { return s.prefix + TableFile(table, s.period) }

// keep copies a text out of the batch that it was read from, once.
func (s *fileSet) keep(text string) string {
	if kept, ok := s.names[text]; ok {
		return kept
	}
	text = strings.Clone(text)
	s.names[text] = text
	return text
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
