package pipeline

import (
	"cmp"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"ltcles/pipeline/civil"
	"ltcles/pipeline/config"
	"ltcles/pipeline/contract"
	"ltcles/pipeline/duck"
	"ltcles/pipeline/schema"
	"ltcles/pipeline/snapshot"
	"ltcles/pipeline/workspace"
	"ltcles/sql"
)

// DiffConfig says what to compare: two periods of one contract year, each a
// published period, or the name of a snapshot, which stands for its own period.
type DiffConfig struct {
	Workspace *workspace.Workspace
	From, To  string
	Practice  string // "": every practice
	Threads   int    // 0: what the settings say
	Progress  func(Progress)
}

// Comparison is what two published periods have different, in sum.
type Comparison struct {
	From, To    snapshot.PublishedPeriod
	Differences int64
	Practices   []PracticeComparison // those that have a difference, by code
	All         PracticeComparison   // the sum of all, those without a difference too
	Losses      []LossReport         // by practice, reason and the practice now
	// NotKnown says, one line each, why not every reason of a loss is known: To
	// cannot be computed again as it was published. None where they are known.
	NotKnown []string
}

// PracticeComparison is a practice's row. The assessments then, and gained, less
// lost, are the assessments now; where the practice is missing, and missing is not
// zero, then or now is nil.
type PracticeComparison struct {
	Practice                                   string
	AssessmentsThen, AssessmentsNow            *int64
	CountedThen, CountedNow                    *int64
	Gained, Lost                               int64
	Changed                                    int64 // assessments that both have, with another value
	CohortsGained, CohortsLost, CohortsChanged int64
	Values, Money                              int64 // values of its position and of its reconciliation that are different
}

// LossReport is how many assessments of a practice are lost, or count no longer,
// for a reason.
type LossReport struct {
	Practice, Reason string
	PracticeNow      string // where the patients are registered now, where that is another and known
	Assessments      int64
}

// Difference is one thing that only one period has, or one value that is another.
type Difference struct {
	What          string `json:"what"` // assessment, cohort, position, money
	Practice      string `json:"practice_code"`
	Patient       string `json:"patient_key"` // "" for what is not a patient's
	Cohort        string `json:"cohort"`
	Change        string `json:"change"` // gained, lost, changed
	Column        string `json:"column"`
	From          string `json:"from"`
	To            string `json:"to"`
	Reason        string `json:"reason"`         // of an assessment that is lost or counts no longer
	OtherPractice string `json:"other_practice"` // where the patient of a lost one is now, or that of a gained one was
}

// Diff compares two published periods and hands out every difference in order: by
// what it is about, practice, patient, cohort and column. A nil each is for those
// who want the sums alone.
func Diff(ctx context.Context, cfg DiffConfig, each func(Difference) error) (*Comparison, error) {
	c, err := findSides(cfg)
	if err != nil {
		return nil, err
	}
	c.db, err = duck.Open(ctx, duck.Options{
		Threads: cmp.Or(cfg.Threads, cfg.Workspace.Settings.Threads), MemoryLimit: cfg.Workspace.Settings.MemoryLimit,
		Directories: []string{cfg.Workspace.Published(), cfg.Workspace.Private()},
	})
	if err != nil {
		return nil, err
	}
	defer c.db.Close()
	for _, step := range []func(context.Context) error{c.load, c.compare, c.findReasons, c.gather} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	if each == nil {
		return &c.Comparison, nil
	}
	return &c.Comparison, c.list(ctx, each)
}

// comparison is a comparison on its way.
type comparison struct {
	Comparison
	cfg      DiffConfig
	from, to side
	db       *duck.DB
}

// side is one of the two: a period, and the snapshot that its tables are read from.
type side struct {
	snapshot  *snapshot.Snapshot
	published snapshot.PublishedPeriod
	period    contract.Period
	origin    *snapshot.Snapshot // of the run that published the period; nil where it is not kept
}

