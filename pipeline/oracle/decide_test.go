package oracle

import (
	"fmt"
	"slices"
	"testing"

	"ltcles/pipeline/civil"
)

const (
	diabetesCode       = "713671000000109"
	frailtyCode        = "894301000000105"
	cardiovascularCode = "417206009"
	respiratoryCode    = "268511007"
	firstPatient       = "9990000018"
	secondPatient      = "9990000026"
)

// yearEnd is 2026-27's year end as at 20 April 2027: practices A (diabetes) and B (undecided), with a
// search export that states 20 April, one that states no date, and a batch-add file.
func yearEnd() Input {
	contract := builtIn(2026)
	contract.Start, contract.End, contract.Deadline = day(2026, 4, 1), day(2027, 3, 31), day(2027, 4, 10)
	target := int64(33)
	return Input{
		Contract:  contract,
		Practices: []Practice{{Code: "A", Choice: "diabetes", Target: &target}, {Code: "B"}},
		PeriodEnd: day(2027, 3, 31),
		AsAt:      day(2027, 4, 20),
		Files: []File{
			{Path: "a.csv", Kind: SearchExport, Status: FileRead, Extract: day(2027, 4, 20), Relative: civil.None},
			{Path: "b.csv", Kind: SearchExport, Status: FileRead, Extract: civil.None, Relative: civil.None},
			{Path: "batch.csv", Kind: BatchAdd, Status: FileRead, Extract: civil.None, Relative: civil.None},
		},
	}
}

const stamped, unstamped, batch = 0, 1, 2

// entry is a row of practice A, of a patient with a valid NHS number.
func entry(file, line int, nhs, code string, date civil.Date) Row {
	row := Row{File: file, Line: line, Event: 1, PracticeState: PracticeKnown, Practice: "A", NHSState: NHSValid, NHS: nhs}
	if code != "" {
		row.CodeState, row.Code = CodeInBook, code
	}
	if date != civil.None {
		row.Activity = given(date)
	}
	return row
}

func (row Row) at(practice string) Row { row.Practice = practice; return row }

func (row Row) recordedOn(date civil.Date) Row { row.Recorded = given(date); return row }

func (row Row) withStatus(status Meaning) Row { row.Status = status; return row }

func (row Row) local(emis string) Row {
	row.NHSState, row.NHS, row.EMIS = NHSBlank, "", emis
	return row
}

func wantDispositions(t *testing.T, in Input, want ...string) Output {
	t.Helper()
	out := Decide(in)
	if !slices.Equal(out.Dispositions, want) {
		t.Fatalf("dispositions\n got %v\nwant %v", out.Dispositions, want)
	}
	return out
}

func TestR5Identity(t *testing.T) {
	in := yearEnd()
	june := day(2026, 6, 1)
	paired := entry(stamped, 2, firstPatient, cardiovascularCode, june)
	paired.EMIS = "100"
	twice := entry(stamped, 4, secondPatient, "", civil.None)
	twice.EMIS = "200"
	thrice := entry(stamped, 5, firstPatient, "", civil.None)
	thrice.EMIS = "200"
	in.Rows = []Row{
		paired,
		entry(stamped, 3, "", claimCode, june).local("100"),
		twice,
		thrice,
		entry(stamped, 6, "", claimCode, june).local("200"),
		entry(stamped, 7, "", claimCode, june).local("300"),
		entry(stamped, 8, "", claimCode, june).local("100").at("B"),
	}
	out := wantDispositions(t, in, "cohort", "assessment", "status_only", "status_only", "patient_ambiguous", "assessment", "assessment")
	want := []string{firstPatient, firstPatient, secondPatient, firstPatient, "", "emis:A:300", "emis:B:100"}
	if !slices.Equal(out.Patients, want) {
		t.Errorf("patients %v, want %v", out.Patients, want)
	}
}

func TestR7Deceased(t *testing.T) {
	cutOff := day(2027, 3, 31)
	for _, c := range []struct {
		name  string
		row   Row
		death Date
		want  string
	}{
		{"died on the cut-off", entry(stamped, 3, firstPatient, "", civil.None).at("B"), given(cutOff), "patient_deceased"},
		{"died the day after", entry(stamped, 3, firstPatient, "", civil.None).at("B"), given(cutOff + 1), "assessment"},
		{"text alone", entry(stamped, 3, firstPatient, "", civil.None).withStatus(MeaningDead), Date{}, "patient_deceased"},
		{"text with a later date", entry(stamped, 3, firstPatient, "", civil.None).withStatus(MeaningDead), given(cutOff + 1), "assessment"},
	} {
		in := yearEnd()
		c.row.Death = c.death
		evidence := entry(stamped, 2, firstPatient, claimCode, cutOff)
		evidence.Registered = given(day(2020, 1, 1))
		in.Rows = []Row{evidence, c.row}
		out := Decide(in)
		if out.Dispositions[0] != c.want {
			t.Errorf("%s: %s, want %s", c.name, out.Dispositions[0], c.want)
		}
	}
}

