package snapshot

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"ltcles/pipeline/schema"
	"ltcles/pipeline/unexpected"
)

// Draft is a snapshot in the making.
type Draft struct {
	store  Store
	runID  string
	dir    string
	linked map[string]linkedFile
	done   bool
}

type linkedFile struct {
	File
	shared bool // the same bytes on disk, which an earlier commit has synced
}

// For says which run the draft is of, where that was not known when it was begun.
func (d *Draft) For(runID string) error {
	if !isName(runID) {
		return fmt.Errorf("name snapshot: run id %q; expected letters, digits, dots, hyphens and underscores", runID)
	}
	d.runID = runID
	return nil
}

// TableFile is the name of a table's file inside a snapshot; no period means the top level.
func TableFile(table, period string) string {
	if period == "" {
		return table + ".parquet"
	}
	return path.Join("history", table, period+".parquet")
}

// Path is where to write a file, by its name inside the snapshot. Its directories are made, and
// a link to an earlier snapshot's file is taken away, so that writing cannot change that file.
func (d *Draft) Path(name string) string {
	name = path.Clean("/" + name)[1:] // stays inside, whatever the name
	delete(d.linked, name)
	full := filepath.Join(d.dir, filepath.FromSlash(name))
	// Where either fails, so does the write that follows, with the path in its message.
	_ = os.MkdirAll(filepath.Dir(full), 0o755)
	_ = os.Remove(full)
	return full
}

// Holds tells whether a path is that of a file in the draft.
func (d *Draft) Holds(path string) bool {
	return strings.HasPrefix(path, d.dir+string(filepath.Separator))
}

// LinkFrom takes over an unchanged file of an earlier snapshot: as a hard link, else as a copy.
func (d *Draft) LinkFrom(snapshot *Snapshot, name string) error {
	for _, file := range snapshot.Manifest.Files {
		if file.Name != name {
			continue
		}
		shared, err := d.store.disk.link(snapshot.Path(name), d.Path(name))
		if err != nil {
			return fmt.Errorf("take %s from snapshot %s: %w", name, snapshot.Name, err)
		}
		d.linked[name] = linkedFile{File: file, shared: shared}
		return nil
	}
	return fmt.Errorf("take %s from snapshot %s: its manifest has no such file", name, snapshot.Name)
}

// Verify checks the tables that this run has written as Store.Verify would after the commit. told,
// unless it is nil, is called as rows are verified, with how many they are and are to be.
func (d *Draft) Verify(m Manifest, told func(done, total int64)) ([]Problem, error) {
	m, err := d.complete(m)
	if err != nil {
		return nil, fmt.Errorf("verify snapshot: %w", err)
	}
	r := newReport()
	r.told = told
	for _, fault := range m.faults() {
		r.add(manifestName, "", "%s", fault)
	}
	if len(r.groups) == 0 {
		fresh := func(file File) bool { _, linked := d.linked[file.Name]; return !linked }
		verifyTables(r, d.dir, "", m, func(File) bool { return true }, fresh)
	}
	return r.problems(), nil
}

// Commit publishes the draft under its run id, or with -2, -3 … where that name is taken. It
// fills in the manifest's files. The name is returned as soon as readers see the snapshot: with
// an error beside it, it is published, but might not outlive a power cut. A panic is an error
// too, so that whoever asked is told all the same whether readers see the snapshot.
func (d *Draft) Commit(m Manifest) (name string, err error) {
	defer unexpected.Panic(&err)
	if d.done {
		return "", errors.New("commit snapshot: it is already committed or discarded")
	}
	if name, err = d.commit(m); err != nil {
		return name, fmt.Errorf("commit snapshot %s: %w", d.runID, err)
	}
	return name, nil
}

// Discard removes a draft that was not committed; after Commit it does nothing.
func (d *Draft) Discard() error {
	if d.done {
		return nil
	}
	d.done = true
	if err := d.store.disk.removeAll(d.dir); err != nil {
		return fmt.Errorf("discard snapshot %s: %w", d.runID, err)
	}
	return nil
}

