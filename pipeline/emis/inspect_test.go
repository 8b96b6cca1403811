package emis

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"ltcles/snomed"
)

func knownPractices() map[string]struct{} {
	return map[string]struct{}{"Z00001": {}, "Z00002": {}}
}

func inspectBytes(t testing.TB, name string, text []byte, layouts ...ProviderLayout) *File {
	t.Helper()
	in := &Inspector{Inbox: fstest.MapFS{name: {Data: text}}, Practices: knownPractices(), Book: NewBook(allCodes()), Layouts: layouts}
	f, err := in.Inspect(name)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func inspect(t testing.TB, name, text string, layouts ...ProviderLayout) *File {
	t.Helper()
	return inspectBytes(t, name, []byte(text), layouts...)
}

const (
	exportHeader = "Organisation Code,NHS Number,Date,SNOMED Code\n"
	exportLine   = "Z00001,9990000018,01-May-2026," + claimCode + "\n"
)

func TestKind(t *testing.T) {
	register := "Organisation Code,NHS Number,Patient Type\nZ00001,9990000018,Regular\n"
	list := "9990000018\n999 000 0026\n"
	bare := "NHS Number\n9990000018\n"
	tests := []struct {
		name, text string
		kind       Kind
		status     Status
		code       snomed.Code
		practice   string
	}{
		{"claims.csv", exportHeader + exportLine, SearchExport, Read, "", ""},
		{"Z00001/claims.csv", exportHeader + exportLine, SearchExport, Read, "", "Z00001"},
		{"z00001_claims.csv", exportHeader + exportLine, SearchExport, Read, "", "Z00001"},
		{"Z00001/Z00002 claims.csv", exportHeader + exportLine, SearchExport, Read, "", ""}, // two: none
		{"Z00001/Z00001 claims.csv", exportHeader + exportLine, SearchExport, Read, "", "Z00001"},
		{"Z000011/claims.csv", exportHeader + exportLine, SearchExport, Read, "", ""},
		{"Y99999/claims.csv", exportHeader + exportLine, SearchExport, Read, "", ""}, // not known
		{"417206009/claims.csv", exportHeader + exportLine, SearchExport, Read, "", ""},
		{"register.csv", register, Register, Read, "", ""},

		// The word batch, bounded by non-letters.
		{"batch_1.csv", exportHeader + exportLine, BatchAdd, Read, "", ""},
		{"Batch add/claims.csv", exportHeader + exportLine, BatchAdd, Read, "", ""},
		{"x/2026BATCH2/claims.csv", exportHeader + exportLine, BatchAdd, Read, "", ""},
		{"Batchley/claims.csv", exportHeader + exportLine, SearchExport, Read, "", ""},
		{"rebatch.csv", exportHeader + exportLine, SearchExport, Read, "", ""},
		{"batché.csv", exportHeader + exportLine, SearchExport, Read, "", ""},

		// The code from the name or the folders, where no column has it.
		{"Z00001/417206009/list.csv", bare, BatchAdd, Read, cardiacCode, "Z00001"},
		{"Z00001 417206009.csv", bare, BatchAdd, Read, cardiacCode, "Z00001"},
		{"Z00001 417206009 268511007.csv", bare, OtherKind, Refused, "", "Z00001"}, // two: none
		{"Z00001 73211009.csv", bare, OtherKind, Refused, "", "Z00001"},            // not of the book
		{"Z00001 batch.csv", bare, BatchAdd, Refused, "", "Z00001"},
		{"Z00001 417206009.csv", "NHS Number,Date\n9990000018,01-May-2026\n", BatchAdd, Read, cardiacCode, "Z00001"},
		{"417206009.csv", register, BatchAdd, Read, cardiacCode, ""},

		// Headerless lists.
		{"Z00001 417206009.txt", list, BatchAdd, Read, cardiacCode, "Z00001"},
		{"Z00001/417206009", list, BatchAdd, Read, cardiacCode, "Z00001"},
		{"Z00001.txt", list, BatchAdd, Refused, "", "Z00001"},
		{"417206009.txt", list, BatchAdd, Refused, cardiacCode, ""},
		{"Z00001 417206009.txt", list + "x\ny\n", BatchAdd, Read, cardiacCode, "Z00001"},
		{"Z00001 417206009.txt", list + "x\ny\nz\n", OtherKind, Refused, "", "Z00001"},

		// What is no patient list.
		{"summary.csv", "A search,,,\nPopulation Count,Males,Females,\n12,5,7,\nSearch,,,\nAssessed,3,,\n", Summary, Refused, "", ""},
		{"empty.csv", " \r\n,,\n", OtherKind, Refused, "", ""},
		{"nothing.csv", "", OtherKind, Refused, "", ""},
		{"letter.txt", "Dear practice,\nplease find attached\n", OtherKind, Refused, "", ""},
		{"Thumbs.db", "\x00\x01", OtherKind, Ignored, "", ""},
		{"Z00001/letter.DOCX", "PK\x03\x04", OtherKind, Ignored, "", "Z00001"},
		{"~$claims.csv", "x", OtherKind, Ignored, "", ""},
		{".claims.csv.swp", "x", OtherKind, Ignored, "", ""},
		{"claims.exe", exportHeader, OtherKind, Refused, "", ""},
	}
	for _, tt := range tests {
		f := inspect(t, tt.name, tt.text)
		if f.Kind != tt.kind || f.Status != tt.status || f.Code != tt.code || f.Practice != tt.practice {
			t.Errorf("%s: %s, %s, code %q, practice %q (%s); want %s, %s, %q, %q",
				tt.name, f.Kind, f.Status, f.Code, f.Practice, f.Message, tt.kind, tt.status, tt.code, tt.practice)
		}
		if f.SHA256 == "" || f.Bytes != int64(len(tt.text)) {
			t.Errorf("%s: SHA-256 %q of %d bytes", tt.name, f.SHA256, f.Bytes)
		}
	}
}

// A refusal names what is missing and the known headers, and no text of the file.
func TestRefusals(t *testing.T) {
	const secret = "Zebedee Quince"
	tests := []struct{ name, text, want string }{
		{"a.csv", "NHS Number,Date,SNOMED Code\n9990000018,x,y\n", "without a practice"},
		{"a.csv", "Organisation Code,Date,SNOMED Code,Name\nZ00001,x,y,Zebedee Quince\n", "known headers seen: practice_code, activity_date, code"},
		{"a.csv", "Organisation Code,NHS Number,SNOMED Code\nZ00001,9990000018,y\n", "without an activity date"},
		{"a.csv", "Organisation Code,NHS Number,Date,Zebedee Quince\n", "without a code beside the date"},
		{"a.csv", "Organisation Code,NHS Number,Name\nZ00001,9990000018,Zebedee Quince\n", "seen: practice_code, nhs_number"},
		{"a.csv", "Population Count,1\nOrganisation Code,Date,SNOMED Code\n", "no header row with a patient number"},
		{"a.csv", "Zebedee Quince,9990000018x\n", "no header that is known"},
		{"a.csv", "Zebedee Quince\x00\n", "line 1: found a NUL byte"},
		{"a.csv", exportHeader + exportLine + "Zebedee Quince\x00\n", "line 3: found a NUL byte"},
		{"a.csv", "\xFF\xFE\x00\x00N\x00\x00\x00H\x00\x00\x00", "text in UTF-32"},
		{"a.csv", "N\x00H\x00S\x00\r\x00\n\x00", "UTF-16 without a byte-order mark"},
		{"a.csv", "PK\x03\x04Zebedee Quince", "a damaged workbook"},
		{"a.csv", "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1Zebedee Quince", "Office file under another name"},
		{"a.csv", "%PDF-1.7 Zebedee Quince", "a PDF under another name"},
		{"1_Admin_Patient_20260701043213_B3FA020B-0000-4000-8000-00000000000A.csv.gpg", "\x85\x01\x0c\x03Zebedee Quince", "an encrypted file (.gpg); expected the file that is in it; decrypt it first"},
		{"Z00001/claims.PGP", "Zebedee Quince", "decrypt it first"},
		{"claims.csv.asc", "-----BEGIN PGP MESSAGE-----\nZebedee Quince", "decrypt it first"},
		{"1_Admin_Patient_20260701043213_B3FA020B-0000-4000-8000-00000000000A.csv", "-----BEGIN PGP MESSAGE-----\nZebedee Quince", "an encrypted file (PGP) under another name"},
		{"a.csv", "Patient Details,,Assessed,,\nOrganisation Code,NHS Number,Date,Code,Date\n", "the header of activity_date twice in one group"},
		{"a.csv", "Organisation Code,NHS Number,NHS Number,Date,Code\n", "the header of nhs_number twice"},
		{"a.csv", "Organisation Code,NHS Number,Date,Code,\"Name\nZ00001,9990000018,,,Zebedee Quince\n", "no header that is known"},
		{"a.csv", "Organisation Code,NHS Number,Date,Code,\"Name\nZ00001,9990000018,,,\"\n", "no header that is known"},
		{"a.csv", "Z00001,9990000018,01-May-2026,417206009\n" + exportHeader + exportLine, "line 1: found an NHS number above the header"},
		{"a.csv", "A search\nZ00001,999 000 0018,01-May-2026,417206009\nPatient Details,,Assessed\nOrganisation Code,NHS Number,Date,Code\n", "line 2: found an NHS number above the header"},
		{"a.csv", "Z00001,17,01-May-2026,417206009\nOrganisation Code,EMIS Number,Date,Code\nZ00001,18,01-May-2026,417206009\n", "line 2: found a patient above the header"},
		{"a.csv", "17,Z00001,Left\nEMIS Number,Organisation Code,Patient Type\n18,Z00001,Regular\n", "line 2: found a patient above the header"},
		{"a.csv", "Z00001,9999999998,01-May-2026,417206009\n" + exportHeader + exportLine, "line 2: found a patient above the header"},
		{"Z00001 a.csv", "17,01-May-2026,417206009\nEMIS Number,Date,Code\n18,01-May-2026,417206009\n", "line 2: found a patient above the header"},
		{"a.csv", "Organisation Code,NHS Number,Date,Code,5\" x\nZ00001,9990000018,,,Zebedee Quince\n", "line 1: found a stray quote in the header"},
		{"a.csv", "Patient Details,Patient Details,Assessed,Assessed,Assessed,Assessed\nOrganisation Code,NHS Number,Date,Code,Event Date,Concept ID\n", "activity_date twice in one group, or two groups of one name side by side"},
		{"a.csv", "Patient Details,,5\" x,\nOrganisation Code,NHS Number,Date,Code\n", "line 2: found a stray quote in the header"},
	}
	for _, tt := range tests {
		f := inspect(t, tt.name, tt.text)
		if f.Status != Refused || !strings.Contains(f.Message, tt.want) || f.Refusal == nil {
			t.Errorf("%q: %s, %q; want refused, %q", tt.text, f.Status, f.Message, tt.want)
		}
		for word := range strings.FieldsSeq(secret + " 9990000018") {
			if strings.Contains(f.Message, word) {
				t.Errorf("%q: the message shows %s", tt.text, word)
			}
		}
		if strings.ContainsAny(f.Message, "\r\n") {
			t.Errorf("%q: the message has more than one line", tt.text)
		}
	}
}

// A line too long is met where the rows are read, if not before; the message names it.
func TestLongLineRefuses(t *testing.T) {
	text := exportHeader + exportLine + strings.Repeat("x", maxLine+1) + "\n"
	f := inspect(t, "a.csv", text)
	_, err := newReader(t, "a.csv", text).Read(f, func(*Row) error { return nil })
	var refusal *Refusal
	if !errors.As(err, &refusal) || refusal.Line != 3 || refusal.File != "a.csv" || refusal.Kind != SearchExport {
		t.Errorf("got %+v", err)
	}
}

func TestPreamble(t *testing.T) {
	const data = exportHeader + exportLine
	tests := []struct {
		name, above                string
		extract, relative, practis string
		line                       int
	}{
		{"no preamble", "", "", "", "", 1},
		{"cells of their own", "A search,,,\n,,,\nLast Run:,17/04/2026 17:03,Relative Date:,16/04/2026 16:51\n,,,\nPopulation Count,Males,Females,\n2,1,1,\n,,,\n", "2026-04-17", "2026-04-16", "", 8},
		{"one cell each", "Last run: 17/04/2026 17:03\nRelative date: 16-Apr-2026\n", "2026-04-17", "2026-04-16", "", 3},
		{"quoted", "\"Last Run:\",\"17/04/2026 17:03\"\n\"A search, with a comma\",3\n", "2026-04-17", "", "", 3},
		{"two digits", "Last Run:,17-Apr-26\n", "2026-04-17", "", "", 2},
		{"no date", "Last Run:,never,Relative Date:,\n", "", "", "", 2},
		{"practice", "Organisation:,Example Surgery (Z00002)\n", "", "", "Z00002", 2},
		{"two practices", "Organisation:,Z00002\nOrganisation:,Z00001\n", "", "", "", 3},
		{"an open quote", "\"A search\nLast Run:,17/04/2026\n", "2026-04-17", "", "", 3},
	}
	for _, tt := range tests {
		f := inspect(t, "claims.csv", tt.above+data)
		if f.ExtractDate.String() != tt.extract || f.RelativeDate.String() != tt.relative || f.Practice != tt.practis || f.HeaderLine != tt.line || f.Status != Read {
			t.Errorf("%s: run %q, relative %q, practice %q, header line %d, %s; want %q, %q, %q, %d",
				tt.name, f.ExtractDate, f.RelativeDate, f.Practice, f.HeaderLine, f.Status, tt.extract, tt.relative, tt.practis, tt.line)
		}
	}
	f := inspect(t, "a.csv", "Last Run:,1/7/2026 17:03\n"+data)
	if !f.ExtractDate.IsNone() || !strings.HasPrefix(f.Message, "the run date above the header is no date") {
		t.Errorf("a run date as EMIS does not write it: %s, %q", f.ExtractDate, f.Message)
	}
	f = inspect(t, "Z00001.csv", "Organisation:,Z00002\n"+data)
	if f.Practice != "Z00001" {
		t.Errorf("the name says Z00001 and the preamble Z00002: %q", f.Practice)
	}
	f = inspect(t, "a.csv", "Last Run:,17/04/2026,Relative Date:,16/04/2026\nPatient Details,,Assessed Last Run,\nOrganisation Code,NHS Number,Date,Code\n")
	if f.ExtractDate.String() != "2026-04-17" || f.RelativeDate.String() != "2026-04-16" || f.HeaderLine != 3 {
		t.Errorf("above two header rows: run %s, relative %s, header line %d", f.ExtractDate, f.RelativeDate, f.HeaderLine)
	}
}

func TestEncodings(t *testing.T) {
	text := "Organisation Code;NHS Number;Date;Code;Name\r\nZ00001;9990000018;01-May-2026;417206009;Zoë £5 O’Hara\r\n"
	encode := func(bytes []byte, err error) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return bytes
	}
	tests := []struct {
		want Encoding
		text []byte
	}{
		{UTF8, []byte(text)},
		{UTF8BOM, []byte("\ufeff" + text)},
		{Windows1252, encode(charmap.Windows1252.NewEncoder().Bytes([]byte(text)))},
		{UTF16LE, encode(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().Bytes([]byte(text)))},
		{UTF16BE, encode(unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder().Bytes([]byte(text)))},
	}
	for _, tt := range tests {
		f := inspectBytes(t, "a.csv", tt.text)
		rows, _ := readBytes(t, "a.csv", tt.text)
		want := "2.1 Z00001 9990000018 417206009 2026-05-01"
		if f.Encoding != tt.want || f.DelimiterName() != "semicolon" || strings.Join(rows, "|") != want {
			t.Errorf("%s: %s, %s, %q", tt.want, f.Encoding, f.DelimiterName(), rows)
		}
	}
}

