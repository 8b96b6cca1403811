package snapshot

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"

	"ltcles/pipeline/civil"
	"ltcles/pipeline/schema"
)

// ledger holds what the tables of one contract year, in one file set, say of the same things,
// so that it can be compared.
type ledger struct {
	year       string
	start, end civil.Date
	sums       map[quantity]map[subject]int64
	nulls      map[quantity]map[subject]bool
	practices  map[string]*practice
	segments   []segment // dim_segment, in its order
	codes      map[string]string
	segmentOf  map[string]string // by cohort, from dim_code
	days       int
	lastMonth  civil.Date // the first day of the period's last month
	terms      *terms     // of fact_reconciliation's first row; nil before it
}

// quantity is a column of a table, or something that can be counted in it.
type quantity struct{ table, what string }

// subject is what a quantity is of: a practice, and perhaps a part of it and a month.
type subject struct {
	practice, part string
	month          civil.Date
}

func ofPractice(code string) subject                { return subject{code, "", civil.None} }
func ofPart(code, part string) subject              { return subject{code, part, civil.None} }
func ofMonth(code string, m civil.Date) subject     { return subject{code, "", m} }
func ofPartMonth(c, p string, m civil.Date) subject { return subject{c, p, m} }

func (s subject) String() string {
	var parts []string
	if s.practice != "" {
		parts = append(parts, "practice "+s.practice)
	}
	if s.part != "" {
		parts = append(parts, s.part)
	}
	if !s.month.IsNone() {
		parts = append(parts, s.month.String()[:len("2026-06")])
	}
	if len(parts) == 0 {
		return "no practice"
	}
	return strings.Join(parts, ", ")
}

type segment struct {
	name  string
	order int64
	share int64 // parts per million; -1 where it is not set
}

// practice is what the tables say of one practice.
type practice struct {
	target   int64 // 0 where there is none
	choice   string
	state    string
	minimums [segmentCount]int64      // -1 where there is none
	counted  [1 << segmentCount]int64 // counted assessments by the exact set of segments
	members  [1 << segmentCount]int64 // patients by the exact set of segments
	assessed [1 << segmentCount]int64
	cohorts  int64 // rows of fact_cohort_patient with a segment
	unchosen int64 // and without
	activity bool  // its position has some column that depends on activity
	counts   bool  // so have its segments
	missing  bool  // its position lacks a column that a supplied practice always has
	listed   bool  // dim_practice has it
	weighted bool  // dim_practice has its weighted population
	money    money
}

const segmentCount = 5

func newLedger(year, period string) *ledger {
	l := &ledger{year: year, sums: map[quantity]map[subject]int64{}, nulls: map[quantity]map[subject]bool{},
		practices: map[string]*practice{}, codes: map[string]string{}, segmentOf: map[string]string{}}
	if first, ok := firstYear(year); ok {
		l.start, _ = civil.Of(first, 4, 1)
		l.end, _ = civil.Of(first+1, 3, 31)
		l.lastMonth = monthOf(l.end)
	}
	if periodKind(year, period) == monthPeriod {
		l.lastMonth, _ = civil.Parse(period + "-01")
	}
	return l
}

func (l *ledger) add(q quantity, of subject, n int64) {
	sums := l.sums[q]
	if sums == nil {
		sums = map[subject]int64{}
		l.sums[q] = sums
	}
	sums[of] += n
}

// take adds a cell; where it is null, nothing is compared with it.
func (l *ledger) take(q quantity, of subject, cell *column) {
	if !cell.null() {
		l.add(q, of, cell.number())
		return
	}
	if l.nulls[q] == nil {
		l.nulls[q] = map[subject]bool{}
	}
	l.nulls[q][of] = true
}

func (l *ledger) practice(code string) *practice {
	p := l.practices[code]
	if p == nil {
		p = &practice{}
		for i := range p.minimums {
			p.minimums[i] = -1
		}
		l.practices[code] = p
	}
	return p
}

// segmentSet is the name of a set of segments in fact_cohort_overlap.
func (l *ledger) segmentSet(mask int) string {
	var names []string
	for _, segment := range l.segments {
		if i := slices.Index(schema.Segments(), segment.name); i >= 0 && mask&(1<<i) != 0 {
			names = append(names, segment.name)
		}
	}
	return strings.Join(names, "+")
}

// equation says that two quantities are the same for every subject.
type equation struct {
	left, right quantity
	supplied    bool   // of practices that are not missing
	also        string // another table that it rests on
}

