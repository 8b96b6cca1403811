package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"ltcles/pipeline/spreadsheet"
)

// writeOutput writes to standard output or, where a file is named, whole or not at all to that.
func writeOutput(file string, out io.Writer, write func(to io.Writer) error) error {
	if file == "" {
		return write(out)
	}
	return writeWhole(file, write)
}

// writeWhole writes a file whole or not at all.
func writeWhole(path string, write func(to io.Writer) error) (err error) {
	part, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return usageError{fmt.Errorf("write %s: %w", path, errors.Unwrap(err))}
	}
	defer func() {
		if err != nil {
			os.Remove(part.Name())
		}
	}()
	if err = errors.Join(write(part), part.Chmod(0o644), part.Close()); err == nil {
		err = os.Rename(part.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// writeTable writes lines of cells as CSV, none of which a spreadsheet takes for a formula.
func writeTable(to io.Writer, header []string, lines int, line func(i int) []string) error {
	out := csv.NewWriter(to)
	if err := out.Write(header); err != nil {
		return err
	}
	for i := range lines {
		cells := line(i)
		for at := range cells {
			cells[at] = spreadsheet.Text(cells[at])
		}
		if err := out.Write(cells); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}
