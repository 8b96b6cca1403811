package dashboard

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"ltcles/pipeline/civil"
	"ltcles/pipeline/contract"
	"ltcles/pipeline/published"
)

// common are the blocks of every section.
func (b *builder) common(id string, f *figures) []block {
	return []block{b.activity(id, f), b.segmentsBlock(id, f), b.coding(id, f), b.overlap(id, f), b.findings(id, f), b.money(id, f), b.past(id, f), b.others(id, f)}
}

func (b *builder) activity(id string, f *figures) block {
	made := block{ID: id + "-activity", Heading: "Activity by month"}
	t := table{
		Name: "months", Caption: "Counted assessments by month", Kind: "bars",
		Chart: "Bars of counted assessments in each month, a line of their running total, and a dashed line of the total that is expected at an even pace.",
		Head:  []head{{Text: "Month"}, {Text: "In the month", Number: true, Series: "bar"}, {Text: "So far", Number: true, Series: "line"}, {Text: "Expected so far", Number: true, Series: "dash"}},
	}
	for at, month := range b.months {
		end := min(b.cutOff, civil.FromTime(month.Time().AddDate(0, 1, -1)))
		expected := cell{Text: "no target", Tone: "quiet"}
		if f.target > 0 {
			expected = text("%.0f", b.expectedBy(f.target, end))
		}
		soFar := total(b.rule, f.months[:at+1]...)
		if b.rule.IsOn() && soFar.IsShown() && f.counted.IsShown() && soFar.N > f.counted.N {
			soFar = f.counted // hidden months are reckoned with as their middle, which may come to more than the year
		}
		t.Rows = append(t.Rows, []cell{text(monthName(month)), b.count(f.months[at]), b.count(soFar), expected})
	}
	made.Lead = unshown(made.Lead, f, f.withheld.months, "months")
	b.explainHidden(&t, 1)
	made.Tables = []table{t}
	return made
}

func (b *builder) segmentsBlock(id string, f *figures) block {
	made := block{ID: id + "-segments", Heading: "Segments against their minimums"}
	t := table{
		Name: "segments", Caption: "Assessed patients in each segment, and the least that the contract asks for", Kind: "rows",
		Chart: "Bars of assessed patients in each segment beside the minimum of the segment.",
		Head:  []head{{Text: "Segment"}, {Text: "Assessed", Number: true, Series: "bar"}, {Text: "Minimum", Number: true, Series: "mark"}},
	}
	single := f.practices == 1
	if !b.rule.IsOn() {
		t.Head = append(t.Head, head{Text: "Short by", Number: true}, head{Text: "Has its minimum"})
	}
	t.Head = append(t.Head, head{Text: "Not yet assessed", Number: true}, head{Text: "In the segment", Number: true})
	if !b.rule.IsOn() {
		t.Head = append(t.Head, head{Text: "Coded on time", Number: true})
	}
	for _, s := range f.segments {
		label := s.segment.Name
		if s.segment.Segment == contract.PlaceChoice && s.cohort != "" {
			label += ": " + words(s.cohort)
		}
		minimum := maybe(s.minimum, "not set")
		if s.segment.MinimumShare != nil && s.minimum == nil {
			minimum.Text = "no target"
		}
		row := []cell{text(label), b.count(s.assessed), minimum}
		if !b.rule.IsOn() {
			row = append(row, b.judged(f, s.shortfall), metCell(s, single))
		}
		row = append(row, b.count(s.outstanding), b.count(total(b.rule, s.assessed, s.outstanding)))
		if s.assessed.Standing == Withheld {
			row[len(row)-1] = b.count(Count{0, Withheld})
		}
		if !b.rule.IsOn() {
			row = append(row, b.count(s.onTime))
		}
		t.Rows = append(t.Rows, row)
	}
	made.Lead = []string{"A patient may be in several segments, so the rows do not add up to the number of patients."}
	if !b.rule.IsOn() && f.target > 0 {
		of := ""
		if !single {
			of = " (practices added up; what one has too much of does not help another)"
		}
		t.Foot = append(t.Foot,
			"There are two readings of the minimums. One assessment may serve every segment that its patient is in: then the segments are short by "+b.judged(f, f.inclusive).Text+" in all. Or each assessment may serve one segment only: then at least "+b.judged(f, f.exclusive).Text+" more are needed"+of+".")
	}
	made.Lead = unshown(unshown(made.Lead, f, f.withheld.assessed, "assessed patients in segments"), f, f.withheld.outstanding, "patients in segments who are not yet assessed")
	b.explainHidden(&t, 1)
	made.Tables = []table{t}
	return made
}

