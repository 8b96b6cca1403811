package workbook

import (
	"context"
	"fmt"
	"strings"

	"github.com/xuri/excelize/v2"

	"ltcles/pipeline/civil"
	"ltcles/pipeline/published"
)

// kind is what the cells of a column hold.
type kind int

const (
	text kind = iota
	whole
	decimal
	share
	money
	day
	month
	yesNo // yes, no and other single words
)

// sheet is a list with a line for each practice, or for a practice and something of it.
type sheet struct {
	name    string
	grain   string // completes "one line per …"
	remark  string // what is true of every line, after a comma
	columns []column
	lines   []line
}

// column is a column of a sheet.
type column struct {
	title   string
	table   string // that the values stand in, and their column there; "" for what is reckoned on the sheet
	name    string
	meaning string // where no table says it
	kind    kind
	width   float64
	isTotal bool // added up above the list
	value   func(l line) any
	formula func(at func(title string) string) string // over cells of the same line; nil for a plain value
}

// line is what a line of a sheet is about; what its sheet does not list is nil.
type line struct {
	practice   *published.Practice
	segment    *published.SegmentCount
	payment    *published.Payment
	instalment *published.Instalment
}

// The rows above a list.
const (
	captionRow = iota + 1
	shownRow
	sumRow
	publishedRow
	differenceRow
	unknownRow
	headerRow
)

// writeSheet writes a list below its totals.
func (w *writing) writeSheet(ctx context.Context, s sheet) error {
	last := headerRow + max(1, len(s.lines))
	end, err := excelize.ColumnNumberToName(len(s.columns))
	if err != nil {
		return err
	}
	if err := w.file.AutoFilter(s.name, fmt.Sprintf("A%d:%s%d", headerRow, end, last), nil); err != nil {
		return err
	}
	if err := w.setUpPage(s.name, fmt.Sprintf("'%s'!$A:$B,'%s'!$%d:$%d", s.name, s.name, headerRow, headerRow), s.pagesWide()); err != nil {
		return err
	}
	if err := w.markDifferences(s.name, fmt.Sprintf("C%d:%s%d", differenceRow, end, differenceRow)); err != nil {
		return err
	}
	out, err := w.file.NewStreamWriter(s.name)
	if err != nil {
		return err
	}
	for i, column := range s.columns {
		if err := out.SetColWidth(i+1, i+1, column.width); err != nil {
			return err
		}
	}
	if err := out.SetPanes(&excelize.Panes{Freeze: true, XSplit: 2, YSplit: headerRow, TopLeftCell: fmt.Sprintf("C%d", headerRow+1), ActivePane: "bottomRight"}); err != nil {
		return err
	}
	if err := w.writeHead(ctx, out, s, last); err != nil {
		return err
	}
	for i, line := range s.lines {
		if err := w.writeLine(out, s, headerRow+1+i, line); err != nil {
			return err
		}
	}
	return out.Flush()
}

// writeHead writes the rows above the list, its header the last of them.
func (w *writing) writeHead(ctx context.Context, out *excelize.StreamWriter, s sheet, last int) error {
	rows := map[int][]any{
		captionRow:    {excelize.Cell{StyleID: w.look(heading), Value: s.name + ": " + w.caption + s.remark + ". One line per " + s.grain + "."}},
		shownRow:      w.label("Total of the lines shown"),
		sumRow:        w.label("Total of all lines"),
		publishedRow:  w.label("Total as published"),
		differenceRow: w.label("Difference"),
		unknownRow:    w.label("Lines not known"),
	}
	for i, column := range s.columns {
		cells := map[int]any{}
		for row := shownRow; row <= unknownRow; row++ {
			cells[row] = excelize.Cell{StyleID: w.look(label)}
		}
		if column.isTotal {
			at, err := excelize.ColumnNumberToName(i + 1)
			if err != nil {
				return err
			}
			sum, unknown, err := w.sumOf(ctx, column)
			if err != nil {
				return err
			}
			list := fmt.Sprintf("%s%d:%s%d", at, headerRow+1, at, last)
			cells[unknownRow] = excelize.Cell{StyleID: w.ofTotal(whole), Formula: "COUNTBLANK(" + list + ")", Value: unknown}
			if sum != nil { // the sum of blanks would be 0
				of := w.ofTotal(column.kind)
				cells[shownRow] = excelize.Cell{StyleID: of, Formula: "SUBTOTAL(109," + list + ")", Value: sum}
				cells[sumRow] = excelize.Cell{StyleID: of, Formula: "SUM(" + list + ")", Value: sum}
				cells[publishedRow] = excelize.Cell{StyleID: of, Value: sum}
				cells[differenceRow] = excelize.Cell{StyleID: of, Formula: fmt.Sprintf("ROUND(%s%d-%s%d,2)", at, sumRow, at, publishedRow), Value: 0}
				if err := w.addTotal(s, column, fmt.Sprintf("'%s'!$%s$%d", s.name, at, sumRow), sum); err != nil {
					return err
				}
			}
		}
		for row := shownRow; row <= unknownRow; row++ {
			if i >= len(rows[row]) {
				rows[row] = append(rows[row], cells[row])
			}
		}
		rows[headerRow] = append(rows[headerRow], excelize.Cell{StyleID: w.look(headerOf(column.kind)), Value: column.title})
	}
	for row := captionRow; row <= headerRow; row++ {
		var options []excelize.RowOpts
		if row == headerRow {
			options = append(options, excelize.RowOpts{Height: 42})
		}
		if err := out.SetRow(fmt.Sprintf("A%d", row), rows[row], options...); err != nil {
			return err
		}
	}
	return nil
}

