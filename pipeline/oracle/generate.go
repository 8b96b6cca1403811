package oracle

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"ltcles/pipeline/civil"
)

// Workspace is one random small workspace: what to write on disk, and what it means.
type Workspace struct {
	Seed     uint64
	Settings string            // ltcles.yaml
	Files    map[string]string // reference files, by path within the workspace
	Runs     []Run             // to be published one after the other
}

// Run is one period as it was at one as-at.
type Run struct {
	Year   string
	Period string
	AsAt   civil.Date
	Inbox  map[string]string // path within the period's inbox to text
	Input  Input             // without what earlier runs published; see Workspace.Decide
}

// Decide decides every run in order, each with what the runs before it published.
func (w Workspace) Decide() ([]Input, []Output) {
	var inputs []Input
	var outputs []Output
	for n, run := range w.Runs {
		in := run.Input
		newest := map[string]int{} // period to the latest run of it
		for before := range n {
			newest[w.Runs[before].Period] = before
		}
		lastYear, previous := -1, -1
		for before := range n {
			other := w.Runs[before]
			isNewest := newest[other.Period] == before
			switch {
			case other.Year == run.Year:
				for _, assessment := range outputs[before].Assessments {
					in.Earlier = append(in.Earlier, Earlier{assessment.Patient, assessment.Activity, other.AsAt})
				}
				if isNewest && comparePeriods(other, run) < 0 && (previous < 0 || comparePeriods(w.Runs[previous], other) < 0) {
					previous = before
				}
			case other.Input.Contract.End+1 == in.Contract.Start:
				if isNewest && (lastYear < 0 || comparePeriods(w.Runs[lastYear], other) < 0) {
					lastYear = before
				}
			}
		}
		if lastYear >= 0 {
			in.LastYear = map[string]bool{}
			for _, assessment := range outputs[lastYear].Assessments {
				in.LastYear[assessment.Patient] = true
			}
		}
		if previous >= 0 {
			in.Previous = []Previous{}
			for _, assessment := range outputs[previous].Assessments {
				in.Previous = append(in.Previous, Previous{assessment.Patient, assessment.Practice, assessment.IsCounted})
			}
		}
		inputs, outputs = append(inputs, in), append(outputs, Decide(in))
	}
	return inputs, outputs
}

// comparePeriods orders the periods of one year: its months, then its year end.
func comparePeriods(a, b Run) int {
	return cmp.Or(
		cmp.Compare(a.Input.PeriodEnd, b.Input.PeriodEnd),
		compareFalseLast(a.Period != a.Year, b.Period != b.Year),
	)
}

// Generate makes the workspace of a seed; the same seed makes the same workspace. It is small, so
// that edge cases are dense: few patients, few days, and those days at the edges of the rules.
func Generate(seed uint64) Workspace {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 0x6c74636c6573))}
	w := Workspace{Seed: seed, Files: map[string]string{}}
	g.allowsTest = !g.chance(0.06)
	w.Settings = fmt.Sprintf("allow_test_nhs_numbers: %t\n", g.allowsTest)

	g.practiceCodes = practiceCodes()[:1+g.IntN(6)]
	g.hasSpike = g.allowsTest && len(g.practiceCodes) < len(practiceCodes()) && g.chance(0.08)
	g.makePeople()
	year := 2026
	if g.chance(0.12) {
		year = 2027 // its February has 29 days
	}
	plans := g.plan(year)
	years := map[int]*contractYear{}
	for _, plan := range plans {
		if years[plan.year] == nil {
			years[plan.year] = g.makeYear(plan.year)
		}
	}
	g.writeReference(w.Files, years)
	for _, plan := range plans {
		w.Runs = append(w.Runs, g.makeRun(years[plan.year], plan))
	}
	w.addExtracts(g, plans, years)
	return w
}

