package emis

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"

	"ltcles/pipeline/civil"
)

// Seeds besides those here lie in testdata/fuzz; what fuzzing once found is among them.

var lineEnd = regexp.MustCompile("\r\n|\n|\r")

// physicalLines splits a text into lines without the reader's help; a line end at the end begins no line.
func physicalLines(text string) []string {
	lines := lineEnd.Split(text, -1)
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

func shows(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) })
}

// FuzzDelimited reads any bytes as a file of a practice. Every physical line after the header that
// shows anything is where a row begins, or a line of a footer, or a further line of a cell in
// quotes; and a second reading yields the same rows.
func FuzzDelimited(f *testing.F) {
	const two = "Patient Details,,Assessed,,\r\nOrganisation Code,NHS Number,Date,Code,\r\n"
	for _, seed := range []string{
		exportHeader + exportLine,
		"Last Run:,17/04/2026 17:03,,\n,,,\n" + two + "Z00001,9990000018,01-May-2026,756261000000100,\r\n,,02-May-2026,\"417206009\n\",\r\nEnd,,,,\r\n",
		"NHS Number\tDate\tSNOMED Code\r9990000018\t\"01/05/2026\t417206009\r",
		"\ufeffNHS No;Patient Type\n\"999 000 0018\";Regular\n\"x;\n\n",
		"\xff\xfeN\x00H\x00S\x00 \x00N\x00o\x00,\x00C\x00o\x00d\x00e\x00,\x00D\x00a\x00t\x00e\x00\n\x001\x00,\x00\"\x00\n\x00",
	} {
		f.Add("Z00001.csv", []byte(seed))
	}
	f.Add("Z00001 batch 417206009.txt", []byte("9990000018\n9990000026,\nx,y\n"))
	f.Fuzz(func(t *testing.T, name string, text []byte) {
		inbox := fstest.MapFS{"f": {Data: text}}
		if fs.ValidPath(name) && !strings.ContainsAny(name, "/\\") && name != "." {
			inbox = fstest.MapFS{name: {Data: text}}
		} else {
			name = "f"
		}
		in := &Inspector{Inbox: inbox, Practices: knownPractices(), Book: NewBook(allCodes())}
		file, err := in.Inspect(name)
		if err != nil {
			t.Fatal(err)
		}
		if (file.Status == Refused) != (file.Message != "" && file.Refusal != nil) {
			t.Fatalf("%s without a reason, or the reverse: %q", file.Status, file.Message)
		}
		if file.Status != Read {
			return
		}
		if file.Kind == OtherKind || file.Kind == Summary || file.layout == nil {
			t.Fatalf("a file of kind %s is read", file.Kind)
		}
		reader := newReaderOf(t, name, text)
		reader.Inbox = inbox
		rows, tally, err := rowsOf(reader, file)
		again, _, errAgain := rowsOf(reader, file)
		if fmt.Sprint(rows, err) != fmt.Sprint(again, errAgain) {
			t.Fatal("a second reading yields other rows")
		}
		var refusal *Refusal
		if err != nil && !errors.As(err, &refusal) {
			t.Fatal(err)
		}
		if err != nil {
			return
		}
		plainText, err := io.ReadAll(decoded(strings.NewReader(string(text)), file.Encoding))
		if err != nil {
			t.Fatal(err)
		}
		account(t, physicalLines(string(plainText)), file.HeaderLine, rows, tally)
	})
}

type rowAt struct {
	line, event int
	malformed   bool
	said        string
}

func rowsOf(reader *Reader, file *File) (rows []rowAt, tally Tally, err error) {
	tally, err = reader.Read(file, func(row *Row) error {
		rows = append(rows, rowAt{row.Line, row.Event, row.Malformed, say(row)})
		return nil
	})
	return rows, tally, err
}

