package dictionary_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"html"
	"io"
	"regexp"
	"strings"
	"testing"

	"ltcles/pipeline/dictionary"
	"ltcles/pipeline/schema"
)

func written(t *testing.T, write func(io.Writer) error) string {
	t.Helper()
	var out strings.Builder
	if err := write(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// All that is defined is in each form, and in its own words.
func TestNothingIsLeftOut(t *testing.T) {
	page := html.UnescapeString(written(t, dictionary.HTML))
	for name, text := range map[string]string{
		"markdown": strings.ReplaceAll(written(t, dictionary.Markdown), `\|`, "|"),
		"html":     strings.NewReplacer("<code>", "`", "</code>", "`").Replace(page),
	} {
		expect := func(what, part string) {
			if !strings.Contains(text, part) {
				t.Errorf("%s lacks %s: %s", name, what, part)
			}
		}
		for _, table := range schema.Tables() {
			expect("the grain of "+table.Name, "One row per "+table.Grain)
			for _, c := range table.Columns {
				expect(table.Name, "`"+c.Name+"`")
				expect(table.Name+"."+c.Name, c.Meaning)
				expect(table.Name+"."+c.Name, "`"+c.Example+"`")
				for _, value := range c.Values {
					expect(table.Name+"."+c.Name, "`"+value+"`")
				}
			}
		}
		for _, r := range schema.Relationships() {
			expect(r.Table, "Names a row of `"+r.ToTable+"."+r.ToColumn+"`")
		}
		for _, c := range schema.Cautions() {
			expect(c.Title, c.Text)
		}
		for _, r := range schema.Rules() {
			expect(r.Name, r.Meaning)
		}
		for _, d := range schema.Dispositions() {
			expect(d.Name, d.Meaning)
		}
		for _, f := range schema.Findings() {
			expect(f.Name, f.Meaning)
			expect(f.Name, f.Fix)
		}
	}
}

func TestCSVHasALineForEachColumn(t *testing.T) {
	lines, err := csv.NewReader(strings.NewReader(written(t, dictionary.CSV))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := 1
	for _, table := range schema.Tables() {
		for _, c := range table.Columns {
			if got := lines[at]; got[0] != table.Name || got[3] != c.Name || got[4] != string(c.Type) || got[8] != c.Meaning {
				t.Errorf("line %d is %v; expected %s.%s", at+1, got, table.Name, c.Name)
			}
			at++
		}
	}
	if len(lines) != at {
		t.Errorf("%d lines; expected %d", len(lines), at)
	}
	for _, line := range lines {
		if line[0] == "fact_segment_count" && line[3] == "segment" {
			if want := "dim_segment.segment"; line[12] != want || line[5] != "true" || !strings.HasPrefix(line[10], "An assessed patient is in every segment") {
				t.Errorf("the segment of fact_segment_count is described by %v", line)
			}
		}
	}
}

// The page loads nothing, runs nothing, and its own style is the one that its policy lets through.
func TestPageNeedsNothingBesides(t *testing.T) {
	page := written(t, dictionary.HTML)
	style := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(page)
	policy := regexp.MustCompile(`Content-Security-Policy" content="([^"]*)"`).FindStringSubmatch(page)
	if style == nil || policy == nil {
		t.Fatal("no style, or no policy")
	}
	sum := sha256.Sum256([]byte(style[1]))
	want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'"
	if got := html.UnescapeString(policy[1]); got != want {
		t.Errorf("policy is %s; expected %s", got, want)
	}
	for _, not := range []string{"<script", "<link", "<img", "src=", "url(", "http:", "https:", "style=", "onclick"} {
		if strings.Contains(page, not) {
			t.Errorf("the page holds %s", not)
		}
	}
	ids := map[string]int{}
	for _, id := range regexp.MustCompile(` id="([^"]+)"`).FindAllStringSubmatch(page, -1) {
		if ids[id[1]]++; ids[id[1]] > 1 {
			t.Errorf("id %s is there twice", id[1])
		}
	}
	for _, link := range regexp.MustCompile(` (?:href="#|aria-labelledby=")([^"]+)"`).FindAllStringSubmatch(page, -1) {
		if ids[link[1]] == 0 {
			t.Errorf("nothing has the id %s", link[1])
		}
	}
	wellFormed(t, page)
}

// wellFormed checks that what is opened is closed, and that every table has a caption and headers.
func wellFormed(t *testing.T, page string) {
	page = regexp.MustCompile(`<meta [^>]*>`).ReplaceAllString(page, "") // has no end
	decoder := xml.NewDecoder(strings.NewReader(page))
	decoder.Entity = xml.HTMLEntity
	captions, tables := 0, 0
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("the page is not well formed: %v", err)
		}
		start, ok := token.(xml.StartElement)
		switch {
		case ok && start.Name.Local == "table":
			tables++
		case ok && start.Name.Local == "caption":
			captions++
		case ok && start.Name.Local == "th":
			if len(start.Attr) != 1 || start.Attr[0].Name.Local != "scope" {
				t.Errorf("a header cell has the attributes %v; expected its scope", start.Attr)
			}
		}
	}
	if want := len(schema.Tables()) + 4; tables != want || captions != tables {
		t.Errorf("%d tables, %d captions; expected %d", tables, captions, want)
	}
}

// Every table of the markdown has as many cells in each row as in its head.
func TestMarkdownRowsAreWhole(t *testing.T) {
	width, rows := 0, 0
	for _, line := range strings.Split(written(t, dictionary.Markdown), "\n") {
		if !strings.HasPrefix(line, "|") {
			width = 0
			continue
		}
		cells := strings.Count(strings.ReplaceAll(line, `\|`, ""), "|")
		if width == 0 {
			width = cells
		}
		if rows++; cells != width || !strings.HasSuffix(line, "|") {
			t.Errorf("a row has %d cells; expected %d: %s", cells-1, width-1, line)
		}
	}
	if rows < 200 {
		t.Errorf("%d rows", rows)
	}
}
