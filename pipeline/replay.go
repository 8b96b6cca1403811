package pipeline

import (
	"context"
	"maps"
	"path"
	"slices"

	"go.uber.org/zap"

	"ltcles/pipeline/snapshot"
)

// Standing says how a period that was computed again stands to what is published
// for it.
type Standing struct {
	Published *snapshot.PublishedPeriod // nil where the period is not published
	IsSame    bool                      // computed from exactly what was published
	Changes   []Change                  // since it was published
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
	release, err := lock(cfg.Workspace)
	if err != nil {
		return err
	}
	defer release()
	r, err := open(cfg)
	if err != nil {
		return err
	}
	defer r.stop()
	if r.published, err = r.publishedAs(); err != nil {
		return err
	}
	if r.published != nil && r.cfg.AsAt.IsNone() {
		r.cfg.AsAt = r.published.Manifest.AsAt
	}
	if err := r.makePrivate(); err != nil {
		return err
	}
	r.log, r.closeLog = zap.NewNop(), func() error { return nil }
	if err := r.survey(ctx); err != nil {
		return err
	}
	standing := r.standing()
	if err := r.ingest(ctx); err != nil {
		return err
	}
	if err := r.transform(ctx); err != nil {
		return err
	}
	return see(r, standing)
}

// publishedAs is the snapshot that was published by the run that the current one
// shows for the period; nil where there is none.
func (r *run) publishedAs() (*snapshot.Snapshot, error) {
	if r.current == nil {
		return nil, nil
	}
	period := r.current.Period(r.cfg.Period.String())
	if period == nil {
		return nil, nil
	}
	snapshots, err := r.store.Snapshots()
	if err != nil {
		return nil, err
	}
	for _, published := range snapshots {
		if published.Manifest.RunID == period.RunID {
			return published, nil
		}
	}
	return nil, nil
}

// recall finds the evidence that the published run consulted.
func (r *run) recall() error {
	snapshots, err := r.store.Snapshots()
	if err != nil {
		return err
	}
	for _, consulted := range r.published.Manifest.Evidence {
		for _, earlier := range snapshots {
			file, ok := earlier.File(consulted.Table, consulted.Period)
			if !ok || file.SHA256 != consulted.SHA256 {
				continue
			}
			r.evidence = append(r.evidence, evidence{
				use: consulted.Use, path: earlier.Path(file.Name), sha256: file.SHA256, period: *earlier.Period(consulted.Period),
			})
			break
		}
	}
	return nil
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
	return Standing{Published: r.current.Period(r.cfg.Period.String()), IsSame: r.id == r.published.Manifest.RunID, Changes: changes}
}
