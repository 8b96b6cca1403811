package emis

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

// goodBook is a workbook without a fault: the rows of its only sheet in the
// notation of row, nil where the sheet has no such row, and where its header is.
type goodBook struct {
	name   string
	lines  [][]string
	header int // from 0
}

func goodBooks() []goodBook {
	return []goodBook{
		{"Z00001 claims.xlsx", [][]string{
			{"Organisation Code", "Full Name", "NHS Number", "SNOMED Code", "Date", "Date Recorded"},
			{"Z00001", "EXAMPLE, Ann (Ms)", "#9990000018", "756261000000100", "@46156", "@46157"},
			{"Z00001", "Bob Example", "#9990000026", "756261000000100", "@46157", "@46158"},
			{"Z00001", "Cy Example", "#9990000034", "756261000000100", "@46159", "@46160"},
			{"Z00001", "EXAMPLE, Di (Mrs)", "#9990000042", "756161000000107", "@46114", "@46115"},
			{"Z00001", "Ed Example", "#9990000050", "417206009", "@46159", "@46160"},
		}, 0},
		{"Z00001 two rows.xlsx", [][]string{
			{"LTC LES assessments"},
			{"Last Run:", "01/07/2026 09:00", "Relative Date:", "30/06/2026 00:00"},
			nil,
			{"Patient Details", "", "", "", "Assessment", "", "", "Cohort 417206009", ""},
			{"Full Name", "Organisation Code", "NHS Number", "EMIS Number", "SNOMED Code", "Date", "Date Recorded", "Date", "Value"},
			{"Ann Example", "Z00001", "9990000018", "101", "#756261000000100", "14-May-2026", "15-May-2026", "01-Apr-2026", "x"},
			{"", "", "", "", "#756261000000100", "20-May-2026", "21-May-2026", "", ""},
			{"EXAMPLE, Bob", "Z00001", "9990000026", "102", "", "", "", "02-Apr-2026", "x"},
			{"Cy Example", "Z00001", "9990000034", "103", "#756261000000100", "17-May-2026", "18-May-2026", "03-Apr-2026", "x"},
			{"Di Example", "Z00001", "9990000042", "104", "#756261000000100", "16-May-2026", "16-May-2026", "", "x"},
		}, 4},
		{"Z00001 register.xlsx", [][]string{
			{"NHS Number", "EMIS Number", "Organisation Code", "Patient Type", "Registration Status", "Registered Date", "Deducted Date", "Date of Death"},
			{"9990000018", "#101", "Z00001", "Regular", "Registered", "@43862", "", ""},
			{"9990000026", "#102", "Z00001", "Regular", "Left", "@43863", "@46145", ""},
			{"9990000034", "#103", "Z00001", "Regular", "Dead", "@43864", "", "@46146"},
			{"9990000042", "#104", "Z00001", "Regular", "Registered", "@43865", "", ""},
		}, 0},
		{"Batch add/Z00001 batch_1.xlsx", [][]string{
			{"NHS Number", "SNOMED Code", "Date", "Practice Code"},
			{"#9990000018", "417206009", "@46113", "Z00001"},
			{"#9990000026", "268511007", "", "Z00001"},
			{"#9990000034", "756161000000107", "@46159", "Z00001"},
			{"#9990000042", "716081000000105", "", "Z00001"},
		}, 0},
	}
}

func (b goodBook) clone() goodBook {
	lines := make([][]string, len(b.lines))
	for i, cells := range b.lines {
		lines[i] = slices.Clone(cells)
	}
	b.lines = lines
	return b
}

// sheet is the XML of the rows.
func (b goodBook) sheet() string {
	var rows strings.Builder
	for i, cells := range b.lines {
		if cells != nil {
			rows.WriteString(row(i+1, cells...))
		}
	}
	return rows.String()
}

func (b goodBook) content(t *testing.T) []byte { return book(t, "Report|visible|"+b.sheet()) }

// column is the first column of a header, -1 where there is none.
func (b goodBook) column(headers ...string) int {
	return slices.IndexFunc(b.lines[b.header], func(name string) bool { return slices.Contains(headers, name) })
}

// isRead tells whether a column is one that means something.
func (b goodBook) isRead(column int) bool {
	name := b.lines[b.header][column]
	return name != "Full Name" && name != "Value"
}

// asText is a cell of the notation of row as a spreadsheet would write it into delimited text.
func asText(cell string) string {
	switch {
	case strings.HasPrefix(cell, "#"):
		return cell[1:]
	case strings.HasPrefix(cell, "@"):
		days, err := strconv.Atoi(cell[1:])
		if err != nil {
			panic(err)
		}
		return "\"" + (dayZero1900.Time().AddDate(0, 0, days)).Format("02/01/2006") + "\""
	}
	return `"` + cell + `"`
}

// delimited is the same table as delimited text, and the name of it.
func (b goodBook) delimited() (name, text string) {
	for _, cells := range b.lines {
		for i, cell := range cells {
			if i > 0 {
				text += ","
			}
			text += asText(cell)
		}
		text += "\n"
	}
	return strings.TrimSuffix(b.name, ".xlsx") + ".csv", text
}

const formulaText, inlineText = `<c t="str"><f>A1</f><v>%s</v></c>`, `<c t="inlineStr"><is><t xml:space="preserve">%s</t></is></c>`

