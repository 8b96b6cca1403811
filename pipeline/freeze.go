package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"ltcles/pipeline/civil"
	"ltcles/pipeline/config"
	"ltcles/pipeline/contract"
	"ltcles/pipeline/emis"
	"ltcles/pipeline/snapshot"
	"ltcles/pipeline/workspace"
)

// FreezeConfig says what year end to make final.
type FreezeConfig struct {
	Workspace *workspace.Workspace
	Period    contract.Period
	Missing   []snapshot.MissingPractice // practices without files that are accepted, and why
	Threads   int                        // 0: what the settings say
	Progress  func(Progress)
}

// Freeze makes the published year end final (R20): it computes it again from its
// inbox, exactly as it was published, and publishes that with the direction of
// each balance. Whatever stands against it is said in one pass, and then nothing
// has changed: a *config.Problem for each fault of the call or the workspace, a
// *NotFitError for the data. A year end that is frozen already stays as it is.
func Freeze(ctx context.Context, cfg FreezeConfig) (*Report, error) {
	running := Config{
		Workspace: cfg.Workspace, Period: cfg.Period, AsAt: civil.None, Command: "freeze", Publish: true, Threads: cfg.Threads, Progress: cfg.Progress,
	}
	release, err := lock(running)
	if err != nil {
		return nil, err
	}
	defer release()
	r, err := open(running)
	if err != nil {
		return nil, err
	}
	defer r.stop()
	f := &freezing{run: r, missing: cfg.Missing}
	return r.report, f.do(ctx)
}

// freezing is a run on its way to make a year end final, with what stands against it.
type freezing struct {
	*run
	missing  []snapshot.MissingPractice
	problems []error  // of the call and the workspace
	unfit    []string // of the data
}

func (f *freezing) do(ctx context.Context) error {
	f.checkMissing()
	published := f.publishedPeriod()
	switch {
	case !f.cfg.Period.IsYearEnd() || f.cfg.Period.IsSupplement():
		f.against("--period "+f.cfg.Period.String(), "no year end", "a contract year such as "+string(f.contract.Year), "name the year to freeze")
		return f.refused(nil)
	case published == nil:
		f.against(path.Join("published", "current"), f.cfg.Period.String()+" is not published", "its year end, published and looked at",
			"run it first: ltcles run --period "+f.cfg.Period.String())
		return f.refused(nil)
	case f.snapshotOf(published.RunID) == nil:
		f.against(path.Join("published", "snapshots"), "no snapshot of run "+published.RunID, "the one that published "+f.cfg.Period.String(), "restore it from a backup")
		return f.refused(nil)
	case published.Status == snapshot.Final:
		return f.leave(ctx)
	case published.KeyID != f.keyID:
		f.against(path.Join("published", "current"), fmt.Sprintf("%s is published under the former key %s", f.cfg.Period, published.KeyID), "the workspace's key "+f.keyID,
			"run the period again and look at it, then freeze")
		return f.refused(nil)
	}
	f.checkWorkspace(published)
	standing, err := f.revisit(ctx)
	if err != nil {
		return f.refused(err)
	}
	f.checkStanding(standing)
	f.final, f.freeze = true, &snapshot.Freeze{Missing: f.missing}
	f.settleID()
	return f.work(ctx, []stage{
		{"read", (*run).ingest},
		{"compute", (*run).transform},
		{"settle", func(_ *run, ctx context.Context) error { return f.settle(ctx) }},
		{"judge", (*run).judge},
		{"publish", (*run).publish},
	})
}

// settle is where it is decided whether the year end is made final. Before it
// nothing is on record.
func (f *freezing) settle(ctx context.Context) error {
	if err := f.checkCoverage(ctx); err != nil {
		return err
	}
	if err := f.refused(nil); err != nil {
		return err
	}
	return f.start()
}

