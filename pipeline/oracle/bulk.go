package oracle

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"ltcles/pipeline/civil"
)

// What the lines of a random bulk extract say stands first here, down to bulkFile.text; what they mean
// is stated after it, from bulkInbox.settle on.

// The tables of a bulk extract, in the order in which a delivery's are applied.
const (
	organisationTable = "Admin_Organisation"
	codeTable         = "Coding_ClinicalCode"
	patientTable      = "Admin_Patient"
	observationTable  = "CareRecord_Observation"
)

// bulkFile is one file of a bulk extract: how it is written, and what it means.
type bulkFile struct {
	path      string // folder and name
	folder    string
	table     string
	stamp     string
	agreement string
	day       civil.Date // of the stamp
	practice  string     // the file's practice: the only known practice code in its path
	columns   []string
	lines     []bulkLine
	status    string
}

// bulkLine is one line of any of the tables; a nil cell map is a blank line.
type bulkLine struct {
	cells  map[string]string // by the column's name in lower case
	broken bool              // malformed, however it is

	deleted, dummy             bool
	organisation, patient, own string // identifiers as they are compared; "" where blank

	nhs                         string // Admin_Patient
	nhsState                    NHSState
	emis                        string
	typ                         stated
	registered, deducted, death Date

	activity, recorded Date // CareRecord_Observation
	codeID             string

	code coded  // Coding_ClinicalCode: what own stands for
	ods  string // Admin_Organisation: what own stands for, "" where it has none
}

// bulkInbox is all the bulk extracts of a run.
type bulkInbox struct {
	files []*bulkFile
	known map[string]bool // practice codes of the year
}

// addExtracts puts bulk extracts into some of the runs, from the records that the sheets are from.
// They have random numbers of their own, so that a seed's sheets are the same without them.
func (w *Workspace) addExtracts(g *generator, plans []plan, years map[int]*contractYear) {
	apart := *g
	apart.Rand = rand.New(rand.NewPCG(w.Seed, 0x656d6973))
	for n := range w.Runs {
		if apart.chance(0.35) {
			apart.makeExtracts(years[plans[n].year], &w.Runs[n]).addTo(&w.Runs[n])
		}
	}
}

func (g *generator) makeExtracts(y *contractYear, run *Run) *bulkInbox {
	in := &bulkInbox{known: map[string]bool{}}
	for _, practice := range y.practices {
		in.known[practice.Code] = true
	}
	for n := range 1 + g.IntN(2) {
		g.makeAgreement(y, run, in, n)
	}
	return in
}

// agreement is what several deliveries of one agreement share while they are made.
type agreement struct {
	id      string
	at      []int             // practices, by their place in practiceCodes
	codeIDs map[string]string // by the code's text
	told    map[string]bool   // codes that a look-up has told of
}

func (g *generator) makeAgreement(y *contractYear, run *Run, in *bulkInbox, n int) {
	a := &agreement{id: fmt.Sprintf("B3FA020B-0000-4000-8000-0000000000%02X", 10+n), codeIDs: map[string]string{}, told: map[string]bool{}}
	for at := range g.practiceCodes {
		if g.chance(0.6) {
			a.at = append(a.at, at)
		}
	}
	if len(a.at) == 0 {
		a.at = []int{g.IntN(len(g.practiceCodes))}
	}
	deliveries := 1 + g.IntN(3)
	day := run.AsAt - pick(g, []civil.Date{0, 0, 1, 2, 30})
	if g.chance(0.2) {
		day = min(y.contract.Deadline+pick(g, []civil.Date{-1, 0, 1}), run.AsAt+1)
	}
	first := day - civil.Date(deliveries)
	for d := range deliveries {
		on := first + civil.Date(d)
		if d == deliveries-1 {
			on = day
		} else if g.chance(0.3) {
			on = first // of one day, at another time
		}
		stamp := on.Time().Format("20060102") + fmt.Sprintf("%02d%04d", 4+d, g.IntN(60))
		made := g.makeDelivery(y, run, in, a, d, stamp, on)
		if folder := g.folder(); folder != made[0].folder && g.chance(0.15) { // it was sent twice
			isWhole := g.chance(0.6)
			for _, f := range made {
				if !isWhole && (f.table == codeTable || f.table == organisationTable) {
					continue // it cannot be read there
				}
				twin := *f
				twin.folder, twin.path, twin.lines = folder, folder+strings.TrimPrefix(f.path, f.folder), slices.Clone(f.lines)
				in.files = append(in.files, &twin)
			}
		}
	}
}

