package dashboard

import (
	"slices"

	"ltcles/pipeline/civil"
	"ltcles/pipeline/contract"
	"ltcles/pipeline/published"
	"ltcles/pipeline/schema"
)

// figures are what a page shows of a practice, or of several added up. Practices without data
// are counted, and are in no sum.
type figures struct {
	practices  int
	missing    []*published.Practice
	untargeted int // with data and without a target

	target        int64 // of those with data; 0: none
	missingTarget int64
	expected      float64 // R17, of those with data and a target

	counted    Count
	towards    Count // counted at practices with a target
	notCounted Count
	onTime     Count
	late       Count
	unproven   Count
	projected  Count

	cohort      Count
	outstanding Count
	segments    []segmentFigures // in the order of lists
	segmentsMet Count
	inclusive   Count
	exclusive   Count

	months []Count // as [builder.months]

	withheld withheldFigures

	// What a page with small counts hidden does not have.
	eligible, withoutEligibility, repeat, left, deceased Count
	lags                                                 []Lag
	overlap                                              []overlapFigures
	history                                              []pastFigures

	money    moneyFigures
	findings []findingFigures
	atStake  *published.Pence // in data quality; nil for nothing, or not known
	coverage coverageFigures
}

// withheldFigures are how many practices' breakdowns are withheld, so that they are in no sum.
type withheldFigures struct{ months, assessed, outstanding, timeliness int }

type segmentFigures struct {
	segment     published.Segment
	cohort      string // the cohort that fills it; "" where the place has not chosen or they differ
	minimum     *int64
	assessed    Count
	outstanding Count
	onTime      Count
	shortfall   Count
	met         *bool
	practices   int // with a minimum and data
	practiceMet int
}

type overlapFigures struct {
	set                             string
	segments                        int64
	patients, assessed, outstanding int64
}

type pastFigures struct {
	period                          contract.Period
	asAt                            civil.Date
	practices                       int // with data
	assessments, counted, shortfall Count
	expected                        *float64
}

type moneyFigures struct {
	unknown                                                               int // practices without a contract value
	contract, advance, paid                                               *published.Pence
	earned, held, balance, earnedOther, projectedEarned, projectedBalance *published.Pence
	earnedUnknown                                                         int
}

type findingFigures struct {
	check     schema.Check
	practices int
	affected  int64
	message   string
	atStake   int64
	worth     *published.Pence
}

type coverageFigures struct {
	search, bulk, batch, registers, refused int64
	newest                                  civil.Date
}

// practiceFigures are the figures of one practice.
func (b *builder) practiceFigures(p *published.Practice) *figures {
	f := &figures{practices: 1}
	position := p.Position
	if position.AnnualTarget != nil && *position.AnnualTarget > 0 {
		f.target = *position.AnnualTarget
	}
	if p.IsMissing() {
		f.missing = []*published.Practice{p}
		f.missingTarget = f.target
	} else if f.target == 0 {
		f.untargeted = 1
	}
	if position.ExpectedToDate != nil {
		f.expected = *position.ExpectedToDate
	}
	b.countsOf(p, f)
	if !b.rule.IsOn() {
		f.segmentsMet = known(position.SegmentsMet)
		f.inclusive, f.exclusive = known(position.InclusiveShortfall), known(position.ExclusiveShortfall)
		f.cohort, f.projected = known(position.CohortPatients), known(position.ProjectedYearEnd)
		f.eligible, f.withoutEligibility = known(position.EligiblePatients), known(position.WithoutEligibility)
		f.repeat, f.left, f.deceased = known(position.RepeatAssessments), known(position.RemovedLeft), known(position.RemovedDeceased)
		f.lags = b.lags[p.Code]
		f.overlap = overlapOf(p)
		f.history = b.historyOf(p.Code)
	}
	f.money = b.moneyOf(p)
	f.findings = b.findingsOf(p)
	f.atStake = atStake(f.findings, assessmentsValue(p))
	f.coverage = coverageFigures{
		search: p.Coverage.SearchFiles, bulk: p.Coverage.BulkFiles, batch: p.Coverage.BatchFiles, registers: p.Coverage.RegisterFiles,
		refused: p.Coverage.RefusedFiles, newest: p.Coverage.NewestExtractDate,
	}
	return f
}

