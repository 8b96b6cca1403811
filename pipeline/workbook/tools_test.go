//go:build withtools

package workbook_test

import (
	"archive/zip"
	"bytes"
	"context"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"ltcles/pipeline/contract"
	"ltcles/pipeline/published"
	"ltcles/pipeline/published/publishedtest"
	"ltcles/pipeline/snapshot"
)

// LibreOffice calculates every formula, of which no value is stored, to what we store; and the
// totals follow what a reader changes.
func TestToolsLibreOfficeCalculatesTheSame(t *testing.T) {
	w := publishedtest.YearEnd(t, true)
	reader, err := published.Open(context.Background(), snapshot.Store{Dir: w.Published()}, "", published.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	c, err := contract.Load(w.ContractsDir(), "2026-27")
	if err != nil {
		t.Fatal(err)
	}
	c.Rule(w.Settings.Rulings)
	content := write(t, reader, c)
	ours := openBook(t, content)
	theirs := openBook(t, recalculated(t, withoutValues(t, content)))
	formulas := 0
	for _, sheet := range ours.GetSheetList() {
		rows, err := ours.GetRows(sheet)
		if err != nil {
			t.Fatal(err)
		}
		for i, row := range rows {
			for j := range row {
				column, err := excelize.ColumnNumberToName(j + 1)
				if err != nil {
					t.Fatal(err)
				}
				place := column + strconv.Itoa(i+1)
				if formula := formulaOf(t, ours, sheet, place); formula != "" {
					formulas++
					same(t, sheet+"!"+place+" ("+formula+")", cell(t, theirs, sheet, column, i+1), cell(t, ours, sheet, column, i+1))
				}
			}
		}
	}
	if formulas < 200 {
		t.Errorf("only %d formulas were compared", formulas)
	}
	for name, query := range map[string]string{
		"total_reconciliation_balance":      "select cast(sum(balance) as double) from fact_reconciliation",
		"total_reconciliation_earned_value": "select cast(sum(earned_value) as double) from fact_reconciliation",
		"total_payments_annual_value":       "select cast(sum(annual_value) as double) from fact_payment",
		"total_instalments_amount":          "select cast(sum(amount) as double) from fact_instalment",
		"total_positions_counted":           "select cast(sum(counted) as double) from fact_practice_position",
		"total_segments_shortfall":          "select cast(sum(shortfall) as double) from fact_segment_count",
	} {
		var want float64
		ask(t, reader, query, &want)
		same(t, name, named(t, theirs, name), strconv.FormatFloat(want, 'f', -1, 64))
	}

	// £100 more earned at one practice is £100 more of balance, and of both totals, and a difference.
	changed := openBook(t, content)
	earned, balance := columnOf(t, changed, "Reconciliation", "Earned"), columnOf(t, changed, "Reconciliation", "Balance")
	if err := changed.SetCellFloat("Reconciliation", earned+"8", 8188.83, 2, 64); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := changed.Write(&out); err != nil {
		t.Fatal(err)
	}
	after := openBook(t, recalculated(t, out.Bytes()))
	same(t, "balance after a change", cell(t, after, "Reconciliation", balance, 8), "-107.42")
	same(t, "difference after a change", cell(t, after, "Reconciliation", balance, 5), "100")
	same(t, "total of the lines shown after a change", cell(t, after, "Reconciliation", earned, 2), strconv.FormatFloat(8188.83+9799.93+10370.30, 'f', -1, 64))
}

func openBook(t *testing.T, content []byte) *excelize.File {
	t.Helper()
	book, err := excelize.OpenReader(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := book.Close(); err != nil {
			t.Error(err)
		}
	})
	return book
}

func same(t *testing.T, what, got, want string) {
	t.Helper()
	number, err := strconv.ParseFloat(got, 64)
	expected, wantErr := strconv.ParseFloat(want, 64)
	if err != nil || wantErr != nil || math.Abs(number-expected) > 1e-9*max(1, math.Abs(expected)) {
		t.Errorf("%s: LibreOffice has %q; want %q", what, got, want)
	}
}

// named is what the cell of a defined name holds.
func named(t *testing.T, book *excelize.File, name string) string {
	t.Helper()
	for _, defined := range book.GetDefinedName() {
		if defined.Name == name {
			sheet, place, _ := strings.Cut(strings.ReplaceAll(strings.ReplaceAll(defined.RefersTo, "$", ""), "'", ""), "!")
			text, err := book.GetCellValue(sheet, place, excelize.Options{RawCellValue: true})
			if err != nil {
				t.Fatal(err)
			}
			return text
		}
	}
	t.Fatalf("the workbook has no name %s", name)
	return ""
}

var valueOfFormula = regexp.MustCompile(`(</f>)<v>[^<]*</v>`)

// withoutValues takes the stored values of all formulas away.
func withoutValues(t *testing.T, content []byte) []byte {
	t.Helper()
	parts, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	into := zip.NewWriter(&out)
	removed := 0
	for _, part := range parts.File {
		from, err := part.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(from)
		if err != nil {
			t.Fatal(err)
		}
		removed += len(valueOfFormula.FindAll(text, -1))
		to, err := into.Create(part.Name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := to.Write(valueOfFormula.ReplaceAll(text, []byte("$1"))); err != nil {
			t.Fatal(err)
		}
	}
	if err := into.Close(); err != nil {
		t.Fatal(err)
	}
	if removed < 200 {
		t.Fatalf("only %d formulas have a stored value", removed)
	}
	return out.Bytes()
}

// always has LibreOffice calculate a workbook when it loads it.
const always = `<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load"><prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop></item>
</oor:items>
`

// recalculated is a workbook as LibreOffice writes it.
func recalculated(t *testing.T, content []byte) []byte {
	t.Helper()
	dir := t.TempDir()
	profile, to := filepath.Join(dir, "profile"), filepath.Join(dir, "out")
	if err := os.MkdirAll(filepath.Join(profile, "user"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(profile, "user", "registrymodifications.xcu"), []byte(always), 0o644); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "book.xlsx")
	if err := os.WriteFile(file, content, 0o644); err != nil {
		t.Fatal(err)
	}
	said, err := exec.Command("soffice", "-env:UserInstallation=file://"+filepath.ToSlash(profile), "--headless", "--convert-to", "xlsx", "--outdir", to, file).CombinedOutput()
	if err != nil {
		t.Fatalf("soffice: %v\n%s", err, said)
	}
	written, err := os.ReadFile(filepath.Join(to, "book.xlsx"))
	if err != nil {
		t.Fatalf("%v; soffice said %s", err, said)
	}
	return written
}
