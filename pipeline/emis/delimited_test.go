package emis

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

func newReaderOf(t testing.TB, name string, text []byte) *Reader {
	t.Helper()
	return &Reader{
		Inbox: fstest.MapFS{name: {Data: text}}, Practices: knownPractices(), Book: NewBook(allCodes()),
		AllowTest: true, AsAt: day(t, "2026-07-02"),
		Meanings: func(text string) (TextMeaning, bool) {
			meaning, ok := map[string]string{"Regular": "regular", "Left": "left", "Dead": "dead"}[text]
			return meaning, ok
		},
	}
}

func newReader(t testing.TB, name, text string) *Reader {
	t.Helper()
	return newReaderOf(t, name, []byte(text))
}

// say puts a row into words: line.event, practice, patient, code, date, and what else there is.
func say(row *Row) string {
	if row.Malformed {
		return fmt.Sprintf("%d malformed %s", row.Line, orState(row.Practice, row.PracticeState))
	}
	patient := orState(string(row.NHSNumber), row.NHSState)
	if len(row.EMISNumber) > 0 {
		patient += "/" + string(row.EMISNumber)
	}
	said := fmt.Sprintf("%d.%d %s %s", row.Line, row.Event, orState(row.Practice, row.PracticeState), patient)
	if row.Event > 0 {
		said += fmt.Sprintf(" %s %s", orState(string(row.Code), row.CodeState), orState(row.ActivityDate.String(), row.ActivityState))
		if row.CodeState == Repaired {
			said += " repaired"
		}
	}
	if row.RecordedState != Blank {
		said += " recorded " + orState(row.RecordedDate.String(), row.RecordedState)
	}
	for _, meaning := range []TextMeaning{row.PatientType, row.RegistrationStatus} {
		if meaning != string(Blank) {
			said += " " + meaning
		}
	}
	for _, date := range []string{row.RegisteredDate.String(), row.DeductedDate.String(), row.DeathDate.String()} {
		if date != "" {
			said += " " + date
		}
	}
	if row.InvalidStatusDate != "" {
		said += " invalid " + string(row.InvalidStatusDate)
	}
	return said
}

func orState(text string, state State) string {
	if text == "" {
		return string(state)
	}
	return text
}

