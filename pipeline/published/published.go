// Package published opens one published period for those who show it: the dashboard, letters,
// the workbook.
//
// It knows the tables of a snapshot as Go values, and lets SQL be asked of them. It reads one
// snapshot's folder, found through its link once, so that what is read belongs together whatever
// is published meanwhile. It refuses to know the inbox, the settings and any rule: a figure that
// is not in the tables is not here.
package published

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"ltcles/pipeline/duck"
	"ltcles/pipeline/schema"
	"ltcles/pipeline/snapshot"
)

// Reader is one period of one snapshot. It is used by one goroutine at a time, and closed by
// whoever opened it.
type Reader struct {
	Snapshot *snapshot.Snapshot
	Period   snapshot.PublishedPeriod
	// Reference is the contract, settings and lists that the period was published by; nil where the
	// snapshot that says so is purged.
	Reference []snapshot.Reference

	db *duck.DB
}

// Limits are what the engine may use, as the settings have it.
type Limits struct {
	Threads     int    // 0: one for each processor
	MemoryLimit string // "4GB"; "" for the engine's own default
}

// Open opens a period of the current snapshot; "" is the period that the snapshot was published
// for. SQL then sees each table as the period's rows, and <table>_history as those of every period
// of its contract year that is in the snapshot. It fails with [snapshot.ErrNothingPublished] or
// [UnknownPeriodError] where there is nothing to open, and with [snapshot.ErrDamaged] where a file
// is not what was published.
func Open(ctx context.Context, store snapshot.Store, period string, limits Limits) (_ *Reader, err error) {
	current, err := store.Current()
	if err != nil {
		return nil, err
	}
	if current == nil {
		return nil, fmt.Errorf("%s: %w", store.Dir, snapshot.ErrNothingPublished)
	}
	if period == "" {
		period = current.Manifest.Period
	}
	found := current.Period(period)
	if found == nil {
		return nil, unknownPeriod(current, period)
	}
	reference, err := referenceOf(store, found.RunID)
	if err != nil {
		return nil, err
	}
	db, err := duck.Open(ctx, duck.Options{Threads: limits.Threads, MemoryLimit: limits.MemoryLimit, Directories: []string{current.Dir}})
	if err != nil {
		return nil, err
	}
	r := &Reader{Snapshot: current, Period: *found, Reference: reference, db: db}
	if err := r.view(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return r, nil
}

// referenceOf is what a run's snapshot names, if it is still there.
func referenceOf(store snapshot.Store, runID string) ([]snapshot.Reference, error) {
	all, err := store.Snapshots()
	if err != nil {
		return nil, err
	}
	for _, s := range all {
		if own := s.As(runID); own != nil {
			return own.Manifest.Reference, nil
		}
	}
	return nil, nil
}

// Close gives back what the reader holds.
func (r *Reader) Close() error { return r.db.Close() }

// Query runs a query over the tables and hands each row to each, whose scan fills the variables
// that it is given, in the order of the columns.
func (r *Reader) Query(ctx context.Context, query string, each func(scan func(into ...any) error) error) error {
	return r.db.Scan(ctx, query, each)
}

// view makes the views; a file that is not as it was published would be shown as if it were.
func (r *Reader) view(ctx context.Context) error {
	for _, table := range schema.Tables() {
		var history []string
		for _, period := range r.Snapshot.Manifest.Periods {
			if file, ok := r.Snapshot.File(table.Name, period.Period); ok && period.ContractYear == r.Period.ContractYear {
				if err := r.Snapshot.Check(file); err != nil {
					return err
				}
				history = append(history, r.Snapshot.Path(file.Name))
			}
		}
		file, ok := r.Snapshot.File(table.Name, r.Period.Period)
		if !ok {
			return fmt.Errorf("snapshot %s lacks %s of %s: run `ltcles verify`", r.Snapshot.Name, table.Name, r.Period.Period)
		}
		if err := r.db.ViewParquet(ctx, table.Name, []string{r.Snapshot.Path(file.Name)}); err != nil {
			return err
		}
		if err := r.db.ViewParquet(ctx, table.Name+"_history", history); err != nil {
			return err
		}
	}
	return nil
}

// UnknownPeriodError is a period that the snapshot does not hold.
type UnknownPeriodError struct {
	Snapshot, Period string
	Published        []string
}

func (e UnknownPeriodError) Error() string {
	return fmt.Sprintf("period %s is not published; the current snapshot has %s", e.Period, strings.Join(e.Published, ", "))
}

func unknownPeriod(current *snapshot.Snapshot, period string) error {
	var periods []string
	for _, p := range current.Manifest.Periods {
		periods = append(periods, p.Period)
	}
	return UnknownPeriodError{Snapshot: current.Name, Period: period, Published: periods}
}
