package snapshot

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"ltcles/pipeline/civil"
	"ltcles/pipeline/schema"
)

// rowReader prepares to read a table, and returns what is done with each of its rows.
type rowReader func(s *fileSet, c *cursor) func(l *ledger)

func rowReaders() map[string]rowReader {
	return map[string]rowReader{
		"dim_practice":           readPractice,
		"dim_segment":            readSegment,
		"dim_code":               readCode,
		"dim_date":               readDate,
		"fact_segment_count":     readSegmentCount,
		"fact_practice_position": readPosition,
		"fact_assessment_month":  readAssessmentMonth,
		"fact_segment_month":     readSegmentMonth,
		"fact_cohort_overlap":    readOverlap,
		"fact_mdt_activity":      readMDT,
		"fact_payment":           readPayment,
		"fact_reconciliation":    readReconciliation,
		"fact_instalment":        readInstalment,
		"fact_coverage":          readCoverage,
		"fact_disposition":       readDisposition,
		"fact_file":              readFile,
		"fact_finding":           readFinding,
	}
}

func readPractice(s *fileSet, c *cursor) func(*ledger) {
	code, choice, weighted, target := c.col("practice_code"), c.col("place_choice"), c.col("weighted_population"), c.col("annual_target")
	return func(l *ledger) {
		name := s.keep(code.text())
		p := l.practice(name)
		p.listed = true
		p.choice = s.keep(choice.textOr())
		p.weighted = !weighted.null()
		if !target.null() {
			p.target = target.whole()
		}
		l.add(quantity{"dim_practice", rowCount}, ofPractice(name), 1)
	}
}

func readSegment(s *fileSet, c *cursor) func(*ledger) {
	name, share, order := c.col("segment"), c.col("minimum_share"), c.col("sort_order")
	return func(l *ledger) {
		one := segment{name: s.keep(name.text()), order: order.whole(), share: -1}
		if !share.null() {
			one.share = perMillion(share.real())
		}
		l.segments = append(l.segments, one)
		slices.SortFunc(l.segments, func(a, b segment) int { return int(a.order - b.order) })
	}
}

func readCode(s *fileSet, c *cursor) func(*ledger) {
	code, role, cohort, segment := c.col("code"), c.col("role"), c.col("cohort"), c.col("segment")
	return func(l *ledger) {
		l.codes[s.keep(code.text())] = s.keep(role.text())
		isCohort := role.text() == "cohort"
		if isCohort == cohort.null() || isCohort == segment.null() {
			c.broken("has role %s; expected a cohort and a segment for cohort codes and no others", role.text())
		}
		if isCohort {
			l.segmentOf[s.keep(cohort.textOr())] = s.keep(segment.textOr())
		}
	}
}

func readDate(_ *fileSet, c *cursor) func(*ledger) {
	date, first := c.col("date"), c.col("month")
	contractMonth, quarter, last := c.col("contract_month"), c.col("quarter"), c.col("is_month_end")
	return func(l *ledger) {
		l.days++
		day := date.date()
		if day < l.start || day > l.end {
			c.broken("is %s; expected a day of contract year %s", day, l.year)
		}
		_, m, _ := day.YMD()
		number := int64(m+8)%12 + 1
		_, _, next := (day + 1).YMD()
		if first.date() != monthOf(day) || contractMonth.whole() != number || quarter.whole() != (number+2)/3 || last.flag() != (next == 1) {
			c.broken("describes %s wrongly; expected contract month %d, quarter %d", day, number, (number+2)/3)
		}
	}
}

