package emis

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"fmt"
	"html"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/xuri/excelize/v2"
)

// packed is a ZIP of parts, name and text in turns.
func packed(t testing.TB, parts ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for i := 0; i < len(parts); i += 2 {
		part, err := w.Create(parts[i])
		if err == nil {
			_, err = part.Write([]byte(parts[i+1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// parts are those of a workbook with the given sheets, each "name|state|XML of its sheetData".
// Style 1 is a date, 2 a custom date, 3 a time, 4 text; shared strings are "first", "second",
// rich text "NHS Number" and "Code".
func parts(properties string, sheets ...string) []string {
	const (
		main = `xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"`
		rels = `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">`
		kind = `Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/`
	)
	list, links, types := "", "", ""
	var all []string
	for i, s := range sheets {
		spec := strings.SplitN(s, "|", 3)
		list += fmt.Sprintf(`<sheet name="%s" sheetId="%d" state="%s" r:id="rId%d"/>`, spec[0], i+1, spec[1], i+1)
		links += fmt.Sprintf(`<Relationship Id="rId%d" %sworksheet" Target="worksheets/sheet%d.xml"/>`, i+1, kind, i+1)
		types += fmt.Sprintf(`<Override PartName="/xl/worksheets/sheet%d.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>`, i+1)
		all = append(all, fmt.Sprintf("xl/worksheets/sheet%d.xml", i+1), `<worksheet `+main+`><sheetData>`+spec[2]+`</sheetData></worksheet>`)
	}
	return append([]string{
		"[Content_Types].xml", `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/>` + types + `</Types>`,
		"_rels/.rels", rels + `<Relationship Id="rId1" ` + kind + `officeDocument" Target="xl/workbook.xml"/></Relationships>`,
		"xl/workbook.xml", `<workbook ` + main + `><workbookPr ` + properties + `/><sheets>` + list + `</sheets></workbook>`,
		"xl/_rels/workbook.xml.rels", rels + links + `<Relationship Id="rId90" ` + kind + `styles" Target="styles.xml"/><Relationship Id="rId91" ` + kind + `sharedStrings" Target="sharedStrings.xml"/></Relationships>`,
		"xl/styles.xml", `<styleSheet ` + main + `><numFmts count="1"><numFmt numFmtId="164" formatCode="[$-809]dd\-mmm\-yyyy;@"/></numFmts>` +
			`<cellXfs count="5"><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="20"/><xf numFmtId="49"/></cellXfs></styleSheet>`,
		"xl/sharedStrings.xml", `<sst ` + main + `><si><t>first</t></si><si><t xml:space="preserve">second </t></si>` +
			`<si><r><t>NHS </t></r><r><rPr><b/></rPr><t>Number</t></r><rPh sb="0" eb="1"><t>said</t></rPh></si><si><t>Code</t></si></sst>`,
	}, all...)
}

func book(t testing.TB, sheets ...string) []byte { return packed(t, parts("", sheets...)...) }

// row is the XML of a row: "text" is an inline string, "#7" a number, "@7" a number shown as a date,
// "" no cell at all; what begins with < stands as it is.
func row(number int, cells ...string) string {
	out := fmt.Sprintf(`<row r="%d">`, number)
	for i, cell := range cells {
		name, err := excelize.CoordinatesToCellName(i+1, number)
		if err != nil {
			panic(err)
		}
		switch {
		case cell == "":
		case cell[0] == '<':
			out += strings.Replace(cell, "<c", `<c r="`+name+`"`, 1)
		case cell[0] == '#':
			out += fmt.Sprintf(`<c r="%s"><v>%s</v></c>`, name, cell[1:])
		case cell[0] == '@':
			out += fmt.Sprintf(`<c r="%s" s="1"><v>%s</v></c>`, name, cell[1:])
		default:
			out += fmt.Sprintf(`<c r="%s" t="inlineStr"><is><t>%s</t></is></c>`, name, html.EscapeString(cell))
		}
	}
	return out + `</row>`
}

var sheetHeader = row(1, "Organisation Code", "NHS Number", "Date", "SNOMED Code")

func TestWorkbookRows(t *testing.T) {
	const custom, clock = `<c s="2"><v>46143.75</v></c>`, `<c s="3"><v>0.5</v></c>`
	tests := []struct {
		name, sheet string
		want        []string
	}{
		{"numbers, dates and texts", sheetHeader +
			row(2, "Z00001", "#9990000018", "@46143", "#756261000000100") +
			row(3, "Z00001", "#9.990000026E9", custom, "#7.562610000001E+14") +
			row(4, "Z00001", "999 000 0034", "01-May-2026", "417206009 | CVD"),
			[]string{
				"2.1 Z00001 9990000018 756261000000100 2026-05-01",
				"3.1 Z00001 9990000026 756261000000100 2026-05-01",
				"4.1 Z00001 9990000034 417206009 2026-05-01",
			}},
		{"what is no date", sheetHeader +
			row(2, "Z00001", "#9990000018", "#46143", "#417206009") +
			row(3, "Z00001", "#9990000018", clock, "#417206009") +
			row(4, "Z00001", "#9990000018", "@60", "#417206009") +
			row(5, "Z00001", "#9990000018", "@-1", "#417206009") +
			row(6, "Z00001", "#9990000018", `<c t="d"><v>2026-05-01T10:00:00</v></c>`, "#417206009"),
			[]string{
				"2.1 Z00001 9990000018 417206009 invalid", "3.1 Z00001 9990000018 417206009 invalid",
				"4.1 Z00001 9990000018 417206009 invalid", "5.1 Z00001 9990000018 417206009 invalid",
				"6.1 Z00001 9990000018 417206009 2026-05-01",
			}},
		{"digits beyond the fifteenth", sheetHeader +
			row(2, "Z00001", "#9990000018", "@46143", "#1777541000006110") +
			row(3, "Z00001", "#9990000018", "@46143", "#1.77754100000611E+15") +
			row(4, "Z00001", "#9990000018", "@46143", "1777541000006110") +
			row(5, "Z00001", "#9990000018.5", "@46143", "#417206009") +
			row(6, "Z00001", "@9990000018", "@46143", "@417206009"),
			[]string{
				"2.1 Z00001 9990000018 damaged 2026-05-01", "3.1 Z00001 9990000018 damaged 2026-05-01",
				"4.1 Z00001 9990000018 not_concept 2026-05-01", "5.1 Z00001 invalid 417206009 2026-05-01",
				"6.1 Z00001 9990000018 417206009 2026-05-01",
			}},
		{"formulas, errors, booleans", sheetHeader +
			row(2, "Z00001", `<c><f>B9</f><v>9990000018</v></c>`, `<c s="1"><f>C9</f><v>46143</v></c>`, `<c t="str"><f>D9</f><v>417206009</v></c>`) +
			row(3, "Z00001", "#9990000018", `<c t="str"><f>C9</f><v></v></c>`, "#417206009") +
			row(4, "Z00001", "#9990000018", `<c><f>C9</f></c>`, "#417206009") +
			row(5, "Z00001", "#9990000018", "@46143", `<c t="e"><f>D9</f><v>#N/A</v></c>`) +
			row(6, "Z00001", `<c t="b"><v>1</v></c>`, "@46143", "#417206009") +
			row(7, "Z00001", "#9990000018", "@46143", "#417206009", `<c t="e"><v>#N/A</v></c>`) +
			row(8, "Z00001", "#9990000018", `<c s="1"><f>C9</f><v/></c>`, "#417206009"),
			[]string{
				"2.1 Z00001 9990000018 417206009 2026-05-01", "3.1 Z00001 9990000018 417206009 blank",
				"4 malformed blank", "5 malformed blank", "6.1 Z00001 invalid 417206009 2026-05-01",
				"7 malformed blank", // right of the last named column
				"8 malformed blank",
			}},
		{"gaps, short rows, blank rows, rows and cells that do not say where they are", row(3, "Organisation Code", "", "", "", "NHS Number", "Date", "SNOMED Code", "Date Recorded") +
			row(6, "Z00001", "", "", "", "#9990000018", "@46143", "#417206009") +
			`<row/><row><c t="inlineStr"><is><t>Z00001</t></is></c><c r="E8"><v>9990000026</v></c></row>` +
			row(1048576, "Z00001", "x", "y", "", "#9990000034", "@46143", "#417206009", "@46144", ""),
			[]string{
				"6.1 Z00001 9990000018 417206009 2026-05-01", "8.0 Z00001 9990000026",
				"1048576.1 Z00001 9990000034 417206009 2026-05-01 recorded 2026-05-02",
			}},
		{"shared strings, and a footer", row(1, "Organisation Code", `<c t="s"><v>2</v></c>`, "Date", `<c t="s"><v>3</v></c>`) +
			row(2, `<c t="s"><v>0</v></c>`, "#9990000018", "@46143", "#417206009") + row(3, "End of report"),
			[]string{"2.1 unknown 9990000018 417206009 2026-05-01"}},
		{"two header rows", row(1, "Patient Details", "", "Assessed", "", "CVD") + row(2, "Organisation Code", "NHS Number", "Date", "Code", "Date", "Code") +
			row(3, "Z00001", "#9990000018", "@46143", "#756261000000100") + row(4, "", "", "", "", "@46144", "#417206009"),
			[]string{"3.1 Z00001 9990000018 756261000000100 2026-05-01", "4.1 Z00001 9990000018 417206009 2026-05-02"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rows, _ := readBytes(t, "a.xlsx", book(t, "Report|visible|"+tt.sheet))
			if !slices.Equal(rows, tt.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(rows, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}

func TestWorkbookOf1904(t *testing.T) {
	content := packed(t, parts(`date1904="1"`, "Report|visible|"+sheetHeader+row(2, "Z00001", "#9990000018", "@44681", "#417206009"))...)
	rows, _ := readBytes(t, "a.xlsm", content)
	if want := []string{"2.1 Z00001 9990000018 417206009 2026-05-01"}; !slices.Equal(rows, want) {
		t.Errorf("got %q, want %q", rows, want)
	}
}

func TestWhichSheetIsRead(t *testing.T) {
	data := sheetHeader + row(2, "Z00001", "#9990000018", "@46143", "#417206009")
	blank, notes := "", row(1, "Notes")
	list := row(1, "#9990000018") + row(3, "#9990000026")
	summary := row(1, "A search") + row(2, "Population Count", "Males") + row(3, "#12", "#5")
	tests := []struct {
		name   string
		sheets []string
		kind   Kind
		status Status
		says   string
	}{
		{"a.xlsx", []string{"Report|visible|" + data}, SearchExport, Read, ""},
		{"a.csv", []string{"Report|visible|" + data}, SearchExport, Read, ""}, // by what it is
		{"a.xlsx", []string{"Notes|visible|" + notes, "Blank|visible|" + blank, "Report|visible|" + data}, SearchExport, Read, ""},
		{"a.xlsx", []string{"Old|hidden|" + data, "Report|visible|" + data}, SearchExport, Read, ""},
		{"a.xlsx", []string{"Report|visible|" + data, "More|visible|" + data}, SearchExport, Read, "1 further sheets"},
		{"a.xlsx", []string{"Report|visible|" + data, "More|visible|" + strings.Replace(data, "NHS Number", "Somebody", 1)}, SearchExport, Read, "NHS numbers stand on 1 sheets without a header"},
		{"a.xlsx", []string{"Notes|visible|" + notes, "Old|veryHidden|" + data}, OtherKind, Refused, "1 hidden sheets are not read"},
		{"a.xlsx", []string{"Blank|visible|" + blank}, OtherKind, Refused, "an empty workbook"},
		{"a.xlsx", []string{"Report|visible|" + summary}, Summary, Refused, "a population summary"},
		{"Z00001 417206009.xlsx", []string{"Notes|visible|" + notes, "List|visible|" + list}, BatchAdd, Read, ""},
		{"Z00001.xlsx", []string{"List|visible|" + list}, BatchAdd, Refused, "without a code"},
	}
	for _, tt := range tests {
		content := book(t, tt.sheets...)
		f := inspectBytes(t, tt.name, content)
		if f.Kind != tt.kind || f.Status != tt.status || !strings.Contains(f.Message, tt.says) || tt.says == "" && f.Message != "" {
			t.Errorf("%s %q: %s, %s, %q", tt.name, tt.sheets, f.Kind, f.Status, f.Message)
		}
		if f.Encoding != "" || f.DelimiterName() != "" {
			t.Errorf("%s: encoding %q, delimiter %q", tt.name, f.Encoding, f.DelimiterName())
		}
	}
	rows, _ := readBytes(t, "Z00001 417206009.xlsx", book(t, "Notes|visible|"+notes, "List|visible|"+list))
	if want := []string{"1.1 Z00001 9990000018 417206009 blank", "3.1 Z00001 9990000026 417206009 blank"}; !slices.Equal(rows, want) {
		t.Errorf("list: got %q, want %q", rows, want)
	}
}

func TestWorkbookPreamble(t *testing.T) {
	content := book(t, "Report|visible|"+row(1, "LTC LES")+row(2, "Last Run:", `<c s="1"><v>46204.71</v></c>`, "Relative Date:", "30/06/2026 16:51")+
		row(4, "Organisation Code", "NHS Number", "Date", "SNOMED Code")+row(5, "Z00001", "#9990000018", "@46143", "#417206009"))
	f := inspectBytes(t, "a.xlsx", content)
	if f.HeaderLine != 4 || f.ExtractDate.String() != "2026-07-01" || f.RelativeDate.String() != "2026-06-30" {
		t.Errorf("header line %d, extract date %s, relative date %s", f.HeaderLine, f.ExtractDate, f.RelativeDate)
	}
}

// A workbook that is not whole is refused, whatever the library makes of it: never read shorter.
func TestDamagedWorkbooksAreRefused(t *testing.T) {
	second := row(2, "Z00001", "#9990000018", "@46143", "#417206009")
	third := row(3, "Z00001", "#9990000026", "@46143", "#417206009")
	whole := parts("", "Report|visible|"+sheetHeader+second+third)
	with := func(name, old, new string) []string {
		changed := slices.Clone(whole)
		for i := 0; i < len(changed); i += 2 {
			if changed[i] == name {
				if !strings.Contains(changed[i+1], old) {
					t.Fatalf("%s does not hold %q", name, old)
				}
				changed[i+1] = strings.Replace(changed[i+1], old, new, 1)
			}
		}
		return changed
	}
	const sheet1 = "xl/worksheets/sheet1.xml"
	for name, changed := range map[string][]string{
		"the sheet breaks off in a row":        with(sheet1, third+"</sheetData></worksheet>", third[:40]),
		"the sheet breaks off between rows":    with(sheet1, third+"</sheetData></worksheet>", ""),
		"the sheet is not closed":              with(sheet1, "</worksheet>", ""),
		"a tag is spoilt":                      with(sheet1, third, strings.Replace(third, "</c>", "</d>", 1)),
		"an entity is spoilt":                  with(sheet1, third, strings.Replace(third, "Z00001", "Z&00001", 1)),
		"a character that XML does not have":   with(sheet1, third, strings.Replace(third, "Z00001", "Z\x0000001", 1)),
		"rows out of order":                    with(sheet1, third, strings.ReplaceAll(third, `3"`, `1"`)),
		"a row twice":                          with(sheet1, third, strings.ReplaceAll(third, `3"`, `2"`)),
		"a cell of another row":                with(sheet1, third, strings.Replace(third, `"B3"`, `"B4"`, 1)),
		"cells out of order":                   with(sheet1, third, strings.Replace(third, `"B3"`, `"A3"`, 1)),
		"a column that is none":                with(sheet1, third, strings.Replace(third, `"B3"`, `"ZZZZ3"`, 1)),
		"a shared string that is missing":      with(sheet1, third, row(3, "Z00001", `<c t="s"><v>4</v></c>`)),
		"a shared string by a negative number": with(sheet1, third, row(3, "Z00001", `<c t="s"><v>-1</v></c>`)),
		"a shared string by no number":         with(sheet1, third, row(3, "Z00001", `<c t="s"><v>x</v></c>`)),
		"a number that is none":                with(sheet1, third, row(3, "Z00001", "#x")),
		"a cell of unknown kind":               with(sheet1, third, row(3, "Z00001", `<c t="z"><v>1</v></c>`)),
		"two values":                           with(sheet1, third, row(3, "Z00001", `<c><v>1</v><v>2</v></c>`)),
		"a row in a row":                       with(sheet1, third, `<row r="3">`+third+`</row>`),
		"rows in two places":                   with(sheet1, "</sheetData>", "</sheetData><sheetData>"+row(4, "Z00001")+"</sheetData>"),
		"deep XML":                             with(sheet1, third, strings.Repeat("<a>", 300)+strings.Repeat("</a>", 300)),
		"no rows at all":                       with(sheet1, "sheetData>"+sheetHeader+second+third+"</sheetData", "x></x"),
		"shared strings break off":             with("xl/sharedStrings.xml", "</sst>", ""),
		"styles break off":                     with("xl/styles.xml", "</styleSheet>", ""),
		"the list of sheets breaks off":        with("xl/workbook.xml", "</workbook>", ""),
		"a sheet without a part":               with("xl/_rels/workbook.xml.rels", "worksheets/sheet1.xml", "worksheets/sheet9.xml"),
		"a sheet without a relation":           with("xl/workbook.xml", "rId1", "rId7"),
		"texts elsewhere":                      with("xl/_rels/workbook.xml.rels", `"sharedStrings.xml"`, `"texts.xml"`),
	} {
		t.Run(name, func(t *testing.T) {
			content := packed(t, changed...)
			mustRefuse(t, content, "damaged workbook")
		})
	}
	t.Run("every cut and many flips", func(t *testing.T) {
		content := packed(t, whole...)
		want, _, err := rowsOf(newReaderOf(t, "a.xlsx", content), inspectBytes(t, "a.xlsx", content))
		if err != nil || len(want) != 2 {
			t.Fatal(want, err)
		}
		for n := 0; n < len(content); n += 7 {
			mustRefuse(t, content[:n], "")
			flipped := slices.Clone(content)
			flipped[n] ^= 0x20
			f := inspectBytes(t, "a.xlsx", flipped)
			if f.Status != Read {
				continue
			}
			reader := newReaderOf(t, "a.xlsx", flipped)
			if rows, _, err := rowsOf(reader, f); err == nil && !slices.Equal(rows, want) {
				t.Errorf("byte %d flipped: %v, and %v in the whole workbook", n, rows, want)
			}
		}
	})
}

// mustRefuse insists that a workbook is refused when it is inspected or read.
func mustRefuse(t *testing.T, content []byte, says string) {
	t.Helper()
	f := inspectBytes(t, "a.xlsx", content)
	if f.Status == Read {
		_, _, err := rowsOf(newReaderOf(t, "a.xlsx", content), f)
		if err == nil {
			t.Error("it is read")
			return
		}
		f.Message = err.Error()
	}
	if !strings.Contains(f.Message, says) {
		t.Errorf("it is refused as %q", f.Message)
	}
}

func TestRefusedByWhatTheyAre(t *testing.T) {
	encrypted, err := excelize.Encrypt(book(t, "Report|visible|"+sheetHeader), &excelize.Options{Password: "made up"})
	if err != nil {
		t.Fatal(err)
	}
	strange := parts("", "Report|visible|"+sheetHeader)
	strange[3] = strings.Replace(strange[3], "workbook.xml", "workbook.bin", 1)
	for _, tt := range []struct {
		name    string
		content []byte
		says    string
	}{
		{"a.xlsx", encrypted, "an encrypted workbook"},
		{"a.xls", book(t, "Report|visible|"+sheetHeader), "an old or binary workbook (.xls)"},
		{"a.xlsb", packed(t, strange...), "an old or binary workbook (.xlsb)"},
		{"a.ods", packed(t, "content.xml", "x"), "an OpenDocument workbook"},
		{"a.csv.pgp", []byte("\x85\x01"), "an encrypted file (.pgp)"},
		{"a.csv.gpg", []byte("\x85\x01"), "an encrypted file (.gpg)"},
		{"a.xlsx", packed(t, strange...), "a workbook of another kind"},
		{"a.xlsx", []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 made up"), "an old Office file"},
		{"a.xlsx", []byte("Organisation Code,NHS Number\n"), "no workbook, under the name of one"},
		{"a.xlsx", packed(t, "a.csv", "x"), "an archive that is no workbook"},
		{"a.csv", packed(t, "a.csv", "x"), "an archive that is no workbook"},
	} {
		f := inspectBytes(t, tt.name, tt.content)
		if f.Status != Refused || !strings.Contains(f.Message, tt.says) || f.Refusal.Fix == "" || f.SHA256 == "" {
			t.Errorf("%s: %s, %q; want %q", tt.name, f.Status, f.Message, tt.says)
		}
	}
}

// The library that makes workbooks for the fixtures makes some that are read here, large ones among
// them that it reads from temporary files; those are gone afterwards.
func TestWorkbooksOfTheLibrary(t *testing.T) {
	made := excelize.NewFile()
	defer made.Close()
	style, err := made.NewStyle(&excelize.Style{NumFmt: 14})
	if err != nil {
		t.Fatal(err)
	}
	stream, err := made.NewStreamWriter("Sheet1")
	if err != nil {
		t.Fatal(err)
	}
	const rows = 6_000
	put := func(n int, cells ...any) {
		if err := stream.SetRow(fmt.Sprintf("A%d", n), cells); err != nil {
			t.Fatal(err)
		}
	}
	put(1, "Organisation Code", "NHS Number", "Date", "SNOMED Code", "Name")
	for n := range rows {
		put(n+2, "Z00001", 9990000018, excelize.Cell{StyleID: style, Value: 46143}, 756261000000100, strings.Repeat("made up, ", 320)+fmt.Sprint(n))
	}
	if err := stream.Flush(); err != nil {
		t.Fatal(err)
	}
	content, err := made.WriteToBuffer()
	if err != nil {
		t.Fatal(err)
	}
	temporary := t.TempDir()
	inbox := fstest.MapFS{"a.xlsx": {Data: content.Bytes()}}
	in := &Inspector{Inbox: inbox, Practices: knownPractices(), Book: NewBook(allCodes()), TempDir: temporary}
	f, err := in.Inspect("a.xlsx")
	if err != nil || f.Status != Read {
		t.Fatal(err, f.Message)
	}
	reader := newReaderOf(t, "a.xlsx", content.Bytes())
	reader.TempDir = temporary
	spilt, n := 0, 0
	_, err = reader.Read(f, func(row *Row) error {
		if n++; n == 1 {
			left, err := os.ReadDir(temporary)
			if err != nil {
				return err
			}
			for _, entry := range left {
				info, err := entry.Info()
				if err != nil {
					return err
				}
				if info.Mode().Perm() != 0o600 {
					t.Errorf("a temporary file of mode %v", info.Mode())
				}
			}
			spilt = len(left)
		}
		if row.Line != n+1 || row.NHSState != Valid || row.CodeState != Valid || row.ActivityState != Valid {
			t.Fatalf("row %d: %s", n, say(row))
		}
		return nil
	})
	if err != nil || n != rows {
		t.Errorf("%d rows of %d, %v", n, rows, err)
	}
	if spilt == 0 {
		t.Error("nothing was read from a temporary file: the workbook is too small for this test")
	}
	if left, err := os.ReadDir(temporary); err != nil || len(left) > 0 {
		t.Errorf("%d temporary files are left, %v", len(left), err)
	}
}

func TestExactNumber(t *testing.T) {
	for stored, want := range map[string]string{
		"0": "0", "-0": "0", "000": "0", "7": "7", "-7": "-7", "+7": "7", "007": "7", "9990000018": "9990000018", "9990000018.0": "9990000018",
		"9.990000018E9": "9990000018", "7.56261000000105E+14": "756261000000105", "756261000000100": "756261000000100", "7.562610000001e14": "756261000000100",
		"4.61435E4": "46143.5", "46143.5": "46143.5", "0.5": "0.5", "5E-1": "0.5", "5.0E-3": "0.005", ".5": "0.5", "10": "10", "1E1": "10",
		"999999999999999": "999999999999999", "1000000000000000": "1E+15", "1777541000006117": "1.777541000006117E+15",
		"1.7775410000061101E+15": "1.7775410000061101E+15", "1E-300": "1E-300", "1E300": "1E300", "12345678901234567.5": "1.23456789012345675E+16",
	} {
		if got, ok := exactNumber(stored); !ok || got != want {
			t.Errorf("%s is %q, %v; want %q", stored, got, ok, want)
		}
	}
	for _, stored := range []string{"", "-", ".", "E5", "1E", "1E999", "x", "1,5", "1 5", "NaN", "INF", "0x10", "--1", "1.2.3"} {
		if got, ok := exactNumber(stored); ok {
			t.Errorf("%q is a number, %q", stored, got)
		}
	}
}

func TestIsDateFormat(t *testing.T) {
	for code, want := range map[string]bool{
		"General": false, "0": false, "0.00E+00": false, "@": false, "h:mm": false, "mm:ss": false, "[h]:mm:ss": false, "[mm]": false, "h:mm AM/PM": false,
		`"day" 0`: false, `\d0`: false, "[Red]0": false, "_d0": false, "0;dd": false, `#,##0 "months"`: false, `"open`: false, "#,##0.00": false,
		"dd/mm/yyyy": true, "yyyy-mm-dd hh:mm": true, "mmm": true, "mmm yy": true, "[$-809]d mmmm yyyy;@": true, `dd\-mmm\-yyyy`: true, "[$-F800]dddd, mmmm dd, yyyy": true,
	} {
		if got := isDateFormat(code); got != want {
			t.Errorf("%s: %v, want %v", code, got, want)
		}
	}
}

// FuzzWorkbook reads any XML as the parts of a workbook. Nothing panics, a second reading yields the
// same rows, and every row of the sheet that holds a value below the header is where a row begins, or
// a line of a footer; a sheet that another reader of XML does not take is refused.
func FuzzWorkbook(f *testing.F) {
	data := sheetHeader + row(2, "Z00001", "#9990000018", "@46143", "#417206009")
	f.Add(data, "<si><t>a</t></si>", `<xf numFmtId="0"/><xf numFmtId="14"/>`)
	f.Add(data+row(4, "Z00001", "#9.990000026E9", `<c t="e"><v>#N/A</v></c>`, `<c><f>A1</f></c>`)+row(9, "End"), "", "")
	f.Add(row(1, "NHS Number", "Date", "Code", "Organisation Code")+"<row><c><v>1</v></c></row><row/>", "<si><r><t>a</t></r></si>", "")
	f.Add(row(1, `<c t="s"><v>0</v></c>`, "Date", "Code", "Organisation Code")+row(2, `<c t="s"><v>1</v></c>`), "<si><t>NHS Number</t></si><si><t>x_x000D_</t></si>", "")
	f.Add(row(1, "#9990000018")+row(2, "#9990000026"), "", "")
	f.Add(`<row r="2"><c r="A2"/></row><row r="1"/>`, "", "")
	f.Fuzz(func(t *testing.T, sheet, texts, styles string) {
		all := parts("", "Report|visible|"+sheet)
		for i := 0; i < len(all); i += 2 {
			switch all[i] {
			case "xl/sharedStrings.xml":
				all[i+1] = `<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">` + texts + `</sst>`
			case "xl/styles.xml":
				all[i+1] = `<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><cellXfs>` + styles + `</cellXfs></styleSheet>`
			}
		}
		content := packed(t, all...)
		const name = "Z00001 417206009.xlsx"
		file := inspectBytes(t, name, content)
		if (file.Status == Refused) != (file.Message != "" && file.Refusal != nil) {
			t.Fatalf("%s without a reason, or the reverse: %q", file.Status, file.Message)
		}
		if file.Status != Read {
			return
		}
		reader := newReaderOf(t, name, content)
		rows, tally, err := rowsOf(reader, file)
		again, _, errAgain := rowsOf(reader, file)
		if (err == nil) != (errAgain == nil) || !slices.Equal(rows, again) {
			t.Fatalf("a second reading differs: %v, %v", err, errAgain)
		}
		if err != nil {
			return
		}
		var whole struct {
			Rows []struct {
				Number string `xml:"r,attr"`
				Cells  []struct {
					Kind  string `xml:"t,attr"`
					Value string `xml:"v"`
				} `xml:"c"`
			} `xml:"sheetData>row"`
		}
		for i := 0; i < len(all); i += 2 {
			if all[i] == "xl/worksheets/sheet1.xml" {
				if err := xml.Unmarshal([]byte(all[i+1]), &whole); err != nil {
					t.Fatalf("the sheet is read, and is no XML: %v", err)
				}
			}
		}
		begins := map[int]bool{}
		for _, row := range rows {
			begins[row.line] = true
		}
		number, missing := 0, int64(0)
		for _, row := range whole.Rows {
			number++
			if row.Number != "" {
				if number, err = strconv.Atoi(row.Number); err != nil {
					t.Fatalf("row %q is read", row.Number)
				}
			}
			if number <= file.HeaderLine {
				continue
			}
			for _, cell := range row.Cells {
				if (cell.Kind == "" || cell.Kind == "n") && strings.TrimSpace(cell.Value) != "" && !begins[number] {
					missing++
					break
				}
			}
		}
		if missing > tally.Footers {
			t.Fatalf("%d rows with numbers are gone, and %d lines are a footer", missing, tally.Footers)
		}
	})
}