type generator struct {
	*rand.Rand
	allowsTest    bool
	hasSpike      bool // one more practice, with many assessments on one day
	practiceCodes []string
	people        []*person
}

func (g *generator) chance(p float64) bool { return g.Float64() < p }

func pick[T any](g *generator, from []T) T { return from[g.IntN(len(from))] }

// practiceCodes are codes that no practice has. The reference files name some of them.
func practiceCodes() []string {
	return []string{"Z00001", "Z00002", "Z00003", "Z00004", "Z00005", "Z00006"}
}

const unknownPractice, spikePractice = "Z99999", "Z00006"

func places() []string {
	return []string{
		"Blackburn with Darwen", "East Lancashire", "Morecambe Bay", "Fylde & Wyre",
		"Blackpool", "Greater Preston", "Chorley & South Ribble", "West Lancashire",
	}
}

// person is one patient, who may be known at several practices.
type person struct {
	nhs  string   // valid; "" where he has none
	emis []string // by practice
	at   []int    // practices that hold a record of him
}

func (g *generator) makePeople() {
	want := 5 + g.IntN(56)
	if g.chance(0.5) {
		want = 5 + g.IntN(10)
	}
	for len(g.people) < want {
		p := &person{}
		if !g.chance(0.1) {
			p.nhs = validNHS(len(g.people)*7919 + g.IntN(1000)*131)
		}
		for range g.practiceCodes {
			p.emis = append(p.emis, strconv.Itoa(100+g.IntN(900)))
		}
		p.at = []int{g.IntN(len(g.practiceCodes))}
		for g.chance(0.3) {
			p.at = append(p.at, g.IntN(len(g.practiceCodes)))
		}
		// Two patients under one EMIS number make the pairs disagree.
		if len(g.people) > 0 && g.chance(0.08) {
			copy(p.emis, pick(g, g.people).emis)
		}
		g.people = append(g.people, p)
	}
}

// validNHS is the first valid number at or after the n-th of the test range.
func validNHS(n int) string {
	for ; ; n++ {
		nine := fmt.Sprintf("999%06d", n%1_000_000)
		sum := 0
		for i, digit := range nine {
			sum += int(digit-'0') * (10 - i)
		}
		if check := (11 - sum%11) % 11; check != 10 && nine != "999999999" {
			return nine + strconv.Itoa(check)
		}
	}
}

// plan is one run to be made.
type plan struct {
	year      int
	month     int // 0 is the year end
	asAt      civil.Date
	periodEnd civil.Date
}

func day(year, month, dayOfMonth int) civil.Date {
	d, ok := civil.Of(year, month, dayOfMonth)
	if !ok {
		panic(fmt.Sprintf("no such day: %d-%d-%d", year, month, dayOfMonth))
	}
	return d
}

func (g *generator) plan(year int) []plan {
	month := func(year int) plan {
		m := pick(g, []int{4, 6, 6, 9, 12, 2, 3, 3})
		calendar := year
		if m < 4 {
			calendar++
		}
		end := day(calendar, m%12+1, 1) - 1
		if m == 12 {
			end = day(calendar, 12, 31)
		}
		asAt := end + pick(g, []civil.Date{-10, -1, 0, 1, 1, 5, 12})
		return plan{year, m, asAt, end}
	}
	yearEnd := func(year int, asAt ...civil.Date) plan {
		return plan{year, 0, day(year+1, 4, 10) + pick(g, asAt), day(year+1, 3, 31)}
	}
	edges := []civil.Date{-21, -10, -9, -1, 0, 1, 1, 2, 2, 11, 11}
	switch g.IntN(8) {
	case 0:
		return []plan{month(year)}
	case 1:
		return []plan{yearEnd(year, edges...)}
	case 2:
		return []plan{month(year), yearEnd(year, edges...)}
	case 3: // the same period again, as at a later day
		return []plan{yearEnd(year, -9, -1, 0), yearEnd(year, 1, 2, 11)}
	case 4:
		return []plan{yearEnd(year-1, edges...), yearEnd(year, edges...)}
	case 5:
		return []plan{month(year - 1), month(year), yearEnd(year, 0, 1, 2)}
	case 6: // a period that is not its year's latest
		return []plan{yearEnd(year, edges...), month(year)}
	default:
		return []plan{month(year), month(year), yearEnd(year, 1, 2)}
	}
}

