package emis

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

// split reads all records of a text; of a broken one it says so in the place of cells.
func split(t testing.TB, text string, delimiter byte, needed int) (cells [][]string, at []int) {
	t.Helper()
	records := newRecords(newLines(strings.NewReader(text)), delimiter)
	records.needed = needed
	for {
		rec, err := records.next()
		if err != nil {
			t.Fatal(err)
		}
		if rec == nil {
			return cells, at
		}
		row := []string{"broken"}
		if !rec.broken {
			row = nil
			for _, cell := range rec.cells {
				row = append(row, string(cell))
			}
		}
		cells, at = append(cells, row), append(at, rec.line)
	}
}

func TestRecords(t *testing.T) {
	broken := []string{"broken"}
	tests := []struct {
		name, text string
		delimiter  byte
		needed     int
		want       [][]string
		lines      []int
	}{
		{"LF", "a,b\nc,d\n", ',', 2, [][]string{{"a", "b"}, {"c", "d"}}, []int{1, 2}},
		{"CRLF", "a,b\r\nc,d\r\n", ',', 2, [][]string{{"a", "b"}, {"c", "d"}}, []int{1, 2}},
		{"CR", "a,b\rc,d\r", ',', 2, [][]string{{"a", "b"}, {"c", "d"}}, []int{1, 2}},
		{"mixed", "a,b\r\nc,d\re,f\n\r\ng,h", ',', 2, [][]string{{"a", "b"}, {"c", "d"}, {"e", "f"}, {""}, {"g", "h"}}, []int{1, 2, 3, 4, 5}},
		{"no line end at the end", "a,b", ',', 2, [][]string{{"a", "b"}}, []int{1}},
		{"nothing", "", ',', 2, nil, nil},
		{"tab", "a\tb,c\n", '\t', 2, [][]string{{"a", "b,c"}}, []int{1}},
		{"empty last field", "a,b,\n", ',', 2, [][]string{{"a", "b", ""}}, []int{1}},

		{"quoted", `"a,1","b ""2""",""` + "\n", ',', 3, [][]string{{"a,1", `b "2"`, ""}}, []int{1}},
		{"blanks after a closing quote", `"a" ,"b"  ` + "\n", ',', 2, [][]string{{"a", "b"}}, []int{1}},
		{"a quote inside a cell", `a "b" c,5" wide` + "\n", ',', 2, [][]string{{`a "b" c`, `5" wide`}}, []int{1}},
		{"text after a closing quote", "\"a\"b,c\nd,e\n", ',', 2, [][]string{broken, {"d", "e"}}, []int{1, 2}},
		{"open at the end", "a,b\n\"c,d", ',', 2, [][]string{{"a", "b"}, broken}, []int{1, 2}},

		{"line break in the first column", "\"a\n1\",b,c\nd,e,f\n", ',', 3, [][]string{{"a\n1", "b", "c"}, {"d", "e", "f"}}, []int{1, 3}},
		{"line break in a middle column", "a,\"b\r\n1\",c\r\nd,e,f\r\n", ',', 3, [][]string{{"a", "b\n1", "c"}, {"d", "e", "f"}}, []int{1, 3}},
		{"line break in the last column", "a,b,\"c\n1\"\nd,e,f\n", ',', 3, [][]string{{"a", "b", "c\n1"}, {"d", "e", "f"}}, []int{1, 3}},
		{"line breaks and blank lines", "a,\"b\n\n\n1, 2\",c\nd,e,f\n", ',', 3, [][]string{{"a", "b\n\n\n1, 2", "c"}, {"d", "e", "f"}}, []int{1, 5}},
		{"line break in a report of one column", "\"a\n1\"\nb\n", ',', 1, [][]string{broken, {`1"`}, {"b"}}, []int{1, 2, 3}},

		{"open, in front of a whole line", "\"a,b,c\nd,e,f\n", ',', 3, [][]string{broken, {"d", "e", "f"}}, []int{1, 2}},
		{"open, in front of a quoted line", "\"a,b,c\n\"d\",\"e\",\"f\"\n", ',', 3, [][]string{broken, {"d", "e", "f"}}, []int{1, 2}},
		{"open, in front of empty quotes", "\"a,b,c\nd,\"\",f\n", ',', 3, [][]string{broken, {"d", "", "f"}}, []int{1, 2}},
		{"open, in front of a blank line", "a,b,\"c\n\nd,e,f\n", ',', 3, [][]string{broken, {""}, {"d", "e", "f"}}, []int{1, 2, 3}},
		{"open, on a line that is too short", "a,\"b\nd,e,f\n", ',', 3, [][]string{broken, {"d", "e", "f"}}, []int{1, 2}},
		{"open, and another on the next line", "\"a,b,c\n\"d,e,f\ng,h,i\n", ',', 3, [][]string{broken, broken, {"g", "h", "i"}}, []int{1, 2, 3}},
	}
	for _, tt := range tests {
		cells, lines := split(t, tt.text, tt.delimiter, tt.needed)
		if fmt.Sprintf("%q", cells) != fmt.Sprintf("%q", tt.want) || !slices.Equal(lines, tt.lines) {
			t.Errorf("%s: %q at lines %v; want %q at %v", tt.name, cells, lines, tt.want, tt.lines)
		}
	}
}

