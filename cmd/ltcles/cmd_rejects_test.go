package main

import (
	"strings"
	"testing"

	"ltcles/pipeline"
)

// No cell of the list is a formula to a spreadsheet.
func TestNoFormulaInCSV(t *testing.T) {
	var out strings.Builder
	if err := writeCSV(&out, []pipeline.RowReport{{File: `=HYPERLINK("x")`, Line: 3, Reason: "code_missing", Fix: "@x"}}); err != nil {
		t.Fatal(err)
	}
	if want := "file,line,field,reason,fix\n\"'=HYPERLINK(\"\"x\"\")\",3,,code_missing,'@x\n"; out.String() != want {
		t.Errorf("wrote %q; want %q", out.String(), want)
	}
}

func TestListFormat(t *testing.T) {
	for _, tt := range []struct{ format, output, want string }{
		{"", "", "csv"}, {"", "a.csv", "csv"}, {"", "a.XLSX", "xlsx"}, {"", "a.txt", "csv"}, {"csv", "a.xlsx", ""}, {"xlsx", "a", "xlsx"},
		{"xlsx", "", ""}, {"xlsx", "-", ""}, {"", "-", "csv"}, {"pdf", "a.pdf", ""}, {"CSV", "", ""},
	} {
		if got, err := listFormat(tt.format, tt.output); got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("listFormat(%q, %q) = %q, %v; want %q", tt.format, tt.output, got, err, tt.want)
		}
	}
}
