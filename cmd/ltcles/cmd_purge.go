package main

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"ltcles/pipeline"
	"ltcles/pipeline/civil"
	"ltcles/pipeline/workspace"
)

// PurgeOptions are the options of purge.
type PurgeOptions struct {
	Workspace string
	OlderThan string
	Yes       bool
	DryRun    bool
}

// AddFlags adds the flags of the options.
func (o *PurgeOptions) AddFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.Workspace, "workspace", ".", "the workspace's folder")
	flags.StringVar(&o.OlderThan, "older-than", "", "how many days back, 400d (required)")
	flags.BoolVar(&o.Yes, "yes", false, "remove what is listed")
	flags.BoolVar(&o.DryRun, "dry-run", false, "list and remove nothing, which is what it does without --yes")
}

func newPurgeCommand(s streams) *cobra.Command {
	var options PurgeOptions
	cmd := &cobra.Command{
		Use:   "purge --older-than 400d",
		Short: "Remove old snapshots and records of runs that nothing rests on",
		Long: `Lists, and with --yes removes, snapshots by their as-at, records of runs by the day
that they were last written to, and staged files by the day of their last use. What stays whatever its age: the current
snapshot, those that published what current holds or that made a year end final,
what these consulted, and what may yet prove timely coding in a year that is not
final. The inbox is not touched.

` + exitCodes,
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error { return runPurge(options, today(), s) },
	}
	options.AddFlags(cmd.Flags())
	return cmd
}

var days = regexp.MustCompile(`^([0-9]{1,5})d$`)

func runPurge(o PurgeOptions, today civil.Date, s streams) error {
	number := days.FindStringSubmatch(o.OlderThan)
	switch {
	case o.OlderThan == "":
		return usageError{errors.New("no age; give --older-than and a number of days, such as 400d")}
	case number == nil:
		return usageError{fmt.Errorf("--older-than %q; expected a number of days, such as 400d", o.OlderThan)}
	case o.Yes && o.DryRun:
		return usageError{errors.New("--yes and --dry-run; expected one of the two")}
	}
	back, err := strconv.Atoi(number[1])
	if err != nil {
		return err
	}
	w, err := workspace.Open(o.Workspace)
	if err != nil {
		return err
	}
	before := today - civil.Date(back)
	purged, err := pipeline.Purge(pipeline.PurgeConfig{Workspace: w, Before: before, Remove: o.Yes})
	if purged != nil && err == nil {
		printPurged(s.out, purged, before, o.Yes)
	}
	return err
}

func printPurged(to io.Writer, purged *pipeline.Purged, before civil.Date, removed bool) {
	verb := "to remove:"
	if removed {
		verb = "removed:"
	}
	list := func(what, of string, old []pipeline.Old) (gone int) {
		for _, one := range old {
			if one.Keep != "" {
				fmt.Fprintf(to, "kept: %s/%s, %s %s: %s\n", what, one.Name, of, one.Day, one.Keep)
				continue
			}
			gone++
			fmt.Fprintf(to, "%s %s/%s, %s %s\n", verb, what, one.Name, of, one.Day)
		}
		return gone
	}
	snapshots := list("published/snapshots", "as at", purged.Snapshots)
	runs := list("runs", "written", purged.Runs)
	if purged.Staged.Files > 0 {
		fmt.Fprintf(to, "%s .ltcles/staged: %s of %d bytes, not used since\n", verb, counted(purged.Staged.Files, "staged file"), purged.Staged.Bytes)
	}
	fmt.Fprintf(to, "from before %s: %s and %s %s\n", before, counted(snapshots, "snapshot"), counted(runs, "run record"), verb[:len(verb)-1])
	if !removed && snapshots+runs+purged.Staged.Files > 0 {
		fmt.Fprintln(to, "nothing was removed: give --yes")
	}
}