func TestR8Left(t *testing.T) {
	cutOff := day(2027, 3, 31)
	for _, c := range []struct {
		name       string
		registered civil.Date
		deducted   civil.Date
		status     Meaning
		want       string
	}{
		{"deducted on the cut-off", day(2020, 1, 1), cutOff, MeaningRegular, "patient_left"},
		{"deducted the day after", day(2020, 1, 1), cutOff + 1, MeaningLeft, "assessment"},
		{"left by text", day(2020, 1, 1), civil.None, MeaningLeft, "patient_left"},
		{"back on the same day", cutOff - 1, cutOff - 1, MeaningRegular, "patient_left"},
		{"back a day later", cutOff, cutOff - 1, MeaningRegular, "assessment"},
		{"back after the cut-off", cutOff + 1, cutOff - 1, MeaningRegular, "patient_left"},
	} {
		in := yearEnd()
		status := entry(stamped, 2, firstPatient, "", civil.None).withStatus(c.status)
		status.Registered = given(c.registered)
		if c.deducted != civil.None {
			status.Deducted = given(c.deducted)
		}
		// An older file says the opposite, and is not asked.
		older := entry(unstamped, 2, firstPatient, "", civil.None)
		older.Deducted = given(cutOff)
		in.Rows = []Row{entry(stamped, 3, firstPatient, claimCode, cutOff), status, older}
		out := Decide(in)
		if out.Dispositions[0] != c.want {
			t.Errorf("%s: %s, want %s", c.name, out.Dispositions[0], c.want)
		}
	}
}

func TestR9NotRegular(t *testing.T) {
	for _, requireRegular := range []bool{true, false} {
		in := yearEnd()
		in.Contract.RequireRegular = requireRegular
		in.Rows = []Row{
			entry(stamped, 2, firstPatient, claimCode, day(2026, 6, 1)).withStatus(MeaningNotRegular),
			entry(stamped, 3, secondPatient, claimCode, day(2026, 6, 1)).withStatus(MeaningUnknown),
		}
		want := []string{"patient_not_regular", "assessment"}
		if !requireRegular {
			want[0] = "assessment"
		}
		wantDispositions(t, in, want...)
	}
}

func TestR10OnePracticePerPatient(t *testing.T) {
	june := day(2026, 6, 1)
	claimA, claimB := entry(stamped, 2, firstPatient, claimCode, june), entry(stamped, 3, firstPatient, claimCode, june).at("B")

	t.Run("the smallest code", func(t *testing.T) {
		in := yearEnd()
		in.Rows = []Row{claimA, claimB}
		wantDispositions(t, in, "assessment", "registered_elsewhere")
	})
	t.Run("a newer extract", func(t *testing.T) {
		in := yearEnd()
		older := claimA
		older.File = unstamped
		in.Rows = []Row{older, claimB}
		wantDispositions(t, in, "registered_elsewhere", "assessment")
	})
	t.Run("evidence before none", func(t *testing.T) {
		in := yearEnd()
		in.Rows = []Row{claimA, claimB.withStatus(MeaningRegular)}
		wantDispositions(t, in, "registered_elsewhere", "assessment")
	})
	t.Run("the latest registration", func(t *testing.T) {
		in := yearEnd()
		a, b := claimA, claimB
		a.Registered, b.Registered = given(june), given(june+1)
		in.Rows = []Row{a, b}
		wantDispositions(t, in, "registered_elsewhere", "assessment")
	})
	t.Run("where the patient has not left", func(t *testing.T) {
		in := yearEnd()
		in.Rows = []Row{claimA.withStatus(MeaningLeft), claimB}
		wantDispositions(t, in, "patient_left", "assessment")
	})
}

