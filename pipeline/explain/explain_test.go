package explain

import (
	"slices"
	"strings"
	"testing"

	"ltcles/pipeline/civil"
)

func date(t *testing.T, iso string) civil.Date {
	t.Helper()
	if iso == "" {
		return civil.None
	}
	day, err := civil.Parse(iso)
	if err != nil {
		t.Fatal(err)
	}
	return day
}

// A maker makes facts of June 2026 as the cases below need them.
type maker struct {
	t     *testing.T
	facts Facts
}

func (m *maker) day(iso string) civil.Date { return date(m.t, iso) }

// at adds a practice; change says how it is not one where the patient is plainly registered.
func (m *maker) at(practice string, change func(*Registration)) {
	r := Registration{
		Practice: practice, PlaceChoice: "diabetes", HasStatus: true, NewestExtract: m.day("2026-07-03"), Extract: m.day("2026-07-03"),
		Registered: m.day("2020-01-02"), Deducted: civil.None, Choice: 1, IsChosen: true,
	}
	if change != nil {
		change(&r)
	}
	m.facts.Registrations = append(m.facts.Registrations, r)
}

// row adds a row of Y90001: its role, activity date and disposition.
func (m *maker) row(role, activity, disposition string, change func(*Row)) {
	step := map[string]int64{
		deletedAtSource: 1, practiceUnknown: 3, nhsNumberTestRange: 4, nhsNumberInvalid: 4, patientAmbiguous: 4,
		statusOnly: 6, codeDamaged: 7, codeNotInScope: 8, dateMissing: 9, dateInFuture: 9, outsideContractYear: 10, afterPeriod: 10,
	}[disposition]
	row := Row{
		File: "claims.csv", Line: len(m.facts.Rows) + 2, Event: 1, Practice: "Y90001", Role: role, Activity: m.day(activity), Disposition: disposition, Step: step,
		Recorded: civil.None, Registered: civil.None, Deducted: civil.None, Death: civil.None, Extract: civil.None, HasNHSNumber: true, Source: "record",
	}
	if step == 0 {
		row.Step = 99
	}
	switch {
	case slices.Contains([]string{keptCohort, keptEligibility, keptMDT, notChosenByPlace, "assessment"}, disposition):
		row.Place = 1
	case step > 0 && step < 10 && !isOneOf(disposition, statusOnly, deletedAtSource, codeNotInScope):
		row.Outcome = rejected
	}
	if change != nil {
		change(&row)
	}
	m.facts.Rows = append(m.facts.Rows, row)
}

func (m *maker) assessed(segments []string, change func(*Assessment)) {
	a := &Assessment{
		Practice: "Y90001", Activity: m.day("2026-05-14"), Recorded: m.day("2026-05-15"), Timeliness: onTime, IsCounted: len(segments) > 0, Segments: segments,
	}
	if change != nil {
		change(a)
	}
	m.facts.Assessment, m.facts.Segments = a, segments
	m.row(claim, "2026-05-14", "assessment", func(row *Row) { row.Recorded, row.Timeliness = a.Recorded, a.Timeliness })
}

func factsOf(t *testing.T, make func(*maker)) Facts {
	t.Helper()
	m := &maker{t: t}
	m.facts = Facts{
		Period: "2026-06", AsAt: m.day("2026-07-05"), CutOff: m.day("2026-06-30"), PeriodEnd: m.day("2026-06-30"), YearStart: m.day("2026-04-01"),
		CodingDeadline: m.day("2027-04-10"), RequireRegular: true, DeathDate: civil.None,
	}
	make(m)
	return m.facts
}

