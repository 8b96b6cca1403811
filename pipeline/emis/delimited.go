package emis

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"slices"

	"ltcles/pipeline/civil"
	"ltcles/snomed"
)

// TextMeaning is what a status or type text means (SPEC §6.2), or Blank or
// Unknown, by the table that a [Reader] is given.
type TextMeaning = string

// A Row is one input row: one event of one line, or a line without any.
// Identifiers are in NHSNumber and EMISNumber only, and are valid until the
// next row is read.
type Row struct {
	Line  int // the physical line where the record starts
	Event int // the ordinal of the event on its line, from 1; 0 where it has none

	Malformed bool // broken quoting or the wrong width; nothing below is set but the file's practice
	Deleted   bool // the bulk extract says so, of the line or of its patient, or has replaced the line

	Practice      string // a known practice code, else ""
	PracticeState State  // Valid, Blank or Unknown

	NHSNumber  []byte // ten digits where NHSState is Valid
	NHSState   State  // Valid, Blank, TestRange or Invalid
	EMISNumber []byte // empty where blank

	PatientType        TextMeaning
	RegistrationStatus TextMeaning
	RegisteredDate     civil.Date
	DeductedDate       civil.Date
	DeathDate          civil.Date
	InvalidStatusDate  Field // the first of the three dates that is no date, else ""
	Dummy              bool  // the bulk extract says that the patient is none

	Code          snomed.Code // a code of the book, else ""
	CodeState     State       // Valid, Repaired, Other, Local, Blank, Damaged, Invalid or NotConcept
	ActivityDate  civil.Date
	ActivityState State // Valid, Blank or Invalid
	RecordedDate  civil.Date
	RecordedState State // Valid, Blank or Invalid
}

// A Reader turns inspected files into rows. It may be used by several
// goroutines at a time.
type Reader struct {
	Inbox     fs.FS
	Practices map[string]struct{} // known practice codes, upper case
	Book      *Book
	Meanings  func(text string) (TextMeaning, bool) // SPEC §6.2
	AllowTest bool                                  // NHS numbers of the 999 range are read
	AsAt      civil.Date
	Limits    Limits // of archives and workbooks
	TempDir   string // takes what of a workbook is too large for memory; "" for nothing
}

// A Tally is what the reader itself counted, whatever becomes of the rows.
type Tally struct {
	Rows       int64
	ByPractice map[string]int64 // under "" the rows of no known practice
	Footers    int64            // trailing lines that are no records
	Centuries  Centuries        // what of the rows rests on as-at
}

// Read reads the rows of a file in order and hands each to emit. A file that
// turns out unreadable ends with a *Refusal; what was emitted before is then
// not to be used.
func (r *Reader) Read(f *File, emit func(*Row) error) (Tally, error) {
	file, err := r.open(f)
	if err != nil {
		return Tally{}, err
	}
	defer file.Close()
	read := r.newFileReader(f, emit)
	if f.sheet != "" {
		err = read.allOfSheet(file)
	} else if err = read.openText(file); err == nil {
		err = read.all()
	}
	if err != nil {
		return Tally{}, read.refused(err)
	}
	return read.tally, nil
}

// open opens a file that is still the one that was inspected.
func (r *Reader) open(f *File) (fs.File, error) {
	file, err := openIn(r.Inbox, f.Name)
	var refusal *Refusal
	if errors.As(err, &refusal) {
		return nil, refuseFor(f, refusal)
	}
	if err != nil {
		return nil, err
	}
	if info, err := file.Stat(); err != nil || info.Size() != f.Bytes || !info.ModTime().Equal(f.modTime) {
		file.Close()
		return nil, refuseFor(f, refuse(0, "a file that changed while it was being read", "an inbox that stands still during a run", "wait until the copy or the synchronisation has ended and run again"))
	}
	return file, nil
}

func (r *Reader) newFileReader(f *File, emit func(*Row) error) *fileReader {
	return &fileReader{
		Reader: r, file: f, emit: emit,
		tally:     Tally{ByPractice: map[string]int64{}},
		texts:     map[string]TextMeaning{},
		codes:     map[string]readCode{},
		practices: map[string]practice{},
		cols:      columnsOf(f.layout),
	}
}

// refused says of which file an error is.
func (r *fileReader) refused(err error) error {
	var refused *Refusal
	if errors.As(err, &refused) {
		return refuseFor(r.file, refused)
	}
	return fmt.Errorf("read export %s: %w", r.file.Name, err)
}

func refuseFor(f *File, refusal *Refusal) *Refusal {
	refusal.File, refusal.Kind = f.Name, f.Kind
	return refusal
}

