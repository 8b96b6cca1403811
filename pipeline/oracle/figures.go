package oracle

import (
	"cmp"
	"slices"
	"strings"

	"ltcles/pipeline/civil"
)

// cohortPatients makes fact_cohort_patient: one row per patient and cohort (R12, R13).
func (d *decision) cohortPatients(out *Output) {
	for key, rows := range d.member {
		first := d.in.Rows[rows[0]]
		fromRecord, fromBatch := false, false
		for _, i := range rows {
			if d.in.Files[d.in.Rows[i].File].Kind == BatchAdd {
				fromBatch = true
			} else {
				fromRecord = true
			}
		}
		source := "record"
		if fromBatch && fromRecord {
			source = "both"
		} else if fromBatch {
			source = "batch_add"
		}
		_, isAssessed := d.claim[key.patient]
		out.CohortPatients = append(out.CohortPatients, CohortPatient{
			Patient:    key.patient,
			Practice:   first.Practice,
			Cohort:     key.cohort,
			Segment:    d.segmentOf(d.code(first), first.Practice),
			First:      activity(first),
			Source:     source,
			IsAssessed: isAssessed,
		})
	}
	slices.SortFunc(out.CohortPatients, func(a, b CohortPatient) int {
		return cmp.Or(cmp.Compare(a.Patient, b.Patient), cmp.Compare(a.Cohort, b.Cohort))
	})
}

// segmentsOf lists the segments that a patient is in, in the contract's order (R13).
func (d *decision) segmentsOf(patient string, cohorts []CohortPatient) []string {
	var segments []string
	for _, segment := range d.in.Contract.Segments {
		for _, member := range cohorts {
			if member.Patient == patient && member.Segment == segment.Segment {
				segments = append(segments, segment.Segment)
				break
			}
		}
	}
	return segments
}

// assessments makes fact_assessment: one row per assessed patient (R11, R13, R14).
func (d *decision) assessments(out *Output) {
	for patient, i := range d.claim {
		row := d.in.Rows[i]
		_, hasEligibility := d.eligible[patient]
		segments := d.segmentsOf(patient, out.CohortPatients)
		isCounted := len(segments) > 0 || d.in.Contract.CountWithoutSegment
		if d.in.Contract.RequireEligibility && !hasEligibility {
			isCounted = false
		}
		assessment := Assessment{
			Patient:        patient,
			Practice:       row.Practice,
			Activity:       activity(row),
			Recorded:       d.recorded(row),
			Timeliness:     d.timeliness[i],
			HasEligibility: hasEligibility,
			IsCounted:      isCounted,
			Segments:       segments,
		}
		if d.in.LastYear != nil {
			lastYear := false
			for before := range d.in.LastYear {
				lastYear = lastYear || d.nowKnownAs(before) == patient
			}
			assessment.LastYear = &lastYear
		}
		out.Assessments = append(out.Assessments, assessment)
	}
	slices.SortFunc(out.Assessments, func(a, b Assessment) int { return cmp.Compare(a.Patient, b.Patient) })
}

// minimum applies R16: the minimum share of the target, rounded up. A target of 0 reads as none.
func minimum(segment Segment, target *int64) *int64 {
	if segment.MinimumPPM == nil || target == nil || *target == 0 {
		return nil
	}
	product := *segment.MinimumPPM * *target
	required := product / 1_000_000
	if product%1_000_000 != 0 {
		required++
	}
	return &required
}

