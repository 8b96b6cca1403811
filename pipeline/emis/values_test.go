package emis

import (
	"encoding/csv"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"ltcles/pipeline/civil"
	"ltcles/snomed"
)

// The codes of SPEC §3.
const (
	claimCode       = "756261000000100"
	eligibilityCode = "756161000000107"
	populationCode  = "716081000000105"
	cardiacCode     = "417206009"
	respiratoryCode = "268511007"
	diabetesCode    = "713671000000109"
	frailtyCode     = "894301000000105"
	mentalCode      = "713761000000107"
)

func allCodes() []snomed.Code {
	return []snomed.Code{claimCode, eligibilityCode, populationCode, cardiacCode, respiratoryCode, diabetesCode, frailtyCode, mentalCode}
}

func day(t testing.TB, iso string) civil.Date {
	t.Helper()
	d, err := civil.Parse(iso)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// The published test numbers of other libraries, as far as no number of a range that is issued is
// among them. Where R1 rules otherwise than the source, the source's column says so.
func TestNHSNumberVectorsR1(t *testing.T) {
	file, err := os.Open("testdata/nhs_numbers.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows[1:] {
		if _, state := nhsNumber(nil, []byte(row[1]), true); string(state) != row[2] {
			t.Errorf("%q of %s is %s, want %s", row[1], row[0], state, row[2])
		}
	}
}

func TestNHSNumberR1(t *testing.T) {
	tests := []struct {
		cell      string
		allowTest bool
		want      string
		state     State
	}{
		{"9990000018", true, "9990000018", Valid},
		{" 999 000 0018\t", true, "9990000018", Valid},
		{"999-000-0018", true, "9990000018", Valid},
		{"999‐000‑0018", true, "9990000018", Valid},
		{"999\u00a0000\u00a00018", true, "9990000018", Valid},
		{"\ufeff9990000018\u200b", true, "9990000018", Valid},
		{"'9990000018", true, "9990000018", Valid},
		{"‘9990000018’", true, "9990000018", Valid},
		{`="9990000018"`, true, "9990000018", Valid},
		{`=" 999 000 0018 "`, true, "9990000018", Valid},

		{"9990000018", false, "", TestRange},
		{"999 000 0019", false, "", TestRange}, // whatever its check digit
		{"9990000019", true, "", Invalid},
		{"9999999999", true, "", Invalid}, // ten equal digits
		{"9990000000", true, "", Invalid}, // its check digit would be 10
		{"9990000107", true, "9990000107", Valid},
		{"9990000100", true, "", Invalid},

		{"999000001", false, "", Invalid}, // nine digits are of no range
		{"99900000180", true, "", Invalid},
		{"9990000018.0", true, "", Invalid},
		{"9.99E+09", true, "", Invalid},
		{"９９９００００018", true, "", Invalid}, // digits of another script
		{"999000001\xff", true, "", Invalid},
		{"", true, "", Blank},
		{" \u00a0", true, "", Blank},
		{`=""`, true, "", Blank},
		{`=" "`, true, "", Blank},
		{"'", true, "", Blank},
		{"-", true, "", Blank},
	}
	for _, tt := range tests {
		got, state := nhsNumber([]byte("kept"), []byte(tt.cell), tt.allowTest)
		if string(got) != "kept"+tt.want || state != tt.state {
			t.Errorf("%q reads as %q, %s; want %q, %s", tt.cell, got, state, "kept"+tt.want, tt.state)
		}
	}
}

// No check digit of 10, one digit changed, two neighbours swapped: R1 sees each.
func TestNHSNumberSeesSlipsR1(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		nine := fmt.Sprintf("%09d", rapid.IntRange(999_000_000, 999_999_999).Draw(t, "nine"))
		valid := 0
		var number string
		for check := range 10 {
			text := fmt.Sprintf("%s%d", nine, check)
			if _, state := nhsNumber(nil, []byte(text), true); state == Valid {
				valid++
				number = text
			}
		}
		if valid > 1 {
			t.Fatalf("%s has %d check digits", nine, valid)
		}
		if valid == 0 {
			return
		}
		at := rapid.IntRange(0, 9).Draw(t, "at")
		changed := []byte(number)
		changed[at] = '0' + (changed[at]-'0'+byte(rapid.IntRange(1, 9).Draw(t, "by")))%10
		if _, state := nhsNumber(nil, changed, true); state == Valid {
			t.Errorf("%s passes for %s", changed, number)
		}
		swapped := []byte(number)
		at = rapid.IntRange(0, 8).Draw(t, "swap")
		swapped[at], swapped[at+1] = swapped[at+1], swapped[at]
		if _, state := nhsNumber(nil, swapped, true); state == Valid && string(swapped) != number {
			t.Errorf("%s passes for %s", swapped, number)
		}
	})
}

