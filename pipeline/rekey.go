package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"ltcles/pipeline/civil"
	"ltcles/pipeline/config"
	"ltcles/pipeline/contract"
	"ltcles/pipeline/duck"
	"ltcles/pipeline/pseudonym"
	"ltcles/pipeline/schema"
	"ltcles/pipeline/snapshot"
	"ltcles/pipeline/staging"
	"ltcles/pipeline/unexpected"
	"ltcles/pipeline/workspace"
)

// RekeyConfig says whose key to change.
type RekeyConfig struct {
	Workspace *workspace.Workspace
	DryRun    bool // say what would be done, and do nothing
	Threads   int  // 0: what the settings say
	Progress  func(Progress)
}

// Rekeyed is what rekey did, or with a dry run would do.
type Rekeyed struct {
	Former, Key string // ids; Key is "" of a dry run
	FormerFile  string // where the former key is kept
	Periods     []RekeyedPeriod
	Snapshot    string // "" where nothing was published
}

// RekeyedPeriod is a published period, and why it keeps its key; "" where it is put
// under the new one.
type RekeyedPeriod struct {
	Period, KeyID, Keeps string
}

// Rekey makes a new key, and publishes history again under it: each period that can be
// computed again from its inbox exactly as it was published. The others keep their
// key, as the manifest says. Nothing else of any figure changes, which is checked.
//
// Both keys are on disk until all of it is published in one step; what is published
// then says which one is the workspace's, so that a rekey that is cut off is either
// taken back or finished by whatever runs next.
func Rekey(ctx context.Context, cfg RekeyConfig) (*Rekeyed, error) {
	release, err := lock(Config{Workspace: cfg.Workspace, Command: "rekey"})
	if err != nil {
		return nil, err
	}
	defer release()
	if cfg.Progress == nil {
		cfg.Progress = func(Progress) {}
	}
	k := &rekeying{cfg: cfg, base: &run{cfg: Config{Workspace: cfg.Workspace}, store: snapshot.Store{Dir: cfg.Workspace.Published()}}}
	if err := k.open(); err != nil {
		return nil, err
	}
	if err := k.plan(ctx); err != nil || cfg.DryRun {
		return &k.Rekeyed, err
	}
	return &k.Rekeyed, k.do(ctx)
}

// rekeying is a change of key on its way.
type rekeying struct {
	Rekeyed
	cfg  RekeyConfig
	base *run // what is published, and the key that it is under
	next *pseudonym.Key

	runs    map[string]*snapshot.Snapshot // by period, what is to be computed again
	draft   *snapshot.Draft
	records map[string]snapshot.Record   // by period, the runs that computed it again
	written map[string]map[string]string // by table and period, their files in the draft
	proofs  map[string]evidence          // by the former file's SHA-256, what is in its place
}

func (k *rekeying) open() (err error) {
	if k.base.key, err = pseudonym.Load(k.cfg.Workspace.KeyFile()); err != nil {
		return err
	}
	if err := k.base.openStore(); err != nil {
		return err
	}
	if err := k.base.settleWorkspaceKey(); err != nil {
		return err
	}
	k.Former = k.base.key.ID()
	k.FormerFile = pseudonym.FormerFile(k.cfg.Workspace.KeyFile(), k.Former)
	return nil
}

// plan decides of every period whether it can be put under the new key.
func (k *rekeying) plan(ctx context.Context) error {
	if k.base.current == nil {
		return nil
	}
	k.runs = map[string]*snapshot.Snapshot{}
	for _, period := range k.base.current.Manifest.Periods {
		why := whyFixed(period, k.Former)
		if why == "" {
			var err error
			if why, err = k.whyNotAgain(ctx, period); err != nil {
				return err
			}
		}
		k.Periods = append(k.Periods, RekeyedPeriod{period.Period, period.KeyID, why})
	}
	return nil
}

// whyFixed says why a period keeps its key whatever is in its inbox.
func whyFixed(period snapshot.PublishedPeriod, key string) string {
	switch {
	case period.Status == snapshot.Final:
		return "it is final"
	case period.KeyID != key:
		return "an earlier change of key left it there"
	}
	return ""
}

