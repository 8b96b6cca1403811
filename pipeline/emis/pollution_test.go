package emis

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// A good file is polluted in one way at a time. Whatever the pollution, what is
// read is the same as before; or it differs on the polluted lines alone, and every
// row that differs is rejected or a finding; or the file is refused. It is never
// silently different.

// goodFile is a file without a fault: its lines, and where its header is.
type goodFile struct {
	name      string
	delimiter string
	lines     []string
	header    int // the line of the column headers, from 0; -1 for none
}

func (s goodFile) text() string { return strings.Join(s.lines, "\n") + "\n" }

// columnName is the header of a column, "" where the file has no header.
func (s goodFile) columnName(column int) string {
	if s.header < 0 {
		return ""
	}
	return s.cells(s.header)[column]
}

func (s goodFile) clone() goodFile { s.lines = slices.Clone(s.lines); return s }

// cells splits a line; the good files hold quotes only where a cell needs them.
func (s goodFile) cells(line int) []string {
	var cells []string
	inQuotes := false
	cell := ""
	for _, r := range s.lines[line] {
		switch {
		case r == '"':
			inQuotes = !inQuotes
			cell += "\""
		case string(r) == s.delimiter && !inQuotes:
			cells = append(cells, cell)
			cell = ""
		default:
			cell += string(r)
		}
	}
	return append(cells, cell)
}

func (s *goodFile) set(line int, cells []string) { s.lines[line] = strings.Join(cells, s.delimiter) }

func goodSheets() []goodFile {
	return []goodFile{
		{"Z00001 claims.csv", ",", strings.Split(`LTC LES claims,,,,,
Last Run:,01/07/2026 09:00,Relative Date:,30/06/2026 00:00,,
,,,,,
Organisation Code,Full Name,NHS Number,SNOMED Code,Date,Date Recorded
Z00001,"EXAMPLE, Ann (Ms)",9990000018,756261000000100,14-May-2026,15-May-2026
Z00001,Bob Example,9990000026,756261000000100,15-May-2026,16-May-2026
Z00001,Cy Example,9990000034,417206009,01-Apr-2026,01-Apr-2026
Z00001,"EXAMPLE, Di (Mrs)",9990000042,756161000000107,02-Apr-2026,03-Apr-2026
Z00001,Ed Example,9990000050,756261000000100,17-May-2026,18-May-2026`, "\n"), 3},
		{"Z00001 two rows.csv", ",", strings.Split(`Patient Details,,,,Assessment,,,Cohort 417206009,
Full Name,Organisation Code,NHS Number,EMIS Number,SNOMED Code,Date,Date Recorded,Date,Value
Ann Example,Z00001,9990000018,101,756261000000100,14-May-2026,15-May-2026,01-Apr-2026,x
,,,,756261000000100,20-May-2026,21-May-2026,,
Bob Example,Z00001,9990000026,102,,,,02-Apr-2026,x
"EXAMPLE, Cy",Z00001,9990000034,103,756261000000100,15-May-2026,15-May-2026,03-Apr-2026,x
Di Example,Z00001,9990000042,104,756261000000100,16-May-2026,16-May-2026,,x`, "\n"), 1},
		{"Z00001 register.csv", ";", strings.Split(`NHS Number;EMIS Number;Organisation Code;Patient Type;Registration Status;Registered Date;Deducted Date;Date of Death
9990000018;101;Z00001;Regular;Registered;01/02/2020;;
9990000026;102;Z00001;Regular;Left;01/02/2020;03/05/2026;
9990000034;103;Z00001;Regular;Dead;01/02/2020;;04/05/2026
9990000042;104;Z00001;Regular;Registered;01/02/2021;;`, "\n"), 0},
		{"Batch add/Z00001 batch_1.csv", "\t", strings.Split(`NHS Number	SNOMED Code	Date	Practice Code
9990000018	417206009	01/04/2026	Z00001
9990000026	268511007		Z00001
9990000034	716081000000105	02/04/2026	Z00001
9990000042	756161000000107		Z00001`, "\n"), 0},
		{"Z00001 417206009.txt", ",", strings.Split(`9990000018
9990000026
9990000034
9990000042`, "\n"), -1},
	}
}

// seen is one row as read: where, what, and whether anybody will be told of it.
type seen struct {
	line      int
	said      string
	malformed bool
	rejected  bool
	finding   bool
}

var lineNumber = regexp.MustCompile(`^\d+(\.\d+)?`)

// readSheet reads a file's rows; a note is what its message says of the part that is not read.
func readSheet(t *testing.T, name string, text []byte) (rows []seen, refused bool, note string) {
	t.Helper()
	if strings.HasPrefix(name, "bulk/") {
		rows, refused = readBulkTable(t, name, text)
		return rows, refused, ""
	}
	file := inspectBytes(t, name, text)
	if file.Status != Read {
		return nil, true, ""
	}
	_, err := newReaderOf(t, name, text).Read(file, func(row *Row) error {
		rows = append(rows, seenRow(row, file.Kind))
		return nil
	})
	return rows, isRefused(t, err), file.Message
}

// readBulkTable reads one table of a bulk extract of which the others are sound.
func readBulkTable(t *testing.T, name string, text []byte) (rows []seen, refused bool) {
	t.Helper()
	files := goodExtract()
	files[name] = string(text)
	made := inspectBulk(t, files)
	for _, file := range made.files {
		if file.Name == name && file.Status != Read {
			return nil, true
		}
	}
	for _, agreement := range Agreements(made.files) {
		extract, err := made.reader.OpenExtract(agreement)
		if err != nil {
			return nil, isRefused(t, err)
		}
		for _, file := range agreement.Files() {
			if file.Name != name {
				continue
			}
			_, err := extract.Read(file, func(row *Row) error {
				rows = append(rows, seenRow(row, file.Kind))
				return nil
			})
			if isRefused(t, err) {
				return nil, true
			}
		}
	}
	return rows, false
}

func seenRow(row *Row, kind Kind) seen {
	said := lineNumber.ReplaceAllString(say(row), "")
	if row.Deleted {
		said = "deleted" + said
	}
	return seen{row.Line, said, row.Malformed, rejects(row, kind), isFinding(row)}
}

func isRefused(t *testing.T, err error) bool {
	t.Helper()
	if err != nil && !isRefusal(err) {
		t.Fatal(err)
	}
	return err != nil
}

// goodExtract is a bulk extract without a fault.
func goodExtract() map[string]string {
	return delivered("bulk", "20260601000000", patientHeader+
		"{p1},{o1},9990000018,101,Regular,false,2020-02-01,,,false\n"+
		"{p2},{o1},9990000026,102,Regular,false,2020-02-02,2026-05-03,,false\n"+
		"{p3},{o1},9990000034,103,Regular,false,2020-02-03,,2026-05-04,false\n"+
		"{p4},{o1},9990000042,104,Regular,false,2020-02-04,,,false\n",
		observeHeader+
			"{b1},{p1},{o1},2026-05-14,2026-05-15,1,false\n"+
			"{b2},{p2},{o1},2026-04-02,2026-04-03,2,false\n"+
			"{b3},{p3},{o1},2026-05-15,2026-05-16,1,false\n"+
			"{b4},{p4},{o1},2026-04-04,2026-04-05,2,false\n", bulkCodes, bulkOrgs)
}

func goodBulkTables() (tables []goodFile) {
	extract := goodExtract()
	for _, name := range slices.Sorted(maps.Keys(extract)) {
		if strings.Contains(name, "Admin_Patient") || strings.Contains(name, "CareRecord_Observation") {
			tables = append(tables, goodFile{name, ",", strings.Split(strings.TrimSuffix(extract[name], "\n"), "\n"), 0})
		}
	}
	return tables
}

