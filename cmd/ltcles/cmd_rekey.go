package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"ltcles/pipeline"
	"ltcles/pipeline/unexpected"
	"ltcles/pipeline/workspace"
)

// RekeyOptions are the options of rekey.
type RekeyOptions struct {
	Workspace string
	DryRun    bool
	Threads   int
	Quiet     bool
}

// AddFlags adds the flags of the options.
func (o *RekeyOptions) AddFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.Workspace, "workspace", ".", "the workspace's folder")
	flags.BoolVar(&o.DryRun, "dry-run", false, "say what would become of each period, and change nothing")
	flags.IntVar(&o.Threads, "threads", 0, "how many threads to use (default: the settings', else one for each processor)")
	flags.BoolVar(&o.Quiet, "quiet", false, "no progress and no summary")
}

func newRekeyCommand(s streams) *cobra.Command {
	var options RekeyOptions
	cmd := &cobra.Command{
		Use:   "rekey",
		Short: "Make a new pseudonym key and publish history under it",
		Long: `Makes a new key and computes each published period again under it, where its inbox is
still what it was published from. A final year end, and a period whose inbox is gone or
has changed, keep their key; the manifest says which key each period is under. All of
it becomes visible in one step, and nothing but pseudonyms and run ids changes.
The former key is kept beside the new one, under its id: as long as it is there, a run
can match patients with what is published under it.

` + exitCodes,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return runRekey(cmd.Context(), options, s) },
	}
	options.AddFlags(cmd.Flags())
	return cmd
}

func runRekey(ctx context.Context, o RekeyOptions, s streams) (err error) {
	if err := checkThreads(o.Threads); err != nil {
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
	rekeyed, err := pipeline.Rekey(ctx, pipeline.RekeyConfig{Workspace: w, DryRun: o.DryRun, Threads: o.Threads, Progress: bar.update})
	if rekeyed != nil {
		visible = rekeyed.Snapshot
	}
	bar.finish()
	if err == nil && !o.Quiet {
		printRekeyed(s.out, rekeyed, o.Workspace)
	}
	return err
}

func printRekeyed(to io.Writer, rekeyed *pipeline.Rekeyed, dir string) {
	out := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	for _, period := range rekeyed.Periods {
		if period.Keeps == "" {
			fmt.Fprintf(out, "%s\tnew key\n", period.Period)
		} else {
			fmt.Fprintf(out, "%s\tkeeps key %s\t%s\n", period.Period, period.KeyID, period.Keeps)
		}
	}
	out.Flush()
	if rekeyed.Key == "" {
		fmt.Fprintf(to, "the key is %s; nothing was changed by a dry run\n", rekeyed.Former)
		return
	}
	if rekeyed.Snapshot != "" {
		fmt.Fprintf(to, "published %s\n", filepath.Join(dir, "published", "snapshots", rekeyed.Snapshot))
	}
	fmt.Fprintf(to, "key %s has taken the place of %s, which is kept at %s\nKeep a copy of both somewhere safe.\n", rekeyed.Key, rekeyed.Former, rekeyed.FormerFile)
}
