package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"ltcles/pipeline/workspace"
)

func newInitCommand(s streams) *cobra.Command {
	return &cobra.Command{
		Use:   "init DIR",
		Short: "Make a workspace and print the next step",
		Args:  oneFolder,
		RunE:  func(_ *cobra.Command, args []string) error { return runInit(args[0], s) },
	}
}

func runInit(dir string, s streams) error {
	if err := workspace.Init(dir); err != nil {
		return err
	}
	fmt.Fprintf(s.out, `Made a workspace in %[1]s. Next:
  1. fill in %[1]s/reference/practices.csv and places.csv, one line per practice and place of each contract year
  2. put the period's files into %[1]s/inbox/<period>/, for example inbox/2026-06/, in any folders
  3. ltcles check --workspace %[1]s --period 2026-06
Keep a copy of %[1]s/secrets/pseudonym.key somewhere safe: without it, no later period can be joined to an earlier one.
`, dir)
	return nil
}
