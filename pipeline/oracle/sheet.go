package oracle

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"ltcles/pipeline/civil"
)

// headerless is a batch-add file that is a bare list of NHS numbers.
const headerless = "headerless"

// sheet is one file of the inbox: how it is written, and what it means.
type sheet struct {
	path     string
	kind     string   // a kind of file, or headerless
	practice string   // the file's practice: the only known practice code in its path
	codes    []string // the codes of the code book in its path

	twoHeader bool
	preamble  bool
	extract   civil.Date
	relative  civil.Date
	trailing  bool // an empty column at the right
	iso       int  // how dates are written

	patient []column // columns of the patient
	groups  []group  // columns of events
	mixed   bool     // one header row with the event columns before the patient's
	lines   []line
	known   map[string]bool // practice codes of the year
}

type column struct{ field, header string }

type group struct {
	name    string
	code    string // where the group's name, or the file's, gives it
	columns []column
}

// line is one record of a sheet.
type line struct {
	isMalformed bool
	isShort     bool // malformed by a missing field; else by one too many
	isContinued bool // the patient's cells are blank
	patient     cells
	events      []eventCells // one for each group
}

// cells are the patient's cells of a line.
type cells struct {
	practice string
	nhs      string
	nhsState NHSState
	emis     string

	typ, status                 stated
	registered, deducted, death Date
}

// eventCells are the cells of one group of a line.
type eventCells struct {
	code               coded
	activity, recorded Date
}

// headers are some headers that mean a field.
func headers(field string) []string {
	switch field {
	case "practice":
		return []string{"Organisation Code", "ODS Code", "Practice Code", "Practice ODS Code", "Usual GP's Organisation Code"}
	case "nhs":
		return []string{"NHS Number", "NHS No", "NHSNumber"}
	case "emis":
		return []string{"EMIS Number", "EMIS No", "Patient Number"}
	case "code":
		return []string{"SNOMED CT Concept ID", "SNOMED Code", "Concept ID", "Code"}
	case "date":
		return []string{"Date", "Event Date", "Effective Date", "Activity Date"}
	case "recorded":
		return []string{"Date Recorded", "Recorded Date", "Entered Date", "Date Added"}
	case "type":
		return []string{"Patient Type", "Registration Type"}
	case "status":
		return []string{"Registration Status", "Patient Status"}
	case "registered":
		return []string{"Registered Date", "Registration Date", "Date of Registration"}
	case "deducted":
		return []string{"Deducted Date", "Date of Deduction", "Left Date"}
	case "death":
		return []string{"Date of Death", "Death Date"}
	}
	panic("no field " + field)
}

// makeSheet makes one file of a kind.
func (g *generator) makeSheet(y *contractYear, in *Input, n int, kind string) *sheet {
	s := &sheet{kind: kind, extract: civil.None, relative: civil.None, iso: g.IntN(3), known: map[string]bool{}}
	for _, practice := range y.practices {
		s.known[practice.Code] = true
	}
	code := pick(g, y.contract.Codes[1:]).Code
	if g.chance(0.04) {
		code = claimCode
	}
	hasNamedCode := kind == headerless || kind == BatchAdd && g.chance(0.4)
	s.nameIt(g, n, code, hasNamedCode)
	if kind == headerless {
		s.groups = []group{{code: code}}
		s.patient = []column{{field: "nhs"}}
		s.fill(g, y, in)
		if len(s.lines) == 0 {
			s.add(g, y, in, pick(g, g.people), 0, nil)
		}
		return s
	}

	s.chooseColumns(g, code, hasNamedCode)
	s.trailing = g.chance(0.2)
	if g.chance(0.6) {
		s.preamble = true
		s.extract = in.AsAt + pick(g, []civil.Date{-30, -2, -1, -1, 0, 0, 0, 0, 0, 1})
		if g.chance(0.25) {
			s.extract = min(y.contract.Deadline+pick(g, []civil.Date{-1, 0, 1}), in.AsAt+1)
		}
		if g.chance(0.5) {
			s.relative = in.PeriodEnd + pick(g, []civil.Date{-1, 0, 0, 1})
		}
	}
	if !g.chance(0.05) { // else a search that found nobody
		s.fill(g, y, in)
	}
	return s
}

// nameIt chooses the path, and so the file's practice.
func (s *sheet) nameIt(g *generator, n int, code string, hasNamedCode bool) {
	word := map[string]string{SearchExport: "search", Register: "register", BatchAdd: "batch", headerless: "list"}[s.kind]
	extension := pick(g, []string{".csv", ".CSV"})
	if s.kind == headerless {
		extension = ".txt"
		word = pick(g, []string{"list", "batch", "Batch add"})
	}
	name := fmt.Sprintf("%s_%d", word, n)
	if hasNamedCode {
		name += "_" + code
		s.codes = []string{code}
	}
	one, other := pick(g, practiceCodes()), pick(g, practiceCodes())
	if s.kind == headerless || g.chance(0.5) {
		one = pick(g, g.practiceCodes)
		for !s.known[one] {
			one = pick(g, g.practiceCodes) // the first practice is known in every year
		}
	}
	switch choice := g.IntN(10); {
	case s.kind == headerless || choice < 3:
		s.path = one + "/" + name + extension
	case choice < 6:
		s.path = "all/" + name + "_" + one + extension
	case choice < 7: // two known codes say nothing
		s.path = one + "/" + other + "_" + name + extension
	case choice < 8:
		s.path = "Z12345/deep/" + name + extension
	default:
		s.path = name + extension
	}
	s.practice = s.onlyPractice()
}

// onlyPractice is the only known practice code in the path, "" where there are several or none.
func (s *sheet) onlyPractice() string {
	found := ""
	for _, code := range practiceCodes() {
		if !s.known[code] || !strings.Contains(s.path, code) {
			continue
		}
		if found != "" {
			return ""
		}
		found = code
	}
	return found
}

func (s *sheet) chooseColumns(g *generator, code string, hasNamedCode bool) {
	header := func(field string) column { return column{field, pick(g, headers(field))} }
	numbers := pick(g, [][]string{{"nhs"}, {"nhs", "emis"}, {"nhs", "emis"}, {"nhs", "emis"}, {"emis"}})
	for _, field := range numbers {
		s.patient = append(s.patient, header(field))
	}
	if s.practice == "" || g.chance(0.7) {
		s.patient = append(s.patient, header("practice"))
	}
	hasStatus := s.kind == Register || s.kind == SearchExport && g.chance(0.75) || s.kind == BatchAdd && g.chance(0.1)
	if hasStatus {
		fields := []string{"type", "status", "registered", "deducted", "death"}
		for n, field := range fields {
			isForced := s.kind == Register && n == 0 // a register needs one
			if isForced || g.chance(0.75) {
				s.patient = append(s.patient, header(field))
			}
		}
	}
	g.Shuffle(len(s.patient), func(i, j int) { s.patient[i], s.patient[j] = s.patient[j], s.patient[i] })

	switch s.kind {
	case Register:
		s.twoHeader = g.chance(0.2)
		return
	case BatchAdd:
		var events group
		if hasNamedCode {
			events.code = code
		} else {
			events.columns = append(events.columns, header("code"))
		}
		if g.chance(0.7) {
			events.columns = append(events.columns, header("date"))
			if g.chance(0.3) {
				events.columns = append(events.columns, header("recorded"))
			}
		}
		s.groups = []group{events}
		return
	}

	s.twoHeader = g.chance(0.5)
	s.mixed = !s.twoHeader && g.chance(0.3)
	groups := 1
	if s.twoHeader {
		groups += g.IntN(3)
	}
	for n := range groups {
		events := group{name: fmt.Sprintf("Group %c", 'A'+n)}
		if s.twoHeader && g.chance(0.3) { // the group's name gives the code
			events.code = pick(g, []string{claimCode, claimCode, eligibilityCode, code})
			events.name += " " + events.code
		} else {
			events.columns = append(events.columns, header("code"))
		}
		events.columns = append(events.columns, header("date"))
		if g.chance(0.6) {
			events.columns = append(events.columns, header("recorded"))
		}
		g.Shuffle(len(events.columns), func(i, j int) {
			events.columns[i], events.columns[j] = events.columns[j], events.columns[i]
		})
		s.groups = append(s.groups, events)
	}
}

// fill puts lines into the sheet, from the records of the year.
func (s *sheet) fill(g *generator, y *contractYear, in *Input) {
	of := -1 // a sheet of one practice, or of all
	if s.practice != "" && !g.chance(0.2) {
		of = slices.Index(g.practiceCodes, s.practice)
	}
	share := pick(g, []float64{0.2, 0.5, 0.9})
	if len(g.people) < 12 {
		share = 0.9
	}
	if s.kind == Register {
		for _, who := range g.people {
			for _, at := range who.at {
				if (of < 0 || at == of) && g.chance(share) {
					s.add(g, y, in, who, at, nil)
				}
			}
		}
	}
	var waiting []event
	for _, e := range y.events {
		if (of >= 0 && e.at != of) || !g.chance(share) || s.kind == Register {
			continue
		}
		waiting = append(waiting, e)
		for g.chance(0.08) { // the same event twice
			waiting = append(waiting, e)
		}
	}
	g.Shuffle(len(waiting), func(i, j int) { waiting[i], waiting[j] = waiting[j], waiting[i] })
	slices.SortStableFunc(waiting, func(a, b event) int {
		return slices.Index(g.people, a.who) - slices.Index(g.people, b.who)
	})
	for len(waiting) > 0 {
		n := 1
		for n < len(waiting) && n < len(s.groups) && waiting[n].who == waiting[0].who && waiting[n].at == waiting[0].at && g.chance(0.7) {
			n++
		}
		s.add(g, y, in, waiting[0].who, waiting[0].at, waiting[:n])
		waiting = waiting[n:]
	}
	s.closeWithWholeLine()
}

// closeWithWholeLine drops the last lines as long as they are ones that a reader could take for a footer.
func (s *sheet) closeWithWholeLine() {
	for len(s.lines) > 0 {
		last := s.lines[len(s.lines)-1]
		isWhole := !last.isMalformed && !last.isContinued && (s.has("nhs") && last.patient.nhs != "" || s.has("emis") && last.patient.emis != "")
		if isWhole {
			return
		}
		s.lines = s.lines[:len(s.lines)-1]
	}
}

func (s *sheet) has(field string) bool {
	return slices.ContainsFunc(s.patient, func(c column) bool { return c.field == field })
}

// add writes one line: a patient, and up to one event for each group.
func (s *sheet) add(g *generator, y *contractYear, in *Input, who *person, at int, events []event) {
	l := line{patient: y.standings[who][at], events: make([]eventCells, len(s.groups))}
	if g.chance(0.06) {
		l.patient = g.makeStanding(y)
	}
	s.identify(g, &l.patient, who, at)
	for field, date := range map[string]*Date{"registered": &l.patient.registered, "deducted": &l.patient.deducted, "death": &l.patient.death} {
		if !s.has(field) {
			*date = Date{}
		}
	}
	if s.has("registered") && g.chance(0.01) {
		l.patient.registered = Date{State: DateInvalid}
	}
	if s.has("death") && g.chance(0.01) {
		l.patient.death = Date{State: DateInvalid}
	}
	if !s.has("type") {
		l.patient.typ = stated{}
	}
	if !s.has("status") {
		l.patient.status = stated{}
	}
	if s.kind != headerless && g.chance(0.02) {
		cells := s.cellsOf(l)
		isBlankWithout := strings.Join(cells[:len(cells)-1], "") == ""
		l.isMalformed = true
		l.isShort = g.chance(0.5) && !isBlankWithout
	}
	order := g.Perm(len(s.groups))
	for n, e := range events {
		l.events[order[n]] = s.eventCells(g, in, s.groups[order[n]], e)
	}
	s.addLine(l)

	// Continuation lines of the patient.
	for s.twoHeader && len(s.groups) > 0 && len(y.events) > 0 && g.chance(0.2) {
		more := line{isContinued: true, events: make([]eventCells, len(s.groups))}
		n := g.IntN(len(s.groups))
		e := pick(g, y.events)
		more.events[n] = s.eventCells(g, in, s.groups[n], e)
		s.addLine(more)
	}
}

// addLine adds a line, unless a reader would take it for no record.
func (s *sheet) addLine(l line) {
	filled := 0
	for _, cell := range s.cellsOf(l) {
		if cell != "" {
			filled++
		}
	}
	hasNumber := !l.isContinued && (s.has("nhs") && l.patient.nhs != "" || s.has("emis") && l.patient.emis != "")
	if filled >= 2 || filled == 1 && hasNumber {
		s.lines = append(s.lines, l)
	}
}

// identify fills the cells that say who and where.
func (s *sheet) identify(g *generator, c *cells, who *person, at int) {
	c.practice = g.practiceCodes[at]
	switch n := g.IntN(100); {
	case n < 3:
		c.practice = ""
	case n < 5:
		c.practice = unknownPractice
	case n < 8:
		c.practice = strings.ToLower(c.practice)
	}
	if !s.has("practice") {
		c.practice = ""
	}

	c.emis = who.emis[at]
	if g.chance(0.05) {
		c.emis = ""
	}
	if !s.has("emis") {
		c.emis = ""
	}

	c.nhs = who.nhs
	isFirst := s.kind == headerless && len(s.lines) == 0 // it tells what the file is
	switch n := g.IntN(100); {
	case isFirst && who.nhs == "":
		c.nhs = validNHS(424_242)
	case isFirst:
	case n < 6 || who.nhs == "" && n < 70:
		c.nhs = ""
	case n < 9 || who.nhs == "":
		c.nhs = pick(g, []string{"12345", "9999999999", "99900000001"})
		if g.allowsTest && who.nhs != "" && g.chance(0.5) {
			c.nhs = wrongCheckDigit(who.nhs)
		}
		if s.kind == headerless && len(c.nhs) != 10 {
			c.nhs = "9999999999" // a list is one because its lines have ten digits
		}
	}
	if !s.has("nhs") {
		c.nhs = ""
	}
	c.nhsState = g.stateOf(c.nhs)
}

// wrongCheckDigit spoils the last digit of a valid number.
func wrongCheckDigit(nhs string) string {
	last := (nhs[9]-'0'+1)%10 + '0'
	return nhs[:9] + string(last)
}

// stateOf judges the numbers that the generator writes: all of ten digits are in the test range, and
// those with a right check digit are a person's.
func (g *generator) stateOf(nhs string) NHSState {
	switch {
	case nhs == "":
		return NHSBlank
	case len(nhs) == 10 && !g.allowsTest:
		return NHSTestRange
	case len(nhs) == 10 && nhs != "9999999999" && validNHSDigit(nhs):
		return NHSValid
	}
	return NHSInvalid
}

func validNHSDigit(nhs string) bool {
	sum := 0
	for i, digit := range nhs[:9] {
		sum += int(digit-'0') * (10 - i)
	}
	return int(nhs[9]-'0') == (11-sum%11)%11
}