// rejects tells what SPEC §6.1 rejects of a single row.
func rejects(row *Row, kind Kind) bool {
	switch {
	case row.Malformed, row.PracticeState != Valid, row.NHSState == TestRange,
		row.NHSState != Valid && len(row.EMISNumber) == 0, row.InvalidStatusDate != "":
		return true
	case row.Event == 0:
		return false
	case row.CodeState == Blank, row.CodeState == Damaged, row.CodeState == Invalid, row.ActivityState == Invalid:
		return true
	}
	return row.ActivityState == Blank && kind != BatchAdd
}

// isFinding tells whether a row gives rise to a finding by itself, or is one that a
// later line of a bulk extract stands in for.
func isFinding(row *Row) bool {
	return row.Deleted || row.RecordedState == Invalid || row.NHSState == Invalid || row.CodeState == Repaired ||
		row.PatientType == string(Unknown) || row.RegistrationStatus == string(Unknown)
}

// polluted is a file after a pollution.
type polluted struct {
	what    string
	text    []byte
	touched []int     // the good file's lines that the pollution is on, from 0
	want    string    // the verdicts that will do; "" for all but a silent one
	like    *goodBook // it must read as the delimited text of this does
}

// sameOrAny asks for the same rows, or for no more than that the file is not silently different.
func sameOrAny(same bool) string {
	if same {
		return "same"
	}
	return ""
}

