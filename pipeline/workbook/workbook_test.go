package workbook_test

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"ltcles/pipeline/contract"
	"ltcles/pipeline/published"
	"ltcles/pipeline/published/publishedtest"
	"ltcles/pipeline/snapshot"
	"ltcles/pipeline/workbook"
)

func TestYearEnd(t *testing.T) {
	w := publishedtest.YearEnd(t, true)
	reader, err := published.Open(context.Background(), snapshot.Store{Dir: w.Published()}, "", published.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := reader.Close(); err != nil {
			t.Error(err)
		}
	})
	c, err := contract.Load(w.ContractsDir(), "2026-27")
	if err != nil {
		t.Fatal(err)
	}
	c.Rule(w.Settings.Rulings)
	content := write(t, reader, c)
	for range 10 {
		if again := write(t, reader, c); !bytes.Equal(content, again) {
			t.Fatal("the same snapshot gave other bytes")
		}
	}
	book, err := excelize.OpenReader(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	if got, want := book.GetSheetList(), []string{"Read me", "Totals", "Reconciliation", "Payments", "Instalments", "Positions", "Segments", "Columns"}; !slices.Equal(got, want) {
		t.Errorf("sheets %v; want %v", got, want)
	}
	t.Run("totals", func(t *testing.T) { totals(t, book, reader) })
	t.Run("reconciliation", func(t *testing.T) { reconciliation(t, book) })
	t.Run("cells", func(t *testing.T) { cells(t, book) })
	t.Run("set-up", func(t *testing.T) { setUp(t, book) })
	t.Run("read me", func(t *testing.T) { readMe(t, book) })
	t.Run("no patient", func(t *testing.T) {
		for _, sheet := range book.GetSheetList() {
			if found, err := book.SearchSheet(sheet, "[0-9a-f]{64}", true); err != nil || len(found) > 0 {
				t.Errorf("%s holds a patient key at %v, %v", sheet, found, err)
			}
		}
	})
	t.Run("another contract", func(t *testing.T) {
		changed := *c
		changed.AdvanceShare = contract.Share{}
		var out bytes.Buffer
		if err := workbook.Write(context.Background(), &out, reader, &changed); err == nil || !strings.Contains(err.Error(), "the advance of the implementation domain of Y90001") || out.Len() > 0 {
			t.Errorf("got %v, %d bytes", err, out.Len())
		}
	})
}

