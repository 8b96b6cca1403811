package explain

import (
	"fmt"
	"slices"
	"strings"
)

// Verdict is what a period says of one patient.
type Verdict struct {
	Outcome    string      `json:"outcome"`
	Sentence   string      `json:"sentence"`
	Practice   string      `json:"practice_code"` // whose events of the patient count (R10); "" for none
	Assessment *Assessment `json:"assessment"`    // null where there is none
}

// The outcomes that there are.
const (
	Counted            = "counted"
	AssessedNotCounted = "assessed_not_counted"
	Removed            = "removed" // R7 to R10, with a claim or without
	ClaimsRejected     = "claims_rejected"
	ClaimsAfterPeriod  = "claims_after_period"
	ClaimsOutsideYear  = "claims_outside_year"
	ClaimsDeleted      = "claims_deleted"
	Outstanding        = "outstanding"
	WithoutSegment     = "without_segment" // a cohort that the place did not choose, and no claim
	EligibleOnly       = "eligible_only"
	MDTOnly            = "mdt_only"
	StatusOnly         = "status_only"
	NoClaim            = "no_claim" // and nothing else that counts
	Unusable           = "unusable" // every row is rejected or deleted, and none is known to be a claim
	Ambiguous          = "ambiguous"
	NotFound           = "not_found"
)

// Judge says in one sentence what became of the patient, and why.
func Judge(f Facts) Verdict {
	v := Verdict{Assessment: f.Assessment}
	if chosen := f.chosen(); chosen != nil {
		v.Practice = chosen.Practice
	}
	claims := f.ofRole(claim)
	switch {
	case f.IsAmbiguous:
		v.Outcome, v.Sentence = Ambiguous, fmt.Sprintf("Ambiguous: rows pair this EMIS number of %s with two NHS numbers, so that it stands for nobody; %s no valid NHS number and %s rejected. Ask about each NHS number.",
			f.Practice, give(len(f.disposed(patientAmbiguous))), are(len(f.disposed(patientAmbiguous))))
	case len(f.Rows) == 0:
		v.Outcome, v.Sentence = NotFound, fmt.Sprintf("Not in %s: no row of any file that could be read gives this number.", f.Period)
	case f.Assessment != nil:
		v.Outcome, v.Sentence = f.Assessment.outcome(), f.Assessment.sentence(f)
	case len(claims) > 0:
		v.Outcome, v.Sentence = f.withoutAssessment(claims)
	default:
		v.Outcome, v.Sentence = f.withoutClaim()
	}
	return v
}

func give(n int) string {
	if n == 1 {
		return "1 row gives"
	}
	return fmt.Sprintf("%d rows give", n)
}

func (a *Assessment) outcome() string {
	if a.IsCounted {
		return Counted
	}
	return AssessedNotCounted
}

// sentence says what the assessment counts for, or what it lacks to count.
func (a *Assessment) sentence(f Facts) string {
	if a.IsCounted {
		return "Counted " + a.String() + "."
	}
	var lacks []string
	if len(a.Segments) == 0 && !f.CountWithoutSegment {
		lacks = append(lacks, f.withoutSegment())
	}
	if !a.HasEligibility && f.RequireEligibility {
		lacks = append(lacks, "it has no eligibility code, which the contract requires")
	}
	return fmt.Sprintf("Assessed and not counted %s; %s.", a, strings.Join(lacks, ", and "))
}

// withoutSegment says why an assessment is in no segment.
func (f Facts) withoutSegment() string {
	switch {
	case len(f.disposed(notChosenByPlace)) > 0:
		return f.notChosen()
	case len(f.ofRole(cohort)) > 0:
		return "no cohort code that counts gives it a segment"
	}
	return "no cohort code gives it a segment"
}

// String says what fact_assessment says, whether it is counted or not.
func (a *Assessment) String() string {
	segments := "no segment"
	if len(a.Segments) > 0 {
		segments = allNamed(a.Segments)
	}
	recorded := "no date of coding"
	if !a.Recorded.IsNone() {
		recorded = "coded " + Day(a.Recorded)
	}
	return fmt.Sprintf("for %s in %s: assessed %s, %s, %s", a.Practice, segments, Day(a.Activity), recorded, named(a.Timeliness))
}

