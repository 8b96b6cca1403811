package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"ltcles/pipeline/civil"
	"ltcles/pipeline/contract"
	"ltcles/pipeline/schema"
	"ltcles/pipeline/snapshot"
)

// A Report is what a run says of itself: runs/<run_id>/summary.json, and what
// the terminal shows.
type Report struct {
	RunID     string           `json:"run_id"`
	Period    string           `json:"period"`
	AsAt      civil.Date       `json:"as_at"`
	AsAtFrom  string           `json:"as_at_from"` // where as-at comes from
	CutOff    civil.Date       `json:"cut_off"`
	Snapshot  string           `json:"snapshot"`  // what was published; "" for nothing
	Unchanged bool             `json:"unchanged"` // the same inputs were published before
	RowsRead  int64            `json:"rows_read"`
	Rows      []RowCount       `json:"rows"` // by disposition; they add up to RowsRead
	Files     []FileReport     `json:"files"`
	Practices []PracticeReport `json:"practices"`
	Findings  []Finding        `json:"findings"`
	Strays    []string         `json:"strays"` // what lies in the inbox and is of no period
	Due       Due              `json:"due"`
	Accepted  []Accepted       `json:"accepted"`
	Freeze    *snapshot.Freeze `json:"freeze"` // what was decided where the run is of a frozen year end; else null
	Unfit     []string         `json:"unfit"`  // why the data is not fit to be published, one line each
	// Unmatched is what is published under a key that is not there, so that the run
	// could not consult it, and what follows from that; one line each.
	Unmatched []string `json:"unmatched"`
	// Shows is the period of the contract year that published/current shows after
	// this run published; "" where it published nothing.
	Shows  string      `json:"-"`
	ToMend []RowReport `json:"-"` // of the practice that was asked for
	RunDir string      `json:"-"`
}

// RowCount is how many rows have a disposition.
type RowCount struct {
	Disposition string `json:"disposition"`
	Group       string `json:"group"`
	Rows        int64  `json:"rows"`
}

// FileReport is one file and its verdict.
type FileReport struct {
	File         string `json:"file"`
	Kind         string `json:"kind"`
	Status       string `json:"status"`
	Encoding     string `json:"encoding"`
	Delimiter    string `json:"delimiter"`
	HeaderLine   int    `json:"header_line"`
	RowsRead     int64  `json:"rows_read"`
	RowsRejected int64  `json:"rows_rejected"`
	Message      string `json:"message"`
	// Practices are those that the file is the own of, comma-separated.
	Practices string `json:"practice_codes"`
	// Lines are what to put into ltcles.yaml so that more of the file is understood.
	Lines string `json:"settings_lines"`
}

// PracticeReport is a practice's balance line: rows read = kept + excluded +
// ignored + rejected. Practice is "" for rows of no known practice.
type PracticeReport struct {
	Practice    string `json:"practice"`
	State       string `json:"state"`
	RowsRead    int64  `json:"rows_read"`
	Kept        int64  `json:"kept"`
	Excluded    int64  `json:"excluded"`
	Ignored     int64  `json:"ignored"`
	Rejected    int64  `json:"rejected"`
	Assessments *int64 `json:"assessments"` // null where the practice is missing
	Counted     *int64 `json:"counted"`
	Target      *int64 `json:"annual_target"`
	// RejectedClaims are the rejected rows whose code is read as the claim code:
	// the practice's, and those of no known practice in its files.
	RejectedClaims int64 `json:"rejected_claims"`
	// AtStake is how many assessments the practice's findings and rejected claim
	// rows are about; one may be in several of them.
	AtStake      int64  `json:"at_stake"`
	AtStakePence *int64 `json:"at_stake_pence"` // what they are worth; null without a target or a contract value
	// AssessmentsPence is the annual value of the assessments domain (R19).
	AssessmentsPence *int64 `json:"assessments_value_pence"`
}

// Worth is what so many assessments are worth to the practice, in pence. Null without a target
// or a contract value.
func (p PracticeReport) Worth(assessments int64) *int64 {
	return contract.Worth(assessments, p.AssessmentsPence, p.Target)
}