// comparedTable is a published table that has a row per thing to compare.
type comparedTable struct {
	what  string // a row is
	table string
	shows string // the column that says most of a row that only one side has, or ""
}

// comparedTables are compared in every column but their keys and the run's. Each
// has one row per practice, or per patient of a practice.
func comparedTables() []comparedTable {
	return []comparedTable{
		{"assessment", "fact_assessment", "is_counted"},
		{"cohort", "fact_cohort_patient", "segment"},
		{"position", "fact_practice_position", ""},
		{"money", "fact_reconciliation", ""},
	}
}

// findSides finds the two periods among what is published.
func findSides(cfg DiffConfig) (*comparison, error) {
	store := snapshot.Store{Dir: cfg.Workspace.Published()}
	current, err := store.Current()
	if err != nil {
		return nil, err
	}
	if current == nil {
		return nil, &config.Problem{File: store.Dir, Found: "nothing is published", Expected: "two published periods", Fix: "run ltcles run first"}
	}
	snapshots, err := store.Snapshots()
	if err != nil {
		return nil, err
	}
	c := &comparison{cfg: cfg}
	var problems [2]error
	c.from, problems[0] = findSide(cfg.From, current, snapshots)
	c.to, problems[1] = findSide(cfg.To, current, snapshots)
	if err := errors.Join(problems[:]...); err != nil {
		return nil, err
	}
	c.From, c.To = c.from.published, c.to.published
	if c.From.ContractYear != c.To.ContractYear {
		return nil, &config.Problem{
			File: store.Dir, Found: fmt.Sprintf("%s is of %s and %s of %s", cfg.From, c.From.ContractYear, cfg.To, c.To.ContractYear),
			Expected: "two periods of one contract year", Fix: "name others",
		}
	}
	if c.From.KeyID != c.To.KeyID {
		fix := "run the earlier period again, which puts it under the workspace's key, or name others"
		if c.From.Status == snapshot.Final || c.To.Status == snapshot.Final {
			fix = "name others; a frozen year end keeps its key, and the finding fewer_than_last_period of a supplement says how many of it no longer count"
		}
		return nil, &config.Problem{
			File: store.Dir, Found: fmt.Sprintf("%s is under key %s and %s under key %s, so that no patient can be matched", cfg.From, c.From.KeyID, cfg.To, c.To.KeyID),
			Expected: "two periods under one key", Fix: fix,
		}
	}
	return c, nil
}

// findSide finds a period that the current snapshot shows, or the own period of a
// snapshot that is named.
func findSide(text string, current *snapshot.Snapshot, snapshots []*snapshot.Snapshot) (side, error) {
	found := side{snapshot: current}
	if parsed, err := contract.ParsePublished(text); err == nil {
		text = parsed.String()
	} else if at := slices.IndexFunc(snapshots, func(s *snapshot.Snapshot) bool { return s.Name == text }); at >= 0 {
		found.snapshot, text = snapshots[at], snapshots[at].Manifest.Period
	}
	published := found.snapshot.Period(text)
	if published == nil {
		var periods []string
		for _, p := range current.Manifest.Periods {
			periods = append(periods, p.Period)
		}
		return side{}, &config.Problem{
			File: filepath.Dir(filepath.Dir(current.Dir)), Found: fmt.Sprintf("no period or snapshot %q", text),
			Expected: "one of " + strings.Join(periods, ", ") + ", or the name of a folder in snapshots/", Fix: "correct it, or run the period",
		}
	}
	found.published = *published
	for _, s := range snapshots {
		if found.origin = s.As(published.RunID); found.origin != nil {
			break
		}
	}
	var err error
	found.period, err = contract.ParsePublished(published.Period)
	return found, err
}

