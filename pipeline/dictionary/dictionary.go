// Package dictionary writes down what the published tables mean: their grain, columns and
// relationships, the rules, dispositions and findings. It knows the definition in
// ltcles/pipeline/schema and nothing besides; it never opens what is published.
package dictionary

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/csv"
	"fmt"
	"html/template"
	"io"
	"strconv"
	"strings"
	texttemplate "text/template"

	"ltcles/pipeline/schema"
)

//go:embed dictionary.md.tmpl
var markdownText string

//go:embed dictionary.html.tmpl
var htmlText string

//go:embed dictionary.css
var style string

// Markdown writes the dictionary for people who read texts.
func Markdown(to io.Writer) error {
	t, err := texttemplate.New("dictionary.md").Funcs(texttemplate.FuncMap{"cell": markdownCell, "key": keyWord}).Parse(markdownText)
	if err != nil {
		return fmt.Errorf("write dictionary: %w", err)
	}
	return write(to, t.Execute)
}

// HTML writes the dictionary as one page that needs nothing besides.
func HTML(to io.Writer) error {
	t, err := template.New("dictionary.html").Funcs(template.FuncMap{"key": keyWord, "rules": schema.RulesOf}).Parse(htmlText)
	if err != nil {
		return fmt.Errorf("write dictionary: %w", err)
	}
	return write(to, t.Execute)
}

// CSV writes one line for each column of each table.
func CSV(to io.Writer) error {
	out := csv.NewWriter(to)
	lines := [][]string{{"table", "grain", "position", "column", "type", "key", "nullable", "values", "meaning", "rule", "rule_meaning", "example", "references"}}
	for _, t := range tables() {
		for i, c := range t.Columns {
			lines = append(lines, []string{
				t.Name, "one row per " + t.Grain, strconv.Itoa(i + 1), c.Name, string(c.Type), strconv.FormatBool(c.Key), strconv.FormatBool(c.Nullable),
				strings.Join(c.Values, " | "), c.Meaning, c.Rule, c.ruleMeaning(), c.Example, c.References,
			})
		}
	}
	if err := out.WriteAll(lines); err != nil {
		return fmt.Errorf("write dictionary: %w", err)
	}
	return nil
}

func write(to io.Writer, execute func(io.Writer, any) error) error {
	var page bytes.Buffer // so that nothing half made is written
	if err := execute(&page, content()); err != nil {
		return fmt.Errorf("write dictionary: %w", err)
	}
	_, err := page.WriteTo(to)
	return err
}

// page is what the templates show.
type page struct {
	Style        template.CSS
	StyleHash    string // for the page's own policy: no other style applies
	Tables       []table
	Joins        []schema.Relationship
	Cautions     []schema.Caution
	Rules        []schema.Rule
	Dispositions []schema.Disposition
	Findings     []schema.Check
}

type table struct {
	schema.Table
	Columns []column // with what each refers to
}

type column struct {
	schema.Column
	References string // the column of another table, or empty
}

func content() page {
	sum := sha256.Sum256([]byte(style))
	return page{
		Style:        template.CSS(style),
		StyleHash:    "sha256-" + base64.StdEncoding.EncodeToString(sum[:]),
		Tables:       tables(),
		Joins:        schema.Relationships(),
		Cautions:     schema.Cautions(),
		Rules:        schema.Rules(),
		Dispositions: schema.Dispositions(),
		Findings:     schema.Findings(),
	}
}

func tables() []table {
	references := map[string]string{}
	for _, r := range schema.Relationships() {
		references[r.Table+"."+r.Column] = r.ToTable + "." + r.ToColumn
	}
	var all []table
	for _, t := range schema.Tables() {
		described := table{Table: t}
		for _, c := range t.Columns {
			described.Columns = append(described.Columns, column{c, references[t.Name+"."+c.Name]})
		}
		all = append(all, described)
	}
	return all
}

func (c column) ruleMeaning() string {
	var meanings []string
	for _, rule := range schema.RulesOf(c.Rule) {
		meanings = append(meanings, rule.Meaning)
	}
	return strings.Join(meanings, " ")
}

// keyWord says whether a column is part of the key, and whether it may be null.
func keyWord(c column) string {
	switch {
	case c.Key && c.Nullable:
		return "key, may be null"
	case c.Key:
		return "key"
	case c.Nullable:
		return "may be null"
	}
	return ""
}

// markdownCell keeps a text within its cell.
func markdownCell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }
