package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/xuri/excelize/v2"

	"ltcles/pipeline"
	"ltcles/pipeline/contract"
	"ltcles/pipeline/emis"
	"ltcles/pipeline/workspace"
)

// RejectsOptions are the options of rejects.
type RejectsOptions struct {
	PeriodOptions
	Practice string
	Findings bool
	Format   string
	Output   string
	Quiet    bool
}

// AddFlags adds the flags of the options.
func (o *RejectsOptions) AddFlags(flags *pflag.FlagSet) {
	o.PeriodOptions.AddFlags(flags)
	flags.StringVar(&o.Practice, "practice", "", "a practice code, or unknown for the rows of no practice (required)")
	flags.BoolVar(&o.Findings, "findings", false, "also the rows that were read and that a finding is about")
	flags.StringVar(&o.Format, "format", "", "csv or xlsx (default: what --output ends in, else csv)")
	flags.StringVar(&o.Output, "output", "", "the file to write (default: standard output)")
	flags.BoolVar(&o.Quiet, "quiet", false, "no progress and no count")
}

func newRejectsCommand(s streams) *cobra.Command {
	var options RejectsOptions
	cmd := &cobra.Command{
		Use:   "rejects --period P --practice C",
		Short: "List the rows that one practice must mend",
		Long: `Reads the period's files as check does, by the as-at that the period is published by unless
they state a newer run date, and lists the rejected rows of one practice:
file, line, field, reason and fix, and never what stands in a row. A row whose own
practice is not known is in the list of the practice whose file it is in. With
--findings also the rows that were read and need a look; of an assessment or a
patient that lacks something, the row that was kept.

` + exitCodes,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return runRejects(cmd.Context(), options, s) },
	}
	options.AddFlags(cmd.Flags())
	return cmd
}

func runRejects(ctx context.Context, o RejectsOptions, s streams) error {
	period, w, err := o.openPublished()
	if err != nil {
		return err
	}
	if o.Format, err = listFormat(o.Format, o.Output); err != nil {
		return err
	}
	if err := checkOutput(o.Output); err != nil {
		return err
	}
	practice := pipeline.UnknownPractice
	if !strings.EqualFold(strings.TrimSpace(o.Practice), practice) {
		if practice, err = knownPractice(w, period, o.Practice); err != nil {
			return err
		}
	}
	bar := newProgress(s.err, o.Quiet)
	report, err := pipeline.Run(ctx, pipeline.Config{
		Command: "rejects", Workspace: w, Period: period, AsAt: o.AsAt, AsPublished: true, Today: today(), Practice: practice, Threads: o.Threads, Progress: bar.update,
	})
	bar.finish()
	var notFit *pipeline.NotFitError
	if err != nil && !errors.As(err, &notFit) {
		return err
	}
	rows := report.ToMend
	if !o.Findings {
		rows = slices.DeleteFunc(rows, func(row pipeline.RowReport) bool { return row.IsFinding })
	}
	if err := writeRows(o, rows, s.out); err != nil {
		return err
	}
	if !o.Quiet {
		printListed(s.err, report, practice, rows)
	}
	return nil
}

// printListed says what the list is of, and which files of the practice gave it
// nothing because they could not be read.
func printListed(to io.Writer, report *pipeline.Report, practice string, rows []pipeline.RowReport) {
	of := practice
	if practice == pipeline.UnknownPractice {
		of = "no known practice"
	}
	fmt.Fprintf(to, "%s of %s in %s, as at %s\n", counted(len(rows), "row"), of, report.Period, asAt(report))
	for _, file := range report.Files {
		if file.Status == string(emis.Refused) && isOf(file, practice) {
			fmt.Fprintf(to, "%s could not be read, so none of its rows is listed: %s\n", file.File, file.Message)
		}
	}
}

// isOf tells whether a practice is among those that a file is the own of.
func isOf(file pipeline.FileReport, practice string) bool {
	if practice == pipeline.UnknownPractice {
		return file.Practices == ""
	}
	return slices.Contains(strings.Split(file.Practices, ","), practice)
}

func parsePeriod(text string) (contract.Period, error) {
	if text == "" {
		return contract.Period{}, usageError{fmt.Errorf("no period; give --period 2026-06, or --period 2026-27 for a year end")}
	}
	period, err := contract.ParsePeriod(text)
	if err != nil {
		return contract.Period{}, usageError{err}
	}
	return period, nil
}

// knownPractice is the code of a practice of the period's contract year.
func knownPractice(w *workspace.Workspace, period contract.Period, text string) (string, error) {
	code := strings.ToUpper(strings.TrimSpace(text)) // R4
	if code == "" {
		return "", usageError{errors.New("no practice; give --practice and a practice code")}
	}
	reference, err := w.Reference(period.Year())
	if err != nil {
		return "", err
	}
	if !slices.ContainsFunc(reference.Practices, func(p workspace.Practice) bool { return p.Code == code }) {
		return "", usageError{fmt.Errorf("--practice %q; expected a practice code of reference/practices.csv for %s", text, period.Year())}
	}
	return code, nil
}

// listFormat settles the format by what was asked, else by the file's ending.
func listFormat(format, output string) (string, error) {
	byEnding := map[string]string{".csv": formatCSV, ".xlsx": formatXLSX}
	format = cmp.Or(format, byEnding[strings.ToLower(filepath.Ext(output))], formatCSV)
	switch {
	case format != formatCSV && format != formatXLSX:
		return "", usageError{fmt.Errorf("--format %q; expected csv or xlsx", format)}
	case format == formatXLSX && (output == "" || output == standardOutput):
		return "", usageError{errors.New("--format xlsx without a file; give --output FILE.xlsx")}
	}
	if err := contradicts(format, output, byEnding); err != nil {
		return "", err
	}
	return format, nil
}

// writeRows writes the list to standard output, or whole or not at all to a file.
func writeRows(o RejectsOptions, rows []pipeline.RowReport, to io.Writer) error {
	write := writeCSV
	if o.Format == formatXLSX {
		write = writeXLSX
	}
	return writeOutput(o.Output, to, func(to io.Writer) error { return write(to, rows) })
}

func listHeader() []string { return []string{"file", "line", "field", "reason", "fix"} }

func writeCSV(to io.Writer, rows []pipeline.RowReport) error {
	return writeTable(to, listHeader(), len(rows), func(i int) []string {
		row := rows[i]
		return []string{row.File, strconv.Itoa(row.Line), row.Field, row.Reason, row.Fix}
	})
}

// writeXLSX writes the list as a workbook: text as text, whatever it begins with,
// and the header stays in view.
func writeXLSX(to io.Writer, rows []pipeline.RowReport) (err error) {
	book := excelize.NewFile()
	defer func() { err = errors.Join(err, book.Close()) }()
	sheet := book.GetSheetName(0)
	out, err := book.NewStreamWriter(sheet)
	if err != nil {
		return err
	}
	if err := out.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return err
	}
	for column, width := range map[int]float64{1: 40, 2: 8, 3: 20, 4: 26, 5: 90} {
		if err := out.SetColWidth(column, column, width); err != nil {
			return err
		}
	}
	header := make([]any, 0, 5)
	for _, name := range listHeader() {
		header = append(header, name)
	}
	if err := out.SetRow("A1", header); err != nil {
		return err
	}
	for i, row := range rows {
		if err := out.SetRow("A"+strconv.Itoa(i+2), []any{row.File, row.Line, row.Field, row.Reason, row.Fix}); err != nil {
			return err
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	_, err = book.WriteTo(to)
	return err
}