// pollutions applies every pollution that a good file can have.
func pollutions(t *testing.T, good goodFile) (all []polluted) {
	first := good.header + 1
	last := len(good.lines) - 1
	middle := (first + last + 1) / 2
	width := len(good.cells(first))
	text := func(what string, same bool, text string, touched ...int) {
		all = append(all, polluted{what: what, text: []byte(text), touched: touched, want: sameOrAny(same)})
	}
	edit := func(what string, same bool, change func(s *goodFile), touched ...int) {
		s := good.clone()
		change(&s)
		text(what, same, s.text(), touched...)
	}
	encoded := func(what string, same bool, encode func(string) (string, error)) {
		changed, err := encode(good.text())
		if err != nil {
			t.Fatal(err)
		}
		text(what, same, changed)
	}
	everyLine := make([]int, 0, last)
	for i := first; i <= last; i++ {
		everyLine = append(everyLine, i)
	}

	// Bytes and line ends.
	text("byte-order mark", true, "\ufeff"+good.text())
	encoded("Windows-1252", true, func(s string) (string, error) {
		return charmap.Windows1252.NewEncoder().String(strings.Replace(s, "Example", "Exämple £", 1))
	})
	encoded("UTF-16LE", true, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String)
	encoded("UTF-16BE", true, unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder().String)
	text("UTF-16 without byte-order mark", false, string(bytes.ReplaceAll([]byte(good.text()), []byte(""), []byte{0})))
	text("CRLF", true, strings.ReplaceAll(good.text(), "\n", "\r\n"))
	text("CR only", true, strings.ReplaceAll(good.text(), "\n", "\r"))
	text("mixed line ends", true, strings.Replace(strings.Replace(good.text(), "\n", "\r\n", 2), "\n", "\r", 1))
	text("no line end at the end", true, strings.TrimSuffix(good.text(), "\n"))
	text("NUL in a line", false, strings.Replace(good.text(), good.lines[middle], good.lines[middle]+"\x00", 1), middle)
	text("NUL line", false, strings.Replace(good.text(), good.lines[middle], "\x00\n"+good.lines[middle], 1), middle)
	edit("byte-order mark in the middle", false, func(s *goodFile) { s.lines[middle] = "\ufeff" + s.lines[middle] }, middle)
	edit("invalid UTF-8 in a line", false, func(s *goodFile) { s.lines[middle] += "\xff" }, everyLine...)
	text("truncated last line", false, good.text()[:len(good.text())-1-len(good.lines[last])/2], last)
	text("truncated by one byte", false, good.text()[:len(good.text())-2], last)
	text("nothing", false, "", everyLine...)
	text("twice as long", false, good.text()+good.text(), everyLine...)

	// Lines.
	edit("blank lines", true, func(s *goodFile) { s.lines[middle] += "\n\n\n" })
	edit("blank first line", true, func(s *goodFile) { s.lines[0] = "\n" + s.lines[0] })
	edit("lines of delimiters", true, func(s *goodFile) { s.lines[middle] += "\n" + strings.Repeat(s.delimiter, width-1) })
	edit("blank line of spaces", true, func(s *goodFile) { s.lines[middle] += "\n   " })
	edit("a line twice", false, func(s *goodFile) { s.lines[middle] += "\n" + s.lines[middle] }, middle)
	edit("totals footer of two cells", false, func(s *goodFile) {
		s.lines[last] += "\nTotal" + s.delimiter + "4" + strings.Repeat(s.delimiter, max(width-2, 0))
	}, last)
	edit("a line of quotes", false, func(s *goodFile) { s.lines[middle] += "\n\"\"" }, middle)
	edit("a line of one quote", false, func(s *goodFile) { s.lines[middle] += "\n\"" }, middle)
	edit("another delimiter in a line", false, func(s *goodFile) {
		s.lines[middle] = strings.ReplaceAll(s.lines[middle], s.delimiter, "~")
	}, middle)
	edit("a line in pieces", false, func(s *goodFile) {
		half := len(s.lines[middle]) / 2
		s.lines[middle] = s.lines[middle][:half] + "\n" + s.lines[middle][half:]
	}, middle)
	edit("two lines in one", false, func(s *goodFile) {
		s.lines[middle] += s.lines[middle+1]
		s.lines = slices.Delete(s.lines, middle+1, middle+2)
	}, middle, middle+1)

	// Cells of one line, in each column.
	for column := range width {
		at := func(what string, same bool, change func(cells []string) []string) {
			edit(fmt.Sprintf("%s, column %d", what, column+1), same, func(s *goodFile) { s.set(middle, change(s.cells(middle))) }, middle)
		}
		at("extra delimiter before", false, func(cells []string) []string { return slices.Insert(cells, column, "") })
		at("missing cell", false, func(cells []string) []string { return slices.Delete(cells, column, column+1) })
		at("quote before", false, func(cells []string) []string { cells[column] = `"` + cells[column]; return cells })
		at("quote after", false, func(cells []string) []string { cells[column] += `"`; return cells })
		at("quote inside", false, func(cells []string) []string {
			half := len(cells[column]) / 2
			cells[column] = cells[column][:half] + `"` + cells[column][half:]
			return cells
		})
		at("text after a quoted cell", false, func(cells []string) []string {
			cells[column] = `"` + strings.Trim(cells[column], `"`) + `"x`
			return cells
		})
		at("quoted", true, func(cells []string) []string {
			cells[column] = `"` + strings.Trim(cells[column], `"`) + `"`
			return cells
		})
		at("spaces", true, func(cells []string) []string {
			if !strings.HasPrefix(cells[column], `"`) {
				cells[column] = "  " + cells[column] + " "
			}
			return cells
		})
		at("no-break spaces", true, func(cells []string) []string {
			if !strings.HasPrefix(cells[column], `"`) {
				cells[column] = "\u00a0" + cells[column] + "\u200b"
			}
			return cells
		})
		if name := good.columnName(column); name != "EMIS Number" && name != "PatientNumber" { // which is whatever the practice writes
			at("other text", false, func(cells []string) []string { cells[column] = "?"; return cells })
		}
		at("line break in quotes", false, func(cells []string) []string {
			cell := strings.Trim(cells[column], `"`)
			cells[column] = `"` + cell[:len(cell)/2] + "\n" + cell[len(cell)/2:] + `"`
			return cells
		})
	}

	if good.header < 0 {
		return all
	}
	// The header, and whole columns.
	head := good.header
	edit("header again in the body", false, func(s *goodFile) { s.lines[middle] += "\n" + s.lines[head] }, middle)
	edit("header again at the end", false, func(s *goodFile) { s.lines[last] += "\n" + s.lines[head] }, last)
	edit("a row of units below the header", false, func(s *goodFile) {
		s.lines[head] += "\n" + strings.TrimSuffix(strings.Repeat("text"+s.delimiter, width), s.delimiter)
	}, first)
	edit("header in capitals", true, func(s *goodFile) { s.lines[head] = strings.ToUpper(s.lines[head]) })
	edit("no header", false, func(s *goodFile) { s.lines = slices.Delete(s.lines, head, head+1) }, everyLine...)
	edit("header only", false, func(s *goodFile) { s.lines = s.lines[:head+1] }, everyLine...)
	edit("trailing empty column", true, func(s *goodFile) {
		for i := range s.lines {
			s.lines[i] += s.delimiter
		}
	})
	edit("unknown column added", true, func(s *goodFile) {
		for i := head; i < len(s.lines); i++ {
			add := "x"
			if i == head {
				add = "Notes"
			}
			s.lines[i] += s.delimiter + add
		}
	})
	isReport := !strings.HasPrefix(good.name, "bulk/") // else it has no preamble and no footer
	edit("preamble line with delimiters", isReport, func(s *goodFile) {
		s.lines[0] = "Report" + s.delimiter + "for" + s.delimiter + "June\n" + s.lines[0]
	})
	edit("preamble line with a quote", isReport, func(s *goodFile) { s.lines[0] = `A "report` + "\n" + s.lines[0] })
	edit("footer", isReport, func(s *goodFile) {
		if good.cells(head)[0] != "NHS Number" { // else the cell is a patient number's, and no footer
			s.lines[last] += "\nEnd of report"
		}
	})
	for column, name := range good.cells(head) {
		at := func(what string, change func(line int, cells []string) []string, touched ...int) {
			edit(fmt.Sprintf("%s, column %d", what, column+1), false, func(s *goodFile) {
				for i := max(head-1, 0); i < len(s.lines); i++ {
					if cells := s.cells(i); len(cells) == width {
						s.set(i, change(i, cells))
					}
				}
			}, touched...)
		}
		at("quote in the header", func(line int, cells []string) []string {
			if line == head {
				cells[column] = name[:1] + `"` + name[1:]
			}
			return cells
		}, everyLine...)
		at("quote before a header", func(line int, cells []string) []string {
			if line == head {
				cells[column] = `"` + name
			}
			return cells
		}, everyLine...)
		at("column twice", func(_ int, cells []string) []string { return slices.Insert(cells, column, cells[column]) }, everyLine...)
	}
	if head == 0 || good.lines[head-1] == strings.Repeat(",", width-1) {
		edit("columns reversed", true, func(s *goodFile) {
			for i := head; i < len(s.lines); i++ {
				cells := s.cells(i)
				slices.Reverse(cells)
				s.set(i, cells)
			}
		})
	}
	return all
}

