package dashboard

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"ltcles/fixtures"
	"ltcles/pipeline/contract"
	"ltcles/pipeline/published"
	"ltcles/pipeline/published/publishedtest"
	"ltcles/pipeline/snapshot"
)

// TestAttackOnThePage makes, for each hidden count of a published workspace and each of 1 to 7,
// another workspace in which the count is that, with every figure that is no base count made up
// at random: its page is the same byte for byte. So nothing in the file, its charts, money, titles
// and order among it, tells the seven apart.
func TestAttackOnThePage(t *testing.T) {
	for _, options := range []fixtures.Options{publishedtest.Options(), {Seed: 3, Practices: 6, Patients: 700, Periods: []string{"2027-01", "2026-27"}}} {
		t.Run(fmt.Sprintf("%d practices of %d patients %v", options.Practices, options.Patients, options.Periods), func(t *testing.T) {
			m := attacked(t, options)
			page := suppressed(t, m)
			t.Run("no small count is on it", func(t *testing.T) { noSmallCount(t, page) })
			t.Run("segments that do not cover what counts", func(t *testing.T) { notCovering(t, m) })
			random := rand.New(rand.NewPCG(1, 2))
			hidden := 0
			for i, p := range m.Year.Practices {
				if p.IsMissing() {
					continue
				}
				for _, other := range alikes(p) {
					if other == nil {
						t.Fatalf("%s: a hidden count cannot be one of 1 to 7 with the others as they are shown", p.Code)
					}
					hidden++
					altered := *m
					year := *m.Year
					altered.Year, year.Practices = &year, slices.Clone(m.Year.Practices)
					altered.Lags, altered.History = nil, nil
					for at, practice := range year.Practices {
						if at == i {
							practice = other
						}
						year.Practices[at] = madeUp(practice, random)
					}
					if !bytes.Equal(page, suppressed(t, &altered)) {
						t.Fatalf("%s: the page differs where a hidden count differs", p.Code)
					}
				}
			}
			t.Logf("%d hidden counts, each of 1 to 7 in its place: 0 recovered", hidden/7)
			if hidden < 7*10 {
				t.Errorf("%d hidden counts; expected at least 10", hidden/7)
			}
		})
	}
}

