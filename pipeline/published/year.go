package published

import (
	"context"
	"slices"
	"strings"

	"ltcles/pipeline/civil"
)

// Year is what a period's tables say of its contract year, but for the patients: each practice
// with all that is published about it. What may be null in the tables is nil here, a date
// [civil.None]; missing is never zero.
type Year struct {
	Segments  []Segment // in the order of lists
	Codes     []Code
	Practices []*Practice // in the order of their codes
	Files     []File
	// Findings and rows whose practice is not known.
	NobodysFindings     []Finding
	NobodysDispositions []Disposition
}

// Segment is a row of dim_segment.
type Segment struct {
	Segment      string   `column:"segment"`
	Name         string   `column:"segment_name"`
	MinimumShare *float64 `column:"minimum_share"`
	SortOrder    int64    `column:"sort_order"`
}

// Code is a row of dim_code.
type Code struct {
	Code    string  `column:"code"`
	Term    string  `column:"term"`
	Role    string  `column:"role"`
	Cohort  *string `column:"cohort"`
	Segment *string `column:"segment"`
}

// Practice is a row of dim_practice, with the rows of the other tables that are about it.
type Practice struct {
	Code                 string   `column:"practice_code"`
	Name                 *string  `column:"practice_name"`
	Place                *string  `column:"place"`
	PlaceChoice          *string  `column:"place_choice"`
	PCNCode              *string  `column:"pcn_code"`
	PCNName              *string  `column:"pcn_name"`
	RegisteredPopulation *int64   `column:"registered_population"`
	WeightedPopulation   *float64 `column:"weighted_population"`
	AnnualTarget         *int64   `column:"annual_target"`

	Position       Position
	Segments       []SegmentCount // in the order of [Year.Segments]
	Months         []Month
	SegmentMonths  []SegmentMonth
	Overlaps       []Overlap
	MDT            []MDTActivity
	Payments       []Payment // implementation, assessments, mdt
	Reconciliation Reconciliation
	Instalments    []Instalment
	Coverage       Coverage
	Dispositions   []Disposition
	Findings       []Finding
}

// Title is the practice's name, or its code where it has none.
func (p *Practice) Title() string {
	if p.Name == nil {
		return p.Code
	}
	return *p.Name
}

// IsMissing says that no search export or bulk extract of the practice was read.
func (p *Practice) IsMissing() bool { return p.Coverage.State == "missing" }

// ofPractice is the first column of the tables that are about practices; nil where a row is
// nobody's.
type ofPractice struct {
	PracticeCode *string `column:"practice_code"`
}

func (o ofPractice) practice() string {
	if o.PracticeCode == nil {
		return ""
	}
	return *o.PracticeCode
}

// Position is a row of fact_practice_position.
type Position struct {
	ofPractice
	AnnualTarget        *int64   `column:"annual_target"`
	Assessments         *int64   `column:"assessments"`
	Counted             *int64   `column:"counted"`
	CountedOnTime       *int64   `column:"counted_on_time"`
	CountedLate         *int64   `column:"counted_late"`
	CountedUnproven     *int64   `column:"counted_unproven"`
	WithoutSegment      *int64   `column:"without_segment"`
	WithoutEligibility  *int64   `column:"without_eligibility"`
	RepeatAssessments   *int64   `column:"repeat_assessments"`
	RemovedLeft         *int64   `column:"removed_left"`
	RemovedDeceased     *int64   `column:"removed_deceased"`
	EligiblePatients    *int64   `column:"eligible_patients"`
	CohortPatients      *int64   `column:"cohort_patients"`
	OutstandingPatients *int64   `column:"outstanding_patients"`
	Achievement         *float64 `column:"achievement"`
	AchievementCapped   *float64 `column:"achievement_capped"`
	AchievementAll      *float64 `column:"achievement_all"`
	ExpectedToDate      *float64 `column:"expected_to_date"`
	ProjectedYearEnd    *int64   `column:"projected_year_end"`
	InclusiveShortfall  *int64   `column:"inclusive_shortfall"`
	ExclusiveShortfall  *int64   `column:"exclusive_shortfall"`
	SegmentsMet         *int64   `column:"segments_met"`
	FilesReceived       int64    `column:"files_received"`
}

