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
)

const (
	currentName  = "current"
	snapshotsDir = "snapshots"
	nextName     = ".next"
	previousName = ".previous"
	draftPrefix  = ".draft-"
	nameFile     = ".snapshot" // in current, where it is a directory: the name of its snapshot
)

// Store is the published/ directory of a workspace.
type Store struct {
	Dir string

	disk disk
}

// Snapshot is one complete snapshot. Dir is its own directory, not current, and stays valid
// while another is published.
type Snapshot struct {
	Name     string
	Dir      string
	Manifest Manifest
}

// Path is where a file of the snapshot lies, by its name in the manifest.
func (s *Snapshot) Path(name string) string { return filepath.Join(s.Dir, filepath.FromSlash(name)) }

// ErrDamaged says that a file is not what was published.
var ErrDamaged = errors.New("was changed after it was published; run ltcles verify")

// Check compares a file of the snapshot with what was published; an [ErrDamaged] where it differs.
func (s *Snapshot) Check(file File) error {
	sum, size, err := HashFile(s.Path(file.Name))
	if err != nil {
		return fmt.Errorf("read %s: %w", s.Path(file.Name), err)
	}
	if sum != file.SHA256 || size != file.Bytes {
		return fmt.Errorf("%s %w", s.Path(file.Name), ErrDamaged)
	}
	return nil
}

// File finds a file of the snapshot by its table and period; the top-level file has no period.
func (s *Snapshot) File(table, period string) (File, bool) {
	for _, file := range s.Manifest.Files {
		if file.Table == table && file.Period == period {
			return file, true
		}
	}
	return File{}, false
}

// Period finds a period of the snapshot; nil where history has it not.
func (s *Snapshot) Period(period string) *PublishedPeriod {
	for i, published := range s.Manifest.Periods {
		if published.Period == period {
			return &s.Manifest.Periods[i]
		}
	}
	return nil
}

// Current is the snapshot that readers see, and nil where nothing is published.
func (s Store) Current() (*Snapshot, error) {
	name, err := s.currentSnapshot()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return s.load(name)
}

// Snapshots lists every snapshot that is or was published, by name.
func (s Store) Snapshots() ([]*Snapshot, error) {
	names, err := s.names()
	if err != nil {
		return nil, err
	}
	var list []*Snapshot
	for _, name := range names {
		isWhole, err := s.disk.exists(filepath.Join(s.snapshots(), name, manifestName))
		if err != nil {
			return nil, fmt.Errorf("list snapshots: %w", err)
		}
		if !isWhole {
			continue
		}
		snapshot, err := s.load(name)
		if err != nil {
			return nil, err
		}
		list = append(list, snapshot)
	}
	return list, nil
}

// Begin starts a snapshot that nobody sees until its Commit.
func (s Store) Begin(runID string) (*Draft, error) {
	if !isName(runID) {
		return nil, fmt.Errorf("begin snapshot: run id %q; expected letters, digits, dots, hyphens and underscores", runID)
	}
	if err := s.disk.mkdirAll(s.snapshots()); err != nil {
		return nil, fmt.Errorf("begin snapshot: %w", err)
	}
	if err := s.disk.step("mkdir", s.snapshots()); err != nil {
		return nil, fmt.Errorf("begin snapshot: %w", err)
	}
	dir, err := os.MkdirTemp(s.snapshots(), draftPrefix+runID+"-*") // mode 0700
	if err != nil {
		return nil, fmt.Errorf("begin snapshot: %w", err)
	}
	return &Draft{store: s, runID: runID, dir: dir, linked: map[string]linkedFile{}}, nil
}

// Sweep removes what killed runs left behind: drafts, and a snapshot that never became current.
// It may itself be killed at any point and run again.
func (s Store) Sweep() error {
	if err := s.sweep(); err != nil {
		return fmt.Errorf("sweep %s: %w", s.Dir, err)
	}
	return nil
}

func (s Store) sweep() error {
	next, previous, current := s.path(nextName), s.path(previousName), s.path(currentName)
	isPublished, err := s.disk.exists(current)
	if err != nil {
		return err
	}
	isSwapping, err := s.disk.exists(previous)
	if err != nil {
		return err
	}
	isAnnounced, err := s.disk.exists(next)
	if err != nil {
		return err
	}
	changed := isSwapping || isAnnounced
	if isSwapping && !isPublished { // killed between the two renames of a swap
		if err := s.disk.rename(previous, current); err != nil {
			return err
		}
		isSwapping = false
	}
	if isAnnounced { // the snapshot goes before the sign that says it was never published
		name, err := s.snapshotAt(next)
		if err == nil {
			err = s.disk.removeAll(filepath.Join(s.snapshots(), name))
		} else if errors.As(err, new(strayError)) { // killed before it was made out
			err = nil
		}
		if err != nil {
			return err
		}
		if err := s.disk.removeAll(next); err != nil {
			return err
		}
	}
	if isSwapping {
		if err := s.disk.removeAll(previous); err != nil {
			return err
		}
	}
	entries, err := os.ReadDir(s.snapshots())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), draftPrefix) {
			if err := s.disk.removeAll(filepath.Join(s.snapshots(), entry.Name())); err != nil {
				return err
			}
			changed = true
		}
	}
	if !changed {
		return nil
	}
	if err := s.disk.sync(s.snapshots()); err != nil {
		return err
	}
	return s.disk.sync(s.Dir)
}

