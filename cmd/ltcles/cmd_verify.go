package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"ltcles/pipeline/snapshot"
	"ltcles/pipeline/workspace"
)

func newVerifyCommand(s streams) *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Read back what is published with an independent reader and check it",
		Long: `Reads every published file with Arrow's Parquet reader, not with the engine that
wrote it, and checks the manifest's hashes, the tables' columns and types, their
keys, and the sums that must agree between tables.

` + exitCodes,
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error { return runVerify(dir, s) },
	}
	cmd.Flags().StringVar(&dir, "workspace", ".", "the workspace's folder")
	return cmd
}

func runVerify(dir string, s streams) error {
	w, err := workspace.Open(dir)
	if err != nil {
		return err
	}
	store := snapshot.Store{Dir: w.Published()}
	problems, err := store.Verify()
	if errors.Is(err, snapshot.ErrNothingPublished) {
		return usageError{err}
	}
	if err != nil {
		return err
	}
	for _, problem := range problems {
		fmt.Fprintln(s.out, problem)
	}
	if len(problems) > 0 {
		return unverifiedError{len(problems)}
	}
	current, err := store.Current()
	if err != nil {
		return err
	}
	var rows int64
	for _, file := range current.Manifest.Files {
		rows += file.Rows
	}
	fmt.Fprintf(s.out, "%s verifies: %s, %d rows, %s\n", current.Name,
		counted(len(current.Manifest.Files), "file"), rows, counted(len(current.Manifest.Periods), "period"))
	return nil
}
