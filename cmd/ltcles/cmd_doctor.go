package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"ltcles/pipeline"
	"ltcles/pipeline/workspace"
)

// DoctorOptions are the options of doctor.
type DoctorOptions struct {
	Workspace string
	Period    string
}

// AddFlags adds the flags of the options.
func (o *DoctorOptions) AddFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.Workspace, "workspace", ".", "the workspace's folder")
	flags.StringVar(&o.Period, "period", "", "also look at the inbox of a month, 2026-06, or of a year end, 2026-27")
}

func newDoctorCommand(s streams) *cobra.Command {
	var options DoctorOptions
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Look at what a run depends on, and say what to mend",
		Long: `Looks at the lock, the key, the folders, links, clock and free space, and with
--period at the reference lists against the names in the inbox. One line each, with
the fix; nothing is changed. An error is exit code 2.

` + exitCodes,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return runDoctor(cmd.Context(), options, s) },
	}
	options.AddFlags(cmd.Flags())
	return cmd
}

func runDoctor(ctx context.Context, o DoctorOptions, s streams) error {
	cfg := pipeline.DoctorConfig{Now: time.Now()}
	var err error
	if o.Period != "" {
		if cfg.Period, err = parsePeriod(o.Period); err != nil {
			return err
		}
	}
	if cfg.Workspace, err = workspace.Open(o.Workspace); err != nil {
		return err
	}
	found, err := pipeline.Doctor(ctx, cfg)
	if err != nil {
		return err
	}
	return printDiagnoses(s.out, found)
}

func printDiagnoses(to io.Writer, found []pipeline.Diagnosis) error {
	errors := 0
	out := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	for _, diagnosis := range found {
		if diagnosis.Level == pipeline.LevelError {
			errors++
		}
		text := diagnosis.Found
		if diagnosis.Fix != "" {
			text += "; " + diagnosis.Fix
		}
		fmt.Fprintf(out, "%s\t%s\t%s\n", diagnosis.Level, diagnosis.About, text)
	}
	out.Flush()
	if errors > 0 {
		return usageError{fmt.Errorf("%s to mend before a run", counted(errors, "error"))}
	}
	return nil
}