// unshown adds how many practices' counts are not shown because a hidden one could be worked out,
// and are in no sum.
func unshown(lead []string, f *figures, practices int, counts string) []string {
	switch {
	case practices == 0:
		return lead
	case f.practices == 1:
		return append(lead, "Its "+counts+" are not shown, because a small number could be worked out.")
	}
	return append(lead, "The "+counts+" of "+some(practices, "practice")+" are not shown, because a small number could be worked out, and are in no sum here.")
}

// explainHidden says why a chart has gaps.
func (b *builder) explainHidden(t *table, column int) {
	if slices.ContainsFunc(t.Rows, func(row []cell) bool { return row[column].Text == (Count{0, Hidden}).Text(b.rule) }) {
		t.Foot = append(t.Foot, "A hidden count has no bar.")
	}
}

func metCell(s segmentFigures, single bool) cell {
	switch {
	case s.practices == 0:
		return cell{Text: "not known", Tone: "quiet"}
	case !single:
		return text("%d of %s", s.practiceMet, some(s.practices, "practice"))
	case s.practiceMet == 1:
		return cell{Text: "yes", Tone: "good"}
	}
	return cell{Text: "no", Tone: "bad"}
}

func (b *builder) coding(id string, f *figures) block {
	made := block{ID: id + "-coding", Heading: "How soon assessments are coded"}
	made.Tables = []table{{
		Name: "timeliness", Caption: "Counted assessments by when they were coded",
		Head: []head{{Text: "Coded"}, {Text: "Counted assessments", Number: true}},
		Rows: [][]cell{
			{text("on time, by " + day(b.Contract.CodingDeadline) + b.assumed("coding_deadline")), b.count(f.onTime)},
			{text("late: valid, payment held"), b.count(f.late)},
			{text("nothing shows when: valid, payment held"), b.count(f.unproven)},
		},
	}}
	if b.rule.IsOn() {
		made.Lead = unshown(nil, f, f.withheld.timeliness, "late and unproven assessments")
		return made
	}
	t := table{
		Name: "lag", Caption: "Days from the assessment to its recording", Kind: "rows",
		Chart: "Bars of counted assessments by the days from the assessment to its recording.",
		Head:  []head{{Text: "Recorded"}, {Text: "Counted assessments", Number: true, Series: "bar"}},
	}
	counts := make([]int64, len(lagBands()))
	var known []Lag
	for _, lag := range f.lags {
		counts[bandOf(lag.Days)] += lag.Assessments
		if lag.Days != nil {
			known = append(known, lag)
		}
	}
	for at, band := range lagBands() {
		t.Rows = append(t.Rows, []cell{text(band.name), whole(counts[at])})
	}
	if median, ok := medianLag(known); ok {
		made.Lead = []string{fmt.Sprintf("Half of those with a date recorded were entered within %s of the assessment.", some(int(median), "day"))}
	}
	made.Tables = append(made.Tables, t)
	return made
}

func (b *builder) assumed(key string) string {
	if b.Contract.IsAssumed(key) {
		return " (to be confirmed)"
	}
	return ""
}

type band struct {
	name string
	last int64
}

// lagBands end with the assessments of which no file says when they were recorded.
func lagBands() []band {
	return []band{{"before its day", -1}, {"the same day", 0}, {"after 1 to 7 days", 7}, {"after 8 to 30 days", 30}, {"after 31 to 90 days", 90}, {"after more than 90 days", math.MaxInt64}, {"not known", 0}}
}