// columns are the places of the patient fields, -1 where there is none.
type columns struct {
	practice, nhs, emis, patientType, status, registered, deducted, death int
}

func columnsOf(l *layout) columns {
	return columns{
		practice: l.column(PracticeCode), nhs: l.column(NHSNumber), emis: l.column(EMISNumber),
		patientType: l.column(PatientType), status: l.column(RegistrationStatus),
		registered: l.column(RegisteredDate), deducted: l.column(DeductedDate), death: l.column(DeathDate),
	}
}

type readCode struct {
	code  snomed.Code
	state State
}

type practice struct {
	code  string
	state State
}

// fileReader is the state of reading one file.
type fileReader struct {
	*Reader
	file    *File
	emit    func(*Row) error
	records recordSource
	cols    columns
	tally   Tally
	row     Row
	cells   [][]byte

	nhs, emis []byte // what Row's identifiers point into
	filled    bool   // there are patient cells to fill down
	patient   struct{ practice, nhs, emis []byte }

	held []record // lines that are a footer if nothing but such lines follows

	// A file repeats few texts: each is worked out once.
	texts     map[string]TextMeaning
	codes     map[string]readCode
	practices map[string]practice
}

// maxRemembered bounds what a file of damaged cells can make the reader keep.
const maxRemembered = 4096

// openText makes the records of a text those below its header.
func (r *fileReader) openText(file io.Reader) error {
	l := newLines(decoded(file, r.file.Encoding))
	for l.line <= r.file.headerEnd {
		_, next, ok, err := l.at(0)
		if errors.Is(err, errLongLine) {
			return tooLong(l.line)
		}
		if err != nil {
			return err
		}
		if !ok {
			return refuse(0, "a file that changed while it was being read", "an inbox that stands still during a run", "run again")
		}
		l.take(next, 1)
	}
	records := newRecords(l, r.file.Delimiter)
	records.needed = r.file.layout.width
	if r.file.bulk == nil {
		records.isRecord = r.saysSomething
	}
	r.records = records
	return nil
}

// saysSomething tells whether a line of text says, where this file's records do, who
// or what it is about: a patient number, a practice, a code or a date. The lines
// of a note do not, however many delimiters they have.
func (r *fileReader) saysSomething(line []byte) bool {
	return r.areRecords(splitPlain(nil, line, r.file.Delimiter))
}

// areRecords tells whether cells say something where this file's records do.
func (r *fileReader) areRecords(cells [][]byte) bool {
	at := func(column int) []byte {
		if column < 0 || column >= len(cells) {
			return nil
		}
		return bytes.Trim(cells[column], `" `)
	}
	for _, column := range []int{r.cols.nhs, r.cols.emis} {
		if _, isNumber := number(bare(nil, at(column))); isNumber {
			return true
		}
	}
	if code := at(r.cols.practice); len(code) > 0 && r.practiceOf(code).state == Valid {
		return true
	}
	for _, g := range r.file.layout.groups {
		if state := r.codeOf(at(g.code)).state; state != Blank && state != Invalid {
			return true
		}
	}
	return slices.ContainsFunc(r.dateColumns(), func(column int) bool {
		_, state := readDate(at(column), r.AsAt)
		return state == Valid
	})
}

// dateColumns are the columns that are read as dates, -1 for each that the file has not.
func (r *fileReader) dateColumns() []int {
	dates := []int{r.cols.registered, r.cols.deducted, r.cols.death}
	for _, g := range r.file.layout.groups {
		dates = append(dates, g.activity, g.recorded)
	}
	return dates
}

func (r *fileReader) all() error {
	for {
		rec, err := r.records.next()
		if err != nil {
			return err
		}
		if rec == nil {
			r.tally.Footers = int64(len(r.held))
			return nil
		}
		if !rec.broken && rec.blank() {
			continue
		}
		if len(r.held) < maxHeld && r.mayBeFooter(rec) {
			r.hold(rec)
			continue
		}
		if err := r.release(); err != nil {
			return err
		}
		if err := r.record(rec); err != nil {
			return err
		}
	}
}

