package emis

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"

	"ltcles/pipeline/civil"
	"ltcles/snomed"
)

// Kind is what a file of the inbox is (fact_file.kind).
type Kind string

// The kinds of file.
const (
	SearchExport Kind = "search_export"
	BulkExtract  Kind = "bulk_extract"
	BulkLookup   Kind = "bulk_lookup"
	BatchAdd     Kind = "batch_add"
	Register     Kind = "register"
	Summary      Kind = "summary"
	Archive      Kind = "archive"
	OtherKind    Kind = "other"
)

// Status is what became of a file (fact_file.status).
type Status string

// The statuses of a file.
const (
	Read      Status = "read"
	Duplicate Status = "duplicate"
	Refused   Status = "refused"
	Ignored   Status = "ignored"
)

// A File is a file of the inbox as [Inspector.Inspect] found it.
type File struct {
	Name     string // relative to the period's inbox, with slashes
	SHA256   string // lower-case hex
	Bytes    int64
	Kind     Kind
	Status   Status
	Message  string // why it is refused, or what else there is to say
	Refusal  *Refusal
	Encoding Encoding
	// Delimiter is 0 where the file was not read as delimited text.
	Delimiter byte
	// HeaderLine is the physical line of the column headers, 0 without any.
	HeaderLine int
	// Practice is the file's own practice (SPEC §5.2), "" where nothing names one.
	Practice string
	// Code is what the file's name says that every row of it was coded with,
	// where no column says so.
	Code snomed.Code
	// ExtractDate is the stated one, None where the file states none.
	ExtractDate  civil.Date
	RelativeDate civil.Date

	layout    *layout
	headerEnd int       // the physical line on which the column headers end
	bulk      *bulkFile // nil unless the file is of a bulk extract
	sheet     string    // the worksheet that is read, where it is a workbook
	lacking   []Field   // what more headers in ltcles.yaml could add
	modTime   time.Time
}

// DelimiterName names the delimiter in words, "" where there is none.
func (f *File) DelimiterName() string {
	switch f.Delimiter {
	case ',':
		return "comma"
	case '\t':
		return "tab"
	case ';':
		return "semicolon"
	case '|':
		return "pipe"
	}
	return ""
}

// A ProviderLayout is a [Layout] for the files whose name matches a pattern.
type ProviderLayout struct {
	Files string // a path.Match pattern on the file's name or on its path
	Layout
}

// An Inspector decides what the files of an inbox are.
type Inspector struct {
	Inbox     fs.FS
	Practices map[string]struct{} // known practice codes, upper case
	Book      *Book
	Layouts   []ProviderLayout // all that match a file add up, the earlier before the later
	Limits    Limits           // of archives and workbooks
	TempDir   string           // takes what of a workbook is too large for memory; "" for nothing
}

// Inspect looks at one file: its bytes once, and its head. What makes the file
// unreadable is said in the File, with status Refused; an error means that the
// file could not be looked at.
func (in *Inspector) Inspect(name string) (*File, error) {
	f := &File{Name: name, Kind: OtherKind, Status: Read, ExtractDate: civil.None, RelativeDate: civil.None}
	f.Practice = onlyPractice(in.Practices, name)
	how, refusal := treat(name)
	if err := in.survey(f, how, refusal); err != nil {
		var refused *Refusal
		if !errors.As(err, &refused) {
			return nil, err
		}
		f.Refuse(refused)
	}
	return f, nil
}

// note adds to what there is to say of a file that is read.
func (f *File) note(text string) { f.Message = strings.TrimPrefix(f.Message+"; "+text, "; ") }

// Refuse marks a file as refused, and says why.
func (f *File) Refuse(refusal *Refusal) {
	refusal.File, refusal.Kind = f.Name, f.Kind
	f.Status, f.Refusal, f.Message = Refused, refusal, refusal.Message()
	if refusal.Line > 0 {
		f.Message = fmt.Sprintf("line %d: %s", refusal.Line, f.Message)
	}
}

