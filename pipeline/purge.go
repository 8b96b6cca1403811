package pipeline

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"ltcles/pipeline/civil"
	"ltcles/pipeline/contract"
	"ltcles/pipeline/snapshot"
	"ltcles/pipeline/staging"
	"ltcles/pipeline/workspace"
)

// PurgeConfig says what is old enough to go.
type PurgeConfig struct {
	Workspace *workspace.Workspace
	Before    civil.Date // what is from before this day
	Remove    bool       // false: everything short of removing
}

// Purged lists what is from before the day: what goes, and what stays all the
// same, and why.
type Purged struct {
	Snapshots []Old
	Runs      []Old
	Staged    struct { // files that no run has used since
		Files int
		Bytes int64
	}
}

// Old is a snapshot, by its as-at, or the record of a run, by the last day that it
// was written to.
type Old struct {
	Name string
	Day  civil.Date
	Keep string // why it stays; "" where it goes
}

// Purge removes old snapshots, old records of runs and staged files that are not used,
// but for what is published and what that rests on. Killed at any point, it leaves what it has not come to.
func Purge(cfg PurgeConfig) (*Purged, error) {
	running := Config{Workspace: cfg.Workspace, Command: "purge"}
	release, err := lock(running)
	if err != nil {
		return nil, err
	}
	defer release()
	r := &run{cfg: running, store: snapshot.Store{Dir: cfg.Workspace.Published()}}
	if err := r.openStore(); err != nil {
		return nil, err
	}
	purged := &Purged{}
	if purged.Snapshots, err = r.oldSnapshots(cfg.Before); err != nil {
		return nil, err
	}
	if purged.Runs, err = r.oldRuns(cfg.Before, purged.Snapshots); err != nil {
		return nil, err
	}
	shelf := staging.Shelf{Dir: cfg.Workspace.Staged()}
	if purged.Staged.Files, purged.Staged.Bytes, err = shelf.Unused(cfg.Before.Time()); err != nil || !cfg.Remove {
		return purged, err
	}
	if err := shelf.Sweep(cfg.Before.Time()); err != nil {
		return purged, err
	}
	for _, old := range purged.Snapshots {
		if old.Keep == "" {
			if err := r.store.Remove(old.Name); err != nil {
				return purged, err
			}
		}
	}
	for _, old := range purged.Runs {
		if old.Keep == "" {
			if err := r.removeRecord(old.Name); err != nil {
				return purged, fmt.Errorf("remove record of run %s: %w", old.Name, err)
			}
		}
	}
	return purged, nil
}

// removeRecord removes the record of a run. Under the name that it has meanwhile the
// next command sweeps it, however little of it is left, and however new that makes it.
func (r *run) removeRecord(name string) error {
	gone := filepath.Join(r.cfg.Workspace.Runs(), gonePrefix+name)
	if err := os.Rename(filepath.Join(r.cfg.Workspace.Runs(), name), gone); err != nil {
		return err
	}
	return os.RemoveAll(gone)
}

// oldSnapshots lists the snapshots that are from before a day, the oldest first.
func (r *run) oldSnapshots(before civil.Date) ([]Old, error) {
	if r.current == nil {
		return nil, nil
	}
	deadlines := map[string]civil.Date{}
	for _, s := range r.snapshots {
		for _, period := range s.Manifest.Periods {
			if _, known := deadlines[period.ContractYear]; known {
				continue
			}
			year, err := contract.ParseYear(period.ContractYear)
			if err != nil {
				return nil, err
			}
			rules, err := contract.Load(r.cfg.Workspace.ContractsDir(), year)
			if err != nil {
				return nil, err
			}
			deadlines[period.ContractYear] = rules.CodingDeadline
		}
	}
	keep := retained(r.current, r.snapshots, before, deadlines)
	var old []Old
	for _, s := range r.snapshots {
		if s.Manifest.AsAt < before {
			old = append(old, Old{Name: s.Name, Day: s.Manifest.AsAt, Keep: keep[s.Name]})
		}
	}
	sortOld(old)
	return old, nil
}

func sortOld(old []Old) {
	slices.SortFunc(old, func(a, b Old) int { return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.Name, b.Name)) })
}