// whyNotAgain says why a period cannot be computed again as it was published.
func (k *rekeying) whyNotAgain(ctx context.Context, period snapshot.PublishedPeriod) (string, error) {
	r, standing, err := k.revisit(ctx, period)
	if r != nil {
		defer r.stop()
	}
	if problem := new(config.Problem); errors.As(err, &problem) {
		return strings.ReplaceAll(err.Error(), "\n", "; "), nil
	}
	switch {
	case err != nil:
		return "", err
	case r.published == nil:
		return "the snapshot of run " + period.RunID + ", which published it, is not kept", nil
	case !standing.IsSame:
		return strings.Join(whyNotSame(standing, r.published.Manifest.Program), "; "), nil
	}
	k.runs[period.Period] = r.published
	return "", nil
}

// revisit surveys a period's inbox as it was when the period was published.
func (k *rekeying) revisit(ctx context.Context, published snapshot.PublishedPeriod) (*run, Standing, error) {
	period, err := contract.ParsePublished(published.Period)
	if err != nil {
		return nil, Standing{}, err
	}
	w := *k.cfg.Workspace
	w.Settings.StagedDays = 0 // the next key may yet be given up
	r, err := newRun(Config{Workspace: &w, Period: period, AsAt: civil.None, Threads: k.cfg.Threads, Progress: k.cfg.Progress})
	if err != nil {
		return nil, Standing{}, err
	}
	r.snapshots, r.current = k.base.snapshots, k.base.current
	standing, err := r.revisit(ctx)
	return r, standing, err
}

// do makes the key, publishes under it, and puts it in the former one's place.
func (k *rekeying) do(ctx context.Context) (err error) {
	file := k.cfg.Workspace.KeyFile()
	if k.next, err = pseudonym.Next(file); err != nil {
		return err
	}
	defer func() {
		if k.Key == "" { // nothing is under it
			err = errors.Join(err, k.discard(), os.Remove(pseudonym.NextFile(file)))
		}
	}()
	defer unexpected.Panic(&err)
	if k.base.current != nil {
		if err := k.prepare(ctx); err != nil {
			return err
		}
	}
	if err := pseudonym.Keep(file); err != nil {
		return err
	}
	k.Key = k.next.ID() // from here on something may be under it
	if k.draft != nil {
		if k.Snapshot, err = k.draft.Commit(k.manifest()); k.Snapshot == "" {
			k.Key = ""
			return err
		}
	}
	if err := errors.Join(err, pseudonym.Replace(file)); err != nil {
		return err
	}
	// No later run of what is open is under the former key.
	return staging.Shelf{Dir: k.cfg.Workspace.Staged()}.Sweep(time.Now().AddDate(0, 0, 1))
}

func (k *rekeying) discard() error {
	if k.draft == nil {
		return nil
	}
	return k.draft.Discard()
}

// prepare writes the snapshot that is to be published, and verifies it.
func (k *rekeying) prepare(ctx context.Context) (err error) {
	if k.draft, err = k.base.store.Begin("rekey"); err != nil {
		return err
	}
	k.records, k.written, k.proofs = map[string]snapshot.Record{}, map[string]map[string]string{}, map[string]evidence{}
	for _, period := range evidenceFirst(k.base.current, k.runs) {
		if err := k.again(ctx, period); err != nil {
			return err
		}
	}
	manifest := k.manifest()
	if err := k.draft.For(manifest.RunID); err != nil {
		return err
	}
	if err := k.complete(ctx, manifest.Periods); err != nil {
		return err
	}
	problems, err := k.draft.Verify(manifest, verifying(k.cfg.Progress))
	if err != nil {
		return err
	}
	if len(problems) > 0 {
		return fmt.Errorf("the snapshot does not verify (%d problems, first: %s); nothing was published", len(problems), problems[0])
	}
	return ctx.Err()
}

// evidenceFirst orders periods so that each comes after those that it consulted.
func evidenceFirst(current *snapshot.Snapshot, runs map[string]*snapshot.Snapshot) []string {
	holds := map[string]string{} // period, by the SHA-256 of what it is consulted for
	for period := range runs {
		if file, ok := current.File("fact_assessment", period); ok {
			holds[file.SHA256] = period
		}
	}
	var order []string
	seen := map[string]bool{}
	var visit func(period string)
	visit = func(period string) {
		if seen[period] {
			return
		}
		seen[period] = true
		for _, consulted := range runs[period].Manifest.Evidence {
			if earlier, ok := holds[consulted.SHA256]; ok {
				visit(earlier)
			}
		}
		order = append(order, period)
	}
	for _, published := range current.Manifest.Periods {
		if runs[published.Period] != nil {
			visit(published.Period)
		}
	}
	return order
}