// Remove removes a snapshot that is not current. Killed meanwhile, it leaves the snapshot whole, or
// a draft.
func (s Store) Remove(name string) error {
	current, err := s.currentSnapshot()
	if err != nil {
		return fmt.Errorf("remove snapshot %s: %w", name, err)
	}
	if name == current || !isName(name) {
		return fmt.Errorf("remove snapshot %s: expected one that is not current", name)
	}
	gone := filepath.Join(s.snapshots(), draftPrefix+name)
	if err := s.disk.rename(filepath.Join(s.snapshots(), name), gone); err != nil {
		return fmt.Errorf("remove snapshot %s: %w", name, err)
	}
	if err := errors.Join(s.disk.sync(s.snapshots()), s.disk.removeAll(gone)); err != nil {
		return fmt.Errorf("remove snapshot %s: %w", name, err)
	}
	return nil
}

// Leftovers lists what Sweep would remove or put right, as paths below the store's directory.
func (s Store) Leftovers() ([]string, error) {
	var left []string
	for _, name := range []string{nextName, previousName} {
		isThere, err := s.disk.exists(s.path(name))
		if err != nil {
			return nil, fmt.Errorf("list leftovers: %w", err)
		}
		if isThere {
			left = append(left, name)
		}
	}
	entries, err := os.ReadDir(s.snapshots())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list leftovers: %w", err)
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), draftPrefix) {
			left = append(left, snapshotsDir+"/"+entry.Name())
		}
	}
	return left, nil
}

// Links tries what the file system allows where snapshots are. Killed meanwhile, it leaves a draft.
func (s Store) Links() (symbolic, hard bool, err error) {
	draft, err := s.Begin("links")
	if err != nil {
		return false, false, err
	}
	defer func() { err = errors.Join(err, draft.Discard()) }()
	file := filepath.Join(draft.dir, "file")
	if err := s.disk.write(file, []byte("linked\n")); err != nil {
		return false, false, fmt.Errorf("try links: %w", err)
	}
	if hard, err = s.disk.link(file, filepath.Join(draft.dir, "hard")); err != nil {
		return false, false, fmt.Errorf("try links: %w", err)
	}
	return s.disk.symlink("file", filepath.Join(draft.dir, "symbolic")) == nil, hard, nil
}

func (s Store) path(name string) string { return filepath.Join(s.Dir, name) }

func (s Store) snapshots() string { return filepath.Join(s.Dir, snapshotsDir) }

// currentSnapshot is the name of the snapshot that current stands for. In the middle of a swap
// it is the one before.
func (s Store) currentSnapshot() (string, error) {
	name, err := s.snapshotAt(s.path(currentName))
	if errors.Is(err, fs.ErrNotExist) {
		name, err = s.snapshotAt(s.path(previousName))
	}
	return name, err
}

// snapshotAt is the name of the snapshot that a link or a directory stands for; a [strayError]
// where it stands for none.
func (s Store) snapshotAt(path string) (string, error) {
	info, err := s.disk.lstat(path)
	if err != nil {
		return "", err
	}
	name := ""
	if info.Mode()&fs.ModeSymlink != 0 {
		target, err := os.Readlink(path)
		if err != nil {
			return "", err
		}
		if dir, last := filepath.Split(target); filepath.Clean(dir) == snapshotsDir {
			name = last
		}
	} else {
		data, err := os.ReadFile(filepath.Join(path, nameFile))
		if err != nil && info.IsDir() && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		name = strings.TrimSuffix(string(data), "\n")
	}
	if !isName(name) {
		return "", strayError{path}
	}
	return name, nil
}

// strayError is something in current's place, or beside it, that leads to no snapshot.
type strayError struct{ path string }

func (e strayError) Error() string {
	return fmt.Sprintf("%s does not lead to a snapshot; expected a link to %s/<run_id>; restore it from a backup, or remove it and run again", e.path, snapshotsDir)
}

// names lists the directories in snapshots/ that are published, whole or not.
func (s Store) names() ([]string, error) {
	entries, err := os.ReadDir(s.snapshots())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list snapshots: %w", err)
	}
	announced, err := s.snapshotAt(s.path(nextName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.As(err, new(strayError)) {
		return nil, fmt.Errorf("list snapshots: %w", err)
	}
	var names []string
	for _, entry := range entries {
		if name := entry.Name(); isName(name) && name != announced {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

func (s Store) load(name string) (*Snapshot, error) {
	dir := filepath.Join(s.snapshots(), name)
	path := filepath.Join(dir, manifestName)
	manifest, err := readManifest(path)
	if errors.Is(err, fs.ErrNotExist) {
		err = errors.New("is not there; restore the snapshot from a backup")
	}
	if err != nil {
		return nil, fmt.Errorf("read snapshot: %s %w", path, err)
	}
	return &Snapshot{Name: name, Dir: dir, Manifest: manifest}, nil
}

var plainName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

func isName(name string) bool { return plainName.MatchString(name) && len(name) <= 200 }
