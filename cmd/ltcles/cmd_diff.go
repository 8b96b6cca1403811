package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"ltcles/pipeline"
	"ltcles/pipeline/snapshot"
	"ltcles/pipeline/workspace"
)

// DiffOptions are the options of diff.
type DiffOptions struct {
	Workspace       string
	From, To        string
	Practice        string
	Format          string
	FailIfDifferent bool
	Threads         int
	Quiet           bool
}

// AddFlags adds the flags of the options.
func (o *DiffOptions) AddFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.Workspace, "workspace", ".", "the workspace's folder")
	flags.StringVar(&o.From, "from", "", "a published period, or the name of a snapshot for its own period (required)")
	flags.StringVar(&o.To, "to", "", "the period or snapshot to compare it with (required)")
	flags.StringVar(&o.Practice, "practice", "", "one practice only; the table then lists each difference")
	flags.StringVar(&o.Format, "format", formatTable, "table, or one record for each difference: csv, json")
	flags.BoolVar(&o.FailIfDifferent, "fail-if-different", false, "exit with 5 where there is a difference")
	flags.IntVar(&o.Threads, "threads", 0, "how many threads to use (default: the settings', else one for each processor)")
	flags.BoolVar(&o.Quiet, "quiet", false, "no progress and no count")
}

func newDiffCommand(s streams) *cobra.Command {
	var options DiffOptions
	cmd := &cobra.Command{
		Use:   "diff --from P --to P",
		Short: "List what changed between two published periods, and why",
		Long: `Compares two published periods of one contract year: the assessments, cohort
patients, practice positions and money that were gained, lost or changed, and the
reason of each assessment that is lost or counts no longer. A period is a month, a year
end, a supplement to it, or the name of a folder in published/snapshots, which
stands for the period that it was made for: so a period can be compared with what
it replaced.

For the reasons the later period is computed again from its inbox as it was
published. Where its files have changed since, only what the published tables tell
is known.

` + exitCodes,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return runDiff(cmd.Context(), options, s) },
	}
	options.AddFlags(cmd.Flags())
	return cmd
}

func runDiff(ctx context.Context, o DiffOptions, s streams) error {
	if err := o.check(); err != nil {
		return err
	}
	w, err := workspace.Open(o.Workspace)
	if err != nil {
		return err
	}
	out := newDifferences(s.out, o)
	bar := newProgress(s.err, o.Quiet)
	compared, err := pipeline.Diff(ctx, pipeline.DiffConfig{
		Workspace: w, From: o.From, To: o.To, Practice: strings.ToUpper(strings.TrimSpace(o.Practice)), Threads: o.Threads, Progress: bar.update,
	}, out.each)
	bar.finish()
	if err != nil {
		return err
	}
	if err := out.end(compared); err != nil {
		return err
	}
	if len(compared.NotKnown) > 0 {
		fmt.Fprintf(s.err, "not every reason is known: %s cannot be computed again as it was published\n", compared.To.Period)
		for _, line := range compared.NotKnown {
			fmt.Fprintln(s.err, "  "+line)
		}
	}
	if !o.Quiet && o.Format != formatTable {
		fmt.Fprintf(s.err, "%s from %s to %s\n", counted(int(compared.Differences), "difference"), sideOf(compared.From), sideOf(compared.To))
	}
	if o.FailIfDifferent && compared.Differences > 0 {
		return differentError{int(compared.Differences)}
	}
	return nil
}

func (o DiffOptions) check() error {
	switch {
	case o.From == "" || o.To == "":
		return usageError{errors.New("two periods are needed; give --from 2026-05 --to 2026-06, or names of folders in published/snapshots")}
	case o.Format != formatTable && o.Format != formatCSV && o.Format != formatJSON:
		return usageError{fmt.Errorf("--format %q; expected table, csv or json", o.Format)}
	case o.Threads < 0:
		return usageError{fmt.Errorf("--threads %d; expected 0 or more", o.Threads)}
	}
	return nil
}

// sideOf names one of the two that are compared.
func sideOf(p snapshot.PublishedPeriod) string {
	return fmt.Sprintf("%s (as at %s, run %s)", p.Period, p.AsAt, p.RunID)
}

// differences writes what is compared: each difference as it comes, and what is
// left to say at the end.
type differences struct {
	each func(pipeline.Difference) error // nil: none is written
	end  func(*pipeline.Comparison) error
}

func newDifferences(to io.Writer, o DiffOptions) differences {
	switch {
	case o.Format == formatCSV:
		return csvDifferences(to)
	case o.Format == formatJSON:
		return jsonDifferences(to)
	case o.Practice != "":
		return listedDifferences(to)
	}
	return differences{end: func(compared *pipeline.Comparison) error {
		return printComparison(to, compared, append(compared.Practices, compared.All), append(compared.Losses, totals(compared.Losses)...))
	}}
}

