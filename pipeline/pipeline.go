package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"ltcles/pipeline/civil"
	"ltcles/pipeline/config"
	"ltcles/pipeline/contract"
	"ltcles/pipeline/duck"
	"ltcles/pipeline/emis"
	"ltcles/pipeline/pseudonym"
	"ltcles/pipeline/snapshot"
	"ltcles/pipeline/staging"
	"ltcles/pipeline/unexpected"
	"ltcles/pipeline/workspace"
)

// Version is the program's. It is part of every run_id, because another version
// may compute other figures from the same inputs.
const Version = "0.1.0"

// Program is how a manifest names the program.
func Program() string { return "ltcles " + Version }

// Config says what to run.
type Config struct {
	Workspace *workspace.Workspace
	Period    contract.Period
	AsAt      civil.Date // None: the newest run date that the files state, else Today
	// AsPublished takes, for an AsAt of None, that by which the period is published, unless
	// the files have a newer run date.
	AsPublished bool
	Today       civil.Date
	Accept      []string // files that the operator accepts as they are
	AcceptAll   bool
	Publish     bool // false: everything short of publishing
	// Practice is the one whose rows the report is to list, UnknownPractice for
	// those of none; "" lists no rows.
	Practice string
	Threads  int // 0: what the settings say
	// Command is the name of the command that was typed, without its arguments:
	// another that has to wait is told.
	Command  string
	Progress func(Progress)

	again    *snapshot.Snapshot // of replay: what to compute again; nil for what the current one shows
	compared string             // of replay: a published fact_assessment whose losses are to be told
}

// Progress is how far a step has come.
type Progress struct {
	Step                  string
	Done, Total           int64 // files or tables
	Rows                  int64 // so far, where the step reads rows
	DoneBytes, TotalBytes int64 // of the files, where the step reads them whole: its time goes by them
}

// NotFitError says why the data is not fit to be published. Nothing has changed.
type NotFitError struct {
	Reasons []string // one line each
}

func (e *NotFitError) Error() string {
	if len(e.Reasons) == 1 {
		return "not fit to publish: " + e.Reasons[0]
	}
	return fmt.Sprintf("not fit to publish, for %d reasons: %s (and more)", len(e.Reasons), e.Reasons[0])
}

// EngineVersion is the version of DuckDB that computes the figures, as "v1.4.1".
func EngineVersion(ctx context.Context) (string, error) { return duck.Version(ctx) }

// A run is one run on its way from the inbox to the snapshot.
type run struct {
	cfg       Config
	threads   int
	contract  *contract.Contract
	reference *workspace.Reference
	key       *pseudonym.Key
	keyID     string         // of the key that the run is under: the workspace's, or that under which a period was published
	next      *pseudonym.Key // of rekey: the one that replaces key
	formers   []*formerKey   // other keys, under which evidence is published
	store     snapshot.Store
	snapshots []*snapshot.Snapshot // all that are there before the run
	current   *snapshot.Snapshot   // what is published before the run; nil for nothing
	published *snapshot.Snapshot   // what is computed again, as it was published; nil for a run of its own

	inbox      *emis.Inbox
	inputs     []*input          // in byte order of their paths
	agreements []*emis.Agreement // the bulk extracts among them
	asAt       civil.Date
	cutOff     civil.Date
	evidence   []evidence
	final      bool             // the year end is being frozen (R20)
	freeze     *snapshot.Freeze // what was decided by hand for that
	id         string

	dir     string // runs/<run_id>
	private string // for this run alone, removed at its end
	log     *zap.Logger
	held    *observer.ObservedLogs // what was logged before it was known that the run goes on record
	db      *duck.DB
	report  *Report

	closeLog func() error
}

type stage struct {
	name string
	run  func(*run, context.Context) error
}

// stages is the pipeline, in order.
func stages() []stage {
	return []stage{
		{"read", (*run).ingest},
		{"compute", (*run).transform},
		{"judge", (*run).judge},
		{"publish", (*run).publish},
	}
}

// Run runs a period. The report is returned with an error too, as far as the
// run came; a *NotFitError means that the data is not fit to be published, a
// *config.Problem that the workspace or the call is at fault. Whatever the
// error, what is published is either as before or complete and new: the report
// names the new snapshot where readers see it.
func Run(ctx context.Context, cfg Config) (*Report, error) {
	release, err := lock(cfg)
	if err != nil {
		return nil, err
	}
	defer release()
	r, err := open(cfg)
	if err != nil {
		return nil, err
	}
	defer r.stop()
	if err := r.makePrivate(); err != nil {
		return r.report, err
	}
	began := time.Now()
	if err := r.survey(ctx); err != nil {
		return r.report, err
	}
	surveyed := time.Since(began)
	if cfg.Publish && r.isPublished() {
		r.report.Unchanged = true
		return r.report, nil
	}
	if err := r.start(); err != nil {
		return r.report, err
	}
	r.logStage("inspect", surveyed)
	return r.report, r.work(ctx, stages())
}