// segmentCounts makes fact_segment_count: one row per practice and segment (R16).
func (d *decision) segmentCounts(out *Output) {
	for _, practice := range d.in.Practices {
		for _, segment := range d.in.Contract.Segments {
			count := SegmentCount{
				Practice: practice.Code,
				Segment:  segment.Segment,
				Cohort:   d.cohortOf(segment.Segment, practice),
				Minimum:  minimum(segment, practice.Target),
			}
			if d.isSupplied(practice.Code) {
				var patients, assessed, onTime, outstanding int64
				for _, member := range out.CohortPatients {
					if member.Practice == practice.Code && member.Segment == segment.Segment {
						patients++
						if !member.IsAssessed {
							outstanding++
						}
					}
				}
				for _, assessment := range out.Assessments {
					if assessment.Practice == practice.Code && slices.Contains(assessment.Segments, segment.Segment) {
						assessed++
						if assessment.Timeliness == "on_time" {
							onTime++
						}
					}
				}
				count.Patients, count.Assessed = &patients, &assessed
				count.OnTime, count.Outstand = &onTime, &outstanding
				if count.Minimum != nil {
					shortfall := max(0, *count.Minimum-assessed)
					isMet := assessed >= *count.Minimum
					count.Shortfall, count.MinimumMet = &shortfall, &isMet
				}
			}
			out.SegmentCounts = append(out.SegmentCounts, count)
		}
	}
}

// cohortOf is the cohort that makes a segment at a practice: for the place choice, what the place chose.
func (d *decision) cohortOf(segment string, practice Practice) string {
	if segment == "place_choice" {
		return practice.Choice
	}
	for _, code := range d.in.Contract.Codes {
		if code.Role == "cohort" && code.Segment == segment {
			return code.Cohort
		}
	}
	return ""
}

// positions makes fact_practice_position: one row per practice of the year (R17, R18).
func (d *decision) positions(out *Output) {
	daysInYear := int64(d.in.Contract.End-d.in.Contract.Start) + 1
	daysElapsed := int64(d.in.CutOff()-d.in.Contract.Start) + 1
	for _, practice := range d.in.Practices {
		position := Position{Practice: practice.Code, AnnualTarget: practice.Target, FilesReceived: d.filesReceived(practice.Code)}
		target := practice.Target
		if target != nil && *target == 0 {
			target = nil // it reads as none, though it is shown as it was given
		}
		if !d.isSupplied(practice.Code) {
			out.Positions = append(out.Positions, position)
			continue
		}

		var assessments, counted, onTime, late, unproven, withoutSegment, withoutEligibility, repeat int64
		for _, assessment := range out.Assessments {
			if assessment.Practice != practice.Code {
				continue
			}
			assessments++
			if assessment.IsCounted {
				counted++
				switch assessment.Timeliness {
				case "on_time":
					onTime++
				case "late":
					late++
				case "unproven":
					unproven++
				}
			}
			if len(assessment.Segments) == 0 {
				withoutSegment++
			}
			if !assessment.HasEligibility {
				withoutEligibility++
			}
			if assessment.LastYear != nil && *assessment.LastYear {
				repeat++
			}
		}
		position.Assessments, position.Counted = &assessments, &counted
		position.CountedOnTime, position.CountedLate, position.CountedUnproven = &onTime, &late, &unproven
		position.WithoutSegment, position.WithoutEligibility = &withoutSegment, &withoutEligibility
		if d.in.LastYear != nil {
			position.RepeatAssessments = &repeat
		}
		position.RemovedLeft = d.removed(practice.Code, "patient_left")
		position.RemovedDeceased = d.removed(practice.Code, "patient_deceased")

		var eligible int64
		for _, i := range d.eligible {
			if d.in.Rows[i].Practice == practice.Code {
				eligible++
			}
		}
		position.EligiblePatients = &eligible
		inSegment, outstanding := map[string]bool{}, map[string]bool{}
		for _, member := range out.CohortPatients {
			if member.Practice == practice.Code && member.Segment != "" {
				inSegment[member.Patient] = true
				if !member.IsAssessed {
					outstanding[member.Patient] = true
				}
			}
		}
		position.CohortPatients = count(inSegment)
		position.OutstandPatients = count(outstanding)

		projected := (2*counted*daysInYear + daysElapsed) / (2 * daysElapsed) // half up
		position.ProjectedYearEnd = &projected
		if target != nil {
			achievement := float64(counted) / float64(*target)
			capped := min(1, achievement)
			all := float64(assessments) / float64(*target)
			expected := float64(*target*daysElapsed) / float64(daysInYear)
			position.Achievement, position.AchievementCapped, position.AchievementAll = &achievement, &capped, &all
			position.ExpectedToDate = &expected
		}
		d.shortfalls(&position, out)
		out.Positions = append(out.Positions, position)
	}
}

