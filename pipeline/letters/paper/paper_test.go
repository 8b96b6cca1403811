package paper

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"codeberg.org/go-pdf/fpdf"
)

// What Markdown stands for is what is printed, each word in its style.
func TestWords(t *testing.T) {
	for markdown, want := range map[string]string{
		"plain text":                        "plain text",
		`a \*star\* and a \| bar \& 1\. x`:  "a *star* and a | bar & 1. x",
		"&pound;5 &lt;b&gt; \\&amp;":        "£5 <b> &amp;",
		"**bold** (**inside**), *slanted*.": "[B]bold ([B]inside ), [I]slanted .",
		"a\nb  \nc":                         "a b c",
		"−£1,234.56 × 2 ÷ 3 – ‘ŵ’":          "−£1,234.56 × 2 ÷ 3 – ‘ŵ’",
		"漢 🙂 end":                           "? ? end",
		"<https://example.org> [x](y)":      "https://example.org x",
	} {
		p := testPage(t)
		r := reading{page: p, source: []byte(markdown)}
		var got []string
		for _, each := range r.words(parse([]byte(markdown)).FirstChild(), regular) {
			text := each.text
			if each.style != regular {
				text = "[" + each.style + "]" + text
			}
			got = append(got, text)
		}
		if text := strings.ReplaceAll(strings.Join(got, " "), "( ", "("); text != want || r.err != nil {
			t.Errorf("%q reads %q, %v; want %q", markdown, text, r.err, want)
		}
	}
}

// No line is wider than its room, and nothing is lost in breaking lines.
func TestWrap(t *testing.T) {
	p := testPage(t)
	text := strings.Repeat("Some words of **several** lengths, incomprehensibility (*among* them) and £1,234.56. ", 20)
	r := reading{page: p, source: []byte(text)}
	words := r.words(parse([]byte(text)).FirstChild(), regular)
	for _, room := range []float64{40, 83, 166} {
		var read []string
		for _, pieces := range p.wrap(words, room, bodySize) {
			var line strings.Builder
			for _, each := range pieces {
				if line.Len() > 0 && each.x > 0 && !strings.HasPrefix(each.text, ")") && !strings.HasSuffix(line.String(), "(") {
					line.WriteByte(' ')
				}
				line.WriteString(each.text)
				if right := each.x + p.wide(each.text, each.style, bodySize); right > room+0.01 {
					t.Errorf("%q ends at %.2f of %.2f", each.text, right, room)
				}
			}
			read = append(read, line.String())
		}
		want := strings.NewReplacer("*", "").Replace(strings.TrimSpace(text))
		if got := strings.Join(read, " "); strings.ReplaceAll(got, " ", "") != strings.ReplaceAll(want, " ", "") {
			t.Errorf("at %.0f: %q", room, got)
		}
	}
}

// Strips stand one below the other, inside the page, in order; what is kept together is; the header
// of a table stands on each of its pages.
func TestPlace(t *testing.T) {
	p := testPage(t)
	type drawn struct {
		page int
		y    float64
		name string
	}
	var all []drawn
	draw := func(name string) func(float64) {
		return func(y float64) { all = append(all, drawn{p.pdf.PageNo(), y, name}) }
	}
	header := strip{height: 6, draw: draw("header"), keep: true}
	strips := []strip{{height: 100, draw: draw("a")}, {height: 60, draw: draw("b")}, {height: 5, draw: draw("heading"), keep: true}, {height: 200, draw: draw("body")}, header}
	for i := range 60 {
		strips = append(strips, strip{height: 6, draw: draw(fmt.Sprint("row", i)), header: &header})
	}
	p.place(strips)
	at := map[string]int{}
	headers := map[int]int{}
	for i, each := range all {
		at[each.name] = each.page
		if each.name == "header" {
			headers[each.page]++
		}
		if each.y < top || each.y > bottom {
			t.Errorf("%s at %.1f", each.name, each.y)
		}
		if i > 0 && all[i-1].page == each.page && all[i-1].y >= each.y {
			t.Errorf("%s does not stand below %s", each.name, all[i-1].name)
		}
	}
	if at["heading"] != at["body"] || at["heading"] != at["b"]+1 {
		t.Errorf("the heading is on page %d, its text on %d", at["heading"], at["body"])
	}
	if at["row59"] <= at["row0"]+1 {
		t.Fatalf("the table ends on page %d; it should reach over three", at["row59"])
	}
	for page := at["row0"]; page <= at["row59"]; page++ {
		if headers[page] != 1 {
			t.Errorf("page %d has %d headers", page, headers[page])
		}
	}
}

func TestPrintIsTheSameEachTime(t *testing.T) {
	printer, err := NewPrinter()
	if err != nil {
		t.Fatal(err)
	}
	sheet := Sheet{Title: "A letter", Date: time.Date(2027, 4, 12, 0, 0, 0, 0, time.UTC), Left: strings.Repeat("long ", 80), Right: "Provisional", Foot: "As at"}
	markdown := []byte("# A\n\n> Note **b**\n\n1. x\n2. y\n\n---\n\n| a | b |\n|---|---:|\n" + strings.Repeat("| row | £1.00 |\n", 120))
	var first bytes.Buffer
	for i := range 10 {
		var again bytes.Buffer
		if err := printer.Print(&again, sheet, markdown); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = again
		} else if !bytes.Equal(first.Bytes(), again.Bytes()) {
			t.Fatal("the bytes differ")
		}
	}
	for _, part := range []string{"%PDF-1.3", "/Lang (en-GB)", "/Count 4", "D:20270412000000"} {
		if !bytes.Contains(first.Bytes(), []byte(part)) {
			t.Errorf("the file lacks %s", part)
		}
	}
}

func testPage(t *testing.T) *page {
	t.Helper()
	printer, err := NewPrinter()
	if err != nil {
		t.Fatal(err)
	}
	p := &page{pdf: fpdf.New("P", "mm", "A4", ""), printer: printer}
	p.addFonts()
	return p
}
