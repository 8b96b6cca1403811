package pipeline_test

import (
	"archive/zip"
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"ltcles/pipeline"
	"ltcles/pipeline/civil"
	"ltcles/pipeline/contract"
	"ltcles/pipeline/pseudonym"
	"ltcles/pipeline/schema"
	"ltcles/pipeline/snapshot"
	"ltcles/pipeline/workspace"
)

var update = flag.Bool("update", false, "rewrite want/ of the cases with what the program publishes")

const casesDir = "../fixtures/cases"

// Each folder of fixtures/cases is a case, named as the rule or the disposition that it proves:
//
//	case.txt          key: value lines, read by readCase; proves says what the case is about
//	in/               a workspace without a key, laid over _default/
//	want/<table>.csv  the rows of a published table of the last run, in the columns that matter;
//	                  patient_key shows the identity; want/<period>/ is of an earlier run
//
// A table that has every practice, segment, day or code, and fact_finding, is compared in the
// rows whose key want/ names; any other table in all its rows. want/rejects.csv is the run's list
// of rejected rows, want/findings.csv that of rows that a finding is about, and want/accepted.csv
// what the manifest says was accepted.
func TestCases(t *testing.T) {
	for _, name := range caseNames(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			readCase(t, name).prove(t)
		})
	}
}

// The rules and every disposition have a case that is named after them.
func TestCasesNameEveryRuleAndDisposition(t *testing.T) {
	var wanted []string
	for rule := 1; rule <= 20; rule++ {
		wanted = append(wanted, fmt.Sprintf("R%02d_", rule))
	}
	for _, disposition := range schema.Dispositions() {
		wanted = append(wanted, "disposition_"+disposition.Name)
	}
	names := caseNames(t)
	for _, prefix := range wanted {
		if !slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(name, prefix) }) {
			t.Errorf("no case is named %s…", prefix)
		}
	}
}