func bandOf(days *int64) int {
	bands := lagBands()
	if days == nil {
		return len(bands) - 1
	}
	return slices.IndexFunc(bands, func(b band) bool { return *days <= b.last })
}

// medianLag is the least number of days within which at least half were recorded.
func medianLag(lags []Lag) (int64, bool) {
	var all, so int64
	slices.SortFunc(lags, func(a, b Lag) int { return cmp.Compare(*a.Days, *b.Days) })
	for _, lag := range lags {
		all += lag.Assessments
	}
	for _, lag := range lags {
		if so += lag.Assessments; 2*so >= all {
			return max(0, *lag.Days), true
		}
	}
	return 0, false
}

func (b *builder) overlap(id string, f *figures) block {
	if b.rule.IsOn() || len(f.overlap) == 0 {
		return block{}
	}
	byNumber := table{
		Name: "overlap", Caption: "Patients by the number of segments they are in", Kind: "bars",
		Chart: "Bars of patients by the number of segments that they are in, assessed and not yet assessed.",
		Head:  []head{{Text: "Segments"}, {Text: "Patients", Number: true}, {Text: "Assessed", Number: true, Series: "stack"}, {Text: "Not yet assessed", Number: true, Series: "stack"}},
	}
	sets := table{
		Name: "sets", Folded: true, Caption: "Patients by the exact set of segments they are in",
		Head: []head{{Text: "Segments"}, {Text: "Patients", Number: true}, {Text: "Assessed", Number: true}, {Text: "Not yet assessed", Number: true}},
	}
	sums := make([]overlapFigures, len(b.Year.Segments)+1)
	listed := slices.Clone(f.overlap)
	slices.SortStableFunc(listed, func(a, b overlapFigures) int {
		return cmp.Or(cmp.Compare(b.patients, a.patients), strings.Compare(a.set, b.set))
	})
	for _, row := range listed {
		if row.segments < int64(len(sums)) {
			sums[row.segments].patients += row.patients
			sums[row.segments].assessed += row.assessed
			sums[row.segments].outstanding += row.outstanding
		}
		sets.Rows = append(sets.Rows, []cell{text(b.setName(row.set)), whole(row.patients), whole(row.assessed), whole(row.outstanding)})
	}
	for n, row := range sums {
		if n > 0 {
			byNumber.Rows = append(byNumber.Rows, []cell{text(fmt.Sprint(n)), whole(row.patients), whole(row.assessed), whole(row.outstanding)})
		}
	}
	return block{ID: id + "-overlap", Heading: "Patients in several segments", Tables: []table{byNumber, sets}}
}

// setName names the segments of a set by their first words.
func (b *builder) setName(set string) string {
	var names []string
	for _, segment := range strings.Split(set, "+") {
		names = append(names, words(segment))
	}
	return strings.Join(names, " + ")
}

func (b *builder) findings(id string, f *figures) block {
	made := block{ID: id + "-findings", Heading: "Data quality", IsWide: true}
	if b.rule.IsOn() {
		made.Lead = []string{"Findings about patients are left out of a page that hides small numbers."}
	}
	if len(f.findings) == 0 {
		made.Lead = append(made.Lead, "No finding.")
		return made
	}
	made.Lead = append(made.Lead, "At stake is what the assessments that a finding is about are worth: each is its part of the annual value of the assessments domain. An assessment may be in several findings.")
	t := table{Name: "findings", Caption: "Findings, most money at stake first", Head: []head{{Text: "Finding"}}}
	single := f.practices == 1
	if !single {
		t.Head = append(t.Head, head{Text: "Practices", Number: true})
	}
	t.Head = append(t.Head, head{Text: "Affected", Number: true}, head{Text: "At stake", Number: true}, head{Text: "What to do"})
	for _, finding := range sortedFindings(slices.Clone(f.findings)) {
		said := cell{Text: finding.check.Meaning, Tone: finding.check.Severity}
		if single && !b.rule.IsOn() {
			said.Text = finding.message
		}
		affected := text("")
		if finding.check.Counts() {
			affected = whole(finding.affected)
		}
		atStake := text("")
		if finding.worth != nil {
			atStake = pounds(finding.worth)
		}
		row := []cell{said}
		if !single {
			row = append(row, text(fmt.Sprint(finding.practices)))
		}
		t.Rows = append(t.Rows, append(row, affected, atStake, text(finding.check.Fix)))
	}
	made.Tables = []table{t}
	return made
}

