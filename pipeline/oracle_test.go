package pipeline_test

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the zones, wherever the tests run

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"
	"pgregory.net/rapid"

	"ltcles/pipeline"
	"ltcles/pipeline/civil"
	"ltcles/pipeline/contract"
	"ltcles/pipeline/oracle"
	"ltcles/pipeline/pseudonym"
	"ltcles/pipeline/snapshot"
	"ltcles/pipeline/workspace"
)

// Random small workspaces go through the program and through the plain-Go statement of the rules,
// R5 to R20: every figure must agree. Each is published with one thread and with eight, which must
// give the same bytes, and a third of them in each of three time zones.
// ORACLE_SEEDS=17 or ORACLE_SEEDS=300-2000 runs other workspaces than the usual ones.
func TestOracleR5ToR20(t *testing.T) {
	first, last := oracleSeeds(t)
	usual := time.Local
	defer func() { time.Local = usual }()
	zones := []string{"UTC", "Europe/London", "Pacific/Auckland"}
	for i, zone := range zones {
		location, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		time.Local = location // the subtests of one zone have ended before the next zone's begin
		t.Run(zone, func(t *testing.T) {
			for seed := first; seed <= last; seed++ {
				if seed%uint64(len(zones)) != uint64(i) {
					continue
				}
				t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
					t.Parallel()
					compareWithOracle(t, seed)
				})
			}
		})
	}
}

func oracleSeeds(t *testing.T) (first, last uint64) {
	text := os.Getenv("ORACLE_SEEDS")
	if text == "" {
		text = "1-60"
		if testing.Short() {
			text = "1-30"
		}
	}
	from, to, isRange := strings.Cut(text, "-")
	if !isRange {
		to = from
	}
	first, err := strconv.ParseUint(from, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	last, err = strconv.ParseUint(to, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return first, last
}

func compareWithOracle(t *testing.T, seed uint64) {
	made := oracle.Generate(seed)
	inputs, outputs := made.Decide()
	space, twin := writeWorkspace(t, made), writeWorkspace(t, made)
	copyKey(t, space, twin)
	key, err := pseudonym.Load(space.KeyFile())
	if err != nil {
		t.Fatal(err)
	}
	hasher := key.NewHasher()
	patientKey := func(identity string) string { return string(hasher.Hex(nil, []byte(identity))) }

	for n, run := range made.Runs {
		writeInbox(t, space, run)
		writeInbox(t, twin, run)
		published := publish(t, space, run, 1)
		compareBytes(t, published, publish(t, twin, run, 8))
		for _, want := range outputs[n].Tables(inputs[n], patientKey) {
			got := readTable(t, filepath.Join(published, filepath.FromSlash(snapshot.TableFile(want.Name, run.Period))), want)
			reportDifferences(t, run, want, got)
		}
	}
}

// writeWorkspace makes a workspace with the reference files and the settings of a random one.
func writeWorkspace(t *testing.T, made oracle.Workspace) *workspace.Workspace {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "workspace")
	if err := workspace.Init(dir); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "ltcles.yaml"), made.Settings)
	for name, text := range made.Files {
		write(t, filepath.Join(dir, filepath.FromSlash(name)), text)
	}
	opened, err := workspace.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return opened
}