// load shows the published tables of both sides as from_<table> and to_<table>.
func (c *comparison) load(ctx context.Context) error {
	tables := []string{"fact_coverage"}
	for _, compared := range comparedTables() {
		tables = append(tables, compared.table)
	}
	for _, table := range tables {
		for prefix, s := range map[string]side{"from_": c.from, "to_": c.to} {
			file, ok := s.snapshot.File(table, s.published.Period)
			if !ok {
				return &config.Problem{File: s.snapshot.Dir, Found: "no " + snapshot.TableFile(table, s.published.Period), Expected: "every table", Fix: "restore the snapshot from a backup, or run the period again"}
			}
			if err := c.db.ViewParquet(ctx, prefix+table, []string{s.snapshot.Path(file.Name)}); err != nil {
				return err
			}
		}
	}
	if err := c.db.ExecFile(ctx, sql.Files, "diff/00_asked.sql"); err != nil {
		return err
	}
	if err := c.db.Append(ctx, "asked", [][]driver.Value{{text(c.cfg.Practice)}}); err != nil {
		return err
	}
	return c.findPractice(ctx)
}

// findPractice makes sure that the practice asked for is in one of the two.
func (c *comparison) findPractice(ctx context.Context) error {
	known, err := c.db.Count(ctx, `
		select count(*)
		from (select practice_code from from_fact_practice_position union select practice_code from to_fact_practice_position) as practices
		cross join asked
		where asked.practice_code is null or asked.practice_code = practices.practice_code`)
	if err != nil {
		return fmt.Errorf("find practice: %w", err)
	}
	if known == 0 && c.cfg.Practice != "" {
		return &config.Problem{
			File: c.cfg.Workspace.Published(), Found: fmt.Sprintf("no practice %q in %s or %s", c.cfg.Practice, c.cfg.From, c.cfg.To),
			Expected: "the code of one that is there", Fix: "correct --practice",
		}
	}
	return nil
}

// compare lists the differences of every table.
func (c *comparison) compare(ctx context.Context) error {
	if err := c.db.ExecFile(ctx, sql.Files, "diff/10_difference.sql"); err != nil {
		return err
	}
	for i, compared := range comparedTables() {
		for _, statement := range compared.statements(i) {
			if err := c.db.Exec(ctx, statement); err != nil {
				return fmt.Errorf("compare %s: %w", compared.table, err)
			}
		}
	}
	return nil
}

// statements lay the rows of both sides side by side, and list what only one side
// has, then each value that is another.
func (t comparedTable) statements(order int) []string {
	table, _ := schema.Lookup(t.table)
	ids := append([]string{"practice_code"}, slices.DeleteFunc(table.Key(), isPractice)...) // where a patient is at is part of what a row is
	var same, columns []string
	for _, id := range ids {
		same = append(same, fmt.Sprintf("earlier.%s = later.%[1]s", id))
		columns = append(columns, fmt.Sprintf("coalesce(earlier.%s, later.%[1]s) as %[1]s", id))
	}
	id := func(name string) string {
		if slices.Contains(ids, name) {
			return name
		}
		return "''"
	}
	differences := func(change string, number int, values, where string) string {
		return fmt.Sprintf("select %d, '%s', practice_code, %s, %s, %s, %d, %s from compared_%s where %s",
			order, t.what, id("patient_key"), id("cohort"), change, number, values, t.table, where)
	}
	shown := "'', '', ''"
	if t.shows != "" {
		shown = bothValues(t.shows)
	}
	list := []string{differences("case when is_there then 'gained' else 'lost' end", 0, shown, "was_there <> is_there")}
	for i, column := range table.Values() {
		if isPractice(column.Name) {
			continue
		}
		columns = append(columns, fmt.Sprintf("earlier.%s as from_%[1]s, later.%[1]s as to_%[1]s", column.Name))
		list = append(list, differences("'changed'", i+1, bothValues(column.Name),
			fmt.Sprintf("was_there and is_there and from_%s is distinct from to_%[1]s", column.Name)))
	}
	return []string{
		fmt.Sprintf(`create table compared_%s as
			select %s, earlier.practice_code is not null as was_there, later.practice_code is not null as is_there
			from from_%[1]s as earlier
			full outer join to_%[1]s as later on %[3]s
			cross join asked
			where asked.practice_code is null or asked.practice_code = coalesce(earlier.practice_code, later.practice_code)`,
			t.table, strings.Join(columns, ", "), strings.Join(same, " and ")),
		"insert into difference " + strings.Join(list, " union all "),
	}
}