// countsOf fills in the counts that are shown whatever is hidden. They come from the practice's
// base counts, and with small counts hidden from nothing else.
func (b *builder) countsOf(p *published.Practice, f *figures) {
	for _, row := range p.Segments {
		s := segmentFigures{segment: b.segment(row.Segment), minimum: row.MinimumRequired, met: row.IsMinimumMet, shortfall: known(row.Shortfall), onTime: known(row.AssessedOnTime)}
		if row.Cohort != nil {
			s.cohort = *row.Cohort
		}
		if s.minimum != nil && row.IsMinimumMet != nil {
			s.practices = 1
			if *row.IsMinimumMet {
				s.practiceMet = 1
			}
		}
		f.segments = append(f.segments, s)
	}
	f.months = make([]Count, len(b.months))
	if p.IsMissing() || p.Position.Counted == nil {
		return
	}
	position := p.Position
	inSegments := breakdown{linkage: cover}
	for _, row := range p.Segments {
		if b.rule.IsOn() && !b.isPlain {
			break
		}
		inSegments.parts = append(inSegments.parts, valueOf(row.AssessedPatients))
	}
	byMonth := breakdown{parts: make([]int64, len(b.months))}
	for _, month := range p.Months {
		if at := slices.Index(b.months, month.Month); at >= 0 {
			byMonth.parts[at] = month.Counted
		}
	}
	notOnTime := breakdown{linkage: within, parts: []int64{valueOf(position.CountedLate), valueOf(position.CountedUnproven)}}
	counted, parts := b.rule.protect(*position.Counted, inSegments, notOnTime, byMonth)
	f.counted, f.months, f.late, f.unproven = counted, parts[2], parts[1][0], parts[1][1]
	f.onTime = total(b.rule, f.late, f.unproven).from(counted, b.rule)
	if f.target > 0 {
		f.towards = counted
	}
	still := breakdown{linkage: cover}
	for _, row := range p.Segments {
		still.parts = append(still.parts, valueOf(row.OutstandingPatients))
	}
	outstanding, stillParts := b.rule.protect(valueOf(position.OutstandingPatients), still)
	f.outstanding = outstanding
	f.notCounted = b.rule.class(valueOf(position.Assessments) - *position.Counted)
	for at := range f.segments {
		f.segments[at].assessed, f.segments[at].outstanding = Count{0, Withheld}, stillParts[0][at]
		if at < len(parts[0]) {
			f.segments[at].assessed = parts[0][at]
		}
	}
	f.withheld = withheldFigures{months: isWithheld(parts[2]), assessed: isWithheld(parts[0]), outstanding: isWithheld(stillParts[0]), timeliness: isWithheld(parts[1])}
	if b.rule.IsOn() && !b.isPlain {
		f.withheld.assessed = 1
	}
	if b.rule.IsOn() {
		f.cohort = total(b.rule, counted, outstanding)
		f.projected = b.projected(counted)
	}
}

// isWithheld is 1 where a breakdown is withheld, which it is as a whole.
func isWithheld(parts []Count) int {
	if len(parts) > 0 && parts[0].Standing == Withheld {
		return 1
	}
	return 0
}

// projected is what a rounded count comes to at the year's end at the same pace (R17).
func (b *builder) projected(counted Count) Count {
	elapsed, year := b.daysTo(b.cutOff), b.daysTo(b.Period.Year().End())
	if !counted.IsShown() || elapsed <= 0 {
		return Count{0, Withheld}
	}
	return Count{b.rule.nearest((2*counted.N*year + elapsed) / (2 * elapsed)), counted.Standing}
}

