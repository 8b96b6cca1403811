package oracle

import (
	"cmp"
	"slices"

	"ltcles/pipeline/civil"
)

// Decide gives every input row its disposition, and every published figure its value.
func Decide(in Input) Output {
	d := &decision{
		in:           in,
		dispositions: make([]string, len(in.Rows)),
		patients:     make([]string, len(in.Rows)),
		timeliness:   make([]string, len(in.Rows)),
	}
	d.rejectUnreadable()    // steps 1 to 3
	d.identify()            // step 4
	d.rejectBadStatusDays() // step 5
	d.judgeStatus()         // R7 to R10, from the rows that pass steps 1 to 5
	d.judgeEvents()         // steps 6 to 11
	d.keepAssessments()     // step 12, R11
	d.keepCohorts()         // steps 12 and 13, R12
	d.keepEligibility()     // step 12, R12
	d.keepMDT()             // step 12, R15

	out := Output{Dispositions: d.dispositions, Patients: d.patients}
	d.cohortPatients(&out)
	d.assessments(&out)
	d.segmentCounts(&out)
	d.positions(&out)
	d.money(&out)
	d.months(&out)
	d.overlaps(&out)
	d.mdtActivity(&out)
	d.coverage(&out)
	d.dispositionCounts(&out)
	d.losses(&out)
	d.findings(&out)
	return out
}

// decision is what is known so far. A row is decided once its disposition is not "".
type decision struct {
	in           Input
	dispositions []string
	patients     []string
	timeliness   []string // of claim rows that pass step 11 (R14)

	pairs    map[local]map[string]bool // EMIS number to the NHS numbers that rows pair it with (R5)
	deceased map[string]bool           // patient (R7)
	standing map[place]*standing       // patient at a practice (R8, R9)
	home     map[string]string         // patient to the practice where he is registered (R10)
	claim    map[string]int            // patient to the kept claim row
	member   map[cohortKey][]int       // patient and cohort to the rows, the one that counts first
	eligible map[string]int            // patient to the kept eligibility row
	mdt      map[mdtKey]int            // patient, code and day to the kept row
	rejected map[int]bool              // rows that were rejected in steps 1 to 5
}

type local struct{ practice, emis string }

type place struct{ patient, practice string }

type cohortKey struct{ patient, cohort string }

type mdtKey struct {
	patient, code string
	day           civil.Date
}

// standing is what the status evidence says of one patient at one practice.
type standing struct {
	hasEvidence bool
	left        bool
	notRegular  bool
	registered  civil.Date // the latest registered date ≤ cut-off of R8's rows; civil.None where none
	newest      civil.Date // the newest stated extract date of any row there; civil.None where none
}

// Steps 1 to 3.
func (d *decision) rejectUnreadable() {
	for i, row := range d.in.Rows {
		switch {
		case row.Deleted:
			d.dispositions[i] = "deleted_at_source" // step 1
		case row.Malformed:
			d.dispositions[i] = "malformed_row" // step 2
		case row.PracticeState == PracticeMissing:
			d.dispositions[i] = "practice_missing" // step 3, R4
		case row.PracticeState == PracticeUnknown:
			d.dispositions[i] = "practice_unknown" // step 3, R4
		}
	}
}

// Step 4: R5, who the patient is.
func (d *decision) identify() {
	// Rows that pass steps 1 to 3 with two valid numbers pair them.
	d.pairs = map[local]map[string]bool{}
	for i, row := range d.in.Rows {
		if d.dispositions[i] != "" || row.NHSState != NHSValid || row.EMIS == "" {
			continue
		}
		key := local{row.Practice, row.EMIS}
		if d.pairs[key] == nil {
			d.pairs[key] = map[string]bool{}
		}
		d.pairs[key][row.NHS] = true
	}

	for i, row := range d.in.Rows {
		if d.dispositions[i] != "" {
			continue
		}
		paired := d.pairs[local{row.Practice, row.EMIS}]
		switch {
		case row.NHSState == NHSBlank && row.EMIS == "":
			d.dispositions[i] = "patient_missing"
		case row.NHSState == NHSTestRange:
			d.dispositions[i] = "nhs_number_test_range" // R1: whatever else the row holds
		case row.NHSState == NHSInvalid && row.EMIS == "":
			d.dispositions[i] = "nhs_number_invalid"
		case row.NHSState == NHSValid:
			d.patients[i] = row.NHS
		case len(paired) > 1:
			d.dispositions[i] = "patient_ambiguous"
		case len(paired) == 1:
			for nhs := range paired {
				d.patients[i] = nhs
			}
		default:
			d.patients[i] = local{row.Practice, row.EMIS}.identity()
		}
	}
}

