package pipeline

import (
	"cmp"
	"context"
	"database/sql/driver"
	"fmt"
	"io/fs"
	"runtime/debug"
	"slices"
	"strings"

	"go.uber.org/zap"

	"ltcles/pipeline/civil"
	"ltcles/pipeline/contract"
	"ltcles/pipeline/duck"
	"ltcles/pipeline/schema"
	"ltcles/pipeline/staging"
	"ltcles/sql"
)

// defaultMemoryLimit is the engine's share of what a laptop of 8 GB has left beside
// its other programs.
const defaultMemoryLimit = "2.5GB"

// transform runs the rules over the staged files and proves that no row was
// lost on the way.
func (r *run) transform(ctx context.Context) (err error) {
	debug.FreeOSMemory() // what reading took is the engine's now
	r.db, err = duck.Open(ctx, duck.Options{
		Threads: r.threads, MemoryLimit: cmp.Or(r.cfg.Workspace.Settings.MemoryLimit, defaultMemoryLimit),
		Directories: []string{r.stagedDir(), r.shelf().Dir, r.cfg.Workspace.Published()}, SpillDir: r.spillDir(),
	})
	if err != nil {
		return err
	}
	names, err := fs.Glob(sql.Files, "*.sql")
	if err != nil {
		return fmt.Errorf("list sql: %w", err)
	}
	filled := false
	for i, name := range names {
		if !filled && !isRaw(name) {
			if err := r.fill(ctx); err != nil {
				return err
			}
			filled = true
		}
		if err := r.db.ExecFile(ctx, sql.Files, name); err != nil {
			return err
		}
		if err := r.conserve(ctx, tableOf(name)); err != nil {
			return err
		}
		r.cfg.Progress(Progress{Step: "computing", Done: int64(i + 1), Total: int64(len(names))})
	}
	return r.runChecks(ctx)
}

// isRaw tells the files that make the empty tables of parameters.
func isRaw(name string) bool { return strings.HasPrefix(name, "0") }

// tableOf is the table that a SQL file makes: its name after the number.
func tableOf(name string) string {
	_, table, _ := strings.Cut(strings.TrimSuffix(name, ".sql"), "_")
	return table
}

// oneToOne are the tables that have one row per input row.
var oneToOne = []string{"int_row", "int_disposition"}

// conserve stops the run where a table that has one row per input row has not.
func (r *run) conserve(ctx context.Context, table string) error {
	if !slices.Contains(oneToOne, table) {
		return nil
	}
	rows, err := r.db.Count(ctx, "select count(*) from "+duck.Identifier(table))
	if err != nil {
		return fmt.Errorf("count %s: %w", table, err)
	}
	if read := r.rowsRead(); rows != read {
		return fmt.Errorf("rows are not conserved: %d read, %d in %s; nothing was published", read, rows, table)
	}
	return nil
}

// rowsRead is what the reader counted over all files.
func (r *run) rowsRead() (rows int64) {
	for _, in := range r.inputs {
		rows += in.tally.Rows
	}
	return rows
}

