package emis

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/xuri/excelize/v2"
)

// How large a workbook may be before it is unpacked, what of it may be anything
// but cells and their texts, and from what size on the library reads a sheet
// from a temporary file.
const (
	maxWorkbookFile = 64 << 20
	maxOtherParts   = 64 << 20
	maxPartInMemory = 16 << 20
	maxXMLDepth     = 200
)

// Where the grid of a worksheet ends.
const (
	maxSheetRow    = 1 << 20
	maxSheetColumn = 1 << 14
)

// A workbook is an opened .xlsx or .xlsm.
//
// The library that unpacks it and resolves its texts passes over damage in a
// sheet without a word: what follows the damage is not there for it. So every
// sheet is read a second time here, strictly and to its end, and each row must
// have the same cells in both readings.
type workbook struct {
	parts   map[string]*zip.File // by lower-case name
	book    *excelize.File
	sheets  []sheet         // worksheets, in the order of their tabs
	strings int             // shared strings
	merged  map[string]bool // sheets with merged cells, by their part's lower-case name
	dates   []bool          // by cell style: shows a number as a date
	is1904  bool            // days are counted from 1904
}

type sheet struct {
	name      string
	part      string
	isVisible bool
}

func damagedWorkbook(row int, what string) *Refusal {
	return refuse(row, "a damaged workbook: "+what, "a workbook that is whole", "open it in a spreadsheet program, save it again as .xlsx, or export the search from EMIS as CSV")
}

var (
	zipMagic = []byte("PK\x03\x04")
	cfbMagic = []byte{0xD0, 0xCF, 0x11, 0xE0}
	// encryptedPackage is the name of the stream that holds an encrypted workbook, as its container spells it.
	encryptedPackage = []byte("E\x00n\x00c\x00r\x00y\x00p\x00t\x00e\x00d\x00P\x00a\x00c\x00k\x00a\x00g\x00e\x00")
)

// openWorkbook opens a workbook that is in memory. What makes it unreadable is a
// *Refusal. tempDir takes what is too large for memory; without it nothing is
// written anywhere.
func openWorkbook(content []byte, limits Limits, tempDir string) (opened *workbook, err error) {
	limits = limits.orDefault()
	switch {
	case bytes.HasPrefix(content, cfbMagic) && bytes.Contains(content, encryptedPackage):
		return nil, refuse(0, "an encrypted workbook", "a workbook without a password", "open it, remove its password (File, Info, Protect Workbook), and save it again")
	case bytes.HasPrefix(content, cfbMagic):
		return nil, refuse(0, "an old Office file under another name", "a workbook as .xlsx", "open it in a spreadsheet program and save it as .xlsx, or export the search from EMIS as CSV")
	case !bytes.HasPrefix(content, zipMagic):
		return nil, refuse(0, "a file that is no workbook, under the name of one", "a workbook as .xlsx", "give it the ending of what it is (.csv for delimited text)")
	}
	unpacked, refusal := openZip(bytes.NewReader(content), int64(len(content)), limits, "workbook")
	if refusal != nil {
		return nil, refusal
	}
	w := &workbook{parts: map[string]*zip.File{}, merged: map[string]bool{}}
	if err := w.checkParts(unpacked); err != nil {
		return nil, err
	}
	if err := w.readStructure(); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	defer recoverDamage(&err)
	options := excelize.Options{RawCellValue: true, UnzipSizeLimit: limits.Bytes, UnzipXMLSizeLimit: min(maxPartInMemory, limits.Bytes), TmpDir: tempDir}
	if tempDir == "" {
		options.UnzipXMLSizeLimit = limits.Bytes
	}
	if w.book, err = excelize.OpenReader(bytes.NewReader(content), options); err != nil {
		return nil, damagedWorkbook(0, "a part that cannot be read")
	}
	for _, s := range w.sheets {
		if visible, err := w.book.GetSheetVisible(s.name); err != nil || visible != s.isVisible {
			return nil, damagedWorkbook(0, "a sheet that cannot be found")
		}
	}
	return w, nil
}

// recoverDamage turns a panic of the library, which only damage can bring about,
// into a refusal.
func recoverDamage(err *error) {
	if recover() != nil {
		*err = damagedWorkbook(0, "a part that cannot be read")
	}
}

func (w *workbook) close() {
	if w != nil && w.book != nil {
		_ = w.book.Close() // removes its temporary files; those left are swept with the run's folder
	}
}

