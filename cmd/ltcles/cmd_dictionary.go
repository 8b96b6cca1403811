package main

import (
	"cmp"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"ltcles/pipeline/dictionary"
)

// DictionaryOptions are the options of dictionary.
type DictionaryOptions struct {
	Format string
	Output string
}

// AddFlags adds the flags of the options.
func (o *DictionaryOptions) AddFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.Format, "format", "", "markdown, csv or html (default: what --output ends in, else markdown)")
	flags.StringVar(&o.Output, "output", "", "the file to write (default: standard output)")
}

func newDictionaryCommand(s streams) *cobra.Command {
	var options DictionaryOptions
	cmd := &cobra.Command{
		Use:   "dictionary",
		Short: "Write down what the published tables mean",
		Long: `Writes the data dictionary from the definition that the tables are written and verified
by: of each table its grain and columns, with type, key, values, meaning, rule and
example; how tables join and how not to count twice; the rules in short, the
dispositions and the findings. CSV has one line for each column. HTML is one page
that needs nothing besides.

` + exitCodes,
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error { return runDictionary(options, s) },
	}
	options.AddFlags(cmd.Flags())
	return cmd
}

func runDictionary(o DictionaryOptions, s streams) error {
	write, err := o.writer()
	if err != nil {
		return err
	}
	if err := checkOutput(o.Output); err != nil {
		return err
	}
	return writeOutput(o.Output, s.out, write)
}

// writer settles the format by what was asked, else by the file's ending.
func (o DictionaryOptions) writer() (func(io.Writer) error, error) {
	byEnding := map[string]string{".csv": formatCSV, ".html": formatHTML, ".htm": formatHTML, ".md": formatMarkdown}
	format := cmp.Or(o.Format, byEnding[strings.ToLower(filepath.Ext(o.Output))], formatMarkdown)
	write, ok := map[string]func(io.Writer) error{
		formatMarkdown: dictionary.Markdown, formatCSV: dictionary.CSV, formatHTML: dictionary.HTML,
	}[format]
	if !ok {
		return nil, usageError{fmt.Errorf("--format %q; expected markdown, csv or html", format)}
	}
	return write, contradicts(format, o.Output, byEnding)
}
