package snomed

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
)

// Whatever stands below the header, each line is a row with all its fields, or the file is refused.
func FuzzRows(f *testing.F) {
	for _, text := range []string{
		"", "\r\n", "1\t20240401\t1\t2\t3\r\n", "1\t20240401\t1\t2\t3", "1\t2\t3\t4\r\n", "\t\t\t\t\n\n\"\t\"\t\t\t\r\r\n",
		"1\t20240401\t1\t2\t3\r\n\r\n1\t20240401\t1\t2\t3\t4\r\n", "\xff\t\x00\t\t\t\n", strings.Repeat("x", 70_000) + "\t\t\t\t\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r := &reading{ctx: context.Background(), release: &Release{}}
		header := strings.Join(concepts.columns(), "\t") + "\r\n"
		from := source{"file", func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(header + string(text))), nil }}
		var seen [][]byte
		err := eachRow(r, from, concepts, func(_ int, fields [][]byte) error {
			seen = append(seen, bytes.Join(fields, []byte{'\t'}))
			return nil
		})
		var format FormatError
		if err != nil && !errors.As(err, &format) {
			t.Fatalf("%v is no FormatError", err)
		}
		at := 0
		for line := range bytes.Lines(text) {
			line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte{'\n'}), []byte{'\r'})
			if len(line) == 0 {
				continue
			}
			if at == len(seen) && err != nil {
				return // the line that was refused, or one after it
			}
			if at == len(seen) || !bytes.Equal(seen[at], line) {
				t.Fatalf("row %d is not the line %q", at+1, line)
			}
			at++
		}
		if at != len(seen) || err != nil {
			t.Fatalf("%d rows for %d lines, %v", len(seen), at, err)
		}
	})
}
