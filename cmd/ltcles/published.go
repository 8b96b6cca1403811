package main

import (
	"context"
	"errors"

	"github.com/spf13/pflag"

	"ltcles/pipeline/contract"
	"ltcles/pipeline/published"
	"ltcles/pipeline/snapshot"
	"ltcles/pipeline/workspace"
)

// PublishedOptions are the options of every command that shows what is published.
type PublishedOptions struct {
	Workspace string
	Period    string
}

// AddFlags adds the flags of the options.
func (o *PublishedOptions) AddFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.Workspace, "workspace", ".", "the workspace's folder")
	flags.StringVar(&o.Period, "period", "", "a published period (default: the one that the current snapshot was published for)")
}

// open opens the workspace and the period; the caller closes the reader.
func (o PublishedOptions) open(ctx context.Context) (*workspace.Workspace, *published.Reader, error) {
	w, err := workspace.Open(o.Workspace)
	if err != nil {
		return nil, nil, err
	}
	reader, err := published.Open(ctx, snapshot.Store{Dir: w.Published()}, o.Period,
		published.Limits{Threads: w.Settings.Threads, MemoryLimit: w.Settings.MemoryLimit})
	var unknown published.UnknownPeriodError
	if errors.Is(err, snapshot.ErrNothingPublished) || errors.As(err, &unknown) {
		return nil, nil, usageError{err}
	}
	return w, reader, err
}

// contractOf is the contract of the period's year as the workspace has it now, with the
// settings' rulings: its calendar and its words are not in the tables.
func contractOf(w *workspace.Workspace, r *published.Reader) (*contract.Contract, error) {
	c, err := contract.Load(w.ContractsDir(), contract.Year(r.Period.ContractYear))
	if err != nil {
		return nil, err
	}
	c.Rule(w.Settings.Rulings)
	return c, nil
}
