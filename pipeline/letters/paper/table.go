package paper

import (
	tables "github.com/yuin/goldmark/extension/ast"
)

const (
	cellSide   = 1.6 // left and right of a cell's text
	cellAbove  = 1.0
	cellLeast  = 8.0
	afterTable = 3.4

	mostTogether = 14 // rows of a table that no page parts; of a longer one the last two stay together
)

// table sets a table over the width of its column, its header on every page that it reaches.
func (r *reading) table(node *tables.Table, in column) {
	var rows [][][]word
	for row := node.FirstChild(); row != nil; row = row.NextSibling() {
		style := regular
		if row.Kind() == tables.KindTableHeader {
			style = bold
		}
		var cells [][]word
		for cell := row.FirstChild(); cell != nil; cell = cell.NextSibling() {
			cells = append(cells, r.words(cell, style))
		}
		rows = append(rows, cells)
	}
	if r.err != nil {
		return
	}
	widths := r.widths(rows, node.Alignments, in.width)
	header := r.row(rows[0], node.Alignments, widths, in, true)
	header.keep = true
	r.cut = append(r.cut, header)
	for i, cells := range rows[1:] {
		row := r.row(cells, node.Alignments, widths, in, false)
		row.header = &header
		row.keep = i == len(rows)-3 || i < len(rows)-2 && len(rows) <= mostTogether
		r.cut = append(r.cut, row)
	}
	r.gap(afterTable)
}

// widths shares the room out: each column has what its longest word needs, and of the rest what its
// longest line would want; what that leaves over goes to the columns of texts, in proportion.
func (r *reading) widths(rows [][][]word, align []tables.Alignment, room float64) []float64 {
	columns := len(rows[0])
	least, whole := make([]float64, columns), make([]float64, columns)
	for _, cells := range rows {
		for at, cell := range cells {
			if at >= columns || len(cell) == 0 {
				continue
			}
			narrow, wide := r.page.longest(cell, tableSize)
			least[at], whole[at] = max(least[at], narrow), max(whole[at], wide)
		}
	}
	needed, wanted := 0.0, 0.0
	for at := range columns {
		least[at] = max(least[at]+2*cellSide+0.2, cellLeast)
		whole[at] = max(whole[at]+2*cellSide+0.2, least[at])
		needed, wanted = needed+least[at], wanted+whole[at]
	}
	if wanted <= room {
		texts := 0.0
		for at := range columns {
			if align[at] != tables.AlignRight {
				texts += whole[at]
			}
		}
		for at := range columns {
			if texts == 0 {
				whole[at] *= room / wanted
			} else if align[at] != tables.AlignRight {
				whole[at] *= 1 + (room-wanted)/texts
			}
		}
		return whole
	}
	part := 0.0
	if wanted > needed {
		part = max(0, room-needed) / (wanted - needed)
	}
	for at := range columns {
		least[at] += (whole[at] - least[at]) * part
	}
	return least
}

func (r *reading) row(cells [][]word, align []tables.Alignment, widths []float64, in column, isHeader bool) strip {
	lines := make([][][]piece, len(cells))
	most := 1
	for at, cell := range cells {
		lines[at] = r.page.wrap(cell, widths[at]-2*cellSide, tableSize)
		most = max(most, len(lines[at]))
	}
	height := float64(most)*tableSize*leading + 2*cellAbove
	return strip{height: height, draw: func(y float64) {
		if isHeader {
			r.page.fill(wash())
			r.page.pdf.Rect(in.x, y, in.width, height, "F")
		}
		x := in.x
		for at := range cells {
			for i, pieces := range lines[at] {
				from := x + cellSide
				if align[at] == tables.AlignRight {
					last := pieces[len(pieces)-1]
					from = x + widths[at] - cellSide - last.x - r.page.wide(last.text, last.style, tableSize)
				}
				r.page.write(pieces, from, y+cellAbove+float64(i)*tableSize*leading, tableSize, in.colour)
			}
			x += widths[at]
		}
		colour := line()
		if isHeader {
			colour = blue()
		}
		r.page.pdf.SetDrawColor(colour.red, colour.green, colour.blue)
		r.page.pdf.SetLineWidth(0.2)
		r.page.pdf.Line(in.x, y+height, in.x+in.width, y+height)
	}}
}