// A byte that is no UTF-8 decides wherever it stands: across the reader's buffers, and at the end.
func TestEncodingOfTheWholeFile(t *testing.T) {
	for _, length := range []int{0, 256<<10 - 3, 256<<10 - 2, 256<<10 - 1, 256 << 10, 300 << 10} {
		padding := strings.Repeat("x", length)
		for tail, want := range map[string]Encoding{"£": UTF8, "\u2003y": UTF8, "\U0001F600": UTF8, "\xa3": Windows1252, "\xe2\x80": Windows1252, "\xe2\x80y": Windows1252} {
			seen, err := survey(strings.NewReader(padding + tail))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := decideEncoding(seen); got != want || err != nil {
				t.Errorf("%q after %d bytes: %s, %v; want %s", tail, length, got, err, want)
			}
		}
	}
}

func TestDelimiters(t *testing.T) {
	for delimiter, name := range map[string]string{",": "comma", "\t": "tab", ";": "semicolon", "|": "pipe"} {
		text := strings.ReplaceAll("Last Run:,17/04/2026\n"+exportHeader+exportLine, ",", delimiter)
		f := inspect(t, "a.txt", text)
		if f.DelimiterName() != name || f.Status != Read || f.HeaderLine != 2 || f.ExtractDate.String() != "2026-04-17" {
			t.Errorf("%s: %s, %s, header line %d, run %s", name, f.DelimiterName(), f.Status, f.HeaderLine, f.ExtractDate)
		}
	}
	// The delimiter under which more headers are known is the file's.
	f := inspect(t, "a.csv", "NHS Number;Organisation Code,x;Date;Code\n9990000018;Z00001;01-May-2026;417206009\n")
	if f.DelimiterName() != "semicolon" {
		t.Errorf("read by %s", f.DelimiterName())
	}
	f = inspect(t, "a.csv", "Organisation Code,NHS Number,Date;time,Date,Code|Term,Code\n")
	if f.DelimiterName() != "comma" || f.Status != Read {
		t.Errorf("read by %s, %s", f.DelimiterName(), f.Message)
	}
}

