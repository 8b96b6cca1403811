package explain

import (
	"fmt"
	"slices"

	"ltcles/pipeline/civil"
)

// Rule is what one rule makes of the patient. It fails where it leaves nothing of what it looks
// at, so that a patient who is counted may well have lost a row to a rule that they pass.
type Rule struct {
	Rule     string `json:"rule"`
	Title    string `json:"title"`
	Practice string `json:"practice_code"` // of a rule that is judged at each practice
	Result   string `json:"result"`
	Reason   string `json:"reason"`
}

// The results of a rule.
const (
	Pass         = "pass"
	Fail         = "fail"
	DoesNotApply = "does not apply"
)

// Rules lists the rules that bear on the patient, in their order, each with what decided it.
func Rules(f Facts) []Rule {
	switch {
	case f.IsAmbiguous:
		return []Rule{{"R5", "identity", "", Fail, "rows pair the EMIS number with two NHS numbers"}}
	case len(f.Rows) == 0:
		return []Rule{{"R5", "identity", "", Fail, "no row gives the number"}}
	}
	rules := []Rule{f.nhsNumber()}
	rules = append(rules, f.losses()...)
	rules = append(rules, f.practiceCode(), f.identity(), f.cutOff(), f.notDeceased())
	for _, registration := range f.Registrations {
		rules = append(rules, f.notLeft(registration))
	}
	for _, registration := range f.Registrations {
		rules = append(rules, f.regular(registration))
	}
	return append(rules, f.onePractice(), f.assessment(), f.cohorts(), f.eligibility(), f.segments(), f.timeliness(), f.mdt())
}

// beyond lists the rows that pass a step of SPEC §6.1.
func (f Facts) beyond(step int64) []Row {
	return f.which(func(row Row) bool { return row.Step > step })
}

// lost is a remark on rows that a rule takes away from those that pass it; "" for none.
func lost(rows []Row) string {
	if len(rows) == 0 {
		return ""
	}
	return fmt.Sprintf("; %s lost to it: %s", plural(len(rows), "row"), tally(rows))
}

// passIf is Pass or Fail.
func passIf(holds bool) string {
	if holds {
		return Pass
	}
	return Fail
}

func (f Facts) nhsNumber() Rule {
	rule := Rule{Rule: "R1", Title: "NHS number"}
	taken := f.disposed(nhsNumberTestRange, nhsNumberInvalid)
	replaced := f.which(func(row Row) bool { return row.IsNHSInvalid && !isOneOf(row.Disposition, nhsNumberInvalid) })
	valid := f.which(func(row Row) bool { return row.HasNHSNumber })
	switch {
	case f.Practice == "":
		rule.Result, rule.Reason = Pass, "ten digits with the right check digit"+lost(taken)
	case len(valid) > 0:
		rule.Result, rule.Reason = Pass, give(len(valid))+" a valid one"+lost(taken)
	case len(taken) > 0:
		rule.Result, rule.Reason = Fail, tally(taken)
	case len(replaced) > 0:
		rule.Result, rule.Reason = Fail, fmt.Sprintf("that of %s is not valid; the EMIS number stands in for it", plural(len(replaced), "row"))
	default:
		rule.Result, rule.Reason = DoesNotApply, "no row gives one"
	}
	return rule
}

// losses are R2 and R3, which bear on the patient only where a row is rejected by them.
func (f Facts) losses() (rules []Rule) {
	for _, of := range []struct {
		rule, title  string
		dispositions []string
		passed       int64 // the step after which a row has passed
	}{
		{"R2", "code", []string{codeMissing, codeDamaged, codeInvalid}, 7},
		{"R3", "dates", []string{dateInvalid, dateMissing, dateInFuture}, 9},
	} {
		taken := f.disposed(of.dispositions...)
		if len(taken) > 0 {
			kept := len(f.beyond(of.passed))
			rules = append(rules, Rule{of.rule, of.title, "", passIf(kept > 0), fmt.Sprintf("%s can be read%s", plural(kept, "row"), lost(taken))})
		}
	}
	return rules
}

func (f Facts) practiceCode() Rule {
	known, taken := f.beyond(3), f.disposed(practiceMissing, practiceUnknown)
	rule := Rule{"R4", "practice code", "", passIf(len(known) > 0), practices(known) + lost(taken)}
	if len(known) == 0 {
		rule.Reason = tally(f.Rows)
		if len(taken) == 0 {
			rule.Result = DoesNotApply
		}
	}
	return rule
}