func readSegmentCount(s *fileSet, c *cursor) func(*ledger) {
	practice, segment, cohort := c.col("practice_code"), c.col("segment"), c.col("cohort")
	patients, assessed, onTime, outstanding := c.col("cohort_patients"), c.col("assessed_patients"), c.col("assessed_on_time"), c.col("outstanding_patients")
	minimum, shortfall, met := c.col("minimum_required"), c.col("shortfall"), c.col("is_minimum_met")
	table := func(what string) quantity { return quantity{"fact_segment_count", what} }
	return func(l *ledger) {
		code, p := s.practiceOf(c, l, practice)
		of := ofPart(code, s.keep(segment.text()))
		l.add(table(rowCount), of, 1)
		l.take(table("cohort_patients"), of, patients)
		l.take(table("assessed_patients"), of, assessed)
		l.take(table("assessed_on_time"), of, onTime)
		l.take(table("assessed_patients + outstanding_patients"), of, assessed)
		l.take(table("assessed_patients + outstanding_patients"), of, outstanding)
		if known := !patients.null(); known == assessed.null() || known == onTime.null() || known == outstanding.null() {
			c.broken("has some of its counts null; expected all or none")
		}
		p.counts = p.counts || !patients.null() || !assessed.null() || !shortfall.null() || !met.null()
		if of.part == "place_choice" && s.sound["dim_practice"] && cohort.textOr() != p.choice {
			c.broken("has cohort %q; expected %q, the place's choice", cohort.textOr(), p.choice)
		}
		if i := slices.Index(schema.Segments(), of.part); i >= 0 && !minimum.null() {
			p.minimums[i] = minimum.whole()
		}
		if s.sound["dim_practice"] && s.sound["dim_segment"] {
			share := int64(-1)
			for _, one := range l.segments {
				if one.name == of.part {
					share = one.share
				}
			}
			if want := minimumRequired(share, p.target); want != wholeOr(minimum, -1) {
				c.broken("has minimum_required %s; expected %s", shown(wholeOr(minimum, -1)), shown(want))
			}
		}
		if minimum.null() || assessed.null() {
			if !shortfall.null() || !met.null() {
				c.broken("has a shortfall or is_minimum_met; expected null without a minimum or a count")
			}
			return
		}
		lack := max(0, minimum.whole()-assessed.whole())
		if wholeOr(shortfall, -1) != lack {
			c.broken("has shortfall %s; expected %d", shown(wholeOr(shortfall, -1)), lack)
		}
		if met.null() || met.flag() != (lack == 0) {
			c.broken("has a wrong is_minimum_met for shortfall %d", lack)
		}
		l.take(table("sum of shortfall"), ofPractice(code), shortfall)
		if met.isTrue() {
			l.add(table("rows with is_minimum_met"), ofPractice(code), 1)
		}
	}
}

func readPosition(s *fileSet, c *cursor) func(*ledger) {
	practice, target := c.col("practice_code"), c.col("annual_target")
	table := func(what string) quantity { return quantity{"fact_practice_position", what} }
	var compared, always, activity []*column
	for i := range c.columns {
		col := &c.columns[i]
		if !col.Nullable || col.Name == "annual_target" {
			continue
		}
		activity = append(activity, col)
		if col.Type == schema.Bigint {
			compared = append(compared, col)
		}
		switch col.Name {
		case "assessments", "counted", "counted_on_time", "counted_late", "counted_unproven", "without_segment", "without_eligibility",
			"removed_left", "removed_deceased", "eligible_patients", "cohort_patients", "outstanding_patients":
			always = append(always, col)
		}
	}
	assessments, counted := c.col("assessments"), c.col("counted")
	onTime, projected := c.col("counted_on_time"), c.col("projected_year_end")
	achievement, capped, all := c.col("achievement"), c.col("achievement_capped"), c.col("achievement_all")
	return func(l *ledger) {
		code, p := s.practiceOf(c, l, practice)
		of := ofPractice(code)
		l.add(table(rowCount), of, 1)
		for _, col := range compared {
			l.take(table(col.Name), of, col)
		}
		for _, name := range []string{"counted_on_time", "counted_late", "counted_unproven"} {
			l.take(table("counted_on_time + counted_late + counted_unproven"), of, c.col(name))
		}
		p.activity = slices.ContainsFunc(activity, func(col *column) bool { return !col.null() })
		p.missing = slices.ContainsFunc(always, (*column).null)
		p.money.counted, p.money.onTime, p.money.projected = counted.numberOrNil(), onTime.numberOrNil(), projected.numberOrNil()
		own := max(0, wholeOr(target, 0)) // a target of 0 reads as none
		if s.sound["dim_practice"] && own != max(0, p.target) {
			c.broken("has annual_target %d; expected %d, as in dim_practice", own, p.target)
		}
		checkShare(c, achievement, counted, own, false)
		checkShare(c, capped, counted, own, true)
		checkShare(c, all, assessments, own, false)
	}
}

// checkShare checks one of R17's achievements.
func checkShare(c *cursor, share, of *column, target int64, isCapped bool) {
	if of.null() || target == 0 {
		if !share.null() {
			c.broken("has %s; expected null without a target or a count", share.Name)
		}
		return
	}
	want := float64(of.whole()) / float64(target)
	if isCapped {
		want = min(1, want)
	}
	if share.null() || math.Abs(share.real()-want) > 1e-9 {
		c.broken("has a wrong %s; expected %s of the target, %g", share.Name, of.Name, want)
	}
}