// checkParts reads every part to its end, against its checksum, and all that is
// XML but the sheets, which are read strictly when their rows are.
func (w *workbook) checkParts(unpacked *zip.Reader) error {
	other := int64(0)
	for _, part := range unpacked.File {
		name := strings.ToLower(part.Name)
		if strings.ContainsRune(name, '\\') || w.parts[name] != nil {
			return damagedWorkbook(0, "two parts of one name, or a part whose name is none")
		}
		w.parts[name] = part
		isBulk := strings.HasPrefix(name, "xl/worksheets/sheet")
		if !isBulk && name != sharedStringsPart {
			if other += int64(part.UncompressedSize64); other > maxOtherParts {
				return refuse(0, "a workbook with more than 64 MiB besides its cells", "a workbook of cells", "copy the patient list into a new workbook, or export the search from EMIS as CSV")
			}
		}
		check := readThrough
		if isBulk {
			check = func(r io.Reader) (err error) {
				w.merged[name], err = holds(r, "mergeCell")
				return err
			}
		}
		if !isBulk && (strings.HasSuffix(name, ".xml") || strings.HasSuffix(name, ".rels")) {
			check = checkXML
		}
		if err := w.read(part.Name, check); err != nil {
			return err
		}
	}
	if w.parts["[content_types].xml"] == nil {
		return refuse(0, "an archive that is no workbook", "a workbook, or an archive named .zip", "name it .zip")
	}
	return nil
}

// read hands a part to a reader; whatever goes wrong is damage.
func (w *workbook) read(name string, with func(io.Reader) error) error {
	part := w.parts[strings.ToLower(name)]
	if part == nil {
		return damagedWorkbook(0, "a part that is missing")
	}
	opened, err := part.Open()
	if err == nil {
		err = errors.Join(with(opened), opened.Close())
	}
	var refusal *Refusal
	if errors.As(err, &refusal) {
		return refusal
	}
	if err != nil {
		return damagedWorkbook(0, "a part that cannot be read")
	}
	return nil
}

func readThrough(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	return err
}

// holds reads r to its end, and tells whether a text is in it.
func holds(r io.Reader, text string) (found bool, err error) {
	buf := make([]byte, 64<<10)
	kept := 0 // bytes at the end that may begin the text
	for {
		n, err := r.Read(buf[kept:])
		found = found || bytes.Contains(buf[:kept+n], []byte(text))
		if errors.Is(err, io.EOF) {
			return found, nil
		}
		if err != nil {
			return found, err
		}
		tail := min(kept+n, len(text)-1)
		copy(buf, buf[kept+n-tail:kept+n])
		kept = tail
	}
}

// checkXML reads XML to its end: it is well formed, and not deeper than any workbook is.
func checkXML(r io.Reader) error {
	return eachToken(r, func(int, xml.Token) error { return nil })
}

// eachToken hands on the tokens of an XML text with the depth of their element.
func eachToken(r io.Reader, visit func(depth int, token xml.Token) error) error {
	decoder := xml.NewDecoder(r)
	depth := 0
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch token.(type) {
		case xml.StartElement:
			depth++
			if depth > maxXMLDepth {
				return errors.New("XML too deep")
			}
		case xml.EndElement:
			depth--
		}
		if err := visit(depth, token); err != nil {
			return err
		}
	}
}

const sharedStringsPart = "xl/sharedstrings.xml"