// work goes through the stages and writes down what came of them.
func (r *run) work(ctx context.Context, stages []stage) (err error) {
	defer unexpected.Panic(&err) // the report still says whether readers see a new snapshot
	for _, stage := range stages {
		r.log.Info("stage begins", zap.String("stage", stage.name))
		began := time.Now()
		if err := stage.do(ctx, r); err != nil {
			isPublished := r.report.Snapshot != ""
			interrupted := ctx.Err() != nil && !isPublished
			if interrupted {
				err = ctx.Err()
			}
			r.log.Error("run ended", zap.String("stage", stage.name), zap.Error(err))
			if interrupted || r.dir == "" || !isPublished && r.snapshotOf(r.id) != nil {
				return err // the record of an earlier run of the same inputs stands
			}
			return errors.Join(err, r.writeSummary())
		}
		r.logStage(stage.name, time.Since(began))
	}
	r.log.Info("run ended", zap.String("published", r.report.Snapshot))
	return r.writeSummary()
}

func (r *run) logStage(name string, took time.Duration) {
	r.log.Info("stage ended", zap.String("stage", name), zap.Int64("milliseconds", took.Milliseconds()))
}

func (s stage) do(ctx context.Context, r *run) (err error) {
	defer unexpected.Panic(&err)
	return s.run(r, ctx)
}

// open reads everything but the inbox: contract, reference lists, key, and what
// is published so far. What runs before this one may have left is swept.
func open(cfg Config) (*run, error) {
	r, err := newRun(cfg)
	if err != nil {
		return nil, err
	}
	if err := r.openStore(); err != nil {
		return nil, err
	}
	if cfg.Period.IsSupplement() && r.publishedPeriod() == nil {
		return nil, &config.Problem{
			File: cfg.Workspace.Published(), Found: "no supplement " + cfg.Period.String(), Expected: "one that is published",
			Fix: fmt.Sprintf("name another --period, such as the year end %s", cfg.Period.Supplement(0)),
		}
	}
	return r, r.settleWorkspaceKey()
}

// newRun reads what a run is of: contract, reference lists and key.
func newRun(cfg Config) (*run, error) {
	r := &run{cfg: cfg, store: snapshot.Store{Dir: cfg.Workspace.Published()}, asAt: civil.None, report: &Report{Period: cfg.Period.String()}}
	if r.cfg.Progress == nil {
		r.cfg.Progress = func(Progress) {}
	}
	r.threads = cmp.Or(cfg.Threads, cfg.Workspace.Settings.Threads, runtime.NumCPU())
	year := cfg.Period.Year()
	var problems [3]error
	r.contract, problems[0] = contract.Load(cfg.Workspace.ContractsDir(), year)
	r.reference, problems[1] = cfg.Workspace.Reference(year)
	r.key, problems[2] = pseudonym.Load(cfg.Workspace.KeyFile())
	if err := errors.Join(problems[:]...); err != nil {
		return nil, err
	}
	r.contract.Rule(cfg.Workspace.Settings.Rulings)
	r.keyID = r.key.ID()
	return r, nil
}

// openStore sweeps what killed runs left and reads what is published.
func (r *run) openStore() (err error) {
	if err := r.store.Sweep(); err != nil {
		return err
	}
	if err := r.sweep(); err != nil {
		return err
	}
	if r.current, err = r.store.Current(); err != nil {
		return err
	}
	if r.snapshots, err = r.store.Snapshots(); err != nil {
		return err
	}
	return r.checkCurrent()
}

