package staging

import (
	"errors"
	"io"
	"testing"
)

var errFull = errors.New("no space")

// failing refuses a write of the four bytes that end a Parquet file.
type failing struct{ to io.Writer }

func (f failing) Write(p []byte) (int, error) {
	if string(p) == "PAR1" {
		return 0, errFull
	}
	return f.to.Write(p)
}

func TestTheLastWriteThatFailsIsNoticed(t *testing.T) {
	writer, err := Create(t.TempDir(), KeyOf("a"))
	if err != nil {
		t.Fatal(err)
	}
	writer.output.to = failing{writer.file}
	if _, err := writer.Close(); !errors.Is(err, errFull) {
		t.Errorf("error is %v; expected %v", err, errFull)
	}
}