func (d *Draft) commit(m Manifest) (string, error) {
	m, err := d.complete(m)
	if err != nil {
		return "", err
	}
	faults := m.faults()
	if len(faults) == 0 {
		if faults, err = d.thaws(m); err != nil {
			return "", err
		}
	}
	if len(faults) > 0 {
		return "", fmt.Errorf("%s: %s", manifestName, strings.Join(faults, "; "))
	}
	data, err := m.Encode()
	if err != nil {
		return "", err
	}
	disk := d.store.disk
	manifest := filepath.Join(d.dir, manifestName)
	if err := disk.removeAll(manifest); err != nil { // of a commit that failed before
		return "", err
	}
	if err := disk.write(manifest, data); err != nil {
		return "", err
	}
	if err := disk.chmod(d.dir, 0o755); err != nil {
		return "", err
	}
	if err := disk.syncTree(d.dir, func(name string) bool { return d.linked[name].shared }); err != nil {
		return "", err
	}
	name := d.runID
	for n := 2; ; n++ {
		isTaken, err := disk.exists(filepath.Join(d.store.snapshots(), name))
		if err != nil {
			return "", err
		}
		if !isTaken {
			break
		}
		name = fmt.Sprintf("%s-%d", d.runID, n)
	}
	seen, err := d.store.publish(d.dir, name)
	if !seen {
		return "", err
	}
	d.done = true
	return name, err
}

// thaws says where the draft would change a frozen year end, which nothing may (R20).
func (d *Draft) thaws(m Manifest) ([]string, error) {
	published, err := d.store.Snapshots()
	if err != nil {
		return nil, err
	}
	own := &Snapshot{Name: d.runID, Dir: d.dir, Manifest: m}
	return Breaches(own, append(published, own)), nil
}

// complete fills in the manifest's files and the seal of what it freezes, and refuses a file that
// is none of a snapshot's.
func (d *Draft) complete(m Manifest) (Manifest, error) {
	if m.RunID != d.runID {
		return m, fmt.Errorf("manifest has run id %s; expected %s", m.RunID, d.runID)
	}
	m.Files = nil
	err := filepath.WalkDir(d.dir, func(full string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(d.dir, full)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		if name == manifestName {
			return nil
		}
		file, err := d.describe(name, full)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		m.Files = append(m.Files, file)
		return nil
	})
	m.Periods = slices.Clone(m.Periods)
	for i, period := range m.Periods {
		if period.Status == Final && period.RunID == m.RunID {
			m.Periods[i].Seal = m.seal()
		}
	}
	return m, err
}

func (d *Draft) describe(name, full string) (File, error) {
	table, period, ok := tableOf(name)
	if !ok {
		return File{}, errors.New("is no published table; expected <table>.parquet or history/<table>/<period>.parquet")
	}
	sum, size, err := HashFile(full)
	if err != nil {
		return File{}, err
	}
	if before, ok := d.linked[name]; ok {
		if sum != before.SHA256 || size != before.Bytes {
			return File{}, fmt.Errorf("%w, which names every such file, and restore it from a backup", ErrDamaged)
		}
		return before.File, nil
	}
	rows, err := rowsIn(full)
	if err != nil {
		return File{}, err
	}
	return File{Name: name, Table: table, Period: period, Rows: rows, Bytes: size, SHA256: sum}, nil
}

// tableOf reads a file's name; a file that is no Parquet has no table and may be anywhere.
func tableOf(name string) (table, period string, ok bool) {
	stem, isParquet := strings.CutSuffix(name, ".parquet")
	if !isParquet {
		return "", "", true
	}
	parts := strings.Split(stem, "/")
	switch {
	case len(parts) == 1:
		table = parts[0]
	case len(parts) == 3 && parts[0] == "history":
		table, period = parts[1], parts[2]
	default:
		return "", "", false
	}
	_, ok = schema.Lookup(table)
	return table, period, ok
}

// HashFile is the SHA-256 of a file, in hex, and its size in bytes.
func HashFile(path string) (sum string, size int64, err error) {
	file, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer file.Close()
	hash := sha256.New()
	size, err = io.Copy(hash, file)
	if err != nil {
		return "", 0, err
	}
	return hex.EncodeToString(hash.Sum(nil)), size, nil
}

