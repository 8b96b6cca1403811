package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// writeOutput writes to standard output, or where a file is named, whole or not at all to that.
func writeOutput(file string, out io.Writer, write func(io.Writer) error) (err error) {
	if file == "" {
		return write(out)
	}
	part, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".*")
	if err != nil {
		return usageError{fmt.Errorf("write %s: %w", file, errors.Unwrap(err))}
	}
	defer func() {
		if err != nil {
			os.Remove(part.Name())
		}
	}()
	if err = errors.Join(write(part), part.Chmod(0o644), part.Close()); err == nil {
		err = os.Rename(part.Name(), file)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	return nil
}