func TestR11AndR14OneAssessment(t *testing.T) {
	june, deadline := day(2026, 6, 1), day(2027, 4, 10)
	in := yearEnd()
	in.Rows = []Row{
		entry(stamped, 2, firstPatient, claimCode, june),                              // unproven: stated after the deadline
		entry(stamped, 3, firstPatient, claimCode, june).recordedOn(deadline + 1),     // late
		entry(stamped, 4, firstPatient, claimCode, june+1).recordedOn(deadline),       // on time
		entry(unstamped, 2, firstPatient, claimCode, june+1).recordedOn(deadline - 1), // recorded earlier
	}
	out := wantDispositions(t, in, "duplicate", "duplicate", "duplicate", "assessment")
	if got := out.Assessments[0]; got.Timeliness != "on_time" || got.Recorded != deadline-1 {
		t.Errorf("kept %+v", got)
	}

	// A snapshot of 10 April that holds the assessment proves it; one of 11 April does not.
	in.Rows = in.Rows[:1]
	in.Earlier = []Earlier{{firstPatient, june, deadline + 1}, {firstPatient, june + 1, deadline}}
	if got := Decide(in).Assessments[0].Timeliness; got != "unproven" {
		t.Errorf("%s, want unproven", got)
	}
	in.Earlier = append(in.Earlier, Earlier{firstPatient, june, deadline})
	if got := Decide(in).Assessments[0].Timeliness; got != "on_time" {
		t.Errorf("%s, want on_time", got)
	}
}

func TestR12AndR13Cohorts(t *testing.T) {
	in := yearEnd()
	in.Rows = []Row{
		entry(stamped, 2, firstPatient, claimCode, day(2026, 6, 1)),
		entry(stamped, 3, firstPatient, diabetesCode, day(2026, 6, 2)),
		entry(batch, 2, firstPatient, diabetesCode, civil.None),
		entry(batch, 3, firstPatient, frailtyCode, civil.None),
		entry(batch, 4, firstPatient, claimCode, day(2026, 6, 1)),
		entry(stamped, 4, firstPatient, cardiovascularCode, civil.None),
		entry(stamped, 5, secondPatient, diabetesCode, day(2026, 4, 1)).at("B"),
		entry(stamped, 6, secondPatient, respiratoryCode, day(2026, 3, 31)).at("B"),
		entry(stamped, 7, secondPatient, respiratoryCode, day(2027, 4, 1)).at("B"),
		entry(stamped, 8, secondPatient, respiratoryCode, day(2027, 4, 21)).at("B"),
	}
	out := wantDispositions(t, in, "assessment", "cohort", "duplicate", "not_chosen_by_place", "claim_in_batch_add",
		"date_missing", "not_chosen_by_place", "outside_contract_year", "after_period", "date_in_future")
	want := []CohortPatient{
		{firstPatient, "A", "diabetes", "place_choice", day(2026, 6, 2), "both", true},
		{firstPatient, "A", "frailty", "", civil.None, "batch_add", true},
		{secondPatient, "B", "diabetes", "", day(2026, 4, 1), "record", false},
	}
	if !slices.Equal(out.CohortPatients, want) {
		t.Errorf("cohort patients\n got %v\nwant %v", out.CohortPatients, want)
	}
	if got := out.Assessments[0]; !got.IsCounted || !slices.Equal(got.Segments, []string{"place_choice"}) || got.HasEligibility {
		t.Errorf("assessment %+v", got)
	}
}

func TestR15MDT(t *testing.T) {
	in := yearEnd()
	const code = "84114007"
	in.Contract.Codes = append(in.Contract.Codes, Code{Code: code, Role: "mdt"})
	in.Rows = []Row{
		entry(stamped, 2, firstPatient, code, day(2026, 6, 30)),
		entry(stamped, 3, firstPatient, code, day(2026, 6, 30)),
		entry(stamped, 4, firstPatient, code, day(2026, 6, 29)),
		entry(stamped, 5, firstPatient, code, day(2026, 7, 1)),
		entry(batch, 2, firstPatient, code, civil.None),
	}
	out := wantDispositions(t, in, "mdt", "duplicate", "mdt", "mdt", "date_missing")
	slices.SortFunc(out.MDTActivity, func(a, b MDTActivity) int { return int(a.Quarter - b.Quarter) })
	want := []MDTActivity{{"A", 1, code, 1, 2}, {"A", 2, code, 1, 1}}
	if !slices.Equal(out.MDTActivity, want) {
		t.Errorf("MDT activity %v, want %v", out.MDTActivity, want)
	}
}