func readAssessmentMonth(s *fileSet, c *cursor) func(*ledger) {
	practice, month, assessments, counted := c.col("practice_code"), c.col("month"), c.col("assessments"), c.col("counted")
	return func(l *ledger) {
		code, _ := s.practiceOf(c, l, practice)
		of := ofMonth(code, month.date())
		l.take(quantity{"fact_assessment_month", "assessments"}, of, assessments)
		l.take(quantity{"fact_assessment_month", "counted"}, of, counted)
	}
}

func readSegmentMonth(s *fileSet, c *cursor) func(*ledger) {
	practice, segment, month, assessments := c.col("practice_code"), c.col("segment"), c.col("month"), c.col("assessments")
	return func(l *ledger) {
		code, _ := s.practiceOf(c, l, practice)
		l.take(quantity{"fact_segment_month", "assessments"}, ofPartMonth(code, s.keep(segment.text()), month.date()), assessments)
	}
}

func readOverlap(s *fileSet, c *cursor) func(*ledger) {
	practice, set, segments := c.col("practice_code"), c.col("segment_set"), c.col("segments")
	patients, assessed, outstanding := c.col("patients"), c.col("assessed_patients"), c.col("outstanding_patients")
	return func(l *ledger) {
		code, _ := s.practiceOf(c, l, practice)
		if n := int64(strings.Count(set.text(), "+") + 1); segments.whole() != n {
			c.broken("has segments %d; expected %d, as in segment_set", segments.whole(), n)
		}
		if assessed.whole()+outstanding.whole() != patients.whole() {
			c.broken("has %d assessed and %d outstanding patients; expected %d together", assessed.whole(), outstanding.whole(), patients.whole())
		}
		of := ofPart(code, s.keep(set.text()))
		l.take(quantity{"fact_cohort_overlap", "patients"}, of, patients)
		l.take(quantity{"fact_cohort_overlap", "assessed_patients"}, of, assessed)
	}
}

func readMDT(s *fileSet, c *cursor) func(*ledger) {
	practice, quarter, code := c.col("practice_code"), c.col("quarter"), c.col("code")
	patients, events := c.col("patients"), c.col("events")
	return func(l *ledger) {
		name, _ := s.practiceOf(c, l, practice)
		if q := quarter.whole(); q < 1 || q > 4 {
			c.broken("has quarter %d; expected 1 to 4", q)
		}
		if s.sound["dim_code"] && l.codes[code.text()] != "mdt" {
			c.broken("has a code that dim_code does not have as an MDT code")
		}
		if patients.whole() < 1 || events.whole() < patients.whole() {
			c.broken("has %d patients and %d events; expected at least one patient and as many events", patients.whole(), events.whole())
		}
		l.take(quantity{"fact_mdt_activity", "events"}, ofPractice(name), events)
	}
}

func readCoverage(s *fileSet, c *cursor) func(*ledger) {
	practice, state := c.col("practice_code"), c.col("state")
	return func(l *ledger) {
		code, p := s.practiceOf(c, l, practice)
		p.state = s.keep(state.text())
		l.add(quantity{"fact_coverage", rowCount}, ofPractice(code), 1)
	}
}

func readDisposition(s *fileSet, c *cursor) func(*ledger) {
	practice, file, disposition, rows := c.col("practice_code"), c.col("file_name"), c.col("disposition"), c.col("rows")
	groups, sums := map[string]string{}, map[string]quantity{}
	for _, d := range schema.Dispositions() {
		groups[d.Name] = d.Group
		sums[d.Name] = quantity{"fact_disposition", "rows " + d.Name}
	}
	return func(l *ledger) {
		code := ""
		if !practice.null() {
			code, _ = s.practiceOf(c, l, practice)
		}
		if rows.whole() < 1 {
			c.broken("has rows %d; expected only dispositions that occur", rows.whole())
		}
		of := ofPart("", "file "+s.keep(file.text()))
		l.take(quantity{"fact_disposition", "rows of the file"}, of, rows)
		if groups[disposition.text()] == schema.Rejected {
			l.take(quantity{"fact_disposition", "rejected rows of the file"}, of, rows)
		}
		if sum, ok := sums[disposition.text()]; ok {
			l.take(sum, ofPractice(code), rows)
		}
	}
}

