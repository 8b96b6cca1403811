package emis

import (
	"bytes"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"ltcles/snomed"
)

// A Field is what a column means (SPEC §5.2).
type Field string

// The fields that are read.
const (
	PracticeCode       Field = "practice_code"
	NHSNumber          Field = "nhs_number"
	EMISNumber         Field = "emis_number"
	Code               Field = "code"
	ActivityDate       Field = "activity_date"
	RecordedDate       Field = "recorded_date"
	PatientType        Field = "patient_type"
	RegistrationStatus Field = "registration_status"
	RegisteredDate     Field = "registered_date"
	DeductedDate       Field = "deducted_date"
	DeathDate          Field = "death_date"
)

// fieldHeaders is the table of SPEC §5.2. Where several headers of a file mean
// one field, the earliest here wins.
var fieldHeaders = []struct {
	field   Field
	headers []string
}{
	{PracticeCode, []string{"Organisation Code", "ODS Code", "Practice Code", "Practice ODS Code", "Organisation ODS Code", "Usual GP's Organisation Code"}},
	{NHSNumber, []string{"NHS Number", "NHS No", "NHSNumber"}},
	{EMISNumber, []string{"EMIS Number", "EMIS No", "Patient Number"}},
	{Code, []string{"SNOMED CT Concept ID", "SNOMED Concept ID", "SNOMED Code", "Concept ID", "SNOMED CT Code", "Code"}},
	{ActivityDate, []string{"Date", "Event Date", "Effective Date", "Activity Date", "Clinical Effective Date"}},
	{RecordedDate, []string{"Date Recorded", "Recorded Date", "Entered Date", "Date Entered", "Date Added", "Availability Date"}},
	{PatientType, []string{"Patient Type", "Registration Type"}},
	{RegistrationStatus, []string{"Registration Status", "Patient Status"}},
	{RegisteredDate, []string{"Registered Date", "Registration Date", "Date of Registration"}},
	{DeductedDate, []string{"Deducted Date", "Deduction Date", "Date of Deduction", "Deregistration Date", "Date of Deactivation", "Left Date"}},
	{DeathDate, []string{"Date of Death", "Death Date", "Deceased Date"}},
}

// Fields lists every field, in the order of SPEC §5.2.
func Fields() []Field {
	fields := make([]Field, len(fieldHeaders))
	for i, entry := range fieldHeaders {
		fields[i] = entry.field
	}
	return fields
}

// event tells whether a field belongs to an event rather than to the patient.
func (f Field) event() bool { return f == Code || f == ActivityDate || f == RecordedDate }

// status tells whether a field is evidence of registration.
func (f Field) status() bool {
	switch f {
	case PatientType, RegistrationStatus, RegisteredDate, DeductedDate, DeathDate:
		return true
	}
	return false
}

// A Layout is what a workspace adds for the files of one provider: more
// headers, and which code a group without a code column stands for.
type Layout struct {
	Headers map[Field][]string
	Groups  map[string]snomed.Code
}

// vocabulary maps a header, with case, spaces and punctuation taken out, to its
// field and its rank within the field.
type vocabulary map[string]struct {
	field Field
	rank  int
}

func newVocabulary(layout Layout) vocabulary {
	v := vocabulary{}
	add := func(field Field, rank int, header string) {
		name := plain(header)
		if _, known := v[name]; !known && name != "" {
			v[name] = struct {
				field Field
				rank  int
			}{field, rank}
		}
	}
	for _, entry := range fieldHeaders {
		for rank, header := range entry.headers {
			add(entry.field, rank, header)
		}
	}
	// Last, so that what a workspace adds takes no header of SPEC §5.2 away.
	for _, entry := range fieldHeaders {
		for i, header := range layout.Headers[entry.field] {
			add(entry.field, len(entry.headers)+i, header)
		}
	}
	return v
}

// Means tells which field a header means by itself, whatever a workspace adds.
func Means(header string) (Field, bool) {
	entry, ok := newVocabulary(Layout{})[plain(header)]
	return entry.field, ok
}

// Plain is a header, or a group's name, as it is compared: without case, spaces
// and punctuation.
func Plain(text string) string { return plain(text) }

// plain takes case, spaces and punctuation out of a header.
func plain(text string) string { return string(appendPlain(nil, []byte(text))) }