func differenceColumns() []string {
	return []string{"what", "practice_code", "patient_key", "cohort", "change", "column", "from", "to", "reason", "other_practice"}
}

func differenceCells(d pipeline.Difference) []string {
	return []string{d.What, d.Practice, d.Patient, d.Cohort, d.Change, d.Column, d.From, d.To, d.Reason, d.OtherPractice}
}

// csvDifferences needs no guard against formulas: codes, pseudonyms, dates, numbers
// and words of our own are all that a cell can hold.
func csvDifferences(to io.Writer) differences {
	out := csv.NewWriter(to)
	header := out.Write(differenceColumns()) // stays in the buffer until there is more to write
	return differences{
		each: func(d pipeline.Difference) error { return out.Write(differenceCells(d)) },
		end: func(*pipeline.Comparison) error {
			out.Flush()
			return errors.Join(header, out.Error())
		},
	}
}

// jsonDifferences writes one array with a record on each line.
func jsonDifferences(to io.Writer) differences {
	out := bufio.NewWriter(to)
	before := "[\n"
	return differences{
		each: func(d pipeline.Difference) error {
			text, err := json.Marshal(d)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(out, "%s%s", before, text)
			before = ",\n"
			return err
		},
		end: func(compared *pipeline.Comparison) error {
			if compared.Differences == 0 {
				fmt.Fprint(out, "[")
			}
			fmt.Fprint(out, "\n]\n")
			return out.Flush()
		},
	}
}

// listedDifferences is the table of one practice: its sums, then each difference.
func listedDifferences(to io.Writer) differences {
	var listed strings.Builder
	out := tabwriter.NewWriter(&listed, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "  "+strings.Join(differenceColumns(), "\t"))
	return differences{
		each: func(d pipeline.Difference) error {
			cells := differenceCells(d)
			for i := range cells {
				cells[i] = cmp.Or(cells[i], "-")
			}
			_, err := fmt.Fprintln(out, "  "+strings.Join(cells, "\t"))
			return err
		},
		end: func(compared *pipeline.Comparison) error {
			err := errors.Join(printComparison(to, compared, compared.Practices, compared.Losses), out.Flush())
			if err == nil && compared.Differences > 0 {
				_, err = fmt.Fprintf(to, "\ndifferences\n%s", listed.String())
			}
			return err
		},
	}
}

// printComparison prints the sums of practices, and the reasons of what is lost.
func printComparison(to io.Writer, compared *pipeline.Comparison, practices []pipeline.PracticeComparison, losses []pipeline.LossReport) error {
	fmt.Fprintf(to, "from %s\nto   %s\n", sideOf(compared.From), sideOf(compared.To))
	if compared.Differences == 0 {
		_, err := fmt.Fprintln(to, "no difference")
		return err
	}
	fmt.Fprintln(to, "\npractices with a difference")
	out := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "  practice\tassessments\tgained\tlost\tnow\tchanged\tcounted\tnow\tcohorts gained\tlost\tchanged\tposition values\tmoney values")
	for _, p := range practices {
		fmt.Fprintf(out, "  %s\t%s\t%d\t%d\t%s\t%d\t%s\t%s\t%d\t%d\t%d\t%d\t%d\n", cmp.Or(p.Practice, "all"),
			orDash(p.AssessmentsThen), p.Gained, p.Lost, orDash(p.AssessmentsNow), p.Changed,
			orDash(p.CountedThen), orDash(p.CountedNow), p.CohortsGained, p.CohortsLost, p.CohortsChanged, p.Values, p.Money)
	}
	if err := out.Flush(); err != nil || len(losses) == 0 {
		return err
	}
	fmt.Fprintln(to, "\nassessments that are lost or count no longer, by reason")
	out = tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "  practice\tassessments\tpractice now\treason")
	for _, loss := range losses {
		fmt.Fprintf(out, "  %s\t%d\t%s\t%s\n", cmp.Or(loss.Practice, "all"), loss.Assessments, cmp.Or(loss.PracticeNow, "-"), loss.Reason)
	}
	return out.Flush()
}

// totals adds up the losses of each reason.
func totals(losses []pipeline.LossReport) []pipeline.LossReport {
	of := map[string]int64{}
	for _, loss := range losses {
		of[loss.Reason] += loss.Assessments
	}
	var all []pipeline.LossReport
	for _, reason := range slices.Sorted(maps.Keys(of)) {
		all = append(all, pipeline.LossReport{Reason: reason, Assessments: of[reason]})
	}
	return all
}