// account proves that no line is lost and none is counted twice.
func account(t *testing.T, lines []string, header int, rows []rowAt, tally Tally) {
	t.Helper()
	byPractice := int64(0)
	for _, n := range tally.ByPractice {
		byPractice += n
	}
	if tally.Rows != int64(len(rows)) || byPractice != tally.Rows {
		t.Fatalf("%d rows, a tally of %d and %d by practice", len(rows), tally.Rows, byPractice)
	}
	begins := map[int]rowAt{}
	last := header
	for _, row := range rows {
		isNext := row.line > last && row.event <= 1 || row.line == last && row.event == begins[last].event+1 && row.event > 1
		if !isNext || row.line > len(lines) {
			t.Fatalf("row %q after line %d, of %d lines", row.said, last, len(lines))
		}
		begins[row.line], last = row, row.line
	}
	var footers int64
	open := "" // the text of the record so far that the line may belong to
	isRow, isMalformed := false, false
	for n := header + 1; n <= len(lines); n++ {
		line := lines[n-1]
		row, begun := begins[n]
		switch {
		case begun:
			open, isRow, isMalformed = line, true, row.malformed
		case strings.Count(open, `"`)%2 == 1 && !isMalformed:
			open += "\n" + line
		case shows(line):
			footers++
			open, isRow, isMalformed = line, false, false
		default:
			open, isMalformed = "", false
		}
		if !begun && isRow && isMalformed && shows(line) {
			t.Fatalf("line %d is gone: the one above it is malformed, and spoils itself only", n)
		}
	}
	if footers > tally.Footers {
		t.Fatalf("%d lines are no rows, and %d are a footer:\n%q\n%v", footers, tally.Footers, lines, rows)
	}
}

// FuzzList reads any bytes as a headerless list: each line that shows anything is one row.
func FuzzList(f *testing.F) {
	f.Add([]byte("9990000018\n999 000 0026\r\n\n'9990000034\r=\"9990000042\""))
	f.Add([]byte("9990000018,\n9990000026,x\n\"9990000034\n"))
	f.Add([]byte("9990000018;\n\"9990000026\";\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		const name = "Z00001 417206009.txt"
		file := inspectBytes(t, name, text)
		if file.Status != Read || file.HeaderLine != 0 {
			return
		}
		rows, tally, err := rowsOf(newReaderOf(t, name, text), file)
		if err != nil {
			return
		}
		plainText, err := io.ReadAll(decoded(strings.NewReader(string(text)), file.Encoding))
		if err != nil {
			t.Fatal(err)
		}
		begins := map[int]bool{}
		for _, row := range rows {
			begins[row.line] = true
		}
		for n, line := range physicalLines(string(plainText)) {
			if shows(line) && !begins[n+1] && tally.Footers == 0 {
				t.Fatalf("line %d of %q is no row: %v", n+1, plainText, rows)
			}
		}
		if len(begins) != len(rows) || tally.Rows != int64(len(rows)) || file.Code != cardiacCode || file.Practice != "Z00001" {
			t.Fatalf("%d rows on %d lines, code %q, practice %q", len(rows), len(begins), file.Code, file.Practice)
		}
	})
}

// FuzzBulk reads any bytes as the tables of a bulk extract and of a delta to it. Every line below a
// header that shows anything is a row, or a further line of a cell in quotes; a second reading yields
// the same rows; and of the lines about one observation at most one is left.
func FuzzBulk(f *testing.F) {
	const one = "{b1},{a1},{o1},2026-05-01,2026-05-02,1,false\r\n"
	f.Add(patientHeader+"{a1},{o1},9990000018,1,  Regular,false,2010-01-01,,,false\n", observeHeader+one, observeHeader+"{B1},A1,o1,2026-05-03,,2,true\n", bulkCodes, bulkOrgs)
	f.Add("Deleted,NHSNUMBER,patientnumber,PatientTypeDescription,dummytype,DateOfRegistration,DateOfDeactivation,DateOfDeath,OrganisationGuid,PatientGuid,Surname\r\ntrue,9990000026,2,,,,,,{o2},{a2},\"Made,\r\nUp\"\r\n",
		observeHeader+"{b1},{a2},{o2},2026-05-01,2026-05-02,1,\"f\nalse\"\n,,,,,,\n\"{b2},{a1}\n"+one, observeHeader, codeHeader+"1,7.56261E+14\n1,\n", orgHeader+"o2,z00002\n")
	f.Add(patientHeader+"{a1},,,,,,,,,maybe\n,,,,,,,,,1\n", "\ufeff"+observeHeader+",,,,,,\n,{a1},,,,1,\n", observeHeader+one+one, codeHeader, orgHeader+",Z00001\n")
	f.Fuzz(func(t *testing.T, patients, observations, delta, codes, orgs string) {
		b := inspectBulk(t, delivered("z", "20260601000000", patients, observations, codes, orgs), delivered("a", "20260601000001", "", delta, codeHeader, orgHeader))
		var before []string
		for range 2 {
			var said []string
			for _, agreement := range Agreements(b.files) {
				said = append(said, readAgreement(t, b.reader, agreement)...)
			}
			if before != nil && !slices.Equal(before, said) {
				t.Fatal("a second reading yields other rows")
			}
			before = append([]string{}, said...)
		}
	})
}

