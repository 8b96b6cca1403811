package emis

import (
	"fmt"
	"strconv"
	"strings"
)

// Lines are one entry of the layouts: of ltcles.yaml, which would have more of the
// file read once a person has put the file's own words in the place of those in
// capitals; "" where there is nothing to add. No text of the file is in them.
func (f *File) Lines() string {
	var lines strings.Builder
	if len(f.lacking) > 0 {
		lines.WriteString("    headers:\n")
		for _, field := range f.lacking {
			fmt.Fprintf(&lines, "      %s: [\"THE HEADER OF THE %s COLUMN\"]", field, strings.ToUpper(strings.ReplaceAll(string(field), "_", " ")))
			if field == NHSNumber {
				lines.WriteString(" # or emis_number")
			}
			lines.WriteString("\n")
		}
	}
	if f.layout != nil && f.layout.twoRows && len(f.layout.codeless) > 0 {
		lines.WriteString("    groups:\n")
		for _, g := range f.layout.codeless {
			fmt.Fprintf(&lines, "      \"THE NAME OF THE GROUP OF COLUMN %d\": THE CODE THAT IT STANDS FOR\n", g.activity+1)
		}
	}
	if lines.Len() == 0 {
		return ""
	}
	return fmt.Sprintf("  - files: %s\n%s", strconv.Quote(patternOf(f.Name)), lines.String())
}

// patternOf is the pattern that matches one file.
func patternOf(name string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(name)
}

// lacking are the fields that a file of a kind needs and its header does not have,
// as far as more headers could mean them.
func (l *layout) lacking(f *File) []Field {
	var fields []Field
	if l.column(PracticeCode) < 0 && f.Practice == "" {
		fields = append(fields, PracticeCode)
	}
	if l.column(NHSNumber) < 0 && l.column(EMISNumber) < 0 {
		fields = append(fields, NHSNumber)
	}
	if len(l.groups) == 0 {
		fields = append(fields, Code)
	}
	if f.Kind == OtherKind && len(l.codeless) == 0 || f.Kind == SearchExport && l.groups[0].activity < 0 {
		fields = append(fields, ActivityDate)
	}
	return fields
}

// lackingAll are the fields that a file without a known header lacks.
func lackingAll(f *File) []Field {
	fields := []Field{NHSNumber, Code, ActivityDate}
	if f.Practice == "" {
		fields = append([]Field{PracticeCode}, fields...)
	}
	return fields
}
