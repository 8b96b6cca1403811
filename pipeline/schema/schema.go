// Package schema is the one definition of what is published: the tables with their columns,
// the dispositions of an input row and the data-quality findings. The writer, the verifier and
// the dictionary all read it. It knows names, types and meanings; it refuses to know how a
// value is computed or where a file lies.
package schema

import "strings"

// Type is a column's type, named as DuckDB names it.
type Type string

// The types that a published column may have. There are no others: no HUGEINT, unsigned,
// TIME, LIST, STRUCT or BLOB reaches a reader.
const (
	Varchar Type = "VARCHAR"
	Bigint  Type = "BIGINT"
	Double  Type = "DOUBLE"
	Boolean Type = "BOOLEAN"
	Date    Type = "DATE"
	Money   Type = "DECIMAL(18,2)"
)

// Column is one column of a published table.
type Column struct {
	Name     string
	Type     Type
	Key      bool     // part of what makes a row unique within a contract year
	Nullable bool     // may be null; Meaning says when, where it is not plain
	Values   []string // the only values, where they are a list
	Meaning  string   // one sentence
	Rule     string   // the rule that decides the value, such as R16, or empty
	Example  string
}

// Table is one published table. Every file of it is sorted by SortKey, nulls last.
type Table struct {
	Name    string
	Grain   string // completes "one row per …"
	Columns []Column
}

// Key names the columns that identify a row within one contract year, in order.
func (t Table) Key() []string {
	var names []string
	for _, c := range t.Columns {
		if c.Key {
			names = append(names, c.Name)
		}
	}
	return names
}

// SortKey names the columns that a file is sorted by and that are unique in it: the contract
// year, then the key.
func (t Table) SortKey() []string {
	return append([]string{"contract_year"}, t.Key()...)
}

// Values lists the columns that say something of what the key names: all but the key and the
// columns that every table ends with.
func (t Table) Values() []Column {
	var values []Column
	for _, c := range t.Columns[:len(t.Columns)-len(runColumns())] {
		if !c.Key {
			values = append(values, c)
		}
	}
	return values
}

// Column finds a column by name.
func (t Table) Column(name string) (Column, bool) {
	for _, c := range t.Columns {
		if c.Name == name {
			return c, true
		}
	}
	return Column{}, false
}

// Lookup finds a table by name.
func Lookup(name string) (Table, bool) {
	for _, t := range Tables() {
		if t.Name == name {
			return t, true
		}
	}
	return Table{}, false
}

// Severity levels of a finding.
const (
	Error   = "error"   // figures are missing or not to be relied on until it is mended
	Warning = "warning" // someone should look, and probably mend the record
	Info    = "info"    // for the record; nothing to do
)

// Counts says whether Found follows the number affected: "3 row(s) …".
func (c Check) Counts() bool { return strings.Contains(c.Found, "(s) ") }

// CountsAssessments says whether what is affected is assessments.
func (c Check) CountsAssessments() bool {
	return strings.HasPrefix(c.Found, "assessment(s) ") || strings.HasPrefix(c.Found, "assessed patient(s) ")
}

// AtStake is how many assessments a finding is about: those affected, and the whole target of a
// practice without files; 0 where it is about something else.
func (c Check) AtStake(affected int64, target *int64) int64 {
	switch {
	case c.CountsAssessments():
		return affected
	case c.Name == "practice_no_files" && target != nil:
		return *target
	}
	return 0
}

// CountsFiles says whether what is affected is files.
func (c Check) CountsFiles() bool { return strings.HasPrefix(c.Found, "file(s) ") }

// Check is one data-quality finding that a run can make about a practice.
type Check struct {
	Name     string
	Severity string
	Found    string // what a message says, after the number affected where that is a number of somethings
	Meaning  string // one sentence
	Fix      string // one sentence: what to do, and who does it where that is not plain
}

// Groups of dispositions.
const (
	Kept     = "kept"     // the row counts
	Excluded = "excluded" // a sound row that the rules leave out
	Ignored  = "ignored"  // a row that asks for nothing
	Rejected = "rejected" // someone must mend the source
)

// Disposition is what can become of an input row. Every row has exactly one.
type Disposition struct {
	Name    string
	Group   string
	Meaning string // one sentence
	Rule    string
}
