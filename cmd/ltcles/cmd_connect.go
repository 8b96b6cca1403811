package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"ltcles/pipeline/connect"
	"ltcles/pipeline/snapshot"
	"ltcles/pipeline/workspace"
)

// ConnectOptions are the options of connect.
type ConnectOptions struct {
	Workspace string
	To        string
	History   bool
	As        string
	Output    string
}

// AddFlags adds the flags of the options.
func (o *ConnectOptions) AddFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.Workspace, "workspace", ".", "the workspace's folder")
	flags.StringVar(&o.To, "to", "", "duckdb, powerbi, python (pandas and Polars) or r (required)")
	flags.BoolVar(&o.History, "history", false, "every period too, besides the latest of each contract year")
	flags.StringVar(&o.As, "published-as", "", `the path of the folder published where the script is to run, such as \\server\share\work\published (default: this computer's)`)
	flags.StringVar(&o.Output, "output", "", "the file to write (default: standard output)")
}

func newConnectCommand(s streams) *cobra.Command {
	var options ConnectOptions
	cmd := &cobra.Command{
		Use:   "connect --to TOOL",
		Short: "Write what a tool needs to open the published tables",
		Long: `Writes a script that opens the current snapshot, and with --history every period, without
counting anything twice: SQL for DuckDB, queries for Power BI, a module for pandas and
Polars, or functions for R. Each looks the snapshot up when it runs, so that it stays
good for later periods, and knows how the tables join. It holds no figure.

` + exitCodes,
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error { return runConnect(options, s) },
	}
	options.AddFlags(cmd.Flags())
	return cmd
}

func runConnect(o ConnectOptions, s streams) error {
	write, ok := map[string]func(io.Writer, connect.Source) error{
		"duckdb": connect.DuckDB, "powerbi": connect.PowerBI, "python": connect.Python, "r": connect.R,
	}[o.To]
	switch {
	case o.To == "":
		return usageError{errors.New("no tool; give --to duckdb, powerbi, python or r")}
	case !ok:
		return usageError{fmt.Errorf("--to %q; expected duckdb, powerbi, python or r", o.To)}
	}
	if err := checkOutput(o.Output); err != nil {
		return err
	}
	w, err := workspace.Open(o.Workspace)
	if err != nil {
		return err
	}
	current, err := snapshot.Store{Dir: w.Published()}.Current()
	if err != nil {
		return err
	}
	if current == nil { // a script that finds nothing would be blamed for it
		return usageError{fmt.Errorf("%s: %w", w.Published(), snapshot.ErrNothingPublished)}
	}
	source := connect.Source{Published: o.As, History: o.History}
	if o.As == "" {
		if source.Published, err = filepath.Abs(w.Published()); err != nil {
			return fmt.Errorf("connect: %w", err)
		}
	}
	if !utf8.ValidString(source.Published) {
		return usageError{errors.New("the workspace's path is not UTF-8, which scripts are written in; give --published-as or rename its folder")}
	}
	return writeOutput(o.Output, s.out, func(to io.Writer) error { return write(to, source) })
}
