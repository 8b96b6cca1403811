package main

import (
	"context"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"ltcles/fixtures"
	"ltcles/pipeline/civil"
	"ltcles/pipeline/workspace"
)

// DemoOptions are the options of demo.
type DemoOptions struct {
	Practices int
	Patients  int
	Seed      uint64
}

// AddFlags adds the flags of the options.
func (o *DemoOptions) AddFlags(flags *pflag.FlagSet) {
	flags.IntVar(&o.Practices, "practices", 8, "how many practices")
	flags.IntVar(&o.Patients, "patients", 0, "how many patients each practice's files list, on average (default: the generator's)")
	flags.Uint64Var(&o.Seed, "seed", 1, "another seed makes other patients")
}

func newDemoCommand(s streams) *cobra.Command {
	var options DemoOptions
	cmd := &cobra.Command{
		Use:   "demo DIR",
		Short: "Make a workspace of synthetic files and run two months of it",
		Long: `Makes a workspace in DIR, fills it with synthetic exports of every shape (nobody
in them exists), runs two months, and says what to try next.

` + exitCodes,
		Args: oneFolder,
		RunE: func(cmd *cobra.Command, args []string) error { return runDemo(cmd.Context(), args[0], options, s) },
	}
	options.AddFlags(cmd.Flags())
	return cmd
}

func runDemo(ctx context.Context, dir string, o DemoOptions, s streams) error {
	if o.Practices < 1 || o.Patients < 0 {
		return usageError{fmt.Errorf("--practices %d --patients %d; expected at least one practice", o.Practices, o.Patients)}
	}
	if err := workspace.Init(dir); err != nil {
		return err
	}
	made, err := fixtures.Generate(dir, fixtures.Options{Seed: o.Seed, Practices: o.Practices, Patients: o.Patients})
	if err != nil {
		return err
	}
	printMade(s, dir, made)
	for _, period := range made.Periods {
		fmt.Fprintf(s.out, "\n$ ltcles run --workspace %s --period %s\n", dir, period.Period)
		options := RunOptions{PeriodOptions: PeriodOptions{Workspace: dir, Period: period.Period, AsAt: civil.None}}
		if err := runRun(ctx, options, true, s); err != nil {
			return err
		}
	}
	last := made.Periods[len(made.Periods)-1].Period
	fmt.Fprintf(s.out, `
Try next:
  ltcles verify --workspace %[1]s
  ltcles check --workspace %[1]s --period %[2]s
  ltcles codes list --year %[3]s
`, dir, last, made.Years[len(made.Years)-1])
	return nil
}

func printMade(s streams, dir string, made *fixtures.Made) {
	fmt.Fprintf(s.out, "made %s: %d synthetic patients of %d practices in %d places\n", dir, made.Patients, made.Practices, made.Places)
	for _, period := range made.Periods {
		fmt.Fprintf(s.out, "\n%s, as at %s: %d files\n", period.Period, period.AsAt, len(period.Files))
		type shape struct{ kind, encoding, delimiter string }
		files := map[shape]int{}
		var order []shape
		for _, file := range period.Files {
			of := shape{file.Kind, file.Encoding, file.Delimiter}
			if files[of] == 0 {
				order = append(order, of)
			}
			files[of]++
		}
		out := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
		for _, of := range order {
			fmt.Fprintf(out, "  %d\t%s\t%s\t%s\n", files[of], of.kind, of.encoding, of.delimiter)
		}
		out.Flush()
	}
}
