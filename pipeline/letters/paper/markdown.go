package paper

import (
	"bytes"
	"fmt"
	"html"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	tables "github.com/yuin/goldmark/extension/ast"
	writer "github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
)

// strips reads the Markdown and cuts it into what is placed on pages.
func (p *page) strips(markdown []byte) ([]strip, error) {
	r := reading{page: p, source: markdown}
	r.blocks(parse(markdown), column{left, width, black()})
	return r.cut, r.err
}

func parse(markdown []byte) ast.Node {
	return goldmark.New(goldmark.WithExtensions(extension.Table)).Parser().Parse(text.NewReader(markdown))
}

// reading cuts one document, until it meets what it does not know.
type reading struct {
	page   *page
	source []byte
	cut    []strip
	err    error
}

// column is where a block stands, and the colour of its text.
type column struct {
	x, width float64
	colour   ink
}

func (c column) indent(by float64) column { return column{c.x + by, c.width - by, c.colour} }

func (r *reading) blocks(parent ast.Node, in column) {
	for node := parent.FirstChild(); node != nil && r.err == nil; node = node.NextSibling() {
		r.block(node, in)
	}
}

func (r *reading) block(node ast.Node, in column) {
	switch node := node.(type) {
	case *ast.Heading:
		r.heading(node, in)
	case *ast.Paragraph, *ast.TextBlock:
		from := len(r.cut)
		r.lines(node, in, bodySize)
		if node.Kind() == ast.KindParagraph {
			r.gap(2.2)
		}
		if next := node.NextSibling(); next != nil && next.Kind() == tables.KindTable {
			r.keep(from) // what leads to a table stands above it
		}
	case *ast.List:
		r.list(node, in)
	case *ast.Blockquote:
		r.note(node, in)
	case *tables.Table:
		r.table(node, in)
	case *ast.ThematicBreak:
		r.cut = append(r.cut, strip{height: 4, draw: func(y float64) { r.page.rule(y+1.5, line()) }})
	case *ast.LinkReferenceDefinition: // its target is not printed
	default:
		r.refuse(node)
	}
}

// refuse stops the reading at something that would be left out.
func (r *reading) refuse(node ast.Node) {
	if r.err != nil {
		return
	}
	what := map[ast.NodeKind]string{
		ast.KindImage: "an image", ast.KindHTMLBlock: "HTML", ast.KindRawHTML: "HTML", ast.KindCodeBlock: "a block of code (a line indented by four blanks is one)",
		ast.KindFencedCodeBlock: "a block of code", ast.KindHeading: "a heading below the third level",
	}[node.Kind()]
	if what == "" {
		what = "a " + node.Kind().String()
	}
	near := ""
	if node.Type() == ast.TypeBlock && node.Lines().Len() > 0 {
		first := node.Lines().At(0)
		near = strings.TrimSpace(string(first.Value(r.source)))
	} else if parent := node.Parent(); parent != nil && parent.Type() == ast.TypeBlock && parent.Lines().Len() > 0 {
		first := parent.Lines().At(0)
		near = strings.TrimSpace(string(first.Value(r.source)))
	}
	r.err = UnprintableError{What: what, Near: near}
}

func (r *reading) gap(height float64) { r.cut = append(r.cut, strip{height: height}) }

func (r *reading) heading(node *ast.Heading, in column) {
	var size, before, after float64
	switch node.Level {
	case 1:
		size, before, after = 17, 0, 3
	case 2:
		size, before, after = 12, 3, 1.6
	case 3:
		size, before, after = bodySize, 1, 0.8
	default:
		r.refuse(node)
		return
	}
	r.gap(before)
	from := len(r.cut)
	in.colour = blue()
	r.set(r.words(node, bold), in, size)
	r.gap(after)
	r.keep(from)
}

// keep has the strips from here on stand on one page with what follows.
func (r *reading) keep(from int) {
	for i := from; i < len(r.cut); i++ {
		r.cut[i].keep = true
	}
}