func readBytes(t testing.TB, name string, text []byte) (rows []string, tally Tally) {
	t.Helper()
	f := inspectBytes(t, name, text)
	if f.Status != Read {
		t.Fatalf("%s: %s", name, f.Message)
	}
	tally, err := newReaderOf(t, name, text).Read(f, func(row *Row) error {
		rows = append(rows, say(row))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if tally.Rows != int64(len(rows)) {
		t.Errorf("%s: %d rows and a tally of %d", name, len(rows), tally.Rows)
	}
	return rows, tally
}

func TestRows(t *testing.T) {
	const (
		header = "Organisation Code,NHS Number,EMIS Number,Date,SNOMED Code,Date Recorded,Name\n"
		two    = "Patient Details,,,,Assessed,,CVD,,\nOrganisation Code,NHS Number,EMIS Number,Name,Date,Code,Date,Code,\n"
		status = "Organisation Code,NHS Number,Patient Type,Registration Status,Registered Date,Deducted Date,Date of Death\n"
	)
	tests := []struct {
		name, file, text string
		want             []string
		footers          int64
	}{
		{"an event", "a.csv", header + "Z00001,999 000 0018,17,01-May-2026,417206009,02-May-2026,X\n",
			[]string{"2.1 Z00001 9990000018/17 417206009 2026-05-01 recorded 2026-05-02"}, 0},
		{"states of an event", "a.csv", header +
			"Z00001,9990000018,,x,7.56E+14,x,X\n" +
			"Z00001,9990000018,,,7.56261E+14,,X\n" +
			"Z00001,9990000018,,01-May-2026,,,X\n" +
			"Z00001,9990000018,,01-May-2026,73211009,,X\n" +
			"Z00001,9990000018,,01-May-2026,264676010,,X\n" +
			"Z00001,9990000018,,,,02-May-2026,X\n",
			[]string{
				"2.1 Z00001 9990000018 damaged invalid recorded invalid",
				"3.1 Z00001 9990000018 756261000000100 blank repaired",
				"4.1 Z00001 9990000018 blank 2026-05-01",
				"5.1 Z00001 9990000018 other 2026-05-01",
				"6.1 Z00001 9990000018 not_concept 2026-05-01",
				"7.0 Z00001 9990000018", // no event, and so no recorded date
			}, 0},
		{"R4", "a.csv", header +
			" z00001 ,9990000018,,01-May-2026,417206009,,X\n" +
			"\"=\"\"Z00001\"\"\",9990000018,,01-May-2026,417206009,,X\n" +
			"Y99999,9990000018,,01-May-2026,417206009,,X\n" +
			",9990000018,,01-May-2026,417206009,,X\n",
			[]string{
				"2.1 Z00001 9990000018 417206009 2026-05-01", "3.1 Z00001 9990000018 417206009 2026-05-01",
				"4.1 unknown 9990000018 417206009 2026-05-01", "5.1 blank 9990000018 417206009 2026-05-01",
			}, 0},
		{"R4 with the file's practice", "Z00002.csv", header +
			"Z00001,9990000018,,01-May-2026,417206009,,X\n" +
			"Y99999,9990000018,,01-May-2026,417206009,,X\n" +
			",9990000018,,01-May-2026,417206009,,X\n" +
			"short\n" +
			"Z00001,9990000018,,01-May-2026,417206009,,X\n",
			[]string{
				"2.1 Z00001 9990000018 417206009 2026-05-01", "3.1 unknown 9990000018 417206009 2026-05-01",
				"4.1 Z00002 9990000018 417206009 2026-05-01", "5 malformed Z00002", "6.1 Z00001 9990000018 417206009 2026-05-01",
			}, 0},
		{"patients", "a.csv", header +
			"Z00001,9990000019,,01-May-2026,417206009,,X\n" +
			"Z00001,9990000019,17.0,01-May-2026,417206009,,X\n" +
			"Z00001,,17,01-May-2026,417206009,,X\n" +
			"Z00001,,,01-May-2026,417206009,,X\n",
			[]string{
				"2.1 Z00001 invalid 417206009 2026-05-01", "3.1 Z00001 invalid/17 417206009 2026-05-01",
				"4.1 Z00001 blank/17 417206009 2026-05-01", "5.1 Z00001 blank 417206009 2026-05-01",
			}, 0},
		{"status", "a.csv", status +
			"Z00001,9990000018,Regular,Left,01-Jan-2020,01-May-2026,02-May-2026\n" +
			"Z00001,9990000018,Imaginary, ,,,\n" +
			"Z00001,9990000018,,,x,y,z\n" +
			"Z00001,9990000018,,,,y,z\n",
			[]string{
				"2.0 Z00001 9990000018 regular left 2020-01-01 2026-05-01 2026-05-02", "3.0 Z00001 9990000018 unknown",
				"4.0 Z00001 9990000018 invalid registered_date", "5.0 Z00001 9990000018 invalid deducted_date",
			}, 0},

		{"width", "a.csv", header +
			"Z00001,9990000018,,01-May-2026,417206009,\n" + // too few
			"Z00001,9990000018,,01-May-2026,417206009,,X,, ,\n" + // blank ones to the right
			"Z00001,9990000018,,01-May-2026,417206009,,X,,y\n" + // another one to the right
			"Z00001,9990000018,,01-May-2026,417206009,,O\"Hara\n" +
			"Z00001,9990000018,,01-May-2026,417206009,,\"O\"Hara\n" + // text after a closing quote
			"Z00001,9990000018,,01-May-2026,417206009,,\"X\n" + // an open quote
			"Z00001,9990000018,,01-May-2026,417206009,,\"X\nY\"\n" + // a line break
			"Z00001,9990000018,,01-May-2026,417206009,,X\n",
			[]string{
				"2 malformed blank", "3.1 Z00001 9990000018 417206009 2026-05-01", "4 malformed blank",
				"5.1 Z00001 9990000018 417206009 2026-05-01", "6 malformed blank", "7 malformed blank",
				"8.1 Z00001 9990000018 417206009 2026-05-01", "10.1 Z00001 9990000018 417206009 2026-05-01",
			}, 0},
		{"blank lines are no records", "a.csv", header + "\n,,,,,,\n \t\n\"\",\"\"\n\"=\"\"\"\"\",\"=\"\"\"\"\"\nZ00001,9990000018,,01-May-2026,417206009,,X\n\n",
			[]string{"7.1 Z00001 9990000018 417206009 2026-05-01"}, 0},

		{"footer", "a.csv", header + "Z00001,9990000018,,01-May-2026,417206009,,X\n\nEnd of report\n,,,,,,1 patient\n",
			[]string{"2.1 Z00001 9990000018 417206009 2026-05-01"}, 2},
		{"only trailing lines are a footer", "a.csv", header + "End of report\nZ00001,9990000018,,01-May-2026,417206009,,X\n",
			[]string{"2 malformed blank", "3.1 Z00001 9990000018 417206009 2026-05-01"}, 0},
		{"one cell that is data is no footer", "a.csv", header + ",9990000018,,,,,\n,,17,,,,\nZ00001,,,,,,\n,,,01-May-2026,,,\n,,,,417206009,,\n,,,,7.56E+14,,\n,,,,,02-May-2026,\n",
			[]string{
				"2.0 blank 9990000018", "3.0 blank blank/17", "4.0 Z00001 blank", "5.1 blank blank blank 2026-05-01", "6.1 blank blank 417206009 blank",
				"7.1 blank blank damaged blank", "8.0 blank blank",
			}, 0},
		{"a broken line is no footer", "a.csv", header + "\"End of report\n", []string{"2 malformed blank"}, 0},
		{"nothing but a header", "a.csv", header, nil, 0},
		{"nothing but a footer", "a.csv", header + "No patients\n", nil, 1},

		{"several events on a line", "a.csv", two +
			"Z00001,9990000018,17,X,01-May-2026," + claimCode + ",02-May-2026,417206009,\n" +
			"Z00001,9990000026,18,Y,,,03-May-2026,417206009,\n" +
			"Z00001,9990000034,19,Z,,,,,\n",
			[]string{
				"3.1 Z00001 9990000018/17 756261000000100 2026-05-01", "3.2 Z00001 9990000018/17 417206009 2026-05-02",
				"4.1 Z00001 9990000026/18 417206009 2026-05-03", "5.0 Z00001 9990000034/19",
			}, 0},
		{"filling down", "a.csv", two +
			",,,,01-May-2026,417206009,,,\n" + // nobody to fill down
			"Z00001,9990000018,17,X,01-May-2026,417206009,,,\n" +
			",,,,02-May-2026,417206009,,,\n" +
			"\"=\"\"\"\"\", ,,,03-May-2026,417206009,,,\n" +
			",,,Y,04-May-2026,417206009,,,\n" + // not every patient cell is blank
			",,,,05-May-2026,417206009,,,\n",
			[]string{
				"3.1 blank blank 417206009 2026-05-01", "4.1 Z00001 9990000018/17 417206009 2026-05-01",
				"5.1 Z00001 9990000018/17 417206009 2026-05-02", "6.1 Z00001 9990000018/17 417206009 2026-05-03",
				"7.1 blank blank 417206009 2026-05-04", "8.1 blank blank 417206009 2026-05-05",
			}, 0},
		{"a malformed row ends filling down", "Z00002 a.csv", two +
			"Z00001,9990000018,17,X,01-May-2026,417206009,,,\n" +
			"Z00001,9990000026\n" +
			",,,,02-May-2026,417206009,,,\n" +
			"Z00001,9990000034,,X,,,,,\n" +
			",,,,,,03-May-2026,417206009,\n",
			[]string{
				"3.1 Z00001 9990000018/17 417206009 2026-05-01", "4 malformed Z00002", "5.1 Z00002 blank 417206009 2026-05-02",
				"6.0 Z00001 9990000034", "7.1 Z00001 9990000034 417206009 2026-05-03",
			}, 0},
		{"a header over lines", "a.csv", "\"Organisation\nCode\",NHS Number,Date,Code,\"Free\n\ntext\"\nZ00001,9990000018,01-May-2026,417206009,x\n",
			[]string{"5.1 Z00001 9990000018 417206009 2026-05-01"}, 0},
		{"a note as wide as a row", "a.csv", "NHS Number,Organisation Code,Date,Code,Note\n" +
			"9990000018,Z00001,01-May-2026,417206009,\"she\nfell, tripped, hurt, knee, 3 days\nand, went, home, with, Z00001\"\n" +
			"9990000026,Z00001,01-May-2026,417206009,\"open\n" +
			"9990000034,Z00001,01-May-2026,417206009,\"x\"\n" +
			"no number,Z00001,,,\"open\n" +
			",,01-May-2026,,\"x\"\n",
			[]string{
				"2.1 Z00001 9990000018 417206009 2026-05-01", "5 malformed blank", "6.1 Z00001 9990000034 417206009 2026-05-01",
				"7 malformed blank", "8.1 blank blank blank 2026-05-01",
			}, 0},
		{"a footer under the patient's number", "a.csv", "NHS Number,Organisation Code,Date,Code\n9990000018,Z00001,01-May-2026,417206009\n9990000026,,,\nEnd of report\n",
			[]string{"2.1 Z00001 9990000018 417206009 2026-05-01", "3.0 blank 9990000026"}, 1},
		{"a last line with a status date alone", "a.csv", "NHS Number,Organisation Code,Patient Type,Registered Date,Deducted Date,Date of Death\n9990000018,Z00001,Regular,,,\n,,,,30-Jun-2026,\n",
			[]string{"2.0 Z00001 9990000018 regular", "3.0 blank blank 2026-06-30"}, 0},
		{"last lines that are records in one cell", "a.csv", header + "Z00001,9990000018,,01-May-2026,417206009,,X\nZ00001;9990000026;;01/05/2026;417206009;;X\n\"Z00001,9990000034,,01/05/2026,417206009,,X\"\nEnd; of the report\n",
			[]string{"2.1 Z00001 9990000018 417206009 2026-05-01", "3 malformed blank", "4 malformed blank"}, 1},
		{"all lines parted otherwise than the header", "a.csv", header + "Z00001;17;;01/05/2026;417206009;;X\nZ00001;18;;01/05/2026;417206009;;X\n",
			[]string{"2 malformed blank", "3 malformed blank"}, 0},
		{"a last line cut off in its practice", "a.csv", header + "Z00001,9990000018,,01-May-2026,417206009,,X\nZ000\n",
			[]string{"2.1 Z00001 9990000018 417206009 2026-05-01", "3 malformed blank"}, 0},
		{"a last line with a number under another header", "a.csv", header + "Z00001,9990000018,,01-May-2026,417206009,,X\n,,,,,,999 000 0026\n",
			[]string{"2.1 Z00001 9990000018 417206009 2026-05-01", "3.0 blank blank"}, 0},
		{"a footer under the EMIS number", "a.csv", "EMIS Number,Organisation Code,Date,Code\n17,Z00001,01-May-2026,417206009\nTotal patients: 1,,,\n",
			[]string{"2.1 Z00001 blank/17 417206009 2026-05-01"}, 1},
		{"a last continuation line whose date cannot be read", "a.csv", two + "Z00001,9990000018,17,X,01-May-2026,417206009,,,\n,,,,46174,,,,\n,,,,Mon 1 Jun 2026,,,,\n,,,,########,,,,\n,,,,Jun-26,,,,\n,,,,May contain patient data,,,,\n",
			[]string{
				"3.1 Z00001 9990000018/17 417206009 2026-05-01", "4.1 Z00001 9990000018/17 blank invalid", "5.1 Z00001 9990000018/17 blank invalid",
				"6.1 Z00001 9990000018/17 blank invalid", "7.1 Z00001 9990000018/17 blank invalid",
			}, 1},
		{"unnamed columns, in a practice's file", "Z00001 a.csv", ",Patient Details,,Review,,,CVD,\n,NHS Number,EMIS Number,Date,Code,Organisation Code,Date,Code\n1,9990000018,17,01-May-2026,417206009,Z00002,02-May-2026,417206009\n,,,03-May-2026,417206009,Z00002,,\n",
			[]string{"3.1 Z00001 9990000018/17 417206009 2026-05-01", "3.2 Z00001 9990000018/17 417206009 2026-05-02", "4.1 Z00001 9990000018/17 417206009 2026-05-03"}, 0},
		{"groups spelled out after an unnamed column", "Z00001 a.csv", ",Patient Details,Patient Details,Review,Review\n,NHS Number,EMIS Number,Date,Code\n1,9990000018,17,01-May-2026,417206009\n",
			[]string{"3.1 Z00001 9990000018/17 417206009 2026-05-01"}, 0},
		{"codes and counts above the header", "a.csv", "Included codes:,756261000000100,756261000000100,,\nClaims,412,756261000000100,,\nZ00001 Surgery,412,Last Run:,17-Apr-2026,\nZ00001,412,388,24,\nOrganisation Code,EMIS Number,Code,Date,\nZ00001,17,417206009,01-May-2026,\n",
			[]string{"6.1 Z00001 blank/17 417206009 2026-05-01"}, 0},
		{"counts by practice above a register", "a.csv", "Z00001,412,388,24,\nOrganisation Code,NHS Number,Patient Type,Deducted Date,\nZ00001,9990000018,Left,01-May-2026,\n",
			[]string{"3.0 Z00001 9990000018 left 2026-05-01"}, 0},
		{"one header row fills nothing down", "a.csv", header + "Z00001,9990000018,,01-May-2026,417206009,,X\n,,,02-May-2026,417206009,,\n",
			[]string{"2.1 Z00001 9990000018 417206009 2026-05-01", "3.1 blank blank 417206009 2026-05-02"}, 0},
		{"a last continuation line with one cell", "a.csv", two + "Z00001,9990000018,17,X,01-May-2026,417206009,,,\n,,,,02-May-2026,,,,\nEnd\n",
			[]string{"3.1 Z00001 9990000018/17 417206009 2026-05-01", "4.1 Z00001 9990000018/17 blank 2026-05-02"}, 1},

		{"a group that stands for a code", "a.csv", "Patient Details,,Assessed " + claimCode + ",\nOrganisation Code,NHS Number,Date,Value\nZ00001,9990000018,01-May-2026,1\nZ00001,9990000018,,1\nZ00001,9990000018,x,1\n",
			[]string{"3.1 Z00001 9990000018 756261000000100 2026-05-01", "4.0 Z00001 9990000018", "5.1 Z00001 9990000018 756261000000100 invalid"}, 0},
		{"the code in the file's name", "Z00001 417206009.csv", "NHS Number,Date\n9990000018,01-May-2026\n9990000026,\n",
			[]string{"2.1 Z00001 9990000018 417206009 2026-05-01", "3.1 Z00001 9990000026 417206009 blank"}, 0},
		{"a headerless list", "Z00001 417206009.txt", "9990000018\r\n\r\n=\"999 000 0026\",\n'9990000034\nx\n9990000042,y\n",
			[]string{
				"1.1 Z00001 9990000018 417206009 blank", "3.1 Z00001 9990000026 417206009 blank", "4.1 Z00001 9990000034 417206009 blank",
				"5.1 Z00001 invalid 417206009 blank", "6 malformed Z00001",
			}, 0},
		{"CR", "a.csv", strings.ReplaceAll(header+"Z00001,9990000018,,01-May-2026,417206009,,X\nshort\n", "\n", "\r"),
			[]string{"2.1 Z00001 9990000018 417206009 2026-05-01"}, 1},
		{"mixed line ends", "a.csv", "Last Run:,17/04/2026\r\n\r" + header + "Z00001,9990000018,,01-May-2026,417206009,,X\rZ00001,9990000026,,01-May-2026,417206009,,X\r\nZ00001,9990000034,,01-May-2026,417206009,,X",
			[]string{"4.1 Z00001 9990000018 417206009 2026-05-01", "5.1 Z00001 9990000026 417206009 2026-05-01", "6.1 Z00001 9990000034 417206009 2026-05-01"}, 0},
	}
	for _, tt := range tests {
		rows, tally := readBytes(t, tt.file, []byte(tt.text))
		if !slices.Equal(rows, tt.want) {
			t.Errorf("%s:\n got  %s\n want %s", tt.name, strings.Join(rows, "\n      "), strings.Join(tt.want, "\n      "))
		}
		if tally.Footers != tt.footers {
			t.Errorf("%s: %d footer lines, want %d", tt.name, tally.Footers, tt.footers)
		}
	}
}

// Lines are held back while they may be a footer, and not without end.
func TestManyFooterLines(t *testing.T) {
	const lines = 2*maxHeld + 10
	rows, tally := readBytes(t, "a.csv", []byte(exportHeader+exportLine+strings.Repeat("x\n", lines)))
	if int64(len(rows))+tally.Footers != lines+1 || tally.Footers > maxHeld {
		t.Errorf("%d rows and %d footer lines of %d", len(rows), tally.Footers, lines+1)
	}
	for i, row := range rows[1:] {
		if want := fmt.Sprintf("%d malformed blank", i+3); row != want {
			t.Fatalf("got %q, want %q", row, want)
		}
	}
}

// A stray quote before any cell of any line of a report spoils that physical line and no other.
func TestStrayQuoteSpoilsOneRow(t *testing.T) {
	reports := map[string]string{
		"one header row":   "Organisation Code,NHS Number,Date,Code,Date Recorded,Name\n%s\nEnd of report\n",
		"two header rows":  "Patient Details,,Assessed,,,,\nOrganisation Code,NHS Number,Date,Code,Date Recorded,Name,\n%s\n\n",
		"three columns":    "NHS Number,Date,Code\n%s\n",
		"quoted":           "\"Organisation Code\",\"NHS Number\",\"Date\",\"Code\",\"Date Recorded\",\"Name\"\n%s\n",
		"quoted line ends": "Organisation Code,NHS Number,Date,Code,Date Recorded,Name\n%s\n",
	}
	for name, report := range reports {
		cells := []string{"Z00001", "9990000018", "01-May-2026", "417206009", "02-May-2026", "X"}
		switch name {
		case "three columns":
			cells = cells[1:4]
		case "quoted":
			for i := range cells {
				cells[i] = `"` + cells[i] + `"`
			}
		case "quoted line ends":
			cells[5] = "\"X\nY, Z\""
		}
		height := strings.Count(strings.Join(cells, ","), "\n") + 1
		for spoilt := range 5 {
			for column := range cells {
				if strings.Contains(cells[column], "\n") {
					continue
				}
				var lines []string
				for line := range 5 {
					if line == spoilt {
						with := slices.Clone(cells)
						with[column] = `"` + strings.Trim(with[column], `"`)
						with[len(with)-1] = strings.ReplaceAll(with[len(with)-1], "\n", " ")
						lines = append(lines, strings.Join(with, ","))
						continue
					}
					lines = append(lines, strings.Join(cells, ","))
				}
				text := fmt.Sprintf(report, strings.Join(lines, "\n"))
				first := 1 + strings.Count(text[:strings.Index(text, lines[0])], "\n")
				rows, _ := readBytes(t, "Z00001.csv", []byte(text))
				if len(rows) != 5 {
					t.Fatalf("%s, line %d, column %d: %d rows, want 5:\n%s", name, spoilt, column, len(rows), strings.Join(rows, "\n"))
				}
				at := first
				for line, row := range rows {
					want := fmt.Sprintf("%d.1 Z00001 9990000018 417206009 2026-05-01", at)
					at += height
					if line == spoilt {
						want = fmt.Sprintf("%d malformed Z00001", at-height)
						at -= height - 1
					}
					if !strings.HasPrefix(row, want) {
						t.Fatalf("%s, line %d, column %d: %q, want %q", name, spoilt, column, row, want)
					}
				}
			}
		}
	}
}

// A file that is not what was inspected is refused; a consumer's error ends the reading.
func TestReadEnds(t *testing.T) {
	text := exportHeader + exportLine
	f := inspect(t, "a.csv", text)
	for _, changed := range []fstest.MapFS{
		{"a.csv": {Data: []byte(text + "x")}},
		{"a.csv": {Data: []byte(text), ModTime: time.Unix(1, 0)}},
	} {
		r := newReader(t, "a.csv", text)
		r.Inbox = changed
		_, err := r.Read(f, func(*Row) error { return nil })
		var refusal *Refusal
		if !errors.As(err, &refusal) || refusal.File != "a.csv" {
			t.Errorf("a file that changed: %v", err)
		}
	}
	stop := errors.New("stop")
	if _, err := newReader(t, "a.csv", text).Read(f, func(*Row) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}
	if _, err := newReader(t, "b.csv", text).Read(f, func(*Row) error { return nil }); err == nil || !strings.Contains(err.Error(), "a.csv") {
		t.Errorf("a file that is gone: %v", err)
	}
}

// Exports put together in one file are told apart where the second would be read as the first.
func TestAnotherHeader(t *testing.T) {
	const (
		header = "Organisation Code,NHS Number,Date,Date Recorded,Code\n"
		line   = "Z00001,9990000018,01-May-2026,02-May-2026,417206009\n"
		other  = "Organisation Code,NHS Number,Date Recorded,Date,Code\n"
		short  = "NHS Number,Date,Code\n9990000018,01-May-2026,417206009\n"
	)
	for _, tt := range []struct{ name, file, text, refused string }{
		{"other columns", "a.csv", header + line + other + line, "a.csv:3: found another header"},
		{"other columns and a preamble", "a.csv", header + line + "Last Run:,17-Apr-2026\n\n" + "NHS Number,Code,Date\n9990000018,417206009,01-May-2026\n", "a.csv:5: found another header"},
		{"the same columns", "a.csv", header + line + header + line, ""},
		{"the same columns, without the blank one at the end", "a.csv", "Organisation Code,NHS Number,Date,Code,\n" + "Z00001,9990000018,01-May-2026,417206009,\nOrganisation Code,NHS Number,Date,Code\n" + "Z00001,9990000018,01-May-2026,417206009,\n", ""},
		{"practices above", "a.csv", "Practice:,Z00001\n" + short + "Practice:,Z00002\n" + short, "a.csv:5: found another header"},
		{"a practice in the file's name", "Z00001 a.csv", short + short, ""},
		{"a note with headers' words", "a.csv", header + line + "The NHS Number, of some,is,not,known\n", ""},
	} {
		f := inspect(t, tt.file, tt.text)
		_, err := newReaderOf(t, tt.file, []byte(tt.text)).Read(f, func(*Row) error { return nil })
		refusal := new(Refusal)
		if tt.refused == "" && err != nil || tt.refused != "" && (!errors.As(err, &refusal) || !strings.Contains(err.Error(), tt.refused)) {
			t.Errorf("%s: %v; expected %q", tt.name, err, tt.refused)
		}
	}
}