// workbookPollutions applies every pollution that a good workbook can have, and says what is to
// become of it: same (it reads as before), told (what differs is rejected, or a finding), noted (the
// file's message says so), refused, or several of them.
func workbookPollutions(t *testing.T, good goodBook) (all []polluted) {
	head, first, last := good.header, good.header+1, len(good.lines)-1
	width := len(good.lines[head])
	target := slices.IndexFunc(good.lines, func(cells []string) bool {
		return slices.ContainsFunc(cells, func(c string) bool { return strings.HasSuffix(c, "9990000034") })
	})
	everyLine := make([]int, 0, last)
	for i := first; i <= last; i++ {
		everyLine = append(everyLine, i)
	}
	content := func(what, want string, content []byte, touched ...int) {
		all = append(all, polluted{what: what, text: content, touched: touched, want: want})
	}
	edit := func(what, want string, change func(b *goodBook), touched ...int) {
		b := good.clone()
		change(&b)
		content(what, want, b.content(t), touched...)
	}
	// inXML replaces a text in the XML of the sheet, inPart in any part of the workbook.
	inPart := func(what, want, part, old, new string, touched ...int) {
		changed := parts("", "Report|visible|"+good.sheet())
		for i := 0; i < len(changed); i += 2 {
			if changed[i] == part {
				if !strings.Contains(changed[i+1], old) {
					t.Fatalf("%s: %s does not hold %q", what, part, old)
				}
				changed[i+1] = strings.Replace(changed[i+1], old, new, 1)
			}
		}
		content(what, want, packed(t, changed...), touched...)
	}
	inXML := func(what, want, old, new string, touched ...int) {
		inPart(what, want, "xl/worksheets/sheet1.xml", old, new, touched...)
	}
	byLibrary := func(what, want string, change func(f *excelize.File) error, touched ...int) {
		content(what, want, good.byLibrary(t, change), touched...)
	}
	cellName := func(column, line int) string {
		name, err := excelize.CoordinatesToCellName(column+1, line+1)
		if err != nil {
			t.Fatal(err)
		}
		return name
	}
	xmlOf := func(line int) string { return row(line+1, good.lines[line]...) }

	good.pollutedCells(target, func(what, want string, column int, cell string) {
		edit(what, want, func(b *goodBook) { b.lines[target][column] = cell }, target)
	})

	// Rows.
	insert := func(at int, rows ...[]string) func(b *goodBook) {
		return func(b *goodBook) { b.lines = slices.Insert(b.lines, at, rows...) }
	}
	blanks := make([]string, width)
	for i := range blanks {
		blanks[i] = `<c s="1"/>`
	}
	edit("blank rows", "same", insert(target, nil, []string{}, blanks))
	edit("a row of spaces", "same", insert(target, []string{fmt.Sprintf(inlineText, "  "), fmt.Sprintf(inlineText, "\u00a0")}))
	edit("formatted rows below the last", "same", insert(last+1, blanks, blanks, blanks))
	edit("a row far below the last", "told", func(b *goodBook) {
		b.lines = append(b.lines, make([][]string, 3000)...)
		b.lines = append(b.lines, append([]string{"?", "?"}, make([]string, width-2)...))
	}, last)
	edit("rows above the header", "same", insert(0, nil, []string{"Report for June"}, nil))
	edit("preamble in two cells", "same", insert(0, []string{"Report", "June"}))
	edit("an extra header row below the header", "told", insert(first, slices.Repeat([]string{"text"}, width)), first)
	edit("the header again in the body", "told", insert(target, good.lines[head]), target)
	edit("the header again at the end", "told", insert(last+1, good.lines[head]), last)
	edit("another table below", "refused", insert(last+1, nil, []string{"Other search"}, []string{"SNOMED Code", "Date", "NHS Number"},
		[]string{"756261000000100", "@46156", "#9990000018"}), last)
	edit("a line twice", "told", insert(target, good.lines[target]), target)
	edit("footer of one cell", "same", func(b *goodBook) {
		at := b.column("Organisation Code", "Practice Code")
		b.lines = append(b.lines, nil, append(make([]string, at), "End of report"))
	})
	edit("totals footer of two cells", "told", insert(last+1, append([]string{"Total", "#4"}, make([]string, width-2)...)), last)
	edit("totals footer with a formula", "told", insert(last+1, append([]string{"Total", `<c><f>COUNTA(B2:B5)</f><v>4</v></c>`}, make([]string, width-2)...)), last)
	edit("a footer without its value", "same told", insert(last+1, []string{`<c><f>COUNTA(A2:A5)</f></c>`}), last)

	// Cells of a row, as they lie.
	edit("an extra cell right of the last column", "told", func(b *goodBook) { b.lines[target] = append(b.lines[target], "note") }, target)
	edit("an extra cell far right", "told", func(b *goodBook) {
		b.lines[target] = append(append(b.lines[target], make([]string, 90)...), "#1")
	}, target)
	edit("an error right of the last column", "told", func(b *goodBook) {
		b.lines[target] = append(b.lines[target], `<c t="e"><v>#REF!</v></c>`)
	}, target)
	edit("a formatted blank cell right of the last column", "same", func(b *goodBook) { b.lines[target] = append(b.lines[target], `<c s="1"/>`) })
	edit("a space right of the last column", "same", func(b *goodBook) { b.lines[target] = append(b.lines[target], fmt.Sprintf(inlineText, " ")) })
	for column := range width {
		if column < max(good.column("NHS Number"), good.column("SNOMED Code")) {
			edit(fmt.Sprintf("cells moved left from column %d", column+1), "told", func(b *goodBook) {
				b.lines[target] = slices.Delete(b.lines[target], column, column+1)
			}, target)
		}
		edit(fmt.Sprintf("cells moved right from column %d", column+1), "told", func(b *goodBook) {
			b.lines[target] = slices.Insert(b.lines[target], column, "")
		}, target)
		if column == width-1 { // whose cell may be blank or of no field
			all[len(all)-1].want = "told same"
		}
	}
	edit("a gap between rows", "same", func(b *goodBook) { b.lines = slices.Insert(b.lines, target, make([][]string, 500)...) })
	blankCells := func(cell string) func(b *goodBook) {
		return func(b *goodBook) {
			for i := first; i <= last; i++ {
				for column := range width {
					if b.lines[i][column] == "" {
						b.lines[i][column] = cell
					}
				}
			}
		}
	}
	edit("blank cells written as cells", "same", blankCells(`<c s="2"/>`))
	edit("blank cells written as empty texts", "same", blankCells(`<c t="inlineStr"><is><t></t></is></c>`))
	edit("blank cells written as formulas of nothing", "same", blankCells(`<c t="str"><f>""</f><v></v></c>`))
	for line := first; line <= last; line++ {
		if slices.Contains(good.lines[line], "") {
			edit("short rows", "same", func(b *goodBook) {
				for i := range b.lines {
					for n := len(b.lines[i]); n > 0 && b.lines[i][n-1] == ""; n-- {
						b.lines[i] = b.lines[i][:n-1]
					}
				}
			})
			break
		}
	}

	// What the XML of a sheet can be like.
	xml := xmlOf(target)
	bare := strings.Replace(xml, fmt.Sprintf(` r="%d"`, target+1), "", 1)
	inXML("a row without its number", "same", xml, bare)
	full := row(last+1, good.lines[last]...)
	noReferences := full
	isFull := true
	for column, cell := range good.lines[last] {
		isFull = isFull && cell != ""
		noReferences = strings.Replace(noReferences, fmt.Sprintf(` r="%s"`, cellName(column, last)), "", 1)
	}
	wantFull := "same"
	if !isFull {
		wantFull = "told same" // the cells that say not where they are stand where they are written
	}
	inXML("cells without references", wantFull, full, noReferences, last)
	inXML("rows out of order", "refused", xml+xmlOf(target+1), xmlOf(target+1)+xml)
	inXML("a row number twice", "refused", xml, strings.ReplaceAll(xml, strconv.Itoa(target+1)+`"`, strconv.Itoa(target)+`"`))
	inXML("cells out of order", "refused", `r="`+cellName(1, target)+`"`, `r="`+cellName(0, target)+`"`)
	inXML("a cell of another row", "refused", `r="`+cellName(1, target)+`"`, `r="`+cellName(1, target+1)+`"`)
	inXML("the sheet breaks off", "refused", xml, xml[:len(xml)/2])
	inXML("a wrong dimension", "same", "<sheetData>", `<dimension ref="A1:B2"/><sheetData>`)
	inXML("no dimension but views and widths", "same", "<sheetData>", `<sheetViews><sheetView workbookViewId="0"/></sheetViews><cols><col min="1" max="3" width="9" hidden="1"/></cols><sheetData>`)
	inXML("a hidden row", "same", fmt.Sprintf(`<row r="%d">`, target+1), fmt.Sprintf(`<row r="%d" hidden="1" ht="0" customHeight="1">`, target+1))
	inXML("a style of the row", "same", fmt.Sprintf(`<row r="%d">`, target+1), fmt.Sprintf(`<row r="%d" s="2" customFormat="1" spans="1:2">`, target+1))
	inPart("styles that are missing", "refused", "xl/_rels/workbook.xml.rels", `"styles.xml"`, `"none.xml"`)
	inPart("a list of sheets that breaks off", "refused", "xl/workbook.xml", "</sheets>", "")
	inPart("the sheet's relation is missing", "refused", "xl/_rels/workbook.xml.rels", `Id="rId1"`, `Id="rId7"`)
	content("prefixed XML", "same refused", packed(t, prefixed(parts("", "Report|visible|"+good.sheet()))...))
	content("strict names", "same refused", packed(t, strict(parts("", "Report|visible|"+good.sheet()))...))
	content("cut short", "refused", good.content(t)[:2000], everyLine...)
	content("days counted from 1904", "same", good.from1904(t))
	content("shared texts", "same", good.withSharedTexts(t, ""))
	content("shared rich texts", "same", good.withSharedTexts(t, "rich"))
	encrypted, err := excelize.Encrypt(good.content(t), &excelize.Options{Password: "made up"})
	if err != nil {
		t.Fatal(err)
	}
	content("a password", "refused", encrypted)

	// Sheets.
	report := "Report|visible|" + good.sheet()
	other := sheetHeader + row(2, "Z00001", "#9990000069", "@46143", "#417206009")
	content("an empty first sheet", "same", book(t, "Sheet1|visible|", report))
	content("a first sheet of notes", "same", book(t, "Notes|visible|"+row(1, "Notes")+row(3, "Who", "Did", "What"), report))
	content("a hidden sheet before", "same", book(t, "Old|hidden|"+other, report))
	content("a very hidden sheet before", "same", book(t, "Old|veryHidden|"+other, report))
	content("a hidden sheet behind", "same", book(t, report, "Old|hidden|"+other))
	content("an empty sheet behind", "same", book(t, report, "Sheet2|visible|", "Sheet3|visible|"))
	content("a second sheet with other patients", "noted", book(t, report, "More|visible|"+other))
	content("a first sheet with other patients", "noted", book(t, "More|visible|"+other, report), everyLine...)
	content("a first sheet with a header only", "noted", book(t, "Template|visible|"+sheetHeader, report), everyLine...)
	content("the sheet is hidden", "refused", book(t, "Notes|visible|"+row(1, "Notes"), strings.Replace(report, "visible", "hidden", 1)), everyLine...)
	content("the only sheet is hidden", "refused", book(t, strings.Replace(report, "visible", "hidden", 1)), everyLine...)
	content("a summary in the place of the sheet", "refused", book(t, "Report|visible|"+row(1, "A search")+row(2, "Population Count", "Males")+row(3, "#12", "#5")), everyLine...)

	// The header, and whole columns.
	heads := func(change func(name string) string) func(b *goodBook) {
		return func(b *goodBook) {
			for i, name := range b.lines[head] {
				b.lines[head][i] = change(name)
			}
		}
	}
	edit("header in capitals", "same", heads(strings.ToUpper))
	edit("header with line breaks", "same", heads(func(name string) string { return strings.ReplaceAll(name, " ", "\n") }))
	edit("header with spaces around it", "same", heads(func(name string) string { return fmt.Sprintf(inlineText, "\u00a0 "+name+" ") }))
	edit("header by formulas", "same", heads(func(name string) string { return fmt.Sprintf(formulaText, name) }))
	edit("header in rich text", "same", heads(func(name string) string {
		return `<c t="inlineStr"><is><r><t>` + name[:2] + `</t></r><r><rPr><b/></rPr><t xml:space="preserve">` + name[2:] + `</t></r></is></c>`
	}))
	edit("no header", "refused", func(b *goodBook) { b.lines = slices.Delete(b.lines, head, head+1) }, everyLine...)
	edit("header only", "told", func(b *goodBook) { b.lines = b.lines[:first] }, everyLine...)
	everyRow := func(change func(cells []string) []string) func(b *goodBook) {
		return func(b *goodBook) {
			for i := max(head-1, 0); i <= last; i++ {
				if len(b.lines[i]) == width {
					b.lines[i] = change(b.lines[i])
				}
			}
		}
	}
	if head == 0 {
		edit("columns reversed", "same", everyRow(func(cells []string) []string { slices.Reverse(cells); return cells }))
		edit("columns in another order", "same", everyRow(func(cells []string) []string { return append(cells[2:], cells[:2]...) }))
	}
	edit("a blank first column", "same", func(b *goodBook) {
		if head == 0 { // else the group row does not begin with Patient Details
			everyRow(func(cells []string) []string { return slices.Insert(cells, 0, "") })(b)
		}
	})
	edit("an unknown column", "same", func(b *goodBook) {
		everyRow(func(cells []string) []string { return append(cells, "x") })(b)
		b.lines[head][width] = "Notes"
	})
	for column := range good.lines[head] {
		in := fmt.Sprintf(", column %d", column+1)
		dropped := good.clone()
		everyRow(func(cells []string) []string { return slices.Delete(cells, column, column+1) })(&dropped)
		if head > 0 && good.lines[head-1][column] != "" { // its group keeps its name
			dropped.lines[head-1][column] = good.lines[head-1][column]
		}
		all = append(all, polluted{what: "column dropped" + in, text: dropped.content(t), like: &dropped})
		twice := good.clone()
		everyRow(func(cells []string) []string { return slices.Insert(cells, column, cells[column]) })(&twice)
		all = append(all, polluted{what: "column twice" + in, text: twice.content(t), like: &twice})
		if !good.isRead(column) {
			continue
		}
		edit("header that shows an error"+in, "refused", func(b *goodBook) { b.lines[head][column] = `<c t="e"><v>#REF!</v></c>` })
		edit("header that was never worked out"+in, "refused", func(b *goodBook) { b.lines[head][column] = `<c><f>Z1</f></c>` })
		unknown := good.clone()
		unknown.lines[head][column] = "Column1"
		all = append(all, polluted{what: "header that nobody knows" + in, text: unknown.content(t), like: &unknown})
		edit("numbers in the texts of a column"+in, "same", func(b *goodBook) {
			for i := first; i <= last; i++ {
				if cell := b.lines[i][column]; cell != "" && strings.Trim(cell, "0123456789") == "" {
					b.lines[i][column] = "#" + cell
				}
			}
		})
	}

	// What spreadsheet programs put into a workbook besides.
	changes := libraryChanges(good, target, last, cellName)
	for _, what := range slices.Sorted(maps.Keys(changes)) {
		byLibrary(what, "same", changes[what])
	}
	wantTable := "same"
	if head > 0 {
		wantTable = "noted" // a table names its columns apart, so that a group loses its Date
	}
	byLibrary("a table", wantTable, func(f *excelize.File) error {
		return f.AddTable("Report", &excelize.Table{Range: cellName(0, head) + ":" + cellName(width-1, last), Name: "patients"})
	}, everyLine...)
	merge := func(what, want string, fromColumn, fromLine, toColumn, toLine int, touched ...int) {
		byLibrary(what, want, func(f *excelize.File) error {
			return f.MergeCell("Report", cellName(fromColumn, fromLine), cellName(toColumn, toLine))
		}, touched...)
		content(what+", their values kept", want, withMerges(t, good, `<mergeCell ref="`+cellName(fromColumn, fromLine)+":"+cellName(toColumn, toLine)+`"/>`), touched...)
	}
	for column := range width {
		want := "same"
		if good.isRead(column) {
			want = "told"
		}
		merge(fmt.Sprintf("column %d merged with the row above", column+1), want, column, target-1, column, target, target)
	}
	merge("a row merged", "told", 0, target, width-1, target, target)
	merge("two rows merged", "told", 0, target, width-1, target+1, target, target+1)
	if code := good.column("SNOMED Code"); code >= 0 {
		merge("code and date merged with the row above", "told", code, target-1, code+1, target, target-1, target)
	}
	merge("all rows but one merged", "told", 0, first, width-1, last-1, everyLine...)
	if head > 0 {
		byLibrary("a continuation merged with its patient", "same", func(f *excelize.File) error {
			for column := range 4 {
				if err := f.MergeCell("Report", cellName(column, first), cellName(column, first+1)); err != nil {
					return err
				}
			}
			return nil
		})
		merge("preamble merged", "same", 0, 0, width-1, 0)
		merge("groups merged", "same", 0, head-1, 3, head-1)
		edit("group that shows an error", "refused", func(b *goodBook) { b.lines[head-1][4] = `<c t="e"><v>#NAME?</v></c>` })
		edit("group that was never worked out", "refused", func(b *goodBook) { b.lines[head-1][7] = `<c><f>Z1</f></c>` })
	}
	tall := good.clone() // each row is two rows high
	tall.lines = nil
	merges := ""
	for i, cells := range good.lines {
		tall.lines = append(tall.lines, cells)
		if i >= head {
			tall.lines = append(tall.lines, nil)
			for column := range width {
				merges += fmt.Sprintf(`<mergeCell ref="%s:%s"/>`, cellName(column, len(tall.lines)-2), cellName(column, len(tall.lines)-1))
			}
		}
	}
	content("rows that are two rows high", "same", withMerges(t, tall, merges))
	merge("blank cells right of the table merged", "same", width+1, target, width+2, target+1)
	byLibrary("merged footer", "same", func(f *excelize.File) error {
		at := cellName(good.column("Organisation Code", "Practice Code"), last+2)
		if err := f.SetCellStr("Report", at, "End of report"); err != nil {
			return err
		}
		return f.MergeCell("Report", at, cellName(width-1, last+2))
	})
	return all
}

