package pipeline

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// The files of a run's record, beside its log.
const (
	summaryFile  = "summary.json"
	rejectsFile  = "rejects.csv"
	findingsFile = "findings.csv"
)

// partPrefix begins the name of a file of the record until it is whole.
const partPrefix = "."

// record writes a file of the run's record whole or not at all: the same inputs have one
// record, and a check that fails leaves that of the run that published them.
func (r *run) record(name string, write func(to io.Writer) error) (err error) {
	part := filepath.Join(r.dir, partPrefix+name)
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("write %s: %w", name, err), os.RemoveAll(part))
		}
	}()
	file, err := os.OpenFile(part, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	if err := errors.Join(write(file), file.Close()); err != nil {
		return err
	}
	return os.Rename(part, filepath.Join(r.dir, name))
}

// recordParts are what killed runs left of files of their records.
func (r *run) recordParts() (parts []string, err error) {
	records, err := entries(r.cfg.Workspace.Runs(), "")
	if err != nil {
		return nil, err
	}
	for _, dir := range records {
		for _, name := range []string{summaryFile, rejectsFile, findingsFile} {
			part := filepath.Join(dir, partPrefix+name)
			if _, err := os.Lstat(part); err == nil {
				parts = append(parts, part)
			}
		}
	}
	return parts, nil
}