// SegmentCount is a row of fact_segment_count.
type SegmentCount struct {
	ofPractice
	Segment             string  `column:"segment"`
	Cohort              *string `column:"cohort"`
	CohortPatients      *int64  `column:"cohort_patients"`
	AssessedPatients    *int64  `column:"assessed_patients"`
	AssessedOnTime      *int64  `column:"assessed_on_time"`
	OutstandingPatients *int64  `column:"outstanding_patients"`
	MinimumRequired     *int64  `column:"minimum_required"`
	Shortfall           *int64  `column:"shortfall"`
	IsMinimumMet        *bool   `column:"is_minimum_met"`
}

// Month is a row of fact_assessment_month.
type Month struct {
	ofPractice
	Month       civil.Date `column:"month"`
	Assessments int64      `column:"assessments"`
	Counted     int64      `column:"counted"`
}

// SegmentMonth is a row of fact_segment_month.
type SegmentMonth struct {
	ofPractice
	Segment     string     `column:"segment"`
	Month       civil.Date `column:"month"`
	Assessments int64      `column:"assessments"`
}

// Overlap is a row of fact_cohort_overlap.
type Overlap struct {
	ofPractice
	SegmentSet          string `column:"segment_set"`
	Segments            int64  `column:"segments"`
	Patients            int64  `column:"patients"`
	AssessedPatients    int64  `column:"assessed_patients"`
	OutstandingPatients int64  `column:"outstanding_patients"`
}

// MDTActivity is a row of fact_mdt_activity.
type MDTActivity struct {
	ofPractice
	Quarter  int64  `column:"quarter"`
	Code     string `column:"code"`
	Patients int64  `column:"patients"`
	Events   int64  `column:"events"`
}

// Payment is a row of fact_payment.
type Payment struct {
	ofPractice
	Domain       string `column:"domain"`
	AnnualValue  *Pence `column:"annual_value"`
	AdvanceValue *Pence `column:"advance_value"`
	EarnedValue  *Pence `column:"earned_value"`
	HeldValue    *Pence `column:"held_value"`
	Balance      *Pence `column:"balance"`
}

// Reconciliation is a row of fact_reconciliation.
type Reconciliation struct {
	ofPractice
	Status                string  `column:"status"`
	Basis                 string  `column:"basis"`
	ContractValue         *Pence  `column:"contract_value"`
	AdvanceValue          *Pence  `column:"advance_value"`
	AdvancePaidToDate     *Pence  `column:"advance_paid_to_date"`
	EarnedValue           *Pence  `column:"earned_value"`
	HeldValue             *Pence  `column:"held_value"`
	Balance               *Pence  `column:"balance"`
	Direction             *string `column:"direction"`
	EarnedValueOtherBasis *Pence  `column:"earned_value_other_basis"`
	BalanceOtherBasis     *Pence  `column:"balance_other_basis"`
	ProjectedEarnedValue  *Pence  `column:"projected_earned_value"`
	ProjectedBalance      *Pence  `column:"projected_balance"`
}

// Instalment is a row of fact_instalment.
type Instalment struct {
	ofPractice
	Instalment int64      `column:"instalment"`
	PaidMonth  civil.Date `column:"paid_month"`
	Covers     string     `column:"covers"`
	Amount     *Pence     `column:"amount"`
}

// Coverage is a row of fact_coverage.
type Coverage struct {
	ofPractice
	SearchFiles       int64      `column:"search_files"`
	BulkFiles         int64      `column:"bulk_files"`
	BatchFiles        int64      `column:"batch_files"`
	RegisterFiles     int64      `column:"register_files"`
	RefusedFiles      int64      `column:"refused_files"`
	NewestExtractDate civil.Date `column:"newest_extract_date"`
	State             string     `column:"state"`
}

// Disposition is a row of fact_disposition.
type Disposition struct {
	ofPractice
	File        string `column:"file_name"`
	Disposition string `column:"disposition"`
	Rows        int64  `column:"rows"`
}