func TestEMISNumber(t *testing.T) {
	for cell, want := range map[string]string{
		"12345": "12345", " 12345 ": "12345", "'12345": "12345", `="12345"`: "12345", "12345.0": "12345", "12\u00a0345": "12345",
		"A-17": "A-17", "12.5": "12.5", ".0": ".0", "": "", " ": "", `=""`: "", "'": "",
	} {
		if got := emisNumber([]byte("kept"), []byte(cell)); string(got) != "kept"+want {
			t.Errorf("%q reads as %q, want %q", cell, got, "kept"+want)
		}
	}
}

func TestCodeR2(t *testing.T) {
	book := NewBook(allCodes())
	tests := []struct {
		cell  string
		want  snomed.Code
		state State
	}{
		{claimCode, claimCode, Valid},
		{" 417206009 ", cardiacCode, Valid},
		{"417206009\u00a0", cardiacCode, Valid},
		{"417206009 | Cardiovascular disease monitoring", cardiacCode, Valid},
		{"417206009|Cardiovascular disease monitoring|", cardiacCode, Valid},
		{`="417206009"`, cardiacCode, Valid},
		{`="417206009" | Cardiovascular disease monitoring`, cardiacCode, Valid},
		{"417206009.0", cardiacCode, Valid},
		{"417206009.00 | Cardiovascular disease monitoring", cardiacCode, Valid},
		{"'417206009", cardiacCode, Valid},
		{"’417206009.0", cardiacCode, Valid},

		{"73211009", "", Other},
		{"900000000000207008", "", Other}, // 18 digits
		{"999999990989121104", "", Other},
		{"73211009 | Diabetes mellitus", "", Other},

		{"1777541000006105", "", Local}, // a concept of EMIS's own

		{"264676010", "", NotConcept},        // a description's identifier
		{"616731000006114", "", NotConcept},  // of an EMIS local code
		{"284596015", "", NotConcept},        // what EMIS has under CodeId
		{"1777541000006110", "", NotConcept}, // and what a spreadsheet leaves of 16 digits
		{"1777541000006100", "", NotConcept},
		{"284596016", "", Invalid},          // a description's, and its check digit is wrong
		{"01777541000006114", "", Invalid},  // leading zero
		{"1000006114", "", Invalid},         // a namespace and no item
		{"1777541000006129", "", Invalid},   // a relationship of EMIS's own
		{"100022", "", Invalid},             // a relationship's
		{"417206008", "", Invalid},          // check digit
		{"0417206009", "", Invalid},         // leading zero
		{"900000000000207000", "", Invalid}, // what a spreadsheet leaves of 18 digits
		{"1234567890123456789", "", Invalid},
		{"417206009.5", "", Invalid},
		{"417206009.", "", Invalid},
		{"417 206 009", "", Invalid},
		{"Cardiovascular disease monitoring", "", Invalid},
		{"G33..", "", Invalid},
		{"e", "", Invalid},
		{"7.56261E-14", "", Invalid},

		{"", "", Blank},
		{" ", "", Blank},
		{`=""`, "", Blank},
		{"'", "", Blank},
		{"| Cardiovascular disease monitoring", "", Blank},
	}
	for _, tt := range tests {
		if got, state := book.read([]byte(tt.cell)); got != tt.want || state != tt.state {
			t.Errorf("%q reads as %q, %s; want %q, %s", tt.cell, got, state, tt.want, tt.state)
		}
	}
}