// folder is where a delivery lies; its name may give the files a practice.
func (g *generator) folder() string {
	codes := practiceCodes()
	return pick(g, []string{"", "bulk/", "a/bulk/", "z/", pick(g, codes) + "/", "extract " + pick(g, codes) + "/", pick(g, codes) + "/" + pick(g, codes) + "/"})
}

func (g *generator) makeDelivery(y *contractYear, run *Run, in *bulkInbox, a *agreement, d int, stamp string, on civil.Date) []*bulkFile {
	folder := g.folder()
	processor := pick(g, []string{"373783-374080", "bulk_95047", "1"})
	id := a.id
	if g.chance(0.2) {
		id = strings.ToLower(id)
	}
	file := func(table, processor string) *bulkFile {
		name := table
		if g.chance(0.1) {
			name = strings.ToUpper(name)
		}
		return &bulkFile{
			folder: folder, path: fmt.Sprintf("%s%s_%s_%s_%s.csv", folder, processor, name, stamp, id),
			table: table, stamp: stamp, agreement: a.id, day: on, columns: g.bulkColumns(table), status: FileRead,
		}
	}
	patients, observations := file(patientTable, processor), file(observationTable, processor)
	organisations, codes := file(organisationTable, processor), file(codeTable, processor)
	made := []*bulkFile{patients, observations, organisations, codes}

	share := 0.9
	if d > 0 {
		share = pick(g, []float64{0, 0.2, 0.5})
	}
	for n, who := range g.people {
		for _, at := range slices.Compact(slices.Sorted(slices.Values(who.at))) {
			if slices.Contains(a.at, at) && g.chance(share) {
				patients.add(g, g.patientLine(y, who, n, at))
			}
		}
	}
	for n, e := range y.events {
		if slices.Contains(a.at, e.at) && g.chance(share*0.7) {
			observations.add(g, g.observationLine(run, a, n, e))
		}
	}
	if d == 0 || g.chance(0.6) {
		g.addOrganisations(a, organisations)
	}
	g.addCodes(y, a, codes)
	for _, f := range made {
		g.Shuffle(len(f.lines), func(i, j int) { f.lines[i], f.lines[j] = f.lines[j], f.lines[i] })
	}
	if g.chance(0.15) { // a table in two files
		second := file(observationTable, "2-"+processor)
		half := len(observations.lines) / 2
		second.lines, observations.lines = slices.Clone(observations.lines[half:]), observations.lines[:half]
		made = append(made, second)
	}
	switch g.IntN(40) {
	case 0: // without a look-up, or a column, files are refused
		made = slices.DeleteFunc(made, func(f *bulkFile) bool { return f == codes })
	case 1:
		made = slices.DeleteFunc(made, func(f *bulkFile) bool { return f == organisations })
	case 2:
		f := pick(g, made)
		f.columns = slices.DeleteFunc(f.columns, func(name string) bool {
			return slices.Contains([]string{"organisationguid", "codeid"}, strings.ToLower(name))
		})
		f.status = FileRefused
	}
	in.files = append(in.files, made...)
	return made
}

// add adds a line, and now and then a blank one, or makes it malformed.
func (f *bulkFile) add(g *generator, l bulkLine) {
	if g.chance(0.03) {
		l.broken = true
	}
	f.lines = append(f.lines, l)
	if g.chance(0.03) {
		f.lines = append(f.lines, bulkLine{})
	}
}

