package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"ltcles/pipeline"
	"ltcles/pipeline/contract"
	"ltcles/pipeline/letters"
)

// LettersOptions are the options of letters.
type LettersOptions struct {
	PublishedOptions
	Output    string
	Kind      string
	Practices []string
	Replace   bool
	Quiet     bool
}

// AddFlags adds the flags of the options.
func (o *LettersOptions) AddFlags(flags *pflag.FlagSet) {
	o.PublishedOptions.AddFlags(flags)
	flags.StringVar(&o.Output, "output", "", "the folder to make (required)")
	flags.StringVar(&o.Kind, "kind", "", "projection, of a month, or performance, of a year end (default: what the period has)")
	flags.StringArrayVar(&o.Practices, "practice", nil, "a practice code, for a letter to this practice; repeatable (default: every practice)")
	flags.BoolVar(&o.Replace, "replace", false, "replace the letters that the folder holds")
	flags.BoolVar(&o.Quiet, "quiet", false, "no progress and no count")
}

func newLettersCommand(s streams) *cobra.Command {
	var options LettersOptions
	cmd := &cobra.Command{
		Use:   "letters --output DIR",
		Short: "Write a letter to each practice: the projection of a month, the performance of a year end",
		Long: `Writes one PDF per practice and index.csv from what is published. A month has a
projection letter, a year end an end-of-year performance letter, which says on every
page that it is provisional until the year end is frozen. The folder is there when
all letters are. Templates in reference/contracts/letters replace the built-in ones.

` + exitCodes,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return runLetters(cmd.Context(), options, s) },
	}
	options.AddFlags(cmd.Flags())
	return cmd
}

func runLetters(ctx context.Context, o LettersOptions, s streams) (err error) {
	if o.Output == "" || o.Output == standardOutput {
		return usageError{errors.New("no folder; give --output and a folder to make")}
	}
	if err := checkPlace(o.Output); err != nil {
		return err
	}
	w, reader, err := o.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	if err := checkKind(o.Kind, reader.Period.Period); err != nil {
		return err
	}
	c, err := contractOf(w, reader)
	if err != nil {
		return err
	}
	bar := newProgress(s.err, o.Quiet)
	report, err := letters.Write(ctx, letters.Config{
		Reader: reader, Contract: c, TemplatesDir: w.ContractsDir(), Practices: practiceCodes(o.Practices), Output: o.Output, Replace: o.Replace,
		Progress: func(done, total int) {
			bar.update(pipeline.Progress{Step: "letters", Done: int64(done), Total: int64(total)})
		},
	})
	bar.finish()
	var unknown letters.UnknownPracticeError
	var taken letters.TakenError
	if errors.As(err, &unknown) || errors.As(err, &taken) {
		return usageError{err}
	}
	if err == nil && !o.Quiet {
		printLetters(s.err, report, reader.Period.Period)
	}
	return err
}

// checkKind refuses a kind of letter that the period does not have.
func checkKind(kind, published string) error {
	period, err := contract.ParsePublished(published)
	if err != nil {
		return err
	}
	has := letters.KindOf(period)
	switch letters.Kind(kind) {
	case "", has:
		return nil
	case letters.Projection:
		return usageError{fmt.Errorf("--kind projection of %s, which is a year end; give a month, or --kind performance", period)}
	case letters.Performance:
		return usageError{fmt.Errorf("--kind performance of %s, which is a month; give a year end such as --period %s, or --kind projection", period, period.Year())}
	}
	return usageError{fmt.Errorf("--kind %q; expected projection or performance", kind)}
}

// practiceCodes are the codes as the tables have them (R4).
func practiceCodes(given []string) []string {
	var codes []string
	for _, code := range given {
		codes = append(codes, strings.ToUpper(strings.TrimSpace(code)))
	}
	return codes
}

// printLetters says what was written, and which letters lack figures.
func printLetters(to io.Writer, report *letters.Report, period string) {
	fmt.Fprintf(to, "%s of %s in %s, listed in %s\n", counted(len(report.Letters), string(report.Kind)+" letter"), period, report.Folder, filepath.Join(report.Folder, "index.csv"))
	for _, entry := range report.Letters {
		if entry.Note != "" {
			fmt.Fprintf(to, "%s says that figures are not known: %s\n", entry.File, entry.Note)
		}
	}
}
