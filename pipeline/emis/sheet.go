package emis

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"

	"ltcles/pipeline/civil"
)

// records are the rows of a sheet as records: those below the header where a
// layout is given.
func (w *workbook) records(s sheet, l *layout) (*sheetRecords, error) {
	part := w.parts[strings.ToLower(s.part)]
	if part == nil {
		return nil, damagedWorkbook(0, "a part that is missing")
	}
	opened, err := part.Open()
	if err != nil {
		return nil, damagedWorkbook(0, "a part that cannot be read")
	}
	rows, err := w.book.Rows(s.name)
	if err != nil {
		opened.Close()
		return nil, damagedWorkbook(0, "a sheet that cannot be found")
	}
	records := &sheetRecords{workbook: w, part: opened, xml: newSheetXML(opened), rows: rows, layout: l, isDate: map[int]bool{}, isNeeded: map[int]bool{}}
	if l != nil {
		records.columns()
		if records.merges, err = w.mergesOf(s, l.headerLine); err != nil {
			records.close()
			return nil, err
		}
	}
	return records, nil
}

// area is a rectangle of merged cells: rows from 1, columns from 0.
type area struct{ top, bottom, left, right int }

// mergesOf lists the merged cells below a row, those that begin first first.
func (w *workbook) mergesOf(s sheet, below int) (merges []area, err error) {
	if !w.merged[strings.ToLower(s.part)] {
		return nil, nil
	}
	err = w.read(s.part, func(r io.Reader) error {
		return eachToken(r, func(_ int, token xml.Token) error {
			element, ok := token.(xml.StartElement)
			if !ok || element.Name.Local != "mergeCell" {
				return nil
			}
			for _, attribute := range element.Attr {
				if attribute.Name.Local != "ref" {
					continue
				}
				a, ok := areaOf(attribute.Value)
				if !ok {
					return damagedWorkbook(0, "merged cells that are none")
				}
				if a.top > below {
					merges = append(merges, a)
				}
			}
			return nil
		})
	})
	slices.SortFunc(merges, func(a, b area) int { return cmp.Compare(a.top, b.top) })
	return merges, err
}

// areaOf reads a range of cells, such as A2:B3.
func areaOf(reference string) (a area, ok bool) {
	from, to, isRange := strings.Cut(reference, ":")
	if !isRange {
		to = from
	}
	left, top, errFrom := excelize.CellNameToCoordinates(from)
	right, bottom, errTo := excelize.CellNameToCoordinates(to)
	a = area{top: top, bottom: bottom, left: left - 1, right: right - 1}
	return a, errFrom == nil && errTo == nil && a.left <= a.right && a.top <= a.bottom
}

// sheetRecords hands out the rows of a sheet. Blank rows may be left out; line
// is the sheet's row number.
type sheetRecords struct {
	*workbook
	part     io.Closer
	xml      *sheetXML
	rows     *excelize.Rows
	at       int     // the row at which the library is
	layout   *layout // nil while the header is looked for
	isDate   map[int]bool
	isNeeded map[int]bool
	merges   []area // that begin below the rows read
	merging  []area // that the row read may be in
	rec      record
	text     []byte
	ends     []int
}

func (s *sheetRecords) close() {
	_ = s.part.Close() // was read only
	_ = s.rows.Close() // as before
}

// columns notes which columns are read, and which of them hold dates.
func (s *sheetRecords) columns() {
	note := func(field Field, column int) {
		if column < 0 {
			return
		}
		s.isNeeded[column] = true
		switch field {
		case ActivityDate, RecordedDate, RegisteredDate, DeductedDate, DeathDate:
			s.isDate[column] = true
		}
	}
	for field, column := range s.layout.patient {
		note(field, column)
	}
	for _, g := range s.layout.groups {
		note(Code, g.code)
		note(ActivityDate, g.activity)
		note(RecordedDate, g.recorded)
	}
}