func (f Facts) identity() Rule {
	rule := Rule{Rule: "R5", Title: "identity", Result: Pass}
	doubtful := f.which(func(row Row) bool { return row.IsDoubtful })
	switch {
	case f.IsPaired:
		rule.Reason = "rows pair the EMIS number with one NHS number, which is the patient everywhere"
	case f.Practice != "":
		rule.Reason = fmt.Sprintf("no row pairs the EMIS number with an NHS number, so that it is the patient, at %s only", f.Practice)
	default:
		rule.Reason = "the NHS number is the patient everywhere"
	}
	byEMIS := f.which(func(row Row) bool { return !row.HasNHSNumber && !row.IsDoubtful && row.Step > 4 })
	if len(byEMIS) > 0 && (f.Practice == "" || f.IsPaired) {
		rule.Reason += fmt.Sprintf("; %s found by an EMIS number that is paired with it", plural(len(byEMIS), "row"))
	}
	if len(doubtful) > 0 {
		rule.Reason += fmt.Sprintf("; %s of an EMIS number that is paired with it and with another", plural(len(doubtful), "row"))
	}
	return rule
}

func (f Facts) cutOff() Rule {
	rule := Rule{Rule: "R6", Title: "cut-off"}
	events, within := f.beyond(9), f.beyond(10)
	is := "the period's end"
	if f.CutOff < f.PeriodEnd {
		is = "the day of the extract"
	}
	rule.Result, rule.Reason = passIf(len(within) > 0), fmt.Sprintf("%s, %s", Day(f.CutOff), is)
	if len(events) == 0 {
		rule.Result = DoesNotApply
		rule.Reason += "; no event that can be dated"
	}
	for _, out := range []struct{ disposition, words string }{{outsideContractYear, "before the contract year"}, {afterPeriod, "after the cut-off"}} {
		if taken := f.disposed(out.disposition); len(taken) > 0 {
			rule.Reason += fmt.Sprintf("; %s (%s) %s", plural(len(taken), "event"), days(taken), out.words)
		}
	}
	return rule
}

func (f Facts) notDeceased() Rule {
	rule := Rule{Rule: "R7", Title: "not deceased"}
	evidence := f.beyond(5)
	later := civil.None
	for _, row := range evidence {
		later = max(later, row.Death)
	}
	switch {
	case len(evidence) == 0:
		rule.Result, rule.Reason = DoesNotApply, "no row is evidence of status"
	case f.IsDeceased && f.DeathDate.IsNone():
		rule.Result, rule.Reason = Fail, "a text that means dead, without a death date"
	case f.IsDeceased:
		rule.Result, rule.Reason = Fail, fmt.Sprintf("died %s, by the cut-off of %s", Day(f.DeathDate), Day(f.CutOff))
	case later > f.CutOff:
		rule.Result, rule.Reason = Pass, fmt.Sprintf("died %s, after the cut-off of %s", Day(later), Day(f.CutOff))
	default:
		rule.Result, rule.Reason = Pass, "no row says so"
	}
	return rule
}

func (f Facts) notLeft(r Registration) Rule {
	rule := Rule{Rule: "R8", Title: "not left", Practice: r.Practice, Result: Pass}
	later := civil.None
	for _, row := range f.beyond(5) {
		if row.Practice == r.Practice {
			later = max(later, row.Deducted)
		}
	}
	switch {
	case r.IsLeft:
		rule.Result, rule.Reason = Fail, r.leftBecause()+f.byExtract(r)
	case !r.HasStatus:
		rule.Reason = "no row tells of the registration, which reads as registered"
	case !r.Deducted.IsNone():
		rule.Reason = fmt.Sprintf("deducted %s, registered again %s", Day(r.Deducted), Day(r.Registered)) + f.byExtract(r)
	case later > f.CutOff:
		rule.Reason = fmt.Sprintf("deducted %s, after the cut-off of %s", Day(later), Day(f.CutOff))
	case !r.Registered.IsNone():
		rule.Reason = "registered " + Day(r.Registered) + f.byExtract(r)
	default:
		rule.Reason = "no row says so" + f.byExtract(r)
	}
	return rule
}

// byExtract says which extract's rows are the newest with status.
func (f Facts) byExtract(r Registration) string {
	if r.Extract.IsNone() {
		return ""
	}
	return fmt.Sprintf(", by the extract of %s", Day(r.Extract))
}