// mayBeFooter tells whether a record has one cell that is not blank, and that
// cell cannot be data: it has no digit where a patient number stands, and does not
// read as a practice, or the beginning of one, a code or a date where those do
// (SPEC §5.1); and it is not a record in one cell.
func (r *fileReader) mayBeFooter(rec *record) bool {
	if rec.broken {
		return false
	}
	only := -1
	for i, cell := range rec.cells {
		if isBlank(cell) {
			continue
		}
		if only >= 0 {
			return false
		}
		only = i
	}
	cell := rec.cells[only]
	if r.holdsRecord(cell) {
		return false
	}
	switch only {
	case r.cols.nhs:
		return !bytes.ContainsAny(cell, "0123456789")
	case r.cols.emis:
		return len(ReadEMISNumber(nil, cell)) == 0
	case r.cols.practice:
		return r.practiceOf(cell).state != Valid && !practiceBegun.Match(cell)
	}
	if slices.ContainsFunc(r.file.layout.groups, func(g group) bool { return g.code == only }) {
		return r.codeOf(cell).state == Invalid
	}
	if slices.Contains(r.dateColumns(), only) {
		_, state := r.date(cell)
		return state == Invalid && !dateBegun.Match(cell)
	}
	return true
}

// practiceBegun is a practice code, or what is left of one where a file was cut off.
var practiceBegun = regexp.MustCompile(`^\s*[A-Za-z][0-9]{1,5}\s*$`)

// dateBegun begins what was to be a date: a serial, 1st June, Jun 2026, or a column too narrow.
var dateBegun = regexp.MustCompile(`(?i)^\W*(?:[0-9#]|(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? *[0-9]|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[ /.-]*[0-9])`)

// holdsRecord tells whether one cell holds what stands in several: a record that is quoted as a
// whole, or whose delimiter is another than the file's; or an NHS number, wherever it stands.
func (r *fileReader) holdsRecord(cell []byte) bool {
	if _, holds := MaskNHSNumbers(string(cell)); holds {
		return true
	}
	return slices.ContainsFunc(delimiters, func(delimiter byte) bool {
		parts := splitPlain(nil, cell, delimiter)
		return len(parts) > 1 && len(parts) >= r.file.layout.width && r.areRecords(parts)
	})
}

// maxHeld bounds the lines held back: a footer is not longer.
const maxHeld = 1000

func (r *fileReader) hold(rec *record) {
	cells := make([][]byte, len(rec.cells))
	for i, cell := range rec.cells {
		cells[i] = bytes.Clone(cell)
	}
	r.held = append(r.held, record{line: rec.line, cells: cells, covered: rec.covered})
}

func (r *fileReader) release() error {
	held := r.held
	r.held = nil
	for i := range held {
		if err := r.record(&held[i]); err != nil {
			return err
		}
	}
	return nil
}

// mayBeHeader tells what has no digit where a patient's number stands from a row that has.
func (r *fileReader) mayBeHeader(rec *record) bool {
	return !rec.broken && !rec.covered && r.file.layout.words != nil && !slices.ContainsFunc([]int{r.cols.nhs, r.cols.emis}, func(column int) bool {
		return column >= 0 && column < len(rec.cells) && bytes.ContainsAny(rec.cells[column], "0123456789")
	})
}

// record turns one record into its rows.
func (r *fileReader) record(rec *record) error {
	if r.mayBeHeader(rec) && r.file.layout.beginsAnother(rec.cells) {
		return refuse(rec.line, "another header", "one export in a file", "put each export into a file of its own")
	}
	row := &r.row
	*row = Row{Line: rec.line, RegisteredDate: civil.None, DeductedDate: civil.None, DeathDate: civil.None, ActivityDate: civil.None, RecordedDate: civil.None}
	if rec.broken || rec.covered || !r.isWidthRight(rec) {
		row.malformed(r.file)
		r.filled = false
		return r.put(row)
	}
	r.cells = rec.cells
	r.readPatient(row)
	r.readStatus(row)
	events := 0
	for _, g := range r.file.layout.groups {
		if !r.readEvent(row, g) {
			continue
		}
		events++
		row.Event = events
		if err := r.put(row); err != nil {
			return err
		}
	}
	if events > 0 {
		return nil
	}
	row.Event = 0
	row.Code, row.CodeState = "", Blank
	row.ActivityDate, row.ActivityState = civil.None, Blank
	row.RecordedDate, row.RecordedState = civil.None, Blank
	return r.put(row)
}

// malformed makes the row one of a line that cannot be used; its practice is the
// file's, where that has one.
func (row *Row) malformed(f *File) {
	row.Malformed = true
	row.Practice, row.PracticeState = f.Practice, Valid
	if row.Practice == "" {
		row.PracticeState = Blank
	}
}

// isWidthRight tells whether a record reaches the last named column and has
// nothing to the right of it.
func (r *fileReader) isWidthRight(rec *record) bool {
	width := r.file.layout.width
	if len(rec.cells) < width {
		return false
	}
	for _, cell := range rec.cells[width:] {
		if !isBlank(cell) {
			return false
		}
	}
	return true
}