func (in *Inspector) survey(f *File, how treatment, refusal *Refusal) error {
	file, err := openIn(in.Inbox, f.Name)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("stat export %s: %w", f.Name, err)
	}
	f.modTime = info.ModTime()
	seen, err := survey(file)
	if err != nil {
		return fmt.Errorf("read export %s: %w", f.Name, err)
	}
	f.SHA256, f.Bytes = seen.sha256, seen.size
	switch how {
	case ignoreFile:
		f.Status, f.Message = Ignored, "not a data file, by its name"
		return nil
	case refuseFile:
		return refusal
	case readAsArchive:
		return in.decideArchive(f)
	case readAsWorkbook:
		return in.decideWorkbook(f)
	}
	if bytes.HasPrefix(seen.head, zipMagic) {
		return in.decideWorkbook(f) // under another name
	}
	if f.bulk = bulkOf(f.Name); f.bulk != nil && !f.bulk.isNeeded() {
		f.Status, f.Message = Ignored, "a table of the bulk extract that is not needed"
		return nil
	}
	if f.Encoding, err = decideEncoding(seen); err != nil {
		return err
	}
	head, err := in.head(f)
	if err != nil {
		return err
	}
	if f.bulk != nil {
		return in.decideBulk(f, head)
	}
	return in.decideText(f, head)
}

// The header is looked for in this much of a file.
const (
	headBytes = 512 << 10
	headLines = 1000
)

