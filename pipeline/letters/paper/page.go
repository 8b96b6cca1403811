package paper

import (
	"fmt"

	"codeberg.org/go-pdf/fpdf"
)

// The font and its styles, as fpdf names them.
const (
	family  = "liberation"
	regular = ""
	bold    = "B"
	italic  = "I"
)

// Lengths in millimetres, sizes of type in points.
const (
	pageWidth, pageHeight = 210.0, 297.0
	left, top             = 22.0, 27.0
	width                 = pageWidth - 2*left
	bottom                = pageHeight - 22.0
	headAt, footAt        = 15.0, pageHeight - 12.0

	bodySize  = 9.6
	tableSize = 8.8
	smallSize = 7.6
	leading   = 0.475 // line height in millimetres for a point of type
)

// ink is a colour.
type ink struct{ red, green, blue int }

func black() ink { return ink{0x21, 0x2b, 0x32} }
func blue() ink  { return ink{0x00, 0x30, 0x87} }
func grey() ink  { return ink{0x4c, 0x62, 0x72} }
func line() ink  { return ink{0xc8, 0xd2, 0xda} }
func wash() ink  { return ink{0xee, 0xf3, 0xf8} }

// strip is a part of the text that no page break falls in: a line, a row of a table, a gap.
type strip struct {
	height float64
	draw   func(y float64) // nil for a gap, which a page does not begin with
	keep   bool            // on one page with the strip that follows
	header *strip          // of a table: what stands above its rows on each page
}

// page places strips on the pages of one document.
type page struct {
	pdf     *fpdf.Fpdf
	printer *Printer
}

// place draws the strips from the top of a first page to the bottom of the last.
func (p *page) place(strips []strip) {
	y := bottom
	turn := func() {
		p.pdf.AddPage()
		y = top
	}
	turn()
	for i, each := range strips {
		if y+together(strips[i:]) > bottom && y > top {
			turn()
			if each.header != nil {
				each.header.draw(y)
				y += each.header.height
			}
		}
		if each.draw != nil {
			each.draw(y)
		} else if y == top {
			continue
		}
		y += each.height
	}
}

// together is how high the first strip is with those that it is kept with.
func together(strips []strip) float64 {
	height := 0.0
	for _, each := range strips {
		height += each.height
		if !each.keep {
			break
		}
	}
	return min(height, bottom-top)
}

// frame draws what stands above and below the text, now that the pages are counted.
func (p *page) frame(sheet Sheet) {
	pages := p.pdf.PageCount()
	for number := 1; number <= pages; number++ {
		p.pdf.SetPage(number)
		right := p.printer.printable(sheet.Right)
		room := width
		if right != "" {
			p.font(bold, smallSize, ink{0xff, 0xff, 0xff})
			badge := p.pdf.GetStringWidth(right) + 5
			p.fill(blue())
			p.pdf.Rect(left+width-badge, headAt-4.1, badge, 5.8, "F")
			p.pdf.Text(left+width-badge+2.5, headAt, right)
			room -= badge + 4
		}
		p.font(regular, smallSize, grey())
		p.pdf.Text(left, headAt, p.fit(p.printer.printable(sheet.Left), room))
		p.rule(headAt+3, line())
		p.rule(footAt-4.5, line())
		p.font(regular, smallSize, grey())
		count := fmt.Sprintf("Page %d of %d", number, pages)
		p.pdf.Text(left, footAt, p.fit(p.printer.printable(sheet.Foot), width-30))
		p.pdf.Text(left+width-p.pdf.GetStringWidth(count), footAt, count)
	}
}

// fit cuts text off where it is wider than the room for it.
func (p *page) fit(text string, room float64) string {
	if p.pdf.GetStringWidth(text) <= room {
		return text
	}
	runes := []rune(text)
	for len(runes) > 0 && p.pdf.GetStringWidth(string(runes)+"…") > room {
		runes = runes[:len(runes)-1]
	}
	return string(runes) + "…"
}

func (p *page) font(style string, size float64, colour ink) {
	p.pdf.SetFont(family, style, size)
	p.pdf.SetTextColor(colour.red, colour.green, colour.blue)
}

func (p *page) fill(colour ink) { p.pdf.SetFillColor(colour.red, colour.green, colour.blue) }

// rule draws a line over the whole width.
func (p *page) rule(y float64, colour ink) {
	p.pdf.SetDrawColor(colour.red, colour.green, colour.blue)
	p.pdf.SetLineWidth(0.25)
	p.pdf.Line(left, y, left+width, y)
}
