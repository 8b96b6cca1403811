package pipeline

import (
	"context"
	"maps"
	"path"
	"slices"

	"ltcles/pipeline/snapshot"
)

// Standing says how a period that was computed again stands to what is published
// for it.
type Standing struct {
	Published *snapshot.PublishedPeriod `json:"published"` // nil where the period is not published
	IsSame    bool                      `json:"is_same"`   // computed from exactly what was published
	Changes   []Change                  `json:"changes"`   // since it was published
}

// Change is a file that is not as it was when the period was published.
type Change struct {
	File string `json:"file"`
	What string `json:"what"` // changed, added, gone
}

// The changes that there can be.
const (
	changed = "changed"
	added   = "added"
	gone    = "gone"
)

// replay computes a period from its inbox as it was published: with the same as-at,
// the same accepted files and the same earlier snapshots consulted. A period that
// is not published is computed as check does. It publishes nothing, records
// nothing and hands the computed run to see.
func replay(ctx context.Context, cfg Config, see func(*run, Standing) error) error {
	return reopen(ctx, cfg, func(r *run, standing Standing) error {
		if err := r.recompute(ctx); err != nil {
			return err
		}
		return see(r, standing)
	})
}

// reopen goes as far as replay can without reading the files' rows: what goes in
// is known, and how that stands to what went in.
func reopen(ctx context.Context, cfg Config, see func(*run, Standing) error) error {
	release, err := lock(cfg)
	if err != nil {
		return err
	}
	defer release()
	r, err := open(cfg)
	if err != nil {
		return err
	}
	defer r.stop()
	standing, err := r.revisit(ctx)
	if err != nil {
		return err
	}
	return see(r, standing)
}

// recompute reads and computes a run that was opened again.
func (r *run) recompute(ctx context.Context) error {
	if err := r.ingest(ctx); err != nil {
		return err
	}
	return r.transform(ctx)
}

// revisit surveys the period's inbox as it was when the period was published, and
// holds the log: nothing goes on record until start.
func (r *run) revisit(ctx context.Context) (Standing, error) {
	r.hold()
	if r.published = r.cfg.again; r.published == nil {
		if period := r.publishedPeriod(); period != nil {
			r.published = r.snapshotOf(period.RunID)
		}
	}
	if r.published != nil {
		r.freeze, r.final = r.published.Manifest.Freeze, r.published.Manifest.Freeze != nil
		r.keyID = r.published.Manifest.KeyID
		if r.cfg.AsAt.IsNone() {
			r.cfg.AsAt = r.published.Manifest.AsAt
		}
	}
	if err := r.makePrivate(); err != nil {
		return Standing{}, err
	}
	if err := r.survey(ctx); err != nil {
		return Standing{}, err
	}
	return r.standing(), nil
}

// publishedPeriod is what is published for the period; nil for nothing.
func (r *run) publishedPeriod() *snapshot.PublishedPeriod {
	if r.current == nil {
		return nil
	}
	return r.current.Period(r.cfg.Period.String())
}

// snapshotOf is the snapshot that a run published; nil where it is not there.
func (r *run) snapshotOf(runID string) *snapshot.Snapshot {
	for _, published := range r.snapshots {
		if as := published.As(runID); as != nil {
			return as
		}
	}
	return nil
}

// recall finds the evidence that the published run consulted.
func (r *run) recall() {
	for _, consulted := range r.published.Manifest.Evidence {
		for _, earlier := range r.snapshots {
			file, ok := earlier.File(consulted.Table, consulted.Period)
			if !ok || file.SHA256 != consulted.SHA256 || !r.canMatch(consulted.Use, earlier.Period(consulted.Period).KeyID) {
				continue
			}
			r.evidence = append(r.evidence, evidence{
				use: consulted.Use, path: earlier.Path(file.Name), sha256: file.SHA256, period: *earlier.Period(consulted.Period),
			})
			break
		}
	}
}

// standing compares what goes in with what went in.
func (r *run) standing() Standing {
	if r.published == nil {
		return Standing{}
	}
	was, period := map[string]string{}, r.cfg.Period.Supplement(0).String()
	for _, file := range r.published.Manifest.Inputs {
		was[path.Join("inbox", period, file.File)] = file.SHA256
	}
	for _, file := range r.published.Manifest.Reference {
		was[file.File] = file.SHA256
	}
	var changes []Change
	compare := func(file, sum string) {
		switch before, known := was[file]; {
		case !known:
			changes = append(changes, Change{file, added})
		case before != sum:
			changes = append(changes, Change{file, changed})
		}
		delete(was, file)
	}
	for _, in := range r.inputs {
		compare(path.Join("inbox", period, in.Name), in.SHA256)
	}
	for _, file := range r.referenceFiles() {
		compare(file.File, file.SHA256)
	}
	for _, file := range slices.Sorted(maps.Keys(was)) {
		changes = append(changes, Change{file, gone})
	}
	return Standing{Published: r.published.Period(r.cfg.Period.String()), IsSame: r.id == r.published.Manifest.RunID, Changes: changes}
}