func isPractice(column string) bool { return column == "practice_code" }

// bothValues is a column's name and its values on both sides, as text.
func bothValues(column string) string {
	return fmt.Sprintf("'%s', coalesce(cast(from_%[1]s as varchar), ''), coalesce(cast(to_%[1]s as varchar), '')", column)
}

// findReasons finds why assessments are lost: by computing the second period again
// as it was published, else so far as the published tables tell.
func (c *comparison) findReasons(ctx context.Context) error {
	if err := c.db.ExecFile(ctx, sql.Files, "diff/20_lost_assessment.sql"); err != nil {
		return err
	}
	lost, err := c.db.Count(ctx, "select count(*) from lost_assessment")
	if err != nil {
		return fmt.Errorf("count losses: %w", err)
	}
	if lost > 0 {
		if err := c.replay(ctx); err != nil {
			return err
		}
	}
	return c.db.ExecFile(ctx, sql.Files, "diff/30_explained_difference.sql")
}

// replay computes the second period again, where that can be done, and takes the
// reasons from there.
func (c *comparison) replay(ctx context.Context) error {
	if c.to.origin == nil {
		c.NotKnown = []string{fmt.Sprintf("the snapshot of run %s, which published it, is not kept", c.To.RunID)}
		return nil
	}
	compared, _ := c.from.snapshot.File("fact_assessment", c.From.Period)
	cfg := Config{
		Command:   "diff",
		Workspace: c.cfg.Workspace, Period: c.to.period, AsAt: civil.None, Threads: c.cfg.Threads, Progress: c.cfg.Progress,
		again: c.to.origin, compared: c.from.snapshot.Path(compared.Name),
	}
	err := reopen(ctx, cfg, func(r *run, standing Standing) error {
		if !standing.IsSame {
			c.NotKnown = whyNotSame(standing, c.to.origin.Manifest.Program)
			return nil
		}
		if err := r.recompute(ctx); err != nil {
			return err
		}
		path := filepath.Join(r.stagedDir(), "lost.parquet")
		if err := r.db.CopyParquet(ctx, "select patient_key, practice_code, reason, practice_now from int_assessment_lost where use = 'compared'", path); err != nil {
			return err
		}
		if err := c.db.Exec(ctx, "delete from lost_assessment"); err != nil {
			return err
		}
		return c.db.InsertParquet(ctx, "lost_assessment", "patient_key, practice_code, reason, practice_now", path)
	})
	var none noInboxError
	if errors.As(err, &none) {
		c.NotKnown = []string{none.Error()}
		return nil
	}
	return err
}

// whyNotSame says what has changed since a period was published.
func whyNotSame(standing Standing, program string) []string {
	var lines []string
	for _, change := range standing.Changes {
		lines = append(lines, change.File+": "+change.What)
	}
	if program != Program() {
		lines = append(lines, fmt.Sprintf("the program: %s published it, this is %s", program, Program()))
	}
	if lines == nil {
		lines = append(lines, "an earlier snapshot that was consulted is not kept")
	}
	return lines
}

