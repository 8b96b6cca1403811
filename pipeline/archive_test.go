package pipeline_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ltcles/pipeline"
	"ltcles/pipeline/oracle"
	"ltcles/pipeline/snapshot"
)

// The bytes of a damaged member of an archive are not known, and so it has no hash. It stops the run
// until it is accepted by name; what is then published says so, and verifies. The archive's own hash
// tells one damage from another, and from the whole archive that is sent in its place.
func TestDamagedMemberOfAnArchive(t *testing.T) {
	const (
		sound, damaged = "post.zip!Y90001.csv", "post.zip!Y90002.csv"
		header         = "NHS Number,Code,Date\n"
		claim          = "999000%s,756261000000100,01-May-2026\n"
	)
	space := defaultWorkspace(t)
	inbox := space.Inbox("2026-06")
	var packed bytes.Buffer
	w := zip.NewWriter(&packed)
	for _, entry := range [][2]string{{"Y90001.csv", "0018"}, {"Y90002.csv", "0026"}} {
		member, err := w.CreateHeader(&zip.FileHeader{Name: entry[0], Method: zip.Store})
		if err == nil {
			_, err = fmt.Fprintf(member, header+claim, entry[1])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	whole := packed.String()
	damage := func(with string) string { return strings.Replace(whole, "9990000026", with, 1) }

	run := runOf(t, "2026-06")
	publish := func(archive string, accept ...string) (*pipeline.Report, error) {
		write(t, filepath.Join(inbox, "post.zip"), archive)
		return pipeline.Run(context.Background(), pipeline.Config{
			Workspace: space, Period: run.period, AsAt: run.asAt, Today: run.asAt, Accept: accept, Threads: 2, Publish: true,
		})
	}
	store := snapshot.Store{Dir: space.Published()}

	_, err := publish(damage("9990000034"))
	var unfit *pipeline.NotFitError
	if !errors.As(err, &unfit) || len(unfit.Reasons) != 1 || !strings.Contains(unfit.Reasons[0], damaged+": found a damaged member") {
		t.Fatalf("a damaged member: %v", err)
	}
	if current, err := store.Current(); current != nil || err != nil {
		t.Fatalf("something was published: %v", err)
	}

	report, err := publish(damage("9990000034"), damaged)
	if err != nil {
		t.Fatal(err)
	}
	first := report.RunID
	if problems, err := store.Verify(); err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
	current, err := store.Current()
	if err != nil {
		t.Fatal(err)
	}
	if len(current.Manifest.Accepted) != 1 || current.Manifest.Accepted[0].File != damaged {
		t.Errorf("accepted: %v", current.Manifest.Accepted)
	}
	for _, input := range current.Manifest.Inputs {
		if (input.SHA256 == "") != (input.File == damaged) {
			t.Errorf("%s has the hash %q in the manifest", input.File, input.SHA256)
		}
	}
	files := readTable(t, current.Path("fact_file.parquet"), oracle.Table{Name: "fact_file", Columns: []string{"file_name", "sha256", "status", "rows_read"}})
	for _, file := range files.Rows {
		isDamaged := file[0] == damaged
		if (file[1] == oracle.Null) != isDamaged || (file[2] == "refused") != isDamaged || (file[3] == "1") != (file[0] == sound) {
			t.Errorf("fact_file has %v", file)
		}
	}
	coverage := readTable(t, current.Path("fact_coverage.parquet"), oracle.Table{Name: "fact_coverage", Columns: []string{"practice_code", "state", "refused_files"}})
	for _, want := range [][]string{{"Y90001", "supplied", "0"}, {"Y90002", "missing", "1"}} {
		if !slices.ContainsFunc(coverage.Rows, func(row []string) bool { return slices.Equal(row, want) }) {
			t.Errorf("no row of fact_coverage is %v", want)
		}
	}

	if report, err = publish(damage("9990000034"), damaged); err != nil || report.RunID != first {
		t.Errorf("the same again is run %s and not %s, %v", report.RunID, first, err)
	}
	if report, err = publish(damage("9990000042"), damaged); err != nil || report.RunID == first {
		t.Errorf("other damage is the same run, %v", err)
	}
	if report, err = publish(whole); err != nil || report.RunID == first {
		t.Fatalf("the whole archive: %v", err)
	}
	if problems, err := store.Verify(); err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
}