// guid writes an identifier in one of the ways that it is written.
func (g *generator) guid(id string) string {
	switch {
	case id == "":
		return ""
	case g.chance(0.2):
		return "{" + strings.ToLower(id) + "}"
	case g.chance(0.1):
		return id
	}
	return "{" + id + "}"
}

// organisationID is that of a practice; 100 is one that practices.csv does not have, 101 one without
// an ODS code, and 102 one that no look-up has.
func organisationID(at int) string { return fmt.Sprintf("0A%06X-0000-4000-8000-00000000000A", at) }

// organisationNamed is which organisation a line names: its practice's, or now and then another.
func (g *generator) organisationNamed(at int) string {
	switch n := g.IntN(100); {
	case n < 2:
		return ""
	case n < 5:
		return organisationID(100 + g.IntN(3))
	}
	return organisationID(at)
}

func (g *generator) addOrganisations(a *agreement, f *bulkFile) {
	put := func(at int, ods string) {
		id := organisationID(at)
		f.add(g, bulkLine{own: id, ods: strings.ToUpper(strings.TrimSpace(ods)), cells: map[string]string{"organisationguid": g.guid(id), "odscode": ods}})
	}
	for _, at := range a.at {
		ods := g.practiceCodes[at]
		if g.chance(0.2) {
			ods = " " + strings.ToLower(ods)
		}
		if !g.chance(0.04) {
			put(at, ods)
		}
		if g.chance(0.03) { // of two lines about it the later one stands
			put(at, pick(g, g.practiceCodes))
		}
	}
	put(100, unknownPractice)
	put(101, "")
}

// codeID is what the agreement's look-ups call a code.
func (g *generator) codeID(a *agreement, code coded) string {
	if code.state == CodeBlank {
		return ""
	}
	if a.codeIDs[code.text] == "" {
		a.codeIDs[code.text] = fmt.Sprint(1000 + 7*len(a.codeIDs))
	}
	return a.codeIDs[code.text]
}

// addCodes tells of the codes that were used and that no earlier look-up has told of; now and then it
// leaves one out, tells of one again, or says that it stands for something else.
func (g *generator) addCodes(y *contractYear, a *agreement, f *bulkFile) {
	for _, text := range slices.Sorted(keys(a.codeIDs)) {
		id := a.codeIDs[text]
		if a.told[id] && !g.chance(0.3) || g.chance(0.04) {
			continue
		}
		a.told[id] = true
		code := g.readAgain(y, text)
		if g.chance(0.03) {
			code = g.makeCode(y, claimCode)
		}
		if g.chance(0.03) {
			code = coded{}
		}
		f.add(g, bulkLine{own: id, code: code, cells: map[string]string{"codeid": id, "snomedctconceptid": code.text}})
	}
}

// readAgain is what a code's text means.
func (g *generator) readAgain(y *contractYear, text string) coded {
	for _, e := range y.events {
		if e.code.text == text {
			return e.code
		}
	}
	panic("a code that no event has")
}

func (g *generator) patientLine(y *contractYear, who *person, n, at int) bulkLine {
	stands := y.standings[who][at]
	if g.chance(0.1) {
		stands = g.makeStanding(y)
	}
	l := bulkLine{
		organisation: g.organisationNamed(at), own: g.patientID(n, at), typ: stands.typ,
		registered: stands.registered, deducted: stands.deducted, death: stands.death,
		emis: who.emis[at], nhs: who.nhs, deleted: g.chance(0.06), dummy: g.chance(0.03),
	}
	switch k := g.IntN(100); {
	case k < 2:
		l.own = ""
	case k < 5:
		l.emis = ""
	case k < 8:
		l.nhs = ""
	case k < 11:
		l.nhs = pick(g, []string{"12345", "9999999999", "99900000001"})
	case k < 13: // the number of another was put down
		l.nhs = pick(g, g.people).nhs
	case k < 14:
		l.death = Date{State: DateInvalid}
	}
	l.nhsState = g.stateOf(l.nhs)
	nhs := l.nhs
	if l.nhsState == NHSValid && g.chance(0.2) {
		nhs = nhs[:3] + " " + nhs[3:6] + " " + nhs[6:]
	}
	l.cells = map[string]string{
		"patientguid": g.guid(l.own), "organisationguid": g.guid(l.organisation), "nhsnumber": nhs, "patientnumber": l.emis,
		"patienttypedescription": pick(g, []string{"", "  "}) + l.typ.text, "dummytype": g.truth(l.dummy), "deleted": g.truth(l.deleted),
		"dateofregistration": g.bulkDay(l.registered), "dateofdeactivation": g.bulkDay(l.deducted), "dateofdeath": g.bulkDay(l.death),
		"surname": "Example, A", "givenname": "Ann",
	}
	return l
}