// gather makes the sums.
func (c *comparison) gather(ctx context.Context) error {
	var err error
	if c.Differences, err = c.db.Count(ctx, "select count(*) from difference"); err != nil {
		return fmt.Errorf("gather differences: %w", err)
	}
	err = c.db.Query(ctx, `
		with differences as (
			select practice_code,
				count(case when what = 'assessment' and change = 'gained' then 1 end) as gained,
				count(case when what = 'assessment' and change = 'lost' then 1 end) as lost,
				count(distinct case when what = 'assessment' and change = 'changed' then patient_key end) as changed,
				count(case when what = 'cohort' and change = 'gained' then 1 end) as cohorts_gained,
				count(case when what = 'cohort' and change = 'lost' then 1 end) as cohorts_lost,
				count(distinct case when what = 'cohort' and change = 'changed' then concat(patient_key, cohort) end) as cohorts_changed,
				count(case when what = 'position' then 1 end) as position_values,
				count(case when what = 'money' then 1 end) as money_values
			from difference
			group by practice_code
		),
		practices as (
			select positions.practice_code, from_assessments, to_assessments, from_counted, to_counted,
				coalesce(gained, 0) as gained, coalesce(lost, 0) as lost, coalesce(changed, 0) as changed,
				coalesce(cohorts_gained, 0) as cohorts_gained, coalesce(cohorts_lost, 0) as cohorts_lost,
				coalesce(cohorts_changed, 0) as cohorts_changed,
				coalesce(position_values, 0) as position_values, coalesce(money_values, 0) as money_values,
				differences.practice_code is not null as is_different
			from compared_fact_practice_position as positions
			left join differences on differences.practice_code = positions.practice_code
		)
		select practice_code, from_assessments, to_assessments, from_counted, to_counted,
			gained, lost, changed, cohorts_gained, cohorts_lost, cohorts_changed, position_values, money_values
		from practices
		where is_different
		union all
		select '', cast(sum(from_assessments) as bigint), cast(sum(to_assessments) as bigint),
			cast(sum(from_counted) as bigint), cast(sum(to_counted) as bigint),
			cast(sum(gained) as bigint), cast(sum(lost) as bigint), cast(sum(changed) as bigint), cast(sum(cohorts_gained) as bigint),
			cast(sum(cohorts_lost) as bigint), cast(sum(cohorts_changed) as bigint), cast(sum(position_values) as bigint),
			cast(sum(money_values) as bigint)
		from practices
		order by 1`, func(v []any) error {
		p := PracticeComparison{
			Practice: v[0].(string), AssessmentsThen: whole(v[1]), AssessmentsNow: whole(v[2]), CountedThen: whole(v[3]), CountedNow: whole(v[4]),
			Gained: v[5].(int64), Lost: v[6].(int64), Changed: v[7].(int64),
			CohortsGained: v[8].(int64), CohortsLost: v[9].(int64), CohortsChanged: v[10].(int64), Values: v[11].(int64), Money: v[12].(int64),
		}
		if p.Practice == "" {
			c.All = p
		} else {
			c.Practices = append(c.Practices, p)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("gather practices: %w", err)
	}
	err = c.db.Query(ctx, `
		select practice_code, reason, other_practice, count(*)
		from explained_difference
		where reason <> ''
		group by practice_code, reason, other_practice
		order by practice_code, reason, other_practice`, func(v []any) error {
		c.Losses = append(c.Losses, LossReport{v[0].(string), v[1].(string), v[2].(string), v[3].(int64)})
		return nil
	})
	if err != nil {
		return fmt.Errorf("gather losses: %w", err)
	}
	return nil
}

// list hands out the differences in order.
func (c *comparison) list(ctx context.Context, each func(Difference) error) error {
	err := c.db.Query(ctx, `
		select what, practice_code, patient_key, cohort, change, column_name, from_value, to_value, reason, other_practice
		from explained_difference
		order by what_no, practice_code, patient_key, cohort, column_no`, func(v []any) error {
		return each(Difference{
			What: v[0].(string), Practice: v[1].(string), Patient: v[2].(string), Cohort: v[3].(string), Change: v[4].(string),
			Column: v[5].(string), From: v[6].(string), To: v[7].(string), Reason: v[8].(string), OtherPractice: v[9].(string),
		})
	})
	if err != nil {
		return fmt.Errorf("list differences: %w", err)
	}
	return nil
}
