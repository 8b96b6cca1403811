package snomed

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// kind is one of RF2's kinds of files.
type kind uint8

const (
	concepts kind = iota
	descriptions
	associations
	reasons
	languages
)

// prefix is what the names of a kind's files begin with.
func (k kind) prefix() string {
	switch k {
	case concepts:
		return "sct2_Concept_"
	case descriptions:
		return "sct2_Description_"
	case associations:
		return "der2_cRefset_Association"
	case reasons:
		return "der2_cRefset_AttributeValue"
	}
	return "der2_cRefset_Language"
}

func (k kind) columns() []string {
	columns := []string{"id", "effectiveTime", "active", "moduleId"}
	switch k {
	case concepts:
		return append(columns, "definitionStatusId")
	case descriptions:
		return append(columns, "conceptId", "languageCode", "typeId", "term", "caseSignificanceId")
	case associations:
		return append(columns, "refsetId", "referencedComponentId", "targetComponentId")
	case reasons:
		return append(columns, "refsetId", "referencedComponentId", "valueId")
	}
	return append(columns, "refsetId", "referencedComponentId", "acceptabilityId")
}

// isOptional: without a reason, or a preferred term, a code's standing is known all the same.
func (k kind) isOptional() bool { return k == reasons || k == languages }

// Concepts of SNOMED CT's own model that RF2 files name.
const (
	synonym            = "900000000000013009"
	fullySpecified     = "900000000000003001"
	isPreferredIn      = "900000000000548007"
	inactivationRefset = "900000000000489007"
	movedFrom          = "900000000000525002"
)

// associationName names the historical association reference sets; empty for another one.
func associationName(refset string) string {
	switch refset {
	case "900000000000523009":
		return "POSSIBLY EQUIVALENT TO"
	case "900000000000524003":
		return "MOVED TO"
	case movedFrom:
		return "MOVED FROM"
	case "900000000000526001":
		return "REPLACED BY"
	case "900000000000527005":
		return "SAME AS"
	case "900000000000528000":
		return "WAS A"
	case "900000000000529008":
		return "SIMILAR TO"
	case "900000000000530003":
		return "ALTERNATIVE"
	}
	return ""
}

const preferredNowhere = 9

// languageRank orders the language reference sets: the NHS's words, then British, then American
// English, then any.
func languageRank(refset string) int {
	switch refset {
	case "999001261000000100": // NHS realm, clinical part
		return 0
	case "900000000000508004": // Great Britain
		return 1
	case "900000000000509007": // United States
		return 2
	}
	return 3
}

// row is the fields of a row that is kept.
type row []string

func (r row) isActive() bool { return r[2] == "1" }

// FormatError is a file that is not what RF2 says.
type FormatError struct {
	File            string
	Line            int
	Found, Expected string
}

func (e FormatError) Error() string {
	return fmt.Sprintf("%s:%d: %s; expected %s", e.File, e.Line, e.Found, e.Expected)
}

// longestLine is far more than any term can be long.
const longestLine = 1 << 20

// newest reads files of one kind and keeps, by its id, the newest row of each component that is
// wanted. Rows of one id and time are the same; were they not, the first by file name would count.
func newest(r *reading, k kind, files []source, wanted func(fields [][]byte) bool) map[string]row {
	kept := map[string]row{}
	for _, file := range files {
		if r.err != nil {
			return nil
		}
		r.release.Files = append(r.release.Files, file.name)
		r.err = eachRow(r, file, k, func(line int, fields [][]byte) error {
			if !wanted(fields) {
				return nil
			}
			if before, ok := kept[string(fields[0])]; ok && before[1] >= string(fields[1]) {
				return nil
			}
			found := make(row, len(fields))
			for i, field := range fields {
				found[i] = string(field)
			}
			kept[found[0]] = found
			return found.check(file.name, line)
		})
	}
	return kept
}

// check looks at what the reading of a row rests on.
func (r row) check(file string, line int) error {
	switch {
	case len(r[1]) != len("20260401") || strings.Trim(r[1], "0123456789") != "":
		return FormatError{file, line, fmt.Sprintf("effectiveTime %q", r[1]), "yyyymmdd"}
	case r[2] != "0" && r[2] != "1":
		return FormatError{file, line, fmt.Sprintf("active %q", r[2]), "0 or 1"}
	}
	for _, field := range r {
		if !utf8.ValidString(field) {
			return FormatError{file, line, "text that is not UTF-8", "UTF-8"}
		}
	}
	return nil
}

// eachRow reads a file line by line: release files are hundreds of megabytes. The fields are valid
// until see returns. RF2 has no quoting, so that a quotation mark is a character like any other.
func eachRow(r *reading, file source, k kind, see func(line int, fields [][]byte) error) (err error) {
	from, err := file.open()
	if err != nil {
		return fmt.Errorf("open %s: %w", file.name, err)
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	lines := bufio.NewScanner(from)
	lines.Buffer(make([]byte, 64<<10), longestLine)
	fields := make([][]byte, len(k.columns()))
	at := 0
	for lines.Scan() {
		at++
		line := lines.Bytes()
		if at == 1 {
			if err := checkHeader(file.name, line, k); err != nil {
				return err
			}
			continue
		}
		if at%100_000 == 0 && r.ctx.Err() != nil {
			return r.ctx.Err()
		}
		if len(line) == 0 {
			continue
		}
		if tabs := bytes.Count(line, []byte{'\t'}); tabs != len(fields)-1 {
			return FormatError{file.name, at, fmt.Sprintf("%d fields", tabs+1), fmt.Sprint(len(fields))}
		}
		for i := range fields {
			fields[i], line, _ = bytes.Cut(line, []byte{'\t'})
		}
		if err := see(at, fields); err != nil {
			return err
		}
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return FormatError{file.name, at + 1, "a line of more than 1 MB", "one row on each line"}
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("read %s: the archive ends too early; fetch it again", file.name)
	case err != nil:
		return fmt.Errorf("read %s: %w", file.name, err)
	case at == 0:
		return FormatError{file.name, 1, "an empty file", "the header " + strings.Join(k.columns(), " ")}
	}
	return nil
}

func checkHeader(name string, line []byte, k kind) error {
	text := strings.TrimPrefix(string(line), "\ufeff")
	if text == strings.Join(k.columns(), "\t") {
		return nil
	}
	if len(text) > 200 {
		text = text[:200] + "…"
	}
	return FormatError{name, 1, fmt.Sprintf("the header %q", text), strings.Join(k.columns(), " ") + ", with tabs between them"}
}
