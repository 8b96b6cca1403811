package dashboard_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"ltcles/pipeline/contract"
	"ltcles/pipeline/dashboard"
	"ltcles/pipeline/published"
	"ltcles/pipeline/published/publishedtest"
	"ltcles/pipeline/snapshot"
)

// material is read from the small published workspace.
func material(t *testing.T) *dashboard.Material {
	t.Helper()
	return materialOf(t, publishedtest.Store(t))
}

func materialOf(t *testing.T, store snapshot.Store) *dashboard.Material {
	t.Helper()
	r, err := published.Open(context.Background(), store, "", published.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	c, err := contract.Load("", contract.Year(r.Period.ContractYear))
	if err != nil {
		t.Fatal(err)
	}
	m, err := dashboard.Read(context.Background(), r, c)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func written(t *testing.T, m *dashboard.Material, o dashboard.Options) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := dashboard.Write(&out, m, o); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func parsed(t *testing.T, page []byte) *html.Node {
	t.Helper()
	root, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func TestContractOfThePage(t *testing.T) {
	store := publishedtest.Store(t)
	for _, tt := range []struct {
		what, period, sha256 string
		isPurged             bool
		want                 string
	}{
		{"as it was", "", "", false, ""},
		{"changed since", "", "another", false, "The contract's file has changed since this period was computed: dates and words on this page are of the file as it is now (built-in contract 2026-27.yaml)."},
		{"of an earlier period", "2026-05", "", false, ""},
		{"changed since an earlier period", "2026-05", "another", false, "The contract's file has changed since this period was computed: dates and words on this page are of the file as it is now (built-in contract 2026-27.yaml)."},
		{"purged", "2026-05", "", true, "Which contract file this period was computed with is not known: the snapshot that said so is purged."},
	} {
		t.Run(tt.what, func(t *testing.T) {
			r, err := published.Open(context.Background(), store, tt.period, published.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			if tt.isPurged {
				r.Reference = nil
			}
			c, err := contract.Load("", contract.Year(r.Period.ContractYear))
			if err != nil {
				t.Fatal(err)
			}
			c.SHA256 = cmp.Or(tt.sha256, c.SHA256)
			m, err := dashboard.Read(context.Background(), r, c)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "note", m.ContractNote, tt.want)
			notes := all(parsed(t, written(t, m, dashboard.Options{})), func(n *html.Node) bool {
				return n.Data == "p" && attribute(n, "class") == "note" && n.Parent.Data == "div"
			})
			if tt.want != "" && (len(notes) == 0 || textOf(notes[0]) != tt.want) {
				t.Errorf("the page does not say %q", tt.want)
			}
		})
	}
}

func TestPage(t *testing.T) {
	m := material(t)
	page := written(t, m, dashboard.Options{Program: "ltcles test"})
	root := parsed(t, page)
	t.Run("figures are those of the tables", func(t *testing.T) { figuresAreThoseOfTheTables(t, m, root) })
	t.Run("totals are sums of rows", func(t *testing.T) { totalsAreSums(t, m, root) })
	t.Run("missing is never zero", func(t *testing.T) { missingIsNeverZero(t, m, root) })
	t.Run("nothing is fetched", func(t *testing.T) { nothingIsFetched(t, root) })
	t.Run("policy names what is there", func(t *testing.T) { policyNamesWhatIsThere(t, root) })
	t.Run("links lead somewhere", func(t *testing.T) { linksLeadSomewhere(t, root) })
	t.Run("what others wrote is text", func(t *testing.T) { whatOthersWroteIsText(t, m) })
	t.Run("the same page each time", func(t *testing.T) {
		if !bytes.Equal(page, written(t, m, dashboard.Options{Program: "ltcles test"})) {
			t.Error("the same material gave another page")
		}
	})
}

// figuresAreThoseOfTheTables reads every practice's figures back from the page.
func figuresAreThoseOfTheTables(t *testing.T, m *dashboard.Material, root *html.Node) {
	league := rowsOf(t, table(t, section(t, root, "area"), "practices"))
	checked := 0
	for i, p := range m.Year.Practices {
		where := section(t, root, "practice-"+p.Code)
		row := league[i]
		equal(t, p.Code+" in the list", row[1], p.Code)
		equal(t, p.Code+" counted in the list", row[5], countText(p.Position.Counted))
		equal(t, p.Code+" achieved in the list", row[6], achieved(p))
		equal(t, p.Code+" segments met in the list", row[8], judgedText(p.Position.SegmentsMet, p))
		equal(t, p.Code+" inclusive in the list", row[9], judgedText(p.Position.InclusiveShortfall, p))
		equal(t, p.Code+" exclusive in the list", row[10], judgedText(p.Position.ExclusiveShortfall, p))
		equal(t, p.Code+" counted on its card", firstText(where, "dd", "value"), countText(p.Position.Counted))
		if p.IsMissing() {
			continue
		}
		checked++
		segments := rowsOf(t, table(t, where, "segments"))
		for at, s := range p.Segments {
			what := p.Code + " " + s.Segment
			equal(t, what+" assessed", segments[at][1], countText(s.AssessedPatients))
			if s.MinimumRequired != nil {
				equal(t, what+" minimum", segments[at][2], countText(s.MinimumRequired))
				equal(t, what+" met", segments[at][4], map[bool]string{true: "yes", false: "no"}[*s.IsMinimumMet])
			}
			equal(t, what+" short by", segments[at][3], judgedText(s.Shortfall, p))
			equal(t, what+" outstanding", segments[at][5], countText(s.OutstandingPatients))
			equal(t, what+" in the segment", segments[at][6], countText(s.CohortPatients))
			equal(t, what+" on time", segments[at][7], countText(s.AssessedOnTime))
		}
		months, soFar := rowsOf(t, table(t, where, "months")), int64(0)
		equal(t, p.Code+" months", fmt.Sprint(len(months)), "3")
		for at, name := range []string{"Apr 2026", "May 2026", "Jun 2026"} {
			inMonth := int64(0)
			for _, month := range p.Months {
				if month.Month.Time().Format("Jan 2006") == name {
					inMonth = month.Counted
				}
			}
			soFar += inMonth
			equal(t, p.Code+" "+name, strings.Join(months[at][:3], " "), fmt.Sprintf("%s %d %d", name, inMonth, soFar))
		}
		if p.Position.ExpectedToDate != nil {
			equal(t, p.Code+" expected so far", months[2][3], fmt.Sprintf("%.0f", *p.Position.ExpectedToDate))
		}
		timeliness := rowsOf(t, table(t, where, "timeliness"))
		equal(t, p.Code+" on time", timeliness[0][1], countText(p.Position.CountedOnTime))
		equal(t, p.Code+" late", timeliness[1][1], countText(p.Position.CountedLate))
		equal(t, p.Code+" unproven", timeliness[2][1], countText(p.Position.CountedUnproven))
		others := rowsOf(t, table(t, where, "others"))
		for at, n := range []*int64{p.Position.CohortPatients, p.Position.OutstandingPatients, nil, p.Position.EligiblePatients, p.Position.WithoutEligibility,
			p.Position.RepeatAssessments, p.Position.RemovedLeft, p.Position.RemovedDeceased} {
			if at != 2 {
				equal(t, p.Code+" "+others[at][0], others[at][1], countText(n))
			}
		}
		money := rowsOf(t, table(t, where, "money"))
		for at, pence := range []*published.Pence{p.Reconciliation.ContractValue, p.Reconciliation.AdvanceValue, p.Reconciliation.AdvancePaidToDate, p.Reconciliation.EarnedValue,
			p.Reconciliation.HeldValue, p.Reconciliation.Balance, p.Reconciliation.ProjectedEarnedValue, p.Reconciliation.ProjectedBalance, p.Reconciliation.EarnedValueOtherBasis} {
			want := "not known"
			if pence != nil {
				want = pence.Pounds()
			}
			equal(t, p.Code+" "+money[at][0], money[at][1], want)
		}
		lags, sum := rowsOf(t, table(t, where, "lag")), int64(0)
		for _, lag := range lags {
			sum += number(t, lag[1])
		}
		equal(t, p.Code+" assessments by lag", fmt.Sprint(sum), fmt.Sprint(*p.Position.Counted))
		sets := map[string]string{}
		for _, set := range rowsOf(t, table(t, where, "sets")) {
			sets[set[0]] = strings.Join(set[1:], " ")
		}
		for _, o := range p.Overlaps {
			name := strings.ReplaceAll(strings.ReplaceAll(o.SegmentSet, "+", " + "), "_", " ")
			equal(t, p.Code+" "+name, sets[name], fmt.Sprintf("%d %d %d", o.Patients, o.AssessedPatients, o.OutstandingPatients))
		}
	}
	if checked < 8 {
		t.Errorf("%d practices with data were checked; expected at least 8", checked)
	}
}

func totalsAreSums(t *testing.T, m *dashboard.Material, root *html.Node) {
	var counted, target, towards, missingTarget int64
	for _, p := range m.Year.Practices {
		switch {
		case p.IsMissing():
			missingTarget += *p.AnnualTarget
		default:
			counted += *p.Position.Counted
			if p.AnnualTarget != nil {
				target += *p.AnnualTarget
				towards += *p.Position.Counted
			}
		}
	}
	area := section(t, root, "area")
	equal(t, "counted in the area", firstText(area, "dd", "value"), published.Grouped(counted))
	contains(t, "achieved in the area", textOf(area), published.PercentOf(towards, target)+" of the target of "+published.Grouped(target))
	contains(t, "what is missing in the area", textOf(area), fmt.Sprintf("1 practice of %d without data. Their figures are missing, not zero: they are in no count, target or percentage of this section. Their targets come to %d.", len(m.Year.Practices), missingTarget))
	var inPlaces int64
	for _, row := range rowsOf(t, table(t, area, "places")) {
		if row[4] != "no data" {
			inPlaces += number(t, row[4])
		}
	}
	equal(t, "counted in the places", fmt.Sprint(inPlaces), fmt.Sprint(counted))
	for at, segment := range m.Year.Segments {
		var assessed, minimum, shortfall int64
		for _, p := range m.Year.Practices {
			if s := p.Segments[at]; !p.IsMissing() {
				assessed += *s.AssessedPatients
				if s.MinimumRequired != nil {
					minimum += *s.MinimumRequired
					shortfall += *s.Shortfall
				}
			}
		}
		row := rowsOf(t, table(t, area, "segments"))[at]
		equal(t, segment.Segment+" in the area", strings.Join(row[1:4], " "), fmt.Sprintf("%s %s %s", published.Grouped(assessed), published.Grouped(minimum), published.Grouped(shortfall)))
	}
}

func missingIsNeverZero(t *testing.T, m *dashboard.Material, root *html.Node) {
	found := 0
	for _, p := range m.Year.Practices {
		if !p.IsMissing() {
			continue
		}
		found++
		where := section(t, root, "practice-"+p.Code)
		contains(t, p.Code, textOf(where), "No data: no search export or bulk extract of this practice was read.")
		for _, card := range all(where, func(n *html.Node) bool { return n.Data == "dd" && attribute(n, "class") == "value" }) {
			if said := textOf(card); said == "0" {
				t.Errorf("%s: a card says 0; expected no data", p.Code)
			}
		}
		for i, row := range rowsOf(t, table(t, section(t, root, "area"), "practices")) {
			if m.Year.Practices[i] == p && (row[5] != "no data" || row[6] != "no data" || row[7] != "no data") {
				t.Errorf("%s in the list: %v; expected no data", p.Code, row)
			}
		}
	}
	if found == 0 {
		t.Error("no practice is missing in the workspace")
	}
}

// nothingIsFetched: no attribute and no style names anything outside the page.
func nothingIsFetched(t *testing.T, root *html.Node) {
	for _, n := range all(root, func(n *html.Node) bool { return n.Type == html.ElementNode }) {
		switch n.Data {
		case "link", "img", "iframe", "object", "embed", "form", "base", "audio", "video", "source":
			t.Errorf("there is an element %s", n.Data)
		case "style":
			if s := textOf(n); strings.Contains(s, "url(") || strings.Contains(s, "@import") {
				t.Error("a style fetches something")
			}
		}
		for _, a := range n.Attr {
			switch {
			case a.Key == "src" || a.Key == "srcset" || a.Key == "style" || strings.HasPrefix(a.Key, "on"):
				t.Errorf("%s has the attribute %s", n.Data, a.Key)
			case a.Key == "href" && !strings.HasPrefix(a.Val, "#"):
				t.Errorf("a link leads to %s", a.Val)
			}
		}
	}
}

func policyNamesWhatIsThere(t *testing.T, root *html.Node) {
	metas := all(root, func(n *html.Node) bool {
		return n.Data == "meta" && attribute(n, "http-equiv") == "Content-Security-Policy"
	})
	if len(metas) != 1 {
		t.Fatalf("%d policies; expected 1", len(metas))
	}
	named := map[string]string{}
	for _, part := range strings.Split(attribute(metas[0], "content"), "; ") {
		directive, sources, _ := strings.Cut(part, " ")
		named[directive] = sources
	}
	hashes := func(element string) string {
		var all []string
		for _, n := range elements(root, element) {
			sum := sha256.Sum256([]byte(n.FirstChild.Data))
			all = append(all, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")
		}
		return strings.Join(all, " ")
	}
	for directive, want := range map[string]string{
		"default-src": "'none'", "script-src": hashes("script"), "style-src": hashes("style"), "img-src": "data:", "base-uri": "'none'", "form-action": "'none'",
	} {
		equal(t, directive, named[directive], want)
	}
	if len(named) != 6 {
		t.Errorf("%d directives; expected 6: %v", len(named), named)
	}
}

func linksLeadSomewhere(t *testing.T, root *html.Node) {
	ids := map[string]bool{}
	for _, n := range all(root, func(n *html.Node) bool { return n.Type == html.ElementNode && attribute(n, "id") != "" }) {
		if id := attribute(n, "id"); ids[id] {
			t.Errorf("two elements have the id %s", id)
		} else {
			ids[id] = true
		}
	}
	links := elements(root, "a")
	for _, n := range links {
		if to := strings.TrimPrefix(attribute(n, "href"), "#"); !ids[to] {
			t.Errorf("a link leads to #%s, which is not there", to)
		}
	}
	if len(links) < 30 {
		t.Errorf("%d links; expected those of every practice", len(links))
	}
}

// whatOthersWroteIsText puts into every text of the tables what must not act on the page.
func whatOthersWroteIsText(t *testing.T, m *dashboard.Material) {
	for _, hostile := range []string{
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `'; alert(1); //`, `</style><style>*{display:none}`, `</title><script>`, `{{.}} ${x} &lt;b&gt;`, "\u202Eevil\u202C عيادة", `javascript:alert(1)`,
	} {
		altered := *m
		year := *m.Year
		altered.Year = &year
		year.Practices = nil
		for _, p := range m.Year.Practices {
			copied := *p
			copied.Name, copied.Place, copied.PCNName = &hostile, &hostile, &hostile
			copied.Findings = slices.Clone(p.Findings)
			for at := range copied.Findings {
				copied.Findings[at].Message = hostile
			}
			year.Practices = append(year.Practices, &copied)
		}
		root := parsed(t, written(t, &altered, dashboard.Options{Program: hostile}))
		nothingIsFetched(t, root)
		policyNamesWhatIsThere(t, root)
		equal(t, "scripts and styles with "+hostile, fmt.Sprint(len(elements(root, "script")), len(elements(root, "style"))), "3 1")
		code := year.Practices[0].Code
		equal(t, "title with "+hostile, textOf(elements(section(t, root, "practice-"+code), "h1")[0]), hostile)
		equal(t, "place with "+hostile, textOf(elements(section(t, root, "place-1"), "h1")[0]), hostile)
	}
}

// TestManyPractices: a page of an area as large as the real one.
func TestManyPractices(t *testing.T) {
	const practices, most = 200, 6 << 20
	page := written(t, many(material(t), practices), dashboard.Options{Program: "ltcles"})
	t.Logf("%d practices: %.1f MB", practices, float64(len(page))/(1<<20))
	if len(page) > most {
		t.Errorf("%d bytes; expected at most %d", len(page), most)
	}
	if sections := bytes.Count(page, []byte(`<section class="page practice"`)); sections != practices {
		t.Errorf("%d sections; expected %d", sections, practices)
	}
}

// many is a year of so many practices, whose figures are those of the ones that there are.
func many(m *dashboard.Material, practices int) *dashboard.Material {
	enlarged, year := *m, *m.Year
	enlarged.Year, year.Practices = &year, nil
	enlarged.Lags, enlarged.History = nil, nil
	for n := range practices {
		p := *m.Year.Practices[n%len(m.Year.Practices)]
		from := p.Code
		p.Code = fmt.Sprintf("M%05d", n)
		year.Practices = append(year.Practices, &p)
		for _, lag := range m.Lags {
			if lag.Practice == from {
				lag.Practice = p.Code
				enlarged.Lags = append(enlarged.Lags, lag)
			}
		}
		for _, past := range m.History {
			if past.Practice == from {
				past.Practice = p.Code
				enlarged.History = append(enlarged.History, past)
			}
		}
	}
	return &enlarged
}

// How a page is read back.

func all(from *html.Node, is func(*html.Node) bool) []*html.Node {
	var found []*html.Node
	for n := range from.Descendants() {
		if is(n) {
			found = append(found, n)
		}
	}
	return found
}

func elements(from *html.Node, name string) []*html.Node {
	return all(from, func(n *html.Node) bool { return n.Type == html.ElementNode && n.Data == name })
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func textOf(n *html.Node) string {
	var said strings.Builder
	for child := range n.Descendants() {
		if child.Type == html.TextNode {
			said.WriteString(child.Data)
		}
	}
	return said.String()
}

func section(t *testing.T, root *html.Node, id string) *html.Node {
	t.Helper()
	found := all(root, func(n *html.Node) bool { return n.Data == "section" && attribute(n, "id") == id })
	if len(found) != 1 {
		t.Fatalf("%d sections %s; expected 1", len(found), id)
	}
	return found[0]
}

func table(t *testing.T, from *html.Node, name string) *html.Node {
	t.Helper()
	found := all(from, func(n *html.Node) bool { return n.Data == "table" && attribute(n, "data-table") == name })
	if len(found) != 1 {
		t.Fatalf("%d tables %s; expected 1", len(found), name)
	}
	return found[0]
}

// rowsOf are the texts of a table's cells, without its header.
func rowsOf(t *testing.T, table *html.Node) [][]string {
	t.Helper()
	var rows [][]string
	for _, row := range elements(elements(table, "tbody")[0], "tr") {
		var cells []string
		for _, cell := range all(row, func(n *html.Node) bool { return n.Data == "th" || n.Data == "td" }) {
			cells = append(cells, textOf(cell))
		}
		rows = append(rows, cells)
	}
	return rows
}

func firstText(from *html.Node, element, class string) string {
	for _, n := range all(from, func(n *html.Node) bool { return n.Data == element && attribute(n, "class") == class }) {
		return textOf(n)
	}
	return ""
}

func countText(n *int64) string {
	if n == nil {
		return "no data"
	}
	return published.Grouped(*n)
}

func judgedText(n *int64, p *published.Practice) string {
	if n == nil && !p.IsMissing() {
		return "no target"
	}
	return countText(n)
}

func achieved(p *published.Practice) string {
	switch {
	case p.IsMissing():
		return "no data"
	case p.Position.Achievement == nil:
		return "no target"
	}
	return published.PercentOf(*p.Position.Counted, *p.Position.AnnualTarget)
}

func number(t *testing.T, text string) int64 {
	t.Helper()
	var n int64
	if _, err := fmt.Sscan(strings.ReplaceAll(text, ",", ""), &n); err != nil {
		t.Errorf("%q is no number", text)
	}
	return n
}

func equal(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %q; expected %q", what, got, want)
	}
}

func contains(t *testing.T, what, text, want string) {
	t.Helper()
	if !strings.Contains(text, want) {
		t.Errorf("%s: it does not say %q", what, want)
	}
}