func (b *builder) money(id string, f *figures) block {
	made := block{ID: id + "-money", Heading: "Money"}
	row := func(label string, p *published.Pence) []cell { return []cell{text(label), pounds(p)} }
	m := f.money
	t := table{Name: "money", Caption: "The contract year's money", Head: []head{{Text: "Amount"}, {Text: "Pounds", Number: true}}, Rows: [][]cell{
		row("Contract value", m.contract),
		row("Advance over the year ("+b.Contract.AdvanceShare.String()+")", m.advance),
		row("Advance paid by "+monthName(b.Period.End()), m.paid),
	}}
	if b.rule.IsOn() {
		made.Lead = []string{"What activity earns is left out, because counts could be worked out from it."}
	} else {
		t.Rows = append(t.Rows,
			row("Earned by activity so far", m.earned), row("of it held, because coding is late or not shown to be on time", m.held),
			row("Balance: earned less the year's advance", m.balance), row("Earned at the projected year end", m.projectedEarned), row("Balance at the projected year end", m.projectedBalance),
			row("Earned so far on the basis that is not selected", m.earnedOther))
		made.Lead = []string{b.basis()}
		if m.earnedUnknown > 0 && f.practices > 1 {
			made.Lead = append(made.Lead, "What is earned is not known of "+some(m.earnedUnknown, "practice")+", which are in no such sum.")
		}
	}
	if m.unknown > 0 && f.practices > 1 {
		made.Lead = append(made.Lead, "The contract value is not known of "+some(m.unknown, "practice")+", which are in no sum.")
	}
	made.Tables = []table{t}
	return made
}

// basis says what the money rests on.
func (b *builder) basis() string {
	basis, status := "", "provisional"
	for _, p := range b.Year.Practices {
		basis, status = p.Reconciliation.Basis, p.Reconciliation.Status
	}
	said := "The assessments domain follows activity; implementation and MDT are earned in full"
	if basis == contract.WholeContract {
		said = "The whole contract value follows activity"
	}
	return said + b.assumed("reconciliation_basis") + ". These figures are " + status + "."
}

func (b *builder) past(id string, f *figures) block {
	if b.rule.IsOn() || len(f.history) == 0 {
		return block{}
	}
	t := table{
		Name: "history", Caption: "What each period showed when it was published", Kind: "bars",
		Chart: "Bars of counted assessments as each period showed them, and a dashed line of what was expected by then.",
		Head: []head{{Text: "Period"}, {Text: "As at"}, {Text: "Counted", Number: true, Series: "bar"}, {Text: "Expected", Number: true, Series: "dash"},
			{Text: "All assessments", Number: true}, {Text: "Short of minimums by", Number: true}},
	}
	if f.practices > 1 {
		t.Head = append(t.Head, head{Text: "Practices with data", Number: true})
	}
	for _, p := range f.history {
		expected := cell{Text: "not known", Tone: "quiet"}
		if p.expected != nil {
			expected = text("%.0f", *p.expected)
		}
		row := []cell{text(periodName(p.period)), text(day(p.asAt)), b.count(p.counted), expected, b.count(p.assessments), b.judged(f, p.shortfall)}
		if f.practices > 1 {
			row = append(row, text(fmt.Sprint(p.practices)))
		}
		t.Rows = append(t.Rows, row)
	}
	return block{ID: id + "-history", Heading: "The year by period", Tables: []table{t}}
}

