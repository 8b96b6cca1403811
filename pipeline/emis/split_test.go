package emis

import (
	"strings"
	"testing"
)

func TestSplit(t *testing.T) {
	for name, text := range map[string]struct {
		text     string
		encoding Encoding
		want     int64
	}{
		"nothing":                  {"", UTF8, 0},
		"preamble and blank lines": {"Title,,\r\n,,\r\n\r\nNHS Number,Date,Code\r\n1,2,3\r\n", UTF8, 5},
		"no last line end":         {"a,b\nc,\"d, e\"", UTF8, 2},
		"a byte order mark":        {"\ufeffa,b\n", UTF8BOM, 1},
		"a quote left open":        {"a,\"b\nc,d\n", UTF8, 2},
		"not UTF-8":                {"\xa3,b\nc,d\n", Windows1252, 2},
	} {
		if got, err := Split(strings.NewReader(text.text), text.encoding, ','); got != text.want || err != nil {
			t.Errorf("%s: %d records, %v; expected %d", name, got, err, text.want)
		}
	}
	if _, err := Split(strings.NewReader(strings.Repeat("x", 2<<20)), UTF8, ','); err == nil {
		t.Error("a line of 2 MiB is split without a word")
	}
}