// contractYear is one year's contract and practices, and what is in the patients' records.
type contractYear struct {
	first     int
	name      string
	contract  Contract
	yaml      string // "" where the built-in contract serves
	practices []Practice
	placeOf   map[string]string
	choiceOf  map[string]string // of each place
	penceOf   map[string]*int64 // per weighted head, of each place; nil where not set
	days      []civil.Date
	events    []event
	standings map[*person][]cells // by practice
}

// event is one coded entry in a patient's record.
type event struct {
	who      *person
	at       int
	code     coded
	activity civil.Date
	recorded civil.Date
}

// coded is a code cell and what it means.
type coded struct {
	text      string
	state     CodeState
	code      string
	repaired  bool
	noConcept bool
}

func (g *generator) makeYear(first int) *contractYear {
	y := &contractYear{
		first:     first,
		name:      fmt.Sprintf("%d-%02d", first, (first+1)%100),
		placeOf:   map[string]string{},
		choiceOf:  map[string]string{},
		penceOf:   map[string]*int64{},
		standings: map[*person][]cells{},
	}
	y.contract = builtIn(first)
	for _, place := range places() {
		pence := int64(840)
		y.penceOf[place] = &pence
	}
	y.contract.Start, y.contract.End = day(first, 4, 1), day(first+1, 3, 31)
	y.contract.Deadline = day(first+1, 4, 10)
	if first != 2026 || g.chance(0.5) {
		g.override(y)
	}

	used := places()[:1+g.IntN(4)]
	for _, place := range used {
		y.choiceOf[place] = pick(g, []string{"diabetes", "diabetes", "frailty", "frailty", ""})
	}
	for n, code := range g.practiceCodes {
		if n > 0 && g.chance(0.08) {
			continue // a practice that this year does not know
		}
		place := pick(g, used)
		y.placeOf[code] = place
		practice := Practice{Code: code, Choice: y.choiceOf[place], Weighted: g.makeWeighted(), PencePerHead: y.penceOf[place]}
		if !g.chance(0.15) {
			target := pick(g, []int64{0, 1, 1, 2, 3, 7, 10, 10, 11, 20, 21, 33, 100, 987_654_321})
			practice.Target = &target
		}
		y.practices = append(y.practices, practice)
	}
	if g.hasSpike {
		y.placeOf[spikePractice] = used[0]
		y.practices = append(y.practices, Practice{Code: spikePractice, Choice: y.choiceOf[used[0]], Weighted: "1010.5", PencePerHead: y.penceOf[used[0]]})
	}
	g.makeRecords(y)
	return y
}

// makeWeighted is a weighted population: now and then of a few heads, so that single pence matter,
// with as many decimals as a list may have, and now and then blank.
func (g *generator) makeWeighted() string {
	heads := pick(g, []int{0, 1, 3, 1000, 10_000, 20_000, 999_999_999}) * (1 + g.IntN(3))
	switch g.IntN(8) {
	case 0:
		return ""
	case 1:
		return strconv.Itoa(heads % 1_000_000_000)
	case 2:
		return fmt.Sprintf("%d.%06d", heads%1_000_000_000, g.IntN(1_000_000))
	case 3: // whole pence and a half at 8.40 a head
		return fmt.Sprintf("%d.%06d", heads%1_000_000_000, 8_375*(1+2*g.IntN(50)))
	case 4: // an average, as a program writes it
		return fmt.Sprintf("%d.%012d", heads%100_000, g.Int64N(1_000_000_000_000))
	}
	return fmt.Sprintf("%d.%02d", heads%1_000_000_000, g.IntN(100))
}

const claimCode, eligibilityCode = "756261000000100", "756161000000107"

// builtIn is the contract of 2026-27, its instalments those of the year.
func builtIn(first int) Contract {
	ten, three := int64(100_000), int64(30_000)
	return Contract{
		Domains:     []Domain{{"implementation", 200_000}, {"assessments", 550_000}, {"mdt", 250_000}},
		AdvancePPM:  800_000,
		Instalments: monthly(first),
		Basis:       "domain_2",
		Codes: []Code{
			{Code: claimCode, Role: "claim"},
			{Code: eligibilityCode, Role: "eligibility"},
			{Code: "716081000000105", Role: "cohort", Cohort: "population_health", Segment: "population_health"},
			{Code: "417206009", Role: "cohort", Cohort: "cardiovascular", Segment: "cardiovascular"},
			{Code: "268511007", Role: "cohort", Cohort: "respiratory", Segment: "respiratory"},
			{Code: "713671000000109", Role: "cohort", Cohort: "diabetes", Segment: "place_choice"},
			{Code: "894301000000105", Role: "cohort", Cohort: "frailty", Segment: "place_choice"},
			{Code: "713761000000107", Role: "cohort", Cohort: "severe_mental_illness", Segment: "severe_mental_illness"},
		},
		Segments: []Segment{
			{"population_health", &ten}, {"cardiovascular", &ten}, {"respiratory", &ten},
			{"place_choice", &ten}, {"severe_mental_illness", &three},
		},
		RequireRegular: true,
	}
}

// monthly is one instalment in each month of the contract year.
func monthly(first int) []Instalment {
	var instalments []Instalment
	for month := range 12 {
		paid := day(first+(month+3)/12, (month+3)%12+1, 1)
		instalments = append(instalments, Instalment{paid, paid.Time().Format("January 2006")})
	}
	return instalments
}

// override makes the year's contract differ from the built-in one.
func (g *generator) override(y *contractYear) {
	c := &y.contract
	for n := range c.Segments {
		ppm := pick(g, []int64{0, 30_000, 50_000, 100_000, 100_000, 125_000, 333_333})
		c.Segments[n].MinimumPPM = &ppm
		if g.chance(0.15) {
			c.Segments[n].MinimumPPM = nil
		}
	}
	if g.chance(0.7) {
		c.Codes = append(c.Codes, Code{Code: "84114007", Role: "mdt"}, Code{Code: "44054006", Role: "mdt"})
	}
	if g.chance(0.3) { // two codes for one cohort
		c.Codes = append(c.Codes, Code{Code: "22298006", Role: "cohort", Cohort: "cardiovascular", Segment: "cardiovascular"})
	}
	c.RequireRegular = !g.chance(0.15)
	c.CountWithoutSegment = g.chance(0.15)
	c.RequireEligibility = g.chance(0.15)
	g.overrideMoney(y)
	y.yaml = contractYAML(y)
}

// overrideMoney makes the shares, the instalments and the basis differ too.
func (g *generator) overrideMoney(y *contractYear) {
	c := &y.contract
	shares := pick(g, [][]int64{{200_000, 550_000}, {350_000, 530_000}, {350_000, 530_000}, {333_333, 333_333}, {428_571, 428_571}, {0, 1_000_000}})
	c.Domains = []Domain{{"implementation", shares[0]}, {"assessments", shares[1]}, {"mdt", 1_000_000 - shares[0] - shares[1]}}
	c.AdvancePPM = pick(g, []int64{800_000, 800_000, 800_000, 0, 123_457, 999_999, 1_000_000})
	c.Basis = pick(g, []string{"domain_2", "whole_contract"})
	c.Instalments = nil
	paid := day(y.first, 4, 1)
	for n := range 1 + g.IntN(13) {
		c.Instalments = append(c.Instalments, Instalment{paid, fmt.Sprintf("part %d", n+1)})
		if !g.chance(0.2) { // two in one month otherwise
			year, month, _ := (paid + 31).YMD()
			paid = day(year, int(month), 1)
		}
	}
	for _, place := range places() {
		pence := pick(g, []int64{840, 840, 840, 1, 7, 333, 99_999})
		y.penceOf[place] = &pence
		if g.chance(0.1) {
			y.penceOf[place] = nil
		}
	}
}

