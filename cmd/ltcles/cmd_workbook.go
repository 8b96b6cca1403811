package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"ltcles/pipeline/workbook"
)

// WorkbookOptions are the options of workbook.
type WorkbookOptions struct {
	PublishedOptions
	Output string
	Quiet  bool
}

// AddFlags adds the flags of the options.
func (o *WorkbookOptions) AddFlags(flags *pflag.FlagSet) {
	o.PublishedOptions.AddFlags(flags)
	flags.StringVar(&o.Output, "output", "", "the file to write, FILE.xlsx (required)")
	flags.BoolVar(&o.Quiet, "quiet", false, "no message")
}

func newWorkbookCommand(s streams) *cobra.Command {
	var options WorkbookOptions
	cmd := &cobra.Command{
		Use:   "workbook --output FILE.xlsx",
		Short: "Write the finance workbook: reconciliation, payments, instalments, positions, segments",
		Long: `Writes what is published of a period as an XLSX workbook for finance. Totals are live
formulas that stand beside what is published; what is not known is blank, never 0.

` + exitCodes,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return runWorkbook(cmd.Context(), options, s) },
	}
	options.AddFlags(cmd.Flags())
	return cmd
}

func runWorkbook(ctx context.Context, o WorkbookOptions, s streams) (err error) {
	switch {
	case o.Output == "":
		return usageError{errors.New("no file; give --output FILE.xlsx")}
	case !strings.EqualFold(filepath.Ext(o.Output), "."+formatXLSX):
		return usageError{fmt.Errorf("--output %q; expected a name that ends in .xlsx", o.Output)}
	}
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
	var book bytes.Buffer
	if err := workbook.Write(ctx, &book, reader, c); err != nil {
		return err
	}
	if err := writeWhole(o.Output, func(to io.Writer) error { _, err := book.WriteTo(to); return err }); err != nil {
		return err
	}
	if !o.Quiet {
		fmt.Fprintf(s.err, "the workbook of %s is in %s\n", reader.Period.Period, o.Output)
	}
	return nil
}