func readAgreement(t *testing.T, reader *Reader, agreement *Agreement) (said []string) {
	extract, err := reader.OpenExtract(agreement)
	live := map[string]int{}
	for _, f := range agreement.Files() {
		if err != nil {
			break
		}
		text, readErr := fs.ReadFile(reader.Inbox, f.Name)
		if readErr != nil {
			t.Fatal(readErr)
		}
		plainText, readErr := io.ReadAll(decoded(bytes.NewReader(text), f.Encoding))
		if readErr != nil {
			t.Fatal(readErr)
		}
		lines := physicalLines(string(plainText))
		var rows []rowAt
		var tally Tally
		tally, err = extract.Read(f, func(row *Row) error {
			at := rowAt{row.Line, row.Event, row.Malformed, say(row)}
			// A line that a quote runs on from may be malformed for what a cell of it says.
			at.malformed = at.malformed && strings.Count(lines[row.Line-1], `"`)%2 == 0
			rows = append(rows, at)
			if f.bulk.table == tableObservation && !row.Malformed && !row.Deleted && !strings.Contains(lines[row.Line-1], `"`) {
				cells := strings.Split(lines[row.Line-1], ",")
				key := cells[f.bulk.at["ObservationGuid"]] + "," + cells[f.bulk.at["OrganisationGuid"]]
				if live[key]++; live[key] > 1 && shows(cells[f.bulk.at["ObservationGuid"]]) {
					t.Fatalf("line %d: two lines about one observation are left", row.Line)
				}
			}
			return nil
		})
		if err != nil {
			break
		}
		account(t, lines, f.HeaderLine, rows, tally)
		for _, row := range rows {
			said = append(said, row.said)
		}
	}
	var refusal *Refusal
	if err != nil && !errors.As(err, &refusal) {
		t.Fatal(err)
	}
	return said
}