// layoutOf says where the fields stand: patient fields by name, then each group as code/date/recorded.
func layoutOf(f *File) string {
	var b strings.Builder
	for _, field := range Fields() {
		if at := f.layout.column(field); at >= 0 {
			fmt.Fprintf(&b, "%s=%d ", field, at)
		}
	}
	for _, g := range f.layout.groups {
		fmt.Fprintf(&b, "[%d %d %d %s]", g.code, g.activity, g.recorded, g.fixed)
	}
	fmt.Fprintf(&b, " of %d", f.layout.width)
	return b.String()
}

func TestLayout(t *testing.T) {
	settings := ProviderLayout{Layout: Layout{
		Headers: map[Field][]string{ActivityDate: {"When"}, NHSNumber: {"Spine number"}, Code: {"Date"}},
		Groups:  map[string]snomed.Code{"CVD review": cardiacCode},
	}}
	provider := ProviderLayout{Files: "Z00001*.csv", Layout: Layout{Headers: map[Field][]string{PracticeCode: {"Surgery"}}}}
	tests := []struct{ name, header, want string }{
		{"one row", "Organisation Code,NHS Number,Date,SNOMED Code,Date Recorded", "practice_code=0 nhs_number=1 [3 2 4 ] of 5"},
		{"case, spaces and punctuation", "organisation_code,N.H.S. number,DATE:,Snomed-Code", "practice_code=0 nhs_number=1 [3 2 -1 ] of 4"},
		{"quoted", `"Organisation Code","NHS Number","Date","Code"`, "practice_code=0 nhs_number=1 [3 2 -1 ] of 4"},
		{"line breaks", "\"Organisation\nCode\",NHS Number,Date,Code,\"Free\r\ntext\"", "practice_code=0 nhs_number=1 [3 2 -1 ] of 5"},
		{"trailing empty columns", "Organisation Code,NHS Number,Date,Code,, ", "practice_code=0 nhs_number=1 [3 2 -1 ] of 4"},
		{"unknown last column", "Organisation Code,NHS Number,Date,Code,,Value", "practice_code=0 nhs_number=1 [3 2 -1 ] of 6"},
		{"no-break blanks", "Organisation\u00a0Code,NHS\u00a0Number,Date,Code", "practice_code=0 nhs_number=1 [3 2 -1 ] of 4"},

		// The earliest header of SPEC §5.2 wins, wherever it stands.
		{"earliest code", "Practice Code,Organisation Code,NHS No,NHS Number,Date,Code,SNOMED CT Concept ID,Concept ID", "practice_code=1 nhs_number=3 [6 4 -1 ] of 8"},
		{"earliest date", "Organisation Code,NHS Number,Clinical Effective Date,Effective Date,Event Date,Code", "practice_code=0 nhs_number=1 [5 4 -1 ] of 6"},
		{"status", "Organisation Code,NHS Number,Date,Code,Registration Type,Patient Type,Left Date,Deducted Date,Date of Death", "practice_code=0 nhs_number=1 patient_type=5 deducted_date=7 death_date=8 [3 2 -1 ] of 9"},

		// Two header rows: a column is a group and a name.
		{"two rows", "Patient Details,,,Assessed,,Eligible,,\nNHS Number,EMIS Number,Organisation Code,Date,Code,Date,Code,", "practice_code=2 nhs_number=0 emis_number=1 [4 3 -1 ][6 5 -1 ] of 7"},
		{"a group's name above each column", "Patient Details,Patient Details,Assessed,Assessed,Eligible, Eligible ,\nNHS Number,Organisation Code,Date,Code,Date,Code,", "practice_code=1 nhs_number=0 [3 2 -1 ][5 4 -1 ] of 6"},
		{"two groups of one name", "Patient Details,,Assessed,,Assessed,\nNHS Number,Organisation Code,Date,Code,Date,Code", "practice_code=1 nhs_number=0 [3 2 -1 ][5 4 -1 ] of 6"},
		{"two groups of one name, the first of one column", "Patient Details,,417206009,417206009,\nNHS Number,Organisation Code,Event Date,Date,Value", "practice_code=1 nhs_number=0 [-1 2 -1 417206009][-1 3 -1 417206009] of 5"},
		{"practice of entry", "Patient Details,,Assessed,,\nNHS Number,Practice Code,Organisation Code,Date,Code", "practice_code=1 nhs_number=0 [4 3 -1 ] of 5"},
		{"a code in the group's name", "Patient Details,,Assessed (756261000000100),,\nNHS Number,Organisation Code,Date,Date Recorded,Value", "practice_code=1 nhs_number=0 [-1 2 3 756261000000100] of 5"},
		{"a code in the name and a column", "Patient Details,,417206009,\nNHS Number,Organisation Code,Date,Code", "practice_code=1 nhs_number=0 [3 2 -1 ] of 4"},
		{"a line break in a group's name", "Patient Details,,\"Assessed\n(756261000000100)\",,\nNHS Number,Organisation Code,Date,Date Recorded,\"Free\ntext\"", "practice_code=1 nhs_number=0 [-1 2 3 756261000000100] of 5"},
		{"a mapped group", "Patient Details,,cvd REVIEW,\nNHS Number,Organisation Code,Date,Value", "practice_code=1 nhs_number=0 [-1 2 -1 417206009] of 4"},
		{"status in a group", "Patient Details,,GMS,,Assessed,,\nNHS Number,Organisation Code,Patient Type,Deducted Date,Date,Code,Patient Type", "practice_code=1 nhs_number=0 patient_type=2 deducted_date=3 [5 4 -1 ] of 7"},
		{"status of an event is none", "Patient Details,,Assessed,,\nNHS Number,Organisation Code,Date,Code,Patient Type", "practice_code=1 nhs_number=0 [3 2 -1 ] of 5"},
		{"PATIENT DETAILS", "PATIENT details:,,Assessed,\nNHS Number,Organisation Code,Date,Code", "practice_code=1 nhs_number=0 [3 2 -1 ] of 4"},

		// What the workspace adds comes last, and takes no header away.
		{"settings", "Organisation Code,Spine number,When,Code", "practice_code=0 nhs_number=1 [3 2 -1 ] of 4"},
		{"settings after the built-in", "Organisation Code,NHS Number,When,Event Date,Code", "practice_code=0 nhs_number=1 [4 3 -1 ] of 5"},
	}
	for _, tt := range tests {
		f := inspect(t, "a.csv", tt.header+"\n", settings)
		if f.Status != Read {
			t.Errorf("%s: %s", tt.name, f.Message)
			continue
		}
		if got := layoutOf(f); got != tt.want {
			t.Errorf("%s: %s; want %s", tt.name, got, tt.want)
		}
	}
	header := "Surgery,NHS Number,Date,Code\n"
	if f := inspect(t, "in/Z00001 claims.csv", header, provider); f.Status != Read || f.layout.column(PracticeCode) != 0 {
		t.Errorf("a layout by the file's name: %s, practice in column %d", f.Message, f.layout.column(PracticeCode))
	}
	if f := inspect(t, "claims.csv", header, provider); f.Status != Refused {
		t.Errorf("a layout for other files: %s", f.Status)
	}
}

