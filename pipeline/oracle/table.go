package oracle

import (
	"math/big"
	"slices"
	"strconv"
	"strings"

	"ltcles/pipeline/civil"
)

// Null is how a table writes a value that is not there.
const Null = "null"

// Table is one published table as text, so that it can be compared with what was published: its
// columns without the four that every table has, and its rows in no particular order.
type Table struct {
	Name    string
	Columns []string
	Rows    [][]string
}

// Lines writes each row as column=value words, sorted.
func (t Table) Lines() []string {
	var lines []string
	for _, row := range t.Rows {
		words := make([]string, len(row))
		for n, value := range row {
			words[n] = t.Columns[n] + "=" + value
		}
		lines = append(lines, strings.Join(words, " "))
	}
	slices.Sort(lines)
	return lines
}

// Float writes a double to twelve digits: two correct sums may differ in the last.
func Float(f float64) string { return strconv.FormatFloat(f, 'g', 12, 64) }

// Day writes a date.
func Day(d civil.Date) string {
	if d == civil.None {
		return Null
	}
	return d.String()
}

// Tables writes every table of an output. The key turns an identity into the published patient_key.
func (out Output) Tables(in Input, key func(identity string) string) []Table {
	return []Table{
		out.assessmentTable(in, key),
		out.cohortPatientTable(key),
		out.segmentCountTable(),
		out.positionTable(),
		out.assessmentMonthTable(),
		out.segmentMonthTable(),
		out.cohortOverlapTable(),
		out.mdtActivityTable(),
		out.paymentTable(),
		out.reconciliationTable(),
		out.instalmentTable(),
		out.coverageTable(),
		out.dispositionTable(),
		out.findingTable(),
	}
}

func (out Output) assessmentTable(in Input, key func(string) string) Table {
	t := Table{Name: "fact_assessment", Columns: strings.Fields(`patient_key practice_code activity_date recorded_date
		timeliness has_eligibility is_counted segments`)}
	for _, segment := range in.Contract.Segments {
		t.Columns = append(t.Columns, "in_"+segment.Segment)
	}
	t.Columns = append(t.Columns, "assessed_last_year")
	for _, a := range out.Assessments {
		row := []string{key(a.Patient), a.Practice, Day(a.Activity), Day(a.Recorded), a.Timeliness,
			boolean(&a.HasEligibility), boolean(&a.IsCounted), strconv.Itoa(len(a.Segments))}
		for _, segment := range in.Contract.Segments {
			isIn := slices.Contains(a.Segments, segment.Segment)
			row = append(row, boolean(&isIn))
		}
		t.Rows = append(t.Rows, append(row, boolean(a.LastYear)))
	}
	return t
}

func (out Output) cohortPatientTable(key func(string) string) Table {
	t := Table{Name: "fact_cohort_patient", Columns: strings.Fields(`patient_key practice_code cohort segment
		first_coded_date source is_assessed`)}
	for _, m := range out.CohortPatients {
		t.Rows = append(t.Rows, []string{key(m.Patient), m.Practice, m.Cohort, text(m.Segment), Day(m.First), m.Source,
			boolean(&m.IsAssessed)})
	}
	return t
}

func (out Output) segmentCountTable() Table {
	t := Table{Name: "fact_segment_count", Columns: strings.Fields(`practice_code segment cohort cohort_patients
		assessed_patients assessed_on_time outstanding_patients minimum_required shortfall is_minimum_met`)}
	for _, s := range out.SegmentCounts {
		t.Rows = append(t.Rows, []string{s.Practice, s.Segment, text(s.Cohort), integer(s.Patients), integer(s.Assessed),
			integer(s.OnTime), integer(s.Outstand), integer(s.Minimum), integer(s.Shortfall), boolean(s.MinimumMet)})
	}
	return t
}

func (out Output) positionTable() Table {
	t := Table{Name: "fact_practice_position", Columns: strings.Fields(`practice_code annual_target assessments counted
		counted_on_time counted_late counted_unproven without_segment without_eligibility repeat_assessments
		removed_left removed_deceased eligible_patients cohort_patients outstanding_patients achievement
		achievement_capped achievement_all expected_to_date projected_year_end inclusive_shortfall
		exclusive_shortfall segments_met files_received`)}
	for _, p := range out.Positions {
		t.Rows = append(t.Rows, []string{p.Practice, integer(p.AnnualTarget), integer(p.Assessments), integer(p.Counted),
			integer(p.CountedOnTime), integer(p.CountedLate), integer(p.CountedUnproven), integer(p.WithoutSegment),
			integer(p.WithoutEligibility), integer(p.RepeatAssessments), integer(p.RemovedLeft), integer(p.RemovedDeceased),
			integer(p.EligiblePatients), integer(p.CohortPatients), integer(p.OutstandPatients), double(p.Achievement),
			double(p.AchievementCapped), double(p.AchievementAll), double(p.ExpectedToDate), integer(p.ProjectedYearEnd),
			integer(p.InclusiveShortfall), integer(p.ExclusiveShortfall), integer(p.SegmentsMet), integer(&p.FilesReceived)})
	}
	return t
}