// identity is that of a patient who is known by the EMIS number alone.
func (l local) identity() string { return "emis:" + l.practice + ":" + l.emis }

// Step 5.
func (d *decision) rejectBadStatusDays() {
	for i, row := range d.in.Rows {
		if d.dispositions[i] != "" {
			continue
		}
		if row.Registered.State == DateInvalid || row.Deducted.State == DateInvalid || row.Death.State == DateInvalid {
			d.dispositions[i] = "date_invalid"
		}
	}
}

// judgeStatus applies R7 to R10 to the rows that pass steps 1 to 5, whatever becomes of their event.
func (d *decision) judgeStatus() {
	cutOff := d.in.CutOff()
	d.rejected = map[int]bool{}
	d.deceased = map[string]bool{}
	rowsAt := map[place][]int{}
	for i, row := range d.in.Rows {
		if d.dispositions[i] != "" {
			d.rejected[i] = true
			continue
		}
		// R7, person-wide.
		if row.Death.State == DateGiven && row.Death.Day <= cutOff {
			d.deceased[d.patients[i]] = true
		}
		if row.Death.State == DateBlank && (row.Type == MeaningDead || row.Status == MeaningDead) {
			d.deceased[d.patients[i]] = true
		}
		here := place{d.patients[i], row.Practice}
		rowsAt[here] = append(rowsAt[here], i)
	}

	d.standing = map[place]*standing{}
	for here, rows := range rowsAt {
		d.standing[here] = d.standingAt(rows, cutOff)
	}
	d.findHomes()
}

// standingAt applies R8 and R9 to the rows of one patient at one practice.
func (d *decision) standingAt(rows []int, cutOff civil.Date) *standing {
	stands := &standing{registered: civil.None, newest: civil.None}

	// The newest stated extract date, of any row and of the rows that carry any status field.
	// civil.None is before every day, so a file that states no date ranks oldest.
	newestStatus := civil.None
	for _, i := range rows {
		extract := d.in.Files[d.in.Rows[i].File].Extract
		stands.newest = max(stands.newest, extract)
		if carriesStatus(d.in.Rows[i]) {
			stands.hasEvidence = true
			newestStatus = max(newestStatus, extract)
		}
	}

	deducted := civil.None
	leftText := false
	for _, i := range rows {
		row := d.in.Rows[i]
		if !carriesStatus(row) || d.in.Files[row.File].Extract != newestStatus {
			continue
		}
		if row.Deducted.State == DateGiven && row.Deducted.Day <= cutOff {
			deducted = max(deducted, row.Deducted.Day)
		}
		if row.Registered.State == DateGiven && row.Registered.Day <= cutOff {
			stands.registered = max(stands.registered, row.Registered.Day)
		}
		if row.Deducted.State == DateBlank && (row.Type == MeaningLeft || row.Status == MeaningLeft) {
			leftText = true
		}
		// R9.
		if row.Type == MeaningNotRegular || row.Status == MeaningNotRegular || row.Dummy {
			stands.notRegular = true
		}
	}
	// R8.
	hasReturned := stands.registered != civil.None && stands.registered > deducted
	stands.left = leftText || (deducted != civil.None && !hasReturned)
	return stands
}

// carriesStatus says whether a row is status evidence: any known type or status text, or any of the
// three dates. Text that nobody knows reads as blank.
func carriesStatus(row Row) bool {
	return isKnown(row.Type) || isKnown(row.Status) || row.Dummy ||
		row.Registered.State == DateGiven || row.Deducted.State == DateGiven || row.Death.State == DateGiven
}

func isKnown(meaning Meaning) bool {
	return meaning != MeaningBlank && meaning != MeaningUnknown
}

// findHomes applies R10: one practice per patient.
func (d *decision) findHomes() {
	d.home = map[string]string{}
	for here, stands := range d.standing {
		if stands.left || (stands.notRegular && d.in.Contract.RequireRegular) {
			continue // not registered there
		}
		other, ok := d.home[here.patient]
		if !ok || d.isBetterHome(here, place{here.patient, other}) {
			d.home[here.patient] = here.practice
		}
	}
}