// removed counts the patients with an in-year claim row at a practice that has the disposition.
func (d *decision) removed(practice, disposition string) *int64 {
	patients := map[string]bool{}
	for i, row := range d.in.Rows {
		if d.dispositions[i] == disposition && row.Practice == practice && d.role(row) == "claim" {
			patients[d.patients[i]] = true
		}
	}
	return count(patients)
}

func count(set map[string]bool) *int64 {
	n := int64(len(set))
	return &n
}

// shortfalls applies R18. Without any minimum nothing follows from minimums.
func (d *decision) shortfalls(position *Position, out *Output) {
	var minimums []SegmentCount
	for _, segment := range out.SegmentCounts {
		if segment.Practice == position.Practice && segment.Minimum != nil {
			minimums = append(minimums, segment)
		}
	}
	if len(minimums) == 0 {
		return
	}

	var inclusive, met int64
	for _, segment := range minimums {
		inclusive += *segment.Shortfall
		if *segment.MinimumMet {
			met++
		}
	}

	// The greatest, over sets of segments, of what the set's minimums ask for beyond the counted
	// patients who are in any segment of the set.
	var exclusive int64
	for set := 0; set < 1<<len(minimums); set++ {
		var asked, served int64
		var names []string
		for n, segment := range minimums {
			if set&(1<<n) != 0 {
				asked += *segment.Minimum
				names = append(names, segment.Segment)
			}
		}
		for _, assessment := range out.Assessments {
			if assessment.Practice == position.Practice && assessment.IsCounted && intersects(assessment.Segments, names) {
				served++
			}
		}
		exclusive = max(exclusive, asked-served)
	}
	position.InclusiveShortfall, position.ExclusiveShortfall, position.SegmentsMet = &inclusive, &exclusive, &met
}

func intersects(a, b []string) bool {
	for _, name := range a {
		if slices.Contains(b, name) {
			return true
		}
	}
	return false
}

// months makes fact_assessment_month and fact_segment_month.
func (d *decision) months(out *Output) {
	type practiceMonth struct {
		practice string
		month    civil.Date
	}
	type segmentMonth struct {
		practice, segment string
		month             civil.Date
	}
	assessments, counted := map[practiceMonth]int64{}, map[practiceMonth]int64{}
	segments := map[segmentMonth]int64{}
	for _, assessment := range out.Assessments {
		year, month, _ := assessment.Activity.YMD()
		first, _ := civil.Of(year, int(month), 1)
		key := practiceMonth{assessment.Practice, first}
		assessments[key]++
		if assessment.IsCounted {
			counted[key]++
		}
		for _, segment := range assessment.Segments {
			segments[segmentMonth{assessment.Practice, segment, first}]++
		}
	}
	for key, n := range assessments {
		out.AssessmentMonths = append(out.AssessmentMonths, AssessmentMonth{key.practice, key.month, n, counted[key]})
	}
	for key, n := range segments {
		out.SegmentMonths = append(out.SegmentMonths, SegmentMonth{key.practice, key.segment, key.month, n})
	}
}

// overlaps makes fact_cohort_overlap: patients by the exact set of segments that they are in.
func (d *decision) overlaps(out *Output) {
	type practiceSet struct{ practice, set string }
	rows := map[practiceSet]*CohortOverlap{}
	seen := map[string]bool{}
	for _, member := range out.CohortPatients {
		if seen[member.Patient] {
			continue
		}
		seen[member.Patient] = true
		segments := d.segmentsOf(member.Patient, out.CohortPatients)
		if len(segments) == 0 {
			continue
		}
		key := practiceSet{member.Practice, strings.Join(segments, "+")}
		if rows[key] == nil {
			rows[key] = &CohortOverlap{Practice: key.practice, SegmentSet: key.set, Segments: int64(len(segments))}
		}
		rows[key].Patients++
		if member.IsAssessed {
			rows[key].Assessed++
		} else {
			rows[key].Outstand++
		}
	}
	for _, row := range rows {
		out.CohortOverlaps = append(out.CohortOverlaps, *row)
	}
}

