package workspace

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"ltcles/pipeline/config"
	"ltcles/pipeline/contract"
)

// list is a CSV that a person keeps: comma-separated UTF-8 with one header line. Columns beyond
// the known ones are theirs and are not read.
type list struct {
	config.File
	rows []row
}

type row struct {
	list   *list
	line   int
	fields []string
	column map[string]int
}

func readList(name string, text []byte, columns []string) *list {
	into := &list{File: config.File{Name: name}}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	if !utf8.Valid(text) {
		into.Add(firstInvalid(text), "a character that is not UTF-8", "UTF-8", "save it as CSV UTF-8 (comma delimited)")
		return into
	}
	reader := csv.NewReader(bytes.NewReader(text))
	reader.FieldsPerRecord = -1
	var column map[string]int
	width := 0 // of the header
	for {
		fields, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if parse := new(csv.ParseError); errors.As(err, &parse) {
			into.Add(parse.StartLine, "broken quoting", `a " around a field, and "" for one inside it`, "correct the quotes; the lines after it were not read")
			break
		}
		line, _ := reader.FieldPos(0)
		if column == nil {
			if column = into.header(line, fields, columns); column == nil {
				return into
			}
			width = len(fields)
			continue
		}
		if allBlank(fields) {
			continue // a spreadsheet's empty row
		}
		if len(fields) > width && !allBlank(fields[width:]) {
			into.Add(line, fmt.Sprintf("%d fields", len(fields)), fmt.Sprintf("%d, as the header has", width), `put " around the field that holds a comma`)
			continue
		}
		if needed := slices.Max(slices.Collect(maps.Values(column))) + 1; len(fields) < needed {
			into.Add(line, fmt.Sprintf("%d fields", len(fields)), fmt.Sprintf("%d, as the header has", needed), "add the missing commas or fields")
			continue
		}
		into.rows = append(into.rows, row{into, line, fields, column})
	}
	if column == nil && into.sound() {
		into.Add(1, "an empty file", "the header "+strings.Join(columns, ","), "add it")
	}
	return into
}

// header finds the columns; nil where one is missing or there twice.
func (l *list) header(line int, fields, columns []string) map[string]int {
	column := map[string]int{}
	for i, field := range fields {
		name := strings.ToLower(strings.TrimSpace(field))
		if !slices.Contains(columns, name) {
			continue
		}
		if _, repeated := column[name]; repeated {
			l.Add(line, fmt.Sprintf("column %s is there twice", name), "each column once", "remove one of the two")
		}
		column[name] = i
	}
	if len(column) == 0 {
		l.Add(line, "none of the columns", "the header "+strings.Join(columns, ","), "put the header first, separated by commas")
		return nil
	}
	for _, name := range columns {
		if _, found := column[name]; !found {
			l.Add(line, fmt.Sprintf("no column %s", name), "the header "+strings.Join(columns, ","), "add or rename it, separated by commas")
		}
	}
	if !l.sound() {
		return nil
	}
	return column
}

// of yields the rows of the year. A row whose year cannot be read is a problem.
func (l *list) of(year contract.Year) iter.Seq[row] {
	return func(yield func(row) bool) {
		for _, row := range l.rows {
			stated, err := contract.ParseYear(row.cell("contract_year"))
			if err != nil {
				row.problem(fmt.Sprintf("contract_year %q", row.cell("contract_year")), "a contract year such as "+string(year), "correct it")
			} else if stated == year && !yield(row) {
				return
			}
		}
	}
}

func (l *list) sound() bool { return l.Err() == nil }

func (r row) cell(column string) string { return strings.TrimSpace(r.fields[r.column[column]]) }

func (r row) problem(found, expected, fix string) { r.list.Add(r.line, found, expected, fix) }

func allBlank(fields []string) bool {
	return !slices.ContainsFunc(fields, func(field string) bool { return strings.TrimSpace(field) != "" })
}

func firstInvalid(text []byte) int {
	line := 1
	for len(text) > 0 {
		character, size := utf8.DecodeRune(text)
		if character == utf8.RuneError && size == 1 {
			return line
		}
		if character == '\n' {
			line++
		}
		text = text[size:]
	}
	return line
}
