package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"ltcles/pipeline"
	"ltcles/pipeline/unexpected"
)

// RunOptions are the options of run and of check.
type RunOptions struct {
	PeriodOptions
	Accept    []string
	AcceptAll bool
	Quiet     bool
	Practice  string // of check: print this one only
}

// AddFlags adds the flags of the options.
func (o *RunOptions) AddFlags(flags *pflag.FlagSet) {
	o.PeriodOptions.AddFlags(flags)
	flags.StringArrayVar(&o.Accept, "accept", nil, "a file of the inbox that is accepted as it is, though it would stop the run; repeatable")
	flags.BoolVar(&o.AcceptAll, "accept-all", false, "accept every file as it is")
	flags.BoolVar(&o.Quiet, "quiet", false, "no progress and no summary")
}

func newRunCommand(s streams) *cobra.Command {
	var options RunOptions
	cmd := &cobra.Command{
		Use:   "run --period P",
		Short: "Ingest a period, compute it and publish it",
		Long: `Reads every file of inbox/<period>, computes the period and publishes it beside
the periods before it. Readers see the old snapshot or the new one, never a part.
Running the same inputs again changes nothing. A year end that is frozen stays as it
is: running it with other inputs publishes a supplement, in history only.

` + exitCodes,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return runRun(cmd.Context(), options, true, s) },
	}
	options.AddFlags(cmd.Flags())
	return cmd
}

func newCheckCommand(s streams) *cobra.Command {
	var options RunOptions
	cmd := &cobra.Command{
		Use:   "check --period P",
		Short: "Do everything that run does, short of publishing, and print the findings",
		Long: `Reads and computes the period as run does and prints what it found. Nothing is
published. The exit code says whether run would publish.

` + exitCodes,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return runRun(cmd.Context(), options, false, s) },
	}
	options.AddFlags(cmd.Flags())
	cmd.Flags().StringVar(&options.Practice, "practice", "", "print one practice only: its balance line, findings and files")
	return cmd
}

func runRun(ctx context.Context, o RunOptions, publish bool, s streams) (err error) {
	period, w, err := o.open()
	if err != nil {
		return err
	}
	if o.Practice != "" {
		if o.Practice, err = knownPractice(w, period, o.Practice); err != nil {
			return err
		}
	}
	command := "check"
	if publish {
		command = "run"
	}
	var visible string // the snapshot that readers see from now on
	defer func() { err = afterCommit(visible, err) }()
	defer unexpected.Panic(&err)
	bar := newProgress(s.err, o.Quiet)
	report, err := pipeline.Run(ctx, pipeline.Config{
		Command: command, Workspace: w, Period: period, AsAt: o.AsAt, Today: today(),
		Accept: o.Accept, AcceptAll: o.AcceptAll, Publish: publish, Practice: o.Practice, Threads: o.Threads, Progress: bar.update,
	})
	if report != nil {
		visible = report.Snapshot
	}
	bar.finish()
	if report != nil && !o.Quiet {
		err = errors.Join(err, printReport(s.out, report, o, publish))
	}
	return err
}
