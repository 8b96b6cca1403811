package workbook

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/xuri/excelize/v2"

	"ltcles/pipeline/contract"
	"ltcles/pipeline/published"
)

// The sheets that are no list of practices.
const (
	readMeSheet  = "Read me"
	totalsSheet  = "Totals"
	columnsSheet = "Columns"

	readMeWidth, meaningWidth = 110, 90
)

// writeReadMe says what the workbook is of and how it is read.
func (w *writing) writeReadMe(sheets []sheet) error {
	out, err := w.plainSheet(readMeSheet, "", 26, readMeWidth)
	if err != nil {
		return err
	}
	rows := []any{title("LTC LES finance workbook")}
	rows = append(rows, w.facts()...)
	rows = append(rows, title("Sheets"), [2]string{totalsSheet, "Every total of the workbook: as its formula gives it, as it is published, and the difference."})
	for _, sheet := range sheets {
		rows = append(rows, [2]string{sheet.name, "One line per " + sheet.grain + "."})
	}
	rows = append(rows,
		[2]string{columnsSheet, "What each column means, and which published table it is from."},
		title("How to read it"),
		[2]string{"Blank cells", "What is not known is blank: figures of a practice without files, achievement without a target, money without a weighted population. Blank is never 0; the row “Lines not known” counts the blanks."},
		[2]string{"Totals", "They stand above each list. “Total of the lines shown” follows the filter; “Total of all lines” does not, and is to agree with “Total as published”. A difference other than 0 turns red."},
		[2]string{"Formulas", "Balances, quotients and totals are formulas, so that they follow what you try out. Each holds its published value until a program calculates it again. Work on a copy: what is published does not change with it."},
		[2]string{"Advance", "The part of the contract value that is paid in instalments before the reconciliation."},
		[2]string{"Held", "The part of earned that rests on work coded late, or not shown to be on time: confirmed later, never recouped."},
		[2]string{"Balance", "Earned less advance: above 0 to be paid to the practice, below 0 to be recouped. It is indicative until the year end is final; then Direction says pay, recoup or none."},
		[2]string{"Payments", "A practice without a target has earned the domains that do not follow activity, and its assessments domain is not known. So Earned adds up to more there than in Reconciliation, where such a practice is blank."},
		[2]string{"Segments", "A patient in several segments stands in each of them, so patients are not added up over segments."},
		[2]string{"Names", "Each total has a name that formulas can use, such as total_reconciliation_balance; the sheet Totals lists them."},
	)
	return w.writePlain(out, rows)
}

// facts are the lines that tell this workbook from another.
func (w *writing) facts() []any {
	missing := 0
	for _, practice := range w.year.Practices {
		if practice.IsMissing() {
			missing++
		}
	}
	basis := "Payment follows activity in the assessments domain; implementation and MDT are earned in full (domain_2)"
	if w.contract.Policies.ReconciliationBasis == contract.WholeContract {
		basis = "The whole contract value follows activity (whole_contract)"
	}
	if w.contract.Policies.ReconciliationBasisAssumed {
		basis += ": to be confirmed"
	}
	assumed := "None"
	if len(w.contract.Assumed) > 0 {
		assumed = strings.ReplaceAll(strings.Join(w.contract.Assumed, ", "), "_", " ")
	}
	at := w.reader.Period
	return []any{
		[2]string{"Contract year", at.ContractYear},
		[2]string{"Period", fmt.Sprintf("%s (%s)", periodText(w.period, at.Status), at.Period)},
		[2]string{"As at", dayText(at.AsAt)},
		[2]string{"Activity up to", dayText(min(w.period.End(), at.AsAt))},
		[2]string{"Status", at.Status},
		[2]string{"Run", at.RunID},
		[2]string{"Snapshot", w.reader.Snapshot.Name},
		[2]string{"Practices", fmt.Sprintf("%s, of which %d without files", published.Grouped(int64(len(w.year.Practices))), missing)},
		[2]string{"Basis", basis},
		[2]string{"Shares of the value", w.shares()},
		[2]string{"To be confirmed", assumed},
	}
}

func (w *writing) shares() string {
	var parts []string
	for _, domain := range w.contract.Domains {
		parts = append(parts, domain.Domain+" "+domain.Share.String())
	}
	return strings.Join(parts, ", ") + "; advance " + w.contract.AdvanceShare.String() + " of each"
}

// title is a row that begins a part of a plain sheet.
type title string