// added are the figures of several practices.
func (b *builder) added(of []*figures) *figures {
	sum := &figures{}
	for _, f := range of {
		sum.practices += f.practices
		sum.missing = append(sum.missing, f.missing...)
		sum.untargeted += f.untargeted
		sum.missingTarget += f.missingTarget
		if len(f.missing) == 0 {
			sum.target += f.target
			sum.expected += f.expected
		}
		sum.money = sum.money.plus(f.money)
		sum.findings = plusFindings(sum.findings, f.findings)
		if f.atStake != nil {
			sum.atStake = plus(sum.atStake, *f.atStake)
		}
		sum.coverage = sum.coverage.plus(f.coverage)
		sum.lags = append(sum.lags, f.lags...)
		sum.withheld.months += f.withheld.months
		sum.withheld.assessed += f.withheld.assessed
		sum.withheld.outstanding += f.withheld.outstanding
		sum.withheld.timeliness += f.withheld.timeliness
	}
	all := func(field func(*figures) *Count) {
		var counts []Count
		for _, f := range of {
			counts = append(counts, *field(f))
		}
		*field(sum) = total(b.rule, counts...)
	}
	for _, field := range []func(*figures) *Count{
		func(f *figures) *Count { return &f.counted }, func(f *figures) *Count { return &f.towards },
		func(f *figures) *Count { return &f.notCounted }, func(f *figures) *Count { return &f.onTime },
		func(f *figures) *Count { return &f.late }, func(f *figures) *Count { return &f.unproven },
		func(f *figures) *Count { return &f.projected }, func(f *figures) *Count { return &f.cohort },
		func(f *figures) *Count { return &f.outstanding }, func(f *figures) *Count { return &f.segmentsMet },
		func(f *figures) *Count { return &f.inclusive }, func(f *figures) *Count { return &f.exclusive },
		func(f *figures) *Count { return &f.eligible }, func(f *figures) *Count { return &f.withoutEligibility },
		func(f *figures) *Count { return &f.repeat }, func(f *figures) *Count { return &f.left }, func(f *figures) *Count { return &f.deceased },
	} {
		all(field)
	}
	sum.months = make([]Count, len(b.months))
	for at := range b.months {
		all(func(f *figures) *Count { return &f.months[at] })
	}
	for at, segment := range b.Year.Segments {
		sum.segments = append(sum.segments, segmentFigures{segment: segment})
		for _, field := range []func(*figures) *Count{
			func(f *figures) *Count { return &f.segments[at].assessed }, func(f *figures) *Count { return &f.segments[at].outstanding },
			func(f *figures) *Count { return &f.segments[at].onTime }, func(f *figures) *Count { return &f.segments[at].shortfall },
		} {
			all(field)
		}
		sum.segments[at] = sum.segments[at].of(at, of)
	}
	sum.overlap = addedOverlap(of)
	sum.history = b.addedHistory(of)
	return sum
}

// of adds what are no counts of patients, and names the cohort where all have the same.
func (s segmentFigures) of(at int, of []*figures) segmentFigures {
	for i, f := range of {
		one := f.segments[at]
		if i == 0 {
			s.cohort = one.cohort
		} else if s.cohort != one.cohort {
			s.cohort = ""
		}
		if one.minimum != nil && len(f.missing) == 0 {
			s.minimum = plus(s.minimum, *one.minimum)
		}
		s.practices += one.practices
		s.practiceMet += one.practiceMet
	}
	return s
}

func overlapOf(p *published.Practice) []overlapFigures {
	var all []overlapFigures
	for _, row := range p.Overlaps {
		all = append(all, overlapFigures{row.SegmentSet, row.Segments, row.Patients, row.AssessedPatients, row.OutstandingPatients})
	}
	return all
}

func addedOverlap(of []*figures) []overlapFigures {
	var all []overlapFigures
	place := map[string]int{}
	for _, f := range of {
		for _, row := range f.overlap {
			at, seen := place[row.set]
			if !seen {
				at = len(all)
				place[row.set] = at
				all = append(all, overlapFigures{set: row.set, segments: row.segments})
			}
			all[at].patients += row.patients
			all[at].assessed += row.assessed
			all[at].outstanding += row.outstanding
		}
	}
	return all
}

func (b *builder) historyOf(practice string) []pastFigures {
	var all []pastFigures
	for _, past := range b.history[practice] {
		f := pastFigures{period: past.Period, asAt: past.AsAt, assessments: known(past.Assessments), counted: known(past.Counted), shortfall: known(past.Shortfall), expected: past.Expected}
		if past.Counted != nil {
			f.practices = 1
		}
		all = append(all, f)
	}
	slices.SortStableFunc(all, func(a, b pastFigures) int { return a.period.Compare(b.period) })
	return all
}