// pollutedCells lists what can stand in one cell of a line in the place of what does.
func (b goodBook) pollutedCells(line int, put func(what, want string, column int, cell string)) {
	number := func(column int) string { return strings.TrimLeft(b.lines[line][column], "#") }
	if column := b.column("NHS Number"); column >= 0 {
		nhs := number(column)
		for _, cell := range []struct{ what, want, cell string }{
			{"NHS number as a number", "same", "#" + nhs},
			{"NHS number as a number with a power of ten", "same", "#9.990000034E9"},
			{"NHS number as a number with a fraction of nothing", "same", "#" + nhs + ".0"},
			{"NHS number as text", "same", nhs},
			{"NHS number with spaces", "same", "999 000 0034"},
			{"NHS number with hyphens", "same", "999-000-0034"},
			{"NHS number after an apostrophe", "same", "'" + nhs},
			{"NHS number with no-break spaces", "same", fmt.Sprintf(inlineText, "\u00a0999\u00a0000\u00a00034\u00a0")},
			{"NHS number with zero-width spaces", "same", "999\u200b000\u200b0034\ufeff"},
			{"NHS number as an Excel text", "same", `="` + nhs + `"`},
			{"NHS number shown as a date", "same", "@" + nhs},
			{"NHS number with a line break", "same", fmt.Sprintf(inlineText, nhs+"\n")},
			{"NHS number with an escaped line break", "same", fmt.Sprintf(inlineText, nhs+"_x000D_")},
			{"NHS number by a formula", "same", "<c><f>A1</f><v>" + nhs + "</v></c>"},
			{"NHS number by a formula of text", "same", fmt.Sprintf(formulaText, nhs)},
			{"NHS number as a rounded number", "told", "#9.99E9"},
			{"NHS number as a rounded text", "told", "9.99E+09"},
			{"NHS number with a fraction", "told", "#" + nhs + ".4"},
			{"NHS number without its last digit", "told", "#" + nhs[:9]},
			{"NHS number in wide digits", "told", "９９９０００００３４"},
			{"two NHS numbers in a cell", "told", nhs + " 9990000042"},
			{"NHS number as true or false", "told", `<c t="b"><v>1</v></c>`},
			{"NHS number as an ISO date", "told", `<c t="d"><v>2026-05-17</v></c>`},
		} {
			put(cell.what, cell.want, column, cell.cell)
		}
	}
	if column := b.column("SNOMED Code"); column >= 0 {
		code := number(column)
		for _, cell := range []struct{ what, want, cell string }{
			{"code as a number", "same", "#" + code},
			{"code as text", "same", code},
			{"code as a number with a power of ten", "same", "#" + code[:1] + "." + strings.TrimRight(code[1:], "0") + "E14"},
			{"code with its term", "same", code + " | Assessment"},
			{"code as an Excel text", "same", `="` + code + `"`},
			{"code after an apostrophe", "same", "'" + code},
			{"code with no-break spaces", "same", fmt.Sprintf(inlineText, "\u00a0"+code+"\u200b")},
			{"code as text with a point", "same", code + ".0"},
			{"code shown as a date", "same", "@" + code},
			{"code by a formula", "same", "<c><f>A1</f><v>" + code + "</v></c>"},
			{"code of 16 digits as a number", "told", "#1777541000006110"},
			{"code of 16 digits as a number with a power of ten", "told", "#1.77754100000611E+15"},
			{"code of 18 digits as a number", "told", "#900000000000207000"},
			{"sound code of 16 digits as a number", "told", "#1777541000006105"},
			{"sound code of 18 digits as a number", "told", "#900000000000207008"},
			{"code rounded to three digits", "told", "#756000000000000"},
			{"code rounded to three digits, as text", "told", "756000000000000"},
			{"code rounded to three digits, with a power of ten", "told", "#7.56E+14"},
			{"code rounded to six digits", "told", "#756261000000000"},
			{"code in scientific notation of three digits", "told", "7.56E+14"},
			{"code in scientific notation of six digits", "told", "7.56261E+14"},
			{"code with a fraction", "told", "#" + code + ".5"},
			{"code as true or false", "told", `<c t="b"><v>1</v></c>`},
			{"a term in the place of the code", "told", "Well-being assessment"},
			{"code with a wrong digit", "told", "#" + code[:len(code)-1] + "3"},
		} {
			put(cell.what, cell.want, column, cell.cell)
		}
	}
	for column, header := range b.lines[b.header] {
		good := b.lines[line][column]
		if !strings.Contains(header, "Date") || good == "" {
			continue
		}
		day := strings.Trim(asText(good), `"`) // dd/mm/yyyy, or dd-mmm-yyyy
		on, _ := readDate([]byte(day), dayZero1900)
		serial := strconv.Itoa(int(on - dayZero1900))
		in := ", column " + strconv.Itoa(column+1)
		for _, cell := range []struct{ what, want, cell string }{
			{"date as a date", "same", "@" + serial},
			{"date of another format", "same", `<c s="2"><v>` + serial + `</v></c>`},
			{"date with a time", "same", "@" + serial + ".71"},
			{"date with a time of many digits", "same", "@" + serial + ".708333333336"},
			{"date as text", "same", on.Time().Format("02/01/2006")},
			{"date as text with a month's name", "same", on.Time().Format("02-Jan-2006")},
			{"date as text of two digits", "same", on.Time().Format("02-Jan-06")},
			{"date as ISO text with a time", "same", on.Time().Format("2006-01-02T15:04:05")},
			{"date as text with a time", "same", on.Time().Format("02/01/2006 15:04")},
			{"date as an ISO date", "same", `<c t="d"><v>` + on.String() + `</v></c>`},
			{"date by a formula", "same", `<c s="1"><f>A1</f><v>` + serial + `</v></c>`},
			{"date by a formula of text", "same", fmt.Sprintf(formulaText, on.Time().Format("02-Jan-2006"))},
			{"date after an apostrophe", "same", "'" + on.Time().Format("02/01/2006")},
			{"date with no-break spaces", "same", fmt.Sprintf(inlineText, "\u00a0"+on.Time().Format("02/01/2006")+"\u00a0")},
			{"date as a bare number", "told", "#" + serial},
			{"date as a number in text", "told", serial},
			{"date month first", "told", on.Time().Format("01/02/2006")},
			{"date month first without zeros", "told", on.Time().Format("1/2/2006")},
			{"date month first in words", "told", on.Time().Format("January 2, 2006")},
			{"date as a time of day", "told", `<c s="3"><v>0.5</v></c>`},
			{"date of 29 February 1900", "told", "@60"},
			{"date before the first", "told", "@-5"},
			{"date after the last", "told", "@2999999"},
			{"date as a year", "told", "#2026"},
			{"date as true or false", "told", `<c t="b"><v>0</v></c>`},
		} {
			if cell.want == "told" && strings.HasPrefix(cell.what, "date month first") && on.Time().Day() <= 12 {
				continue // 04/05/2026 is a date either way: never month first is all that can be said
			}
			put(cell.what+in, cell.want, column, cell.cell)
		}
	}
	for column, header := range b.lines[b.header] {
		text := number(column)
		in := ", column " + strconv.Itoa(column+1)
		told := func(is bool) string {
			if is {
				return "told"
			}
			return "same"
		}
		put("an error"+in, told(b.isRead(column)), column, `<c t="e"><v>#N/A</v></c>`)
		put("a formula that ends in an error"+in, told(b.isRead(column)), column, `<c t="e"><f>VLOOKUP(1,A1,1)</f><v>#REF!</v></c>`)
		put("a formula that was never worked out"+in, told(b.isRead(column)), column, `<c><f>A1</f></c>`)
		put("a formula of text that was never worked out"+in, told(b.isRead(column)), column, `<c t="str"><f>A1</f></c>`)
		put("a text in a cell that is none"+in, "refused", column, `<c><is><t>`+cmp.Or(text, "x")+`</t></is></c>`)
		put("a text beside a value"+in, "refused", column, `<c t="str"><v>`+text+`</v><is><t>other</t></is></c>`)
		put("a cell of unknown kind"+in, "refused", column, `<c t="x"><v>1</v></c>`)
		put("a missing shared text"+in, "refused", column, `<c t="s"><v>99</v></c>`)
		if text == "" || strings.HasPrefix(text, "@") {
			continue
		}
		put("spaces around"+in, "same", column, fmt.Sprintf(inlineText, "  "+text+" \t"))
		put("no-break and zero-width spaces around"+in, "same", column, fmt.Sprintf(inlineText, "\u00a0"+text+"\u200b"))
		put("rich text"+in, "same", column, `<c t="inlineStr"><is><r><t xml:space="preserve">`+text[:1]+`</t></r><r><rPr><b/></rPr><t>`+text[1:]+`</t></r></is></c>`)
		put("a text of a formula"+in, "same", column, fmt.Sprintf(formulaText, text))
		put("a text with how it is said"+in, "same", column, `<c t="inlineStr"><is><t>`+text+`</t><rPh sb="0" eb="1"><t>said</t></rPh></is></c>`)
		if header == "Organisation Code" || header == "Practice Code" {
			put("practice in lower case", "same", column, "z00001")
			put("practice as a number", "told", column, "#1")
			put("practice that is unknown", "told", column, "Z09999")
			put("practice as true or false", "told", column, `<c t="b"><v>1</v></c>`)
		}
		if header == "Registration Status" || header == "Patient Type" {
			put("status as a number"+in, "told", column, "#1")
			put("status as true or false"+in, "told", column, `<c t="b"><v>0</v></c>`)
			put("status that nobody knows"+in, "told", column, "?")
		}
	}
}