func write(t *testing.T, reader *published.Reader, c *contract.Contract) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := workbook.Write(context.Background(), &out, reader, c); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// Every total holds what the tables add up to, gives it again when it is calculated, and has a name.
func totals(t *testing.T, book *excelize.File, reader *published.Reader) {
	tables := map[string]string{
		"Reconciliation": "fact_reconciliation", "Payments": "fact_payment", "Instalments": "fact_instalment", "Positions": "fact_practice_position", "Segments": "fact_segment_count",
	}
	names := map[string]string{}
	for _, name := range book.GetDefinedName() {
		names[name.Name] = name.RefersTo
	}
	seen := 0
	for row := 3; cell(t, book, "Totals", "A", row) != ""; row++ {
		seen++
		sheet, name := cell(t, book, "Totals", "A", row), cell(t, book, "Totals", "C", row)
		column := strings.TrimPrefix(name, "total_"+strings.ToLower(sheet)+"_")
		table := tables[sheet]
		if column == "weighted_population" {
			table = "dim_practice"
		}
		var want float64
		var unknown int64
		ask(t, reader, fmt.Sprintf("select cast(sum(%s) as double), cast(sum(case when %s is null then 1 else 0 end) as bigint) from %s", column, column, table), &want, &unknown)
		for _, at := range []string{"D", "E"} {
			if got := cell(t, book, "Totals", at, row); got != strconv.FormatFloat(want, 'f', -1, 64) {
				t.Errorf("%s: Totals holds %s; the tables add up to %v", name, got, want)
			}
		}
		at := strings.Split(strings.ReplaceAll(strings.TrimPrefix(names[name], "'"+sheet+"'!"), "$", ""), "3")[0]
		if at == "" || names[name] != fmt.Sprintf("'%s'!$%s$3", sheet, at) {
			t.Fatalf("%s refers to %q", name, names[name])
		}
		for above, expected := range map[int]float64{2: want, 3: want, 5: 0, 6: float64(unknown)} {
			place := fmt.Sprintf("%s%d", at, above)
			if formula := formulaOf(t, book, sheet, place); formula == "" {
				t.Errorf("%s!%s is no formula", sheet, place)
			}
			stored := cell(t, book, sheet, at, above)
			calculated, err := book.CalcCellValue(sheet, place, excelize.Options{RawCellValue: true})
			if err != nil {
				t.Errorf("%s!%s: %v", sheet, place, err)
			}
			for what, text := range map[string]string{"stored": stored, "calculated": calculated} {
				if got, err := strconv.ParseFloat(text, 64); err != nil || math.Abs(got-expected) > 1e-6 {
					t.Errorf("%s!%s (%s), %s: %q; want %v", sheet, place, name, what, text, expected)
				}
			}
		}
		if got := cell(t, book, sheet, at, 4); got != strconv.FormatFloat(want, 'f', -1, 64) {
			t.Errorf("%s: as published %s; want %v", name, got, want)
		}
	}
	if seen < 25 {
		t.Errorf("only %d totals are listed", seen)
	}
	// Nobody was assessed last year as far as is known: there is no total, and no 0.
	if at := columnOf(t, book, "Positions", "Repeat assessments"); cell(t, book, "Positions", at, 3) != "" || cell(t, book, "Positions", at, 6) != "6" {
		t.Errorf("repeat assessments: total %q, not known of %q", cell(t, book, "Positions", at, 3), cell(t, book, "Positions", at, 6))
	}
}

// What R19 gives for the practices that can be reckoned by hand, as values and as formulas.
func reconciliation(t *testing.T, book *excelize.File) {
	for i, want := range map[int][]string{ // from the row of the first practice
		0: {"Y90001", "supplied", "1234.56", "8.4", "10370.3", "8296.25", "8296.25", "8088.83", "0", "8088.83", "-207.42", "recoup", "6222.18", "-2074.07"},
		1: {"Y90002", "supplied", "1234.56", "8.4", "10370.3", "8296.25", "8296.25", "9799.93", "570.36", "9229.57", "1503.68", "pay", "9333.27", "1037.02"},
		2: {"Y90003", "supplied", "1234.56", "8.4", "10370.3", "8296.25", "8296.25", "10370.3", "0", "10370.3", "2074.05", "pay", "10370.3", "2074.05"},
		3: {"Y90004", "missing", "1234.56", "8.4", "10370.3", "8296.25", "8296.25", "", "", "", "", "", "", ""},
		4: {"Y90005", "supplied", "1234.56", "8.4", "10370.3", "8296.25", "8296.25", "", "", "", "", "", "", ""},
		5: {"Y90006", "supplied", "", "8.4", "", "", "", "", "", "", "", "", "", ""},
	} {
		titles := []string{
			"Practice", "Files", "Weighted population", "£ per weighted head", "Contract value", "Advance", "Advance paid to date", "Earned", "Held", "Earned and not held", "Balance",
			"Direction", "Earned on the other basis", "Balance on the other basis",
		}
		for j, title := range titles {
			at, row := columnOf(t, book, "Reconciliation", title), 8+i
			place := fmt.Sprintf("%s%d", at, row)
			if got := cell(t, book, "Reconciliation", at, row); got != want[j] {
				t.Errorf("%s, %s: %q; want %q", want[0], title, got, want[j])
			}
			isFormula := slices.Contains([]string{"Earned and not held", "Balance", "Balance on the other basis"}, title) && want[j] != ""
			if formula := formulaOf(t, book, "Reconciliation", place); (formula != "") != isFormula {
				t.Errorf("%s, %s: formula %q", want[0], title, formula)
			}
			if isFormula {
				if got, err := book.CalcCellValue("Reconciliation", place, excelize.Options{RawCellValue: true}); err != nil || got != want[j] {
					t.Errorf("%s, %s is calculated as %q, %v; want %q", want[0], title, got, err, want[j])
				}
			}
		}
	}
}

