// Package connect writes down, in the language of each tool, how what is published is opened:
// the snapshot looked up once, so that all tables are of one; typed columns; the relationships
// between tables. It knows the definition in ltcles/pipeline/schema and how each language quotes
// a text; it never opens what is published, and no figure is in what it writes.
//
// Every script reads published/current/manifest.json and then the folder in published/snapshots
// that it names. That holds where current is a link and where it is a directory, and one read of
// one file cannot see half of a publication.
package connect

import (
	"bytes"
	"embed"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/template"

	"ltcles/pipeline/schema"
)

//go:embed *.tmpl
var templates embed.FS

// Source is what a script opens.
type Source struct {
	Published string // the folder published, as the computer that runs the script names it
	History   bool   // every period too, besides the latest
}

// DuckDB writes SQL that makes a view of each table.
func DuckDB(to io.Writer, source Source) error { return write(to, "duckdb.sql.tmpl", source) }

// PowerBI writes M queries, one for each table, as they are pasted into Power Query's list.
func PowerBI(to io.Writer, source Source) error { return write(to, "powerbi.m.tmpl", source) }

// Python writes a module for pandas and Polars.
func Python(to io.Writer, source Source) error { return write(to, "python.py.tmpl", source) }

// R writes functions for arrow and duckdb.
func R(to io.Writer, source Source) error { return write(to, "r.R.tmpl", source) }

// script is what the templates fill in.
type script struct {
	Source
	Cautions      []schema.Caution
	Tables        []table
	Relationships []schema.Relationship
	Sets          []string // "" for the latest periods, "_history" for all
}

func write(to io.Writer, name string, source Source) error {
	t, err := template.New(name).Funcs(template.FuncMap{
		"sql": sqlText, "m": mText, "text": backslashed, "comment": comment, "mType": mType, "keyName": keyName,
	}).ParseFS(templates, name)
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	filled := script{source, schema.Cautions(), tables(), schema.Relationships(), []string{""}}
	if source.History {
		filled.Sets = append(filled.Sets, "_history")
	}
	var text bytes.Buffer // so that nothing half made is written
	if err := t.Execute(&text, filled); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	_, err = text.WriteTo(to)
	return err
}

// table is a table with what Power BI needs besides.
type table struct {
	schema.Table
	Keys []key
	Last string // the name of the query's last step
	// HasPeriod says whether dim_period is to filter the table itself. It filters one that names a
	// row of a fact table through that; a second way to it would be refused.
	HasPeriod bool
}

// key is a column that Power BI needs besides: its relationships are of one column each, and a
// row of a dimension is known by its period and its own key.
type key struct {
	Name  string // practice_key
	Of    string // the expression that it is made of, besides the period
	After string // the name of the step before
}

// tables are the tables with the keys of what they name in others, and of themselves where others
// name them.
func tables() []table {
	var all []table
	for _, described := range schema.Tables() {
		t := table{Table: described, Last: "Typed", HasPeriod: strings.HasPrefix(described.Name, "fact_")}
		for _, r := range schema.Relationships() {
			switch described.Name {
			case r.Table:
				t.key(keyName(r), r.Column)
				t.HasPeriod = t.HasPeriod && !strings.HasPrefix(r.ToTable, "fact_")
			case r.ToTable:
				t.key(keyName(r), r.ToColumn)
			}
		}
		all = append(all, t)
	}
	return all
}

func (t *table) key(name, column string) {
	if slices.ContainsFunc(t.Keys, func(k key) bool { return k.Name == name }) {
		return
	}
	of := "[" + column + "]"
	if c, ok := t.Column(column); ok && c.Type == schema.Date {
		of = `Date.ToText([` + column + `], [Format = "yyyy-MM-dd", Culture = "en-GB"])`
	}
	t.Keys = append(t.Keys, key{Name: name, Of: of, After: t.Last})
	t.Last = name
}

// keyName is the column of both tables that a relationship has in Power BI: practice_key for
// dim_practice.
func keyName(r schema.Relationship) string {
	_, name, _ := strings.Cut(r.ToTable, "_")
	return name + "_key"
}

// sqlText is a text in SQL.
func sqlText(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// mText is a text in M, where #( begins an escape.
func mText(text string) string {
	return `"` + strings.NewReplacer(`"`, `""`, "#(", "#(#)(", "\n", "#(lf)", "\r", "#(cr)").Replace(text) + `"`
}

// backslashed is a text in Python and in R.
func backslashed(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`).Replace(text) + `"`
}

// comment breaks a text into lines that each begin with a mark.
func comment(mark, text string) string {
	var lines []string
	line := mark
	for _, word := range strings.Fields(text) {
		if len(line)+1+len(word) > 100 {
			lines = append(lines, line)
			line = mark
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return strings.Join(append(lines, line), "\n")
}

// mType is a column's type in M.
func mType(kind schema.Type) (string, error) {
	switch kind {
	case schema.Varchar:
		return "type text", nil
	case schema.Bigint:
		return "Int64.Type", nil
	case schema.Double:
		return "type number", nil
	case schema.Boolean:
		return "type logical", nil
	case schema.Date:
		return "type date", nil
	case schema.Money:
		return "Currency.Type", nil
	}
	return "", fmt.Errorf("no type for %s", kind)
}