// eventCells writes one event into a group.
func (s *sheet) eventCells(g *generator, in *Input, to group, e event) eventCells {
	c := eventCells{code: e.code, activity: given(e.activity)}
	if e.recorded != civil.None {
		c.recorded = given(e.recorded)
	}
	hasDate := slices.ContainsFunc(to.columns, func(c column) bool { return c.field == "date" })
	hasRecorded := slices.ContainsFunc(to.columns, func(c column) bool { return c.field == "recorded" })
	if to.code != "" {
		c.code = coded{}
	}
	switch n := g.IntN(100); {
	case n < 2 || s.kind == BatchAdd && n < 40:
		c.activity = Date{}
	case n < 3:
		c.activity = Date{State: DateInvalid}
	case n < 6:
		c.activity = given(in.AsAt + pick(g, []civil.Date{-1, 0, 1}))
	case n < 9:
		c.activity = given(in.CutOff() + pick(g, []civil.Date{-1, 0, 1}))
	}
	switch n := g.IntN(100); {
	case n < 2:
		c.recorded = Date{State: DateInvalid}
	case n < 8:
		c.recorded = given(in.AsAt + pick(g, []civil.Date{0, 1}))
	}
	if !hasDate {
		c.activity = Date{}
	}
	isNothing := c.activity.State == DateBlank && (c.code.text == "" || to.code != "")
	if !hasRecorded || isNothing {
		c.recorded = Date{}
	}
	return c
}

// appendClaim makes sure that a run has a claim row: without one nothing is published.
func (s *sheet) appendClaim(g *generator, y *contractYear) {
	for n := range s.groups {
		s.groups[n].code, s.groups[n].name = "", fmt.Sprintf("Group %c", 'A'+n)
		if !slices.ContainsFunc(s.groups[n].columns, func(c column) bool { return c.field == "code" }) {
			s.groups[n].columns = append(s.groups[n].columns, column{"code", "SNOMED Code"})
		}
	}
	who := pick(g, g.people)
	at := who.at[0]
	l := line{patient: cells{practice: g.practiceCodes[at], emis: who.emis[at], nhs: who.nhs}, events: make([]eventCells, len(s.groups))}
	if who.nhs == "" {
		l.patient.nhs = validNHS(4_242)
	}
	l.patient.nhsState = g.stateOf(l.patient.nhs)
	if !s.has("nhs") {
		l.patient.nhs, l.patient.nhsState = "", NHSBlank
	}
	if !s.has("emis") {
		l.patient.emis = ""
	}
	if !s.has("practice") {
		l.patient.practice = ""
	}
	l.events[0] = eventCells{
		code:     coded{text: claimCode, state: CodeInBook, code: claimCode},
		activity: given(y.contract.Start),
	}
	s.lines = []line{l}
}

// makeSpike is a file with 19 to 21 assessments on one day, and so many on other days that they are a
// quarter of all or close to it.
func (g *generator) makeSpike(y *contractYear) *sheet {
	s := &sheet{kind: SearchExport, path: "spike/" + spikePractice + ".csv", practice: spikePractice, extract: civil.None, relative: civil.None}
	s.known = map[string]bool{spikePractice: true}
	s.patient = []column{{"nhs", "NHS Number"}}
	s.groups = []group{{columns: []column{{"code", "Code"}, {"date", "Date"}}}}
	onDay := 19 + g.IntN(3)
	others := pick(g, []int{0, 3*onDay - 1, 3 * onDay, 3*onDay + 1})
	for n := range onDay + others {
		on := y.contract.Start
		if n >= onDay {
			on += civil.Date(1 + n%9)
		}
		s.lines = append(s.lines, line{
			patient: cells{nhs: validNHS(500_000 + 20*n), nhsState: NHSValid},
			events:  []eventCells{{code: coded{text: claimCode, state: CodeInBook, code: claimCode}, activity: given(on)}},
		})
	}
	return s
}

// copied is the same file in another folder.
func (s *sheet) copied() *sheet {
	twin := *s
	twin.path = path.Join(path.Dir(s.path), "copy", path.Base(s.path))
	return &twin
}