// libraryChanges are what a spreadsheet program may do to a workbook without a change of its cells.
func libraryChanges(good goodBook, target, last int, cellName func(column, line int) string) map[string]func(f *excelize.File) error {
	const sheet = "Report"
	width := len(good.lines[good.header])
	table := cellName(0, good.header) + ":" + cellName(width-1, last)
	return map[string]func(f *excelize.File) error{
		"saved by another program": func(*excelize.File) error { return nil },
		"rows hidden":              func(f *excelize.File) error { return f.SetRowVisible(sheet, target+1, false) },
		"rows of no height":        func(f *excelize.File) error { return f.SetRowHeight(sheet, target+1, 0) },
		"rows grouped":             func(f *excelize.File) error { return f.SetRowOutlineLevel(sheet, target+1, 1) },
		"columns hidden":           func(f *excelize.File) error { return f.SetColVisible(sheet, "A:C", false) },
		"columns grouped":          func(f *excelize.File) error { return f.SetColOutlineLevel(sheet, "B", 1) },
		"a filter": func(f *excelize.File) error {
			return f.AutoFilter(sheet, table, []excelize.AutoFilterOptions{{Column: "A", Expression: `x == "nobody"`}})
		},
		"panes frozen": func(f *excelize.File) error {
			return f.SetPanes(sheet, &excelize.Panes{Freeze: true, YSplit: good.header + 1, TopLeftCell: "A9", ActivePane: "bottomLeft"})
		},
		"a protected sheet": func(f *excelize.File) error {
			return f.ProtectSheet(sheet, &excelize.SheetProtectionOptions{Password: "made up"})
		},
		"a protected structure": func(f *excelize.File) error {
			return f.ProtectWorkbook(&excelize.WorkbookProtectionOptions{LockStructure: true})
		},
		"a comment": func(f *excelize.File) error {
			return f.AddComment(sheet, excelize.Comment{Cell: cellName(0, target), Author: "made up", Text: "9990000069"})
		},
		"conditional formats": func(f *excelize.File) error {
			style, err := f.NewConditionalStyle(&excelize.Style{Font: &excelize.Font{Bold: true}})
			if err != nil {
				return err
			}
			return f.SetConditionalFormat(sheet, table, []excelize.ConditionalFormatOptions{{Type: "duplicate", Criteria: "=", Format: &style}})
		},
		"a validation": func(f *excelize.File) error {
			validation := excelize.NewDataValidation(true)
			validation.Sqref = table
			if err := validation.SetDropList([]string{"1", "2"}); err != nil {
				return err
			}
			return f.AddDataValidation(sheet, validation)
		},
		"a link": func(f *excelize.File) error {
			return f.SetCellHyperLink(sheet, cellName(0, target), "https://example.org/", "External")
		},
		"a defined name": func(f *excelize.File) error {
			return f.SetDefinedName(&excelize.DefinedName{Name: "patients", RefersTo: sheet + "!$A$1:$B$9"})
		},
		"written from right to left": func(f *excelize.File) error {
			right := true
			return f.SetSheetView(sheet, 0, &excelize.ViewOptions{RightToLeft: &right})
		},
		"a page header": func(f *excelize.File) error {
			return f.SetHeaderFooter(sheet, &excelize.HeaderFooterOptions{OddHeader: "&LNHS Number"})
		},
		"page breaks": func(f *excelize.File) error { return f.InsertPageBreak(sheet, cellName(0, target)) },
		"a sheet of an odd name": func(f *excelize.File) error {
			return f.SetSheetName(sheet, "Q1 & Q2 <'26>")
		},
		"a chart of its own": func(f *excelize.File) error {
			return f.AddChartSheet("Chart", &excelize.Chart{Type: excelize.Col, Series: []excelize.ChartSeries{{Values: sheet + "!$A$2:$A$5"}}})
		},
		"a chart in the sheet": func(f *excelize.File) error {
			return f.AddChart(sheet, "Z3", &excelize.Chart{Type: excelize.Col, Series: []excelize.ChartSeries{{Values: sheet + "!$A$2:$A$5"}}})
		},
		"rich text": func(f *excelize.File) error {
			text, err := f.GetCellValue(sheet, cellName(0, target))
			if err != nil {
				return err
			}
			return f.SetCellRichText(sheet, cellName(0, target), []excelize.RichTextRun{{Text: text[:1], Font: &excelize.Font{Bold: true}}, {Text: text[1:]}})
		},
		"a new first sheet": func(f *excelize.File) error {
			if _, err := f.NewSheet("Cover"); err != nil {
				return err
			}
			if err := f.SetCellStr("Cover", "B2", "Patients of June"); err != nil {
				return err
			}
			return f.MoveSheet("Cover", sheet)
		},
		"a copy that is very hidden": func(f *excelize.File) error {
			to, err := f.NewSheet("Copy")
			if err != nil {
				return err
			}
			from, err := f.GetSheetIndex(sheet)
			if err != nil {
				return err
			}
			if err := f.CopySheet(from, to); err != nil {
				return err
			}
			return f.SetSheetVisible("Copy", false, true)
		},
	}
}