// mdtActivity makes fact_mdt_activity: one row per practice, contract quarter and code (R15).
func (d *decision) mdtActivity(out *Output) {
	type quarterCode struct {
		practice string
		quarter  int64
		code     string
	}
	events := map[quarterCode]int64{}
	patients := map[quarterCode]map[string]bool{}
	for key, i := range d.mdt {
		_, month, _ := key.day.YMD()
		quarter := int64((int(month)+8)%12/3 + 1) // April is the first month of quarter 1
		at := quarterCode{d.in.Rows[i].Practice, quarter, key.code}
		events[at]++
		if patients[at] == nil {
			patients[at] = map[string]bool{}
		}
		patients[at][key.patient] = true
	}
	for key, n := range events {
		out.MDTActivity = append(out.MDTActivity, MDTActivity{key.practice, key.quarter, key.code, *count(patients[key]), n})
	}
}

// filesOf lists the files that are a practice's own: by the file's practice, or by any row's practice code.
func (d *decision) filesOf(practice string) []int {
	var files []int
	for f, file := range d.in.Files {
		isOwn := file.Practice == practice
		for _, row := range d.in.Rows {
			if row.File == f && row.PracticeState == PracticeKnown && row.Practice == practice {
				isOwn = true
			}
		}
		if isOwn {
			files = append(files, f)
		}
	}
	return files
}

func (d *decision) filesReceived(practice string) int64 {
	var n int64
	for _, f := range d.filesOf(practice) {
		if d.in.Files[f].Status == FileRead {
			n++
		}
	}
	return n
}

// isSupplied says whether a readable search export or bulk extract is the practice's own.
func (d *decision) isSupplied(practice string) bool {
	for _, f := range d.filesOf(practice) {
		file := d.in.Files[f]
		if file.Status == FileRead && (file.Kind == SearchExport || file.Kind == BulkExtract) {
			return true
		}
	}
	return false
}

// coverage makes fact_coverage: one row per practice of the year.
func (d *decision) coverage(out *Output) {
	for _, practice := range d.in.Practices {
		coverage := Coverage{Practice: practice.Code, Newest: civil.None, State: "missing"}
		if d.isSupplied(practice.Code) {
			coverage.State = "supplied"
		}
		for _, f := range d.filesOf(practice.Code) {
			file := d.in.Files[f]
			switch file.Status {
			case FileRefused:
				coverage.Refused++
			case FileRead:
				switch file.Kind {
				case SearchExport:
					coverage.Search++
				case BulkExtract:
					coverage.Bulk++
				case BatchAdd:
					coverage.Batch++
				case Register:
					coverage.Register++
				}
				if file.Extract == civil.None {
					coverage.Newest = max(coverage.Newest, d.in.AsAt) // R6
				}
				coverage.Newest = max(coverage.Newest, file.Extract)
			}
		}
		out.Coverage = append(out.Coverage, coverage)
	}
}

// dispositionCounts makes fact_disposition: one row per practice, file and disposition.
func (d *decision) dispositionCounts(out *Output) {
	counts := map[DispositionCount]int64{}
	for i, row := range d.in.Rows {
		key := DispositionCount{File: d.in.Files[row.File].Path, Disposition: d.dispositions[i]}
		if row.PracticeState == PracticeKnown {
			key.Practice = row.Practice
		}
		counts[key]++
	}
	for key, n := range counts {
		key.Rows = n
		out.DispositionCounts = append(out.DispositionCounts, key)
	}
}
