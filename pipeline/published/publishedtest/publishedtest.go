// Package publishedtest publishes a small synthetic workspace for the tests of those who read
// what is published. It is for tests.
package publishedtest

import (
	"context"
	"testing"

	"ltcles/fixtures"
	"ltcles/pipeline"
	"ltcles/pipeline/civil"
	"ltcles/pipeline/contract"
	"ltcles/pipeline/snapshot"
	"ltcles/pipeline/workspace"
)

// Options are what [Workspace] is made with: May and June of 2026-27, twelve practices of
// two places or more, one of which sends nothing in June and one has no target.
func Options() fixtures.Options {
	return fixtures.Options{Seed: 7, Practices: 12, Patients: 120}
}

// Store is where the two months are published.
func Store(t *testing.T) snapshot.Store {
	t.Helper()
	return snapshot.Store{Dir: Workspace(t).Published()}
}

// Workspace makes the workspace and publishes its two months, each test having its own.
func Workspace(t *testing.T) *workspace.Workspace {
	t.Helper()
	return Publish(t, t.TempDir(), Options())
}

// Publish makes a workspace in dir and publishes its periods.
func Publish(t *testing.T, dir string, options fixtures.Options) *workspace.Workspace {
	t.Helper()
	if err := workspace.Init(dir); err != nil {
		t.Fatal(err)
	}
	made, err := fixtures.Generate(dir, options)
	if err != nil {
		t.Fatal(err)
	}
	w, err := workspace.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, each := range made.Periods {
		period, err := contract.ParsePeriod(each.Period)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := pipeline.Run(context.Background(), pipeline.Config{
			Workspace: w, Period: period, AsAt: civil.None, Today: each.AsAt, AcceptAll: true, Publish: true,
		}); err != nil {
			t.Fatalf("publish %s: %v", each.Period, err)
		}
	}
	return w
}
