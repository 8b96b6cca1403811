package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ltcles/pipeline"
)

// A period of 200 practices and 600 files: what is fine is counted, what is not
// is listed, and every practice keeps its balance line.
func TestSummaryOfManyFiles(t *testing.T) {
	dir := t.TempDir()
	report := &pipeline.Report{RunID: "2026-06-0123456789ab", Period: "2026-06", RunDir: dir}
	rejects := "file,line,field,reason,hint\n"
	for i := range 600 {
		file := pipeline.FileReport{File: fmt.Sprintf("file %03d.csv", i), Kind: "search_export", Status: "read", RowsRead: 10}
		switch {
		case i == 7:
			file.Status, file.Message = "refused", "why it is refused"
		case i == 8, i == 18, i == 28:
			file.Message = "a header and no rows"
		case i%10 == 0:
			file.RowsRejected = 2
			rejects += fmt.Sprintf("%[1]s,12,code,code_damaged,Export it again.\n%[1]s,13,code,code_damaged,Export it again.\n", file.File)
		}
		report.Files = append(report.Files, file)
	}
	for i := range 200 {
		practice := fmt.Sprintf("Y90%03d", i)
		report.Practices = append(report.Practices, pipeline.PracticeReport{Practice: practice, State: "supplied"})
		report.Findings = append(report.Findings,
			pipeline.Finding{Practice: practice, Check: "single_day_spike", Severity: "warning", Message: "20 of 40"})
	}
	report.Findings = append(report.Findings, pipeline.Finding{Check: "file_refused", Severity: "error", Message: "1 file"})
	if err := os.WriteFile(filepath.Join(dir, "rejects.csv"), []byte(rejects), 0o600); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := printReport(&out, report, RunOptions{}, true); err != nil {
		t.Fatal(err)
	}
	got := out.String()
	for text, times := range map[string]int{
		"  536 of 600 files were read without remark\n":           1,
		"read, some rows rejected":                                60,
		"  file 008.csv and 2 files more: a header and no rows\n": 1,
		"read, with a warning":                                    3,
		"why it is refused":                                       0, // the run's error says it
		"file 007.csv":                                            1,
		"file 009.csv":                                            0,
		"  code_damaged, 120 rows in 60 files, first file 000.csv:12; Export it again.\n": 1,
		"supplied": 200,
		"  warning: single_day_spike: Y90000, Y90001, Y90002, Y90003, Y90004, Y90005 and 194 more:": 1,
		"  error: file_refused: no one practice:":                                                   1,
	} {
		if n := strings.Count(got, text); n != times {
			t.Errorf("%q is there %d times; want %d", text, n, times)
		}
	}
	if strings.Index(got, "file_refused") > strings.Index(got, "single_day_spike") {
		t.Error("an error stands after a warning")
	}
	if lines := strings.Count(got, "\n"); lines > 300 {
		t.Errorf("%d lines", lines)
	}
}

// A file of few lines shows everything, each rejected row's reason and fix among it.
func TestSummaryOfFewFiles(t *testing.T) {
	dir := t.TempDir()
	rejects := "file,line,field,reason,hint\na.csv,3,,malformed_row,Mend it.\na.csv,5,,malformed_row,Mend it.\na.csv,9,code,code_missing,Add it.\n"
	if err := os.WriteFile(filepath.Join(dir, "rejects.csv"), []byte(rejects), 0o600); err != nil {
		t.Fatal(err)
	}
	report := &pipeline.Report{RunID: "r", RunDir: dir, Files: []pipeline.FileReport{
		{File: "a.csv", Kind: "search_export", Status: "read", Encoding: "UTF-8", Delimiter: "comma", HeaderLine: 1, RowsRead: 9, RowsRejected: 3},
		{File: "b.csv", Kind: "register", Status: "read"},
	}}
	var out strings.Builder
	if err := printReport(&out, report, RunOptions{}, true); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"UTF-8, comma  1       a.csv\n",
		"-             -       b.csv\n",
		"  a.csv:3: malformed_row, 2 rows; Mend it.\n  a.csv:9: code_missing, 1 row; Add it.\n",
		"\nno findings\n",
	} {
		if !strings.Contains(out.String(), text) {
			t.Errorf("no %q in\n%s", text, out.String())
		}
	}
}

// A few assessments of a practice where each is worth much come before many where each is worth
// little; what nobody can put a price on comes last, by the assessments.
func TestFindingsAreListedByMoney(t *testing.T) {
	worth := func(pence int64) *int64 { return &pence }
	report := &pipeline.Report{Practices: []pipeline.PracticeReport{
		{Practice: "Y90001", AtStake: 30, AtStakePence: worth(2_999_99)},
		{Practice: "Y90002", AtStake: 2, AtStakePence: worth(3_000_00)},
		{Practice: "Y90003", AtStake: 4},
		{Practice: "Y90004", AtStake: 5},
	}}
	for _, practice := range report.Practices {
		report.Findings = append(report.Findings, pipeline.Finding{Practice: practice.Practice, Check: "late_coded", Severity: "warning",
			AtStake: practice.AtStake, AtStakePence: practice.AtStakePence, Message: "late"})
	}
	var out strings.Builder
	printFindings(&out, report)
	at := -1
	for _, line := range []string{"Y90002  warning  late_coded  2 at stake, £3000.00", "Y90001  warning  late_coded  30 at stake, £2999.99",
		"Y90004  warning  late_coded  5 at stake ", "Y90003  warning  late_coded  4 at stake "} {
		if next := strings.Index(out.String(), line); next <= at {
			t.Errorf("%q is not there, or not after what should come before it:\n%s", line, out.String())
		} else {
			at = next
		}
	}
}