func headerOf(kind kind) look {
	switch kind {
	case whole, decimal, share, money:
		return numberHeader
	case yesNo:
		return middleHeader
	}
	return header
}

// label is the first two cells of a row above a list.
func (w *writing) label(of string) []any {
	return []any{excelize.Cell{StyleID: w.look(label), Value: of}, excelize.Cell{StyleID: w.look(label)}}
}

// addTotal names a sum, and notes it for the list of all of them.
func (w *writing) addTotal(s sheet, c column, cell string, sum any) error {
	name := strings.ToLower("total_" + s.name + "_" + c.name)
	w.totals = append(w.totals, total{s.name, c.title, name, cell, c.kind, sum})
	return w.file.SetDefinedName(&excelize.DefinedName{Name: name, RefersTo: cell})
}

// sumOf asks the tables for a column's sum, and how many lines it is not known of.
func (w *writing) sumOf(ctx context.Context, c column) (sum any, unknown int64, err error) {
	added := fmt.Sprintf("sum(%s)", c.name)
	if c.kind == whole {
		added = fmt.Sprintf("cast(%s as bigint)", added)
	}
	query := fmt.Sprintf("select %s, cast(count(*) - count(%s) as bigint) from %s", added, c.name, c.table)
	err = w.reader.Query(ctx, query, func(scan func(into ...any) error) error {
		var err error
		switch c.kind {
		case money:
			var pence *published.Pence
			err = scan(&pence, &unknown)
			sum = pounds(pence)
		case whole:
			var n *int64
			err = scan(&n, &unknown)
			sum = number(n)
		default:
			var n *float64
			err = scan(&n, &unknown)
			sum = fraction(n)
		}
		return err
	})
	return sum, unknown, err
}

func (w *writing) writeLine(out *excelize.StreamWriter, s sheet, row int, l line) error {
	at := func(title string) string {
		for i, column := range s.columns {
			if column.title == title {
				name, err := excelize.ColumnNumberToName(i + 1)
				if err != nil {
					panic(err) // the number is a position in a slice
				}
				return fmt.Sprintf("%s%d", name, row)
			}
		}
		panic(fmt.Sprintf("sheet %s has no column %q", s.name, title))
	}
	var cells []any
	for _, column := range s.columns {
		cell := excelize.Cell{StyleID: w.ofKind(column.kind), Value: column.value(l)}
		if cell.Value != nil && column.formula != nil {
			cell.Formula = column.formula(at)
		}
		cells = append(cells, cell)
	}
	return out.SetRow(fmt.Sprintf("A%d", row), cells)
}

// pagesWide is how many pages beside each other a list is printed on, so that it can be read.
func (s sheet) pagesWide() int {
	const legible = 180.0 // letters across A4
	width := 0.0
	for _, column := range s.columns {
		width += column.width
	}
	if width > legible {
		return 2
	}
	return 1
}

// setUpPage has a sheet printed on A4, across, as wide as so many pages, its header on each.
func (w *writing) setUpPage(sheet, titles string, pagesWide int) error {
	fits := true
	if err := w.file.SetSheetProps(sheet, &excelize.SheetPropsOptions{FitToPage: &fits}); err != nil {
		return err
	}
	a4, across, asMany := 9, "landscape", 0
	if err := w.file.SetPageLayout(sheet, &excelize.PageLayoutOptions{Size: &a4, Orientation: &across, FitToWidth: &pagesWide, FitToHeight: &asMany}); err != nil {
		return err
	}
	narrow, foot := 0.4, 0.6
	if err := w.file.SetPageMargins(sheet, &excelize.PageLayoutMarginsOptions{Left: &narrow, Right: &narrow, Top: &narrow, Bottom: &foot}); err != nil {
		return err
	}
	footer := "&L&8" + strings.ReplaceAll(w.caption, "&", "&&") + "&C&8&A&R&8Page &P of &N"
	if err := w.file.SetHeaderFooter(sheet, &excelize.HeaderFooterOptions{OddFooter: footer}); err != nil {
		return err
	}
	if titles == "" {
		return nil
	}
	return w.file.SetDefinedName(&excelize.DefinedName{Name: "_xlnm.Print_Titles", RefersTo: titles, Scope: sheet})
}

// markDifferences colours cells that are not 0.
func (w *writing) markDifferences(sheet, cells string) error {
	wrong, err := w.file.NewConditionalStyle(&excelize.Style{
		Font: &excelize.Font{Bold: true, Color: "9C0006"}, Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"FFC7CE"}},
	})
	if err != nil {
		return err
	}
	return w.file.SetConditionalFormat(sheet, cells, []excelize.ConditionalFormatOptions{{Type: "cell", Criteria: "!=", Format: &wrong, Value: "0"}})
}

// pounds is an amount as a number of pounds.
func pounds(p *published.Pence) any {
	if p == nil {
		return nil
	}
	return float64(*p) / 100
}

func number(n *int64) any {
	if n == nil {
		return nil
	}
	return *n
}

func fraction(f *float64) any {
	if f == nil {
		return nil
	}
	return *f
}

func words(s *string) any {
	if s == nil {
		return nil
	}
	return *s
}

func truth(b *bool) any {
	switch {
	case b == nil:
		return nil
	case *b:
		return "yes"
	}
	return "no"
}

func date(d civil.Date) any {
	if d.IsNone() {
		return nil
	}
	return d.Time()
}

func dayText(d civil.Date) string { return d.Time().Format("2 January 2006") }