func (b *builder) others(id string, f *figures) block {
	made := block{ID: id + "-others", Heading: "Other counts"}
	t := table{Name: "others", Caption: "Patients", Head: []head{{Text: "Count"}, {Text: "Patients", Number: true}}, Rows: [][]cell{
		{text("in at least one segment"), b.count(f.cohort)},
		{text("of them not yet assessed"), b.count(f.outstanding)},
		{text("assessed and not counted"), b.count(f.notCounted)},
	}}
	if !b.rule.IsOn() {
		t.Rows = append(t.Rows,
			[]cell{text("with the eligibility code"), b.count(f.eligible)},
			[]cell{text("assessed without the eligibility code"), b.count(f.withoutEligibility)},
			[]cell{text("assessed last year too (no data where last year is not published)"), b.count(f.repeat)},
			[]cell{text("with a claim that does not count because they left"), b.count(f.left)},
			[]cell{text("with a claim that does not count because they died"), b.count(f.deceased)})
	}
	made.Tables = []table{t}
	return made
}

func (b *builder) received(id string, f *figures) block {
	c := f.coverage
	return block{ID: id + "-files", Heading: "Files received", Tables: []table{{
		Name: "files", Caption: "Files of the practice", Head: []head{{Text: "Kind"}, {Text: "Files", Number: true}}, Rows: [][]cell{
			{text("search exports"), whole(c.search)}, {text("bulk extract files"), whole(c.bulk)}, {text("batch-add files"), whole(c.batch)},
			{text("registers"), whole(c.registers)}, {text("refused"), whole(c.refused)},
		}, Foot: []string{"Newest extract: " + day(c.newest) + "."},
	}}}
}

func (b *builder) placesBlock(id string, places []*placed) block {
	t := table{
		Name: "places", Caption: "Achievement by place", Kind: "rows", Chart: "Bars of the share of the target that each place has achieved, beside the share expected by now.",
		Head: []head{{Text: "Place"}, {Text: "Practices", Number: true}, {Text: "Without data", Number: true}, {Text: "Target", Number: true}, {Text: "Counted", Number: true},
			{Text: "Achieved", Number: true, Series: "bar"}, {Text: "Expected by now", Number: true, Series: "mark"}},
	}
	for at, place := range places {
		f := b.added(place.figures)
		expected := cell{Text: "no target", Tone: "quiet"}
		if f.target > 0 {
			expected = text(b.percent(int64(f.expected*1000), f.target*1000))
		}
		t.Rows = append(t.Rows, []cell{
			{Text: place.name, Href: placeLink(at, place.name).Href, IsName: true}, text(fmt.Sprint(f.practices)), text(fmt.Sprint(len(f.missing))),
			whole(f.target), b.count(f.counted), b.share(f.towards, f.target), expected,
		})
	}
	return block{ID: id + "-places", Heading: "Places", IsWide: true, Tables: []table{t}}
}

// league is the table of practices, in the order of what is shown of their achievement.
func (b *builder) league(id string, practices []*published.Practice, all []*figures) block {
	t := table{
		Name: "practices", Caption: "Practices; a column's heading sorts by it", Sorts: true,
		Head: []head{{Text: "Practice"}, {Text: "Code"}, {Text: "Place"}, {Text: "PCN"}, {Text: "Target", Number: true}, {Text: "Counted", Number: true},
			{Text: "Achieved", Number: true}, {Text: "Projected", Number: true}},
	}
	if !b.rule.IsOn() {
		t.Head = append(t.Head, head{Text: "Segments met", Number: true}, head{Text: "Short (inclusive)", Number: true}, head{Text: "Short (exclusive)", Number: true}, head{Text: "At stake, at most", Number: true})
	}
	for i, p := range practices {
		f := all[i]
		target := cell{Text: "none", Order: "-1", Tone: "quiet"}
		if f.target > 0 {
			target = whole(f.target)
		}
		row := []cell{
			{Text: p.Title(), Href: practiceLink(p.Code), IsName: true}, text("%s", p.Code), name(p.Place), name(p.PCNName), target,
			b.count(f.counted), b.share(f.towards, f.target), b.share(f.projected, f.target),
		}
		if !b.rule.IsOn() {
			atStake := cell{Text: "none", Order: "0", Tone: "quiet"}
			if f.atStake != nil {
				atStake = pounds(f.atStake)
			}
			row = append(row, b.judged(f, f.segmentsMet), b.judged(f, f.inclusive), b.judged(f, f.exclusive), atStake)
		}
		t.Rows = append(t.Rows, row)
	}
	return block{ID: id + "-practices", Heading: "Practices", IsWide: true, Tables: []table{t}}
}

