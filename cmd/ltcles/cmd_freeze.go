package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"ltcles/pipeline"
	"ltcles/pipeline/snapshot"
	"ltcles/pipeline/unexpected"
	"ltcles/pipeline/workspace"
)

// FreezeOptions are the options of freeze.
type FreezeOptions struct {
	Workspace     string
	Period        string
	AcceptMissing []string // CODE=REASON
	Threads       int
	Quiet         bool
}

// AddFlags adds the flags of the options.
func (o *FreezeOptions) AddFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.Workspace, "workspace", ".", "the workspace's folder")
	flags.StringVar(&o.Period, "period", "", "the contract year whose published year end is to be final, 2026-27 (required)")
	flags.StringArrayVar(&o.AcceptMissing, "accept-missing", nil, "a practice without files and the reason why that is accepted, CODE=REASON; repeatable")
	flags.IntVar(&o.Threads, "threads", 0, "how many threads to use (default: the settings', else one for each processor)")
	flags.BoolVar(&o.Quiet, "quiet", false, "no progress and no summary")
}

func newFreezeCommand(s streams) *cobra.Command {
	var options FreezeOptions
	cmd := &cobra.Command{
		Use:   "freeze --period 2026-27",
		Short: "Make a published year end final",
		Long: `Computes the published year end again from its inbox and, where that is exactly
what is published, publishes it as final. Nothing changes a final year end: a later
run of it publishes a supplement. Refused, with every reason at once, where
  - the inbox, the settings or the reference files changed since it was published,
  - the extract was taken before the day after the coding deadline,
  - nobody has set reconciliation_basis,
  - a practice is missing that is not accepted by name with a reason.

` + exitCodes,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return runFreeze(cmd.Context(), options, s) },
	}
	options.AddFlags(cmd.Flags())
	return cmd
}

func runFreeze(ctx context.Context, o FreezeOptions, s streams) (err error) {
	period, err := parsePeriod(o.Period)
	if err != nil {
		return err
	}
	if err := checkThreads(o.Threads); err != nil {
		return err
	}
	missing, err := parseMissing(o.AcceptMissing)
	if err != nil {
		return err
	}
	w, err := workspace.Open(o.Workspace)
	if err != nil {
		return err
	}
	var visible string // the snapshot that readers see from now on
	defer func() { err = afterCommit(visible, err) }()
	defer unexpected.Panic(&err)
	bar := newProgress(s.err, o.Quiet)
	report, err := pipeline.Freeze(ctx, pipeline.FreezeConfig{Workspace: w, Period: period, Missing: missing, Threads: o.Threads, Progress: bar.update})
	if report != nil {
		visible = report.Snapshot
	}
	bar.finish()
	if err == nil && !o.Quiet {
		printFrozen(s.out, report, o.Workspace)
	}
	return err
}

// parseMissing reads CODE=REASON.
func parseMissing(given []string) (missing []snapshot.MissingPractice, err error) {
	for _, text := range given {
		code, reason, _ := strings.Cut(text, "=")
		if strings.TrimSpace(code) == "" || strings.TrimSpace(reason) == "" {
			return nil, usageError{fmt.Errorf("--accept-missing %q; expected a practice code and a reason: CODE=REASON", text)}
		}
		missing = append(missing, snapshot.MissingPractice{Practice: code, Reason: reason})
	}
	return missing, nil
}

// printFrozen says what was made final.
func printFrozen(to io.Writer, report *pipeline.Report, dir string) {
	if report.Unchanged {
		printUnchanged(to, report)
		return
	}
	fmt.Fprintf(to, "%s is final: as at %s, cut-off %s, run %s\n", report.Period, report.AsAt, report.CutOff, report.RunID)
	for _, missing := range report.Freeze.Missing {
		fmt.Fprintf(to, "accepted as missing: %s, %s\n", missing.Practice, missing.Reason)
	}
	for _, accepted := range report.Accepted {
		fmt.Fprintf(to, "accepted as it is: %s\n", accepted.Reason)
	}
	fmt.Fprintf(to, "published %s\n", filepath.Join(dir, "published", "snapshots", report.Snapshot))
	fmt.Fprintf(to, "log, summary and rejected rows: %s\n", report.RunDir)
}