// byLibrary is the same workbook as the library writes it, after a change.
func (b goodBook) byLibrary(t *testing.T, change func(f *excelize.File) error) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	err := f.SetSheetName("Sheet1", "Report")
	style, styleErr := f.NewStyle(&excelize.Style{NumFmt: 14})
	err = errors.Join(err, styleErr)
	for i, cells := range b.lines {
		for column, cell := range cells {
			at, nameErr := excelize.CoordinatesToCellName(column+1, i+1)
			err = errors.Join(err, nameErr)
			switch {
			case cell == "":
			case strings.ContainsAny(cell[:1], "#@"):
				number, numberErr := strconv.Atoi(cell[1:])
				err = errors.Join(err, numberErr, f.SetCellInt("Report", at, int64(number)))
				if cell[0] == '@' {
					err = errors.Join(err, f.SetCellStyle("Report", at, at, style))
				}
			default:
				err = errors.Join(err, f.SetCellStr("Report", at, cell))
			}
		}
	}
	out, writeErr := f.WriteToBuffer()
	if err = errors.Join(err, writeErr); err != nil {
		t.Fatal(err)
	}
	saved, err := excelize.OpenReader(out)
	if err != nil {
		t.Fatal(err)
	}
	defer saved.Close()
	if err := change(saved); err != nil {
		t.Fatal(err)
	}
	if out, err = saved.WriteToBuffer(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// withMerges is a workbook with merged cells, which keep what they had.
func withMerges(t *testing.T, b goodBook, merges string) []byte {
	all := parts("", "Report|visible|"+b.sheet())
	for i := 0; i < len(all); i += 2 {
		all[i+1] = strings.Replace(all[i+1], "</sheetData>", "</sheetData><mergeCells>"+merges+"</mergeCells>", 1)
	}
	return packed(t, all...)
}

// from1904 is the same workbook, its days counted from 1904.
func (b goodBook) from1904(t *testing.T) []byte {
	shifted := b.clone()
	for _, cells := range shifted.lines {
		for i, cell := range cells {
			if strings.HasPrefix(cell, "@") {
				days, err := strconv.Atoi(cell[1:])
				if err != nil {
					t.Fatal(err)
				}
				cells[i] = "@" + strconv.Itoa(days-int(dayZero1904-dayZero1900))
			}
		}
	}
	return packed(t, parts(`date1904="1"`, "Report|visible|"+shifted.sheet())...)
}

// withSharedTexts is the same workbook with its texts where Excel puts them, in rich text or plain.
func (b goodBook) withSharedTexts(t *testing.T, how string) []byte {
	shared := b.clone()
	var texts strings.Builder
	n := 0
	for _, cells := range shared.lines {
		for i, cell := range cells {
			if cell == "" || strings.ContainsAny(cell[:1], "#@<") {
				continue
			}
			if how == "rich" {
				fmt.Fprintf(&texts, `<si><r><t xml:space="preserve">%s</t></r><r><rPr><i/></rPr><t xml:space="preserve">%s</t></r></si>`, cell[:1], cell[1:])
			} else {
				fmt.Fprintf(&texts, `<si><t xml:space="preserve">%s</t></si>`, cell)
			}
			cells[i] = fmt.Sprintf(`<c t="s"><v>%d</v></c>`, n)
			n++
		}
	}
	all := parts("", "Report|visible|"+shared.sheet())
	for i := 0; i < len(all); i += 2 {
		if all[i] == "xl/sharedStrings.xml" {
			all[i+1] = `<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">` + texts.String() + `</sst>`
		}
	}
	return packed(t, all...)
}

// prefixed writes the elements of the sheet with a prefix, as some programs do.
func prefixed(all []string) []string {
	for i := 0; i < len(all); i += 2 {
		if strings.HasPrefix(all[i], "xl/worksheets/") {
			text := strings.NewReplacer("</", "</x:", "<", "<x:").Replace(all[i+1])
			all[i+1] = strings.Replace(text, "xmlns=", "xmlns:x=", 1)
		}
	}
	return all
}

// strict writes the workbook with the names of the strict standard.
func strict(all []string) []string {
	for i := 0; i < len(all); i += 2 {
		all[i+1] = strings.NewReplacer(
			"http://schemas.openxmlformats.org/spreadsheetml/2006/main", "http://purl.oclc.org/ooxml/spreadsheetml/main",
			"http://schemas.openxmlformats.org/officeDocument/2006/relationships", "http://purl.oclc.org/ooxml/officeDocument/relationships",
		).Replace(all[i+1])
	}
	return all
}

// A workbook reads as the delimited text of the same table does.
func TestWorkbooksReadAsDelimitedText(t *testing.T) {
	for _, good := range goodBooks() {
		name, text := good.delimited()
		want, refused, _ := readSheet(t, name, []byte(text))
		got, refusedToo, _ := readSheet(t, good.name, good.content(t))
		if refused || refusedToo || !slices.Equal(got, want) {
			t.Errorf("%s: %v, and as text %v", good.name, got, want)
		}
	}
}