// Told is String in a sentence's words, of no assessment too.
func (a *Assessment) Told() string {
	switch {
	case a == nil:
		return "not assessed"
	case a.IsCounted:
		return "counted " + a.String()
	}
	return "assessed and not counted " + a.String()
}

// Equal tells whether two rows of fact_assessment say the same; nil is no row.
func (a *Assessment) Equal(b *Assessment) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.String() == b.String() && a.IsCounted == b.IsCounted && a.HasEligibility == b.HasEligibility
}

// withoutAssessment says what became of the claims, of which none is left: first of those that
// got furthest through SPEC §6.1.
func (f Facts) withoutAssessment(claims []Row) (outcome, sentence string) {
	for _, end := range []struct {
		outcome      string
		dispositions []string
		say          func([]Row) string
	}{
		{Removed, []string{registeredElsewhere}, f.saidElsewhere},
		{Removed, []string{patientLeft, patientNotRegular}, f.saidUnregistered},
		{Removed, []string{patientDeceased}, f.saidDeceased},
		{ClaimsAfterPeriod, []string{afterPeriod}, func(rows []Row) string {
			return fmt.Sprintf("in %s: %s after the cut-off of %s", f.Period, theClaims(rows), Day(f.CutOff))
		}},
		{ClaimsOutsideYear, []string{outsideContractYear}, func(rows []Row) string {
			return fmt.Sprintf(": %s before the contract year, which begins %s", theClaims(rows), Day(f.YearStart))
		}},
	} {
		rows, others := split(claims, end.dispositions...)
		if len(rows) > 0 {
			return end.outcome, "Not counted" + glued(end.say(rows)) + alsoTold(others) + "."
		}
	}
	deleted, others := split(claims, deletedAtSource)
	if len(others) == 0 {
		return ClaimsDeleted, fmt.Sprintf("Not counted: %s deleted at the source.", theClaims(deleted))
	}
	told := fmt.Sprintf("Not counted: %s rejected, %s", theClaims(others), tally(others))
	if doubtful := len(f.which(func(row Row) bool { return row.IsDoubtful && row.Role == claim })); doubtful > 0 {
		told += fmt.Sprintf("; %s of an EMIS number that rows pair with this NHS number and with another", plural(doubtful, "row"))
	}
	return ClaimsRejected, told + alsoTold(deleted) + "."
}

// glued puts a blank before words that do not begin with a colon.
func glued(words string) string {
	if words[0] == ':' {
		return words
	}
	return " " + words
}

// theClaims is "the claim of 14-May-2026 is", as the subject of what became of it.
func theClaims(rows []Row) string {
	if len(rows) == 1 {
		if rows[0].Activity.IsNone() {
			return "the claim without a date is"
		}
		return "the claim of " + days(rows) + " is"
	}
	return fmt.Sprintf("%s (of %s) are", plural(len(rows), "claim"), days(rows))
}

// alsoTold mentions what became of the other claims.
func alsoTold(others []Row) string {
	if len(others) == 0 {
		return ""
	}
	return "; of the other claims: " + tally(others)
}

// split parts rows by whether one of the dispositions became of them.
func split(rows []Row, dispositions ...string) (those, others []Row) {
	for _, row := range rows {
		if isOneOf(row.Disposition, dispositions...) {
			those = append(those, row)
		} else {
			others = append(others, row)
		}
	}
	return those, others
}

func (f Facts) saidDeceased(claims []Row) string {
	return fmt.Sprintf(": %s, so %s left out", f.died(), theClaims(claims))
}

// died says what R7 rests on.
func (f Facts) died() string {
	if f.DeathDate.IsNone() {
		return "a row says that the patient has died"
	}
	return fmt.Sprintf("the patient died %s, by the cut-off of %s", Day(f.DeathDate), Day(f.CutOff))
}

// saidUnregistered is of claims at practices that the patient had left or was not regular at.
func (f Facts) saidUnregistered(claims []Row) string {
	var why []string
	for _, registration := range f.Registrations {
		if slices.ContainsFunc(claims, func(row Row) bool { return row.Practice == registration.Practice }) {
			why = append(why, f.notRegistered(registration))
		}
	}
	told := fmt.Sprintf(": %s, so %s left out", strings.Join(why, "; "), theClaims(claims))
	if chosen := f.chosen(); chosen != nil {
		told += fmt.Sprintf("; registered at %s, which has no claim that counts", chosen.Practice)
	}
	return told
}