// verdictOn compares what was read after a pollution with what was read before.
func verdictOn(before, after []seen, p polluted) string {
	touched := map[int]bool{}
	for _, line := range p.touched {
		touched[line+1] = true
	}
	left := map[string]int{}
	for _, row := range after {
		left[row.said]++
	}
	same := len(before) == len(after)
	spoilt := map[string]int{} // rows of touched lines, which may be there or not
	for _, row := range before {
		if left[row.said] > 0 {
			left[row.said]--
			continue
		}
		same = false
		if !touched[row.line] {
			return fmt.Sprintf("SILENTLY WRONG: %q of line %d is gone", row.said, row.line)
		}
		spoilt[row.said]++
	}
	if same {
		return "same"
	}
	told := 0
	rowsOf, most := map[int]int{}, 0
	for _, row := range before {
		rowsOf[row.line]++
		most = max(most, rowsOf[row.line])
	}
	for _, row := range after {
		if row.malformed {
			told += most // all the rows of its line
		} else if row.rejected || row.finding {
			told++
		} else if left[row.said] > 0 && !mayRepeat(p, row, before) {
			return fmt.Sprintf("SILENTLY WRONG: %q is new, and neither rejected nor a finding", row.said)
		}
	}
	lost := 0
	for _, n := range spoilt {
		lost += n
	}
	if lost > told && !mayVanish(p.what) {
		return fmt.Sprintf("SILENTLY WRONG: %d rows gone, %d rejected", lost, told)
	}
	return "told"
}