// patientID is a patient's within his practice: at another practice it is another patient's.
func (g *generator) patientID(n, at int) string {
	return fmt.Sprintf("0B%06X-0000-4000-8000-00000000000B", (n+at)%len(g.people))
}

func (g *generator) observationLine(run *Run, a *agreement, n int, e event) bulkLine {
	l := bulkLine{
		organisation: g.organisationNamed(e.at), patient: g.patientID(slices.Index(g.people, e.who), e.at),
		own:      fmt.Sprintf("0C%06X-0000-4000-8000-00000000000C", n*9/10), // now and then two have one
		activity: given(e.activity), codeID: g.codeID(a, e.code), deleted: g.chance(0.05),
	}
	if e.recorded != civil.None {
		l.recorded = given(e.recorded)
	}
	switch k := g.IntN(100); {
	case k < 2:
		l.own = ""
	case k < 4:
		l.patient = ""
	case k < 7:
		l.activity = Date{}
	case k < 8:
		l.activity = Date{State: DateInvalid}
	case k < 10:
		l.activity = given(run.AsAt + pick(g, []civil.Date{-1, 0, 1}))
	case k < 12:
		l.recorded = pick(g, []Date{{State: DateInvalid}, given(run.AsAt + 1)})
	case k < 13:
		l.codeID = "999999" // that no look-up has
	case k < 14:
		l.codeID = ""
	}
	l.cells = map[string]string{
		"observationguid": g.guid(l.own), "patientguid": g.guid(l.patient), "organisationguid": g.guid(l.organisation),
		"effectivedate": g.bulkDay(l.activity), "entereddate": g.bulkDay(l.recorded), "codeid": l.codeID, "deleted": g.truth(l.deleted),
		"associatedtext": "she said \"\"well\"\", twice",
	}
	return l
}

func (g *generator) truth(is bool) string {
	if is {
		return pick(g, []string{"true", "TRUE", "1"})
	}
	return pick(g, []string{"false", "False", "0", ""})
}

func (g *generator) bulkDay(d Date) string {
	switch d.State {
	case DateBlank:
		return ""
	case DateInvalid:
		return "2026-02-31"
	}
	return d.Day.String()
}