func equations() []equation {
	position := func(what string) quantity { return quantity{"fact_practice_position", what} }
	segmentCounts := func(what string) quantity { return quantity{"fact_segment_count", what} }
	disposed := func(what string) quantity { return quantity{"fact_disposition", what} }
	payment := func(what string) quantity { return quantity{"fact_payment", what} }
	reconciliation := func(what string) quantity { return quantity{"fact_reconciliation", what} }
	return []equation{
		{left: position(rowCount), right: quantity{"dim_practice", rowCount}},
		{left: quantity{"fact_coverage", rowCount}, right: quantity{"dim_practice", rowCount}},
		{left: segmentCounts(rowCount), right: quantity{"dim_practice", "segments of the year"}, also: "dim_segment"},

		{left: quantity{"fact_payment", rowCount}, right: quantity{"dim_practice", "domains of the year"}},
		{left: quantity{"fact_reconciliation", rowCount}, right: quantity{"dim_practice", rowCount}},
		{left: payment("annual_value, added up in pence"), right: reconciliation("contract_value in pence")},
		{left: payment("advance_value, added up in pence"), right: reconciliation("advance_value in pence")},
		{left: payment("earned_value, added up in pence"), right: reconciliation("earned_value in pence")},
		{left: payment("held_value, added up in pence"), right: reconciliation("held_value in pence")},
		{left: payment("balance, added up in pence"), right: reconciliation("balance in pence")},

		{left: position("assessments"), right: quantity{"fact_assessment", rowCount}},
		{left: position("counted"), right: quantity{"fact_assessment", "counted rows"}},
		{left: position("counted"), right: position("counted_on_time + counted_late + counted_unproven")},
		{left: position("counted_on_time"), right: quantity{"fact_assessment", "counted rows on_time"}},
		{left: position("counted_late"), right: quantity{"fact_assessment", "counted rows late"}},
		{left: position("counted_unproven"), right: quantity{"fact_assessment", "counted rows unproven"}},
		{left: position("without_segment"), right: quantity{"fact_assessment", "rows in no segment"}},
		{left: position("without_eligibility"), right: quantity{"fact_assessment", "rows without eligibility"}},
		{left: position("repeat_assessments"), right: quantity{"fact_assessment", "rows assessed last year"}},
		{left: position("eligible_patients"), right: disposed("rows eligibility")},
		{left: position("cohort_patients"), right: quantity{"fact_cohort_patient", "patients in a segment"}},
		{left: position("outstanding_patients"), right: quantity{"fact_cohort_patient", "patients in a segment and not assessed"}},
		{left: position("inclusive_shortfall"), right: segmentCounts("sum of shortfall")},
		{left: position("segments_met"), right: segmentCounts("rows with is_minimum_met")},
		{left: position("exclusive_shortfall"), right: quantity{"fact_assessment", "exclusive shortfall, worked out from the counted rows"}, also: "fact_segment_count"},

		{left: segmentCounts("cohort_patients"), right: quantity{"fact_cohort_patient", "patients"}},
		{left: segmentCounts("assessed_patients"), right: quantity{"fact_assessment", "rows"}},
		{left: segmentCounts("assessed_patients"), right: quantity{"fact_cohort_patient", "assessed patients"}},
		{left: segmentCounts("assessed_on_time"), right: quantity{"fact_assessment", "rows on_time"}},
		{left: segmentCounts("cohort_patients"), right: segmentCounts("assessed_patients + outstanding_patients")},

		{left: quantity{"fact_assessment_month", "assessments"}, right: quantity{"fact_assessment", "rows by month"}},
		{left: quantity{"fact_assessment_month", "counted"}, right: quantity{"fact_assessment", "counted rows by month"}},
		{left: quantity{"fact_segment_month", "assessments"}, right: quantity{"fact_assessment", "rows by segment and month"}},

		{left: quantity{"fact_cohort_overlap", "patients"}, right: quantity{"fact_cohort_patient", "patients in exactly these segments"}, supplied: true, also: "dim_segment"},
		{left: quantity{"fact_cohort_overlap", "assessed_patients"}, right: quantity{"fact_cohort_patient", "assessed patients in exactly these segments"}, supplied: true, also: "dim_segment"},

		{left: disposed("rows assessment"), right: quantity{"fact_assessment", rowCount}},
		{left: disposed("rows cohort"), right: quantity{"fact_cohort_patient", "rows with a segment"}},
		{left: disposed("rows not_chosen_by_place"), right: quantity{"fact_cohort_patient", "rows without a segment"}},
		{left: disposed("rows mdt"), right: quantity{"fact_mdt_activity", "events"}, supplied: true},

		{left: quantity{"fact_file", "rows_read"}, right: disposed("rows of the file")},
		{left: quantity{"fact_file", "rows_rejected"}, right: disposed("rejected rows of the file")},
	}
}

const rowCount = "number of rows"

// settle works out what the tables imply, and compares.
func (l *ledger) settle(s *fileSet) {
	l.derive()
	for _, e := range equations() {
		if s.sound[e.left.table] && s.sound[e.right.table] && (e.also == "" || s.sound[e.also]) {
			l.compare(s, e)
		}
	}
	if s.sound["dim_segment"] && len(l.practices) > 0 {
		l.settleSegments(s)
	}
	if s.sound["dim_date"] && l.days != int(l.end-l.start)+1 {
		s.report.add(s.file("dim_date"), "dim_date", "has %d days of contract year %s; expected %d", l.days, l.year, int(l.end-l.start)+1)
	}
	if s.sound["fact_practice_position"] && s.sound["fact_coverage"] {
		l.settleMissing(s)
		l.settleMoney(s)
	}
}

