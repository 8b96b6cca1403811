package schema

import "strings"

// Rule is one of the numbered rules that decide what is published.
type Rule struct {
	Name    string
	Meaning string // one sentence
}

// Rules lists the numbered rules in short; the columns and dispositions that they decide name them.
func Rules() []Rule {
	return []Rule{
		{"R1", "An NHS number has ten digits, not all equal, and its check digit is right; the 999 test range is rejected unless the workspace allows it."},
		{"R2", "A code is text, never a number, and one that a spreadsheet has shortened is put right only where a single code of the code book fits."},
		{"R3", "Dates are read day first or year first, never month first, and text that is no date is never guessed at."},
		{"R4", "A practice code is trimmed, upper-cased and has to be in practices.csv for the contract year."},
		{"R5", "A valid NHS number identifies the patient everywhere; without one the practice and EMIS number do, through the NHS number that other rows pair with them."},
		{"R6", "Status and activity are judged at the cut-off, the earlier of the period's last day and the day of the extract."},
		{"R7", "A patient with a date of death by the cut-off, or a status text that means dead, is deceased everywhere."},
		{"R8", "A patient has left a practice whose newest extract that tells of status says that they were deducted by the cut-off and not registered again."},
		{"R9", "A patient with a type that means not regular, or a dummy patient, is not counted at that practice."},
		{"R10", "A patient belongs to one practice: of those where they are registered, the one with status evidence, then the latest registration, then the newest extract."},
		{"R11", "One assessment of a patient is kept in the contract year: coded on time before the others, then the earliest."},
		{"R12", "A cohort or eligibility code counts once per patient and contract year."},
		{"R13", "An assessed patient is in every segment whose cohort they are in; a cohort that the place did not choose gives none."},
		{"R14", "An assessment is on time if it was coded by the coding deadline, late if after it, and unproven if nothing tells; all three count."},
		{"R15", "An MDT code counts once per patient, code and day, by quarter of the contract year."},
		{"R16", "A segment's minimum is its share of the annual target, rounded up, and its shortfall what is lacking to that."},
		{"R17", "Achievement is what counts divided by the target; the projection carries the pace so far on to the year's end."},
		{"R18", "The inclusive shortfall adds up the segments' shortfalls; the exclusive one is the fewest further assessments if each could serve one segment only."},
		{"R19", "Money is worked out in whole pence: the contract value is the weighted population times the pounds per head, split into domains, and earned on the selected basis."},
		{"R20", "Figures are provisional, and a balance has no direction, until the year end is frozen; a frozen year end is never overwritten."},
	}
}

// RulesOf looks up the rules that a column or disposition names, such as "R11, R12".
func RulesOf(names string) []Rule {
	var rules []Rule
	for _, name := range strings.Split(names, ", ") {
		for _, rule := range Rules() {
			if rule.Name == name {
				rules = append(rules, rule)
			}
		}
	}
	return rules
}
