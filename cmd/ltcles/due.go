package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"ltcles/pipeline"
	"ltcles/pipeline/contract"
)

// printDue prints what is due and how much of it at each practice, or at one: of a
// year end every date that follows, before it the next ones.
func printDue(to io.Writer, report *pipeline.Report, practice string) {
	dates := report.Due.Dates
	if period, err := contract.ParsePublished(report.Period); err == nil && !period.IsYearEnd() {
		dates = dates[:min(2, len(dates))]
	}
	if len(dates) > 0 {
		fmt.Fprintf(to, "\ndue after %s\n", report.AsAt)
	}
	for _, date := range dates {
		confirmed := ""
		if date.IsAssumed {
			confirmed = " (to be confirmed)"
		}
		fmt.Fprintf(to, "  %-10s  %s%s\n", date.When, date.What, confirmed)
	}
	printAtStake(to, report, practice)
}

func printAtStake(to io.Writer, report *pipeline.Report, practice string) {
	due := report.Due
	listed := slices.DeleteFunc(slices.Clone(due.Practices), func(p pipeline.PracticeDue) bool {
		return p.AtStake == nil || practice != "" && p.Practice != practice
	})
	if len(listed) == 0 {
		return
	}
	slices.SortStableFunc(listed, func(a, b pipeline.PracticeDue) int { return cmp.Compare(*b.AtStake, *a.AtStake) })
	fmt.Fprintf(to, "\nat stake: %s; %s left in the year\n", due.AtStake, counted(int(due.DaysLeft), "day"))
	out := tabwriter.NewWriter(to, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(out, "practice\tat stake\tto %s\ta week\tto target\ta week\t\n", due.AdvanceShare)
	for _, p := range listed[:min(manyLines, len(listed))] {
		fmt.Fprintf(out, "%s\t%d\t%d\t%s\t%d\t%s\t\n", p.Practice, *p.AtStake, *p.ToAdvance, weekly(p.AdvanceWeekly), *p.ToTarget, weekly(p.TargetWeekly))
	}
	out.Flush()
	if more := len(listed) - manyLines; more > 0 {
		fmt.Fprintf(to, "  and %s more in summary.json\n", counted(more, "practice"))
	}
}

func weekly(rate *float64) string {
	if rate == nil {
		return "-"
	}
	return fmt.Sprintf("%.1f", *rate)
}
