package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"ltcles/pipeline"
	"ltcles/pipeline/dashboard"
)

// ReportOptions are the options of report.
type ReportOptions struct {
	PublishedOptions
	Output   string
	Suppress bool
	Quiet    bool
}

// AddFlags adds the flags of the options.
func (o *ReportOptions) AddFlags(flags *pflag.FlagSet) {
	o.PublishedOptions.AddFlags(flags)
	flags.StringVar(&o.Output, "output", "", "the file to write, replaced where it is there; - is standard output (default: ltcles-PERIOD.html in the current folder)")
	flags.BoolVar(&o.Suppress, "suppress", false, "hide small counts of patients and round the others, for readers outside the contract")
	flags.BoolVar(&o.Quiet, "quiet", false, "do not say what was written")
}

func newReportCommand(s streams) *cobra.Command {
	var options ReportOptions
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Write the dashboard of a published period as one HTML file",
		Long: `Writes one page of a published period: a section for the area, for each place and
for each practice. It is one file that needs no network and no server: it opens from
a file share in any browser, and prints.

It shows the counts of single practices, small ones too. With --suppress counts of
patients from 1 to 7 are hidden, the others rounded to the nearest 5, and whatever a
hidden one could be worked out from is left out.

` + exitCodes,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return runReport(cmd.Context(), options, s) },
	}
	options.AddFlags(cmd.Flags())
	return cmd
}

func runReport(ctx context.Context, o ReportOptions, s streams) (err error) {
	if err := checkOutput(o.Output); err != nil {
		return err
	}
	w, reader, err := o.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	c, err := contractOf(w, reader)
	if err != nil {
		return err
	}
	material, err := dashboard.Read(ctx, reader, c)
	if err != nil {
		return err
	}
	write := func(to io.Writer) error {
		return dashboard.Write(to, material, dashboard.Options{Suppress: o.Suppress, Program: pipeline.Program()})
	}
	if o.Output == "" {
		o.Output = "ltcles-" + reader.Period.Period + ".html"
		if o.Suppress {
			o.Output = "ltcles-" + reader.Period.Period + "-suppressed.html"
		}
		if err := checkOutput(o.Output); err != nil {
			return err
		}
	}
	if err := writeOutput(o.Output, s.out, write); err != nil {
		return err
	}
	if !o.Quiet && o.Output != standardOutput {
		fmt.Fprintf(s.err, "%s: %s of %s\n", o.Output, counted(len(material.Year.Practices), "practice"), reader.Period.Period)
	}
	return nil
}