// lines sets a paragraph, and keeps its first two lines and its last two together.
func (r *reading) lines(node ast.Node, in column, size float64) {
	from := len(r.cut)
	r.set(r.words(node, regular), in, size)
	if n := len(r.cut); n-from >= 2 {
		r.cut[from].keep, r.cut[n-2].keep = true, true
	}
}

func (r *reading) list(node *ast.List, in column) {
	number := node.Start
	for item := node.FirstChild(); item != nil && r.err == nil; item = item.NextSibling() {
		mark := "•"
		if node.IsOrdered() {
			mark = fmt.Sprintf("%d.", number)
			number++
		}
		from := len(r.cut)
		r.blocks(item, in.indent(6))
		for from < len(r.cut) && r.cut[from].draw == nil {
			from++
		}
		if from < len(r.cut) {
			text := r.cut[from].draw
			r.cut[from].draw = func(y float64) {
				r.page.font(regular, bodySize, in.colour)
				r.page.pdf.Text(in.x+1.5, baseline(y, bodySize), mark)
				text(y)
			}
		}
		if node.IsTight {
			r.gap(0.9)
		}
	}
	if node.IsTight {
		r.gap(1.6)
	}
}

// note sets a block quote on a wash, with a bar at its left.
func (r *reading) note(node ast.Node, in column) {
	from := len(r.cut)
	r.gap(2.4)
	r.blocks(node, column{in.x + 5, in.width - 9, in.colour})
	if last := len(r.cut) - 1; r.cut[last].draw == nil {
		r.cut[last].height = 2.4 // in the place of the paragraph's own gap
	}
	for i := from; i < len(r.cut); i++ {
		inner, height := r.cut[i].draw, r.cut[i].height
		r.cut[i].keep = i < len(r.cut)-1
		r.cut[i].draw = func(y float64) {
			r.page.fill(wash())
			r.page.pdf.Rect(in.x, y, in.width, height, "F")
			r.page.fill(blue())
			r.page.pdf.Rect(in.x, y, 1.1, height, "F")
			if inner != nil {
				inner(y)
			}
		}
	}
	r.gap(3)
}

// word is a run of letters in one style, without the blank before it.
type word struct {
	text   string
	style  string
	joined bool // no blank before it
	broken bool // a line ends after it
}

// words reads the text of a block.
func (r *reading) words(block ast.Node, style string) []word {
	var all []word
	blank := true
	var read func(parent ast.Node, style string)
	add := func(text, style string) {
		text = r.page.printer.printable(text)
		for i, part := range strings.Split(text, " ") {
			if i > 0 {
				blank = true
			}
			if part != "" {
				all = append(all, word{text: part, style: style, joined: !blank})
				blank = false
			}
		}
	}
	read = func(parent ast.Node, style string) {
		for node := parent.FirstChild(); node != nil; node = node.NextSibling() {
			switch node := node.(type) {
			case *ast.Text:
				add(r.plain(node.Value(r.source)), style)
				if node.SoftLineBreak() || node.HardLineBreak() {
					blank = true
				}
				if node.HardLineBreak() && len(all) > 0 {
					all[len(all)-1].broken = true
				}
			case *ast.String:
				add(string(node.Value), style)
			case *ast.Emphasis:
				within := bold
				if node.Level == 1 && style != bold {
					within = italic
				}
				read(node, within)
			case *ast.CodeSpan, *ast.Link:
				read(node, style)
			case *ast.AutoLink:
				add(string(node.Label(r.source)), style)
			default:
				r.refuse(node)
			}
		}
	}
	read(block, style)
	return all
}

// plain is the text that Markdown stands for: without the backslashes that escape, and with the
// characters that entities name. goldmark resolves both in writing HTML only.
func (r *reading) plain(raw []byte) string {
	var out bytes.Buffer
	buffer := &asWriter{&out}
	writer.DefaultWriter.Write(buffer, raw)
	return html.UnescapeString(out.String())
}