func (d *decision) isBetterHome(a, b place) bool {
	x, y := d.standing[a], d.standing[b]
	if x.hasEvidence != y.hasEvidence {
		return x.hasEvidence
	}
	if x.registered != y.registered {
		return x.registered > y.registered // civil.None is last
	}
	if x.newest != y.newest {
		return x.newest > y.newest // civil.None is last
	}
	return a.practice < b.practice
}

// Steps 6 to 11. A row that comes through undecided waits for step 12.
func (d *decision) judgeEvents() {
	for i := range d.in.Rows {
		if d.dispositions[i] == "" {
			d.dispositions[i] = d.judgeEvent(i)
		}
	}
}

func (d *decision) judgeEvent(i int) string {
	row := d.in.Rows[i]
	isBatch := d.in.Files[row.File].Kind == BatchAdd
	role := d.role(row)

	// Step 6.
	if row.CodeState == CodeBlank && row.Activity.State == DateBlank {
		return "status_only"
	}
	// Step 7.
	switch row.CodeState {
	case CodeBlank:
		return "code_missing"
	case CodeDamaged:
		return "code_damaged"
	case CodeInvalid:
		return "code_invalid"
	}
	if role == "claim" && isBatch {
		return "claim_in_batch_add"
	}
	// Step 8.
	if row.CodeState == CodeNotInBook {
		return "code_not_in_scope"
	}
	// Step 9.
	mayBeUndated := isBatch && (role == "cohort" || role == "eligibility")
	if row.Activity.State == DateBlank && !mayBeUndated {
		return "date_missing"
	}
	if row.Activity.State == DateInvalid {
		return "date_invalid"
	}
	if row.Activity.State == DateGiven {
		if row.Activity.Day > d.in.AsAt {
			return "date_in_future"
		}
		// Step 10.
		if row.Activity.Day < d.in.Contract.Start {
			return "outside_contract_year"
		}
		if row.Activity.Day > d.in.CutOff() {
			return "after_period"
		}
	}
	// Step 11.
	patient := d.patients[i]
	stands := d.standing[place{patient, row.Practice}]
	switch {
	case d.deceased[patient]:
		return "patient_deceased" // R7
	case stands.left:
		return "patient_left" // R8
	case stands.notRegular && d.in.Contract.RequireRegular:
		return "patient_not_regular" // R9
	case d.home[patient] != row.Practice:
		return "registered_elsewhere" // R10
	}
	return ""
}

func (d *decision) role(row Row) string {
	if row.CodeState != CodeInBook {
		return ""
	}
	return d.code(row).Role
}

func (d *decision) code(row Row) Code {
	for _, code := range d.in.Contract.Codes {
		if code.Code == row.Code {
			return code
		}
	}
	return Code{}
}

// recorded is a row's recorded date. One that is no date, or is after as-at, reads as missing.
func (d *decision) recorded(row Row) civil.Date {
	if row.Recorded.State != DateGiven || row.Recorded.Day > d.in.AsAt {
		return civil.None
	}
	return row.Recorded.Day
}

// activity is a row's activity date, or civil.None where a batch-add row has none.
func activity(row Row) civil.Date {
	if row.Activity.State != DateGiven {
		return civil.None
	}
	return row.Activity.Day
}

// judgeTimeliness applies R14 to one claim row.
func (d *decision) judgeTimeliness(i int) string {
	row := d.in.Rows[i]
	deadline := d.in.Contract.Deadline
	if recorded := d.recorded(row); recorded != civil.None {
		if recorded <= deadline {
			return "on_time"
		}
		return "late"
	}
	extract := d.in.Files[row.File].Extract
	if extract == civil.None {
		extract = d.in.AsAt
	}
	if extract <= deadline {
		return "on_time"
	}
	for _, earlier := range d.in.Earlier {
		if d.isNow(earlier.Patient) == d.patients[i] && earlier.Activity == activity(row) && earlier.AsAt <= deadline {
			return "on_time"
		}
	}
	return "unproven"
}

// isNow is the patient whom an earlier snapshot had: one whom it knew by the EMIS number alone is the
// NHS number that is paired with that now (R5, R14).
func (d *decision) isNow(patient string) string {
	for key, paired := range d.pairs {
		if len(paired) != 1 || key.identity() != patient {
			continue
		}
		for nhs := range paired {
			return nhs
		}
	}
	return patient
}