// appendPlain appends the plain header to dst: each cell of a file's head is
// looked at, whatever it is.
func appendPlain(dst, text []byte) []byte {
	for len(text) > 0 {
		if c := text[0]; c < utf8.RuneSelf {
			switch {
			case 'a' <= c && c <= 'z' || '0' <= c && c <= '9':
				dst = append(dst, c)
			case 'A' <= c && c <= 'Z':
				dst = append(dst, c+'a'-'A')
			}
			text = text[1:]
			continue
		}
		r, size := utf8.DecodeRune(text)
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			dst = utf8.AppendRune(dst, unicode.ToLower(r))
		}
		text = text[size:]
	}
	return dst
}

// layout says where the fields of a file stand.
type layout struct {
	headerLine int
	twoRows    bool
	width      int // fields up to and including the last named column
	patient    map[Field]int
	patientEnd int     // columns before this one belong to the patient; only where twoRows
	groups     []group // the groups that hold events, in column order
	codeless   []group // groups with a date and no code: read only where the file's name gives the code
	dateless   int     // groups with a code and no date

	words           vocabulary
	header          []string // the column row, plain
	isPracticeAbove bool     // the file's practice is what the lines above the header say
}

// group is one group of event columns; a column is -1 where the group has none.
type group struct {
	code, activity, recorded int
	fixed                    snomed.Code // what the group stands for where it has no code column
}

func (l *layout) hasStatus() bool {
	for field := range l.patient {
		if field.status() {
			return true
		}
	}
	return false
}

// column is the place of a patient field, -1 where the file does not have it.
func (l *layout) column(field Field) int {
	if at, ok := l.patient[field]; ok {
		return at
	}
	return -1
}

// continues tells whether a line goes on about the patient above it: in a report
// with two header rows, where all of its patient cells are blank.
func (l *layout) continues(cells [][]byte) bool {
	for _, cell := range cells[:min(l.patientEnd, len(cells))] {
		if !isBlank(cell) {
			return false
		}
	}
	return l.twoRows
}

var digitsRun = regexp.MustCompile(`[0-9]+`)

// codeIn finds the only code of the book in a text, "" where there is none or
// more than one.
func (b *Book) codeIn(text string) snomed.Code {
	var found snomed.Code
	for _, digits := range digitsRun.FindAllString(text, -1) {
		code, ok := b.codes[digits]
		if !ok || code == found {
			continue
		}
		if found != "" {
			return ""
		}
		found = code
	}
	return found
}

// patientDetails is how the group row of a two-header report begins.
const patientDetails = "patientdetails"

// isHeader tells whether a record names a patient number, and counts the
// headers in it that are known.
func (v vocabulary) isHeader(cells [][]byte) (known int, header bool) {
	var name [64]byte
	for _, cell := range cells {
		entry, ok := v[string(appendPlain(name[:0], cell))]
		if !ok {
			continue
		}
		known++
		header = header || entry.field == NHSNumber || entry.field == EMISNumber
	}
	return known, header
}

// plainAll are the plain names of a row of headers, without blank ones at its end.
func plainAll(names []string) []string {
	all := make([]string, len(names))
	end := 0
	for i, name := range names {
		if all[i] = plain(name); all[i] != "" {
			end = i + 1
		}
	}
	return all[:end]
}

// beginsAnother tells whether a record below the header is one too, by which what follows would be
// read otherwise: it has other columns, or lines above it that may name another practice.
func (l *layout) beginsAnother(cells [][]byte) bool {
	known, isHeader := l.words.isHeader(cells)
	if !isHeader || known < 2 {
		return false
	}
	return l.isPracticeAbove && l.column(PracticeCode) < 0 || !slices.Equal(plainAll(cellStrings(cells)), l.header)
}