// Every end has its outcome and its sentence.
func TestJudge(t *testing.T) {
	left := func(r *Registration) { r.IsLeft, r.IsChosen, r.Deducted = true, false, r.Registered+2000 }
	leftByText := func(r *Registration) { r.IsLeft, r.IsChosen, r.HasLeftText = true, false, true }
	temporary := func(r *Registration) { r.IsNotRegular, r.IsChosen, r.HasNotRegularText = true, false, true }
	dummy := func(r *Registration) { r.IsNotRegular, r.IsChosen, r.IsDummy = true, false, true }
	second := func(r *Registration) { r.IsChosen, r.Choice = false, 2 }
	ofCohort := func(name string) func(*Row) { return func(row *Row) { row.Cohort = name } }
	for _, tt := range []struct {
		outcome, practice, sentence string
		make                        func(*maker)
	}{
		{Counted, "Y90001", "Counted for Y90001 in cardiovascular and respiratory: assessed 14-May-2026, coded 15-May-2026, on time.", func(m *maker) {
			m.at("Y90001", nil)
			m.assessed([]string{"cardiovascular", "respiratory"}, nil)
		}},
		{Counted, "Y90001", "Counted for Y90001 in severe mental illness: assessed 14-May-2026, coded 11-Apr-2027, late.", func(m *maker) {
			m.at("Y90001", nil)
			m.assessed([]string{"severe_mental_illness"}, func(a *Assessment) { a.Recorded, a.Timeliness = m.day("2027-04-11"), late })
		}},
		{Counted, "Y90001", "Counted for Y90001 in population health, cardiovascular and place choice: assessed 14-May-2026, no date of coding, unproven.", func(m *maker) {
			m.at("Y90001", nil)
			m.assessed([]string{"population_health", "cardiovascular", "place_choice"}, func(a *Assessment) { a.Recorded, a.Timeliness = civil.None, unproven })
		}},
		{Counted, "Y90001", "Counted for Y90001 in no segment: assessed 14-May-2026, coded 15-May-2026, on time.", func(m *maker) {
			m.facts.CountWithoutSegment = true
			m.at("Y90001", nil)
			m.assessed(nil, func(a *Assessment) { a.IsCounted = true })
		}},
		{AssessedNotCounted, "Y90001", "Assessed and not counted for Y90001 in no segment: assessed 14-May-2026, coded 15-May-2026, on time; no cohort code gives it a segment.", func(m *maker) {
			m.at("Y90001", nil)
			m.assessed(nil, nil)
		}},
		{AssessedNotCounted, "Y90001", "Assessed and not counted for Y90001 in no segment: assessed 14-May-2026, coded 15-May-2026, on time; no cohort code that counts gives it a segment.", func(m *maker) {
			m.at("Y90001", nil)
			m.row(cohort, "2025-05-01", outsideContractYear, ofCohort("respiratory"))
			m.assessed(nil, nil)
		}},
		{AssessedNotCounted, "Y90001", "Assessed and not counted for Y90001 in no segment: assessed 14-May-2026, coded 15-May-2026, on time; frailty gives none, because the place chose diabetes.", func(m *maker) {
			m.at("Y90001", nil)
			m.row(cohort, "2026-05-01", notChosenByPlace, ofCohort("frailty"))
			m.assessed(nil, nil)
		}},
		{AssessedNotCounted, "Y90001", "Assessed and not counted for Y90001 in respiratory: assessed 14-May-2026, coded 15-May-2026, on time; it has no eligibility code, which the contract requires.", func(m *maker) {
			m.facts.RequireEligibility = true
			m.at("Y90001", nil)
			m.assessed([]string{"respiratory"}, func(a *Assessment) { a.IsCounted = false })
		}},
		{AssessedNotCounted, "Y90001", "Assessed and not counted for Y90001 in no segment: assessed 14-May-2026, coded 15-May-2026, on time; no cohort code gives it a segment, and it has no eligibility code, which the contract requires.", func(m *maker) {
			m.facts.RequireEligibility = true
			m.at("Y90001", nil)
			m.assessed(nil, nil)
		}},
		{AssessedNotCounted, "Y90001", "Assessed and not counted for Y90001 in no segment: assessed 14-May-2026, coded 15-May-2026, on time; it has no eligibility code, which the contract requires.", func(m *maker) {
			m.facts.RequireEligibility, m.facts.CountWithoutSegment = true, true
			m.at("Y90001", nil)
			m.assessed(nil, nil)
		}},
		{Removed, "Y90001", "Not counted: the patient died 12-Apr-2026, by the cut-off of 30-Jun-2026, so the claim of 14-May-2026 is left out.", func(m *maker) {
			m.facts.IsDeceased, m.facts.DeathDate = true, m.day("2026-04-12")
			m.at("Y90001", nil)
			m.row(claim, "2026-05-14", patientDeceased, nil)
		}},
		{Removed, "Y90001", "Not counted: a row says that the patient has died, so 2 claims (of 14-May-2026 and 15-May-2026) are left out.", func(m *maker) {
			m.facts.IsDeceased = true
			m.at("Y90001", nil)
			m.row(claim, "2026-05-15", patientDeceased, nil)
			m.row(claim, "2026-05-14", patientDeceased, nil)
		}},
		{Removed, "", "Not counted: the patient had left Y90001 by the cut-off of 30-Jun-2026 (deducted 24-Jun-2025), so the claim of 14-May-2026 is left out.", func(m *maker) {
			m.at("Y90001", left)
			m.row(claim, "2026-05-14", patientLeft, nil)
		}},
		{Removed, "Y90002", "Not counted: the patient had left Y90001 by the cut-off of 30-Jun-2026 (a text that means left, without a deducted date), so the claim of 14-May-2026 is left out; registered at Y90002, which has no claim that counts; of the other claims: after_period (1 row).", func(m *maker) {
			m.at("Y90001", leftByText)
			m.at("Y90002", nil)
			m.row(claim, "2026-05-14", patientLeft, nil)
			m.row(claim, "2026-07-01", afterPeriod, nil)
		}},
		{Removed, "", "Not counted: not a regular patient of Y90001 (a type or status that means not regular), so the claim of 14-May-2026 is left out.", func(m *maker) {
			m.at("Y90001", temporary)
			m.row(claim, "2026-05-14", patientNotRegular, nil)
		}},
		{Removed, "", "Not counted: not a regular patient of Y90001 (a dummy patient), so the claim of 14-May-2026 is left out.", func(m *maker) {
			m.at("Y90001", dummy)
			m.row(claim, "2026-05-14", patientNotRegular, nil)
		}},
		{Removed, "Y90002", "Not counted: the patient is registered at Y90002, where their events count, so the claim of 14-May-2026 is left out at Y90001.", func(m *maker) {
			m.at("Y90001", second)
			m.at("Y90002", nil)
			m.row(claim, "2026-05-14", registeredElsewhere, nil)
		}},
		{ClaimsRejected, "Y90001", "Not counted: the claim without a date is rejected, date_missing (1 row).", func(m *maker) {
			m.at("Y90001", nil)
			m.row(claim, "", dateMissing, nil)
		}},
		{ClaimsRejected, "Y90001", "Not counted: 2 claims (of 14-May-2026 and no date) are rejected, date_missing (1 row) and patient_ambiguous (1 row); 1 row of an EMIS number that rows pair with this NHS number and with another; of the other claims: deleted_at_source (1 row).", func(m *maker) {
			m.at("Y90001", nil)
			m.row(claim, "", dateMissing, nil)
			m.row(claim, "2026-05-14", patientAmbiguous, func(row *Row) { row.IsDoubtful = true })
			m.row(claim, "2026-05-13", deletedAtSource, nil)
		}},
		{ClaimsAfterPeriod, "Y90001", "Not counted in 2026-06: the claim of 02-Jul-2026 is after the cut-off of 30-Jun-2026; of the other claims: outside_contract_year (1 row) and date_in_future (1 row).", func(m *maker) {
			m.at("Y90001", nil)
			m.row(claim, "2026-03-31", outsideContractYear, nil)
			m.row(claim, "2026-07-02", afterPeriod, nil)
			m.row(claim, "2027-07-02", dateInFuture, nil)
		}},
		{ClaimsOutsideYear, "Y90001", "Not counted: the claim of 31-Mar-2026 is before the contract year, which begins 01-Apr-2026.", func(m *maker) {
			m.at("Y90001", nil)
			m.row(claim, "2026-03-31", outsideContractYear, nil)
		}},
		{ClaimsDeleted, "", "Not counted: the claim of 14-May-2026 is deleted at the source.", func(m *maker) { m.row(claim, "2026-05-14", deletedAtSource, nil) }},
		{Outstanding, "Y90001", "Outstanding at Y90001: in cardiovascular, and no claim.", func(m *maker) {
			m.facts.Segments = []string{"cardiovascular"}
			m.at("Y90001", nil)
			m.row(cohort, "2026-05-01", keptCohort, ofCohort("cardiovascular"))
		}},
		{Outstanding, "Y90001", "Outstanding at Y90001: in cardiovascular, and no claim; 2 rows are rejected, code_damaged (2 rows).", func(m *maker) {
			m.facts.Segments = []string{"cardiovascular"}
			m.at("Y90001", nil)
			m.row("", "2026-05-01", codeDamaged, nil)
			m.row(cohort, "2026-05-01", keptCohort, ofCohort("cardiovascular"))
			m.row("", "2026-05-01", codeDamaged, nil)
		}},
		{WithoutSegment, "Y90001", "No claim at Y90001, and in no segment: diabetes and frailty give none, because the place has not chosen yet.", func(m *maker) {
			m.at("Y90001", func(r *Registration) { r.PlaceChoice = "" })
			m.row(cohort, "2026-05-01", notChosenByPlace, ofCohort("diabetes"))
			m.row(cohort, "2026-05-01", notChosenByPlace, ofCohort("frailty"))
		}},
		{EligibleOnly, "Y90001", "Eligible at Y90001, and nothing else: no cohort code and no claim.", func(m *maker) {
			m.at("Y90001", nil)
			m.row(eligibility, "2026-05-01", keptEligibility, nil)
		}},
		{MDTOnly, "Y90001", "MDT activity at Y90001, and nothing else: no claim.", func(m *maker) {
			m.at("Y90001", nil)
			m.row(mdt, "2026-05-01", keptMDT, nil)
		}},
		{StatusOnly, "Y90001", "In the files as a patient of Y90001, and nothing else: no event of the contract.", func(m *maker) {
			m.at("Y90001", nil)
			m.row("", "", statusOnly, nil)
		}},
		{StatusOnly, "Y90001", "In the files as a patient of Y90001, and nothing else: no event of the contract; 1 row is rejected, code_damaged (1 row).", func(m *maker) {
			m.at("Y90001", nil)
			m.row("", "", statusOnly, nil)
			m.row("", "2026-05-01", codeDamaged, nil)
		}},
		{Unusable, "Y90001", "No row of Y90001 can be used but for the patient's status: code_damaged (1 row).", func(m *maker) {
			m.at("Y90001", nil)
			m.row("", "2026-05-01", codeDamaged, nil)
		}},
		{NoClaim, "Y90001", "No claim at Y90001, and no cohort or eligibility code that counts: code_not_in_scope (1 row).", func(m *maker) {
			m.at("Y90001", nil)
			m.row("", "2026-05-01", codeNotInScope, nil)
		}},
		{Removed, "Y90001", "No claim, and none would count: the patient died 12-Apr-2026, by the cut-off of 30-Jun-2026.", func(m *maker) {
			m.facts.IsDeceased, m.facts.DeathDate = true, m.day("2026-04-12")
			m.at("Y90001", nil)
			m.row("", "", statusOnly, nil)
		}},
		{Removed, "", "No claim, and none would count: the patient had left Y90001 by the cut-off of 30-Jun-2026 (deducted 24-Jun-2025).", func(m *maker) {
			m.at("Y90001", left)
			m.row(cohort, "2026-05-01", patientLeft, nil)
		}},
		{Removed, "", "No claim, and none would count: not a regular patient of Y90001 (a dummy patient).", func(m *maker) {
			m.at("Y90001", dummy)
			m.row("", "", statusOnly, nil)
		}},
		{Removed, "", "No claim, and none would count: the patient had left Y90001 by the cut-off of 30-Jun-2026 (deducted 24-Jun-2025); not a regular patient of Y90002 (a type or status that means not regular).", func(m *maker) {
			m.at("Y90001", left)
			m.at("Y90002", temporary)
			m.row("", "", statusOnly, nil)
			m.row("", "", statusOnly, func(row *Row) { row.Practice = "Y90002" })
		}},
		{Unusable, "", "No row of the patient can be used: nhs_number_test_range (1 row) and practice_unknown (1 row).", func(m *maker) {
			m.row("", "2026-05-01", nhsNumberTestRange, nil)
			m.row("", "2026-05-01", practiceUnknown, nil)
		}},
		{Ambiguous, "", "Ambiguous: rows pair this EMIS number of Y90001 with two NHS numbers, so that it stands for nobody; 1 row gives no valid NHS number and is rejected. Ask about each NHS number.", func(m *maker) {
			m.facts.Practice, m.facts.IsAmbiguous = "Y90001", true
			m.row(claim, "2026-05-01", "assessment", nil)
			m.row(claim, "2026-05-01", patientAmbiguous, nil)
		}},
		{NotFound, "", "Not in 2026-06: no row of any file that could be read gives this number.", func(*maker) {}},
	} {
		t.Run(tt.sentence, func(t *testing.T) {
			facts := factsOf(t, tt.make)
			got := Judge(facts)
			if got.Outcome != tt.outcome || got.Practice != tt.practice || got.Sentence != tt.sentence || got.Assessment != facts.Assessment {
				t.Errorf("got %s of %q: %s", got.Outcome, got.Practice, got.Sentence)
			}
		})
	}
}