func contractYAML(y *contractYear) string {
	var b strings.Builder
	next := y.first + 1
	fmt.Fprintf(&b, "contract_year: %s\ncodes:\n", y.name)
	for _, code := range y.contract.Codes {
		fmt.Fprintf(&b, "  - code: %s\n    term: Code %s\n    role: %s\n", code.Code, code.Code, code.Role)
		if code.Role == "cohort" {
			fmt.Fprintf(&b, "    cohort: %s\n    segment: %s\n", code.Cohort, code.Segment)
		}
	}
	b.WriteString("segments:\n")
	for _, segment := range y.contract.Segments {
		share := "not set"
		if segment.MinimumPPM != nil {
			share = percent(*segment.MinimumPPM)
		}
		fmt.Fprintf(&b, "  - segment: %s\n    name: Segment %s\n    minimum_share: %s\n", segment.Segment, segment.Segment, share)
	}
	b.WriteString("domains:\n")
	for _, domain := range y.contract.Domains {
		fmt.Fprintf(&b, "  %s: %s\n", domain.Domain, percent(domain.SharePPM))
	}
	b.WriteString("pounds_per_weighted_head:\n")
	for _, place := range places() {
		pounds := "not set"
		if pence := y.penceOf[place]; pence != nil {
			pounds = fmt.Sprintf("%d.%02d", *pence/100, *pence%100)
		}
		fmt.Fprintf(&b, "  %s: %s\n", place, pounds)
	}
	fmt.Fprintf(&b, "advance_share: %s\ndates:\n  coding_deadline: %s\n", percent(y.contract.AdvancePPM), y.contract.Deadline)
	fmt.Fprintf(&b, "  letter_date: %d-04-30\n  mitigation_opens: %d-04-30\n  mitigation_closes: %d-05-08\n", next, next, next)
	fmt.Fprintf(&b, "  panel_week: %d-05-11\n  decision_date: %d-05-29\n  reconciliation_month: %d-06\n", next, next, next)
	b.WriteString("instalments:\n")
	for _, instalment := range y.contract.Instalments {
		fmt.Fprintf(&b, "  - {paid: %s, covers: %s}\n", instalment.Paid.String()[:len("2026-04")], instalment.Covers)
	}
	fmt.Fprintf(&b, "policies:\n  require_regular: %t\n  count_without_segment: %t\n  require_eligibility: %t\n",
		y.contract.RequireRegular, y.contract.CountWithoutSegment, y.contract.RequireEligibility)
	fmt.Fprintf(&b, "  reconciliation_basis: %s\nstatus_texts:\n", y.contract.Basis)
	for _, meaning := range []struct {
		name string
		is   Meaning
	}{{"regular", MeaningRegular}, {"left", MeaningLeft}, {"dead", MeaningDead}, {"not_regular", MeaningNotRegular}} {
		fmt.Fprintf(&b, "  %s:\n", meaning.name)
		for _, text := range statusTexts(meaning.is) {
			fmt.Fprintf(&b, "    - %s\n", text)
		}
	}
	return b.String()
}

func percent(ppm int64) string { return fmt.Sprintf("%d.%04d %%", ppm/10_000, ppm%10_000) }

