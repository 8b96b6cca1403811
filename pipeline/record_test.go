package pipeline

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"ltcles/pipeline/civil"
	"ltcles/pipeline/config"
	"ltcles/pipeline/contract"
	"ltcles/pipeline/workspace"
)

// june is a configuration for June 2026 of a workspace, as its extract was taken.
func june(t *testing.T, w *workspace.Workspace) Config {
	t.Helper()
	period, err := contract.ParsePeriod("2026-06")
	if err != nil {
		t.Fatal(err)
	}
	asAt, _ := civil.Of(2026, 7, 2)
	return Config{Workspace: w, Period: period, AsAt: asAt, Today: asAt, AcceptAll: true, Threads: 1}
}

// A check of what is published that fails leaves the record of the run that published it.
func TestRecordOfAPublishedRunStands(t *testing.T) {
	t.Parallel()
	w := generated(t, "2026-06")
	cfg := june(t, w)
	cfg.Publish = true
	report, err := Run(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	record := func() (files []string) {
		return slices.DeleteFunc(readTree(t, report.RunDir), func(file string) bool { return strings.Contains(file, "log.jsonl\n") })
	}
	before := record()
	if len(before) != 3 {
		t.Fatalf("a record of %d files beside the log", len(before))
	}
	cfg.Publish = false
	w.Settings.MemoryLimit = "8MB"
	again, err := Run(context.Background(), cfg)
	if err == nil || again.RunID != report.RunID || again.RunDir != report.RunDir {
		t.Fatalf("run %s, in %s, %v; expected to fail as %s", again.RunID, again.RunDir, err, report.RunID)
	}
	if after := record(); !slices.Equal(after, before) {
		t.Errorf("the record was %q and is %q", before, after)
	}
}

// A file of the record is the one before until it is whole.
func TestRecordIsWhole(t *testing.T) {
	t.Parallel()
	r := &run{dir: t.TempDir()}
	write := func(text string, err error) error {
		return r.record(rejectsFile, func(to io.Writer) error {
			if _, err := io.WriteString(to, text); err != nil {
				return err
			}
			return err
		})
	}
	if err := write("whole\n", nil); err != nil {
		t.Fatal(err)
	}
	full := errors.New("disk full")
	if err := write("ha", full); !errors.Is(err, full) || !strings.HasPrefix(err.Error(), "write rejects.csv: ") {
		t.Errorf("error %v", err)
	}
	text, err := os.ReadFile(filepath.Join(r.dir, rejectsFile))
	if err != nil || !bytes.Equal(text, []byte("whole\n")) {
		t.Errorf("%q stands, %v", text, err)
	}
	if left, err := entries(r.dir, "."); err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
}

// What killed runs left is swept from this workspace and no other, whatever its folder is called.
func TestSweepIsOfOneWorkspace(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("* is no part of a name on Windows")
	}
	dir := t.TempDir()
	other := filepath.Join(dir, "LTC 2026", ".ltcles", "run-live")
	if err := os.MkdirAll(other, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"LTC 202[67]", "LTC 2*", "LTC [2026"} {
		own := filepath.Join(dir, name)
		if err := os.Rename(generated(t, "2026-06").Dir, own); err != nil {
			t.Fatal(err)
		}
		w, err := workspace.Open(own)
		if err != nil {
			t.Fatal(err)
		}
		left := []string{filepath.Join(w.Private(), "run-killed", "staged"), filepath.Join(w.Runs(), "2026-05-0123456789ab", ".rejects.csv"), filepath.Join(w.Runs(), ".gone-one")}
		for _, path := range left {
			if err := os.MkdirAll(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}
		cfg := june(t, w)
		cfg.Publish = true
		for range 2 { // the second reads what the first published
			if _, err := Run(context.Background(), cfg); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			cfg.AsAt++
		}
		for _, path := range left {
			if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("%s: %s is left, %v", name, path, err)
			}
		}
		if _, err := os.Lstat(other); err != nil {
			t.Errorf("%s: another workspace's is gone: %v", name, err)
		}
	}
}

// A name that cannot be printed is told as what it is.
func TestNamesThatCannotBePrinted(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("other systems have no such names")
	}
	for name, told := range map[string]string{"caf\xe9.csv": `"caf\xe9.csv"`, "two\nlines.csv": `"two\nlines.csv"`, "\x1b[2J9990000018.csv": `"\x1b[2J##########.csv"`} {
		w := generated(t, "2026-06")
		if err := os.WriteFile(filepath.Join(w.Inbox("2026-06"), name), []byte("NHS Number\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Run(context.Background(), june(t, w))
		problem := new(config.Problem)
		if !errors.As(err, &problem) || !strings.Contains(err.Error(), "not UTF-8, or has a control character: "+told+"; expected a name that can be printed") || !strconv.CanBackquote(err.Error()) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// A run date that no extract of the year can have is no as-at; one after today is, and is told.
func TestRunDateInTheFuture(t *testing.T) {
	t.Parallel()
	w := generated(t, "2026-06")
	const header = "Last Run:,%s\nOrganisation Code,NHS Number,EMIS Number,Registered Date,Code,Date,Date Recorded\n"
	for _, tt := range []struct{ day, asAt, from, refused string }{
		{"03/07/2062", "", "", "late.csv: a run date in the future, 2062-07-03; expected the day that the extract was taken, no later than 2028-04-10; export the file again, or give --as-at"},
		{"11/04/2028", "", "", "late.csv: a run date in the future, 2028-04-11"},
		{"10/04/2028", "2028-04-10", "the newest run date that the files state: late.csv, which is after today, 2026-07-05", ""},
		{"02/07/2026", "2026-07-05", "the newest run date that the files state", ""},
	} {
		cfg := june(t, w)
		cfg.AsAt, cfg.Today = civil.None, cfg.Today+3 // as the other files state
		if err := os.WriteFile(filepath.Join(w.Inbox("2026-06"), "late.csv"), []byte(strings.Replace(header, "%s", tt.day, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		report, err := Run(context.Background(), cfg)
		if tt.refused != "" {
			problem := new(config.Problem)
			if !errors.As(err, &problem) || !strings.Contains(err.Error(), tt.refused) {
				t.Errorf("%s: %v", tt.day, err)
			}
			cfg.AsAt = cfg.Today
			if _, err := Run(context.Background(), cfg); err != nil {
				t.Errorf("%s, and as-at given: %v", tt.day, err)
			}
			continue
		}
		if err != nil || report.AsAt.String() != tt.asAt || report.AsAtFrom != tt.from {
			t.Errorf("%s: as at %s (%s), %v", tt.day, report.AsAt, report.AsAtFrom, err)
		}
	}
}