// Each rule says what it makes of the patient, and what decided it.
func TestRules(t *testing.T) {
	plain := func(m *maker) { m.at("Y90001", nil); m.assessed([]string{"respiratory"}, nil) }
	with := func(change func(*Registration)) func(*maker) {
		return func(m *maker) { m.at("Y90001", change); m.row("", "", statusOnly, nil) }
	}
	both := func(first, second func(*Registration)) func(*maker) {
		return func(m *maker) {
			m.at("Y90001", first)
			m.at("Y90002", func(r *Registration) {
				r.IsChosen, r.Choice = false, 2
				if second != nil {
					second(r)
				}
			})
			m.row("", "", statusOnly, nil)
		}
	}
	claims := func(first, second func(*Row)) func(*maker) {
		return func(m *maker) {
			m.at("Y90001", nil)
			m.assessed([]string{"respiratory"}, nil)
			first(&m.facts.Rows[0])
			m.row(claim, "2026-05-14", "duplicate", func(row *Row) {
				row.Place, row.Timeliness, row.Recorded = 2, onTime, m.day("2026-05-15")
				second(row)
			})
		}
	}
	unchanged := func(*Row) {}
	for _, tt := range []struct {
		want string
		make func(*maker)
	}{
		{"R1 NHS number: pass: ten digits with the right check digit", plain},
		{"R1 NHS number: pass: ten digits with the right check digit; 1 row lost to it: nhs_number_test_range (1 row)", func(m *maker) {
			plain(m)
			m.row(claim, "2026-05-01", nhsNumberTestRange, nil)
		}},
		{"R1 NHS number: pass: 1 row gives a valid one", func(m *maker) { plain(m); m.facts.Practice = "Y90001" }},
		{"R1 NHS number: fail: nhs_number_test_range (1 row)", func(m *maker) {
			m.facts.Practice = "Y90001"
			m.row(claim, "2026-05-01", nhsNumberTestRange, func(row *Row) { row.HasNHSNumber = false })
		}},
		{"R1 NHS number: fail: that of 1 row is not valid; the EMIS number stands in for it", func(m *maker) {
			m.facts.Practice = "Y90001"
			m.row(claim, "2026-05-01", "assessment", func(row *Row) { row.HasNHSNumber, row.IsNHSInvalid = false, true })
		}},
		{"R1 NHS number: does not apply: no row gives one", func(m *maker) {
			m.facts.Practice = "Y90001"
			m.row("", "", statusOnly, func(row *Row) { row.HasNHSNumber = false })
		}},
		{"R2 code: pass: 1 row can be read; 1 row lost to it: code_damaged (1 row)", func(m *maker) { plain(m); m.row("", "2026-05-01", codeDamaged, nil) }},
		{"R3 dates: fail: 0 rows can be read; 2 rows lost to it: date_missing (1 row) and date_in_future (1 row)", func(m *maker) {
			m.at("Y90001", nil)
			m.row(claim, "", dateMissing, nil)
			m.row(claim, "2027-05-01", dateInFuture, nil)
		}},
		{"R4 practice code: pass: Y90001", plain},
		{"R4 practice code: fail: practice_unknown (1 row)", func(m *maker) {
			m.row(claim, "2026-05-01", practiceUnknown, func(row *Row) { row.Practice = "" })
		}},
		{"R4 practice code: does not apply: deleted_at_source (1 row)", func(m *maker) { m.row(claim, "2026-05-01", deletedAtSource, nil) }},
		{"R5 identity: pass: the NHS number is the patient everywhere; 1 row found by an EMIS number that is paired with it; 1 row of an EMIS number that is paired with it and with another", func(m *maker) {
			plain(m)
			m.row("", "", statusOnly, func(row *Row) { row.HasNHSNumber = false })
			m.row(claim, "2026-05-01", patientAmbiguous, func(row *Row) { row.HasNHSNumber, row.IsDoubtful = false, true })
		}},
		{"R5 identity: pass: the NHS number is the patient everywhere", func(m *maker) {
			plain(m)
			m.row(claim, "2026-05-01", nhsNumberInvalid, func(row *Row) { row.HasNHSNumber = false })
		}},
		{"R5 identity: pass: rows pair the EMIS number with one NHS number, which is the patient everywhere", func(m *maker) {
			plain(m)
			m.facts.Practice, m.facts.IsPaired = "Y90001", true
		}},
		{"R5 identity: pass: no row pairs the EMIS number with an NHS number, so that it is the patient, at Y90001 only", func(m *maker) {
			m.facts.Practice = "Y90001"
			m.at("Y90001", nil)
			m.row("", "", statusOnly, func(row *Row) { row.HasNHSNumber = false })
		}},
		{"R5 identity: fail: rows pair the EMIS number with two NHS numbers", func(m *maker) { plain(m); m.facts.IsAmbiguous = true }},
		{"R5 identity: fail: no row gives the number", func(*maker) {}},
		{"R6 cut-off: pass: 30-Jun-2026, the period's end; 1 event (31-Mar-2026) before the contract year; 2 events (02-Jul-2026 and 03-Jul-2026) after the cut-off", func(m *maker) {
			plain(m)
			m.row(claim, "2026-03-31", outsideContractYear, nil)
			m.row(claim, "2026-07-03", afterPeriod, nil)
			m.row(claim, "2026-07-02", afterPeriod, nil)
		}},
		{"R6 cut-off: fail: 20-Jun-2026, the day of the extract; 1 event (21-Jun-2026) after the cut-off", func(m *maker) {
			m.facts.CutOff = m.day("2026-06-20")
			m.row(claim, "2026-06-21", afterPeriod, nil)
		}},
		{"R6 cut-off: does not apply: 30-Jun-2026, the period's end; no event that can be dated", with(nil)},
		{"R7 not deceased: pass: no row says so", plain},
		{"R7 not deceased: fail: died 12-Apr-2026, by the cut-off of 30-Jun-2026", func(m *maker) {
			plain(m)
			m.facts.IsDeceased, m.facts.DeathDate = true, m.day("2026-04-12")
		}},
		{"R7 not deceased: fail: a text that means dead, without a death date", func(m *maker) { plain(m); m.facts.IsDeceased = true }},
		{"R7 not deceased: pass: died 01-Jul-2026, after the cut-off of 30-Jun-2026", func(m *maker) { plain(m); m.facts.Rows[0].Death = m.day("2026-07-01") }},
		{"R7 not deceased: does not apply: no row is evidence of status", func(m *maker) { m.row(claim, "2026-05-01", practiceUnknown, nil) }},
		{"R8 not left Y90001: pass: registered 02-Jan-2020, by the extract of 03-Jul-2026", plain},
		{"R8 not left Y90001: fail: deducted 12-May-2026, by the extract of 03-Jul-2026", with(func(r *Registration) { r.IsLeft, r.Deducted = true, date(t, "2026-05-12") })},
		{"R8 not left Y90001: fail: deducted 02-Jan-2020, by the extract of 03-Jul-2026", with(func(r *Registration) { r.IsLeft, r.Deducted = true, r.Registered })},
		{"R8 not left Y90001: fail: a text that means left, without a deducted date", with(func(r *Registration) { r.IsLeft, r.HasLeftText, r.Extract = true, true, civil.None })},
		{"R8 not left Y90001: fail: a text that means left, without a deducted date", with(func(r *Registration) {
			r.IsLeft, r.HasLeftText, r.Deducted, r.Extract = true, true, date(t, "2019-05-12"), civil.None
		})},
		{"R8 not left Y90001: pass: deducted 12-May-2019, registered again 02-Jan-2020, by the extract of 03-Jul-2026", with(func(r *Registration) { r.Deducted = date(t, "2019-05-12") })},
		{"R8 not left Y90001: pass: deducted 01-Jul-2026, after the cut-off of 30-Jun-2026", func(m *maker) { plain(m); m.facts.Rows[0].Deducted = m.day("2026-07-01") }},
		{"R8 not left Y90001: pass: no row says so, by the extract of 03-Jul-2026", with(func(r *Registration) { r.Registered = civil.None })},
		{"R8 not left Y90001: pass: no row tells of the registration, which reads as registered", with(func(r *Registration) { r.HasStatus = false })},
		{"R9 regular Y90001: pass: no row says otherwise", plain},
		{"R9 regular Y90001: pass: no row tells of the registration, which reads as regular", with(func(r *Registration) { r.HasStatus = false })},
		{"R9 regular Y90001: fail: a dummy patient, by the extract of 03-Jul-2026", with(func(r *Registration) { r.IsNotRegular, r.IsDummy = true, true })},
		{"R9 regular Y90001: does not apply: a type or status that means not regular, and the contract does not ask for regular patients", func(m *maker) {
			m.facts.RequireRegular = false
			with(func(r *Registration) { r.HasNotRegularText = true })(m)
		}},
		{"R10 one practice: pass: Y90001, where alone the patient is registered", plain},
		{"R10 one practice: fail: registered at no practice", with(func(r *Registration) { r.IsLeft, r.IsChosen = true, false })},
		{"R10 one practice: pass: Y90001: rows there tell of the registration, at Y90002 none does", both(nil, func(r *Registration) { r.HasStatus = false })},
		{"R10 one practice: pass: Y90001: registered 02-Jan-2020, at Y90002 on no known day", both(nil, func(r *Registration) { r.Registered = civil.None })},
		{"R10 one practice: pass: Y90001: registered 02-Jan-2020, after 01-Jan-2020 at Y90002", both(nil, func(r *Registration) { r.Registered-- })},
		{"R10 one practice: pass: Y90001: in an extract of 03-Jul-2026, at Y90002 in none that states its day", both(nil, func(r *Registration) { r.NewestExtract = civil.None })},
		{"R10 one practice: pass: Y90001: in an extract of 03-Jul-2026, after that of 02-Jul-2026 at Y90002", both(nil, func(r *Registration) { r.NewestExtract-- })},
		{"R10 one practice: pass: Y90001: nothing tells it from Y90002, and its code is the smaller", both(nil, nil)},
		{"R10 one practice: pass: Y90001: nothing tells it from Y90002, and its code is the smaller", func(m *maker) {
			both(nil, nil)(m)
			slices.Reverse(m.facts.Registrations)
		}},
		{"R10 one practice: fail: Y90001: nothing tells it from Y90002, and its code is the smaller; 1 event elsewhere, at Y90002", func(m *maker) {
			both(nil, nil)(m)
			m.row(claim, "2026-05-14", registeredElsewhere, func(row *Row) { row.Practice = "Y90002" })
		}},
		{"R10 one practice: does not apply: no row is evidence of status", func(m *maker) { m.row(claim, "2026-05-01", practiceUnknown, nil) }},
		{"R11 assessment: pass: one claim, of 14-May-2026", plain},
		{"R11 assessment: pass: 2 claims; that of 14-May-2026 is kept: of equal ones it comes first in the files", claims(unchanged, unchanged)},
		{"R11 assessment: pass: 2 claims; that of 14-May-2026 is kept: it is on time", claims(unchanged, func(row *Row) { row.Timeliness, row.Activity = late, row.Activity-1 })},
		{"R11 assessment: pass: 2 claims; that of 14-May-2026 is kept: it is the earliest", claims(unchanged, func(row *Row) { row.Activity++ })},
		{"R11 assessment: pass: 2 claims; that of 14-May-2026 is kept: it is the earliest", func(m *maker) {
			claims(unchanged, func(row *Row) { row.Activity++ })(m)
			slices.Reverse(m.facts.Rows)
		}},
		{"R11 assessment: pass: 2 claims; that of 14-May-2026 is kept: of those of its day it was coded first", claims(unchanged, func(row *Row) { row.Recorded = civil.None })},
		{"R11 assessment: fail: no claim is left: after_period (1 row)", func(m *maker) { m.row(claim, "2026-07-01", afterPeriod, nil) }},
		{"R11 assessment: does not apply: no claim", with(nil)},
		{"R12 cohorts: pass: respiratory (01-May-2026, in the record), cardiovascular (no date, by batch add) and frailty (02-May-2026, in the record and by batch add)", func(m *maker) {
			plain(m)
			m.row(cohort, "2026-05-01", keptCohort, func(row *Row) { row.Cohort = "respiratory" })
			m.row(cohort, "", keptCohort, func(row *Row) { row.Cohort, row.Source = "cardiovascular", "batch_add" })
			m.row(cohort, "2026-05-02", notChosenByPlace, func(row *Row) { row.Cohort, row.Source = "frailty", "both" })
		}},
		{"R12 cohorts: fail: no cohort code is left: patient_left (1 row)", func(m *maker) { m.row(cohort, "2026-05-01", patientLeft, nil) }},
		{"R12 cohorts: does not apply: no cohort code", plain},
		{"R12 eligibility: pass: 01-May-2026, in the record", func(m *maker) { plain(m); m.row(eligibility, "2026-05-01", keptEligibility, nil) }},
		{"R12 eligibility: fail: no eligibility code, which the contract requires", func(m *maker) { plain(m); m.facts.RequireEligibility = true }},
		{"R12 eligibility: fail: no eligibility code is left: patient_left (1 row); the contract does not require one", func(m *maker) { m.row(eligibility, "2026-05-01", patientLeft, nil) }},
		{"R12 eligibility: does not apply: no eligibility code, and the contract does not require one", plain},
		{"R13 segments: pass: respiratory", plain},
		{"R13 segments: pass: respiratory; frailty gives none, because the place chose diabetes", func(m *maker) {
			plain(m)
			m.row(cohort, "2026-05-02", notChosenByPlace, func(row *Row) { row.Cohort = "frailty" })
		}},
		{"R13 segments: fail: frailty gives none, because the place chose diabetes", func(m *maker) {
			m.at("Y90001", nil)
			m.row(cohort, "2026-05-02", notChosenByPlace, func(row *Row) { row.Cohort = "frailty" })
		}},
		{"R13 segments: fail: no cohort code that counts, so in none", func(m *maker) { m.at("Y90001", nil); m.assessed(nil, nil) }},
		{"R13 segments: does not apply: in none, and the contract counts an assessment without one", func(m *maker) {
			m.facts.CountWithoutSegment = true
			m.at("Y90001", nil)
			m.assessed(nil, nil)
		}},
		{"R13 segments: does not apply: in none", with(nil)},
		{"R14 timeliness: pass: on time: coded 15-May-2026, by the coding deadline of 10-Apr-2027", plain},
		{"R14 timeliness: fail: late: coded 11-Apr-2027, after the coding deadline of 10-Apr-2027; it counts all the same", claims(func(row *Row) {
			row.Timeliness, row.Recorded = late, date(t, "2027-04-11")
		}, unchanged)},
		{"R14 timeliness: fail: unproven: no date of coding, and its file's extract of 11-Apr-2027 is after the coding deadline of 10-Apr-2027; it counts all the same", claims(func(row *Row) {
			row.Timeliness, row.Recorded, row.Extract = unproven, civil.None, date(t, "2027-04-11")
		}, unchanged)},
		{"R14 timeliness: pass: on time: no date of coding; its file states no extract date, and as-at 05-Jul-2026 is by the coding deadline of 10-Apr-2027", claims(func(row *Row) { row.Recorded = civil.None }, unchanged)},
		{"R14 timeliness: pass: on time: no date of coding; a snapshot published by the coding deadline of 10-Apr-2027 holds it", claims(func(row *Row) {
			row.Recorded, row.Extract = civil.None, date(t, "2027-04-11")
		}, unchanged)},
		{"R14 timeliness: does not apply: no assessment", with(nil)},
		{"R15 MDT: pass: 2 events, of 01-May-2026 and 02-May-2026", func(m *maker) {
			m.row(mdt, "2026-05-01", keptMDT, nil)
			m.row(mdt, "2026-05-02", keptMDT, nil)
		}},
		{"R15 MDT: fail: no MDT code is left: patient_left (1 row)", func(m *maker) { m.row(mdt, "2026-05-01", patientLeft, nil) }},
		{"R15 MDT: does not apply: no MDT code", plain},
	} {
		t.Run(tt.want, func(t *testing.T) {
			var got []string
			for _, rule := range Rules(factsOf(t, tt.make)) {
				title := strings.TrimSpace(rule.Title + " " + rule.Practice)
				got = append(got, rule.Rule+" "+title+": "+rule.Result+": "+rule.Reason)
			}
			if !slices.Contains(got, tt.want) {
				t.Errorf("got\n%s", strings.Join(got, "\n"))
			}
		})
	}
}