// statusTexts are some texts of each meaning.
func statusTexts(meaning Meaning) []string {
	switch meaning {
	case MeaningUnknown:
		return []string{"Zebra", "On holiday"}
	case MeaningRegular:
		return []string{"Regular", "GMS", "Registered", "Currently registered", "Left practice. Still registered"}
	case MeaningLeft:
		return []string{"Left", "Left practice", "Deducted", "Gone away"}
	case MeaningDead:
		return []string{"Dead", "Deceased", "Dead (Practice notification)"}
	case MeaningNotRegular:
		return []string{"Temporary", "Private", "Dummy", "Other"}
	}
	return []string{""}
}

// makeRecords fills the patients' records for the year, with days at the edges of the rules.
func (g *generator) makeRecords(y *contractYear) {
	c := y.contract
	y.days = []civil.Date{
		c.Start - 1, c.Start, c.Start, c.Start + 1, c.Start + 90, c.Start + 91,
		c.End - 31, c.End - 1, c.End, c.End, c.End + 1,
		day(y.first, 5, 31), day(y.first, 6, 1), day(y.first, 6, 30), day(y.first, 7, 1), day(y.first, 12, 31),
		day(y.first, 10, 25), day(y.first+1, 2, 28), day(y.first+1, 3, 1) - 1,
	}
	for range 3 {
		popular := c.Start + civil.Date(g.IntN(60))
		y.days = append(y.days, popular, popular, popular, popular, popular, popular)
	}
	for _, who := range g.people {
		for range g.IntN(7) {
			y.events = append(y.events, g.makeEvent(y, who, pick(g, who.at)))
		}
		for range g.practiceCodes {
			y.standings[who] = append(y.standings[who], g.makeStanding(y))
		}
	}
}

func (g *generator) makeEvent(y *contractYear, who *person, at int) event {
	var code string
	switch n := g.IntN(100); {
	case n < 36:
		code = claimCode
	case n < 50:
		code = eligibilityCode
	default:
		code = pick(g, y.contract.Codes).Code
	}
	activity := pick(g, y.days)
	recorded := activity + pick(g, []civil.Date{-1, 0, 0, 0, 0, 1, 1, 2, 30})
	if g.chance(0.25) {
		recorded = y.contract.Deadline + pick(g, []civil.Date{-1, 0, 0, 1, 1, 2})
	}
	if g.chance(0.25) {
		recorded = civil.None
	}
	return event{who, at, g.makeCode(y, code), activity, recorded}
}

// makeCode writes a code of the code book, or now and then something else in its place.
func (g *generator) makeCode(y *contractYear, code string) coded {
	switch g.IntN(60) {
	case 0:
		return coded{state: CodeBlank}
	case 1:
		return coded{text: "7.56E+14", state: CodeDamaged}
	case 2:
		if g.chance(0.5) {
			return coded{text: pick(g, []string{"284596015", "1777541000006114"}), state: CodeInvalid, noConcept: true}
		}
		return coded{text: pick(g, []string{"12345", "756261000000101"}), state: CodeInvalid}
	case 6:
		return coded{text: "1777541000006105", state: CodeNotInBook, noConcept: true}
	case 3, 4:
		return coded{text: pick(g, []string{"73211009", "38341003"}), state: CodeNotInBook}
	case 5:
		return coded{text: "7.56261E+14", state: CodeInBook, code: claimCode, repaired: true}
	}
	for _, known := range y.contract.Codes {
		if known.Code == code {
			return coded{text: code, state: CodeInBook, code: code}
		}
	}
	return coded{text: code, state: CodeNotInBook}
}