// spreadsheet prints a code as a spreadsheet does that shows so many significant digits: rounded
// half up.
func spreadsheet(code snomed.Code, digits int) string {
	number, err := strconv.ParseInt(string(code), 10, 64)
	if err != nil {
		panic(err)
	}
	for unit := len(code) - digits; unit > 0; unit-- {
		if number /= 10; unit == 1 {
			number += int64(code[digits]-'0') / 5
		}
	}
	shown := strconv.FormatInt(number, 10) + strings.Repeat("0", max(0, digits-len(code)))
	mantissa := strings.TrimSuffix(shown[:1]+"."+shown[1:], ".")
	return fmt.Sprintf("%sE+%02d", mantissa, len(code)-1)
}

// Each of the eight codes is repaired from six significant digits on, in every way that
// spreadsheets print the power of ten, and from fewer never: at three, several codes print alike.
func TestScientificNotationR2(t *testing.T) {
	book := NewBook(allCodes())
	for _, code := range allCodes() {
		for digits := 1; digits <= 15; digits++ {
			printed := spreadsheet(code, digits)
			for _, cell := range []string{printed, strings.ToLower(printed), strings.Replace(printed, "+", "", 1), `="` + printed + `"`, printed + " | a term"} {
				got, state := book.read([]byte(cell))
				if digits < 6 && (got != "" || state != Damaged) {
					t.Errorf("%s of %s reads as %q, %s; want damaged", cell, code, got, state)
				}
				if digits >= 6 && (got != code || state != Repaired) {
					t.Errorf("%s of %s reads as %q, %s; want repaired", cell, code, got, state)
				}
			}
		}
	}
	for _, cell := range []string{"7.56E+14", "7.56262E+14", "7.56261E+13", "7.56261E+15", "1E+09", "7.562610E+14", "7.56261000000101E+14"} {
		got, state := book.read([]byte(cell))
		if want := cell == "7.562610E+14"; want != (state == Repaired) || !want && state != Damaged {
			t.Errorf("%s reads as %q, %s", cell, got, state)
		}
	}
	// Written out again, they are as damaged, whatever their check digit.
	for _, cell := range []string{"756000000000000", "756261000000000", "756000000000000.0", "714000000000000 | a term", "100000000000000000"} {
		if got, state := book.read([]byte(cell)); got != "" || state != Damaged {
			t.Errorf("%s reads as %q, %s; want damaged", cell, got, state)
		}
	}
	twins := NewBook([]snomed.Code{claimCode, "756261000000119"})
	if got, state := twins.read([]byte("7.56261E+14")); got != "" || state != Damaged {
		t.Errorf("one of two codes that print alike reads as %q, %s", got, state)
	}
	if got, state := NewBook([]snomed.Code{"999999999"}).read([]byte("1.00000E+09")); got != "" || state != Damaged {
		t.Errorf("a code that rounds up to another length reads as %q, %s", got, state)
	}
}