// R2 and R3 are told where they took a row away, and not else.
func TestRulesOnValuesAreSilentR2R3(t *testing.T) {
	for _, rule := range Rules(factsOf(t, func(m *maker) { m.at("Y90001", nil); m.assessed([]string{"respiratory"}, nil) })) {
		if rule.Rule == "R2" || rule.Rule == "R3" {
			t.Errorf("%+v, though no row was lost to it", rule)
		}
	}
}

// Two rows of fact_assessment are the same where all that is shown of them is.
func TestAssessmentEqual(t *testing.T) {
	facts := factsOf(t, func(m *maker) { m.assessed([]string{"respiratory"}, nil) })
	one := *facts.Assessment
	var none *Assessment
	if same := one; !one.Equal(&same) || !none.Equal(nil) {
		t.Error("what is the same is told apart")
	}
	for name, change := range map[string]func(*Assessment){
		"practice":    func(a *Assessment) { a.Practice = "Y90002" },
		"activity":    func(a *Assessment) { a.Activity++ },
		"recorded":    func(a *Assessment) { a.Recorded = civil.None },
		"timeliness":  func(a *Assessment) { a.Timeliness = late },
		"eligibility": func(a *Assessment) { a.HasEligibility = true },
		"counted":     func(a *Assessment) { a.IsCounted = false },
		"segments":    func(a *Assessment) { a.Segments = nil },
	} {
		other := one
		change(&other)
		if one.Equal(&other) {
			t.Errorf("another %s is not told apart", name)
		}
	}
	if one.Equal(nil) || none.Equal(&one) {
		t.Error("an assessment and none are the same")
	}
	if got := none.Told(); got != "not assessed" {
		t.Errorf("of none: %s", got)
	}
}
