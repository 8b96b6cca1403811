package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"ltcles/pipeline"
)

func newVersionCommand(s streams) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the versions of the program and of what it is built on",
		Args:  noArguments,
		RunE:  func(cmd *cobra.Command, _ []string) error { return runVersion(cmd.Context(), s) },
	}
}

func runVersion(ctx context.Context, s streams) error {
	engine, err := pipeline.EngineVersion(ctx)
	if err != nil {
		return err
	}
	commit, arrow := "unknown", "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, setting := range info.Settings {
			switch {
			case setting.Key == "vcs.revision":
				commit = setting.Value
			case setting.Key == "vcs.modified" && setting.Value == "true":
				commit += ", with changes"
			}
		}
		for _, dependency := range info.Deps {
			if dependency.Path == "github.com/apache/arrow/go/v17" {
				arrow = dependency.Version
			}
		}
	}
	fmt.Fprintf(s.out, "ltcles %s\ncommit %s\ngo %s\nduckdb %s\narrow %s\n", pipeline.Version, commit, runtime.Version(), engine, arrow)
	return nil
}