// mayRepeat: what stands twice reads twice, and is a duplicate by rule; a column
// of a group that stands twice under its group's name is another group.
func mayRepeat(p polluted, row seen, before []seen) bool {
	return (p.what == "a line twice" || p.what == "twice as long" || strings.HasPrefix(p.what, "column twice")) &&
		slices.ContainsFunc(before, func(b seen) bool { return b.said == row.said })
}

// mayVanish names the pollutions that leave fewer lines than there were rows.
func mayVanish(what string) bool {
	return slices.Contains([]string{"header only", "two lines in one", "missing cell, column 1", "two rows merged", "all rows but one merged"}, what)
}

func TestPollutionsAreNeverSilent(t *testing.T) {
	matrix := map[string]int{}
	for _, good := range append(goodSheets(), goodBulkTables()...) {
		judge(t, matrix, good.name, []byte(good.text()), pollutions(t, good))
	}
	for _, good := range goodBooks() {
		judge(t, matrix, good.name, good.content(t), workbookPollutions(t, good))
	}
	t.Logf("%d good files, %d pollutions of them: %d the same, %d rejected or a finding, %d refused, %d noted, %d silently wrong",
		matrix["good"], matrix["polluted"], matrix["same"], matrix["told"], matrix["refused"], matrix["noted"], matrix["SILENTLY"])
}

// judge reads a good file, and what each pollution makes of it, and prints a line of the matrix.
func judge(t *testing.T, matrix map[string]int, name string, good []byte, all []polluted) {
	before, refused, _ := readSheet(t, name, good)
	if refused || len(before) == 0 || slices.ContainsFunc(before, func(row seen) bool { return row.rejected }) {
		t.Fatalf("%s is no good file: %v", name, before)
	}
	matrix["good"]++
	counts := map[string]int{}
	for _, p := range all {
		said := verdict(t, name, before, p)
		word := strings.Fields(said)[0]
		if p.want != "" && !slices.Contains(strings.Fields(p.want), word) || word == "SILENTLY" {
			t.Errorf("%s: %s: %s; expected %s", name, p.what, said, cmp.Or(p.want, "same, told or refused"))
		}
		counts[word]++
		matrix[word]++
		matrix["polluted"]++
	}
	t.Logf("%-30.30s %3d pollutions: %3d same, %3d rejected or a finding, %3d refused, %2d noted, %d silently wrong",
		name, len(all), counts["same"], counts["told"], counts["refused"], counts["noted"], counts["SILENTLY"])
}

// verdict is what became of a polluted file.
func verdict(t *testing.T, name string, before []seen, p polluted) string {
	after, refused, note := readSheet(t, name, p.text)
	if p.like != nil {
		likeName, text := p.like.delimited()
		like, likeRefused, _ := readSheet(t, likeName, []byte(text))
		switch {
		case refused != likeRefused || !slices.Equal(after, like):
			return "SILENTLY WRONG: not what the same table as delimited text is"
		case !refused:
			return "same"
		}
	}
	if refused {
		return "refused"
	}
	said := verdictOn(before, after, p)
	if note != "" && p.want == "noted" {
		return "noted"
	}
	return said
}