// publish gives a complete and synced draft its name and makes it current. It says whether
// readers see it; where they do not, nothing of it is left but the draft.
func (s Store) publish(draft, name string) (seen bool, err error) {
	next, final := s.path(nextName), filepath.Join(s.snapshots(), name)
	isAnnounced, err := s.disk.exists(next)
	if err != nil {
		return false, err
	}
	if isAnnounced {
		return false, fmt.Errorf("%s is there; another run is publishing, or one was killed and has to be swept", next)
	}
	if err := s.announce(draft, name); err != nil {
		return false, errors.Join(err, s.disk.removeAll(next))
	}
	err = s.disk.rename(draft, final)
	if err == nil {
		err = s.disk.sync(s.snapshots())
	}
	if err == nil {
		seen, err = s.trySwap()
	}
	if !seen {
		var withdrawErr error
		seen, withdrawErr = s.withdraw(draft, name)
		err = errors.Join(err, withdrawErr)
	}
	if seen {
		err = errors.Join(err, s.settle())
	}
	return seen, err
}

// trySwap swaps; after a panic whether readers see it is for withdraw to tell.
func (s Store) trySwap() (seen bool, err error) {
	defer unexpected.Panic(&err)
	return s.swap()
}

// settle makes what readers see outlive a power cut.
func (s Store) settle() (err error) {
	defer unexpected.Panic(&err)
	return s.disk.sync(s.Dir)
}

// withdraw takes back what was announced, unless readers see it after all, which it says: it
// becomes a draft again before the sign goes that it was not published. Where what is current
// cannot be told, all stays as it is for the next run to sweep.
func (s Store) withdraw(draft, name string) (seen bool, err error) {
	now, err := s.snapshotAt(s.path(currentName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	if now == name {
		return true, nil
	}
	final := filepath.Join(s.snapshots(), name)
	isNamed, err := s.disk.exists(final)
	if err == nil && isNamed {
		err = s.disk.rename(final, draft)
	}
	if err != nil {
		return false, err
	}
	return false, s.disk.removeAll(s.path(nextName))
}

// announce puts .next in place: a link where current can be one, else a directory.
func (s Store) announce(draft, name string) error {
	next := s.path(nextName)
	info, err := s.disk.lstat(s.path(currentName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	asDirectory := err == nil && info.IsDir()
	if !asDirectory {
		err := s.disk.symlink(filepath.Join(snapshotsDir, name), next)
		if asDirectory = hasNoLinks(err); err != nil && !asDirectory {
			return err
		}
	}
	if asDirectory {
		if err := s.mirror(draft, next, name); err != nil {
			return err
		}
	}
	return s.disk.sync(s.Dir)
}

// hasNoLinks tells a file system without symbolic links, which Linux reports as EPERM, from one
// that is full or fails: what fails once must not turn current into a directory for good.
func hasNoLinks(err error) bool {
	return errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EPERM)
}

// mirror makes a directory with the draft's files.
func (s Store) mirror(draft, target, name string) error {
	if err := s.disk.mkdirAll(target); err != nil {
		return err
	}
	if err := s.disk.write(filepath.Join(target, nameFile), []byte(name+"\n")); err != nil {
		return err
	}
	settled := map[string]bool{}
	err := filepath.WalkDir(draft, func(full string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(draft, full)
		if err != nil {
			return err
		}
		to := filepath.Join(target, relative)
		if entry.IsDir() {
			return s.disk.mkdirAll(to)
		}
		settled[filepath.ToSlash(relative)], err = s.disk.link(full, to)
		return err
	})
	if err != nil {
		return err
	}
	return s.disk.syncTree(target, func(name string) bool { return settled[name] })
}

// swap makes .next current: the commit. It says whether readers see it, whatever failed after.
func (s Store) swap() (seen bool, err error) {
	next, previous, current := s.path(nextName), s.path(previousName), s.path(currentName)
	info, err := s.disk.lstat(next)
	if err != nil {
		return false, err
	}
	if !info.IsDir() {
		err := s.disk.rename(next, current)
		return err == nil, err
	}
	isReplaced, err := s.disk.exists(current)
	if err != nil {
		return false, err
	}
	if isReplaced {
		if err := s.disk.rename(current, previous); err != nil {
			return false, err
		}
	}
	if err := s.disk.rename(next, current); err != nil {
		if isReplaced {
			err = errors.Join(err, s.disk.rename(previous, current))
		}
		return false, err
	}
	if isReplaced {
		return true, s.disk.removeAll(previous)
	}
	return true, nil
}