func (f Facts) regular(r Registration) Rule {
	rule := Rule{Rule: "R9", Title: "regular", Practice: r.Practice, Result: Pass, Reason: "no row says otherwise"}
	switch {
	case r.IsNotRegular:
		rule.Result, rule.Reason = Fail, r.notRegularBecause()+f.byExtract(r)
	case !f.RequireRegular && (r.HasNotRegularText || r.IsDummy):
		rule.Result, rule.Reason = DoesNotApply, r.notRegularBecause()+", and the contract does not ask for regular patients"
	case !r.HasStatus:
		rule.Reason = "no row tells of the registration, which reads as regular"
	}
	return rule
}

func (f Facts) onePractice() Rule {
	rule := Rule{Rule: "R10", Title: "one practice"}
	var registered []Registration
	for _, registration := range f.Registrations {
		if registration.isRegistered() {
			registered = append(registered, registration)
		}
	}
	slices.SortFunc(registered, func(a, b Registration) int { return int(a.Choice - b.Choice) })
	switch {
	case len(f.Registrations) == 0:
		rule.Result, rule.Reason = DoesNotApply, "no row is evidence of status"
		return rule
	case len(registered) == 0:
		rule.Result, rule.Reason = Fail, "registered at no practice"
		return rule
	case len(registered) == 1:
		rule.Reason = registered[0].Practice + ", where alone the patient is registered"
	default:
		rule.Reason = registered[0].Practice + ": " + registered[0].preferredTo(registered[1])
	}
	elsewhere := f.disposed(registeredElsewhere)
	claimed, _ := split(f.ofRole(claim), registeredElsewhere)
	rule.Result = passIf(f.Assessment != nil || len(claimed) == 0)
	if len(elsewhere) > 0 {
		rule.Reason += fmt.Sprintf("; %s elsewhere, at %s", plural(len(elsewhere), "event"), practices(elsewhere))
	}
	return rule
}

// preferredTo says by what R10 put a practice before the next.
func (r Registration) preferredTo(next Registration) string {
	switch {
	case r.HasStatus != next.HasStatus:
		return fmt.Sprintf("rows there tell of the registration, at %s none does", next.Practice)
	case r.Registered != next.Registered && next.Registered.IsNone():
		return fmt.Sprintf("registered %s, at %s on no known day", Day(r.Registered), next.Practice)
	case r.Registered != next.Registered:
		return fmt.Sprintf("registered %s, after %s at %s", Day(r.Registered), Day(next.Registered), next.Practice)
	case r.NewestExtract != next.NewestExtract && next.NewestExtract.IsNone():
		return fmt.Sprintf("in an extract of %s, at %s in none that states its day", Day(r.NewestExtract), next.Practice)
	case r.NewestExtract != next.NewestExtract:
		return fmt.Sprintf("in an extract of %s, after that of %s at %s", Day(r.NewestExtract), Day(next.NewestExtract), next.Practice)
	}
	return fmt.Sprintf("nothing tells it from %s, and its code is the smaller", next.Practice)
}

func (f Facts) assessment() Rule {
	rule := Rule{Rule: "R11", Title: "assessment"}
	claims := f.ofRole(claim)
	ranked := placed(claims)
	switch {
	case len(claims) == 0:
		rule.Result, rule.Reason = DoesNotApply, "no claim"
	case len(ranked) == 0:
		rule.Result, rule.Reason = Fail, "no claim is left: "+tally(claims)
	case len(ranked) == 1:
		rule.Result, rule.Reason = Pass, fmt.Sprintf("one claim, of %s", days(ranked))
	default:
		rule.Result, rule.Reason = Pass, fmt.Sprintf("%d claims; that of %s is kept: %s", len(ranked), Day(ranked[0].Activity), ranked[0].keptBefore(ranked[1]))
	}
	return rule
}

// placed lists the rows of which one is kept, that one first.
func placed(rows []Row) []Row {
	rows = slices.DeleteFunc(slices.Clone(rows), func(row Row) bool { return row.Place == 0 })
	slices.SortStableFunc(rows, func(a, b Row) int { return int(a.Place - b.Place) })
	return rows
}

// keptBefore says by what R11 put a claim before the next.
func (row Row) keptBefore(next Row) string {
	switch {
	case (row.Timeliness == onTime) != (next.Timeliness == onTime):
		return "it is on time"
	case row.Activity != next.Activity:
		return "it is the earliest"
	case row.Recorded != next.Recorded:
		return "of those of its day it was coded first"
	}
	return "of equal ones it comes first in the files"
}