// Finding is one row of fact_finding.
type Finding struct {
	Practice string `json:"practice"`
	Check    string `json:"check"`
	Severity string `json:"severity"`
	Affected int64  `json:"affected"`
	Message  string `json:"message"`
	AtStake  int64  `json:"at_stake"` // assessments: those that it is about; the target of a practice without files
	// AtStakePence is what they are worth; null without a practice, a target or a contract value.
	AtStakePence *int64 `json:"at_stake_pence"`
}

// Accepted is a file that the operator accepted as it is, and why it needed that.
type Accepted struct {
	File   string `json:"file"`
	Reason string `json:"reason"`
}

// gather fills the report from what the engine computed.
func (r *run) gather(ctx context.Context) error {
	r.report.RowsRead = r.rowsRead()
	err := r.db.Query(ctx, `
		select file_name, kind, status, coalesce(encoding, ''), coalesce(delimiter, ''), coalesce(header_line, 0),
			cast(rows_read as bigint), cast(rows_rejected as bigint), coalesce(message, ''), coalesce(practice_codes, '')
		from mart_fact_file order by file_name`, func(v []any) error {
		r.report.Files = append(r.report.Files, FileReport{
			File: v[0].(string), Kind: v[1].(string), Status: v[2].(string), Encoding: v[3].(string), Delimiter: v[4].(string),
			HeaderLine: int(v[5].(int64)), RowsRead: v[6].(int64), RowsRejected: v[7].(int64), Message: v[8].(string), Practices: v[9].(string),
			Lines: r.inputs[len(r.report.Files)].Lines(),
		})
		return nil
	})
	if err != nil {
		return fmt.Errorf("gather files: %w", err)
	}
	err = r.db.Query(ctx, `
		select named.disposition, named.outcome, count(*)
		from int_disposition as dispositions
		inner join raw_disposition as named on named.disposition = dispositions.disposition
		group by named.disposition, named.outcome
		order by named.outcome, named.disposition`, func(v []any) error {
		r.report.Rows = append(r.report.Rows, RowCount{v[0].(string), v[1].(string), v[2].(int64)})
		return nil
	})
	if err != nil {
		return fmt.Errorf("gather rows: %w", err)
	}
	if err := r.gatherPractices(ctx); err != nil {
		return fmt.Errorf("gather practices: %w", err)
	}
	if err := r.gatherFindings(ctx); err != nil {
		return fmt.Errorf("gather findings: %w", err)
	}
	if err := r.gatherDue(ctx); err != nil {
		return fmt.Errorf("gather what is due: %w", err)
	}
	return nil
}