// Ten patients in cardiovascular and respiratory, of whom four are assessed, with minimums of four:
// each minimum is met by the same four, so each serving one segment only leaves four to do.
func TestR16ToR18Shortfalls(t *testing.T) {
	in := yearEnd() // 10 % of 33 is 3.3: four; 3 % is 0.99: one
	for n := range 10 {
		nhs := validNHS(1000 * (n + 1))
		in.Rows = append(in.Rows,
			entry(stamped, 10*n, nhs, cardiovascularCode, day(2026, 6, 1)),
			entry(stamped, 10*n+1, nhs, respiratoryCode, day(2026, 6, 1)))
		if n < 4 {
			in.Rows = append(in.Rows, entry(stamped, 10*n+2, nhs, claimCode, day(2026, 6, 1)).recordedOn(day(2026, 6, 1)))
		}
	}
	out := Decide(in)
	got := map[string]string{}
	for _, s := range out.SegmentCounts {
		if s.Practice == "A" {
			got[s.Segment] = fmt.Sprint(*s.Patients, *s.Assessed, *s.Minimum, *s.Shortfall, *s.MinimumMet)
		}
	}
	want := map[string]string{
		"population_health": "0 0 4 4 false", "cardiovascular": "10 4 4 0 true", "respiratory": "10 4 4 0 true",
		"place_choice": "0 0 4 4 false", "severe_mental_illness": "0 0 1 1 false",
	}
	for segment, count := range want {
		if got[segment] != count {
			t.Errorf("%s: %s, want %s", segment, got[segment], count)
		}
	}

	p := out.Positions[0]
	if *p.InclusiveShortfall != 9 || *p.ExclusiveShortfall != 13 || *p.SegmentsMet != 2 {
		t.Errorf("shortfalls %d and %d, %d met; want 9, 13 and 2", *p.InclusiveShortfall, *p.ExclusiveShortfall, *p.SegmentsMet)
	}
	if *p.Counted != 4 || *p.CohortPatients != 10 || *p.OutstandPatients != 6 || *p.ProjectedYearEnd != 4 || *p.ExpectedToDate != 33 {
		t.Errorf("position %+v", p)
	}
	b := out.Positions[1]
	if b.Assessments != nil || b.FilesReceived != 0 || out.Coverage[1].State != "missing" {
		t.Errorf("practice B sent nothing and has %+v", b)
	}
}

func TestProjectionAndExpectationHalfUp(t *testing.T) {
	in := yearEnd()
	in.PeriodEnd, in.AsAt = day(2026, 6, 30), day(2026, 7, 1)
	in.Rows = []Row{
		entry(stamped, 2, firstPatient, cardiovascularCode, day(2026, 6, 30)),
		entry(stamped, 3, firstPatient, claimCode, day(2026, 6, 30)),
	}
	p := Decide(in).Positions[0]
	if *p.ProjectedYearEnd != 4 { // 1 × 365 ÷ 91 = 4.01
		t.Errorf("projected %d, want 4", *p.ProjectedYearEnd)
	}
	if want := float64(33*91) / 365; *p.ExpectedToDate != want {
		t.Errorf("expected to date %v, want %v", *p.ExpectedToDate, want)
	}
}

func TestWorkspaceDecideChainsRuns(t *testing.T) {
	june := yearEnd()
	june.PeriodEnd, june.AsAt = day(2026, 6, 30), day(2026, 7, 1)
	june.Files[stamped].Extract = day(2026, 7, 1)
	june.Rows = []Row{
		entry(stamped, 2, firstPatient, cardiovascularCode, day(2026, 6, 1)),
		entry(stamped, 3, firstPatient, claimCode, day(2026, 6, 1)),
		entry(stamped, 4, secondPatient, cardiovascularCode, day(2026, 6, 1)),
		entry(stamped, 5, secondPatient, claimCode, day(2026, 6, 1)),
	}
	end := yearEnd()
	end.Rows = slices.Clone(june.Rows)
	end.Rows[3].Status = MeaningLeft
	_, outputs := Workspace{Runs: []Run{
		{Year: "2026-27", Period: "2026-06", AsAt: june.AsAt, Input: june},
		{Year: "2026-27", Period: "2026-27", AsAt: end.AsAt, Input: end},
	}}.Decide()
	if got := outputs[1].Assessments; len(got) != 1 || got[0].Timeliness != "on_time" {
		t.Errorf("June's snapshot proves the assessment; got %+v", got)
	}
	want := Finding{"A", "fewer_than_last_period", 1}
	if !slices.Contains(outputs[1].Findings, want) {
		t.Errorf("findings %v lack %v", outputs[1].Findings, want)
	}
}

func TestSingleDaySpike(t *testing.T) {
	for _, c := range []struct {
		onDay, others int
		want          bool
	}{{19, 0, false}, {20, 0, true}, {20, 60, true}, {20, 61, false}} {
		in := yearEnd()
		for n := range c.onDay + c.others {
			date := day(2026, 6, 1)
			if n >= c.onDay {
				date += civil.Date(1 + n%9)
			}
			in.Rows = append(in.Rows, entry(stamped, n+2, validNHS(1000*(n+1)), claimCode, date))
		}
		got := slices.Contains(Decide(in).Findings, Finding{"A", "single_day_spike", int64(c.onDay)})
		if got != c.want {
			t.Errorf("%d on one day and %d on others: %t, want %t", c.onDay, c.others, got, c.want)
		}
	}
}