func (b *builder) addedHistory(of []*figures) []pastFigures {
	var all []pastFigures
	for _, f := range of {
		for _, past := range f.history {
			at := slices.IndexFunc(all, func(p pastFigures) bool { return p.period == past.period })
			if at < 0 {
				at = len(all)
				all = append(all, pastFigures{period: past.period, asAt: past.asAt})
			}
			sum := &all[at]
			sum.practices += past.practices
			sum.assessments = total(b.rule, sum.assessments, past.assessments)
			sum.counted = total(b.rule, sum.counted, past.counted)
			sum.shortfall = total(b.rule, sum.shortfall, past.shortfall)
			if past.expected != nil {
				sum.expected = plus(sum.expected, *past.expected)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b pastFigures) int { return a.period.Compare(b.period) })
	return all
}

// moneyOf is the practice's money. With small counts hidden only what follows from no count.
func (b *builder) moneyOf(p *published.Practice) moneyFigures {
	r := p.Reconciliation
	m := moneyFigures{contract: r.ContractValue, advance: r.AdvanceValue, paid: r.AdvancePaidToDate}
	if m.contract == nil {
		m.unknown = 1
	}
	if b.rule.IsOn() {
		return m
	}
	m.earned, m.held, m.balance, m.earnedOther = r.EarnedValue, r.HeldValue, r.Balance, r.EarnedValueOtherBasis
	m.projectedEarned, m.projectedBalance = r.ProjectedEarnedValue, r.ProjectedBalance
	if m.earned == nil {
		m.earnedUnknown = 1
	}
	return m
}

func (m moneyFigures) plus(o moneyFigures) moneyFigures {
	m.unknown += o.unknown
	m.earnedUnknown += o.earnedUnknown
	for _, pair := range []struct{ into, from **published.Pence }{
		{&m.contract, &o.contract}, {&m.advance, &o.advance}, {&m.paid, &o.paid}, {&m.earned, &o.earned}, {&m.held, &o.held},
		{&m.balance, &o.balance}, {&m.earnedOther, &o.earnedOther}, {&m.projectedEarned, &o.projectedEarned}, {&m.projectedBalance, &o.projectedBalance},
	} {
		if *pair.from != nil {
			*pair.into = plus(*pair.into, **pair.from)
		}
	}
	return m
}

// findingsOf are the findings, most money first. With small counts hidden, those about patients
// are left out: that there is one would say something of the counts.
func (b *builder) findingsOf(p *published.Practice) []findingFigures {
	annual := assessmentsValue(p)
	var all []findingFigures
	for _, row := range p.Findings {
		check := b.checks[row.Check]
		if b.rule.IsOn() && check.Counts() && !check.CountsFiles() {
			continue
		}
		f := findingFigures{check: check, practices: 1, affected: row.Affected, message: row.Message}
		f.check.Name, f.check.Severity = row.Check, row.Severity
		f.atStake = check.AtStake(row.Affected, p.Position.AnnualTarget)
		if worth := contract.Worth(f.atStake, annual, p.Position.AnnualTarget); worth != nil && f.atStake > 0 {
			f.worth = pointer(published.Pence(*worth))
		}
		all = append(all, f)
	}
	return sortedFindings(all)
}

func plusFindings(all, more []findingFigures) []findingFigures {
	for _, f := range more {
		at := slices.IndexFunc(all, func(a findingFigures) bool { return a.check.Name == f.check.Name })
		if at < 0 {
			f.message = ""
			all = append(all, f)
			continue
		}
		all[at].practices += f.practices
		all[at].affected += f.affected
		all[at].atStake += f.atStake
		if f.worth != nil {
			all[at].worth = plus(all[at].worth, *f.worth)
		}
	}
	return all
}

func sortedFindings(all []findingFigures) []findingFigures {
	slices.SortStableFunc(all, func(a, b findingFigures) int { return int(valueOf(b.worth) - valueOf(a.worth)) })
	return all
}

// assessmentsValue is the annual value of a practice's assessments domain, in pence; nil if not known.
func assessmentsValue(p *published.Practice) *int64 {
	for _, payment := range p.Payments {
		if payment.Domain == contract.Assessments && payment.AnnualValue != nil {
			return pointer(int64(*payment.AnnualValue))
		}
	}
	return nil
}

// atStake is what a practice's findings come to. An assessment may be in several of them, so that
// it is at most this: never more than all assessments are worth.
func atStake(findings []findingFigures, annual *int64) (worth *published.Pence) {
	for _, finding := range findings {
		if finding.worth != nil {
			worth = plus(worth, *finding.worth)
		}
	}
	if worth != nil && annual != nil && int64(*worth) > *annual {
		worth = pointer(published.Pence(*annual))
	}
	return worth
}

func (c coverageFigures) plus(o coverageFigures) coverageFigures {
	return coverageFigures{
		search: c.search + o.search, bulk: c.bulk + o.bulk, batch: c.batch + o.batch, registers: c.registers + o.registers, refused: c.refused + o.refused,
		newest: max(c.newest, o.newest),
	}
}

func plus[N int64 | float64 | published.Pence](sum *N, more N) *N {
	if sum != nil {
		more += *sum
	}
	return &more
}

func valueOf[N int64 | published.Pence](n *N) N {
	if n == nil {
		return 0
	}
	return *n
}

func pointer[N any](n N) *N { return &n }