// next returns the next row as a record; nil at the end of the sheet.
func (s *sheetRecords) next() (rec *record, err error) {
	defer recoverDamage(&err)
	for {
		row, err := s.xml.next()
		if err != nil {
			return nil, err
		}
		if row == nil {
			if s.rows.Next() || s.rows.Error() != nil {
				return nil, damagedWorkbook(0, "a sheet that does not end where it ends")
			}
			return nil, nil
		}
		texts, err := s.excelizeRow(row.number)
		if err != nil {
			return nil, err
		}
		if err := s.fill(row, texts); err != nil {
			return nil, err
		}
		if s.layout == nil || row.number > s.layout.headerLine {
			s.rec.covered = s.isCovered(row.number)
			return &s.rec, nil
		}
	}
}

// isCovered tells whether merged cells take the place of a cell of the row that is
// read. What they show is another cell's, and of what is below them nothing is to
// be seen. A report that merges a patient's cells down his continuation lines says
// what filling down does.
func (s *sheetRecords) isCovered(row int) bool {
	s.merging = slices.DeleteFunc(s.merging, func(a area) bool { return a.bottom < row })
	for len(s.merges) > 0 && s.merges[0].top <= row {
		if s.merges[0].bottom >= row {
			s.merging = append(s.merging, s.merges[0])
		}
		s.merges = s.merges[1:]
	}
	if len(s.merging) == 0 {
		return false
	}
	from := 0 // the columns before which are filled down
	if s.layout.continues(s.rec.cells) {
		from = s.layout.patientEnd
	}
	for _, a := range s.merging {
		for column := range s.isNeeded {
			isShown := row == a.top && column == a.left
			if column >= max(a.left, from) && column <= a.right && !isShown {
				return true
			}
		}
	}
	return false
}

// excelizeRow is a row as the library reads it; rows in between must be blank.
func (s *sheetRecords) excelizeRow(number int) ([]string, error) {
	for {
		if !s.rows.Next() {
			return nil, damagedWorkbook(number, "a row that is not where it should be")
		}
		s.at++
		texts, err := s.rows.Columns()
		if err != nil {
			return nil, damagedWorkbook(number, "a row that cannot be read")
		}
		if s.at == number {
			return texts, nil
		}
		if len(texts) > 0 {
			return nil, damagedWorkbook(s.at, "a row that is not where it should be")
		}
	}
}

// fill makes the record of a row.
func (s *sheetRecords) fill(row *sheetRow, texts []string) error {
	s.rec.line, s.rec.broken, s.rec.valueless = row.number, false, false
	s.text, s.ends = s.text[:0], s.ends[:0]
	blankUpTo := func(column int) {
		for len(s.ends) < column {
			s.ends = append(s.ends, len(s.text))
		}
	}
	next := 0
	for i := range row.cells {
		cell := &row.cells[i]
		for ; next < min(cell.column, len(texts)); next++ {
			if texts[next] != "" {
				return damagedWorkbook(row.number, "a cell that is not where it should be")
			}
		}
		text := ""
		if next < len(texts) {
			text = texts[next]
		}
		next = cell.column + 1
		blankUpTo(cell.column)
		shown, err := s.shown(row.number, cell, text)
		if err != nil {
			return err
		}
		s.text = append(s.text, shown...)
		s.ends = append(s.ends, len(s.text))
		if cell.isWithoutValue() {
			s.rec.valueless = true
			s.rec.broken = s.rec.broken || s.isNeeded[cell.column]
		}
	}
	for ; next < len(texts); next++ {
		if texts[next] != "" {
			return damagedWorkbook(row.number, "a cell that is not where it should be")
		}
	}
	if s.layout != nil {
		blankUpTo(s.layout.width)
	}
	s.rec.cells = s.rec.cells[:0]
	begin := 0
	for _, end := range s.ends {
		s.rec.cells = append(s.rec.cells, s.text[begin:end])
		begin = end
	}
	return nil
}