// writeInbox puts a run's files in the period's inbox, in place of what an earlier run left there.
func writeInbox(t *testing.T, in *workspace.Workspace, run oracle.Run) {
	t.Helper()
	inbox := in.Inbox(run.Period)
	if err := os.RemoveAll(inbox); err != nil {
		t.Fatal(err)
	}
	for name, text := range run.Inbox {
		write(t, filepath.Join(inbox, filepath.FromSlash(name)), text)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func copyKey(t *testing.T, from, to *workspace.Workspace) {
	t.Helper()
	text, err := os.ReadFile(from.KeyFile())
	if err != nil {
		t.Fatal(err)
	}
	write(t, to.KeyFile(), string(text))
}

// publish runs one period and says where its snapshot is.
func publish(t *testing.T, in *workspace.Workspace, run oracle.Run, threads int) string {
	t.Helper()
	period, err := contract.ParsePeriod(run.Period)
	if err != nil {
		t.Fatal(err)
	}
	report, err := pipeline.Run(context.Background(), pipeline.Config{
		Workspace: in,
		Period:    period,
		AsAt:      run.AsAt,
		Today:     run.AsAt,
		AcceptAll: true,
		Publish:   true,
		Threads:   threads,
	})
	if err != nil {
		var lines []string
		if report != nil {
			for _, file := range report.Files {
				lines = append(lines, fmt.Sprintf("%s %s %s %s", file.File, file.Kind, file.Status, file.Message))
			}
		}
		t.Fatalf("run %s as at %s: %v\n%s\nworkspace %s", run.Period, run.AsAt, err, strings.Join(lines, "\n"), keep(t, in, run))
	}
	return filepath.Join(in.Published(), "current")
}

// keep copies the inbox of a failing run to a place that outlives the test, if ORACLE_KEEP names one.
func keep(t *testing.T, in *workspace.Workspace, run oracle.Run) string {
	t.Helper()
	to := os.Getenv("ORACLE_KEEP")
	if to == "" {
		return "is not kept; set ORACLE_KEEP to a directory"
	}
	to = filepath.Join(to, filepath.Base(t.Name()), run.Period)
	if err := os.RemoveAll(to); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(to, os.DirFS(in.Inbox(run.Period))); err != nil {
		t.Fatal(err)
	}
	return to
}

// compareBytes compares every file of two snapshots.
func compareBytes(t *testing.T, one, other string) {
	t.Helper()
	a, b := readAll(t, one), readAll(t, other)
	if len(a) == 0 {
		t.Fatal("nothing was published")
	}
	if names, others := slices.Sorted(maps.Keys(a)), slices.Sorted(maps.Keys(b)); !slices.Equal(names, others) {
		t.Fatalf("one thread count published %v, the other %v", names, others)
	}
	for _, name := range slices.Sorted(maps.Keys(a)) {
		if a[name] != b[name] {
			t.Errorf("%s has other bytes with another thread count, %s", name, firstDifference(a[name], b[name]))
		}
	}
}

// firstDifference shows where two texts part.
func firstDifference(a, b string) string {
	at := 0
	for at < len(a) && at < len(b) && a[at] == b[at] {
		at++
	}
	around := func(text string) string { return text[max(0, at-80):min(len(text), at+80)] }
	return fmt.Sprintf("at byte %d\n  one    %q\n  other  %q", at, around(a), around(b))
}

// readAll reads every file below a folder.
func readAll(t rapid.TB, dir string) map[string]string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		files[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// readParquet reads a published file with Arrow; the caller releases the table.
func readParquet(t rapid.TB, path string) arrow.Table {
	t.Helper()
	from, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	table, err := pqarrow.ReadTable(context.Background(), from, parquet.NewReaderProperties(memory.DefaultAllocator),
		pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		t.Fatalf("read %s: %v", path, err)
	}
	return table
}

// readTable reads the columns of the oracle's table from a published file, as the oracle writes them.
func readTable(t *testing.T, path string, like oracle.Table) oracle.Table {
	t.Helper()
	table := readParquet(t, path)
	defer table.Release()

	got := oracle.Table{Name: like.Name, Columns: like.Columns, Rows: make([][]string, table.NumRows())}
	for _, column := range like.Columns {
		indices := table.Schema().FieldIndices(column)
		if len(indices) != 1 {
			t.Fatalf("%s has %d columns %s", path, len(indices), column)
		}
		row := 0
		for _, chunk := range table.Column(indices[0]).Data().Chunks() {
			for n := range chunk.Len() {
				got.Rows[row] = append(got.Rows[row], valueOf(t, chunk, n))
				row++
			}
		}
	}
	return got
}

func valueOf(t *testing.T, values arrow.Array, n int) string {
	t.Helper()
	if values.IsNull(n) {
		return oracle.Null
	}
	switch values := values.(type) {
	case *array.String:
		return values.Value(n)
	case *array.Int64:
		return strconv.FormatInt(values.Value(n), 10)
	case *array.Float64:
		return oracle.Float(values.Value(n))
	case *array.Boolean:
		return strconv.FormatBool(values.Value(n))
	case *array.Decimal128:
		return values.Value(n).ToString(2)
	case *array.Date32:
		return oracle.Day(civil.Date(values.Value(n)))
	}
	t.Fatalf("a column of type %s", values.DataType())
	return ""
}

func reportDifferences(t *testing.T, run oracle.Run, want, got oracle.Table) {
	t.Helper()
	wantLines, gotLines := want.Lines(), got.Lines()
	if slices.Equal(wantLines, gotLines) {
		return
	}
	var b strings.Builder
	for _, line := range without(wantLines, gotLines) {
		fmt.Fprintf(&b, "\n  the rules say   %s", line)
	}
	for _, line := range without(gotLines, wantLines) {
		fmt.Fprintf(&b, "\n  published is    %s", line)
	}
	t.Errorf("%s of %s as at %s, cut-off %s:%s", want.Name, run.Period, run.AsAt, run.Input.CutOff(), b.String())
}

// without lists the lines of a that are not in b, as often as they are more there.
func without(a, b []string) []string {
	count := map[string]int{}
	for _, line := range b {
		count[line]++
	}
	var rest []string
	for _, line := range a {
		if count[line] > 0 {
			count[line]--
			continue
		}
		rest = append(rest, line)
	}
	return rest
}