// leave leaves a frozen year end as it is, and says so where something else was
// asked for than is frozen.
func (f *freezing) leave(ctx context.Context) error {
	standing, err := f.revisit(ctx)
	if err != nil {
		return f.refused(err)
	}
	if len(f.missing) > 0 && !slices.Equal(f.missing, f.freeze.Missing) {
		var accepted []string
		for _, m := range f.freeze.Missing {
			accepted = append(accepted, m.Practice+"="+m.Reason)
		}
		f.against("--accept-missing", fmt.Sprintf("%s is frozen already, with %s accepted as missing", f.cfg.Period, cmp.Or(strings.Join(accepted, ", "), "no practice")),
			"nothing more to accept", "leave it out: what is frozen stays as it is")
	}
	f.checkStanding(standing)
	f.report.Unchanged = true
	return f.refused(nil)
}

// refused is everything that stands against the freeze, and err.
func (f *freezing) refused(err error) error {
	problems := slices.Clone(f.problems)
	if len(f.unfit) > 0 {
		problems = append(problems, &NotFitError{Reasons: f.unfit})
	}
	return errors.Join(append(problems, err)...)
}

func (f *freezing) against(file, found, expected, fix string) {
	f.problems = append(f.problems, &config.Problem{File: file, Found: found, Expected: expected, Fix: fix})
}

// checkMissing refuses what does not name a practice of the year, once, with a reason
// that can be published.
func (f *freezing) checkMissing() {
	known := f.practices()
	f.missing = slices.Clone(f.missing)
	for i := range f.missing {
		m := &f.missing[i]
		m.Practice, m.Reason = strings.ToUpper(strings.TrimSpace(m.Practice)), strings.TrimSpace(m.Reason) // R4
		named, _ := emis.MaskNHSNumbers(m.Practice)
		given := "--accept-missing " + named
		if _, ok := known[m.Practice]; !ok {
			f.against(given, "no such practice", fmt.Sprintf("a practice code of reference/practices.csv for %s", f.contract.Year), "correct it")
		}
		if slices.ContainsFunc(f.missing[:i], func(before snapshot.MissingPractice) bool { return before.Practice == m.Practice }) {
			f.against(given, "given twice", "one reason", "leave one out")
		}
		if m.Reason == "" {
			f.against(given, "no reason", "why the year is made final without the practice", fmt.Sprintf("give --accept-missing %q", m.Practice+"=REASON"))
		}
		if _, holds := emis.MaskNHSNumbers(m.Reason); holds {
			f.against(given, "an NHS number in the reason", "a reason without one, because it is published", "word it otherwise")
		}
	}
	slices.SortFunc(f.missing, func(a, b snapshot.MissingPractice) int { return cmp.Compare(a.Practice, b.Practice) })
}

// checkWorkspace refuses a basis that nobody has set, and an extract that was taken
// before every claim of the year could be coded.
func (f *freezing) checkWorkspace(published *snapshot.PublishedPeriod) {
	if policies := f.contract.Policies; policies.ReconciliationBasisAssumed {
		f.against(workspace.SettingsFile, fmt.Sprintf("reconciliation_basis is not set (%s is assumed)", policies.ReconciliationBasis),
			contract.Domain2+" or "+contract.WholeContract+", as decided for "+string(f.contract.Year), "add it, run the period again and look at it, then freeze")
	}
	if first := f.contract.CodingDeadline + 1; published.AsAt < first {
		f.unfit = append(f.unfit, fmt.Sprintf("%s: published as at %s; expected %s, the day after the coding deadline, or later; run the period again with an extract of then and look at it, then freeze",
			path.Join("inbox", f.cfg.Period.String()), published.AsAt, first))
	}
}