// readLayout works out a file's layout from its column row and, in a report
// with two header rows, the group row above it (nil otherwise).
func (v vocabulary) readLayout(line int, groupRow, columnRow []string, extra Layout, book *Book) (*layout, error) {
	l := &layout{headerLine: line, twoRows: groupRow != nil, patient: map[Field]int{}, words: v, header: plainAll(columnRow)}
	groupOf := make([]int, len(columnRow))
	isSpelledOut := areGroupsSpelledOut(groupRow)
	var names []string
	for i, name := range columnRow {
		if strings.ContainsRune(name, '"') || (i < len(groupRow) && strings.ContainsRune(groupRow[i], '"')) {
			return nil, refuse(line, "a stray quote in the header", "header cells without quotes in them", "export the search again, or mend the header line")
		}
		if len(names) == 0 || beginsGroup(groupRow, i, isSpelledOut) {
			groupName := ""
			if i < len(groupRow) {
				groupName = groupRow[i]
			}
			names = append(names, groupName)
		}
		groupOf[i] = len(names) - 1
		if strings.TrimSpace(name) != "" {
			l.width = i + 1
		}
		if groupOf[i] == 0 {
			l.patientEnd = i + 1
		}
	}
	columns := make([]map[Field]int, len(names))
	ranks := make([]map[Field]int, len(names))
	repeated := make([]map[Field]bool, len(names))
	for g := range names {
		columns[g], ranks[g], repeated[g] = map[Field]int{}, map[Field]int{}, map[Field]bool{}
	}
	seen := map[string]bool{}
	for i, name := range columnRow {
		entry, ok := v[plain(name)]
		if !ok {
			continue
		}
		g := groupOf[i]
		if key := fmt.Sprint(g, plain(name)); seen[key] {
			repeated[g][entry.field] = true
			if entry.field.event() {
				return nil, refuse(line, fmt.Sprintf("the header of %s twice in one group", entry.field), "each event column once in its group", "remove the second column in the search and export it again")
			}
		} else {
			seen[key] = true
		}
		if _, have := columns[g][entry.field]; have && isSpelledOut && entry.field.event() {
			return nil, refuse(line, fmt.Sprintf("%s twice in one group, or two groups of one name side by side", entry.field), "each event column once in its group", "name each group above its first column only")
		}
		if rank, ok := ranks[g][entry.field]; !ok || entry.rank < rank {
			columns[g][entry.field], ranks[g][entry.field] = i, entry.rank
		}
	}
	for field, column := range columns[0] {
		if field.event() {
			continue
		}
		if repeated[0][field] && field != PracticeCode {
			return nil, refuse(line, fmt.Sprintf("the header of %s twice", field), "each patient column once", "remove the second column in the search and export it again")
		}
		l.patient[field] = column
	}
	for g, name := range names {
		code, hasCode := columns[g][Code]
		activity, hasDate := columns[g][ActivityDate]
		fixed := fixedCode(name, extra, book)
		switch {
		case hasCode && hasDate, hasCode && g == 0 && len(names) == 1:
			fixed = ""
		case hasDate && fixed != "":
			code = -1
		case hasDate:
			l.codeless = append(l.codeless, group{code: -1, activity: activity, recorded: recordedColumn(columns[g])})
			continue
		default:
			if hasCode || fixed != "" {
				l.dateless++
			}
			if g > 0 {
				l.adoptStatus(columns[g])
			}
			continue
		}
		if !hasDate {
			activity = -1
		}
		l.groups = append(l.groups, group{code: code, activity: activity, recorded: recordedColumn(columns[g]), fixed: fixed})
	}
	return l, nil
}

// areGroupsSpelledOut tells a group row that has each group's name above each of
// its columns, as splitting a report's merged cells leaves it: it names the
// patient columns twice.
func areGroupsSpelledOut(groupRow []string) bool {
	return len(groupRow) > 1 && plain(groupRow[1]) == patientDetails
}

// beginsGroup tells whether column i begins another group.
func beginsGroup(groupRow []string, i int, isSpelledOut bool) bool {
	if i >= len(groupRow) || strings.TrimSpace(groupRow[i]) == "" {
		return false
	}
	return i == 0 || !isSpelledOut || strings.TrimSpace(groupRow[i]) != strings.TrimSpace(groupRow[i-1])
}

func recordedColumn(columns map[Field]int) int {
	if column, ok := columns[RecordedDate]; ok {
		return column
	}
	return -1
}

// adoptStatus takes registration fields from a group that holds no event, where
// the patient columns do not have them.
func (l *layout) adoptStatus(columns map[Field]int) {
	for field, column := range columns {
		if _, have := l.patient[field]; !have && field.status() {
			l.patient[field] = column
		}
	}
}

// fixedCode is the code that a group's name stands for: what the workspace maps
// it to, else the one code of the book that it contains.
func fixedCode(name string, extra Layout, book *Book) snomed.Code {
	for _, mapped := range slices.Sorted(maps.Keys(extra.Groups)) {
		if plain(mapped) == plain(name) {
			return extra.Groups[mapped]
		}
	}
	return book.codeIn(name)
}

// has lists which fields a layout knows, for messages.
func (l *layout) has() []string {
	var known []string
	for _, field := range Fields() {
		_, ok := l.patient[field]
		for _, g := range l.groups {
			ok = ok || field == Code && g.code >= 0 || field == ActivityDate && g.activity >= 0 || field == RecordedDate && g.recorded >= 0
		}
		if ok {
			known = append(known, string(field))
		}
	}
	return known
}

// cellStrings copies a record's cells.
func cellStrings(cells [][]byte) []string {
	texts := make([]string, len(cells))
	for i, cell := range cells {
		texts[i] = string(bytes.TrimFunc(cell, isInvisible))
	}
	return texts
}