// gatherPractices makes the balance lines: every practice of the year, and last
// the rows of no known practice.
func (r *run) gatherPractices(ctx context.Context) error {
	return r.db.Query(ctx, `
		with balance as (
			select practices.practice_code, count(*) as rows_read,
				count(case when named.outcome = 'kept' then 1 end) as kept,
				count(case when named.outcome = 'excluded' then 1 end) as excluded,
				count(case when named.outcome = 'ignored' then 1 end) as ignored,
				count(case when named.outcome = 'rejected' then 1 end) as rejected
			from int_disposition as dispositions
			inner join raw_disposition as named on named.disposition = dispositions.disposition
			left join raw_practice as practices on practices.practice_no = dispositions.practice_no
			group by practices.practice_code
		),
		rejected_claims as (
			select coalesce(practices.practice_code, files.practice_code, '') as practice_code, count(*) as claims
			from int_row
			inner join raw_code as codes on codes.code_no = int_row.code_no
			inner join int_disposition as dispositions using (file_no, line, event)
			inner join raw_disposition as named on named.disposition = dispositions.disposition
			inner join raw_file as files on files.file_no = int_row.file_no
			left join raw_practice as practices on practices.practice_no = int_row.practice_no
			where named.outcome = 'rejected' and codes.role = 'claim'
			group by coalesce(practices.practice_code, files.practice_code, '')
		),
		assessments_values as (
			select domain_values.practice_code, cast(sum(domain_values.value_pence) as bigint) as value_pence
			from int_domain_value as domain_values
			inner join raw_domain as domains on domains.domain = domain_values.domain
			where domains.is_by_activity
			group by domain_values.practice_code
		)
		select coalesce(coverage.practice_code, ''), coalesce(coverage.state, ''),
			coalesce(balance.rows_read, 0), coalesce(balance.kept, 0), coalesce(balance.excluded, 0),
			coalesce(balance.ignored, 0), coalesce(balance.rejected, 0),
			cast(positions.assessments as bigint), cast(positions.counted as bigint), positions.annual_target,
			coalesce(rejected_claims.claims, 0), assessments_values.value_pence
		from mart_fact_coverage as coverage
		full outer join balance on balance.practice_code = coverage.practice_code
		left join mart_fact_practice_position as positions on positions.practice_code = coverage.practice_code
		left join assessments_values on assessments_values.practice_code = coverage.practice_code
		left join rejected_claims on rejected_claims.practice_code = coalesce(coverage.practice_code, '')
		order by coverage.practice_code nulls last`, func(v []any) error {
		r.report.Practices = append(r.report.Practices, PracticeReport{
			Practice: v[0].(string), State: v[1].(string), RowsRead: v[2].(int64), Kept: v[3].(int64), Excluded: v[4].(int64),
			Ignored: v[5].(int64), Rejected: v[6].(int64), Assessments: whole(v[7]), Counted: whole(v[8]), Target: whole(v[9]),
			RejectedClaims: v[10].(int64), AtStake: v[10].(int64), AssessmentsPence: whole(v[11]),
		})
		return nil
	})
}

// gatherFindings takes fact_finding, with the assessments at stake, which add up
// for each practice, and what they are worth.
func (r *run) gatherFindings(ctx context.Context) error {
	place := map[string]int{}
	for i, practice := range r.report.Practices {
		place[practice.Practice] = i
	}
	checks := map[string]schema.Check{}
	for _, check := range schema.Findings() {
		checks[check.Name] = check
	}
	err := r.db.Query(ctx, `
		select coalesce(practice_code, ''), check_name, severity, cast(affected as bigint), message
		from mart_fact_finding order by practice_code nulls last, check_name`, func(v []any) error {
		finding := Finding{Practice: v[0].(string), Check: v[1].(string), Severity: v[2].(string), Affected: v[3].(int64), Message: v[4].(string)}
		at, known := place[finding.Practice]
		var target *int64
		if known {
			target = r.report.Practices[at].Target
		}
		finding.AtStake = checks[finding.Check].AtStake(finding.Affected, target)
		if known {
			r.report.Practices[at].AtStake += finding.AtStake
			finding.AtStakePence = r.report.Practices[at].Worth(finding.AtStake)
		}
		r.report.Findings = append(r.report.Findings, finding)
		return nil
	})
	for i, practice := range r.report.Practices {
		r.report.Practices[i].AtStakePence = practice.Worth(practice.AtStake)
	}
	return err
}

func whole(value any) *int64 {
	if n, ok := value.(int64); ok {
		return &n
	}
	return nil
}

// writeSummary writes runs/<run_id>/summary.json, the last of a run's record: a
// run without it was killed. A check of inputs that were published before leaves
// the record of that.
func (r *run) writeSummary() error {
	summary := *r.report
	if published := r.snapshotOf(r.id); published != nil && !r.cfg.Publish {
		summary.Snapshot = published.Name
	}
	return r.record(summaryFile, func(to io.Writer) error {
		out := json.NewEncoder(to)
		out.SetIndent("", "  ")
		return out.Encode(summary)
	})
}

// newLog opens the run's log: JSON lines, one event each.
func newLog(path string) (log *zap.Logger, closed func() error, err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, nil, err
	}
	encoder := zap.NewProductionEncoderConfig()
	encoder.EncodeTime = zapcore.RFC3339TimeEncoder
	return zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(encoder), file, zap.InfoLevel)), file.Close, nil
}
