package main

import (
	"errors"
	"fmt"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"ltcles/pipeline/contract"
	"ltcles/pipeline/workspace"
)

// CodesOptions are the options of every command on the code book.
type CodesOptions struct {
	Workspace string
	Year      string
}

// AddFlags adds the flags of the options.
func (o *CodesOptions) AddFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.Workspace, "workspace", "", "a workspace whose reference/contracts may replace a year (default: the current folder, where it is one)")
	flags.StringVar(&o.Year, "year", "", "one contract year, 2026-27 (default: every year there is)")
}

func newCodesCommand(s streams) *cobra.Command {
	codes := &cobra.Command{
		Use:   "codes",
		Short: "The code book",
		Args:  noCommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	var options CodesOptions
	list := &cobra.Command{
		Use:   "list",
		Short: "List the SNOMED CT codes of a contract year and what they count for",
		Args:  noArguments,
		RunE:  func(*cobra.Command, []string) error { return runCodesList(options, s) },
	}
	options.AddFlags(list.Flags())
	codes.AddCommand(list, newCodesCheckCommand(s), newCodesFileCommand(s))
	return codes
}

func newCodesFileCommand(s streams) *cobra.Command {
	var year string
	cmd := &cobra.Command{
		Use:   "file --year Y",
		Short: "Print the built-in contract file of a year, to start a workspace's own from",
		Long: `Prints the contract file that is built in for a year: codes, minimums, shares, dates, policies
and status texts. A copy in a workspace's reference/contracts replaces it there as a whole:

  ltcles codes file --year 2026-27 > work/reference/contracts/2026-27.yaml

` + exitCodes,
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error { return runCodesFile(year, s) },
	}
	cmd.Flags().StringVar(&year, "year", "", "a contract year, 2026-27 (required)")
	return cmd
}

func runCodesFile(text string, s streams) error {
	if text == "" {
		return usageError{errors.New("no contract year; give --year 2026-27")}
	}
	year, err := contract.ParseYear(text)
	if err != nil {
		return usageError{err}
	}
	file, ok := contract.BuiltIn(year)
	if !ok {
		return usageError{fmt.Errorf("no contract for %s is built in; start from that of another year and change its contract_year", year)}
	}
	_, err = s.out.Write(file)
	return err
}

func runCodesList(o CodesOptions, s streams) error {
	contracts, err := o.contracts()
	if err != nil {
		return err
	}
	out := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "year\tcode\trole\tcohort\tsegment\tminimum\tterm")
	for _, c := range contracts {
		minimums := map[string]string{"": ""}
		for _, segment := range c.Segments {
			minimums[segment.Segment] = "not set"
			if segment.MinimumShare != nil {
				minimums[segment.Segment] = segment.MinimumShare.String()
			}
		}
		for _, code := range c.Codes {
			fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", c.Year, code.Code, code.Role, code.Cohort, code.Segment, minimums[code.Segment], code.Term)
		}
	}
	return out.Flush()
}

// contracts are those of the year, or of every year there is.
func (o CodesOptions) contracts() ([]*contract.Contract, error) {
	dir := o.Workspace
	if _, err := os.Lstat(workspace.SettingsFile); err == nil && dir == "" {
		dir = "."
	}
	overrides := ""
	if dir != "" {
		w, err := workspace.Open(dir)
		if err != nil {
			return nil, err
		}
		overrides = w.ContractsDir()
	}
	years, err := contract.Years(overrides)
	if err != nil {
		return nil, err
	}
	if o.Year != "" {
		year, err := contract.ParseYear(o.Year)
		if err != nil {
			return nil, usageError{err}
		}
		years = []contract.Year{year}
	}
	var all []*contract.Contract
	for _, year := range years {
		c, err := contract.Load(overrides, year)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}