// retained says why snapshots stay, by name; what it does not name may go.
//
//  1. The current one; each that made a year end final (R20); each that published
//     what current holds, because its manifest says what that was made from; and
//     each that is not from before the day.
//  2. What any of these consulted as evidence, where no other that stays holds it.
//  3. What a later run may consult as evidence of timely coding (R14): what was
//     published up to the coding deadline, of a year that is not final yet.
func retained(current *snapshot.Snapshot, all []*snapshot.Snapshot, before civil.Date, deadlines map[string]civil.Date) map[string]string {
	keep := map[string]string{}
	stays := func(s *snapshot.Snapshot, why string) {
		if keep[s.Name] == "" {
			keep[s.Name] = why
		}
	}
	stays(current, "it is current")
	final := map[string]bool{}
	for _, period := range current.Manifest.Periods {
		final[period.ContractYear] = final[period.ContractYear] || period.Status == snapshot.Final
		if at := slices.IndexFunc(all, func(s *snapshot.Snapshot) bool { return s.As(period.RunID) != nil }); at >= 0 {
			stays(all[at], "it published "+period.Period+", which current holds")
		}
	}
	for _, s := range all {
		if s.Manifest.Freeze != nil {
			stays(s, "it made "+s.Manifest.Period+" final")
		}
		if s.Manifest.AsAt >= before {
			stays(s, "it is not that old")
		}
	}
	newestFirst := slices.Clone(all)
	slices.SortStableFunc(newestFirst, func(a, b *snapshot.Snapshot) int { return cmp.Compare(b.Manifest.AsAt, a.Manifest.AsAt) })
	// need sees to it that a snapshot that stays holds a file, and says whether that took another.
	need := func(table, period, sum, why string) bool {
		var holder *snapshot.Snapshot
		for _, s := range newestFirst {
			if file, ok := s.File(table, period); ok && file.SHA256 == sum {
				if keep[s.Name] != "" {
					return false
				}
				if holder == nil {
					holder = s
				}
			}
		}
		if holder == nil {
			return false
		}
		stays(holder, why)
		return true
	}
	for _, s := range newestFirst {
		for _, period := range s.Manifest.Periods {
			file, ok := s.File("fact_assessment", period.Period)
			if ok && !final[period.ContractYear] && period.AsAt <= deadlines[period.ContractYear] && !isSupplement(period.Period) {
				need("fact_assessment", period.Period, file.SHA256, "it may yet prove timely coding in "+period.ContractYear+", which is not final")
			}
		}
	}
	for again := true; again; {
		again = false
		for _, s := range newestFirst {
			if keep[s.Name] == "" {
				continue
			}
			for _, record := range s.Manifest.Records() {
				for _, consulted := range record.Evidence {
					again = need(consulted.Table, consulted.Period, consulted.SHA256, "run "+record.RunID+" consulted it") || again
				}
			}
		}
	}
	return keep
}

// oldRuns lists the records of runs that were last written to before a day, the
// oldest first. Those of what stays published stay.
func (r *run) oldRuns(before civil.Date, snapshots []Old) ([]Old, error) {
	goes := map[string]bool{}
	for _, old := range snapshots {
		goes[old.Name] = old.Keep == ""
	}
	published := map[string]string{}
	for _, s := range r.snapshots {
		if !goes[s.Name] {
			published[s.Manifest.RunID] = s.Name
		}
	}
	entries, err := os.ReadDir(r.cfg.Workspace.Runs())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list runs: %w", err)
	}
	var into []Old
	for _, entry := range entries {
		if !entry.IsDir() {
			continue
		}
		written, err := lastWritten(filepath.Join(r.cfg.Workspace.Runs(), entry.Name()))
		if err != nil {
			return nil, fmt.Errorf("list runs: %w", err)
		}
		old := Old{Name: entry.Name(), Day: civil.FromTime(written)}
		if name := published[entry.Name()]; name != "" {
			old.Keep = "snapshot " + name + " stays"
		}
		if old.Day < before {
			into = append(into, old)
		}
	}
	sortOld(into)
	return into, nil
}

// lastWritten is when a folder's newest file was written; of an empty folder, when
// that was.
func lastWritten(dir string) (time.Time, error) {
	var newest time.Time
	entries, err := os.ReadDir(dir)
	if err != nil {
		return newest, err
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			return newest, err
		}
		if info.ModTime().After(newest) {
			newest = info.ModTime()
		}
	}
	if len(entries) == 0 {
		info, err := os.Stat(dir)
		if err != nil {
			return newest, err
		}
		return info.ModTime(), nil
	}
	return newest, nil
}