// hasClaim says whether any row of the sheets has the claim code, whatever becomes of it.
func hasClaim(made []*sheet) bool {
	for _, s := range made {
		for _, row := range s.rows(0) {
			if row.CodeState == CodeInBook && row.Code == claimCode {
				return true
			}
		}
	}
	return false
}

// addSheets adds the files and their rows to a run. Of files with the same bytes, kind, and practice
// and code from their path, the first path in byte order is read.
func addSheets(run *Run, made []*sheet) {
	slices.SortFunc(made, func(a, b *sheet) int { return strings.Compare(a.path, b.path) })
	seen := map[string]bool{}
	for _, s := range made {
		text := s.text()
		run.Inbox[s.path] = text
		file := File{Path: s.path, Kind: s.kind, Status: FileRead, Practice: s.practice, Extract: s.extract, Relative: s.relative}
		if file.Kind == headerless {
			file.Kind = BatchAdd
		}
		same := strings.Join([]string{file.Kind, s.practice, strings.Join(s.codes, "+"), text}, "\x00")
		if seen[same] {
			file.Status = FileDuplicate
		}
		run.Input.Files = append(run.Input.Files, file)
		if !seen[same] {
			run.Input.Rows = append(run.Input.Rows, s.rows(len(run.Input.Files)-1)...)
		}
		seen[same] = true
	}
}

// columns lists all columns from left to right.
func (s *sheet) columns() []column {
	var patient, events []column
	patient = append(patient, s.patient...)
	for _, group := range s.groups {
		events = append(events, group.columns...)
	}
	if s.mixed {
		return append(events, patient...)
	}
	return append(patient, events...)
}

// cellsOf lists the texts of a line from left to right.
func (s *sheet) cellsOf(l line) []string {
	var patient, events []string
	for _, c := range s.patient {
		cell := ""
		switch c.field {
		case "practice":
			cell = l.patient.practice
		case "nhs":
			cell = l.patient.nhs
		case "emis":
			cell = l.patient.emis
		case "type":
			cell = l.patient.typ.text
		case "status":
			cell = l.patient.status.text
		case "registered":
			cell = s.date(l.patient.registered)
		case "deducted":
			cell = s.date(l.patient.deducted)
		case "death":
			cell = s.date(l.patient.death)
		}
		if l.isContinued {
			cell = ""
		}
		patient = append(patient, cell)
	}
	for n, group := range s.groups {
		for _, c := range group.columns {
			switch c.field {
			case "code":
				events = append(events, l.events[n].code.text)
			case "date":
				events = append(events, s.date(l.events[n].activity))
			case "recorded":
				events = append(events, s.date(l.events[n].recorded))
			}
		}
	}
	if s.mixed {
		return append(events, patient...)
	}
	return append(patient, events...)
}

func (s *sheet) date(d Date) string {
	switch d.State {
	case DateBlank:
		return ""
	case DateInvalid:
		return "31-Feb-2026"
	}
	return d.Day.Time().Format([]string{"02-Jan-2006", "02/01/2006", "2006-01-02"}[s.iso])
}

// text writes the file.
func (s *sheet) text() string {
	var b strings.Builder
	write := func(cells []string) {
		b.WriteString(strings.Join(cells, ","))
		if s.trailing {
			b.WriteString(",")
		}
		b.WriteString("\r\n")
	}
	columns := s.columns()
	for _, cells := range s.above() {
		write(cells)
	}
	if s.kind != headerless {
		var names []string
		for _, c := range columns {
			names = append(names, c.header)
		}
		write(names)
	}
	for _, l := range s.lines {
		cells := s.cellsOf(l)
		switch {
		case l.isMalformed && l.isShort:
			b.WriteString(strings.Join(cells[:len(cells)-1], ",") + "\r\n")
		case l.isMalformed:
			b.WriteString(strings.Join(cells, ",") + ",surplus\r\n")
		default:
			write(cells)
		}
	}
	return b.String()
}