// Every finding is made in some case, and counted.
func TestCasesMakeEveryFinding(t *testing.T) {
	made := map[string]bool{}
	files, err := filepath.Glob(filepath.Join(casesDir, "*", "want", "fact_finding.csv"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		columns, rows := readGolden(t, file)
		for _, row := range rows {
			made[row[slices.Index(columns, "check_name")]] = slices.Contains(columns, "affected")
		}
	}
	for _, check := range schema.Findings() {
		if !made[check.Name] {
			t.Errorf("no case expects the finding %s with the number affected", check.Name)
		}
	}
}

// A valid NHS number that is committed is of the 999 test range.
func TestCasesHoldTestNumbersOnly(t *testing.T) {
	tenDigits := regexp.MustCompile(`\b[0-9]{10}\b`)
	err := filepath.WalkDir(casesDir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		text = unpackedText(text)
		for _, number := range tenDigits.FindAllString(string(text), -1) {
			if !strings.HasPrefix(number, "999") {
				t.Errorf("%s: a number of ten digits outside the test range 999", path)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// The cases of the dates' edges give the same where the clock shows another zone.
func TestCasesInOtherTimeZones(t *testing.T) {
	for _, zone := range []string{"Europe/London", "Pacific/Pago_Pago"} {
		t.Run(zone, func(t *testing.T) {
			t.Parallel()
			again := exec.Command(os.Args[0], "-test.run", "^TestCases$/^date_", "-test.v")
			again.Env = append(os.Environ(), "TZ="+zone)
			said, err := again.CombinedOutput()
			if err != nil || !bytes.Contains(said, []byte("--- PASS: TestCases/date_")) {
				t.Errorf("with TZ=%s: %v\n%s", zone, err, said)
			}
		})
	}
}

func caseNames(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir(casesDir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		if entry.IsDir() && !strings.HasPrefix(entry.Name(), "_") {
			names = append(names, entry.Name())
		}
	}
	return names
}

type goldenCase struct {
	dir       string
	over      []string // shared folders that in/ is laid over, after _default
	runs      []caseRun
	noFinding []string // findings that the last run must not make
	threads   bool     // eight threads must publish the bytes that one does
}

type caseRun struct {
	period    contract.Period
	asAt      civil.Date // None: what the files state
	accept    []string
	isRefused bool     // the data is not fit to publish
	because   []string // what the reasons must say
}

// readCase reads case.txt:
//
//	proves: what, in words             (as often as needed)
//	over: _mdt                         a shared folder, over _default and under in/
//	threads: 1 and 8                   compare their bytes
//	no_finding: code_repaired          a finding that must not be there
//	run: 2026-06                       a run; without any, one for each folder of in/inbox
//	as_at: 2026-07-05 | stated         of the run above; without it, the day after the period's end
//	accept: Y90001/events.csv
//	outcome: published | not fit
//	because: no claim row              words of a reason why it is not fit
func readCase(t *testing.T, name string) goldenCase {
	t.Helper()
	c := goldenCase{dir: filepath.Join(casesDir, name)}
	text, err := os.ReadFile(filepath.Join(c.dir, "case.txt"))
	if err != nil {
		t.Fatal(err)
	}
	proves := false
	for n, line := range strings.Split(string(text), "\n") {
		key, value, found := strings.Cut(strings.TrimSpace(line), ": ")
		switch {
		case line == "":
			continue
		case !found:
			t.Fatalf("%s:%d: no key: value", name, n+1)
		case key == "proves":
			proves = true
			continue
		case key == "over":
			c.over = append(c.over, value)
			continue
		case key == "no_finding":
			c.noFinding = append(c.noFinding, value)
			continue
		case key == "threads":
			c.threads = true
			continue
		case key == "run":
			c.runs = append(c.runs, runOf(t, value))
			continue
		case len(c.runs) == 0:
			c.runs = append(c.runs, c.inboxRuns(t)...)
		}
		run := &c.runs[len(c.runs)-1]
		switch key {
		case "as_at":
			if run.asAt, err = civil.Parse(value); err != nil && value != "stated" {
				t.Fatalf("%s:%d: %v", name, n+1, err)
			}
		case "accept":
			run.accept = append(run.accept, value)
		case "outcome":
			run.isRefused = value == "not fit"
		case "because":
			run.because = append(run.because, value)
		default:
			t.Fatalf("%s:%d: unknown key %q", name, n+1, key)
		}
	}
	if !proves {
		t.Fatalf("%s: case.txt does not say what the case proves", name)
	}
	if len(c.runs) == 0 {
		c.runs = c.inboxRuns(t)
	}
	return c
}

func runOf(t *testing.T, period string) caseRun {
	t.Helper()
	parsed, err := contract.ParsePeriod(period)
	if err != nil {
		t.Fatal(err)
	}
	return caseRun{period: parsed, asAt: parsed.End() + 1}
}

func (c goldenCase) inboxRuns(t *testing.T) []caseRun {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(c.dir, "in", "inbox"))
	if err != nil {
		t.Fatal(err)
	}
	var runs []caseRun
	for _, entry := range entries {
		runs = append(runs, runOf(t, entry.Name()))
	}
	slices.SortFunc(runs, func(a, b caseRun) int { return a.period.Compare(b.period) })
	return runs
}

func (c goldenCase) prove(t *testing.T) {
	w := c.workspace(t)
	identities := c.identities(t, w)
	compared := 0
	for n, run := range c.runs {
		report := run.do(t, w, 1)
		dir := filepath.Join(c.dir, "want")
		if n < len(c.runs)-1 {
			dir = filepath.Join(dir, run.period.String())
		}
		source := goldenSource{run: run, report: report, workspace: w, identities: identities}
		if !run.isRefused {
			c.mustHold(t, source)
		}
		compared += c.compareGoldens(t, dir, source)
		compared += len(run.because)
		c.mustBeExplained(t, w, run, identities)
	}
	if compared == 0 {
		t.Error("the case compares nothing: want/ is empty")
	}
	last := c.runs[len(c.runs)-1]
	if last.isRefused {
		return
	}
	mustBeUnchanged(t, w, last)
	if c.threads {
		other := c.workspace(t)
		for _, run := range c.runs {
			run.do(t, other, 8)
		}
		compareBytes(t, filepath.Join(w.Published(), "current"), filepath.Join(other.Published(), "current"))
	}
}

// caseKey is the key of every case, so that a published file has the same bytes each time.
const caseKey = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n"

// workspace makes the workspace that the case begins with.
func (c goldenCase) workspace(t *testing.T) *workspace.Workspace {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "workspace")
	if err := workspace.Init(dir); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "secrets", "pseudonym.key"), caseKey)
	layers := []string{filepath.Join(casesDir, "_default")}
	for _, shared := range c.over {
		layers = append(layers, filepath.Join(casesDir, shared))
	}
	for _, layer := range append(layers, filepath.Join(c.dir, "in")) {
		err := filepath.WalkDir(layer, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			name, err := filepath.Rel(layer, path)
			if err != nil {
				return err
			}
			text, err := os.ReadFile(path)
			write(t, filepath.Join(dir, name), string(text))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	opened, err := workspace.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return opened
}

// do runs a period and insists on the outcome that the case states.
func (run caseRun) do(t *testing.T, w *workspace.Workspace, threads int) *pipeline.Report {
	t.Helper()
	before, err := snapshot.Store{Dir: w.Published()}.Current()
	if err != nil {
		t.Fatal(err)
	}
	report, err := run.start(w, threads)
	if !run.isRefused {
		if err != nil {
			t.Fatalf("run %s: %v\n%s", run.period, err, said(report))
		}
		return report
	}
	var refused *pipeline.NotFitError
	if !errors.As(err, &refused) {
		t.Fatalf("run %s: got %v, want data that is not fit to publish", run.period, err)
	}
	for _, words := range run.because {
		if !slices.ContainsFunc(refused.Reasons, func(reason string) bool { return strings.Contains(reason, words) }) {
			t.Errorf("run %s: no reason says %q among %q", run.period, words, refused.Reasons)
		}
	}
	after, err := snapshot.Store{Dir: w.Published()}.Current()
	if err != nil {
		t.Fatal(err)
	}
	if (before == nil) != (after == nil) || before != nil && before.Name != after.Name {
		t.Errorf("run %s: what is published changed, though the data is not fit", run.period)
	}
	return report
}

func (run caseRun) start(w *workspace.Workspace, threads int) (*pipeline.Report, error) {
	return pipeline.Run(context.Background(), pipeline.Config{
		Workspace: w, Period: run.period, AsAt: run.asAt, Today: run.period.End() + 1,
		Accept: run.accept, Threads: threads, Publish: true,
	})
}

func said(report *pipeline.Report) string {
	if report == nil {
		return ""
	}
	var lines []string
	for _, file := range report.Files {
		lines = append(lines, fmt.Sprintf("%s %s %s %s", file.File, file.Kind, file.Status, file.Message))
	}
	return strings.Join(lines, "\n")
}

// mustHold asserts what holds after every run that publishes, whatever the case: no row is lost,
// and an independent reader finds nothing wrong with what is published.
func (c goldenCase) mustHold(t *testing.T, source goldenSource) {
	t.Helper()
	left, err := os.ReadDir(source.workspace.Private())
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range left {
		if entry.Name() != "lock" && entry.Name() != "staged" {
			t.Errorf("the run leaves %s in its private folder", entry.Name())
		}
	}
	rows := map[string]int64{}
	for _, row := range source.table(t, "fact_disposition", []string{"file_name", "rows"}) {
		rows[row[0]] += number(t, row[1])
	}
	total := int64(0)
	for _, row := range source.table(t, "fact_file", []string{"file_name", "rows_read"}) {
		read := int64(0)
		if row[1] != "" {
			read = number(t, row[1])
		}
		if read != rows[row[0]] {
			t.Errorf("%s: %d rows read, and dispositions of %d", row[0], read, rows[row[0]])
		}
		total += read
		delete(rows, row[0])
	}
	if len(rows) > 0 {
		t.Errorf("dispositions of files that are not in fact_file: %v", rows)
	}
	if source.report.RowsRead != total {
		t.Errorf("the run says %d rows read, fact_file %d", source.report.RowsRead, total)
	}
	problems, err := snapshot.Store{Dir: source.workspace.Published()}.Verify()
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range problems {
		t.Errorf("verify: %s", problem)
	}
	for _, row := range source.table(t, "fact_finding", []string{"practice_code", "check_name", "affected"}) {
		if slices.Contains(c.noFinding, row[1]) && source.run.period == c.runs[len(c.runs)-1].period {
			t.Errorf("finding %s of practice %s, affected %s, must not be there", row[1], row[0], row[2])
		}
	}
}

func number(t *testing.T, text string) int64 {
	t.Helper()
	value, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// mustBeUnchanged runs the last run again, which is to be recognised and to change nothing.
func mustBeUnchanged(t *testing.T, w *workspace.Workspace, run caseRun) {
	t.Helper()
	before := publishedFiles(t, w)
	report, err := run.start(w, 2)
	if err != nil {
		t.Fatalf("run %s again: %v", run.period, err)
	}
	if !report.Unchanged {
		t.Errorf("run %s again: it is not recognised as the same", run.period)
	}
	if after := publishedFiles(t, w); !maps.Equal(before, after) {
		t.Errorf("run %s again: what is published changed", run.period)
	}
}

// publishedFiles reads every file of every snapshot, and what current leads to.
func publishedFiles(t *testing.T, w *workspace.Workspace) map[string]string {
	t.Helper()
	files := readAll(t, filepath.Join(w.Published(), "snapshots"))
	current, err := snapshot.Store{Dir: w.Published()}.Current()
	if err != nil {
		t.Fatal(err)
	}
	files["current"] = current.Name
	return files
}

// identities tells whose pseudonym is whose: every number in the inbox, as an NHS number and as
// an EMIS number of each practice.
func (c goldenCase) identities(t *testing.T, w *workspace.Workspace) map[string]string {
	t.Helper()
	key, err := pseudonym.Load(w.KeyFile())
	if err != nil {
		t.Fatal(err)
	}
	reference, err := w.Reference(c.runs[0].period.Year())
	if err != nil {
		t.Fatal(err)
	}
	hasher := key.NewHasher()
	into := map[string]string{}
	digits := regexp.MustCompile(`[0-9]+`)
	padding := strings.NewReplacer(" ", "", "-", "", "\u00a0", "")
	err = filepath.WalkDir(filepath.Join(c.dir, "in", "inbox"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		text = unpackedText(text)
		for _, number := range digits.FindAllString(string(text)+"\n"+padding.Replace(string(text)), -1) {
			into[string(hasher.Hex(nil, []byte(number)))] = number
			for _, practice := range reference.Practices {
				identity := "emis:" + practice.Code + ":" + number
				into[string(hasher.Hex(nil, []byte(identity)))] = identity
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return into
}

// unpackedText is what a workbook or an archive holds; of any other file, the file.
func unpackedText(content []byte) []byte {
	unpacked, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return content
	}
	var text []byte
	for _, entry := range unpacked.File {
		opened, err := entry.Open()
		if err != nil {
			continue
		}
		part, _ := io.ReadAll(opened) // what cannot be unpacked holds no number that is read
		opened.Close()
		text = append(append(text, unpackedText(part)...), '\n')
	}
	return text
}

// goldenSource is where the values come from that want/ is compared with.
type goldenSource struct {
	run        caseRun
	report     *pipeline.Report
	workspace  *workspace.Workspace
	identities map[string]string
}

// compareGoldens compares every file of a want/ folder, and says how many there are.
func (c goldenCase) compareGoldens(t *testing.T, dir string, source goldenSource) int {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.csv"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".csv")
		columns, want := readGolden(t, file)
		got := selected(name, columns, want, source.rows(t, name, columns))
		slices.SortFunc(got, slices.Compare[[]string])
		if *update {
			writeGolden(t, file, columns, got)
			continue
		}
		for _, row := range missingRows(want, got) {
			t.Errorf("%s of %s: want %s %q", name, source.run.period, strings.Join(columns, ","), row)
		}
		for _, row := range missingRows(got, want) {
			t.Errorf("%s of %s:  got %s %q", name, source.run.period, strings.Join(columns, ","), row)
		}
	}
	return len(files)
}

// partial lists the tables that are compared in the rows that want/ names by these columns.
func partial(table string) []string {
	switch table {
	case "fact_practice_position", "fact_reconciliation", "fact_coverage", "dim_practice":
		return []string{"practice_code"}
	case "fact_segment_count":
		return []string{"practice_code", "segment"}
	case "fact_payment":
		return []string{"practice_code", "domain"}
	case "fact_instalment":
		return []string{"practice_code", "instalment"}
	case "dim_segment":
		return []string{"segment"}
	case "dim_code":
		return []string{"code"}
	case "dim_date":
		return []string{"date"}
	case "fact_finding":
		return []string{"check_name"}
	}
	return nil
}

// selected leaves out the rows that want/ says nothing about, unless it has none at all.
func selected(table string, columns []string, want, got [][]string) [][]string {
	var at []int
	for _, column := range partial(table) {
		if i := slices.Index(columns, column); i >= 0 {
			at = append(at, i)
		}
	}
	if len(at) == 0 || len(want) == 0 {
		return got
	}
	keyOf := func(row []string) string {
		var parts []string
		for _, i := range at {
			parts = append(parts, row[i])
		}
		return strings.Join(parts, "\x00")
	}
	named := map[string]bool{}
	for _, row := range want {
		named[keyOf(row)] = true
	}
	return slices.DeleteFunc(got, func(row []string) bool { return !named[keyOf(row)] })
}

// missingRows lists the rows of a that b has less often.
func missingRows(a, b [][]string) []string {
	count := map[string]int{}
	for _, row := range b {
		count[strings.Join(row, ",")]++
	}
	var missing []string
	for _, row := range a {
		line := strings.Join(row, ",")
		if count[line]--; count[line] < 0 {
			missing = append(missing, line)
		}
	}
	return missing
}

func readGolden(t *testing.T, file string) (columns []string, rows [][]string) {
	t.Helper()
	text, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer text.Close()
	rows, err = csv.NewReader(text).ReadAll()
	if err != nil || len(rows) == 0 {
		t.Fatalf("%s: %v", file, cmp.Or(err, errors.New("no columns")))
	}
	return rows[0], rows[1:]
}

func writeGolden(t *testing.T, file string, columns []string, rows [][]string) {
	t.Helper()
	var text bytes.Buffer
	out := csv.NewWriter(&text)
	if err := out.WriteAll(append([][]string{columns}, rows...)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// rows reads the columns of what a file of want/ is named after.
func (s goldenSource) rows(t *testing.T, name string, columns []string) [][]string {
	t.Helper()
	switch name {
	case "rejects", "findings":
		return pick(t, filepath.Join(s.report.RunDir, name+".csv"), columns)
	case "accepted":
		current, err := snapshot.Store{Dir: s.workspace.Published()}.Current()
		if err != nil {
			t.Fatal(err)
		}
		rows := [][]string{}
		for _, accepted := range current.Manifest.Accepted {
			rows = append(rows, []string{accepted.File})
		}
		return rows
	}
	return s.table(t, name, columns)
}

// pick reads some columns of a CSV file.
func pick(t *testing.T, file string, columns []string) [][]string {
	t.Helper()
	header, from := readGolden(t, file)
	rows := make([][]string, len(from))
	for _, column := range columns {
		at := slices.Index(header, column)
		if at < 0 {
			t.Fatalf("%s has no column %s", file, column)
		}
		for i, row := range from {
			rows[i] = append(rows[i], row[at])
		}
	}
	return rows
}

// table reads the columns of a table of the run's period from its published file.
func (s goldenSource) table(t *testing.T, name string, columns []string) [][]string {
	t.Helper()
	path := filepath.Join(s.workspace.Published(), "current", filepath.FromSlash(snapshot.TableFile(name, s.run.period.String())))
	table := readParquet(t, path)
	defer table.Release()
	rows := make([][]string, table.NumRows())
	for _, column := range columns {
		at := table.Schema().FieldIndices(column)
		if len(at) != 1 {
			t.Fatalf("%s has %d columns %s", name, len(at), column)
		}
		row := 0
		for _, chunk := range table.Column(at[0]).Data().Chunks() {
			for n := range chunk.Len() {
				text := goldenText(t, chunk, n)
				if identity, known := s.identities[text]; known && column == "patient_key" {
					text = identity
				}
				rows[row] = append(rows[row], text)
				row++
			}
		}
	}
	return rows
}

// goldenText writes a value as want/ does: null is blank, and a share has six places at most.
func goldenText(t *testing.T, values arrow.Array, n int) string {
	t.Helper()
	if values.IsNull(n) {
		return ""
	}
	switch values := values.(type) {
	case *array.String:
		return values.Value(n)
	case *array.Int64:
		return strconv.FormatInt(values.Value(n), 10)
	case *array.Float64:
		return strconv.FormatFloat(math.Round(values.Value(n)*1e6)/1e6, 'f', -1, 64)
	case *array.Boolean:
		return strconv.FormatBool(values.Value(n))
	case *array.Date32:
		return civil.Date(values.Value(n)).String()
	case *array.Decimal128:
		return values.Value(n).ToString(2)
	}
	t.Fatalf("a column of type %s", values.DataType())
	return ""
}
