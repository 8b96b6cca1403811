package pipeline

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"ltcles/pipeline/contract"
	"ltcles/pipeline/duck"
	"ltcles/pipeline/emis"
	"ltcles/pipeline/schema"
	"ltcles/pipeline/snapshot"
	"ltcles/pipeline/unexpected"
)

// publish writes the whole snapshot beside the one that readers see, verifies it
// with an independent reader, and replaces the old one in one step. A check run
// ends before it.
func (r *run) publish(ctx context.Context) error {
	if !r.cfg.Publish {
		return nil
	}
	draft, err := r.store.Begin(r.id)
	if err != nil {
		return err
	}
	defer draft.Discard()
	periods := r.periods()
	tables := schema.Tables()
	for i, table := range tables {
		if err := r.writeTable(ctx, draft, table, periods); err != nil {
			return err
		}
		r.cfg.Progress(Progress{Step: "writing tables", Done: int64(i + 1), Total: int64(len(tables))})
	}
	manifest := r.manifest(periods)
	problems, err := r.verify(draft, manifest)
	if err != nil {
		return err
	}
	if len(problems) > 0 {
		return fmt.Errorf("the snapshot does not verify (%d problems, first: %s); nothing was published", len(problems), problems[0])
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	name, err := draft.Commit(manifest)
	if name != "" {
		r.report.Snapshot, r.report.Shows = name, r.shown(periods)
		r.log.Info("published", zap.String("snapshot", name))
	}
	return err
}

// verify reads the draft back, while the engine, which is done, gives back its memory.
func (r *run) verify(draft *snapshot.Draft, manifest snapshot.Manifest) (problems []snapshot.Problem, err error) {
	var group errgroup.Group
	group.Go(func() (err error) {
		defer unexpected.Panic(&err)
		problems, err = draft.Verify(manifest, verifying(r.cfg.Progress))
		return err
	})
	group.Go(func() (err error) {
		defer unexpected.Panic(&err)
		return r.closeEngine()
	})
	err = group.Wait()
	return problems, err
}

// verifying tells how many rows of tables are verified.
func verifying(progress func(Progress)) func(done, total int64) {
	return func(done, total int64) {
		progress(Progress{Step: "verifying rows", Done: done, Total: total})
	}
}

// periods is every period that the new snapshot holds: those published so far,
// with this run's in the place of what was published for the same period.
func (r *run) periods() []snapshot.PublishedPeriod {
	var periods []snapshot.PublishedPeriod
	if r.current != nil {
		for _, published := range r.current.Manifest.Periods {
			if published.Period != r.cfg.Period.String() {
				periods = append(periods, published)
			}
		}
	}
	status := snapshot.Provisional
	if r.final {
		status = snapshot.Final
	}
	periods = append(periods, snapshot.PublishedPeriod{
		ContractYear: string(r.contract.Year), Period: r.cfg.Period.String(), RunID: r.id, KeyID: r.keyID, AsAt: r.asAt, Status: status,
	})
	slices.SortFunc(periods, func(a, b snapshot.PublishedPeriod) int { return comparePublished(a.Period, b.Period) })
	for i := range periods {
		periods[i].Latest = true
		for _, other := range periods[i+1:] {
			if other.ContractYear == periods[i].ContractYear && !isSupplement(other.Period) {
				periods[i].Latest = false
			}
		}
		periods[i].Latest = periods[i].Latest && !isSupplement(periods[i].Period)
	}
	return periods
}

// shown is the period that stands for the contract year of this run.
func (r *run) shown(periods []snapshot.PublishedPeriod) string {
	for _, period := range periods {
		if period.Latest && period.ContractYear == string(r.contract.Year) {
			return period.Period
		}
	}
	return ""
}

// isSupplement tells a supplement to a frozen year: it stays in history (R20).
func isSupplement(period string) bool {
	parsed, err := contract.ParsePublished(period)
	return err == nil && parsed.IsSupplement()
}

// writeTable writes a table's history file of this period, takes over those of
// the other periods, and writes the file of each contract year's latest period.
func (r *run) writeTable(ctx context.Context, draft *snapshot.Draft, table schema.Table, periods []snapshot.PublishedPeriod) error {
	path, err := r.writePeriod(ctx, draft, table)
	if err != nil {
		return err
	}
	return r.complete(ctx, draft, table, periods, map[string]string{r.cfg.Period.String(): path})
}

// writePeriod writes a table's history file of this period and returns its path.
func (r *run) writePeriod(ctx context.Context, draft *snapshot.Draft, table schema.Table) (string, error) {
	path := draft.Path(snapshot.TableFile(table.Name, r.cfg.Period.String()))
	from := "mart_" + table.Name + " cross join (select contract_year, period, as_at, run_id from run)"
	return path, r.db.CopyParquet(ctx, shaped(table, from, table.Key()), path) // of one contract year
}

// shaped is a query for the table's columns, ordered by some of them.
func shaped(table schema.Table, from string, key []string) string {
	var columns, order []string
	for _, column := range table.Columns {
		columns = append(columns, fmt.Sprintf("cast(%s as %s) as %[1]s", duck.Identifier(column.Name), column.Type))
	}
	for _, column := range key {
		order = append(order, duck.Identifier(column)+" nulls last")
	}
	return fmt.Sprintf("select %s from %s order by %s", strings.Join(columns, ", "), from, strings.Join(order, ", "))
}

// complete takes over a table's history files but for those that were written, by
// period, and makes the file of each contract year's latest period.
func (r *run) complete(ctx context.Context, draft *snapshot.Draft, table schema.Table, periods []snapshot.PublishedPeriod, written map[string]string) error {
	var latest []string
	for _, period := range periods {
		path, isWritten := written[period.Period]
		if !isWritten {
			name := snapshot.TableFile(table.Name, period.Period)
			path = r.current.Path(name)
			if err := draft.LinkFrom(r.current, name); err != nil {
				return err
			}
		}
		if period.Latest {
			latest = append(latest, path)
		}
	}
	return r.writeLatest(ctx, draft, table, latest)
}

// writeLatest writes the file of each contract year's latest period. Where that
// is one file of history, or what was published before, it is the same file.
func (r *run) writeLatest(ctx context.Context, draft *snapshot.Draft, table schema.Table, latest []string) error {
	name := snapshot.TableFile(table.Name, "")
	if !slices.ContainsFunc(latest, draft.Holds) {
		return draft.LinkFrom(r.current, name)
	}
	if len(latest) == 1 && os.Link(latest[0], draft.Path(name)) == nil {
		return nil
	}
	view := "latest_" + table.Name
	if err := r.db.ViewParquet(ctx, view, latest); err != nil {
		return err
	}
	return r.db.CopyParquet(ctx, shaped(table, view, table.SortKey()), draft.Path(name))
}

func (r *run) manifest(periods []snapshot.PublishedPeriod) snapshot.Manifest {
	m := snapshot.Manifest{
		RunID: r.id, Program: Program(), ContractYear: string(r.contract.Year), Period: r.cfg.Period.String(),
		AsAt: r.asAt, CutOff: r.cutOff, KeyID: r.keyID, Freeze: r.freeze, Periods: periods,
		Reference: r.referenceFiles(), Evidence: r.consulted(),
	}
	for _, accepted := range r.report.Accepted {
		m.Accepted = append(m.Accepted, snapshot.Accepted(accepted))
	}
	for _, in := range r.inputs {
		status := in.Status
		if status == "" {
			status = emis.Read
		}
		m.Inputs = append(m.Inputs, snapshot.Input{File: in.Name, SHA256: in.SHA256, Bytes: in.Bytes, Status: string(status), Accepted: in.accepted})
	}
	return m
}