func (l *ledger) derive() {
	for code, p := range l.practices {
		if p.listed {
			for _, segment := range l.segments {
				l.add(quantity{"dim_practice", "segments of the year"}, ofPart(code, segment.name), 1)
			}
			for _, domain := range domains() {
				l.add(quantity{"dim_practice", "domains of the year"}, ofPart(code, domain), 1)
			}
		}
		l.add(quantity{"fact_cohort_patient", "rows with a segment"}, ofPractice(code), p.cohorts)
		l.add(quantity{"fact_cohort_patient", "rows without a segment"}, ofPractice(code), p.unchosen)
		for mask, n := range p.members {
			if mask == 0 || n == 0 {
				continue
			}
			l.add(quantity{"fact_cohort_patient", "patients in a segment"}, ofPractice(code), n)
			l.add(quantity{"fact_cohort_patient", "patients in a segment and not assessed"}, ofPractice(code), n-p.assessed[mask])
			set := ofPart(code, l.segmentSet(mask))
			l.add(quantity{"fact_cohort_patient", "patients in exactly these segments"}, set, n)
			l.add(quantity{"fact_cohort_patient", "assessed patients in exactly these segments"}, set, p.assessed[mask])
			for i, name := range schema.Segments() {
				if mask&(1<<i) != 0 {
					l.add(quantity{"fact_cohort_patient", "patients"}, ofPart(code, name), n)
					l.add(quantity{"fact_cohort_patient", "assessed patients"}, ofPart(code, name), p.assessed[mask])
				}
			}
		}
		l.add(quantity{"fact_assessment", "exclusive shortfall, worked out from the counted rows"}, ofPractice(code), p.exclusiveShortfall())
	}
}

// exclusiveShortfall is R18's: the greatest, over sets of segments, of their minimums less the
// counted patients in any of them.
func (p *practice) exclusiveShortfall() int64 {
	greatest := int64(0)
	for set := 1; set < 1<<segmentCount; set++ {
		lack := int64(0)
		for i, minimum := range p.minimums {
			if set&(1<<i) != 0 && minimum > 0 {
				lack += minimum
			}
		}
		for mask, n := range p.counted {
			if mask&set != 0 {
				lack -= n
			}
		}
		greatest = max(greatest, lack)
	}
	return greatest
}

func (l *ledger) compare(s *fileSet, e equation) {
	left, right := l.sums[e.left], l.sums[e.right]
	subjects := slices.Collect(maps.Keys(left))
	for of := range right {
		if _, both := left[of]; !both {
			subjects = append(subjects, of)
		}
	}
	slices.SortFunc(subjects, func(a, b subject) int {
		return cmp.Or(cmp.Compare(a.practice, b.practice), cmp.Compare(a.part, b.part), cmp.Compare(a.month, b.month))
	})
	format := "%s: " + e.left.what + " is %d; expected %d, as in " + e.right.table + " (" + e.right.what + ")"
	for _, of := range subjects {
		if left[of] == right[of] || l.nulls[e.left][of] || l.nulls[e.right][of] {
			continue
		}
		if p := l.practices[of.practice]; e.supplied && p != nil && p.state == "missing" {
			continue
		}
		s.report.add(s.file(e.left.table), e.left.table, format, of, left[of], right[of])
	}
}

func (l *ledger) settleSegments(s *fileSet) {
	var names []string
	for _, segment := range l.segments {
		names = append(names, segment.name)
	}
	slices.Sort(names)
	want := schema.Segments()
	slices.Sort(want)
	if !slices.Equal(names, want) {
		s.report.add(s.file("dim_segment"), "dim_segment", "has segments %s of contract year %s; expected %s",
			strings.Join(names, ", "), l.year, strings.Join(want, ", "))
	}
}

// settleMissing: a practice is missing exactly where its activity is null.
func (l *ledger) settleMissing(s *fileSet) {
	for _, code := range sortedKeys(l.practices) {
		p := l.practices[code]
		if p.state == "missing" && p.counts && s.sound["fact_segment_count"] {
			s.report.add(s.file("fact_segment_count"), "fact_segment_count",
				"practice %s: has counts; expected null, because fact_coverage says missing", code)
		}
		switch {
		case p.state == "missing" && p.activity:
			s.report.add(s.file("fact_practice_position"), "fact_practice_position",
				"practice %s: has activity; expected null, because fact_coverage says missing", code)
		case p.state == "supplied" && p.missing:
			s.report.add(s.file("fact_practice_position"), "fact_practice_position",
				"practice %s: lacks activity; expected figures, because fact_coverage says supplied", code)
		}
	}
}

// minimumRequired is R16's, or -1 where there is none.
func minimumRequired(share, target int64) int64 {
	if share < 0 || target <= 0 {
		return -1
	}
	return (share*target + 999_999) / 1_000_000
}

func perMillion(share float64) int64 { return int64(math.Round(share * 1_000_000)) }
