package pipeline_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ltcles/pipeline"
	"ltcles/pipeline/workspace"
)

// A file of a bulk extract that turns out unreadable halfway is refused, and what it said is as if it
// had not been there; where it is a look-up, the files that need it are refused as well.
func TestBulkExtractWithAnUnreadableFile(t *testing.T) {
	const agreement = "B3FA020B-0000-4000-8000-00000000000A"
	tooLong := strings.Repeat("x", 2<<20) + "\n"
	tables := []struct{ name, text string }{
		{"Admin_Patient", "PatientGuid,OrganisationGuid,NhsNumber,PatientNumber,PatientTypeDescription,DummyType,DateOfRegistration,DateofDeactivation,DateOfDeath,Deleted\n{a1},{o1},9990000018,1,Regular,false,,,,false\n"},
		{"CareRecord_Observation", "ObservationGuid,PatientGuid,OrganisationGuid,EffectiveDate,EnteredDate,CodeId,Deleted\n{b1},{a1},{o1},2026-05-01,,1,false\n"},
		{"Coding_ClinicalCode", "CodeId,SnomedCTConceptId\n1,756261000000100\n"},
		{"Admin_Organisation", "OrganisationGuid,ODSCode\n{o1},Y90001\n"},
	}
	for broken, wants := range map[string]string{
		"Admin_Patient":          "refused 0, read 1, read 0, read 0",
		"CareRecord_Observation": "read 1, refused 0, read 0, read 0",
		"Coding_ClinicalCode":    "read 1, refused 0, refused 0, read 0",
		"Admin_Organisation":     "refused 0, refused 0, read 0, refused 0",
	} {
		t.Run(broken, func(t *testing.T) {
			t.Parallel()
			opened := defaultWorkspace(t)
			inbox := opened.Inbox("2026-06")
			write(t, filepath.Join(inbox, "Y90002.csv"), "NHS Number,Code,Date\n9990000026,756261000000100,01-May-2026\n")
			for _, table := range tables {
				text := table.text
				if table.name == broken {
					text += tooLong
				}
				write(t, filepath.Join(inbox, fmt.Sprintf("1_%s_20260701043213_%s.csv", table.name, agreement)), text)
			}
			run := runOf(t, "2026-06")
			report, err := pipeline.Run(context.Background(), pipeline.Config{
				Workspace: opened, Period: run.period, AsAt: run.asAt, Today: run.asAt, AcceptAll: true, Threads: 4, Publish: true,
			})
			if err != nil {
				t.Fatalf("%v\n%s", err, said(report))
			}
			var got []string
			for _, table := range tables {
				for _, file := range report.Files {
					if strings.Contains(file.File, table.name) {
						got = append(got, fmt.Sprintf("%s %d", file.Status, file.RowsRead))
					}
				}
			}
			if strings.Join(got, ", ") != wants {
				t.Errorf("got %s, want %s\n%s", strings.Join(got, ", "), wants, said(report))
			}
		})
	}
}

// defaultWorkspace is a workspace with the settings and the practices of the cases.
func defaultWorkspace(t *testing.T) *workspace.Workspace {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "workspace")
	if err := workspace.Init(dir); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ltcles.yaml", "reference/practices.csv", "reference/places.csv"} {
		text, err := os.ReadFile(filepath.Join(casesDir, "_default", filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, filepath.FromSlash(name)), string(text))
	}
	opened, err := workspace.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return opened
}