// bulkColumns are the columns of a table in one of its versions.
func (g *generator) bulkColumns(table string) []string {
	versions := map[string][]string{
		patientTable: {
			`PatientGuid OrganisationGuid UsualGpUserInRoleGuid Sex DateOfBirth DateOfDeath Title GivenName MiddleNames Surname
			DateOfRegistration NhsNumber PatientNumber PatientTypeDescription DummyType HouseNameFlatNumber NumberAndStreet Village
			Town County Postcode ResidentialInstituteCode NHSNumberStatus CarerName CarerRelation PersonGuid DateOfDeactivation Deleted
			SpineSensitive IsConfidential EmailAddress HomePhone MobilePhone ExternalUsualGPGuid ExternalUsualGP
			ExternalUsusalGPOrganisation ProcessingId`,
			`PatientGuid OrganisationGuid UsualGpUserInRoleGuid Sex DateOfBirth DateOfDeath Title GivenName MiddleNames Surname
			DateOfRegistration NhsNumber PatientNumber PatientTypeDescription DummyType HouseNameFlatNumber NumberAndStreet Village
			Town County Postcode ResidentialInstituteCode NHSNumberStatus CarerName CarerRelation PersonGuid DateofDeactivation Deleted
			SpineSensitive IsConfidential EmailAddress HomePhone MobilePhone ExternalUsualGPGuid ExternalUsualGP
			ExternalUsualGPOrganisation ContactComments ProcessingId`,
		},
		observationTable: {
			`ObservationGuid PatientGuid OrganisationGuid EffectiveDate EffectiveDatePrecision EnteredDate EnteredTime
			ClinicianUserInRoleGuid EnteredByUserInRoleGuid ParentObservationGuid CodeId ProblemGuid AssociatedText ConsultationGuid
			Value NumericUnit ObservationType NumericRangeLow NumericRangeHigh DocumentGuid Deleted IsConfidential ProcessingId`,
			`ObservationGuid PatientGuid OrganisationGuid EffectiveDate EffectiveDatePrecision EnteredDate EnteredTime
			ClinicianUserInRoleGuid EnteredByUserInRoleGuid ParentObservationGuid CodeId ProblemGuid ConsultationGuid Value NumericUnit
			ObservationType NumericRangeLow NumericRangeHigh DocumentGuid Qualifiers Abnormal AbnormalReason Episode Deleted
			IsConfidential ProcessingId`,
		},
		codeTable: {
			`CodeId Term ReadTermId SnomedCTConceptId SnomedCTDescriptionId NationalCode NationalCodeCategory NationalDescription
			EmisCodeCategoryDescription ProcessingId ParentCodeId`,
			`CodeId Term ReadTermId SnomedCTConceptId SnomedCTDescriptionId NationalCode NationalCodeCategory NationalDescription
			EmisCodeCategoryDescription ParentCodeID ProcessingId`,
		},
		organisationTable: {
			`OrganisationGuid CDB OrganisationName ODSCode ParentOrganisationGuid CCGOrganisationGuid OrganisationType OpenDate
			CloseDate MainLocationGuid ProcessingId`,
		},
	}
	columns := strings.Fields(pick(g, versions[table]))
	switch g.IntN(5) {
	case 0:
		for n := range columns {
			columns[n] = strings.ToUpper(columns[n])
		}
	case 1:
		g.Shuffle(len(columns), func(i, j int) { columns[i], columns[j] = columns[j], columns[i] })
	}
	return columns
}

// text writes the file.
func (f *bulkFile) text() string {
	var b strings.Builder
	b.WriteString(strings.Join(f.columns, ",") + "\r\n")
	for n, l := range f.lines {
		if l.cells == nil {
			b.WriteString("\r\n")
			continue
		}
		var cells []string
		for _, name := range f.columns {
			cell := l.cells[strings.ToLower(name)]
			if l.broken && n%3 == 0 && slices.Contains([]string{"deleted", "dummytype"}, strings.ToLower(name)) {
				cell = "perhaps" // neither true nor false
			}
			if strings.ContainsAny(cell, `,"`) || n%4 == 0 {
				cell = `"` + cell + `"`
			}
			cells = append(cells, cell)
		}
		hasTruth := f.table == patientTable || f.table == observationTable
		switch {
		case l.broken && n%3 == 1 || l.broken && n%3 == 0 && !hasTruth:
			cells = append(cells[:1], `"an open quote`)
		case l.broken && n%3 == 2:
			cells = append(cells, "surplus")
		}
		b.WriteString(strings.Join(cells, ",") + "\r\n")
	}
	return b.String()
}