// makeStanding is what a practice's record says of a patient's registration.
func (g *generator) makeStanding(y *contractYear) cells {
	edge := func() Date { return given(pick(g, y.days)) }
	c := cells{typ: g.meaning(MeaningRegular), status: g.meaning(MeaningRegular)}
	if g.chance(0.6) {
		c.registered = given(y.contract.Start - 1000 + civil.Date(g.IntN(3)))
	}
	switch n := g.IntN(100); {
	case n < 62:
	case n < 68:
		c.deducted = edge()
	case n < 71:
		c.status = g.meaning(MeaningLeft)
	case n < 75: // left and came back, or the other way round
		c.deducted = edge()
		c.registered = given(c.deducted.Day + pick(g, []civil.Date{-1, 0, 1}))
	case n < 78:
		c.registered = edge()
	case n < 81:
		c.death = edge()
	case n < 83:
		c.status = g.meaning(MeaningDead)
	case n < 85:
		c.typ = g.meaning(MeaningDead)
		c.death = edge()
	case n < 89:
		c.typ = g.meaning(MeaningNotRegular)
	case n < 91:
		c.status = g.meaning(MeaningNotRegular)
	case n < 93:
		c.typ = g.meaning(MeaningUnknown)
	case n < 95:
		c.typ, c.status, c.registered = g.meaning(MeaningUnknown), g.meaning(MeaningUnknown), Date{}
	case n < 97:
		c.status = g.meaning(MeaningLeft)
		c.deducted = edge()
	default:
		c.typ, c.status, c.registered = g.meaning(MeaningBlank), g.meaning(MeaningBlank), Date{}
	}
	return c
}

type stated struct {
	text string
	is   Meaning
}

func (g *generator) meaning(m Meaning) stated {
	text := pick(g, statusTexts(m))
	if g.chance(0.1) {
		text = strings.ToUpper(text)
	}
	return stated{text, m}
}

func given(d civil.Date) Date { return Date{DateGiven, d} }

func (g *generator) writeReference(files map[string]string, years map[int]*contractYear) {
	practices := "contract_year,practice_code,practice_name,place,pcn_code,pcn_name,registered_population,weighted_population,annual_target\n"
	choices := "contract_year,place,choice\n"
	for _, first := range slices.Sorted(keys(years)) {
		y := years[first]
		for _, practice := range y.practices {
			target := ""
			if practice.Target != nil {
				target = strconv.FormatInt(*practice.Target, 10)
			}
			practices += fmt.Sprintf("%s,%s,Surgery %s,%s,U00001,Example PCN,1000,%s,%s\n",
				y.name, practice.Code, practice.Code, y.placeOf[practice.Code], practice.Weighted, target)
		}
		for _, place := range slices.Sorted(keys(y.choiceOf)) {
			choices += fmt.Sprintf("%s,%s,%s\n", y.name, place, y.choiceOf[place])
		}
		if y.yaml != "" {
			files["reference/contracts/"+y.name+".yaml"] = y.yaml
		}
	}
	files["reference/practices.csv"] = practices
	files["reference/places.csv"] = choices
}

func keys[K comparable, V any](m map[K]V) func(yield func(K) bool) {
	return func(yield func(K) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func (g *generator) makeRun(y *contractYear, p plan) Run {
	run := Run{
		Year:   y.name,
		Period: y.name,
		AsAt:   p.asAt,
		Inbox:  map[string]string{},
		Input: Input{
			Contract:  y.contract,
			Practices: y.practices,
			PeriodEnd: p.periodEnd,
			AsAt:      p.asAt,
		},
	}
	if p.month != 0 {
		run.Period = p.periodEnd.String()[:len("2026-06")]
	}
	var made []*sheet
	for n := range 1 + g.IntN(6) {
		made = append(made, g.makeSheet(y, &run.Input, n, pick(g, []string{
			SearchExport, SearchExport, SearchExport, SearchExport, Register, BatchAdd, BatchAdd, headerless,
		})))
		if g.chance(0.1) {
			made = append(made, made[len(made)-1].copied())
		}
	}
	if g.hasSpike {
		made = append(made, g.makeSpike(y))
	}
	if !hasClaim(made) {
		sheet := g.makeSheet(y, &run.Input, 8, SearchExport)
		sheet.appendClaim(g, y)
		made = append(made, sheet)
	}
	addSheets(&run, made)
	return run
}
