package oracle

import "ltcles/pipeline/civil"

// findings makes fact_finding: one row per practice and check that has anything to say.
func (d *decision) findings(out *Output) {
	found := map[Finding]int64{}
	add := func(practice, check string, affected int64) {
		if affected > 0 {
			found[Finding{Practice: practice, Check: check}] += affected
		}
	}
	d.fileFindings(add)
	d.rowFindings(add)
	d.statusFindings(add)
	d.assessmentFindings(out, add)
	d.cohortFindings(out, add)
	d.practiceFindings(add)
	d.previousFindings(out, add)
	for finding, affected := range found {
		finding.Affected = affected
		out.Findings = append(out.Findings, finding)
	}
}

type adder func(practice, check string, affected int64)

// fileFindings count files: of each practice whose own they are, or of nobody.
func (d *decision) fileFindings(add adder) {
	owners := make([][]string, len(d.in.Files))
	for _, practice := range d.in.Practices {
		for _, f := range d.filesOf(practice.Code) {
			owners[f] = append(owners[f], practice.Code)
		}
	}
	for f, file := range d.in.Files {
		if len(owners[f]) == 0 {
			owners[f] = []string{""}
		}
		for _, practice := range owners[f] {
			switch file.Status {
			case FileRefused:
				add(practice, "file_refused", 1)
			case FileDuplicate:
				add(practice, "duplicate_file", 1)
			case FileRead:
				isStale := file.Extract != civil.None && max(file.Extract, file.Renewed) < d.in.PeriodEnd ||
					file.Relative != civil.None && file.Relative < d.in.PeriodEnd
				if isStale {
					add(practice, "stale_extract", 1)
				}
				if file.Extract != civil.None && file.Extract > d.in.AsAt {
					add(practice, "extract_after_as_at", 1)
				}
			}
		}
	}
}

// rowFindings count the rows of a known practice, as far as each was understood.
func (d *decision) rowFindings(add adder) {
	for i, row := range d.in.Rows {
		if row.Deleted || row.Malformed || row.PracticeState != PracticeKnown {
			continue
		}
		// Steps 1 to 3 passed.
		if row.Type == MeaningUnknown || row.Status == MeaningUnknown {
			add(row.Practice, "status_text_unknown", 1)
		}
		if d.patients[i] == "" {
			continue
		}
		// Step 4 passed: the patient is known, if only by the EMIS number.
		if row.NHSState == NHSInvalid {
			add(row.Practice, "nhs_number_invalid", 1)
		}
		if d.rejected[i] {
			continue
		}
		// Step 5 passed.
		if row.Repaired {
			add(row.Practice, "code_repaired", 1)
		}
		if row.NoConcept && (row.CodeState == CodeInvalid || d.in.Files[row.File].Kind != BulkExtract) {
			add(row.Practice, "code_not_concept", 1)
		}
		if d.role(row) == "" || d.dispositions[i] == "claim_in_batch_add" {
			continue
		}
		// Step 8 passed: an event in scope.
		if row.Recorded.State == DateInvalid || row.Recorded.State == DateGiven && row.Recorded.Day > d.in.AsAt {
			add(row.Practice, "recorded_date_invalid", 1)
		}
		if recorded := d.recorded(row); recorded != civil.None && row.Activity.State == DateGiven && recorded < row.Activity.Day {
			add(row.Practice, "recorded_before_activity", 1)
		}
	}
}

// statusFindings count the patients of a practice with no status evidence there (R9).
func (d *decision) statusFindings(add adder) {
	for here, stands := range d.standing {
		if !stands.hasEvidence {
			add(here.practice, "status_unknown", 1)
		}
	}
}

// assessmentFindings count the assessments of a practice.
func (d *decision) assessmentFindings(out *Output, add adder) {
	type practiceDay struct {
		practice string
		day      civil.Date
	}
	all, onDay := map[string]int64{}, map[practiceDay]int64{}
	for _, assessment := range out.Assessments {
		if len(assessment.Segments) == 0 {
			add(assessment.Practice, "assessment_without_segment", 1)
		}
		if !assessment.HasEligibility {
			add(assessment.Practice, "assessment_without_eligibility", 1)
		}
		switch assessment.Timeliness {
		case "late":
			add(assessment.Practice, "late_coded", 1)
		case "unproven":
			add(assessment.Practice, "unproven_coding_date", 1)
		}
		registered := d.standing[place{assessment.Patient, assessment.Practice}].registered
		if registered != civil.None && assessment.Activity < registered {
			add(assessment.Practice, "assessment_before_registration", 1)
		}
		all[assessment.Practice]++
		onDay[practiceDay{assessment.Practice, assessment.Activity}]++
	}
	for key, n := range onDay {
		if n >= 20 && 4*n >= all[key.practice] {
			add(key.practice, "single_day_spike", n)
		}
	}
}

// cohortFindings count the patients of a practice. A cohort code is one whether the place chose it or not.
func (d *decision) cohortFindings(out *Output, add adder) {
	inCohort := map[string]bool{}
	for _, member := range out.CohortPatients {
		if inCohort[member.Patient] {
			continue
		}
		inCohort[member.Patient] = true
		if _, isEligible := d.eligible[member.Patient]; !isEligible {
			add(member.Practice, "cohort_without_eligibility", 1)
		}
	}
	for patient, i := range d.eligible {
		if !inCohort[patient] {
			add(d.in.Rows[i].Practice, "eligibility_without_cohort", 1)
		}
	}

	// In a batch-add file, not in the practice's search export of that cohort, where one was supplied.
	type practiceCohort struct{ practice, cohort string }
	exported := map[practiceCohort]bool{}
	for i, row := range d.in.Rows {
		kind := d.in.Files[row.File].Kind
		isExport := kind == SearchExport || kind == BulkExtract
		if isExport && !d.rejected[i] && d.role(row) == "cohort" {
			exported[practiceCohort{row.Practice, d.code(row).Cohort}] = true
		}
	}
	for _, member := range out.CohortPatients {
		if member.Source == "batch_add" && exported[practiceCohort{member.Practice, member.Cohort}] {
			add(member.Practice, "batch_add_not_in_record", 1)
		}
	}
}

// practiceFindings are about a practice as a whole.
func (d *decision) practiceFindings(add adder) {
	for _, practice := range d.in.Practices {
		if !d.isSupplied(practice.Code) {
			add(practice.Code, "practice_no_files", 1)
		}
		if practice.Choice == "" {
			add(practice.Code, "place_choice_undecided", 1)
		}
		if practice.Target == nil || *practice.Target == 0 {
			add(practice.Code, "missing_target", 1)
		}
		if contractValue(practice) == nil {
			add(practice.Code, "missing_contract_value", 1)
		}
	}
}

// previousFindings count the assessments that counted in the previous period and are gone; those of
// a practice that is no longer listed are of none.
func (d *decision) previousFindings(out *Output, add adder) {
	for _, loss := range out.Losses {
		switch {
		case loss.WasCounted && d.isListed(loss.Practice):
			add(loss.Practice, "fewer_than_last_period", 1)
		case loss.WasCounted:
			add("", "fewer_than_last_period", 1)
		}
	}
}
