package main

import (
	"fmt"
	"io"
	"path/filepath"
	"text/tabwriter"

	"ltcles/pipeline"
	"ltcles/pipeline/emis"
)

// printReport prints what a person wants to know after a run: each file's
// verdict, each practice's balance, the findings, and what was published where.
func printReport(to io.Writer, report *pipeline.Report, o RunOptions, publish bool) {
	if report.RunID == "" {
		return
	}
	if report.Unchanged {
		fmt.Fprintf(to, "%s is already published from the same inputs (%s); nothing changed\n", report.Period, report.RunID)
		return
	}
	fmt.Fprintf(to, "period %s, as at %s, cut-off %s, run %s\n", report.Period, report.AsAt, report.CutOff, report.RunID)
	if len(report.Files) > 0 {
		printFiles(to, report)
		printPractices(to, report)
		printFindings(to, report)
		printRows(to, report)
	}
	for _, accepted := range report.Accepted {
		fmt.Fprintf(to, "accepted as it is: %s\n", accepted.Reason)
	}
	switch {
	case report.Snapshot != "":
		fmt.Fprintf(to, "published %s\n", filepath.Join(o.Workspace, "published", "snapshots", report.Snapshot))
	case !publish && len(report.Unfit) == 0 && len(report.Files) > 0:
		fmt.Fprintln(to, "fit to publish; nothing was published by check")
	}
	if report.RunDir != "" {
		fmt.Fprintf(to, "log, summary and rejected rows: %s\n", report.RunDir)
	}
}

// verdict is a file's fate in a word or two.
func verdict(file pipeline.FileReport) string {
	switch {
	case file.Status != string(emis.Read):
		return file.Status
	case file.RowsRejected > 0:
		return "read, some rows rejected"
	case file.Message != "":
		return "read, with a warning"
	}
	return "read"
}

func printFiles(to io.Writer, report *pipeline.Report) {
	fmt.Fprintln(to, "\nfiles")
	out := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "  file\tkind\tdialect\theader\trows\trejected\tverdict")
	for _, file := range report.Files {
		dialect, header := "-", "-"
		if file.Encoding != "" && file.Delimiter != "" {
			dialect = file.Encoding + ", " + file.Delimiter
		}
		if file.HeaderLine > 0 {
			header = fmt.Sprint(file.HeaderLine)
		}
		fmt.Fprintf(out, "  %s\t%s\t%s\t%s\t%d\t%d\t%s\n", file.File, file.Kind, dialect, header, file.RowsRead, file.RowsRejected, verdict(file))
	}
	out.Flush()
	for _, file := range report.Files {
		if file.Message != "" {
			fmt.Fprintf(to, "  %s: %s\n", file.File, file.Message)
		}
	}
}

func printPractices(to io.Writer, report *pipeline.Report) {
	fmt.Fprintln(to, "\npractices: rows read = kept + excluded + ignored + rejected")
	out := tabwriter.NewWriter(to, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(out, "practice\tstate\tread\tkept\texcluded\tignored\trejected\tassessments\tcounted\ttarget\t")
	for _, p := range report.Practices {
		name, state := p.Practice, p.State
		if name == "" {
			name, state = "unknown", "-"
		}
		fmt.Fprintf(out, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%s\t%s\t%s\t\n", name, state, p.RowsRead, p.Kept, p.Excluded, p.Ignored, p.Rejected,
			orDash(p.Assessments), orDash(p.Counted), orDash(p.Target))
	}
	out.Flush()
}

// orDash shows a number that may not be known; missing is never zero.
func orDash(n *int64) string {
	if n == nil {
		return "-"
	}
	return fmt.Sprint(*n)
}

func printFindings(to io.Writer, report *pipeline.Report) {
	if len(report.Findings) == 0 {
		fmt.Fprintln(to, "\nno findings")
		return
	}
	fmt.Fprintln(to, "\nfindings")
	out := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	for _, finding := range report.Findings {
		practice := finding.Practice
		if practice == "" {
			practice = "-"
		}
		fmt.Fprintf(out, "  %s\t%s\t%s\t%s\n", practice, finding.Severity, finding.Check, finding.Message)
	}
	out.Flush()
}

func printRows(to io.Writer, report *pipeline.Report) {
	fmt.Fprintf(to, "\nrows read %d\n", report.RowsRead)
	out := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	for _, rows := range report.Rows {
		fmt.Fprintf(out, "  %s\t%s\t%d\n", rows.Group, rows.Disposition, rows.Rows)
	}
	out.Flush()
	fmt.Fprintln(to)
}