func readFile(s *fileSet, c *cursor) func(*ledger) {
	name, sum, status := c.col("file_name"), c.col("sha256"), c.col("status")
	read, rejected := c.col("rows_read"), c.col("rows_rejected")
	return func(l *ledger) {
		if !sum.null() && !isHex64(sum.text()) {
			c.broken("has a sha256 that is not 64 lower-case hex digits")
		}
		isRead := status.text() == "read"
		if isRead && sum.null() {
			c.broken("lacks sha256; expected it for a file that was read")
		}
		if !isRead && (wholeOr(read, 0) != 0 || wholeOr(rejected, 0) != 0) {
			c.broken("has rows; expected none for a file that is %s", status.text())
		}
		of := ofPart("", "file "+s.keep(name.text()))
		l.add(quantity{"fact_file", "rows_read"}, of, wholeOr(read, 0))
		l.add(quantity{"fact_file", "rows_rejected"}, of, wholeOr(rejected, 0))
	}
}

func readFinding(s *fileSet, c *cursor) func(*ledger) {
	practice, name, severity := c.col("practice_code"), c.col("check_name"), c.col("severity")
	severities := map[string]string{}
	for _, check := range schema.Findings() {
		severities[check.Name] = check.Severity
	}
	return func(l *ledger) {
		if !practice.null() {
			s.practiceOf(c, l, practice)
		}
		if want, ok := severities[name.text()]; ok && severity.text() != want {
			c.broken("has severity %q; expected %s for %s", severity.text(), want, name.text())
		}
	}
}

// readPatients reads the two patient tables side by side; both are sorted by patient.
func (s *fileSet) readPatients() {
	assessmentTable, _ := schema.Lookup("fact_assessment")
	cohortTable, _ := schema.Lookup("fact_cohort_patient")
	assessments, cohorts := s.open(assessmentTable), s.open(cohortTable)
	defer s.shut(assessments)
	defer s.shut(cohorts)
	var readAssessment func() assessed
	var readMember func() member
	moreA, moreC := false, false
	if assessments != nil {
		readAssessment = s.assessmentReader(assessments)
		moreA = assessments.next()
	}
	if cohorts != nil {
		readMember = s.memberReader(cohorts)
		moreC = cohorts.next()
	}
	var year, key []byte
	for moreA || moreC {
		order := -1
		if !moreA {
			order = 1
		} else if moreC {
			order = comparePatients(assessments, cohorts)
		}
		var a assessed
		if order <= 0 {
			a = readAssessment()
		}
		var memberships, practice = 0, ""
		if order >= 0 {
			year, key = append(year[:0], cohorts.year.textOr()...), append(key[:0], cohorts.patient.textOr()...)
			isAssessed := false
			for first := true; moreC && cohorts.year.textOr() == string(year) && cohorts.patient.textOr() == string(key); first = false {
				m := readMember()
				if first {
					practice, isAssessed = m.practice, m.isAssessed
				}
				if m.practice != practice {
					cohorts.broken("has another practice than the patient's row before")
				}
				if m.isAssessed != isAssessed {
					cohorts.broken("has another is_assessed than the patient's row before")
				}
				if s.compared(assessments, cohorts) && m.isAssessed != (order == 0) {
					cohorts.broken("has is_assessed %t; fact_assessment says otherwise", m.isAssessed)
				}
				memberships |= m.segment
				moreC = cohorts.next()
			}
			if l := s.ledgers[string(year)]; l != nil {
				p := l.practice(practice)
				p.members[memberships]++
				if isAssessed {
					p.assessed[memberships]++
				}
			}
		}
		if order <= 0 {
			if s.compared(assessments, cohorts) {
				if order == 0 && practice != a.practice {
					assessments.broken("has another practice than the patient's rows in fact_cohort_patient")
				}
				if a.segments != memberships {
					assessments.broken("has in_… columns that differ from the patient's segments in fact_cohort_patient")
				}
			}
			moreA = assessments.next()
		}
	}
}

// compared says whether both tables have been whole and in order so far.
func (s *fileSet) compared(a, b *cursor) bool { return a != nil && b != nil && a.sound && b.sound }

func comparePatients(a, b *cursor) int {
	if order := strings.Compare(a.year.textOr(), b.year.textOr()); order != 0 {
		return order
	}
	return strings.Compare(a.patient.textOr(), b.patient.textOr())
}

type assessed struct {
	practice string
	segments int // a bit for each of schema.Segments
}

type member struct {
	practice   string
	segment    int
	isAssessed bool
}