// readStructure reads which sheets there are, what the cell styles show, and how
// many shared strings there are.
func (w *workbook) readStructure() error {
	root, err := w.relations("_rels/.rels", "")
	if err != nil {
		return err
	}
	main := ""
	for _, relation := range root {
		if relation.kind == "officeDocument" {
			main = relation.part
		}
	}
	if main == "" || strings.HasSuffix(strings.ToLower(main), ".bin") {
		return refuse(0, "a workbook of another kind under the name of an .xlsx", "a workbook as .xlsx", "open it in a spreadsheet program and save it as .xlsx, or export the search from EMIS as CSV")
	}
	var content struct {
		Properties struct {
			Date1904 string `xml:"date1904,attr"`
		} `xml:"workbookPr"`
		Sheets []struct {
			Attributes []xml.Attr `xml:",any,attr"`
		} `xml:"sheets>sheet"`
	}
	if err := w.read(main, func(r io.Reader) error { return xml.NewDecoder(r).Decode(&content) }); err != nil {
		return err
	}
	w.is1904 = isTrue(content.Properties.Date1904)
	relations, err := w.relations(path.Join(path.Dir(main), "_rels", path.Base(main)+".rels"), path.Dir(main))
	if err != nil {
		return err
	}
	names := map[string]bool{}
	for _, entry := range content.Sheets {
		s := sheet{isVisible: true}
		id := ""
		for _, attribute := range entry.Attributes {
			switch attribute.Name.Local {
			case "name":
				s.name = attribute.Value
			case "id":
				id = attribute.Value
			case "state":
				s.isVisible = attribute.Value == "visible"
			}
		}
		relation, known := relations[id]
		folded := strings.ToLower(s.name)
		if !known || names[folded] {
			return damagedWorkbook(0, "a sheet that cannot be found")
		}
		names[folded] = true
		if relation.kind == "worksheet" {
			s.part = relation.part
			w.sheets = append(w.sheets, s)
		}
	}
	for _, relation := range relations {
		var err error
		switch relation.kind {
		case "sharedStrings":
			if strings.ToLower(relation.part) != sharedStringsPart { // the library looks nowhere else
				return damagedWorkbook(0, "texts in an unusual place")
			}
			err = w.countStrings(relation.part)
		case "styles":
			err = w.readStyles(relation.part)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func isTrue(text string) bool { return text == "1" || text == "true" || text == "on" }

type relation struct{ kind, part string }

// relations reads a part that names others, by their identifiers.
func (w *workbook) relations(name, folder string) (map[string]relation, error) {
	var content struct {
		Relationships []struct {
			ID     string `xml:"Id,attr"`
			Type   string `xml:"Type,attr"`
			Target string `xml:"Target,attr"`
		} `xml:"Relationship"`
	}
	if err := w.read(name, func(r io.Reader) error { return xml.NewDecoder(r).Decode(&content) }); err != nil {
		return nil, err
	}
	byID := map[string]relation{}
	for _, entry := range content.Relationships {
		if _, twice := byID[entry.ID]; twice {
			return nil, damagedWorkbook(0, "two relations of one name")
		}
		part := strings.TrimPrefix(entry.Target, "/")
		if part == entry.Target {
			part = path.Join(folder, entry.Target)
		}
		byID[entry.ID] = relation{kind: path.Base(entry.Type), part: part}
	}
	return byID, nil
}

func (w *workbook) countStrings(part string) error {
	return w.read(part, func(r io.Reader) error {
		return eachToken(r, func(depth int, token xml.Token) error {
			if start, ok := token.(xml.StartElement); ok && depth == 2 && start.Name.Local == "si" {
				w.strings++
			}
			return nil
		})
	})
}

// readStyles finds which cell styles show a date.
func (w *workbook) readStyles(part string) error {
	var content struct {
		Formats []struct {
			ID   int    `xml:"numFmtId,attr"`
			Code string `xml:"formatCode,attr"`
		} `xml:"numFmts>numFmt"`
		Styles []struct {
			Format int `xml:"numFmtId,attr"`
		} `xml:"cellXfs>xf"`
	}
	if err := w.read(part, func(r io.Reader) error { return xml.NewDecoder(r).Decode(&content) }); err != nil {
		return err
	}
	custom := map[int]bool{}
	for _, format := range content.Formats {
		custom[format.ID] = isDateFormat(format.Code)
	}
	for _, style := range content.Styles {
		isDate, known := custom[style.Format]
		w.dates = append(w.dates, isDate || !known && isBuiltInDate(style.Format))
	}
	return nil
}

// isBuiltInDate knows the number formats that have no code in the file: 14 to 17
// and 22, and the East Asian ones. 18 to 21 and 45 to 47 are times of day.
func isBuiltInDate(format int) bool {
	return format >= 14 && format <= 17 || format == 22 ||
		format >= 27 && format <= 31 || format == 36 || format >= 50 && format <= 54 || format == 57 || format == 58
}

// isDateFormat tells whether a number format shows a day, a year, or a month
// that is no minute: its first section, without what it quotes.
func isDateFormat(code string) bool {
	var letters strings.Builder
	for i := 0; i < len(code); i++ {
		switch c := code[i]; c {
		case '\\', '_', '*': // the next character is shown as it is, or is a filler
			i++
		case '"', '[':
			closing := byte('"')
			if c == '[' {
				closing = ']'
			}
			end := strings.IndexByte(code[i+1:], closing)
			if end < 0 {
				return false
			}
			i += end + 1
			if c == '[' {
				if unit := strings.ToLower(code[i-end : i]); strings.Trim(unit, "hms") == "" {
					letters.WriteString("h") // elapsed time
				}
			}
		case ';':
			i = len(code)
		default:
			letters.WriteByte(c)
		}
	}
	shown := strings.ToLower(letters.String())
	if shown == "general" {
		return false
	}
	shown = strings.NewReplacer("am/pm", "h", "a/p", "h").Replace(shown)
	return strings.ContainsAny(shown, "yd") || strings.Contains(shown, "m") && !strings.ContainsAny(shown, "hs")
}

// decideWorkbook settles what a workbook is: the first of its visible sheets
// that holds a header is read, else the first that is a number list.
func (in *Inspector) decideWorkbook(f *File) error {
	file, err := openIn(in.Inbox, f.Name)
	if err != nil {
		return err
	}
	defer file.Close()
	w, err := loadWorkbook(file, in.Limits, in.TempDir)
	if err != nil {
		return err
	}
	defer w.close()
	extra := in.layoutFor(f.Name)
	words := newVocabulary(extra)
	var found *header
	further, headerless, hidden := 0, 0, 0
	for _, s := range w.sheets {
		if !s.isVisible {
			hidden++
			continue
		}
		h, err := w.headerOf(s, words)
		switch {
		case err != nil:
			return err
		case h != nil && found == nil:
			found, f.sheet = h, s.name
		case h != nil:
			further++
		default:
			holds, err := w.holdsNHSNumber(s)
			if err != nil {
				return err
			}
			if holds {
				headerless++
			}
		}
	}
	if found == nil {
		err = in.decideSheets(f, w, words)
	} else {
		err = in.decideTable(f, found, words, extra)
	}
	var refusal *Refusal
	if errors.As(err, &refusal) && hidden > 0 {
		refusal.Fix += fmt.Sprintf(" (%d hidden sheets are not read)", hidden)
	}
	if err == nil && further > 0 {
		f.note(fmt.Sprintf("the first sheet with a header is read, and %d further sheets with one are not; put each into a workbook of its own", further))
	}
	if err == nil && found != nil && headerless > 0 {
		f.note(fmt.Sprintf("NHS numbers stand on %d sheets without a header, which are not read; put each under a header into a workbook of its own", headerless))
	}
	return err
}

// holdsNHSNumber tells whether one of the first lines of a sheet has a cell that is an NHS number.
func (w *workbook) holdsNHSNumber(s sheet) (bool, error) {
	records, err := w.records(s, nil)
	if err != nil {
		return false, err
	}
	defer records.close()
	for {
		rec, err := records.next()
		if rec == nil || err != nil || rec.line > headLines {
			return false, err
		}
		if slices.ContainsFunc(rec.cells, isNHSNumber) {
			return true, nil
		}
	}
}

// loadWorkbook reads a workbook into memory and opens it.
func loadWorkbook(file io.Reader, limits Limits, tempDir string) (*workbook, error) {
	content, err := io.ReadAll(io.LimitReader(file, maxWorkbookFile+1))
	if err != nil {
		return nil, err
	}
	if len(content) > maxWorkbookFile {
		return nil, refuse(0, fmt.Sprintf("a workbook larger than %d MiB", maxWorkbookFile>>20), "a workbook of one search", "export the search from EMIS as CSV")
	}
	return openWorkbook(content, limits, tempDir)
}

func (w *workbook) headerOf(s sheet, words vocabulary) (*header, error) {
	records, err := w.records(s, nil)
	if err != nil {
		return nil, err
	}
	defer records.close()
	return headerIn(records, words, headLines)
}

// decideSheets settles what a workbook is in which no visible sheet has a
// header: the first that is a number list is read; else the first that shows
// anything says why the workbook is not.
func (in *Inspector) decideSheets(f *File, w *workbook, words vocabulary) error {
	var shown []byte
	for _, s := range w.sheets {
		if !s.isVisible {
			continue
		}
		head, err := w.headOf(s)
		if err != nil {
			return err
		}
		if _, isList := isNumberList(head); isList {
			shown, f.sheet = head, s.name
			break
		}
		if isBlank(shown) {
			shown = head
		}
	}
	if isBlank(shown) {
		return refuse(0, "an empty workbook", "an export with a header and patients", "export the search again, or take the file out of the inbox")
	}
	err := in.decideHeaderless(f, shown, words)
	f.Delimiter = 0
	return err
}

// headOf is the head of a sheet as delimited text.
func (w *workbook) headOf(s sheet) ([]byte, error) {
	records, err := w.records(s, nil)
	if err != nil {
		return nil, err
	}
	defer records.close()
	var head []byte
	flat := strings.NewReplacer("\t", " ", "\n", " ", "\r", " ", `"`, " ")
	for len(head) < headBytes {
		rec, err := records.next()
		if err != nil {
			return nil, err
		}
		if rec == nil || rec.line > headLines {
			break
		}
		if rec.blank() {
			continue
		}
		for _, cell := range rec.cells {
			head = append(append(head, flat.Replace(string(cell))...), '\t')
		}
		head = append(bytes.TrimRight(head, "\t"), '\n')
	}
	return head, nil
}

// allOfSheet reads the sheet that was settled on.
func (r *fileReader) allOfSheet(file io.Reader) error {
	w, err := loadWorkbook(file, r.Limits, r.TempDir)
	if err != nil {
		return err
	}
	defer w.close()
	for _, s := range w.sheets {
		if s.name != r.file.sheet {
			continue
		}
		records, err := w.records(s, r.file.layout)
		if err != nil {
			return err
		}
		defer records.close()
		r.records = records
		return r.all()
	}
	return damagedWorkbook(0, "a sheet that cannot be found")
}
