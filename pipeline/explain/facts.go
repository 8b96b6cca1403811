// Package explain knows how to say why one patient is, or is not, counted: from the facts that
// a period's tables hold of them to a verdict in one sentence and a line for each rule. It
// decides nothing again: what became of each row, and of the patient, are facts that it is
// handed. It refuses to know who the patient is, a database or a file.
package explain

import "ltcles/pipeline/civil"

// Facts are what a computed period holds of one patient.
type Facts struct {
	Period         string
	AsAt           civil.Date
	CutOff         civil.Date // R6
	PeriodEnd      civil.Date
	YearStart      civil.Date
	CodingDeadline civil.Date // R14

	RequireRegular      bool // the policies of SPEC §8
	CountWithoutSegment bool
	RequireEligibility  bool

	Practice    string // whose EMIS number is asked about; "" where it is an NHS number
	IsPaired    bool   // R5: rows pair the EMIS number with one NHS number
	IsAmbiguous bool   // R5: rows pair the EMIS number with two

	IsDeceased    bool       // R7
	DeathDate     civil.Date // the one that R7 rests on; None where only a text tells
	Registrations []Registration
	Segments      []string    // R13, in the contract's order
	Assessment    *Assessment // nil where there is none
	Rows          []Row       // in the order of files and lines
}

// Registration is what R8 to R10 decided at one practice, and by what.
type Registration struct {
	Practice          string
	PlaceChoice       string     // the cohort that its place chose; "" while undecided
	NewestExtract     civil.Date // that a file with a row of the patient states; None for none
	HasStatus         bool       // any row says something of the registration
	Extract           civil.Date // the newest one with status, which R8 goes by; None where none is stated
	Registered        civil.Date // the latest up to the cut-off
	Deducted          civil.Date // the latest up to the cut-off
	HasLeftText       bool
	HasNotRegularText bool
	IsDummy           bool
	IsLeft            bool
	IsNotRegular      bool
	Choice            int64 // R10: its place among the practices where the patient is registered
	IsChosen          bool
}

// isRegistered tells whether the practice can be the one whose events count.
func (r Registration) isRegistered() bool { return !r.IsLeft && !r.IsNotRegular }

// Assessment is a patient's row of fact_assessment.
type Assessment struct {
	Practice       string     `json:"practice_code"`
	Activity       civil.Date `json:"activity_date"`
	Recorded       civil.Date `json:"recorded_date"`
	Timeliness     string     `json:"timeliness"`
	HasEligibility bool       `json:"has_eligibility"`
	IsCounted      bool       `json:"is_counted"`
	Segments       []string   `json:"segments"` // in the contract's order
}

// Row is one input row that bears on the patient.
type Row struct {
	File        string     `json:"file"`
	Line        int        `json:"line"`
	Event       int        `json:"event"`
	Kind        string     `json:"kind"` // the file's
	Practice    string     `json:"practice_code"`
	Code        string     `json:"code"`
	Term        string     `json:"term"`
	Activity    civil.Date `json:"activity_date"`
	Recorded    civil.Date `json:"recorded_date"`
	Registered  civil.Date `json:"registered_date"`
	Deducted    civil.Date `json:"deducted_date"`
	Death       civil.Date `json:"death_date"`
	Type        string     `json:"patient_type"` // what the text means
	Status      string     `json:"registration_status"`
	IsDummy     bool       `json:"is_dummy"`
	Disposition string     `json:"disposition"`
	Outcome     string     `json:"outcome"`
	Field       string     `json:"field"` // to mend, of a rejected row
	Kept        *Position  `json:"kept"`  // of a duplicate: the row that stands in its place
	Timeliness  string     `json:"timeliness"`
	Segment     string     `json:"segment"` // that a kept cohort code gives
	Source      string     `json:"source"`  // of a kept cohort or eligibility code (R12)
	IsDoubtful  bool       `json:"may_be_another_patient"`

	Step         int64      `json:"-"` // of SPEC §6.1 that decided it; above 10 for an event of the period
	Role         string     `json:"-"` // of the code; "" where it could not be read or is out of scope
	Cohort       string     `json:"-"`
	Place        int64      `json:"-"` // among the rows of which one is kept; 0 where it got no further than step 11
	Extract      civil.Date `json:"-"` // that its file states; None for none
	HasNHSNumber bool       `json:"-"` // a valid one
	IsNHSInvalid bool       `json:"-"` // not valid, and the EMIS number stands in for it
}

// Position is where the row stands.
func (row Row) Position() Position { return Position{row.File, row.Line, row.Event} }

// Position is where an input row stands.
type Position struct {
	File  string `json:"file"`
	Line  int    `json:"line"`
	Event int    `json:"event"`
}

// The outcomes of an input row and the dispositions that are told apart here (SPEC §6.1).
const (
	rejected = "rejected"
	excluded = "excluded"

	deletedAtSource     = "deleted_at_source"
	practiceMissing     = "practice_missing"
	practiceUnknown     = "practice_unknown"
	nhsNumberTestRange  = "nhs_number_test_range"
	nhsNumberInvalid    = "nhs_number_invalid"
	patientAmbiguous    = "patient_ambiguous"
	dateInvalid         = "date_invalid"
	dateMissing         = "date_missing"
	dateInFuture        = "date_in_future"
	statusOnly          = "status_only"
	codeMissing         = "code_missing"
	codeDamaged         = "code_damaged"
	codeInvalid         = "code_invalid"
	claimInBatchAdd     = "claim_in_batch_add"
	codeNotInScope      = "code_not_in_scope"
	outsideContractYear = "outside_contract_year"
	afterPeriod         = "after_period"
	patientDeceased     = "patient_deceased"
	patientLeft         = "patient_left"
	patientNotRegular   = "patient_not_regular"
	registeredElsewhere = "registered_elsewhere"
	notChosenByPlace    = "not_chosen_by_place"
	keptCohort          = "cohort"
	keptEligibility     = "eligibility"
	keptMDT             = "mdt"
)

// The roles of codes.
const (
	claim       = "claim"
	eligibility = "eligibility"
	cohort      = "cohort"
	mdt         = "mdt"
)

// The standings of an assessment (R14).
const (
	onTime   = "on_time"
	late     = "late"
	unproven = "unproven"
)

// which lists the rows that one of the tests holds of.
func (f Facts) which(holds func(Row) bool) (rows []Row) {
	for _, row := range f.Rows {
		if holds(row) {
			rows = append(rows, row)
		}
	}
	return rows
}

// ofRole lists the rows whose code has a role.
func (f Facts) ofRole(roles ...string) []Row {
	return f.which(func(row Row) bool { return isOneOf(row.Role, roles...) })
}

// disposed lists the rows that one of the dispositions became of.
func (f Facts) disposed(dispositions ...string) []Row {
	return f.which(func(row Row) bool { return isOneOf(row.Disposition, dispositions...) })
}

// chosen is the practice whose events count (R10); nil where the patient is registered at none.
func (f Facts) chosen() *Registration {
	for i := range f.Registrations {
		if f.Registrations[i].IsChosen {
			return &f.Registrations[i]
		}
	}
	return nil
}