// addTo adds the files and their rows to a run.
func (in *bulkInbox) addTo(run *Run) {
	slices.SortFunc(in.files, func(a, b *bulkFile) int { return strings.Compare(a.path, b.path) })
	in.settle()
	for _, f := range in.files {
		run.Inbox[f.path] = f.text()
		isLookup := f.table == codeTable || f.table == organisationTable
		if isLookup && f.status != FileRefused {
			continue // it is nobody's, and has no rows
		}
		file := File{Path: f.path, Kind: BulkExtract, Status: f.status, Practice: f.practice, Extract: f.day, Relative: civil.None, Renewed: in.newest(f)}
		if isLookup {
			file.Kind = bulkLookup
		}
		run.Input.Files = append(run.Input.Files, file)
		if f.status == FileRead {
			run.Input.Rows = append(run.Input.Rows, in.rows(f, len(run.Input.Files)-1)...)
		}
	}
}

// bulkLookup is the kind of a look-up file; it has no rows.
const bulkLookup = "bulk_lookup"

// settle decides which files are read. A file needs the look-ups of its folder, stamp and agreement:
// organisations, and for observations codes. Of those that can be read and have the same bytes,
// practice, stamp and agreement, the first path in byte order is; look-up files are never duplicates.
func (in *bulkInbox) settle() {
	for _, f := range in.files {
		f.practice = in.onlyPractice(f.path)
		needsOrganisations := f.table == patientTable || f.table == observationTable
		if needsOrganisations && !in.hasBeside(f, organisationTable) || f.table == observationTable && !in.hasBeside(f, codeTable) {
			f.status = FileRefused
		}
	}
	seen := map[string]bool{}
	for _, f := range in.files {
		if f.status == FileRefused || f.table == codeTable || f.table == organisationTable {
			continue
		}
		same := strings.Join([]string{f.practice, f.stamp, f.agreement, f.text()}, "\x00")
		if seen[same] {
			f.status = FileDuplicate
		}
		seen[same] = true
	}
}

func (in *bulkInbox) hasBeside(f *bulkFile, table string) bool {
	return slices.ContainsFunc(in.files, func(other *bulkFile) bool {
		return other.table == table && other.status == FileRead && other.folder == f.folder && other.stamp == f.stamp && other.agreement == f.agreement
	})
}

func (in *bulkInbox) onlyPractice(path string) string {
	found := ""
	for _, code := range practiceCodes() {
		if !in.known[code] || !strings.Contains(path, code) {
			continue
		}
		if found != "" {
			return ""
		}
		found = code
	}
	return found
}

// newest is the day of the newest stamp of a file's agreement: a delta brings what it adds to up to
// its own day.
func (in *bulkInbox) newest(f *bulkFile) civil.Date {
	newest := f.day
	for _, other := range in.files {
		if other.agreement == f.agreement && other.status == FileRead {
			newest = max(newest, other.day)
		}
	}
	return newest
}

// applied lists the read files of a table and an agreement in the order in which they are applied: by
// stamp, then folder, then name.
func (in *bulkInbox) applied(agreement, table string) []*bulkFile {
	var files []*bulkFile
	for _, f := range in.files {
		if f.agreement == agreement && f.table == table && f.status == FileRead {
			files = append(files, f)
		}
	}
	slices.SortFunc(files, compareBulkFiles)
	return files
}

func compareBulkFiles(a, b *bulkFile) int {
	return cmp.Or(cmp.Compare(a.stamp, b.stamp), cmp.Compare(a.folder, b.folder), cmp.Compare(a.path, b.path))
}