// Step 12 for claims: R11.
func (d *decision) keepAssessments() {
	claims := map[string][]int{}
	for i, row := range d.in.Rows {
		if d.dispositions[i] == "" && d.role(row) == "claim" {
			d.timeliness[i] = d.judgeTimeliness(i)
			claims[d.patients[i]] = append(claims[d.patients[i]], i)
		}
	}
	d.claim = map[string]int{}
	for patient, rows := range claims {
		slices.SortFunc(rows, func(a, b int) int {
			return cmp.Or(
				compareFalseLast(d.timeliness[a] == "on_time", d.timeliness[b] == "on_time"),
				cmp.Compare(activity(d.in.Rows[a]), activity(d.in.Rows[b])),
				compareNoneLast(d.recorded(d.in.Rows[a]), d.recorded(d.in.Rows[b])),
				d.comparePosition(a, b),
			)
		})
		d.claim[patient] = rows[0]
		d.keepFirst(rows, "assessment")
	}
}

// Steps 12 and 13 for cohort codes: R12.
func (d *decision) keepCohorts() {
	d.member = map[cohortKey][]int{}
	for i, row := range d.in.Rows {
		if d.dispositions[i] == "" && d.role(row) == "cohort" {
			key := cohortKey{d.patients[i], d.code(row).Cohort}
			d.member[key] = append(d.member[key], i)
		}
	}
	for _, rows := range d.member {
		d.sortEarliestFirst(rows)
		row := d.in.Rows[rows[0]]
		if d.segmentOf(d.code(row), row.Practice) == "" {
			d.keepFirst(rows, "not_chosen_by_place") // step 13
		} else {
			d.keepFirst(rows, "cohort")
		}
	}
}

// Step 12 for eligibility codes: R12.
func (d *decision) keepEligibility() {
	eligible := map[string][]int{}
	for i, row := range d.in.Rows {
		if d.dispositions[i] == "" && d.role(row) == "eligibility" {
			eligible[d.patients[i]] = append(eligible[d.patients[i]], i)
		}
	}
	d.eligible = map[string]int{}
	for patient, rows := range eligible {
		d.sortEarliestFirst(rows)
		d.eligible[patient] = rows[0]
		d.keepFirst(rows, "eligibility")
	}
}

// Step 12 for MDT codes: R15.
func (d *decision) keepMDT() {
	events := map[mdtKey][]int{}
	for i, row := range d.in.Rows {
		if d.dispositions[i] == "" && d.role(row) == "mdt" {
			key := mdtKey{d.patients[i], row.Code, activity(row)}
			events[key] = append(events[key], i)
		}
	}
	d.mdt = map[mdtKey]int{}
	for key, rows := range events {
		slices.SortFunc(rows, func(a, b int) int {
			return cmp.Or(
				d.comparePosition(a, b),
			)
		})
		d.mdt[key] = rows[0]
		d.keepFirst(rows, "mdt")
	}
}

func (d *decision) keepFirst(rows []int, disposition string) {
	for n, i := range rows {
		if n == 0 {
			d.dispositions[i] = disposition
		} else {
			d.dispositions[i] = "duplicate"
		}
	}
}

// sortEarliestFirst sorts by R12: earliest date, none last; then file path, line.
func (d *decision) sortEarliestFirst(rows []int) {
	slices.SortFunc(rows, func(a, b int) int {
		return cmp.Or(
			compareNoneLast(activity(d.in.Rows[a]), activity(d.in.Rows[b])),
			d.comparePosition(a, b),
		)
	})
}

// comparePosition orders by file path in byte order, then line, then the event's place on the line.
func (d *decision) comparePosition(a, b int) int {
	x, y := d.in.Rows[a], d.in.Rows[b]
	return cmp.Or(
		cmp.Compare(d.in.Files[x.File].Path, d.in.Files[y.File].Path),
		cmp.Compare(x.Line, y.Line),
		cmp.Compare(x.Event, y.Event),
	)
}

func compareNoneLast(a, b civil.Date) int {
	if a == b {
		return 0
	}
	if a == civil.None {
		return 1
	}
	if b == civil.None {
		return -1
	}
	return cmp.Compare(a, b)
}

func compareFalseLast(a, b bool) int {
	if a == b {
		return 0
	}
	if a {
		return -1
	}
	return 1
}

// segmentOf is the segment that a cohort code gives at a practice, "" where the place did not choose
// the cohort (R13). An undecided place has chosen neither.
func (d *decision) segmentOf(code Code, practice string) string {
	if code.Segment == "place_choice" && d.choice(practice) != code.Cohort {
		return ""
	}
	return code.Segment
}

func (d *decision) choice(practice string) string {
	for _, known := range d.in.Practices {
		if known.Code == practice {
			return known.Choice
		}
	}
	return ""
}