func (f Facts) saidElsewhere(claims []Row) string {
	return fmt.Sprintf(": the patient is registered at %s, where their events count, so %s left out at %s", f.chosen().Practice, theClaims(claims), practices(claims))
}

// leftBecause says what R8 rests on.
func (r Registration) leftBecause() string {
	if r.isDeducted() {
		return "deducted " + Day(r.Deducted)
	}
	return "a text that means left, without a deducted date"
}

// isDeducted tells whether the deducted date is no earlier than the registered one.
func (r Registration) isDeducted() bool {
	return !r.Deducted.IsNone() && (r.Registered.IsNone() || r.Registered <= r.Deducted)
}

// notRegularBecause says what R9 rests on.
func (r Registration) notRegularBecause() string {
	if r.IsDummy {
		return "a dummy patient"
	}
	return "a type or status that means not regular"
}

// withoutClaim says what the rows make of a patient that nobody claims.
func (f Facts) withoutClaim() (outcome, sentence string) {
	outcome, sentence = f.unclaimed()
	if rows := f.which(func(row Row) bool { return row.Outcome == rejected }); len(rows) > 0 && outcome != Unusable {
		sentence += fmt.Sprintf("; %s %s rejected, %s", plural(len(rows), "row"), are(len(rows)), tally(rows))
	}
	return outcome, sentence + "."
}

func (f Facts) unclaimed() (outcome, sentence string) {
	if len(f.Registrations) == 0 {
		return Unusable, "No row of the patient can be used: " + tally(f.Rows)
	}
	usable := f.which(func(row Row) bool { return row.Outcome != rejected })
	chosen := f.chosen()
	switch {
	case f.IsDeceased:
		return Removed, "No claim, and none would count: " + f.died()
	case chosen == nil:
		var why []string
		for _, registration := range f.Registrations {
			why = append(why, f.notRegistered(registration))
		}
		return Removed, "No claim, and none would count: " + strings.Join(why, "; ")
	case len(usable) == 0:
		return Unusable, fmt.Sprintf("No row of %s can be used but for the patient's status: %s", chosen.Practice, tally(f.Rows))
	case len(f.Segments) > 0:
		return Outstanding, fmt.Sprintf("Outstanding at %s: in %s, and no claim", chosen.Practice, allNamed(f.Segments))
	case len(f.disposed(notChosenByPlace)) > 0:
		return WithoutSegment, fmt.Sprintf("No claim at %s, and in no segment: %s", chosen.Practice, f.notChosen())
	case len(f.disposed(keptEligibility)) > 0:
		return EligibleOnly, fmt.Sprintf("Eligible at %s, and nothing else: no cohort code and no claim", chosen.Practice)
	case len(f.disposed(keptMDT)) > 0:
		return MDTOnly, fmt.Sprintf("MDT activity at %s, and nothing else: no claim", chosen.Practice)
	case len(f.disposed(statusOnly)) == len(usable):
		return StatusOnly, fmt.Sprintf("In the files as a patient of %s, and nothing else: no event of the contract", chosen.Practice)
	}
	return NoClaim, fmt.Sprintf("No claim at %s, and no cohort or eligibility code that counts: %s", chosen.Practice, tally(usable))
}

// notRegistered says why the patient is not registered at a practice.
func (f Facts) notRegistered(r Registration) string {
	if r.IsLeft {
		return fmt.Sprintf("the patient had left %s by the cut-off of %s (%s)", r.Practice, Day(f.CutOff), r.leftBecause())
	}
	return fmt.Sprintf("not a regular patient of %s (%s)", r.Practice, r.notRegularBecause())
}

// notChosen says which cohorts give no segment, and what the place chose.
func (f Facts) notChosen() string {
	var cohorts []string
	for _, row := range f.disposed(notChosenByPlace) {
		cohorts = append(cohorts, named(row.Cohort))
	}
	chose := "has not chosen yet"
	if chosen := f.chosen(); chosen != nil && chosen.PlaceChoice != "" {
		chose = "chose " + named(chosen.PlaceChoice)
	}
	gives := "gives"
	if len(cohorts) > 1 {
		gives = "give"
	}
	return fmt.Sprintf("%s %s none, because the place %s", list(cohorts), gives, chose)
}