// above lists the lines above the column names: the preamble and the group row.
func (s *sheet) above() [][]string {
	width := len(s.columns())
	padded := func(cells ...string) []string {
		for len(cells) < width {
			cells = append(cells, "")
		}
		return cells
	}
	var lines [][]string
	if s.preamble {
		run := padded("Last Run:", s.extract.Time().Format("02/01/2006")+" 17:03")
		if s.relative != civil.None {
			run = padded("Last Run:", s.extract.Time().Format("02/01/2006")+" 17:03", "Relative Date:", s.relative.Time().Format("02/01/2006")+" 16:51")
		}
		lines = append(lines, padded("Local Enhanced Services"), padded(""), run, padded(""),
			padded("Population Count", "Males", "Females"), padded("20", "9", "11"), padded(""))
	}
	if s.twoHeader {
		var names []string
		for n := range s.patient {
			names = append(names, firstOnly(n, "Patient Details"))
		}
		for _, group := range s.groups {
			for n := range group.columns {
				names = append(names, firstOnly(n, group.name))
			}
		}
		lines = append(lines, names)
	}
	return lines
}

func firstOnly(n int, name string) string {
	if n == 0 {
		return name
	}
	return ""
}

// rows says what the lines mean.
func (s *sheet) rows(file int) []Row {
	var rows []Row
	number := len(s.above())
	if s.kind != headerless {
		number++
	}
	var filled cells // practice, NHS and EMIS number of the line above, for a continuation line
	for _, l := range s.lines {
		number++
		row := Row{File: file, Line: number, Event: 1}
		if l.isMalformed {
			row.Malformed = true
			row.PracticeState, row.Practice = s.practiceOf("")
			rows = append(rows, row)
			filled = cells{} // it ends filling down
			continue
		}
		who := l.patient
		if l.isContinued || s.twoHeader && s.isBlankPatient(l) {
			who = cells{practice: filled.practice, nhs: filled.nhs, nhsState: filled.nhsState, emis: filled.emis}
		} else {
			filled = l.patient
		}
		row.PracticeState, row.Practice = s.practiceOf(who.practice)
		row.NHSState = who.nhsState
		if row.NHSState == NHSValid {
			row.NHS = who.nhs
		}
		row.EMIS = who.emis
		row.Type, row.Status = who.typ.is, who.status.is
		row.Registered, row.Deducted, row.Death = who.registered, who.deducted, who.death

		hasEvent := false
		for n, group := range s.groups {
			event := l.events[n]
			code := event.code
			if group.code != "" {
				code = coded{text: group.code, state: CodeInBook, code: group.code}
			}
			isNamedByFile := s.kind == BatchAdd || s.kind == headerless
			isEvent := event.activity.State != DateBlank || event.code.text != "" || isNamedByFile && group.code != ""
			if !isEvent {
				continue
			}
			hasEvent = true
			row.CodeState, row.Code, row.Repaired, row.NoConcept = code.state, code.code, code.repaired, code.noConcept
			row.Activity, row.Recorded = event.activity, event.recorded
			rows = append(rows, row)
			row.Event++
		}
		if !hasEvent {
			rows = append(rows, row)
		}
	}
	return rows
}

func (s *sheet) isBlankPatient(l line) bool {
	for _, c := range s.cellsOf(l)[:len(s.patient)] {
		if c != "" {
			return false
		}
	}
	return true
}

// practiceOf is the row's practice: its cell's; where that is blank, the file's.
func (s *sheet) practiceOf(cell string) (PracticeState, string) {
	code := strings.ToUpper(cell)
	if code == "" {
		code = s.practice
	}
	switch {
	case code == "":
		return PracticeMissing, ""
	case !s.known[code]:
		return PracticeUnknown, ""
	}
	return PracticeKnown, code
}