// However many rows there are, wherever their quoted line breaks and however the bytes arrive, what
// a CSV writer wrote is read back.
func TestRecordsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width := rapid.IntRange(2, 6).Draw(t, "width")
		cell := rapid.OneOf(
			rapid.StringMatching(`[a-z ,"']{0,6}`),
			rapid.StringMatching("[a-z\" ]{0,3}\n{1,3}[a-z \"]{0,3}"), // a line break, and no delimiter beside it
		)
		rows := rapid.SliceOfN(rapid.SliceOfN(cell, width, width), 1, 8).Draw(t, "rows")
		var b bytes.Buffer
		out := csv.NewWriter(&b)
		out.UseCRLF = rapid.Bool().Draw(t, "crlf")
		if err := out.WriteAll(rows); err != nil {
			t.Fatal(err)
		}
		records := newRecords(newLines(iotest.OneByteReader(&b)), ',')
		records.needed = width
		for _, want := range rows {
			rec, err := records.next()
			if err != nil || rec == nil || rec.broken {
				t.Fatalf("want %q, got %+v, %v", want, rec, err)
			}
			if got := cellTexts(rec); !slices.Equal(got, want) {
				t.Fatalf("want %q, got %q", want, got)
			}
		}
		if rec, err := records.next(); rec != nil || err != nil {
			t.Fatalf("after the last record: %+v, %v", rec, err)
		}
	})
}

func cellTexts(rec *record) []string {
	texts := make([]string, len(rec.cells))
	for i, cell := range rec.cells {
		texts[i] = string(cell)
	}
	return texts
}

// A stray quote before any cell of any line spoils that line and no other, whatever is quoted around
// it and whatever line ends.
func TestStrayQuoteSpoilsOneLine(t *testing.T) {
	const width, height = 5, 6
	for _, style := range []string{"bare", "quoted", "some quoted", "empty quotes", "commas in quotes"} {
		cell := func(line, column int) string {
			text := fmt.Sprintf("%c%d", 'a'+column, line)
			switch {
			case style == "quoted":
				return `"` + text + `"`
			case style == "some quoted" && (line+column)%2 == 0:
				return `"` + text + `"`
			case style == "empty quotes" && (line+column)%2 == 0:
				return `""`
			case style == "commas in quotes" && column == 1:
				return `"` + text + `, x, y, z, ""w"""`
			}
			return text
		}
		for _, eol := range []string{"\n", "\r\n", "\r"} {
			for spoilt := range height {
				for column := range width {
					var lines []string
					for line := range height {
						cells := make([]string, width)
						for c := range width {
							cells[c] = cell(line, c)
						}
						if line == spoilt {
							cells[column] = `"` + fmt.Sprintf("%c%d", 'a'+column, line)
						}
						lines = append(lines, strings.Join(cells, ","))
					}
					got, at := split(t, strings.Join(lines, eol)+eol+eol, ',', width)
					for line := range height {
						if line >= len(got) || at[line] != line+1 || (got[line][0] == "broken") != (line == spoilt) {
							t.Fatalf("%s, line %d, column %d: %q at %v", style, spoilt+1, column+1, got, at)
						}
					}
				}
			}
		}
	}
}

// What runs on for longer than a cell can is a stray quote, and not a record.
func TestQuotedFieldIsBounded(t *testing.T) {
	long := "a,\"b\n" + strings.Repeat("x\n", maxQuotedLines) + "\",c\nd,e,f\n"
	got, _ := split(t, long, ',', 3)
	if got[0][0] != "broken" || !slices.Equal(got[len(got)-1], []string{"d", "e", "f"}) {
		t.Errorf("a cell of %d lines reads as %q", maxQuotedLines+1, got[0])
	}
	wide := "a,\"b\n" + strings.Repeat(strings.Repeat("x", 1000)+"\n", 150) + strings.Repeat(strings.Repeat("y", 3000)+"\n", 40) + "\",c\nd,e,f\n"
	got, _ = split(t, wide, ',', 3)
	if got[0][0] != "broken" || !slices.Equal(got[len(got)-1], []string{"d", "e", "f"}) {
		t.Error("a cell of 270 kB is read as one")
	}
}

func isRefusal(err error) bool { return errors.As(err, new(*Refusal)) }

func TestLongLine(t *testing.T) {
	for _, eol := range []string{"\n", "\r", ""} {
		long := "a,b\n" + strings.Repeat("x", maxLine+1) + eol
		records := newRecords(newLines(strings.NewReader(long)), ',')
		if _, err := records.next(); err != nil {
			t.Fatal(err)
		}
		if _, err := records.next(); !isRefusal(err) {
			t.Errorf("a line of 1 MiB and a byte, line end %q: %v", eol, err)
		}
		fits := strings.Repeat("x", maxLine) + "\nc,d\n"
		records = newRecords(newLines(strings.NewReader(fits)), ',')
		for range 2 {
			if rec, err := records.next(); err != nil || rec == nil {
				t.Errorf("a line of 1 MiB: %v, %v", rec, err)
			}
		}
	}
}