// Finding is a row of fact_finding.
type Finding struct {
	ofPractice
	Check    string `column:"check_name"`
	Severity string `column:"severity"`
	Affected int64  `column:"affected"`
	Message  string `column:"message"`
}

// File is a row of fact_file.
type File struct {
	Name         string     `column:"file_name"`
	Kind         string     `column:"kind"`
	Practices    *string    `column:"practice_codes"`
	ExtractDate  civil.Date `column:"extract_date"`
	RowsRead     int64      `column:"rows_read"`
	RowsRejected int64      `column:"rows_rejected"`
	Status       string     `column:"status"`
	Message      *string    `column:"message"`
}

// Year reads the period's tables, without those that have a row for each patient.
func (r *Reader) Year(ctx context.Context) (*Year, error) {
	g := gathering{ctx: ctx, reader: r, practices: map[string]*Practice{}}
	year := &Year{
		Segments: read[Segment](&g, "dim_segment"),
		Codes:    read[Code](&g, "dim_code"),
		Files:    read[File](&g, "fact_file"),
	}
	for _, practice := range read[Practice](&g, "dim_practice") {
		g.practices[practice.Code] = &practice
		year.Practices = append(year.Practices, &practice)
	}
	slices.SortFunc(year.Segments, func(a, b Segment) int { return int(a.SortOrder - b.SortOrder) })
	order := map[string]int{}
	for i, segment := range year.Segments {
		order[segment.Segment] = i
	}
	each(&g, "fact_practice_position", func(p *Practice, row Position) { p.Position = row })
	each(&g, "fact_segment_count", func(p *Practice, row SegmentCount) { p.Segments = append(p.Segments, row) })
	each(&g, "fact_assessment_month", func(p *Practice, row Month) { p.Months = append(p.Months, row) })
	each(&g, "fact_segment_month", func(p *Practice, row SegmentMonth) { p.SegmentMonths = append(p.SegmentMonths, row) })
	each(&g, "fact_cohort_overlap", func(p *Practice, row Overlap) { p.Overlaps = append(p.Overlaps, row) })
	each(&g, "fact_mdt_activity", func(p *Practice, row MDTActivity) { p.MDT = append(p.MDT, row) })
	each(&g, "fact_payment", func(p *Practice, row Payment) { p.Payments = append(p.Payments, row) })
	each(&g, "fact_reconciliation", func(p *Practice, row Reconciliation) { p.Reconciliation = row })
	each(&g, "fact_instalment", func(p *Practice, row Instalment) { p.Instalments = append(p.Instalments, row) })
	each(&g, "fact_coverage", func(p *Practice, row Coverage) { p.Coverage = row })
	year.NobodysDispositions = each(&g, "fact_disposition", func(p *Practice, row Disposition) { p.Dispositions = append(p.Dispositions, row) })
	year.NobodysFindings = each(&g, "fact_finding", func(p *Practice, row Finding) { p.Findings = append(p.Findings, row) })
	for _, practice := range year.Practices {
		slices.SortFunc(practice.Segments, func(a, b SegmentCount) int { return order[a.Segment] - order[b.Segment] })
		slices.SortFunc(practice.Payments, func(a, b Payment) int {
			return strings.Index(domainOrder, a.Domain) - strings.Index(domainOrder, b.Domain)
		})
	}
	return year, g.err
}

const domainOrder = "implementation assessments mdt"

// gathering reads tables one after the other, until one fails.
type gathering struct {
	ctx       context.Context
	reader    *Reader
	practices map[string]*Practice
	err       error
}

func read[T any](g *gathering, table string) []T {
	if g.err != nil {
		return nil
	}
	var all []T
	all, g.err = rows[T](g.ctx, g.reader, table)
	return all
}

// each hands every row of a table to its practice, and returns those that are nobody's.
func each[T interface{ practice() string }](g *gathering, table string, give func(*Practice, T)) (nobodys []T) {
	for _, row := range read[T](g, table) {
		if practice := g.practices[row.practice()]; practice != nil {
			give(practice, row)
		} else {
			nobodys = append(nobodys, row)
		}
	}
	return nobodys
}