func (in *Inspector) head(f *File) ([]byte, error) {
	file, err := openIn(in.Inbox, f.Name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	head, err := io.ReadAll(io.LimitReader(decoded(file, f.Encoding), headBytes))
	if err != nil {
		return nil, fmt.Errorf("read export %s: %w", f.Name, err)
	}
	return head, nil
}

// decideText settles what a file of delimited text is.
func (in *Inspector) decideText(f *File, head []byte) error {
	if isBlank(head) {
		return refuse(0, "an empty file", "an export with a header and patients", "export the search again, or take the file out of the inbox")
	}
	extra := in.layoutFor(f.Name)
	words := newVocabulary(extra)
	found, err := findHeader(head, words)
	if err != nil {
		return err
	}
	if found == nil {
		return in.decideHeaderless(f, head, words)
	}
	f.Delimiter = found.delimiter
	return in.decideTable(f, found, words, extra)
}

// decideTable settles the layout, kind, practice and code of a file in which a
// header was found.
func (in *Inspector) decideTable(f *File, found *header, words vocabulary, extra Layout) (err error) {
	f.HeaderLine, f.headerEnd = found.line, found.end
	if isBulkHeader(found.columnRow) {
		return refuseBulkName(found.line)
	}
	if found.patientLine > 0 {
		return refusePatientAbove(found.patientLine, "an NHS number above the header")
	}
	f.readPreamble(found.preamble)
	isNamed := f.Practice != ""
	if !isNamed {
		f.Practice = onlyPractice(in.Practices, found.preambleTexts()...)
	}
	f.layout, err = words.readLayout(found.line, found.groupRow, found.columnRow, extra, in.Book)
	if err != nil {
		f.Kind = guessKind(f.Name)
		return err
	}
	f.layout.isPracticeAbove = !isNamed
	if slices.ContainsFunc(found.preamble, func(cells []string) bool { return in.isPatient(f.layout, cells) }) {
		return refusePatientAbove(found.line, "a patient above the header")
	}
	return in.decideKind(f)
}

func refusePatientAbove(line int, what string) error {
	return refuse(line, what, "the header above every patient", "move the header's line back to the top, where sorting may have taken it from, or export the search again")
}

// isPatient tells a line that is one of the layout's rows: a patient's number and a known practice,
// and besides a code, a date or a status, where the columns of those are. Without a column of
// practices it has to have an EMIS number, a code and a date.
func (in *Inspector) isPatient(l *layout, cells []string) bool {
	at := func(column int) []byte {
		if column < 0 || column >= len(cells) {
			return nil
		}
		return []byte(cells[column])
	}
	hasNumber := slices.ContainsFunc([]Field{NHSNumber, EMISNumber}, func(field Field) bool {
		digits := bare(nil, at(l.column(field)))
		_, isNumber := number(digits)
		return isNumber && len(digits) <= 10
	})
	if !hasNumber {
		return false
	}
	isDate := func(column int) bool {
		_, state := readDate(at(column), civil.None)
		return state == Valid
	}
	hasCode, hasDate := false, isDate(l.column(RegisteredDate)) || isDate(l.column(DeductedDate)) || isDate(l.column(DeathDate))
	for _, g := range l.groups {
		_, state := in.Book.read(at(g.code))
		hasCode = hasCode || state != Blank && state != Invalid
		hasDate = hasDate || isDate(g.activity) || isDate(g.recorded)
	}
	if practice := l.column(PracticeCode); practice >= 0 {
		_, isKnown := in.Practices[string(bytes.ToUpper(trim(at(practice))))]
		hasStatus := slices.ContainsFunc([]Field{PatientType, RegistrationStatus}, func(field Field) bool {
			return bytes.ContainsFunc(at(l.column(field)), unicode.IsLetter) // a count is none
		})
		return isKnown && (hasCode || hasDate || hasStatus)
	}
	return hasCode && hasDate
}

func guessKind(name string) Kind {
	if batchWord.MatchString(name) {
		return BatchAdd
	}
	return OtherKind
}

// decideKind applies SPEC §5.1: what makes a file a batch-add file, a search
// export or a register, and whether it has what its kind needs.
func (in *Inspector) decideKind(f *File) error {
	l := f.layout
	inBatch := batchWord.MatchString(f.Name)
	if len(l.groups) == 0 {
		if f.Code = in.Book.codeIn(f.Name); f.Code != "" {
			named := group{code: -1, activity: -1, recorded: -1}
			if len(l.codeless) > 0 {
				named = l.codeless[0]
			}
			named.fixed = f.Code
			l.groups = append(l.groups, named)
			l.codeless = nil
		}
	}
	switch {
	case inBatch || f.Code != "":
		f.Kind = BatchAdd
	case len(l.groups) > 0:
		f.Kind = SearchExport
	case len(l.codeless) == 0 && l.hasStatus():
		f.Kind = Register
	}
	var missing []string
	if l.column(NHSNumber) < 0 && l.column(EMISNumber) < 0 {
		missing = append(missing, "a patient number (NHS Number or EMIS Number)")
	}
	if l.column(PracticeCode) < 0 && f.Practice == "" {
		missing = append(missing, "a practice (an Organisation Code column, or exactly one practice code of practices.csv in the file's name and its folders)")
	}
	switch f.Kind {
	case BatchAdd:
		if len(l.groups) == 0 {
			missing = append(missing, "a code (a SNOMED Code column, or one code-book code in the file's name)")
		}
	case SearchExport:
		if l.groups[0].code >= 0 && l.groups[0].activity < 0 {
			missing = append(missing, "an activity date (a Date column beside the code)")
		}
	case OtherKind:
		if len(l.codeless) > 0 {
			missing = append(missing, "a code beside the date (a SNOMED Code column, or a column group that ltcles.yaml maps to a code)")
			break
		}
		missing = append(missing, "events (a SNOMED Code and a Date column in one group), or status columns (Patient Type, Registration Status, Registered Date, Deducted Date, Date of Death)")
	}
	if len(missing) > 0 {
		seen := "none"
		if known := l.has(); len(known) > 0 {
			seen = strings.Join(known, ", ")
		}
		f.lacking = l.lacking(f)
		return refuse(l.headerLine, "a header without "+strings.Join(missing, " and without "), "columns that the file's kind needs (known headers seen: "+seen+")", "add the columns to the search and export it again, or map their headers in ltcles.yaml")
	}
	if n := len(l.codeless); n > 0 {
		f.note(fmt.Sprintf("%d column groups have a date and no code, and are not read; map the groups in ltcles.yaml if they are wanted", n))
	}
	if l.dateless > 0 {
		f.note(fmt.Sprintf("%d column groups have a code and no date, and are not read; add the date to the search if they are wanted", l.dateless))
	}
	return nil
}

// decideHeaderless tells a population summary and a headerless number list from
// a file that has no header where it should have one.
func (in *Inspector) decideHeaderless(f *File, head []byte, words vocabulary) error {
	known := words.bestKnown(head)
	if len(known) == 0 && isSummary(head) {
		f.Kind = Summary
		return refuse(0, "a population summary: counts, and no patients", "a patient list", "export the search's patient list instead")
	}
	if delimiter, ok := isNumberList(head); ok {
		f.Kind, f.Delimiter = BatchAdd, delimiter
		f.Code = in.Book.codeIn(f.Name)
		f.layout = &layout{width: 1, patient: map[Field]int{NHSNumber: 0}, groups: []group{{code: -1, activity: -1, recorded: -1, fixed: f.Code}}}
		switch {
		case f.Code == "":
			return refuse(0, "a list of NHS numbers without a code", "one code-book code in the file's name or its folders", "put the code that was batch added into the file's name")
		case f.Practice == "":
			return refuse(0, "a list of NHS numbers without a practice", "exactly one practice code of practices.csv in the file's name and its folders", "put the practice code into the file's name")
		}
		return nil
	}
	f.Kind = guessKind(f.Name)
	if len(known) == 0 {
		f.lacking = lackingAll(f)
		return refuse(0, "no header that is known", "a header row with NHS Number or EMIS Number", "export the search with its column headers, or map its headers in ltcles.yaml")
	}
	f.lacking = []Field{NHSNumber}
	return refuse(0, "no header row with a patient number (known headers seen: "+strings.Join(known, ", ")+")", "NHS Number or EMIS Number among them", "add the column to the search and export it again, or map its header in ltcles.yaml")
}

func (in *Inspector) layoutFor(name string) Layout {
	sum := Layout{Headers: map[Field][]string{}, Groups: map[string]snomed.Code{}}
	for _, provider := range in.Layouts {
		inPath, _ := path.Match(provider.Files, name)
		inName, _ := path.Match(provider.Files, baseName(name))
		if provider.Files != "" && !inPath && !inName {
			continue
		}
		for field, headers := range provider.Headers {
			sum.Headers[field] = append(sum.Headers[field], headers...)
		}
		for name, code := range provider.Groups {
			if _, have := sum.Groups[name]; !have {
				sum.Groups[name] = code
			}
		}
	}
	return sum
}

// decideArchive settles whether the members of an archive are read. They are
// files of their own.
func (in *Inspector) decideArchive(f *File) error {
	f.Kind = Archive
	opened, err := openArchive(in.Inbox, f.Name, in.Limits)
	if err != nil {
		return err
	}
	defer opened.close()
	f.Message = fmt.Sprintf("an archive of %d files, each listed by itself", len(opened.members))
	return nil
}

// A header is where a file's column headers were found.
type header struct {
	delimiter   byte
	line, end   int // the physical lines that it begins and ends on
	known       int
	columnRow   []string
	groupRow    []string   // nil where the report has one header row
	preamble    [][]string // the lines above, without the group row
	patientLine int        // the first line above with a cell that is an NHS number; 0 for none
}

func (h *header) preambleTexts() []string {
	var texts []string
	for _, row := range h.preamble {
		texts = append(texts, row...)
	}
	return texts
}

var delimiters = []byte{',', '\t', ';', '|'}

// findHeader looks for the first record that names a patient number, under each
// delimiter; where several delimiters show one, the one that shows the most
// known headers is the file's.
func findHeader(head []byte, words vocabulary) (*header, error) {
	var best *header
	limit := headLines
	for _, delimiter := range delimiters {
		records := headRecords(head, delimiter)
		records.isWanted = func(cells [][]byte) bool { return words.isHeaderOverLines(cells, delimiter) }
		found, err := headerIn(records, words, limit)
		if err != nil {
			return nil, err
		}
		if found == nil {
			continue
		}
		found.delimiter = delimiter
		if best == nil || found.line < best.line || found.line == best.line && found.known > best.known {
			best = found
		}
		limit = best.line
	}
	return best, nil
}

// headerIn looks for the header in the records up to a line.
func headerIn(records recordSource, words vocabulary, limit int) (*header, error) {
	var above [][]string
	isAboveWhole, patientLine := true, 0
	for {
		rec, err := records.next()
		if rec == nil || err != nil || rec.line > limit {
			return nil, err
		}
		if rec.broken || rec.blank() {
			continue
		}
		known, isHeader := words.isHeader(rec.cells)
		if !isHeader {
			above = append(above, cellStrings(rec.cells))
			isAboveWhole = !rec.valueless
			if patientLine == 0 && slices.ContainsFunc(rec.cells, isNHSNumber) {
				patientLine = rec.line
			}
			continue
		}
		h := &header{
			line: rec.line, end: rec.line + rec.extra, known: known, columnRow: cellStrings(rec.cells), preamble: above, patientLine: patientLine,
		}
		isWhole := !rec.valueless
		if n := len(above); n > 0 && isGroupRow(above[n-1]) {
			h.groupRow, h.preamble = fromFirst(above[n-1]), above[:n-1]
			isWhole = isWhole && isAboveWhole
		}
		if !isWhole {
			return nil, refuse(rec.line, "a header with a cell that shows an error, or a formula that was never worked out", "a text in each header cell", "write the headers into their cells, or export the search from EMIS as CSV")
		}
		return h, nil
	}
}

// isGroupRow tells whether a row names the groups of the columns below it: the first cell that is
// not blank, which a column without a name may come before, says Patient Details.
func isGroupRow(cells []string) bool {
	return plain(cells[firstNamed(cells)]) == patientDetails
}

func firstNamed(cells []string) int {
	return max(0, slices.IndexFunc(cells, func(cell string) bool { return strings.TrimSpace(cell) != "" }))
}

// fromFirst counts columns before Patient Details among the patient's.
func fromFirst(groupRow []string) []string {
	first := firstNamed(groupRow)
	if first == 0 {
		return groupRow
	}
	whole := slices.Clone(groupRow)
	for i := range first {
		whole[i] = groupRow[first]
	}
	if first+1 >= len(groupRow) || plain(groupRow[first+1]) != patientDetails { // named once
		for i := 1; i <= first; i++ {
			whole[i] = ""
		}
	}
	return whole
}

// isHeaderOverLines tells whether a record with a line break in a cell is the header,
// or the row of its groups. A cell with a delimiter beside the line break may be a
// quote left open that has swallowed patients.
func (v vocabulary) isHeaderOverLines(cells [][]byte, delimiter byte) bool {
	for _, cell := range cells {
		if bytes.IndexByte(cell, '\n') >= 0 && bytes.IndexByte(cell, delimiter) >= 0 {
			return false
		}
	}
	_, isHeader := v.isHeader(cells)
	return len(cells) > 1 && (isHeader || plain(string(cells[0])) == patientDetails)
}

// headRecords splits the head of a text by a delimiter.
func headRecords(head []byte, delimiter byte) *records {
	return newRecords(&lines{buf: head, end: len(head), eof: true, line: 1}, delimiter)
}

// bestKnown names the known fields of the head's richest line, for a message.
func (v vocabulary) bestKnown(head []byte) []string {
	var best []string
	for _, delimiter := range delimiters {
		records := headRecords(head, delimiter)
		for {
			rec, err := records.next()
			if rec == nil || err != nil || rec.line > headLines {
				break
			}
			var known []string
			for _, cell := range rec.cells {
				if entry, ok := v[plain(string(cell))]; ok {
					known = append(known, string(entry.field))
				}
			}
			if len(known) > len(best) {
				best = known
			}
		}
	}
	return best
}

// readPreamble takes the report's dates from the lines above its header.
func (f *File) readPreamble(rows [][]string) {
	for _, row := range rows {
		for i, cell := range row {
			name, rest, _ := strings.Cut(cell, ":")
			for _, next := range row[i+1:] {
				if rest = cmp.Or(strings.TrimSpace(rest), next); rest != "" {
					break
				}
			}
			var state State
			switch plain(name) {
			case "lastrun":
				if f.ExtractDate, state = readDate([]byte(strings.TrimSpace(rest)), civil.None); state == Invalid {
					f.note("the run date above the header is no date as EMIS writes it (dd-MMM-yyyy), and the file is read as one that states none")
				}
			case "relativedate":
				if f.RelativeDate, state = readDate([]byte(strings.TrimSpace(rest)), civil.None); state == Invalid {
					f.note("the relative date above the header is no date, and is not used")
				}
			}
		}
	}
}

// isSummary recognises the report that only counts: it has the counts that a
// report preamble has, and, as its caller makes sure, no known header follows.
func isSummary(head []byte) bool {
	return strings.Contains(plain(string(head)), "populationcount")
}