// rows says what the lines of a file mean.
//
// Each Admin_Patient line is a row without an event, each CareRecord_Observation line a row. Of lines
// about one patient, or one observation, of one organisation, the last is the one that counts, and the
// others are as if deleted. A deleted patient takes every observation along. Whose an observation is,
// the last line about its patient says, unless nothing up to its own stamp has told of him.
func (in *bulkInbox) rows(f *bulkFile, file int) []Row {
	var rows []Row
	for n, l := range f.lines {
		if l.cells == nil {
			continue // a blank line is no record
		}
		row := Row{File: file, Line: n + 2, Event: 1, Deleted: l.deleted}
		if l.broken {
			row.Malformed, row.Deleted = true, false
			row.PracticeState, row.Practice = in.practiceOf(f, "")
			rows = append(rows, row)
			continue
		}
		row.PracticeState, row.Practice = in.organisationOf(f, l.organisation)
		if l.own != "" && !in.isLast(f, n) {
			row.Deleted = true
		}
		who := &l
		if f.table == patientTable {
			row.Type, row.Dummy = l.typ.is, l.dummy
			row.Registered, row.Deducted, row.Death = l.registered, l.deducted, l.death
			if l.own != "" {
				last, _ := in.patient(f.agreement, l.own, l.organisation)
				row.Deleted = row.Deleted || last.deleted
			}
		} else {
			row.Activity, row.Recorded = l.activity, l.recorded
			code := in.codeOf(f, l.codeID)
			row.CodeState, row.Code, row.Repaired, row.NoConcept = code.state, code.code, code.repaired, code.noConcept
			last, since := in.patient(f.agreement, l.patient, l.organisation)
			who = nil
			if last != nil && since <= f.stamp {
				who = last
			}
			row.Deleted = row.Deleted || last != nil && last.deleted
		}
		if who != nil {
			row.NHSState, row.EMIS = who.nhsState, who.emis
			if who.nhsState == NHSValid {
				row.NHS = who.nhs
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// isLast says whether no later line is about the same patient or observation.
func (in *bulkInbox) isLast(f *bulkFile, n int) bool {
	var last *bulkLine
	for _, other := range in.applied(f.agreement, f.table) {
		for m := range other.lines {
			l := &other.lines[m]
			if l.cells != nil && !l.broken && l.own == f.lines[n].own && l.organisation == f.lines[n].organisation {
				last = l
			}
		}
	}
	return last == &f.lines[n]
}

// patient is the last line about a patient, nil where there is none, and the stamp of the first.
func (in *bulkInbox) patient(agreement, id, organisation string) (last *bulkLine, since string) {
	if id == "" {
		return nil, ""
	}
	for _, f := range in.applied(agreement, patientTable) {
		for n := range f.lines {
			l := &f.lines[n]
			if l.cells == nil || l.broken || l.own != id || l.organisation != organisation {
				continue
			}
			last, since = l, cmp.Or(since, f.stamp)
		}
	}
	return last, since
}

// lookUp finds what an identifier stands for in the look-ups up to a file's own, nil for nothing: the
// last line about it says.
func (in *bulkInbox) lookUp(f *bulkFile, table, id string) (found *bulkLine) {
	for _, lookup := range in.applied(f.agreement, table) {
		if cmp.Or(cmp.Compare(lookup.stamp, f.stamp), cmp.Compare(lookup.folder, f.folder)) > 0 {
			break
		}
		for n := range lookup.lines {
			if l := &lookup.lines[n]; l.cells != nil && !l.broken && l.own == id {
				found = l
			}
		}
	}
	return found
}

// codeOf is what a code id stands for: without a concept it is EMIS's own, and without a look-up none.
func (in *bulkInbox) codeOf(f *bulkFile, id string) coded {
	if id == "" {
		return coded{state: CodeBlank}
	}
	l := in.lookUp(f, codeTable, id)
	switch {
	case l == nil:
		return coded{state: CodeInvalid}
	case l.code.state == CodeBlank:
		return coded{state: CodeNotInBook}
	}
	return l.code
}

// organisationOf is a line's practice: that of its organisation; where the line names none, or one
// without a code, the file's.
func (in *bulkInbox) organisationOf(f *bulkFile, id string) (PracticeState, string) {
	if id == "" {
		return in.practiceOf(f, "")
	}
	l := in.lookUp(f, organisationTable, id)
	if l == nil {
		return PracticeUnknown, ""
	}
	return in.practiceOf(f, l.ods)
}

func (in *bulkInbox) practiceOf(f *bulkFile, code string) (PracticeState, string) {
	code = cmp.Or(code, f.practice)
	switch {
	case code == "":
		return PracticeMissing, ""
	case !in.known[code]:
		return PracticeUnknown, ""
	}
	return PracticeKnown, code
}
