package paper

import "bytes"

// asWriter is a buffer with the methods that goldmark's writers ask for.
type asWriter struct{ *bytes.Buffer }

func (asWriter) Available() int { return 0 }
func (asWriter) Buffered() int  { return 0 }
func (asWriter) Flush() error   { return nil }

// piece is words of one style that stand on a line together.
type piece struct {
	text  string
	style string
	x     float64 // from the left of the line
}

// set breaks words into lines and adds a strip for each.
func (r *reading) set(words []word, in column, size float64) {
	for _, pieces := range r.page.wrap(words, in.width, size) {
		r.cut = append(r.cut, strip{height: size * leading, draw: func(y float64) {
			r.page.write(pieces, in.x, y, size, in.colour)
		}})
	}
}

func (p *page) write(pieces []piece, x, y, size float64, colour ink) {
	for _, each := range pieces {
		p.font(each.style, size, colour)
		p.pdf.Text(x+each.x, baseline(y, size), each.text)
	}
}

// baseline is where the letters of a line stand that begins at y.
func baseline(y, size float64) float64 { return y + size*leading*0.74 }

// wrap breaks words into lines that are no wider than the room, but for a word that is wider.
func (p *page) wrap(words []word, room, size float64) [][]piece {
	var lines [][]piece
	var line []piece
	used := 0.0
	for i := 0; i < len(words); {
		// What is joined is not parted: "(", the bold word in it, and ")".
		end := i + 1
		for end < len(words) && words[end].joined {
			end++
		}
		wide := 0.0
		for _, each := range words[i:end] {
			wide += p.wide(each.text, each.style, size)
		}
		blank := 0.0
		if len(line) > 0 {
			blank = p.wide(" ", line[len(line)-1].style, size)
		}
		if len(line) > 0 && used+blank+wide > room {
			lines, line, used, blank = append(lines, line), nil, 0, 0
		}
		for at, each := range words[i:end] {
			before := blank
			if at > 0 {
				before = 0
			}
			line = join(line, each, used+before, before > 0)
			used += before + p.wide(each.text, each.style, size)
		}
		if words[end-1].broken {
			lines, line, used = append(lines, line), nil, 0
		}
		i = end
	}
	if len(line) > 0 {
		lines = append(lines, line)
	}
	return lines
}

// join puts a word at the end of a line, into the piece before it where that has its style.
func join(line []piece, next word, x float64, isApart bool) []piece {
	if n := len(line); n > 0 && line[n-1].style == next.style {
		if isApart {
			line[n-1].text += " "
		}
		line[n-1].text += next.text
		return line
	}
	return append(line, piece{next.text, next.style, x})
}

func (p *page) wide(text, style string, size float64) float64 {
	p.pdf.SetFont(family, style, size)
	return p.pdf.GetStringWidth(text)
}

// longest is the width of the widest word, and of all of them on one line.
func (p *page) longest(words []word, size float64) (least, whole float64) {
	for _, pieces := range p.wrap(words, 0, size) {
		wide := 0.0
		for _, each := range pieces {
			wide = each.x + p.wide(each.text, each.style, size)
		}
		least = max(least, wide)
	}
	for _, pieces := range p.wrap(words, 1e6, size) {
		last := pieces[len(pieces)-1]
		whole = max(whole, last.x+p.wide(last.text, last.style, size))
	}
	return least, whole
}