func attacked(t *testing.T, options fixtures.Options) *Material {
	t.Helper()
	w := publishedtest.Publish(t, t.TempDir(), options)
	r, err := published.Open(context.Background(), snapshot.Store{Dir: w.Published()}, "", published.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	c, err := contract.Load("", contract.Year(r.Period.ContractYear))
	if err != nil {
		t.Fatal(err)
	}
	m, err := Read(context.Background(), r, c)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func suppressed(t *testing.T, m *Material) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := Write(&out, m, Options{Suppress: true, Program: "ltcles"}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// alikes are practices whose base counts are shown as this one's are: for each count that is shown
// as hidden, seven in which it is 1 to 7.
func alikes(p *published.Practice) []*published.Practice {
	rule := smallNumbers()
	var all []*published.Practice
	for _, b := range blocksOf(p) {
		whole, shown := rule.protect(b.whole, b.breakdowns...)
		if whole.Standing == Hidden {
			for n := int64(1); n <= rule.Hide; n++ {
				all = append(all, b.with(n, b.breakdownsOf(n)))
			}
		}
		for i, parts := range shown {
			for at, part := range parts {
				if part.Standing != Hidden {
					continue
				}
				for n := int64(1); n <= rule.Hide; n++ {
					all = append(all, b.alike(i, at, n))
				}
			}
		}
	}
	return all
}

// linkedCounts are a total of a practice with its breakdowns, and how the practice looks with others.
type linkedCounts struct {
	whole      int64
	breakdowns []breakdown
	with       func(whole int64, breakdowns []breakdown) *published.Practice
}

func blocksOf(p *published.Practice) []linkedCounts {
	position := p.Position
	assessed, outstanding := breakdown{linkage: cover}, breakdown{linkage: cover}
	for _, s := range p.Segments {
		assessed.parts, outstanding.parts = append(assessed.parts, *s.AssessedPatients), append(outstanding.parts, *s.OutstandingPatients)
	}
	months := breakdown{}
	for _, month := range p.Months {
		months.parts = append(months.parts, month.Counted)
	}
	return []linkedCounts{
		{*position.Counted, []breakdown{assessed, {within, []int64{*position.CountedLate, *position.CountedUnproven}}, months}, func(whole int64, b []breakdown) *published.Practice {
			other := copied(p)
			other.Position.Counted, other.Position.CountedLate, other.Position.CountedUnproven = &whole, &b[1].parts[0], &b[1].parts[1]
			other.Position.Assessments = pointer(whole + *position.Assessments - *position.Counted)
			other.Overlaps = []published.Overlap{{SegmentSet: "cardiovascular", Segments: 1, AssessedPatients: whole}}
			for at := range other.Segments {
				other.Segments[at].AssessedPatients = &b[0].parts[at]
			}
			for at := range other.Months {
				other.Months[at].Counted = b[2].parts[at]
			}
			return other
		}},
		{*position.OutstandingPatients, []breakdown{outstanding}, func(whole int64, b []breakdown) *published.Practice {
			other := copied(p)
			other.Position.OutstandingPatients = &whole
			for at := range other.Segments {
				other.Segments[at].OutstandingPatients = &b[0].parts[at]
			}
			return other
		}},
		{*position.Assessments - *position.Counted, nil, func(whole int64, _ []breakdown) *published.Practice {
			other := copied(p)
			other.Position.Assessments = pointer(*position.Counted + whole)
			return other
		}},
	}
}

func copied(p *published.Practice) *published.Practice {
	other := *p
	other.Segments, other.Months = slices.Clone(p.Segments), slices.Clone(p.Months)
	return &other
}

// breakdownsOf break another total down as this one is.
func (b linkedCounts) breakdownsOf(whole int64) []breakdown {
	var all []breakdown
	for _, each := range b.breakdowns {
		parts := make([]int64, len(each.parts))
		if len(parts) > 0 && each.linkage != within {
			parts[0] = whole
		}
		all = append(all, breakdown{each.linkage, parts})
	}
	return all
}

// alike finds counts that are shown as these are, where one of them is n; nil where there are none.
func (b linkedCounts) alike(i, at int, n int64) *published.Practice {
	rule := smallNumbers()
	class, shown := rule.protect(b.whole, b.breakdowns...)
	span := rule.span(class)
	for whole := span.low; whole <= span.high; whole++ {
		breakdowns := make([]breakdown, len(b.breakdowns))
		for other := range b.breakdowns {
			told := rule.spansOf(b.breakdowns[other].linkage, shown[other])
			if other == i {
				told = told.with(at, n)
			}
			if len(shown[other]) > 0 && shown[other][0].Standing == Withheld {
				breakdowns[other] = b.moved(other, whole)
			} else {
				breakdowns[other] = breakdown{told.linkage, filled(told, whole)}
			}
		}
		if slices.ContainsFunc(breakdowns, func(each breakdown) bool { return each.parts == nil }) {
			continue
		}
		if again, parts := rule.protect(whole, breakdowns...); again == class && reflect.DeepEqual(parts, shown) {
			return b.with(whole, breakdowns)
		}
	}
	return nil
}

// moved is a withheld breakdown for another total, the difference in its largest part.
func (b linkedCounts) moved(i int, whole int64) breakdown {
	parts := slices.Clone(b.breakdowns[i].parts)
	if b.breakdowns[i].linkage == partition {
		largest := slices.Index(parts, slices.Max(parts))
		parts[largest] += whole - b.whole
	}
	return breakdown{b.breakdowns[i].linkage, parts}
}

// filled are parts that have the total; nil where there are none.
func filled(b spans, whole int64) []int64 {
	parts := make([]int64, len(b.parts))
	var sum int64
	for at, part := range b.parts {
		parts[at] = part.low
		sum += part.low
	}
	for at, part := range b.parts {
		if b.linkage != within && sum < whole {
			more := min(part.high, whole) - parts[at]
			if b.linkage == partition {
				more = min(more, whole-sum)
			}
			parts[at] += max(0, more)
			sum += max(0, more)
		}
	}
	if !b.fits(whole) || b.linkage == partition && sum != whole || b.linkage == cover && sum < whole {
		return nil
	}
	return parts
}

// madeUp puts anything into what is neither a base count nor known without counts.
func madeUp(p *published.Practice, random *rand.Rand) *published.Practice {
	other := copied(p)
	if p.IsMissing() {
		return other
	}
	any := func() *int64 { return pointer(random.Int64N(500)) }
	share := func() *float64 { return pointer(random.Float64()) }
	pence := func() *published.Pence { return pointer(published.Pence(random.Int64N(1_000_000))) }
	q := &other.Position
	for _, n := range []**int64{&q.CountedOnTime, &q.WithoutSegment, &q.WithoutEligibility, &q.RepeatAssessments, &q.RemovedLeft, &q.RemovedDeceased, &q.EligiblePatients,
		&q.CohortPatients, &q.ProjectedYearEnd, &q.InclusiveShortfall, &q.ExclusiveShortfall, &q.SegmentsMet} {
		*n = any()
	}
	q.Achievement, q.AchievementCapped, q.AchievementAll = share(), share(), share()
	for at := range other.Segments {
		s := &other.Segments[at]
		s.CohortPatients, s.AssessedOnTime, s.Shortfall, s.IsMinimumMet = any(), any(), any(), pointer(random.IntN(2) == 0)
	}
	for at := range other.Months {
		other.Months[at].Assessments = *any()
	}
	other.SegmentMonths, other.MDT, other.Dispositions = nil, nil, nil
	r := &other.Reconciliation
	r.EarnedValue, r.HeldValue, r.Balance, r.EarnedValueOtherBasis, r.BalanceOtherBasis, r.ProjectedEarnedValue, r.ProjectedBalance = pence(), pence(), pence(), pence(), pence(), pence(), pence()
	other.Payments = slices.Clone(p.Payments)
	for at := range other.Payments {
		other.Payments[at].EarnedValue, other.Payments[at].HeldValue, other.Payments[at].Balance = pence(), pence(), pence()
	}
	other.Findings = nil
	for _, finding := range p.Findings {
		if !slices.Contains([]string{"file_refused", "duplicate_file", "file_ignored", "stale_extract", "extract_after_as_at", "place_choice_undecided", "missing_target", "missing_contract_value"}, finding.Check) {
			continue
		}
		other.Findings = append(other.Findings, finding)
	}
	if random.IntN(2) == 0 {
		late := published.Finding{Check: "assessment_without_segment", Severity: "warning", Affected: *any(), Message: "3 assessment(s)"}
		other.Findings = append(other.Findings, late)
	}
	return other
}

// notCovering: where an assessment may count without a segment, nothing is known to link the two,
// so the segments are not shown.
func notCovering(t *testing.T, m *Material) {
	altered := *m
	year := *m.Year
	altered.Year, year.Practices = &year, slices.Clone(m.Year.Practices)
	first := copied(year.Practices[0])
	first.Position.Counted = pointer(*first.Position.Counted + 1)
	year.Practices[0] = first
	root, err := html.Parse(bytes.NewReader(suppressed(t, &altered)))
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for n := range root.Descendants() {
		if n.Data == "tr" && n.Parent.Data == "tbody" && attributeOf(n.Parent.Parent, "data-table") == "segments" {
			rows++
			if assessed := said(n.FirstChild.NextSibling); assessed != "not shown" && assessed != "no data" {
				t.Errorf("a segment has %s assessed; expected it not to be shown", assessed)
			}
		}
	}
	if rows == 0 {
		t.Error("no segment is on the page")
	}
}

// noSmallCount reads every count of patients on the page: each is a multiple of 5, or in words.
func noSmallCount(t *testing.T, page []byte) {
	root, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	columns := map[string][]int{"segments": {1, 3, 4}, "months": {1, 2}, "timeliness": {1}, "others": {1}, "practices": {5}, "places": {4}}
	read := 0
	for n := range root.Descendants() {
		if n.Data != "table" {
			continue
		}
		for row := range n.Descendants() {
			if row.Data != "tr" || row.Parent.Data != "tbody" {
				continue
			}
			var cells []string
			for cell := range row.ChildNodes() {
				cells = append(cells, said(cell))
			}
			for _, at := range columns[attributeOf(n, "data-table")] {
				read++
				var count int64
				switch text := strings.ReplaceAll(cells[at], ",", ""); text {
				case "1 to 7", "not shown", "no data":
				default:
					if _, err := fmt.Sscan(text, &count); err != nil || count%5 != 0 {
						t.Errorf("a count of %s is %q", attributeOf(n, "data-table"), cells[at])
					}
				}
			}
		}
		for _, kept := range []string{"lag", "overlap", "sets", "history"} {
			if attributeOf(n, "data-table") == kept {
				t.Errorf("there is a table %s", kept)
			}
		}
	}
	if read < 100 {
		t.Errorf("%d counts read", read)
	}
}

func said(n *html.Node) string {
	var text strings.Builder
	for child := range n.Descendants() {
		if child.Type == html.TextNode {
			text.WriteString(child.Data)
		}
	}
	return text.String()
}

func attributeOf(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}
