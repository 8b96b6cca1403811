package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"ltcles/pipeline/contract"
	"ltcles/pipeline/mdt"
	"ltcles/pipeline/published"
	"ltcles/pipeline/workspace"
)

// MDTOptions are the options of mdt.
type MDTOptions struct {
	PublishedOptions
	Format string
}

// AddFlags adds the flags of the options.
func (o *MDTOptions) AddFlags(flags *pflag.FlagSet) {
	o.PublishedOptions.AddFlags(flags)
	flags.StringVar(&o.Format, "format", formatTable, "table, csv (one line for each practice, code and quarter; no totals) or json")
}

func newMDTCommand(s streams) *cobra.Command {
	var options MDTOptions
	cmd := &cobra.Command{
		Use:   "mdt",
		Short: "Show multidisciplinary team activity by quarter",
		Long: `Shows, for each MDT code that the contract file names, the patients and events of each
practice in each quarter of the contract year that has begun, with sums by place. A patient
is counted in each quarter and with each code, so that patients add up over practices and
nothing else. A practice that sent nothing is without data, which is not 0.

Where no code is configured it says how to configure one, and the exit code is 2: nothing
that reads its output can take that for no activity.

` + exitCodes,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return runMDT(cmd.Context(), options, s) },
	}
	options.AddFlags(cmd.Flags())
	return cmd
}

func runMDT(ctx context.Context, o MDTOptions, s streams) (err error) {
	write, ok := map[string]func(io.Writer, *mdt.Activity) error{
		formatTable: printMDT, formatCSV: writeMDT, formatJSON: func(to io.Writer, a *mdt.Activity) error { return printJSON(to, a) },
	}[o.Format]
	if !ok {
		return usageError{fmt.Errorf("--format %q; expected table, csv or json", o.Format)}
	}
	w, reader, err := o.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	activity, err := mdt.Read(ctx, reader)
	var none mdt.NoCodesError
	if errors.As(err, &none) {
		return howToConfigureMDT(o, w, reader, none)
	}
	if err != nil {
		return err
	}
	return write(s.out, activity)
}

// howToConfigureMDT says what to do until the period has MDT activity.
func howToConfigureMDT(o MDTOptions, w *workspace.Workspace, reader *published.Reader, none mdt.NoCodesError) error {
	c, err := contractOf(w, reader)
	if err != nil {
		return err
	}
	lines := []string{none.Error()}
	file := filepath.Join(w.ContractsDir(), none.ContractYear+".yaml")
	isConfigured := false
	for _, code := range c.Codes {
		isConfigured = isConfigured || code.Role == contract.MDT
	}
	if !isConfigured {
		if _, err := os.Stat(file); err != nil {
			lines = append(lines, fmt.Sprintf("make a contract file of the workspace's own: ltcles codes file --year %s > \"%s\"", none.ContractYear, file))
		}
		lines = append(lines,
			fmt.Sprintf("in %s add below `codes:`, for each code that the ICB has named:", file),
			"  - code: its digits", "    term: its description", "    role: mdt")
	}
	return usageError{errors.New(strings.Join(append(lines,
		fmt.Sprintf("then compute the period again: ltcles run --workspace \"%s\" --period %s", o.Workspace, none.Period)), "\n"))}
}

func printMDT(to io.Writer, a *mdt.Activity) error {
	fmt.Fprintf(to, "MDT activity of %s, period %s, as at %s\n", a.ContractYear, a.Period, a.AsAt)
	for _, code := range a.Codes {
		fmt.Fprintf(to, "\n%s %s\n", code.Code, code.Term)
		out := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
		fmt.Fprint(out, "  place\tpractice")
		for _, quarter := range a.Quarters {
			fmt.Fprintf(out, "\tQ%d patients\tevents", quarter)
		}
		fmt.Fprintln(out, "\tname")
		for i := 0; i < len(a.Rows); i += len(a.Quarters) {
			rows := a.Rows[i : i+len(a.Quarters)]
			if rows[0].Code != code.Code {
				continue
			}
			fmt.Fprintf(out, "  %s\t%s", placeOrNone(rows[0].Place), rows[0].Practice)
			for _, row := range rows {
				printFigures(out, row.Figures)
			}
			fmt.Fprintf(out, "\t%s\n", rows[0].Name)
		}
		for i := 0; i < len(a.Totals); i += len(a.Quarters) {
			totals := a.Totals[i : i+len(a.Quarters)]
			if totals[0].Code != code.Code {
				continue
			}
			place := placeOrNone(totals[0].Place)
			if totals[0].All {
				place = "all"
			}
			fmt.Fprintf(out, "  %s\tsum", place)
			for _, total := range totals {
				printFigures(out, total.Figures)
			}
			fmt.Fprintf(out, "\t%s\n", withData(totals[0]))
		}
		if err := out.Flush(); err != nil {
			return err
		}
	}
	return nil
}

func printFigures(to io.Writer, f mdt.Figures) {
	if f.Events == nil {
		fmt.Fprint(to, "\tno data\tno data")
		return
	}
	fmt.Fprintf(to, "\t%d\t%d", *f.Patients, *f.Events)
}

func withData(total mdt.Total) string {
	if total.Missing == 0 {
		return counted(total.Practices, "practice")
	}
	return fmt.Sprintf("%d of %s; %d without data", total.Practices-total.Missing, counted(total.Practices, "practice"), total.Missing)
}

func placeOrNone(place string) string { return cmp.Or(place, "(no place)") }

func writeMDT(to io.Writer, a *mdt.Activity) error {
	header := []string{"contract_year", "period", "as_at", "place", "practice_code", "practice_name", "state", "code", "quarter", "patients", "events"}
	return writeTable(to, header, len(a.Rows), func(i int) []string {
		row := a.Rows[i]
		return []string{a.ContractYear, a.Period, a.AsAt.String(), row.Place, row.Practice, row.Name, row.State, row.Code,
			strconv.FormatInt(row.Quarter, 10), orBlank(row.Patients), orBlank(row.Events)}
	})
}

func orBlank(n *int64) string {
	if n == nil {
		return ""
	}
	return strconv.FormatInt(*n, 10)
}