// again computes a period under the new key, with its evidence as it is under that,
// and writes it into the draft.
func (k *rekeying) again(ctx context.Context, period string) error {
	published := *k.base.current.Period(period)
	r, standing, err := k.revisit(ctx, published)
	if r != nil {
		defer r.stop()
	}
	if err != nil {
		return err
	}
	if !standing.IsSame {
		return &config.Problem{File: r.inboxDir(), Found: "files changed while rekey was at work", Expected: "the files as they were", Fix: "run rekey again"}
	}
	r.keyID, r.next = k.next.ID(), k.next
	for i, e := range r.evidence {
		if now, ok := k.proofs[e.sha256]; ok {
			now.use = e.use
			r.evidence[i] = now
		}
	}
	r.settleID()
	if err := r.recompute(ctx); err != nil {
		return err
	}
	for _, accepted := range r.published.Manifest.Accepted {
		r.report.Accepted = append(r.report.Accepted, Accepted(accepted))
	}
	k.records[period] = r.manifest(nil).Record()
	for _, table := range schema.Tables() {
		path, err := r.writePeriod(ctx, k.draft, table)
		if err != nil {
			return err
		}
		if k.written[table.Name] == nil {
			k.written[table.Name] = map[string]string{}
		}
		k.written[table.Name][period] = path
		former, ok := k.base.current.File(table.Name, period)
		if !ok {
			return fmt.Errorf("compare %s of %s: the current snapshot has no such file", table.Name, period)
		}
		if err := r.compareRekeyed(ctx, table, k.base.current.Path(former.Name), path); err != nil {
			return err
		}
		if table.Name == "fact_assessment" {
			published.RunID, published.KeyID = r.id, r.keyID
			sum, _, err := snapshot.HashFile(path)
			if err != nil {
				return fmt.Errorf("compute %s again: %w", period, err)
			}
			k.proofs[former.SHA256] = evidence{path: path, sha256: sum, period: published}
		}
	}
	return nil
}

// compareRekeyed makes sure that nothing but pseudonyms and run ids differs.
func (r *run) compareRekeyed(ctx context.Context, table schema.Table, former, now string) error {
	was, is := "former_"+table.Name, "rekeyed_"+table.Name
	if err := errors.Join(r.db.ViewParquet(ctx, was, []string{former}), r.db.ViewParquet(ctx, is, []string{now})); err != nil {
		return err
	}
	var columns []string
	for _, column := range table.Columns {
		if column.Name != "patient_key" && column.Name != "run_id" {
			columns = append(columns, duck.Identifier(column.Name))
		}
	}
	rows := func(view string) string {
		return "select " + strings.Join(columns, ", ") + " from " + duck.Identifier(view)
	}
	different, err := r.db.Count(ctx, fmt.Sprintf("select count(*) from ((%[1]s except all %[2]s) union all (%[2]s except all %[1]s)) as differences", rows(was), rows(is)))
	if err != nil {
		return fmt.Errorf("compare %s of %s: %w", table.Name, r.cfg.Period, err)
	}
	if different > 0 {
		return fmt.Errorf("%s of %s is not what was published: %d rows differ; nothing was published", table.Name, r.cfg.Period, different)
	}
	return nil
}

// complete takes over the periods that keep their key, and makes the top-level tables.
func (k *rekeying) complete(ctx context.Context, periods []snapshot.PublishedPeriod) (err error) {
	r := &run{current: k.base.current}
	if r.db, err = duck.Open(ctx, duck.Options{Threads: cmp.Or(k.cfg.Threads, k.cfg.Workspace.Settings.Threads), MemoryLimit: k.cfg.Workspace.Settings.MemoryLimit, Directories: []string{k.cfg.Workspace.Published()}}); err != nil {
		return err
	}
	defer r.db.Close()
	for _, table := range schema.Tables() {
		if err := r.complete(ctx, k.draft, table, periods, k.written[table.Name]); err != nil {
			return err
		}
	}
	return nil
}

// manifest is the current one's, with the runs that computed periods again in the
// place of those that had published them.
func (k *rekeying) manifest() snapshot.Manifest {
	current := k.base.current.Manifest
	own := current.Record()
	rekey := &snapshot.Rekey{KeyID: k.next.ID(), Former: k.Former}
	periods := slices.Clone(current.Periods)
	for i, period := range periods {
		record, isAgain := k.records[period.Period]
		switch {
		case !isAgain:
			continue
		case period.RunID == current.RunID:
			own = record
		default:
			rekey.Runs = append(rekey.Runs, record)
		}
		periods[i].RunID, periods[i].KeyID = record.RunID, record.KeyID
	}
	m := current.Of(own)
	m.Periods, m.Rekey = periods, rekey
	return m
}
