// Package paper lays Markdown out on A4 pages and writes them as PDF.
//
// It knows headings, paragraphs, lists, tables, notes (block quotes) and rules, in bold and
// italics, and refuses anything else by name: what it would leave out of a letter nobody would
// miss until it mattered. It refuses to know what a letter says. The same text gives the same
// bytes.
package paper

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"

	"codeberg.org/go-fonts/liberation/liberationsansbold"
	"codeberg.org/go-fonts/liberation/liberationsansitalic"
	"codeberg.org/go-fonts/liberation/liberationsansregular"
	"codeberg.org/go-pdf/fpdf"
	"golang.org/x/image/font/sfnt"
)

// Sheet is what stands on every page, and in the file's properties.
type Sheet struct {
	Title   string
	Subject string
	Date    time.Time // of the file's properties: the clock is not read
	Left    string    // above the text
	Right   string    // above the text, set off; may be empty
	Foot    string    // below the text, beside the page's number
}

// Printer holds the fonts. It may be used by several goroutines.
type Printer struct{ glyphs *sfnt.Font }

// NewPrinter reads the fonts.
func NewPrinter() (*Printer, error) {
	glyphs, err := sfnt.Parse(liberationsansregular.TTF)
	if err != nil {
		return nil, fmt.Errorf("read font: %w", err)
	}
	return &Printer{glyphs}, nil
}

// FontVersion is that of the fonts, as they state it: "2.1.4".
func (p *Printer) FontVersion() (string, error) {
	stated, err := p.glyphs.Name(nil, sfnt.NameIDVersion)
	if err != nil {
		return "", fmt.Errorf("read the font's version: %w", err)
	}
	return strings.TrimPrefix(stated, "Version "), nil
}

// UnprintableError is something in the Markdown that cannot be laid out.
type UnprintableError struct {
	What string // with its article: "an image"
	Near string // the text that it is near to, or its own; may be empty
}

func (e UnprintableError) Error() string {
	if e.Near == "" {
		return e.What
	}
	return fmt.Sprintf("%s near %q", e.What, e.Near)
}

// Print lays the Markdown out and writes the PDF. It fails with [UnprintableError] where the
// Markdown holds what it does not know.
func (p *Printer) Print(to io.Writer, sheet Sheet, markdown []byte) error {
	page := &page{pdf: fpdf.New("P", "mm", "A4", ""), printer: p}
	pdf := page.pdf
	page.addFonts()
	pdf.SetTitle(sheet.Title, true)
	pdf.SetSubject(sheet.Subject, true)
	pdf.SetCreator("ltcles", true)
	pdf.SetProducer("ltcles", true)
	pdf.SetLang("en-GB")
	pdf.SetCreationDate(sheet.Date)
	pdf.SetModificationDate(sheet.Date)
	pdf.SetCatalogSort(true)
	pdf.SetAutoPageBreak(false, 0)
	strips, err := page.strips(markdown)
	if err != nil {
		return err
	}
	page.place(strips)
	page.frame(sheet)
	if err := pdf.Output(to); err != nil {
		return fmt.Errorf("write PDF: %w", err)
	}
	return nil
}

func (p *page) addFonts() {
	p.pdf.AddUTF8FontFromBytes(family, regular, liberationsansregular.TTF)
	p.pdf.AddUTF8FontFromBytes(family, bold, liberationsansbold.TTF)
	p.pdf.AddUTF8FontFromBytes(family, italic, liberationsansitalic.TTF)
}

// printable is the text in characters that the font has. The replacement is plain to see, and
// fpdf has no room for characters beyond the first 65,536.
func (p *Printer) printable(text string) string {
	var buffer sfnt.Buffer
	return string(bytes.Map(func(r rune) rune {
		if r == '\t' || r == '\n' || r == '\r' {
			return ' '
		}
		if glyph, err := p.glyphs.GlyphIndex(&buffer, r); err != nil || glyph == 0 || r > 0xFFFF {
			return '?'
		}
		return r
	}, []byte(text)))
}
