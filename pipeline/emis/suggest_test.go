package emis

import (
	"path"
	"strings"
	"testing"
	"testing/fstest"
)

// The lines for ltcles.yaml name what a file lacks, match the file, and hold none of its text.
func TestLines(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"a.csv", "NHS Number,SNOMED Code,Quince\n9990000018,x,y\n", "practice_code activity_date"},
		{"Z00001.csv", "Quince,SNOMED Code,Date\n9990000018,x,y\n", "nhs_number"},
		{"Z00001.csv", "Quince,Zebedee\n1,2\n", "nhs_number code activity_date"},
		{"Z00001.csv", "NHS Number,Quince,Date\n9990000018,x,y\n", "code"},
		{"Z00001.csv", "NHS Number,Quince\n9990000018,x\n", "code activity_date"},
		{"batch/Z00001.csv", "NHS Number,Quince\n9990000018,x\n", "code"},
		{"Z00001 [1].csv", "Patient Details,,Quince\nNHS Number,Patient Type,Date\n9990000018,,y\n", "code GROUP OF COLUMN 3"},
		{"Z00001.csv", "Patient Details,Quince,LTC 756261000000100\nNHS Number,Date,Date\n9990000018,,y\n", "GROUP OF COLUMN 2"},
		{"Z00001.csv", "NHS Number,SNOMED Code,Date\n9990000018,x,y\n", ""},
		{"Z00001.csv", "\n", ""},
		{"Z00001.csv", "Population Count,1\n", ""},
		{"Z00001.zip", "PK", ""},
	} {
		inspector := &Inspector{Inbox: fstest.MapFS{tt.name: {Data: []byte(tt.text)}}, Practices: map[string]struct{}{"Z00001": {}}, Book: NewBook(allCodes())}
		file, err := inspector.Inspect(tt.name)
		if err != nil {
			t.Fatal(err)
		}
		lines := file.Lines()
		var got []string
		for line := range strings.Lines(lines) {
			if field, _, ok := strings.Cut(strings.TrimSpace(line), ": [\"THE HEADER OF THE "); ok {
				got = append(got, field)
			}
			if _, group, ok := strings.Cut(line, `"THE NAME OF THE `); ok {
				group, _, _ = strings.Cut(group, `"`)
				got = append(got, group)
			}
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s %q: %q; want lines for %s", tt.name, tt.text, lines, tt.want)
		}
		if strings.Contains(lines, "Quince") || strings.Contains(lines, "Zebedee") {
			t.Errorf("%s: the file's text is in %q", tt.name, lines)
		}
		if matches, err := path.Match(patternOf(tt.name), tt.name); err != nil || !matches {
			t.Errorf("%s does not match its own pattern %s", tt.name, patternOf(tt.name))
		}
	}
}
