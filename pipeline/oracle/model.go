// Package oracle states the rules in plain Go, for tests; the SQL is the product.
//
// It is a transcription of the rules R5 to R20 and of the dispositions of an input row, with loops
// and maps and no cleverness, written without sight of the SQL. Random small workspaces go through
// both, and every value must agree. It knows no file format, no pseudonym, no database and no clock:
// a row arrives as the reader has already understood it, and a patient is a plain string.
//
// Where the rules are silent it was made to follow what the program does, and there it proves only
// that this stays so: which of a day's MDT rows is kept (R15), which rows the findings about rows
// and batch_add_not_in_record look at, that a target of 0 is shown as 0, and that the odd penny of what
// is earned or held passes a domain by that has its whole value, or holds all that it earns (R19).
package oracle

import "ltcles/pipeline/civil"

// PracticeState says what became of a row's practice code (R4).
type PracticeState int

const (
	PracticeMissing PracticeState = iota
	PracticeUnknown
	PracticeKnown
)

// NHSState says what a row's NHS number is (R1).
type NHSState int

const (
	NHSBlank NHSState = iota
	NHSValid
	NHSTestRange
	NHSInvalid
)

// CodeState says what a row's code text is (R2).
type CodeState int

const (
	CodeBlank CodeState = iota
	CodeDamaged
	CodeInvalid
	CodeNotInBook // sound, but the contract does not name it
	CodeInBook
)

// DateState says what a date cell holds (R3).
type DateState int

const (
	DateBlank DateState = iota
	DateInvalid
	DateGiven
)

// Date is one date cell.
type Date struct {
	State DateState
	Day   civil.Date // only where the state is DateGiven
}

// Meaning is what a status or type text says.
type Meaning int

const (
	MeaningBlank Meaning = iota
	MeaningUnknown
	MeaningRegular
	MeaningLeft
	MeaningDead
	MeaningNotRegular
)

// The kinds of file that carry rows.
const (
	SearchExport = "search_export"
	BulkExtract  = "bulk_extract"
	BatchAdd     = "batch_add"
	Register     = "register"
)

// The ways a file is dealt with. Only a read file has rows.
const (
	FileRead      = "read"
	FileDuplicate = "duplicate"
	FileRefused   = "refused"
)

// File is one file of the period's inbox.
type File struct {
	Path     string // relative to the period's inbox, with slashes
	Kind     string
	Status   string
	Practice string     // the file's practice, by its path or its preamble; "" where it has none
	Extract  civil.Date // the stated extract date, or civil.None
	Relative civil.Date // the relative date, or civil.None
	Renewed  civil.Date // of a bulk extract, the newest extract date of its agreement
}

// Row is one input row, as it was read and as each of its values was understood.
type Row struct {
	File  int // index into Input.Files
	Line  int // the physical line where the record starts
	Event int // 1, 2, … among the events of that line

	Deleted   bool
	Malformed bool // its practice is the file's

	PracticeState PracticeState
	Practice      string // only where the state is PracticeKnown

	NHSState NHSState
	NHS      string // only where the state is NHSValid
	EMIS     string // "" where blank

	CodeState CodeState
	Code      string // only where the state is CodeInBook
	Repaired  bool   // the code was repaired from scientific notation
	NoConcept bool   // the code is a description's id, or one of EMIS's own

	Activity Date
	Recorded Date

	Type       Meaning
	Status     Meaning
	Dummy      bool
	Registered Date
	Deducted   Date
	Death      Date
}

// Code is one line of the contract's code book.
type Code struct {
	Code    string
	Role    string // claim, eligibility, cohort, mdt
	Cohort  string // only for the role cohort
	Segment string // only for the role cohort
}

// Segment is one of the segments of the contract, in its order.
type Segment struct {
	Segment    string
	MinimumPPM *int64 // parts per million of the target; nil where not set
}

// Contract is what the rules need to know of one contract year.
type Contract struct {
	Start, End civil.Date
	Deadline   civil.Date // the coding deadline
	Codes      []Code
	Segments   []Segment

	RequireRegular      bool
	CountWithoutSegment bool
	RequireEligibility  bool

	Domains     []Domain
	AdvancePPM  int64 // parts per million of each domain's value
	Instalments []Instalment
	Basis       string // domain_2 or whole_contract
}

// Domain is a part of the contract value, in the contract's order.
type Domain struct {
	Domain   string
	SharePPM int64 // parts per million
}

// Instalment is one of the payments of the advance, in the order of payment.
type Instalment struct {
	Paid   civil.Date // the first day of its month
	Covers string
}

// Practice is one practice of the contract year.
type Practice struct {
	Code   string
	Choice string // the choice of its place: a cohort, or "" where undecided
	Target *int64

	Weighted     string // the weighted population, a plain decimal; "" where blank
	PencePerHead *int64 // of its place; nil where not known
}

// Earlier is one assessment that an earlier snapshot of the contract year holds.
type Earlier struct {
	Patient  string
	Activity civil.Date
	AsAt     civil.Date // of that snapshot
}

// Previous is one assessment of the previous period of the same contract year.
type Previous struct {
	Patient  string
	Practice string
	Counted  bool
}

