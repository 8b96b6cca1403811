// Package publishedtest publishes a small synthetic workspace for the tests of those who read
// what is published. It is for tests.
package publishedtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
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

// The practices of [YearEnd]. The first three have a target of 20 and a weighted population of
// 1,234.56, so that what they are worth can be reckoned by hand.
const (
	Below          = "Y90001" // 12 of 20 count, 1 more in no segment; 1 left, 1 died
	Between        = "Y90002" // 18 of 20, 2 of them coded late
	Above          = "Y90003" // 24 of 20; its name is as bad as a name can be
	Missing        = "Y90004" // sends nothing
	Targetless     = "Y90005" // has no target
	Populationless = "Y90006" // has no weighted population
)

// AboveName is what a spreadsheet, a Markdown reader and a browser could all misread.
const AboveName = `=cmd|'/c calc'!A1 *Above* <b>Surgery</b> & Sons`

// YearEnd makes a workspace, publishes the year end 2026-27 of six practices as at 12 April 2027,
// and makes it final where that is asked for.
func YearEnd(t *testing.T, isFinal bool) *workspace.Workspace {
	t.Helper()
	dir := t.TempDir()
	if err := workspace.Init(dir); err != nil {
		t.Fatal(err)
	}
	settings := "allow_test_nhs_numbers: true\n"
	if isFinal {
		settings += "reconciliation_basis: domain_2\n"
	}
	for name, text := range map[string]string{
		"ltcles.yaml":          settings,
		"reference/places.csv": "contract_year,place,choice\n2026-27,Blackpool,diabetes\n2026-27,West Lancashire,\n",
		"reference/practices.csv": "contract_year,practice_code,practice_name,place,pcn_code,pcn_name,registered_population,weighted_population,annual_target\n" +
			"2026-27,Y90001,Below Surgery,Blackpool,U90001,Synthetic PCN,1000,1234.56,20\n" +
			"2026-27,Y90002,Between Surgery,Blackpool,U90001,Synthetic PCN,1000,1234.56,20\n" +
			"2026-27,Y90003," + AboveName + ",West Lancashire,U90001,Synthetic PCN,1000,1234.56,20\n" +
			"2026-27,Y90004,Missing Surgery,Blackpool,U90001,Synthetic PCN,1000,1234.56,20\n" +
			"2026-27,Y90005,Targetless Surgery,Blackpool,U90001,Synthetic PCN,1000,1234.56,\n" +
			"2026-27,Y90006,Populationless Surgery,Blackpool,U90001,Synthetic PCN,1000,,20\n",
		"inbox/2026-27/activity.csv": activity(),
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	w, err := workspace.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	period, err := contract.ParsePeriod("2026-27")
	if err != nil {
		t.Fatal(err)
	}
	asAt, err := civil.Parse("2027-04-12")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pipeline.Run(context.Background(), pipeline.Config{Workspace: w, Period: period, AsAt: asAt, Today: asAt, Publish: true}); err != nil {
		t.Fatalf("publish %s: %v", period, err)
	}
	if isFinal {
		missing := []snapshot.MissingPractice{{Practice: Missing, Reason: "closed"}}
		if _, err := pipeline.Freeze(context.Background(), pipeline.FreezeConfig{Workspace: w, Period: period, Missing: missing}); err != nil {
			t.Fatalf("freeze %s: %v", period, err)
		}
	}
	return w
}

// activity is a search export of claims and cohort codes, its patients known by EMIS number alone.
func activity() string {
	var out strings.Builder
	out.WriteString("Organisation Code,EMIS Number,Registered Date,Deducted Date,Date of Death,Code,Date,Date Recorded\n")
	number := 0
	patients := func(practice string, n int, left, died, recorded string, cohorts ...string) {
		for i := range n {
			number++
			fmt.Fprintf(&out, "%s,%d,01-Jan-2000,%s,%s,756261000000100,02-May-2026,%s\n", practice, number, left, died, recorded)
			fmt.Fprintf(&out, "%s,%d,01-Jan-2000,%s,%s,756161000000107,01-May-2026,01-May-2026\n", practice, number, left, died)
			if len(cohorts) > 0 {
				fmt.Fprintf(&out, "%s,%d,01-Jan-2000,%s,%s,%s,01-May-2026,01-May-2026\n", practice, number, left, died, cohorts[i%len(cohorts)])
			}
		}
	}
	all := []string{"716081000000105", "417206009", "268511007", "713671000000109", "713761000000107"}
	const onTime = "02-May-2026"
	patients(Below, 12, "", "", onTime, "417206009")
	patients(Below, 1, "", "", onTime)
	patients(Below, 1, "01-Feb-2027", "", onTime, "417206009")
	patients(Below, 1, "", "01-Feb-2027", onTime, "417206009")
	patients(Between, 16, "", "", onTime, all...)
	patients(Between, 2, "", "", "11-Apr-2027", all...)
	patients(Above, 24, "", "", onTime, "417206009", "268511007")
	patients(Targetless, 5, "", "", onTime, all...)
	patients(Populationless, 20, "", "", onTime, all...)
	return out.String()
}