func (f Facts) cohorts() Rule {
	rule := Rule{Rule: "R12", Title: "cohorts"}
	codes := f.ofRole(cohort)
	kept := f.disposed(keptCohort, notChosenByPlace)
	switch {
	case len(codes) == 0:
		rule.Result, rule.Reason = DoesNotApply, "no cohort code"
	case len(kept) == 0:
		rule.Result, rule.Reason = Fail, "no cohort code is left: "+tally(codes)
	default:
		var words []string
		for _, row := range kept {
			words = append(words, fmt.Sprintf("%s (%s)", named(row.Cohort), row.coded()))
		}
		rule.Result, rule.Reason = Pass, list(words)
	}
	return rule
}

// coded says when a cohort or eligibility code is dated, and where it comes from.
func (row Row) coded() string {
	day := Day(row.Activity)
	if row.Activity.IsNone() {
		day = "no date"
	}
	if row.Source == "both" {
		return day + ", in the record and by batch add"
	}
	return day + ", " + map[string]string{"record": "in the record", "batch_add": "by batch add"}[row.Source]
}

func (f Facts) eligibility() Rule {
	rule := Rule{Rule: "R12", Title: "eligibility"}
	codes := f.ofRole(eligibility)
	kept := f.disposed(keptEligibility)
	switch {
	case len(kept) > 0:
		rule.Result, rule.Reason = Pass, kept[0].coded()
	case f.RequireEligibility:
		rule.Result, rule.Reason = Fail, "no eligibility code, which the contract requires"
	case len(codes) > 0:
		rule.Result, rule.Reason = Fail, "no eligibility code is left: "+tally(codes)+"; the contract does not require one"
	default:
		rule.Result, rule.Reason = DoesNotApply, "no eligibility code, and the contract does not require one"
	}
	return rule
}

func (f Facts) segments() Rule {
	rule := Rule{Rule: "R13", Title: "segments"}
	unchosen := ""
	if len(f.disposed(notChosenByPlace)) > 0 {
		unchosen = f.notChosen()
	}
	switch {
	case len(f.Segments) > 0 && unchosen != "":
		rule.Result, rule.Reason = Pass, allNamed(f.Segments)+"; "+unchosen
	case len(f.Segments) > 0:
		rule.Result, rule.Reason = Pass, allNamed(f.Segments)
	case f.Assessment != nil && f.CountWithoutSegment:
		rule.Result, rule.Reason = DoesNotApply, "in none, and the contract counts an assessment without one"
	case unchosen != "":
		rule.Result, rule.Reason = Fail, unchosen
	case f.Assessment != nil:
		rule.Result, rule.Reason = Fail, "no cohort code that counts, so in none"
	default:
		rule.Result, rule.Reason = DoesNotApply, "in none"
	}
	return rule
}

func (f Facts) timeliness() Rule {
	rule := Rule{Rule: "R14", Title: "timeliness"}
	if f.Assessment == nil {
		rule.Result, rule.Reason = DoesNotApply, "no assessment"
		return rule
	}
	kept := placed(f.ofRole(claim))[0]
	deadline := Day(f.CodingDeadline)
	rule.Result = passIf(kept.Timeliness == onTime)
	extract, said := kept.Extract, "its file's extract of"
	if extract.IsNone() {
		extract, said = f.AsAt, "its file states no extract date, and as-at"
	}
	switch {
	case kept.Timeliness == late:
		rule.Reason = fmt.Sprintf("late: coded %s, after the coding deadline of %s; it counts all the same", Day(kept.Recorded), deadline)
	case kept.Timeliness == unproven:
		rule.Reason = fmt.Sprintf("unproven: no date of coding, and %s %s is after the coding deadline of %s; it counts all the same", said, Day(extract), deadline)
	case !kept.Recorded.IsNone():
		rule.Reason = fmt.Sprintf("on time: coded %s, by the coding deadline of %s", Day(kept.Recorded), deadline)
	case extract <= f.CodingDeadline:
		rule.Reason = fmt.Sprintf("on time: no date of coding; %s %s is by the coding deadline of %s", said, Day(extract), deadline)
	default:
		rule.Reason = fmt.Sprintf("on time: no date of coding; a snapshot published by the coding deadline of %s holds it", deadline)
	}
	return rule
}

func (f Facts) mdt() Rule {
	rule := Rule{Rule: "R15", Title: "MDT"}
	codes, kept := f.ofRole(mdt), f.disposed(keptMDT)
	switch {
	case len(codes) == 0:
		rule.Result, rule.Reason = DoesNotApply, "no MDT code"
	case len(kept) == 0:
		rule.Result, rule.Reason = Fail, "no MDT code is left: "+tally(codes)
	default:
		rule.Result, rule.Reason = Pass, fmt.Sprintf("%s, of %s", plural(len(kept), "event"), days(kept))
	}
	return rule
}