// Input is everything that a period's figures depend on.
type Input struct {
	Contract  Contract
	Practices []Practice
	PeriodEnd civil.Date
	AsAt      civil.Date
	Files     []File
	Rows      []Row

	Earlier  []Earlier
	LastYear map[string]bool // patients assessed by last year's newest snapshot; nil where there is none
	Previous []Previous      // nil where there is no previous period
}

// CutOff is the earlier of the period's end and the day of the extract (R6).
func (in Input) CutOff() civil.Date {
	return min(in.PeriodEnd, in.AsAt)
}

// Assessment is one row of fact_assessment.
type Assessment struct {
	Patient        string
	Practice       string
	Activity       civil.Date
	Recorded       civil.Date // civil.None where there is none
	Timeliness     string
	HasEligibility bool
	IsCounted      bool
	Segments       []string // in the contract's order
	LastYear       *bool
}

// CohortPatient is one row of fact_cohort_patient.
type CohortPatient struct {
	Patient    string
	Practice   string
	Cohort     string
	Segment    string     // "" where the place did not choose the cohort
	First      civil.Date // civil.None where no row has a date
	Source     string
	IsAssessed bool
}

// SegmentCount is one row of fact_segment_count.
type SegmentCount struct {
	Practice   string
	Segment    string
	Cohort     string // "" where the place is undecided
	Patients   *int64
	Assessed   *int64
	OnTime     *int64
	Outstand   *int64
	Minimum    *int64
	Shortfall  *int64
	MinimumMet *bool
}

// Position is one row of fact_practice_position.
type Position struct {
	Practice           string
	AnnualTarget       *int64
	Assessments        *int64
	Counted            *int64
	CountedOnTime      *int64
	CountedLate        *int64
	CountedUnproven    *int64
	WithoutSegment     *int64
	WithoutEligibility *int64
	RepeatAssessments  *int64
	RemovedLeft        *int64
	RemovedDeceased    *int64
	EligiblePatients   *int64
	CohortPatients     *int64
	OutstandPatients   *int64
	Achievement        *float64
	AchievementCapped  *float64
	AchievementAll     *float64
	ExpectedToDate     *float64
	ProjectedYearEnd   *int64
	InclusiveShortfall *int64
	ExclusiveShortfall *int64
	SegmentsMet        *int64
	FilesReceived      int64
}

// AssessmentMonth is one row of fact_assessment_month.
type AssessmentMonth struct {
	Practice             string
	Month                civil.Date
	Assessments, Counted int64
}

// SegmentMonth is one row of fact_segment_month.
type SegmentMonth struct {
	Practice, Segment string
	Month             civil.Date
	Assessments       int64
}

// CohortOverlap is one row of fact_cohort_overlap.
type CohortOverlap struct {
	Practice, SegmentSet         string
	Segments                     int64
	Patients, Assessed, Outstand int64
}

// MDTActivity is one row of fact_mdt_activity.
type MDTActivity struct {
	Practice         string
	Quarter          int64
	Code             string
	Patients, Events int64
}

// Payment is one row of fact_payment, in pence.
type Payment struct {
	Practice, Domain string
	Annual           *int64
	Advance          *int64
	Earned           *int64
	Held             *int64
	Balance          *int64
}

// Reconciliation is one row of fact_reconciliation, in pence. No run freezes a year end.
type Reconciliation struct {
	Practice, Status, Basis string
	Value                   *int64
	Advance                 *int64
	Paid                    *int64
	Earned                  *int64
	Held                    *int64
	Balance                 *int64
	OtherEarned             *int64
	OtherBalance            *int64
	ProjectedEarned         *int64
	ProjectedBalance        *int64
}

// InstalmentRow is one row of fact_instalment, in pence.
type InstalmentRow struct {
	Practice string
	Number   int64
	Paid     civil.Date
	Covers   string
	Amount   *int64
}

// Coverage is one row of fact_coverage.
type Coverage struct {
	Practice                               string
	Search, Bulk, Batch, Register, Refused int64
	Newest                                 civil.Date // civil.None where no file states a date
	State                                  string
}

// DispositionCount is one row of fact_disposition.
type DispositionCount struct {
	Practice    string // "" where unknown
	File        string
	Disposition string
	Rows        int64
}

// Finding is one row of fact_finding.
type Finding struct {
	Practice string // "" where unknown
	Check    string
	Affected int64
}

// Loss is an assessment of the previous period that is no longer there under its patient's identity,
// or that counted and does not.
type Loss struct {
	Patient    string
	Practice   string
	WasCounted bool
	Reason     string
	Now        string // the practice where the patient is registered now, where that is another; else ""
}

// Output is what the rules make of an Input.
type Output struct {
	Dispositions []string // one for each input row, in order
	Patients     []string // the identity of each input row; "" where it was rejected before it had one

	Assessments       []Assessment
	CohortPatients    []CohortPatient
	SegmentCounts     []SegmentCount
	Positions         []Position
	AssessmentMonths  []AssessmentMonth
	SegmentMonths     []SegmentMonth
	CohortOverlaps    []CohortOverlap
	MDTActivity       []MDTActivity
	Coverage          []Coverage
	DispositionCounts []DispositionCount
	Losses            []Loss
	Findings          []Finding
	Payments          []Payment
	Reconciliations   []Reconciliation
	Instalments       []InstalmentRow
}