// plainSheet begins a sheet of texts with columns of these widths.
func (w *writing) plainSheet(name, titles string, widths ...float64) (*excelize.StreamWriter, error) {
	if err := w.setUpPage(name, titles, 1); err != nil {
		return nil, err
	}
	out, err := w.file.NewStreamWriter(name)
	if err != nil {
		return nil, err
	}
	for i, width := range widths {
		if err := out.SetColWidth(i+1, i+1, width); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (w *writing) writePlain(out *excelize.StreamWriter, rows []any) error {
	for i, row := range rows {
		var cells []any
		switch row := row.(type) {
		case title:
			cells = []any{excelize.Cell{StyleID: w.look(heading), Value: string(row)}}
		case [2]string:
			cells = []any{excelize.Cell{StyleID: w.look(label), Value: row[0]}, excelize.Cell{StyleID: w.look(wrapped), Value: row[1]}}
		}
		if err := out.SetRow(fmt.Sprintf("A%d", i+1), cells, height(row)); err != nil {
			return err
		}
	}
	return out.Flush()
}

// height is a row's: not every program makes room for a text of several lines.
func height(row any) excelize.RowOpts {
	switch row := row.(type) {
	case title:
		return excelize.RowOpts{Height: 26}
	case [2]string:
		return excelize.RowOpts{Height: linesHigh(row[1], readMeWidth)}
	}
	return excelize.RowOpts{}
}

// linesHigh is the height of a text in a cell of a width in letters.
func linesHigh(text string, width float64) float64 {
	return 14 * (1 + math.Floor(float64(len([]rune(text)))/(1.1*width)))
}

// writeTotals lists the sums of all sheets, live, beside what is published, and the sums that two
// sheets have to agree on.
func (w *writing) writeTotals() error {
	headers := []string{"Sheet", "Figure", "Name of the total", "Total", "As published", "Difference"}
	const first = 3
	agreeing := w.agreeing()
	last := first + len(w.totals) - 1
	below := last + 3
	if err := w.markDifferences(totalsSheet, fmt.Sprintf("F%d:F%d", first, last)); err != nil {
		return err
	}
	if err := w.markDifferences(totalsSheet, fmt.Sprintf("F%d:F%d", below+1, below+len(agreeing))); err != nil {
		return err
	}
	out, err := w.plainSheet(totalsSheet, fmt.Sprintf("'%s'!$%d:$%d", totalsSheet, first-1, first-1), 28, 34, 46, 18, 18, 14)
	if err != nil {
		return err
	}
	if err := out.SetPanes(&excelize.Panes{Freeze: true, YSplit: first - 1, TopLeftCell: fmt.Sprintf("A%d", first), ActivePane: "bottomLeft"}); err != nil {
		return err
	}
	if err := out.SetRow("A1", []any{excelize.Cell{StyleID: w.look(heading), Value: totalsSheet + ": " + w.caption}}); err != nil {
		return err
	}
	if err := out.SetRow(fmt.Sprintf("A%d", first-1), w.headerCells(headers)); err != nil {
		return err
	}
	for i, t := range w.totals {
		row, style := first+i, w.ofKind(t.kind)
		cells := append(w.textCells(t.sheet, t.title, t.name),
			excelize.Cell{StyleID: style, Formula: t.cell, Value: t.published},
			excelize.Cell{StyleID: style, Value: t.published},
			excelize.Cell{StyleID: style, Formula: fmt.Sprintf("ROUND(D%d-E%d,2)", row, row), Value: 0})
		if err := out.SetRow(fmt.Sprintf("A%d", row), cells); err != nil {
			return err
		}
	}
	if err := out.SetRow(fmt.Sprintf("A%d", below), w.headerCells([]string{"Sheets", "What they agree on", "", "One", "Other", "Difference"})); err != nil {
		return err
	}
	for i, pair := range agreeing {
		row, style := below+1+i, w.ofKind(money)
		cells := append(w.textCells(pair[0].sheet+" and "+pair[1].sheet, pair[0].title+" and "+pair[1].title, ""),
			excelize.Cell{StyleID: style, Formula: pair[0].cell, Value: pair[0].published},
			excelize.Cell{StyleID: style, Formula: pair[1].cell, Value: pair[1].published},
			excelize.Cell{StyleID: style, Formula: fmt.Sprintf("ROUND(D%d-E%d,2)", row, row), Value: 0})
		if err := out.SetRow(fmt.Sprintf("A%d", row), cells); err != nil {
			return err
		}
	}
	return out.Flush()
}

// agreeing are the sums that R19 makes the same. Earned is not among them: without a target the
// assessments domain's is not known, and the other domains' is.
func (w *writing) agreeing() [][2]total {
	var pairs [][2]total
	for _, names := range [][2]string{
		{"total_payments_annual_value", "total_reconciliation_contract_value"},
		{"total_payments_advance_value", "total_reconciliation_advance_value"},
		{"total_instalments_amount", "total_reconciliation_advance_value"},
	} {
		one := slices.IndexFunc(w.totals, func(t total) bool { return t.name == names[0] })
		other := slices.IndexFunc(w.totals, func(t total) bool { return t.name == names[1] })
		if one >= 0 && other >= 0 {
			pairs = append(pairs, [2]total{w.totals[one], w.totals[other]})
		}
	}
	return pairs
}

// writeColumns says what every column of the lists means.
func (w *writing) writeColumns(sheets []sheet) error {
	out, err := w.plainSheet(columnsSheet, fmt.Sprintf("'%s'!$1:$1", columnsSheet), 16, 28, 42, meaningWidth)
	if err != nil {
		return err
	}
	if err := out.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return err
	}
	if err := out.SetRow("A1", w.headerCells([]string{"Sheet", "Column", "Published as", "Meaning"})); err != nil {
		return err
	}
	row := 1
	for _, sheet := range sheets {
		for _, column := range sheet.columns {
			row++
			from := "this workbook"
			if column.table != "" {
				from = column.table + "." + column.name
			}
			meaning := meaningOf(column)
			if column.formula != nil {
				meaning += " A formula here."
			}
			if err := out.SetRow(fmt.Sprintf("A%d", row), w.textCells(sheet.name, column.title, from, meaning), excelize.RowOpts{Height: linesHigh(meaning, meaningWidth)}); err != nil {
				return err
			}
		}
	}
	return out.Flush()
}

func (w *writing) headerCells(texts []string) []any {
	var cells []any
	for _, text := range texts {
		cells = append(cells, excelize.Cell{StyleID: w.look(header), Value: text})
	}
	return cells
}

func (w *writing) textCells(texts ...string) []any {
	var cells []any
	for _, text := range texts {
		cells = append(cells, excelize.Cell{StyleID: w.look(wrapped), Value: text})
	}
	return cells
}