func (s *fileSet) assessmentReader(c *cursor) func() assessed {
	key, practice, activity, timeliness := c.col("patient_key"), c.col("practice_code"), c.col("activity_date"), c.col("timeliness")
	eligible, counted, segments, again := c.col("has_eligibility"), c.col("is_counted"), c.col("segments"), c.col("assessed_last_year")
	names := schema.Segments()
	var in []*column
	for _, name := range names {
		in = append(in, c.col("in_"+name))
	}
	table := func(what string) quantity { return quantity{"fact_assessment", what} }
	return func() assessed {
		l := s.ledgers[c.nowYear]
		if l == nil {
			return assessed{}
		}
		code, p := s.practiceOf(c, l, practice)
		if !isHex64(key.text()) {
			c.broken("has a patient_key that is not 64 lower-case hex digits")
		}
		if day := activity.date(); day < l.start || day > min(l.end, c.asAt.date()) {
			c.broken("has activity_date %s; expected a day of contract year %s up to %s", day, l.year, c.asAt.date())
		}
		of, month := ofPractice(code), monthOf(activity.date())
		onTime := timeliness.text() == "on_time"
		mask, number := 0, int64(0)
		for i, col := range in {
			if !col.isTrue() {
				continue
			}
			mask |= 1 << i
			number++
			l.add(table("rows"), ofPart(code, names[i]), 1)
			l.add(table("rows by segment and month"), ofPartMonth(code, names[i], month), 1)
			if onTime {
				l.add(table("rows on_time"), ofPart(code, names[i]), 1)
			}
		}
		if segments.whole() != number {
			c.broken("has segments %d; expected %d, as in its in_… columns", segments.whole(), number)
		}
		l.add(table(rowCount), of, 1)
		l.add(table("rows by month"), ofMonth(code, month), 1)
		if counted.isTrue() {
			l.add(table("counted rows"), of, 1)
			l.add(table("counted rows by month"), ofMonth(code, month), 1)
			l.add(quantity{"fact_assessment", "counted rows " + s.keep(timeliness.text())}, of, 1)
			p.counted[mask]++
		}
		if number == 0 {
			l.add(table("rows in no segment"), of, 1)
		}
		if !eligible.isTrue() {
			l.add(table("rows without eligibility"), of, 1)
		}
		if again.isTrue() {
			l.add(table("rows assessed last year"), of, 1)
		}
		return assessed{practice: code, segments: mask}
	}
}

func (s *fileSet) memberReader(c *cursor) func() member {
	key, practice, cohort, segment := c.col("patient_key"), c.col("practice_code"), c.col("cohort"), c.col("segment")
	first, isAssessed := c.col("first_coded_date"), c.col("is_assessed")
	bits := map[string]int{}
	for i, name := range schema.Segments() {
		bits[name] = 1 << i
	}
	return func() member {
		l := s.ledgers[c.nowYear]
		if l == nil {
			return member{}
		}
		code, p := s.practiceOf(c, l, practice)
		if !isHex64(key.text()) {
			c.broken("has a patient_key that is not 64 lower-case hex digits")
		}
		if !first.null() && (first.date() < l.start || first.date() > min(l.end, c.asAt.date())) {
			c.broken("has first_coded_date %s; expected a day of contract year %s up to %s", first.date(), l.year, c.asAt.date())
		}
		if s.sound["dim_code"] && s.sound["dim_practice"] {
			want := l.segmentOf[cohort.text()]
			if want == "place_choice" && p.choice != cohort.text() {
				want = ""
			}
			if segment.textOr() != want {
				c.broken("has segment %q; expected %q for the cohort at this practice", segment.textOr(), want)
			}
		}
		if segment.null() {
			p.unchosen++
		} else {
			p.cohorts++
		}
		return member{practice: code, segment: bits[segment.textOr()], isAssessed: isAssessed.isTrue()}
	}
}

// practiceOf is the row's practice, which dim_practice must have.
func (s *fileSet) practiceOf(c *cursor, l *ledger, cell *column) (string, *practice) {
	code := s.keep(cell.text())
	p := l.practice(code)
	if !p.listed && s.sound["dim_practice"] {
		c.broken("has practice_code %q, which dim_practice does not have", code)
	}
	return code, p
}

func monthOf(day civil.Date) civil.Date {
	_, _, number := day.YMD()
	return day - civil.Date(number-1)
}

func wholeOr(cell *column, null int64) int64 {
	if cell.null() {
		return null
	}
	return cell.whole()
}

// shown prints -1 as null.
func shown(n int64) string {
	if n < 0 {
		return "null"
	}
	return strconv.FormatInt(n, 10)
}

func isHex64(text string) bool {
	if len(text) != 64 {
		return false
	}
	for i := range len(text) {
		if (text[i] < '0' || text[i] > '9') && (text[i] < 'a' || text[i] > 'f') {
			return false
		}
	}
	return true
}