func TestDateR3(t *testing.T) {
	asAt := day(t, "2026-07-02")
	tests := []struct{ cell, want string }{
		{"01-Apr-2026", "2026-04-01"},
		{"1-Apr-2026", "2026-04-01"},
		{"31-MAR-2027", "2027-03-31"},
		{"01-apr-26", "2026-04-01"},
		{"01/04/2026", "2026-04-01"},
		{"01-04-2026", "2026-04-01"},
		{"01.04.2026", "2026-04-01"},
		{"2026-04-01", "2026-04-01"},
		{" 01/04/2026\u00a0", "2026-04-01"},
		{`="01/04/2026"`, "2026-04-01"},
		{"'01/04/2026", "2026-04-01"},

		// A time of day is ignored.
		{"17/04/2026 17:03", "2026-04-17"},
		{"17/04/2026 17:03:59", "2026-04-17"},
		{"17-Apr-2026 5:03 PM", "2026-04-17"},
		{"17-Apr-26 00:00:00", "2026-04-17"},
		{"2026-04-17 23:59:59.999", "2026-04-17"},
		{"2026-04-17T23:59:59", "2026-04-17"},
		{"2026-04-17T23:59:59.999Z", "2026-04-17"},
		{"2026-04-17T23:59:59+01:00", "2026-04-17"},
		{"29-Mar-2026 01:30", "2026-03-29"}, // there is no such hour: the clocks change

		// Two digits: this century, unless more than two years after as-at.
		{"02-Jul-28", "2028-07-02"},
		{"03-Jul-28", "1928-07-03"},
		{"01-Aug-28", "1928-08-01"},
		{"30-Jun-28", "2028-06-30"},
		{"01-Jan-29", "1929-01-01"},
		{"31-Dec-99", "1999-12-31"},
		{"01-Jan-00", "2000-01-01"},
		{"29-Feb-28", "2028-02-29"},
		{"29-Feb-32", "1932-02-29"},

		// 29 February is a day of leap years only.
		{"29-Feb-2028", "2028-02-29"},
		{"29/02/2028", "2028-02-29"},
		{"2028-02-29", "2028-02-29"},
		{"29-Feb-2027", "invalid"},
		{"29/02/2027", "invalid"},
		{"29-Feb-27", "invalid"},
		{"2100-02-29", "invalid"},

		// Never month first.
		{"04/13/2026", "invalid"},
		{"03/04/2026", "2026-04-03"},
		{"Apr-01-2026", "invalid"},
		{"2026-13-04", "invalid"},

		{"31-Apr-2026", "invalid"},
		{"00-Apr-2026", "invalid"},
		{"32/01/2026", "invalid"},
		{"1/4/2026", "invalid"},
		{"01/04/26", "invalid"},
		{"01/04-2026", "invalid"},
		{"01/Apr/2026", "invalid"},
		{"2026/04/01", "invalid"},
		{"20260401", "invalid"},
		{"Apr-2026", "invalid"},
		{"2026", "invalid"},
		{"46113", "invalid"}, // a spreadsheet's number for a day
		{"01-Apr-226", "invalid"},
		{"01-Apr-20266", "invalid"},
		{"01-Xyz-2026", "invalid"},
		{"01-anf-2026", "invalid"},
		{"01-Apr-2026 noon", "invalid"},
		{"01-Apr-2026 17", "invalid"},
		{"01-Apr-2026 17:99", "invalid"},
		{"01-Apr-2026x", "invalid"},
		{"2026-04-01T", "invalid"},
		{"unknown", "invalid"},
		{"-", "invalid"},

		{"", "blank"},
		{" \u00a0", "blank"},
		{`=""`, "blank"},
		{"'", "blank"},
	}
	for _, tt := range tests {
		got, state := readDate([]byte(tt.cell), asAt)
		said := got.String()
		if state != Valid {
			said = string(state)
			if !got.IsNone() {
				t.Errorf("%q is %s and reads as %s", tt.cell, state, got)
			}
		}
		if said != tt.want {
			t.Errorf("%q reads as %s, want %s", tt.cell, said, tt.want)
		}
	}
}

// Where as-at is not known yet, as in a preamble, two digits are of this century.
func TestTwoDigitYearWithoutAsAtR3(t *testing.T) {
	if got, _ := readDate([]byte("01-Jan-99"), civil.None); got.String() != "2099-01-01" {
		t.Errorf("reads as %s", got)
	}
}

// Two years after 29 February 2028 there is no such day; 28 February is not more, 1 March is.
func TestTwoDigitYearAfterALeapDayR3(t *testing.T) {
	asAt := day(t, "2028-02-29")
	for cell, want := range map[string]string{"28-Feb-30": "2030-02-28", "01-Mar-30": "1930-03-01"} {
		if got, _ := readDate([]byte(cell), asAt); got.String() != want {
			t.Errorf("%s reads as %s, want %s", cell, got, want)
		}
	}
}

// Every day of every format reads back as itself, and every month's name is known.
func TestEveryFormatReadsBackR3(t *testing.T) {
	formats := []string{"02-Jan-2006", "2-Jan-2006", "02-Jan-06", "02/01/2006", "02-01-2006", "02.01.2006", "2006-01-02", "02/01/2006 15:04", "2006-01-02T15:04:05Z"}
	asAt := day(t, "2026-07-02")
	for d := day(t, "2026-01-01"); d <= day(t, "2028-06-30"); d++ {
		for _, format := range formats {
			printed := d.Time().Format(format)
			if got, state := readDate([]byte(printed), asAt); got != d || state != Valid {
				t.Fatalf("%s reads as %s, %s; want %s", printed, got, state, d)
			}
		}
	}
}