func (b *builder) missingBlock(id string, f *figures) block {
	if len(f.missing) == 0 {
		return block{}
	}
	made := block{ID: id + "-missing", Heading: "Practices without data", IsWide: true, Lead: []string{"No search export or bulk extract of these practices was read. Ask them for it, and run the period again."}}
	for _, p := range f.missing {
		made.Links = append(made.Links, link{practiceLink(p.Code), p.Title() + " (" + p.Code + ")"})
	}
	return made
}

func (b *builder) due(id string) block {
	made := block{ID: id + "-due", Heading: "What is due next"}
	t := table{Name: "due", Caption: "Dates of the contract year after " + day(b.AsAt), Head: []head{{Text: "When"}, {Text: "What"}, {Text: "Standing"}}}
	for _, date := range b.Contract.Calendar(b.AsAt) {
		standing := text("stated")
		if date.IsAssumed {
			standing = text("to be confirmed")
		}
		t.Rows = append(t.Rows, []cell{text("%s", dueDay(date.When)), text("%s", date.What), standing})
	}
	if len(t.Rows) == 0 {
		made.Lead = []string{"Nothing more is due in this contract year."}
		return made
	}
	made.Tables = []table{t}
	return made
}

// dueDay writes a day, or a month, of the calendar.
func dueDay(when string) string {
	if d, err := civil.Parse(when); err == nil {
		return day(d)
	}
	if d, err := civil.Parse(when + "-01"); err == nil {
		return d.Time().Format("January 2006")
	}
	return when
}

func (b *builder) meanings(id string) block {
	made := block{ID: id + "-meanings", Heading: "How to read this", IsWide: true, Facts: []fact{
		{"Counted", b.countedMeaning()},
		{"Achieved", "Counted assessments as a share of the annual target. Practices without data or without a target are in neither."},
		{"Expected", "The part of the target that falls on the days of the contract year up to " + day(b.cutOff) + "."},
		{"Projected", "Counted assessments at the year's end if the pace stays the same."},
		{"No data", "Nothing was received. It is never the same as 0."},
		{"To be confirmed", "No source states this for the contract year."},
	}}
	if b.rule.IsOn() {
		made.Facts = append(made.Facts,
			fact{fmt.Sprintf("1 to %d", b.rule.Hide), fmt.Sprintf("A count of 1 to %d is hidden. Other counts of patients are rounded to the nearest %d, 0 stays 0, and what is worked out from counts is worked out from the rounded ones, so rows may not add up. In totals a hidden count is taken for %d.", b.rule.Hide, b.rule.Round, b.rule.middle())},
			fact{"Not shown", "Left out because a hidden count could be worked out from it."},
			fact{"Left out", "Coding lag, overlap, shortfalls, findings about patients, what is earned, removed patients and earlier periods, from each of which a hidden count could be worked out."},
		)
	}
	return made
}

// countedMeaning follows the policies of the contract's file (SPEC §8).
func (b *builder) countedMeaning() string {
	said := "Assessments that count towards the target: those of patients in at least one segment"
	if b.Contract.Policies.CountWithoutSegment {
		said = "Assessments that count towards the target, those of patients in no segment too"
	}
	if b.Contract.Policies.RequireEligibility {
		said += ", where the patient has the eligibility code"
	}
	return said + "."
}

func percentage(share float64) string {
	return fmt.Sprintf("%.1f", math.Max(0, math.Min(100, share*100)))
}
