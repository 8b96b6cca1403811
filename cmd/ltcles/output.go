package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"ltcles/pipeline/pseudonym"
	"ltcles/pipeline/spreadsheet"
	"ltcles/pipeline/workspace"
)

// standardOutput is how --output names it.
const standardOutput = "-"

// checkOutput refuses, before anything is computed, a file that cannot be written or that must not
// be: a folder, and what a workspace lives by, of which the key cannot be made again.
func checkOutput(file string) error {
	if file == "" || file == standardOutput {
		return nil
	}
	if info, err := os.Stat(file); err == nil && info.IsDir() {
		return usageError{fmt.Errorf("--output %s is a folder; name a file", file)}
	}
	if _, err := os.Stat(filepath.Dir(file)); err != nil {
		return usageError{fmt.Errorf("write %s: %w", file, errors.Unwrap(err))}
	}
	return checkPlace(file)
}

// checkPlace refuses a file or folder among those that a workspace lives by.
func checkPlace(file string) error {
	part, err := workspace.Owned(file)
	if err != nil {
		return usageError{fmt.Errorf("--output %s: %w", file, err)}
	}
	if part != "" {
		return usageError{fmt.Errorf("--output %s is in a workspace's own %s; name a place outside it", file, part)}
	}
	isKey, err := pseudonym.IsKey(file) // key_file may be anywhere
	if err != nil {
		return usageError{fmt.Errorf("--output %s: %w", file, err)}
	}
	if isKey {
		return usageError{fmt.Errorf("--output %s is a pseudonym key, which cannot be made again; name another file", file)}
	}
	return nil
}

// contradicts refuses a format that the file's name denies; byEnding has the format of each ending.
func contradicts(format, file string, byEnding map[string]string) error {
	ending := strings.ToLower(filepath.Ext(file))
	if named, ok := byEnding[ending]; ok && named != format {
		return usageError{fmt.Errorf("--format %s, and --output %s ends as %s does; give one of them only", format, file, named)}
	}
	return nil
}

// writeOutput writes to standard output or, where a file is named, whole or not at all to that.
func writeOutput(file string, out io.Writer, write func(to io.Writer) error) error {
	if file == "" || file == standardOutput {
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