// checkStanding refuses a year end that is no longer what was published.
func (f *freezing) checkStanding(standing Standing) {
	if standing.IsSame {
		return
	}
	fix := "run the period again and look at it, then freeze"
	if standing.Published.Status == snapshot.Final {
		fix = "to publish a supplement, run the period; what is frozen stays as it is"
	}
	for _, change := range standing.Changes {
		f.unfit = append(f.unfit, fmt.Sprintf("%s: %s since %s was published; expected it as it was; %s", change.File, change.What, f.cfg.Period, fix))
	}
	then := f.published.Manifest
	switch {
	case len(standing.Changes) > 0:
	case then.Program != Program():
		f.unfit = append(f.unfit, fmt.Sprintf("%s: published by %s; expected %s; %s", f.cfg.Period, then.Program, Program(), fix))
	case len(f.evidence) < len(then.Evidence):
		f.unfit = append(f.unfit, fmt.Sprintf("%s: an earlier snapshot that it was published with is not there; expected it as it was; restore it from a backup, or %s", f.cfg.Period, fix))
	default:
		f.unfit = append(f.unfit, fmt.Sprintf("%s: its files are not read as when it was published; expected the same limits of archives; %s", f.cfg.Period, fix))
	}
}

// checkCoverage refuses a practice without files that is not accepted by name, and
// one that is, with files.
func (f *freezing) checkCoverage(ctx context.Context) error {
	isMissing := map[string]bool{}
	err := f.db.Query(ctx, `
		select coverage.practice_code, coalesce(practices.practice_name, '')
		from mart_fact_coverage as coverage
		inner join mart_dim_practice as practices on practices.practice_code = coverage.practice_code
		where coverage.state = 'missing'
		order by coverage.practice_code`, func(v []any) error {
		code, name := v[0].(string), v[1].(string)
		isMissing[code] = true
		if !slices.ContainsFunc(f.missing, func(m snapshot.MissingPractice) bool { return m.Practice == code }) {
			f.unfit = append(f.unfit, fmt.Sprintf("%s: no readable search export or bulk extract; expected its files, or its being accepted as missing; put them into %s and run the period again, or freeze with --accept-missing %q",
				strings.TrimSpace(code+" "+name), path.Join("inbox", f.cfg.Period.String()), code+"=REASON"))
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("find missing practices: %w", err)
	}
	known := f.practices()
	for i, m := range f.missing {
		isRepeated := i > 0 && f.missing[i-1].Practice == m.Practice
		if _, ok := known[m.Practice]; ok && !isMissing[m.Practice] && !isRepeated {
			f.against("--accept-missing "+m.Practice, "the practice has files", "a practice that is missing", "leave it out")
		}
	}
	return nil
}

// settleFrozen settles what a run of a frozen year end is (R20): that same year end
// where exactly what it was frozen from goes in, and else a supplement to it. So
// no run has the frozen period for its own.
func (r *run) settleFrozen() {
	if r.published != nil || !r.cfg.Period.IsYearEnd() {
		return
	}
	year := r.cfg.Period.Supplement(0)
	r.cfg.Period = year
	period := r.publishedPeriod()
	if period == nil || period.Status != snapshot.Final {
		return
	}
	frozen := r.snapshotOf(period.RunID) // is there, or the workspace would have been refused
	accepted := acceptedThen(frozen)
	r.keyID = frozen.Manifest.KeyID // that it was made final under
	if r.deriveID(year, accepted, frozen.Manifest.Evidence, frozen.Manifest.Freeze) != period.RunID {
		r.cfg.Period, r.keyID = year.Supplement(1), r.key.ID()
		return
	}
	r.published, r.freeze, r.final = frozen, frozen.Manifest.Freeze, true
	r.accept(accepted)
}

// settleNumber gives a supplement its number: that under which the same run was
// published, else the next.
func (r *run) settleNumber() {
	if r.published != nil || !r.cfg.Period.IsSupplement() {
		return
	}
	number := 1
	for ; ; number++ {
		published := r.current.Period(r.cfg.Period.Supplement(number).String())
		if published == nil || published.RunID == r.id {
			break
		}
	}
	r.cfg.Period = r.cfg.Period.Supplement(number)
}