func (r *fileReader) put(row *Row) error {
	r.tally.Rows++
	r.tally.ByPractice[row.Practice]++
	return r.emit(row)
}

// cell is the text of a column, nothing where the file does not have it.
func (r *fileReader) cell(column int) []byte {
	if column < 0 {
		return nil
	}
	return r.cells[column]
}

func (r *fileReader) date(cell []byte) (civil.Date, State) {
	return readDateNoting(cell, r.AsAt, &r.tally.Centuries)
}

// readPatient reads who the row is about. On the continuation line of a report
// with two header rows the patient's numbers and practice are those above.
func (r *fileReader) readPatient(row *Row) {
	practiceCell, nhs, emis := r.cell(r.cols.practice), r.cell(r.cols.nhs), r.cell(r.cols.emis)
	if r.file.layout.twoRows {
		if r.file.layout.continues(r.cells) {
			if r.filled {
				practiceCell, nhs, emis = r.patient.practice, r.patient.nhs, r.patient.emis
			}
		} else {
			r.filled = true
			r.patient.practice = append(r.patient.practice[:0], practiceCell...)
			r.patient.nhs = append(r.patient.nhs[:0], nhs...)
			r.patient.emis = append(r.patient.emis[:0], emis...)
		}
	}
	known := r.practiceOf(practiceCell)
	row.Practice, row.PracticeState = known.code, known.state
	r.nhs, row.NHSState = ReadNHSNumber(r.nhs[:0], nhs, r.AllowTest)
	row.NHSNumber = r.nhs
	r.emis = ReadEMISNumber(r.emis[:0], emis)
	row.EMISNumber = r.emis
}

// practiceOf reads a practice cell (R4); where it is blank, the file's practice
// stands in.
func (r *fileReader) practiceOf(cell []byte) practice {
	if known, ok := r.practices[string(cell)]; ok {
		return known
	}
	text := string(bytes.ToUpper(trim(cell)))
	_, isKnown := r.Practices[text]
	var read practice
	switch {
	case isKnown:
		read = practice{text, Valid}
	case text != "":
		read = practice{"", Unknown}
	case r.file.Practice != "":
		read = practice{r.file.Practice, Valid}
	default:
		read = practice{"", Blank}
	}
	if len(r.practices) < maxRemembered {
		r.practices[string(cell)] = read
	}
	return read
}

func (r *fileReader) readStatus(row *Row) {
	row.PatientType = r.meaningOf(r.cell(r.cols.patientType))
	row.RegistrationStatus = r.meaningOf(r.cell(r.cols.status))
	for _, status := range []struct {
		column int
		field  Field
		date   *civil.Date
	}{
		{r.cols.registered, RegisteredDate, &row.RegisteredDate},
		{r.cols.deducted, DeductedDate, &row.DeductedDate},
		{r.cols.death, DeathDate, &row.DeathDate},
	} {
		if status.column < 0 {
			continue
		}
		var state State
		if *status.date, state = r.date(r.cells[status.column]); state == Invalid && row.InvalidStatusDate == "" {
			row.InvalidStatusDate = status.field
		}
	}
}

func (r *fileReader) meaningOf(cell []byte) TextMeaning {
	if meaning, ok := r.texts[string(cell)]; ok {
		return meaning
	}
	meaning := string(Blank)
	if text := string(trim(cell)); text != "" {
		var known bool
		if meaning, known = r.Meanings(text); !known {
			meaning = string(Unknown)
		}
	}
	if len(r.texts) < maxRemembered {
		r.texts[string(cell)] = meaning
	}
	return meaning
}

// readEvent reads one group of the line, and tells whether there is an event.
func (r *fileReader) readEvent(row *Row, g group) bool {
	row.ActivityDate, row.ActivityState = r.date(r.cell(g.activity))
	if g.code >= 0 {
		read := r.codeOf(r.cell(g.code))
		row.Code, row.CodeState = read.code, read.state
		if row.CodeState == Blank && row.ActivityState == Blank {
			return false
		}
	} else {
		row.Code, row.CodeState = g.fixed, Valid
		if row.ActivityState == Blank && r.file.Code == "" && isBlank(r.cell(g.recorded)) {
			return false
		}
	}
	row.RecordedDate, row.RecordedState = r.date(r.cell(g.recorded))
	return true
}

func (r *fileReader) codeOf(cell []byte) readCode {
	if known, ok := r.codes[string(cell)]; ok {
		return known
	}
	var read readCode
	read.code, read.state = r.Book.read(cell)
	if len(r.codes) < maxRemembered {
		r.codes[string(cell)] = read
	}
	return read
}