// A group with a date and no code, or the other way round, is not read, and the file says so.
func TestGroupsThatAreNotRead(t *testing.T) {
	f := inspect(t, "a.csv", "Patient Details,,Assessed,,Smoking,\nNHS Number,Organisation Code,Date,Code,Date,Value\n")
	if f.Status != Read || len(f.layout.groups) != 1 || !strings.Contains(f.Message, "1 column groups have a date and no code") {
		t.Errorf("%s, %d groups, %q", f.Status, len(f.layout.groups), f.Message)
	}
	f = inspect(t, "a.csv", "Patient Details,,Assessed,,Cohort 417206009,Other\nNHS Number,Organisation Code,Date,Code,Value,Code\n")
	if f.Status != Read || len(f.layout.groups) != 1 || !strings.Contains(f.Message, "2 column groups have a code and no date") {
		t.Errorf("%s, %d groups, %q", f.Status, len(f.layout.groups), f.Message)
	}
	f = inspect(t, "Z00001 417206009.csv", "Patient Details,Smoking,\nNHS Number,Date,Value\n")
	if f.Kind != BatchAdd || layoutOf(f) != "nhs_number=0 [-1 1 -1 417206009] of 3" {
		t.Errorf("%s, %s", f.Kind, layoutOf(f))
	}
}