// shown is the text of a cell: a string as it is stored, a number exactly, a
// date as yyyy-MM-dd. text is what the library read.
func (s *sheetRecords) shown(row int, cell *sheetCell, text string) (string, error) {
	differ := damagedWorkbook(row, "a cell whose value cannot be read")
	if cell.inline != "" && cell.kind != "inlineStr" {
		return "", differ
	}
	switch cell.kind {
	case "s":
		if cell.value == "" {
			return "", nil
		}
		index, err := strconv.Atoi(strings.TrimSpace(cell.value))
		if err != nil || index < 0 || index >= s.strings {
			return "", damagedWorkbook(row, "a cell whose text is missing")
		}
		return text, nil
	case "inlineStr":
		// What the library unescapes is not compared.
		if stored := cell.inline + cell.value; text != stored && !strings.Contains(stored, "_x") {
			return "", differ
		}
		return text, nil
	case "str", "e":
		if text != cell.value {
			return "", differ
		}
		return text, nil
	case "d":
		return cell.value, nil // ISO 8601
	case "b":
		if text != cell.value {
			return "", differ
		}
		switch cell.value {
		case "1":
			return "TRUE", nil
		case "0":
			return "FALSE", nil
		case "":
			return "", nil
		}
		return "", differ
	case "", "n":
		if text != cell.value {
			return "", differ
		}
		number := strings.TrimSpace(cell.value)
		if number == "" {
			return "", nil
		}
		exact, ok := exactNumber(number)
		if !ok {
			return "", differ
		}
		if cell.style < len(s.dates) && s.dates[cell.style] && (s.layout == nil || s.isDate[cell.column]) {
			if on, ok := s.dayOf(exact); ok {
				return on.String(), nil
			}
		}
		return exact, nil
	}
	return "", damagedWorkbook(row, "a cell of unknown kind")
}

// The days from which a workbook counts, and the last that it can show.
var (
	dayZero1900, _ = civil.Of(1899, 12, 30)
	dayZero1904, _ = civil.Of(1904, 1, 1)
	lastDay, _     = civil.Of(9999, 12, 31)
)

// dayOf is the day of a date cell. The time of day is left out. Day 60 of the
// 1900 system, 29 February 1900, never was, and days before it are one off.
func (s *sheetRecords) dayOf(number string) (civil.Date, bool) {
	if strings.ContainsAny(number, "eE") {
		return civil.None, false
	}
	whole, _, _ := strings.Cut(number, ".")
	days, err := strconv.Atoi(whole)
	if err != nil || days < 0 || days > 3_000_000 {
		return civil.None, false
	}
	on := dayZero1904 + civil.Date(days)
	if !s.is1904 {
		if days == 0 || days == 60 {
			return civil.None, false
		}
		on = dayZero1900 + civil.Date(days)
		if days < 60 {
			on++
		}
	}
	return on, on <= lastDay
}

// exactDigits is how many digits of a number a spreadsheet keeps.
const exactDigits = 15

// exactNumber writes a stored number without its exponent, digit for digit. A
// number of more than 15 digits before its point is written in scientific notation instead: its
// last digits may be lost, and no field takes it for anything but damaged. ok is
// false for what is no number.
func exactNumber(stored string) (text string, ok bool) {
	mantissa, power, hasPower := strings.Cut(strings.ToLower(stored), "e")
	sign := ""
	if strings.HasPrefix(mantissa, "-") || strings.HasPrefix(mantissa, "+") {
		sign, mantissa = strings.TrimPrefix(mantissa[:1], "+"), mantissa[1:]
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := whole + fraction
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return "", false
	}
	exponent := 0
	if hasPower {
		var err error
		if exponent, err = strconv.Atoi(power); err != nil || exponent < -400 || exponent > 400 {
			return "", false
		}
	}
	significant := strings.TrimLeft(digits, "0")
	point := len(whole) + exponent - (len(digits) - len(significant)) // digits before the decimal point
	significant = strings.TrimRight(significant, "0")
	switch {
	case significant == "":
		return "0", true
	case point <= -exactDigits, point > 99:
		return stored, true
	case point > exactDigits:
		text = sign + significant[:1]
		if len(significant) > 1 {
			text += "." + significant[1:]
		}
		return fmt.Sprintf("%sE+%02d", text, point-1), true
	case point <= 0:
		return sign + "0." + strings.Repeat("0", -point) + significant, true
	case point < len(significant):
		return sign + significant[:point] + "." + significant[point:], true
	}
	return sign + significant + strings.Repeat("0", point-len(significant)), true
}