// FuzzRecords splits any text. The records' lines add up to the text's; a broken record is one line;
// and what encoding/csv reads without complaint, it reads alike.
func FuzzRecords(f *testing.F) {
	f.Add("a,b,c\n\"d\n1\",e,f\n", uint8(0), uint8(3))
	f.Add("a\t\"b\r\n\"\tc\r\"d\r\n", uint8(1), uint8(3))
	f.Add("\"a,b\n,\"\"\nc,\",\"\n", uint8(0), uint8(2))
	f.Fuzz(func(t *testing.T, text string, which, needed uint8) {
		delimiter := delimiters[int(which)%len(delimiters)]
		lines := physicalLines(text)
		records := newRecords(newLines(strings.NewReader(text)), delimiter)
		records.needed = int(needed)
		at := 1
		for {
			rec, err := records.next()
			if isRefusal(err) {
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if rec == nil {
				break
			}
			spans := records.lines.line - at
			if rec.line != at || spans < 1 || at-1+spans > len(lines) {
				t.Fatalf("a record at line %d of %d lines, after line %d of %d", rec.line, spans, at-1, len(lines))
			}
			if spans > 1 && (rec.broken || len(rec.cells) < int(needed) || needed < 2) {
				t.Fatalf("a record of %d lines and %d cells, broken %t, where %d are needed", spans, len(rec.cells), rec.broken, needed)
			}
			own := strings.Join(lines[at-1:at-1+spans], "\n")
			if !rec.broken {
				compareWithCSV(t, own, delimiter, cellTexts(rec))
			}
			at += spans
		}
		if at-1 != len(lines) {
			t.Fatalf("%d lines of %d", at-1, len(lines))
		}
	})
}

func compareWithCSV(t *testing.T, text string, delimiter byte, got []string) {
	t.Helper()
	reader := csv.NewReader(strings.NewReader(text))
	reader.Comma = rune(delimiter)
	want, err := reader.Read()
	if err != nil || want == nil {
		return
	}
	if _, err := reader.Read(); !errors.Is(err, io.EOF) {
		return
	}
	if !slices.Equal(got, want) {
		t.Fatalf("%q reads as %q, and encoding/csv reads %q", text, got, want)
	}
}

// FuzzDate: a date that reads as valid is a day that prints and reads back as itself, and a day and
// month are never exchanged.
func FuzzDate(f *testing.F) {
	for _, seed := range []string{"01-Apr-2026", "1-apr-26 17:03", "29/02/2028", "2026-04-01T23:59:59Z", "04.13.2026", "'01-04-2026", `="01/04/2026"`} {
		f.Add(seed, int32(20636))
	}
	f.Fuzz(func(t *testing.T, cell string, asAt int32) {
		at := civil.Date(asAt % 100_000)
		d, state := readDate([]byte(cell), at)
		if (state == Valid) == d.IsNone() || state != Valid && state != Blank && state != Invalid {
			t.Fatalf("%q reads as %v, %s", cell, d, state)
		}
		if state != Valid {
			return
		}
		for _, format := range []string{"2006-01-02", "02/01/2006", "02-Jan-2006"} {
			printed := d.Time().Format(format)
			if again, state := readDate([]byte(printed), at); again != d || state != Valid {
				t.Fatalf("%q reads as %s, and %s as %s, %s", cell, d, printed, again, state)
			}
		}
	})
}

// FuzzNHSNumber: valid means ten digits of modulus 11, found in the cell in that order.
func FuzzNHSNumber(f *testing.F) {
	for _, seed := range []string{"9990000018", " 999 000-0026", `="9990000034"`, "'9990000042", "9999999999", "999000001\xff8", "-"} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	f.Fuzz(func(t *testing.T, cell string, allowTest bool) {
		got, state := ReadNHSNumber([]byte("kept"), []byte(cell), allowTest)
		digits, kept := strings.CutPrefix(string(got), "kept")
		if !kept || (state == Valid) != (len(digits) == 10) || state != Valid && digits != "" {
			t.Fatalf("%q reads as %q, %s", cell, got, state)
		}
		if state != Valid {
			return
		}
		sum := 0
		for i, c := range digits {
			if c < '0' || c > '9' {
				t.Fatalf("%q reads as %q", cell, digits)
			}
			sum += (10 - i) * int(c-'0')
		}
		if sum%11 != 0 || strings.Trim(digits, digits[:1]) == "" || !allowTest && strings.HasPrefix(digits, "999") {
			t.Fatalf("%q reads as %q", cell, digits)
		}
		shown := strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' {
				return r
			}
			return -1
		}, cell)
		if shown != digits {
			t.Fatalf("%q reads as %q", cell, digits)
		}
		if again, state := ReadNHSNumber(nil, []byte(digits), allowTest); state != Valid || string(again) != digits {
			t.Fatalf("%s reads as %q, %s", digits, again, state)
		}
	})
}

// FuzzCode: a code that is read is one of the book, found in the cell as it is or in scientific
// notation; no other text goes further.
func FuzzCode(f *testing.F) {
	for _, seed := range []string{claimCode, "7.56261E+14", "7.56E+14", "417206009 | x", `="417206009"`, "417206009.0", "'268511007", "264676010", "1777541000006105", "73211009", ""} {
		f.Add(seed)
	}
	book := NewBook(allCodes())
	f.Fuzz(func(t *testing.T, cell string) {
		code, state := book.read([]byte(cell))
		_, known := book.codes[string(code)]
		switch state {
		case Valid:
			if !known || !strings.Contains(cell, string(code)) {
				t.Fatalf("%q reads as %q", cell, code)
			}
		case Repaired:
			if !known || !strings.ContainsAny(cell, "eE") {
				t.Fatalf("%q is repaired to %q", cell, code)
			}
		case Blank, Other, Local, Damaged, Invalid, NotConcept:
			if code != "" {
				t.Fatalf("%q, %s, reads as %q", cell, state, code)
			}
		default:
			t.Fatalf("%q is %s", cell, state)
		}
	})
}