// Texts are texts, numbers numbers, days days; what is not known is blank.
func cells(t *testing.T, book *excelize.File) {
	for _, sheet := range []string{"Reconciliation", "Payments", "Instalments", "Positions", "Segments"} {
		for row := 8; cell(t, book, sheet, "A", row) != ""; row++ {
			for _, at := range []string{"A", "B", "C", "D"} {
				kind, err := book.GetCellType(sheet, fmt.Sprintf("%s%d", at, row))
				if err != nil || kind != excelize.CellTypeInlineString || formulaOf(t, book, sheet, fmt.Sprintf("%s%d", at, row)) != "" {
					t.Errorf("%s!%s%d is no plain text: %v, %v", sheet, at, row, kind, err)
				}
			}
			if cell(t, book, sheet, "A", row) == publishedtest.Above && cell(t, book, sheet, "B", row) != publishedtest.AboveName {
				t.Errorf("%s names Y90003 %q", sheet, cell(t, book, sheet, "B", row))
			}
		}
	}
	shown := func(sheet, title string, row int) string {
		text, err := book.GetCellValue(sheet, fmt.Sprintf("%s%d", columnOf(t, book, sheet, title), row))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	for _, tt := range []struct {
		sheet, title string
		row          int
		want         string
	}{
		{"Instalments", "Paid in", 8, "Apr 2026"}, {"Instalments", "Amount", 8, "£691.36"}, {"Reconciliation", "Balance", 8, "-£207.42"},
		{"Positions", "Achievement", 8, "60.0%"}, {"Positions", "Achievement, capped", 10, "100.0%"}, {"Positions", "Achievement, all", 8, "65.0%"},
		{"Positions", "Counted", 11, ""}, {"Positions", "Achievement", 12, ""}, {"Segments", "Minimum share", 12, "3.0%"}, {"Segments", "Shortfall", 8, "2"},
		{"Segments", "Minimum met", 8, "no"}, {"Segments", "Assessed", 8, "0"}, {"Segments", "Assessed", 23, ""},
	} {
		if got := shown(tt.sheet, tt.title, tt.row); got != tt.want {
			t.Errorf("%s, %s, row %d shows %q; want %q", tt.sheet, tt.title, tt.row, got, tt.want)
		}
	}
}

func setUp(t *testing.T, book *excelize.File) {
	filters, titles := map[string]string{}, map[string]string{}
	for _, name := range book.GetDefinedName() {
		switch name.Name {
		case "_xlnm._FilterDatabase":
			filters[name.Scope] = name.RefersTo
		case "_xlnm.Print_Titles":
			titles[name.Scope] = name.RefersTo
		}
	}
	if got := filters["Payments"]; got != "'Payments'!$A$7:$J$25" {
		t.Errorf("payments are filtered at %q", got)
	}
	for sheet, pagesWide := range map[string]int{"Reconciliation": 2, "Payments": 1, "Instalments": 1, "Positions": 2, "Segments": 2} {
		panes, err := book.GetPanes(sheet)
		if err != nil || !panes.Freeze || panes.XSplit != 2 || panes.YSplit != 7 || panes.TopLeftCell != "C8" {
			t.Errorf("%s: panes %+v, %v", sheet, panes, err)
		}
		layout, err := book.GetPageLayout(sheet)
		if err != nil || layout.Orientation == nil || *layout.Orientation != "landscape" || layout.Size == nil || *layout.Size != 9 || layout.FitToWidth == nil || *layout.FitToWidth != pagesWide || layout.FitToHeight == nil || *layout.FitToHeight != 0 {
			t.Errorf("%s: layout %+v, %v", sheet, layout, err)
		}
		props, err := book.GetSheetProps(sheet)
		if err != nil || props.FitToPage == nil || !*props.FitToPage {
			t.Errorf("%s is not fitted to the page: %v", sheet, err)
		}
		if want := fmt.Sprintf("'%s'!$A:$B,'%s'!$7:$7", sheet, sheet); titles[sheet] != want {
			t.Errorf("%s repeats %q; want %q", sheet, titles[sheet], want)
		}
		footer, err := book.GetHeaderFooter(sheet)
		if err != nil || !strings.Contains(footer.OddFooter, "LTC LES 2026-27, year end, final, as at 12 April 2027") || !strings.Contains(footer.OddFooter, "Page &P of &N") {
			t.Errorf("%s: footer %+v, %v", sheet, footer, err)
		}
		for i := 1; i <= 28; i++ {
			place, err := excelize.CoordinatesToCellName(i, 7)
			if err != nil {
				t.Fatal(err)
			}
			if style, err := book.GetCellStyle(sheet, place); err != nil || style == 0 && cell(t, book, sheet, strings.TrimRight(place, "7"), 7) != "" {
				t.Errorf("%s!%s has style %d, %v", sheet, place, style, err)
			}
		}
		formats, err := book.GetConditionalFormats(sheet)
		if err != nil || len(formats) != 1 {
			t.Errorf("%s: conditional formats %v, %v", sheet, formats, err)
		}
	}
}

func readMe(t *testing.T, book *excelize.File) {
	facts := map[string]string{}
	for row := 2; row < 15; row++ {
		facts[cell(t, book, "Read me", "A", row)] = cell(t, book, "Read me", "B", row)
	}
	for fact, want := range map[string]string{
		"Contract year": "2026-27", "Period": "year end, final (2026-27)", "As at": "12 April 2027", "Activity up to": "31 March 2027", "Status": "final",
		"Practices":           "6, of which 1 without files",
		"Basis":               "Payment follows activity in the assessments domain; implementation and MDT are earned in full (domain_2)",
		"Shares of the value": "implementation 20 %, assessments 55 %, mdt 25 %; advance 80 % of each",
		"To be confirmed":     "coding deadline, decision date, letter date, mitigation closes, mitigation opens, panel week",
	} {
		if facts[fact] != want {
			t.Errorf("%s: %q; want %q", fact, facts[fact], want)
		}
	}
	for row := 2; cell(t, book, "Columns", "A", row) != ""; row++ {
		if meaning := cell(t, book, "Columns", "D", row); !strings.HasSuffix(meaning, ".") {
			t.Errorf("Columns, row %d: the meaning is %q", row, meaning)
		}
	}
}

// cell is what a cell holds, whatever it shows.
func cell(t *testing.T, book *excelize.File, sheet, column string, row int) string {
	t.Helper()
	text, err := book.GetCellValue(sheet, fmt.Sprintf("%s%d", column, row), excelize.Options{RawCellValue: true})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func formulaOf(t *testing.T, book *excelize.File, sheet, place string) string {
	t.Helper()
	formula, err := book.GetCellFormula(sheet, place)
	if err != nil {
		t.Fatal(err)
	}
	return formula
}

// columnOf is the column under a title.
func columnOf(t *testing.T, book *excelize.File, sheet, title string) string {
	t.Helper()
	for i := 1; ; i++ {
		name, err := excelize.ColumnNumberToName(i)
		if err != nil {
			t.Fatal(err)
		}
		switch cell(t, book, sheet, name, 7) {
		case title:
			return name
		case "":
			t.Fatalf("%s has no column %q", sheet, title)
		}
	}
}

func ask(t *testing.T, reader *published.Reader, query string, into ...any) {
	t.Helper()
	err := reader.Query(context.Background(), query, func(scan func(into ...any) error) error { return scan(into...) })
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}