// checkCurrent refuses a workspace that has snapshots and no current one: going
// on would begin history anew; and one whose current snapshot does not hold each
// frozen year end as it was frozen: going on would replace it.
func (r *run) checkCurrent() error {
	if r.current != nil {
		var problems []error
		for _, breach := range snapshot.Breaches(r.current, r.snapshots) {
			problems = append(problems, &config.Problem{File: filepath.Join(r.current.Dir, "manifest.json"), Found: breach})
		}
		return errors.Join(problems...)
	}
	if len(r.snapshots) == 0 {
		return nil
	}
	names := make([]string, len(r.snapshots))
	for i, s := range r.snapshots {
		names[i] = s.Name
	}
	fix := "make the link again: ln -s snapshots/NAME current"
	if runtime.GOOS == "windows" { // where it is a copy of the snapshot
		fix = "restore it from a backup"
	}
	return &config.Problem{
		File: filepath.Join(r.store.Dir, "current"), Found: "no link, though snapshots are there",
		Expected: "a link to the one that is published, of " + strings.Join(names, ", "), Fix: fix,
	}
}

// isPublished tells whether exactly this run is what is published for the period.
func (r *run) isPublished() bool {
	published := r.publishedPeriod()
	return published != nil && published.RunID == r.id
}

const (
	runPrefix  = "run-"   // of private folders
	gonePrefix = ".gone-" // of records of runs that are being removed
)

// sweep removes what killed runs left behind.
func (r *run) sweep() error {
	private, err := entries(r.cfg.Workspace.Private(), runPrefix)
	if err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	gone, err := entries(r.cfg.Workspace.Runs(), gonePrefix)
	if err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	parts, err := r.recordParts()
	if err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	for _, path := range slices.Concat(private, gone, parts) {
		if err := os.RemoveAll(path); err != nil {
			return fmt.Errorf("sweep: %w", err)
		}
	}
	kept := staging.Shelf{Dir: r.cfg.Workspace.Staged()}
	return kept.Sweep(time.Now().AddDate(0, 0, -r.cfg.Workspace.Settings.StagedDays))
}

// entries are the paths of what a folder has whose names begin so, none of a folder that is not
// there. A folder's own name may hold what would make a pattern of it.
func entries(dir, prefix string) (paths []string, err error) {
	all, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, entry := range all {
		if strings.HasPrefix(entry.Name(), prefix) {
			paths = append(paths, filepath.Join(dir, entry.Name()))
		}
	}
	return paths, nil
}

// makePrivate makes the folders that are the run's alone.
func (r *run) makePrivate() (err error) {
	if r.private, err = os.MkdirTemp(r.cfg.Workspace.Private(), runPrefix); err != nil {
		return fmt.Errorf("start run: %w", err)
	}
	for _, dir := range []string{r.stagedDir(), r.shelf().Dir, r.spillDir(), r.unpackedDir()} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("start run: %w", err)
		}
	}
	return nil
}

// start makes the folder of the run's record and opens its log.
func (r *run) start() error {
	r.dir = filepath.Join(r.cfg.Workspace.Runs(), r.id)
	if err := os.MkdirAll(r.dir, 0o755); err != nil {
		return fmt.Errorf("start run: %w", err)
	}
	r.report.RunDir = r.dir
	var err error
	if r.log, r.closeLog, err = newLog(filepath.Join(r.dir, "log.jsonl")); err != nil {
		return fmt.Errorf("start run: %w", err)
	}
	r.log.Info("run begins",
		zap.String("run_id", r.id), zap.String("period", r.cfg.Period.String()), zap.Bool("final", r.final), zap.Stringer("as_at", r.asAt),
		zap.Stringer("cut_off", r.cutOff), zap.String("key_id", r.keyID), zap.String("program", Version), zap.Int("files", len(r.inputs)))
	if r.held == nil {
		return nil
	}
	for _, entry := range r.held.TakeAll() {
		if err := r.log.Core().Write(entry.Entry, entry.Context); err != nil {
			return fmt.Errorf("start run: %w", err)
		}
	}
	return nil
}

// hold keeps the log in memory until start.
func (r *run) hold() {
	core, held := observer.New(zap.InfoLevel)
	r.log, r.held, r.closeLog = zap.New(core), held, func() error { return nil }
}

func (r *run) stagedDir() string   { return filepath.Join(r.private, "staged") }
func (r *run) spillDir() string    { return filepath.Join(r.private, "spill") }
func (r *run) unpackedDir() string { return filepath.Join(r.private, "unpacked") }

// closeEngine closes the engine where it is open; a run that was computed needs it
// no more once its tables are written.
func (r *run) closeEngine() error {
	if r.db == nil {
		return nil
	}
	defer func() { r.db = nil }()
	return r.db.Close()
}

func (r *run) stop() {
	_ = r.closeEngine() // what it computed is written, or not wanted
	if r.log != nil {
		_ = r.closeLog() // every line was written as it came
	}
	if r.private != "" {
		os.RemoveAll(r.private) // else the next run sweeps it
	}
}
