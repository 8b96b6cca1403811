package main

import (
	"fmt"

	"github.com/spf13/pflag"

	"ltcles/pipeline/civil"
	"ltcles/pipeline/contract"
	"ltcles/pipeline/workspace"
)

// PeriodOptions are the options of every command that reads a period's files.
type PeriodOptions struct {
	Workspace string
	Period    string
	AsAt      civil.Date
	Threads   int
}

// AddFlags adds the flags of the options.
func (o *PeriodOptions) AddFlags(flags *pflag.FlagSet) {
	o.AsAt = civil.None
	flags.StringVar(&o.Workspace, "workspace", ".", "the workspace's folder")
	flags.StringVar(&o.Period, "period", "", "a month, 2026-06, or a contract year, 2026-27, for its year end (required)")
	flags.Var(dateFlag{&o.AsAt}, "as-at", "the day of the extract (default: the newest run date that the files state, else today)")
	flags.IntVar(&o.Threads, "threads", 0, "how many threads to use (default: the settings', else one for each processor)")
}

// open checks the options and opens the workspace.
func (o PeriodOptions) open() (contract.Period, *workspace.Workspace, error) {
	period, err := parsePeriod(o.Period)
	if err != nil {
		return period, nil, err
	}
	if err := checkThreads(o.Threads); err != nil {
		return period, nil, err
	}
	w, err := workspace.Open(o.Workspace)
	return period, w, err
}

// openPublished is open for a command that reads what is published too: its period
// may be a supplement.
func (o PeriodOptions) openPublished() (contract.Period, *workspace.Workspace, error) {
	period, err := contract.ParsePublished(o.Period)
	if err != nil || !period.IsSupplement() {
		return o.open()
	}
	o.Period = period.Supplement(0).String()
	_, w, err := o.open()
	return period, w, err
}

func checkThreads(threads int) error {
	if threads < 0 {
		return usageError{fmt.Errorf("--threads %d; expected 0 or more", threads)}
	}
	return nil
}