// runChecks runs the checks; each selects what offends, and none may.
func (r *run) runChecks(ctx context.Context) error {
	names, err := fs.Glob(sql.Files, "checks/*.sql")
	if err != nil {
		return fmt.Errorf("list checks: %w", err)
	}
	for _, name := range names {
		if err := r.runCheck(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) runCheck(ctx context.Context, name string) error {
	text, err := fs.ReadFile(sql.Files, name)
	if err != nil {
		return fmt.Errorf("read check %s: %w", name, err)
	}
	offending := 0
	if err := r.db.Query(ctx, string(text), func([]any) error { offending++; return nil }); err != nil {
		return fmt.Errorf("run check %s: %w", name, err)
	}
	if offending > 0 {
		return fmt.Errorf("check %s found %d rows that must not be; nothing was published", name, offending)
	}
	r.log.Info("check passed", zap.String("check", name))
	return nil
}

// fill puts the run's parameters, the contract, the reference lists, the files
// and what earlier snapshots say into the raw_ tables, and the staged rows into
// the view raw_row.
func (r *run) fill(ctx context.Context) error {
	states, err := r.stateRows()
	if err != nil {
		return err
	}
	for _, table := range []struct {
		name string
		rows [][]driver.Value
	}{
		{"run", r.runRow()},
		{"raw_practice", r.practiceRows()},
		{"raw_domain", r.domainRows()},
		{"raw_segment", r.segmentRows()},
		{"raw_segment_set", r.segmentSetRows()},
		{"raw_code", r.codeRows()},
		{"raw_calendar", calendarRows(r.contract.Year)},
		{"raw_instalment", r.instalmentRows()},
		{"raw_check", checkRows()},
		{"raw_disposition", dispositionRows()},
		{"raw_file", r.fileRows()},
		{"raw_file_count", r.fileCountRows()},
		{"raw_former_pseudonym", r.formerRows()},
		{"raw_row_state", states},
	} {
		if err := r.db.Append(ctx, table.name, table.rows); err != nil {
			return err
		}
	}
	staged, err := r.stagedFiles()
	if err != nil {
		return err
	}
	if err := r.db.ViewParquet(ctx, "raw_row", staged); err != nil {
		return err
	}
	for _, e := range r.evidence {
		if err := r.fillPublished(ctx, e.use, e.path, e.period.KeyID); err != nil {
			return err
		}
	}
	if r.cfg.compared == "" {
		return nil
	}
	return r.fillPublished(ctx, "compared", r.cfg.compared, r.keyID)
}

// fillPublished adds a published fact_assessment, for one use of it. Its patients are
// those of the run by their pseudonyms, under whatever key it is published.
func (r *run) fillPublished(ctx context.Context, use, path, keyID string) error {
	patient := "patient_key"
	if keyID != r.keyID {
		// Who is in no row has no other pseudonym than this, which matches nobody.
		patient = fmt.Sprintf(`coalesce((
			select former.patient_key from raw_former_pseudonym as former
			where former.key_id = '%s' and former.former_key = read_parquet.patient_key), patient_key)`, keyID)
	}
	columns := []string{"'" + use + "'", patient, duck.HexNumber(patient, 0), duck.HexNumber(patient, 8), "practice_code", "activity_date", "is_counted"}
	return r.db.InsertParquet(ctx, "raw_published_assessment", strings.Join(columns, ", "), path)
}

// stagedFiles lists the staged files, that with the most rows first: the engine takes the
// first for an example of them all when it decides what to join to what. Where no file was
// read it is an empty one, so that raw_row has its columns.
func (r *run) stagedFiles() (staged []string, err error) {
	most := int64(-1)
	for _, in := range r.inputs {
		if in.staged == nil {
			continue
		}
		staged = append(staged, in.staged.Path)
		if in.tally.Rows > most {
			most = in.tally.Rows
			staged[0], staged[len(staged)-1] = staged[len(staged)-1], staged[0]
		}
	}
	if len(staged) > 0 {
		return staged, nil
	}
	empty, err := staging.Create(r.stagedDir(), staging.KeyOf("empty"))
	if err != nil {
		return nil, err
	}
	none, err := empty.Close()
	if err != nil {
		return nil, err
	}
	return []string{none.Path}, nil
}

func (r *run) runRow() [][]driver.Value {
	year := r.contract.Year
	return [][]driver.Value{{
		string(year), r.cfg.Period.String(), day(r.asAt), day(r.cutOff), day(r.cfg.Period.End()), day(year.Start()), day(year.End()),
		day(r.contract.CodingDeadline), int64(r.cutOff-year.Start()) + 1, int64(year.Days()),
		r.contract.Policies.RequireRegular, r.contract.Policies.CountWithoutSegment, r.contract.Policies.RequireEligibility,
		slices.ContainsFunc(r.evidence, func(e evidence) bool { return e.use == "last_year" }),
		r.contract.Policies.ReconciliationBasis, r.contract.AdvanceShare.PPM(), r.final, r.id,
	}}
}

func (r *run) practiceRows() (rows [][]driver.Value) {
	for i, p := range r.reference.Practices {
		rows = append(rows, []driver.Value{
			int32(i), p.Code, text(p.Name), text(p.Place), text(r.reference.Choices[p.Place]), text(p.PCNCode), text(p.PCNName),
			count(p.RegisteredPopulation), text(p.WeightedPopulation), count(p.AnnualTarget), count(r.contract.PencePerWeightedHead[p.Place]),
		})
	}
	return rows
}

// domainRows says of each domain whether activity decides what it earns (R19, domain_2).
func (r *run) domainRows() (rows [][]driver.Value) {
	for i, d := range r.contract.Domains {
		rows = append(rows, []driver.Value{d.Domain, d.Share.PPM(), d.Domain == contract.Assessments, int64(i) + 1})
	}
	return rows
}

func (r *run) segmentRows() (rows [][]driver.Value) {
	for _, s := range r.contract.Segments {
		var share driver.Value
		if s.MinimumShare != nil {
			share = s.MinimumShare.PPM()
		}
		rows = append(rows, []driver.Value{s.Segment, s.Name, share, int64(s.SortOrder)})
	}
	return rows
}

// segmentSetRows lists every non-empty set of segments (R18).
func (r *run) segmentSetRows() (rows [][]driver.Value) {
	for set := 1; set < 1<<len(r.contract.Segments); set++ {
		for i, s := range r.contract.Segments {
			if set&(1<<i) != 0 {
				rows = append(rows, []driver.Value{int64(set), s.Segment})
			}
		}
	}
	return rows
}

func (r *run) codeRows() (rows [][]driver.Value) {
	segments := map[string]driver.Value{}
	for _, s := range r.contract.Segments {
		segments[s.Segment] = int32(s.SortOrder)
	}
	memberships := map[string]driver.Value{}
	for i, c := range r.contract.Codes {
		var membership driver.Value
		if c.Role == contract.Cohort || c.Role == contract.Eligibility {
			of := string(c.Role) + c.Cohort
			if memberships[of] == nil {
				memberships[of] = int32(i)
			}
			membership = memberships[of]
		}
		rows = append(rows, []driver.Value{
			int32(i), string(c.Code), c.Term, string(c.Role), text(c.Cohort), membership, text(c.Segment), segments[c.Segment], c.Segment == contract.PlaceChoice,
		})
	}
	return rows
}

func calendarRows(year contract.Year) (rows [][]driver.Value) {
	for d := year.Start(); d <= year.End(); d++ {
		calendarYear, month, _ := d.YMD()
		first, _ := civil.Of(calendarYear, int(month), 1)
		_, tomorrow, _ := (d + 1).YMD()
		contractMonth := (int64(month)+8)%12 + 1
		rows = append(rows, []driver.Value{day(d), day(first), contractMonth, (contractMonth + 2) / 3, tomorrow != month})
	}
	return rows
}

func (r *run) instalmentRows() (rows [][]driver.Value) {
	for i, instalment := range r.contract.Instalments {
		rows = append(rows, []driver.Value{int64(i) + 1, day(instalment.PaidMonth), instalment.Covers})
	}
	return rows
}

func checkRows() (rows [][]driver.Value) {
	for _, check := range schema.Findings() {
		rows = append(rows, []driver.Value{check.Name, check.Severity, check.Found, check.Counts()})
	}
	return rows
}

func dispositionRows() (rows [][]driver.Value) {
	for _, disposition := range schema.Dispositions() {
		rows = append(rows, []driver.Value{disposition.Name, disposition.Group})
	}
	return rows
}

func (r *run) fileRows() (rows [][]driver.Value) {
	for i, in := range r.inputs {
		var headerLine, key driver.Value
		if in.HeaderLine > 0 {
			headerLine = int64(in.HeaderLine)
		}
		if in.staged != nil {
			key = in.staged.Number
		}
		rows = append(rows, []driver.Value{
			int32(i), in.Name, key, text(in.SHA256), string(in.Kind), string(in.Status), text(in.Practice), text(strings.Join(in.practices(), ",")),
			day(in.ExtractDate), day(max(in.ExtractDate, in.renewed)), day(in.RelativeDate), text(string(in.Encoding)), text(in.DelimiterName()), headerLine, text(in.Message),
		})
	}
	return rows
}

func (r *run) fileCountRows() (rows [][]driver.Value) {
	for i, in := range r.inputs {
		for practice, n := range in.tally.ByPractice {
			rows = append(rows, []driver.Value{int32(i), text(practice), n})
		}
	}
	return rows
}

// stateRows lists the states of the staged rows, each once.
func (r *run) stateRows() (rows [][]driver.Value, err error) {
	listed := map[staging.State]bool{}
	for _, in := range r.inputs {
		if in.staged == nil {
			continue
		}
		for _, s := range in.staged.States {
			if listed[s] {
				continue
			}
			listed[s] = true
			number, err := s.Number()
			if err != nil {
				return nil, fmt.Errorf("list row states: %w", err)
			}
			rows = append(rows, []driver.Value{
				number, s.IsDeleted, s.IsMalformed, s.IsDummy, text(s.PracticeState), text(s.NHSState), text(s.PatientType),
				text(s.RegistrationStatus), text(s.InvalidStatusDate), text(s.CodeState), text(s.ActivityState), text(s.RecordedState),
			})
		}
	}
	return rows, nil
}

func text(value string) driver.Value {
	if value == "" {
		return nil
	}
	return value
}

func count(value *int64) driver.Value {
	if value == nil {
		return nil
	}
	return *value
}

func day(value civil.Date) driver.Value {
	if value.IsNone() {
		return nil
	}
	return value.Time()
}