func (out Output) assessmentMonthTable() Table {
	t := Table{Name: "fact_assessment_month", Columns: strings.Fields(`practice_code month assessments counted`)}
	for _, m := range out.AssessmentMonths {
		t.Rows = append(t.Rows, []string{m.Practice, Day(m.Month), integer(&m.Assessments), integer(&m.Counted)})
	}
	return t
}

func (out Output) segmentMonthTable() Table {
	t := Table{Name: "fact_segment_month", Columns: strings.Fields(`practice_code segment month assessments`)}
	for _, m := range out.SegmentMonths {
		t.Rows = append(t.Rows, []string{m.Practice, m.Segment, Day(m.Month), integer(&m.Assessments)})
	}
	return t
}

func (out Output) cohortOverlapTable() Table {
	t := Table{Name: "fact_cohort_overlap", Columns: strings.Fields(`practice_code segment_set segments patients
		assessed_patients outstanding_patients`)}
	for _, o := range out.CohortOverlaps {
		t.Rows = append(t.Rows, []string{o.Practice, o.SegmentSet, integer(&o.Segments), integer(&o.Patients),
			integer(&o.Assessed), integer(&o.Outstand)})
	}
	return t
}

func (out Output) mdtActivityTable() Table {
	t := Table{Name: "fact_mdt_activity", Columns: strings.Fields(`practice_code quarter code patients events`)}
	for _, m := range out.MDTActivity {
		t.Rows = append(t.Rows, []string{m.Practice, integer(&m.Quarter), m.Code, integer(&m.Patients), integer(&m.Events)})
	}
	return t
}

func (out Output) paymentTable() Table {
	t := Table{Name: "fact_payment", Columns: strings.Fields(`practice_code domain annual_value advance_value earned_value held_value balance`)}
	for _, p := range out.Payments {
		t.Rows = append(t.Rows, []string{p.Practice, p.Domain, pounds(p.Annual), pounds(p.Advance), pounds(p.Earned), pounds(p.Held), pounds(p.Balance)})
	}
	return t
}

func (out Output) reconciliationTable() Table {
	t := Table{Name: "fact_reconciliation", Columns: strings.Fields(`practice_code status basis contract_value advance_value
		advance_paid_to_date earned_value held_value balance direction earned_value_other_basis balance_other_basis
		projected_earned_value projected_balance`)}
	for _, r := range out.Reconciliations {
		t.Rows = append(t.Rows, []string{r.Practice, r.Status, r.Basis, pounds(r.Value), pounds(r.Advance), pounds(r.Paid), pounds(r.Earned),
			pounds(r.Held), pounds(r.Balance), Null, pounds(r.OtherEarned), pounds(r.OtherBalance), pounds(r.ProjectedEarned), pounds(r.ProjectedBalance)})
	}
	return t
}

func (out Output) instalmentTable() Table {
	t := Table{Name: "fact_instalment", Columns: strings.Fields(`practice_code instalment paid_month covers amount`)}
	for _, i := range out.Instalments {
		t.Rows = append(t.Rows, []string{i.Practice, integer(&i.Number), Day(i.Paid), i.Covers, pounds(i.Amount)})
	}
	return t
}

func (out Output) coverageTable() Table {
	t := Table{Name: "fact_coverage", Columns: strings.Fields(`practice_code search_files bulk_files batch_files
		register_files refused_files newest_extract_date state`)}
	for _, c := range out.Coverage {
		t.Rows = append(t.Rows, []string{c.Practice, integer(&c.Search), integer(&c.Bulk), integer(&c.Batch),
			integer(&c.Register), integer(&c.Refused), Day(c.Newest), c.State})
	}
	return t
}

func (out Output) dispositionTable() Table {
	t := Table{Name: "fact_disposition", Columns: strings.Fields(`practice_code file_name disposition rows`)}
	for _, n := range out.DispositionCounts {
		t.Rows = append(t.Rows, []string{text(n.Practice), n.File, n.Disposition, integer(&n.Rows)})
	}
	return t
}

func (out Output) findingTable() Table {
	t := Table{Name: "fact_finding", Columns: strings.Fields(`practice_code check_name affected`)}
	for _, f := range out.Findings {
		t.Rows = append(t.Rows, []string{text(f.Practice), f.Check, integer(&f.Affected)})
	}
	return t
}

func text(s string) string {
	if s == "" {
		return Null
	}
	return s
}

func integer(n *int64) string {
	if n == nil {
		return Null
	}
	return strconv.FormatInt(*n, 10)
}

// pounds writes pence as a DECIMAL(18,2) is written.
func pounds(pence *int64) string {
	if pence == nil {
		return Null
	}
	return big.NewRat(*pence, 100).FloatString(2)
}

func double(f *float64) string {
	if f == nil {
		return Null
	}
	return Float(*f)
}

func boolean(b *bool) string {
	if b == nil {
		return Null
	}
	return strconv.FormatBool(*b)
}
