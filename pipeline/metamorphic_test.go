package pipeline_test

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"ltcles/fixtures"
	"ltcles/pipeline"
	"ltcles/pipeline/civil"
	"ltcles/pipeline/contract"
	"ltcles/pipeline/schema"
	"ltcles/pipeline/snapshot"
	"ltcles/pipeline/workspace"
)

// Relations between runs: a random small workspace is run, and run again after a change of its
// inbox, or of the machine, of which the rules say what it may alter. Each test states what is
// predicted; everything else that is published must be the same, but for run_id.
const relationChecks = 8

// drawn is a random workspace: what is in the inbox, and when it is run.
type drawn struct {
	period string
	asAt   string
	files  []drawnFile
	extra  bool // the practice that has nothing to do with the others is of the year too
}

// A drawnFile is a report whose lines can be put into another order, or into two files.
type drawnFile struct {
	name   string // in the inbox
	head   string // preamble and header rows
	blocks []string
	tail   string // footer
}

func (f drawnFile) text() string { return f.head + strings.Join(f.blocks, "") + f.tail }

const (
	unrelatedPractice = "Z00009"
	lesClaim          = "756261000000100"
	lesEligibility    = "756161000000107"
)

func drawWorkspace(t *rapid.T) drawn {
	w := drawn{period: "2026-06", asAt: "2026-07-02"}
	lastRuns := []string{"30/06/2026", "01/07/2026", "12/06/2026", ""}
	if rapid.Bool().Draw(t, "year end") {
		w = drawn{period: "2026-27", asAt: "2027-04-20"}
		lastRuns = []string{"01/04/2027", "12/04/2027", ""}
	}
	for practice := 1; practice <= 3; practice++ {
		d := &drawing{T: t, practice: fmt.Sprintf("Z%05d", practice), first: 10 * practice}
		for n := range rapid.IntRange(1, 3).Draw(t, "files") {
			f := d.report(rapid.SampledFrom([]string{"one header row", "two header rows", "register", "batch"}).Draw(t, "layout"), n)
			if run := rapid.SampledFrom(lastRuns).Draw(t, "run"); run != "" {
				f.head = "Last Run:," + run + " 17:03\n" + f.head
			}
			f.head = fmt.Sprintf("Search %s %d\n", d.practice, n) + f.head // so that no two files are the same
			w.files = append(w.files, f)
		}
	}
	// One file of several practices; its claim sees to it that there is one.
	hub := drawnFile{name: "hub.csv", head: oneRowHeader, blocks: []string{"Z00001," + fixtures.NHSNumber(10) + ",,01-May-2026," + lesClaim + ",,,,,Hub\n"}}
	for practice := 1; practice <= 3; practice++ {
		d := &drawing{T: t, practice: fmt.Sprintf("Z%05d", practice), first: 10 * practice}
		hub.blocks = append(hub.blocks, d.lines(rapid.IntRange(0, 3).Draw(t, "lines"), d.oneRow)...)
	}
	w.files = append(w.files, hub)
	slices.SortFunc(w.files, func(a, b drawnFile) int { return strings.Compare(a.name, b.name) })
	return w
}

// drawing draws the lines of one practice.
type drawing struct {
	*rapid.T
	practice string
	first    int // number of its first patient
}

const (
	oneRowHeader = "Organisation Code,NHS Number,EMIS Number,Date,SNOMED Code,Date Recorded,Patient Type,Registered Date,Deducted Date,Name\n"
	twoRowHeader = "Patient Details,,,,Assessed,,,Cohort,\n" + "Organisation Code,NHS Number,EMIS Number,Full Name,Date,Code,Date Recorded,Date,Code\n"
)

func (d *drawing) report(layout string, n int) drawnFile {
	lines := rapid.IntRange(0, 7).Draw(d.T, "lines")
	switch layout {
	case "two header rows":
		return drawnFile{name: fmt.Sprintf("%s/two %d.csv", d.practice, n), head: twoRowHeader, blocks: d.lines(lines, d.twoRows), tail: "End of report\n"}
	case "register":
		return drawnFile{name: fmt.Sprintf("%s/register %d.csv", d.practice, n), head: "NHS Number,EMIS Number,Patient Type,Registered Date,Deducted Date,Date of Death\n", blocks: d.lines(lines, d.register)}
	case "batch":
		name := fmt.Sprintf("%s/batch %s/%d.csv", d.practice, d.pick("added", "417206009", "268511007", "713671000000109"), n)
		return drawnFile{name: name, head: "NHS Number,EMIS Number,Date\n", blocks: d.lines(lines, d.batch)}
	}
	return drawnFile{name: fmt.Sprintf("%s/one %d.csv", d.practice, n), head: oneRowHeader, blocks: d.lines(lines, d.oneRow)}
}

func (d *drawing) lines(n int, line func() string) []string {
	var lines []string
	for range n {
		text := line()
		switch rapid.IntRange(0, 19).Draw(d.T, "fault") {
		case 0: // a quote left open before one of the cells
			first, rest, _ := strings.Cut(text, "\n")
			cells := strings.Split(first, ",")
			at := rapid.IntRange(0, len(cells)-1).Draw(d.T, "column")
			cells[at] = `"` + strings.Trim(cells[at], `"`)
			if !strings.Contains(first, `"`) {
				text = strings.Join(cells, ",") + "\n" + rest
			}
		case 1:
			text = "too,few\n"
		}
		lines = append(lines, text)
	}
	return lines
}

func (d *drawing) pick(what string, from ...string) string {
	return rapid.SampledFrom(from).Draw(d.T, what)
}

// patient is the numbers of somebody: of this practice as a rule, of the next one now and then.
func (d *drawing) patient() (nhs, emis string) {
	n := d.first + rapid.IntRange(0, 3).Draw(d.T, "patient")
	if rapid.IntRange(0, 9).Draw(d.T, "whose") == 0 {
		n = 10 + (n)%30
	}
	nhs, emis = fixtures.NHSNumber(n), fmt.Sprint(500+n)
	switch rapid.IntRange(0, 9).Draw(d.T, "numbers") {
	case 0:
		nhs = fixtures.InvalidNHSNumber(n)
	case 1:
		nhs = ""
	case 2, 3, 4:
		emis = ""
	}
	return nhs, emis
}

func (d *drawing) activity() string {
	return d.pick("date", "01-May-2026", "01-May-2026", "01-May-2026", "02-May-2026", "30-Jun-2026", "01-Apr-2026", "31-Mar-2026", "01-Jul-2026", "01-Sep-2028", "soon", "")
}

func (d *drawing) code() string {
	return d.pick("code", lesClaim, lesClaim, lesClaim, lesEligibility, "716081000000105", "417206009", "268511007", "713671000000109", "894301000000105", "7.56261E+14", "7.56E+14", "73211009", "1", "")
}

func (d *drawing) recorded() string {
	return d.pick("recorded", "", "", "03-May-2026", "04-May-2026", "10-Apr-2027", "11-Apr-2027", "late")
}

func (d *drawing) oneRow() string {
	nhs, emis := d.patient()
	status := []string{d.pick("type", "", "", "Regular", "Temporary", "Deceased", "odd"), d.pick("registered", "", "01-Jan-2020", "01-May-2026", "x"), d.pick("deducted", "", "", "", "01-Jun-2026")}
	cells := slices.Concat([]string{d.pick("practice", d.practice, d.practice, strings.ToLower(d.practice), "", "Y99999"), nhs, emis, d.activity(), d.code(), d.recorded()}, status, []string{d.name()})
	return strings.Join(cells, ",") + "\n"
}

// name is never blank, so that no line could be the footer's, and now and then has a line break.
func (d *drawing) name() string { return d.pick("name", "X", "X", "\"X, Y\"", "\"X\n\nY\"") }

func (d *drawing) twoRows() string {
	nhs, emis := d.patient()
	var b strings.Builder
	fmt.Fprintf(&b, "%s,%s,%s,%s,", d.practice, nhs, emis, d.name())
	for n := range rapid.IntRange(1, 3).Draw(d.T, "events") {
		if n > 0 {
			b.WriteString(",,,,")
		}
		// Never one cell alone: at the end of the file that would be a footer.
		fmt.Fprintf(&b, "%s,%s,%s,%s,%s\n", d.pick("date", "01-May-2026", "02-May-2026", "x"), d.code(), d.recorded(), d.pick("second date", "", "01-May-2026"), d.pick("second code", "417206009", "268511007", "1"))
	}
	return b.String()
}

func (d *drawing) register() string {
	nhs, _ := d.patient()
	return strings.Join([]string{nhs, fmt.Sprint(700 + d.first), d.pick("type", "Regular", "Left", "Deceased", "odd"), d.pick("registered", "", "01-Jan-2020", "02-May-2026"),
		d.pick("deducted", "", "01-Jun-2026", "x"), d.pick("died", "", "", "", "15-Jun-2026", "29-Feb-2027")}, ",") + "\n"
}

func (d *drawing) batch() string {
	nhs, _ := d.patient()
	return nhs + "," + fmt.Sprint(700+d.first) + "," + d.activity() + "\n"
}

// shuffled draws another order of a file's blocks.
func shuffled(t *rapid.T, w drawn) drawn {
	w.files = slices.Clone(w.files)
	for i, f := range w.files {
		if len(f.blocks) > 1 {
			w.files[i].blocks = rapid.Permutation(f.blocks).Draw(t, "order")
		}
	}
	return w
}

const relationKey = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"

// lay writes the workspace to a folder of its own.
func (w drawn) lay(t rapid.TB, dir string) *workspace.Workspace {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	put := func(name, text string) {
		t.Helper()
		file := filepath.Join(dir, filepath.FromSlash(name))
		must(os.MkdirAll(filepath.Dir(file), 0o700))
		must(os.WriteFile(file, []byte(text), 0o600))
	}
	must(workspace.Init(dir))
	practices := "contract_year,practice_code,practice_name,place,pcn_code,pcn_name,registered_population,weighted_population,annual_target\n" +
		"2026-27,Z00001,One,Blackpool,U00001,PCN,500,512.5,10\n" +
		"2026-27,Z00002,Two,East Lancashire,U00001,PCN,500,480.25,7\n" +
		"2026-27,Z00003,Three,West Lancashire,U00002,PCN,500,500,\n"
	if w.extra {
		practices += "2026-27," + unrelatedPractice + ",Nine,Blackpool,U00001,PCN,500,500,10\n"
	}
	put("reference/practices.csv", practices)
	put("reference/places.csv", "contract_year,place,choice\n2026-27,Blackpool,diabetes\n2026-27,East Lancashire,frailty\n2026-27,West Lancashire,\n")
	put("ltcles.yaml", "allow_test_nhs_numbers: true\n")
	put("secrets/pseudonym.key", relationKey)
	for _, f := range w.files {
		put("inbox/"+w.period+"/"+f.name, f.text())
	}
	opened, err := workspace.Open(dir)
	must(err)
	return opened
}

func (w drawn) run(in *workspace.Workspace, threads int) (*pipeline.Report, error) {
	period, err := contract.ParsePeriod(w.period)
	if err != nil {
		return nil, err
	}
	asAt, err := civil.Parse(w.asAt)
	if err != nil {
		return nil, err
	}
	return pipeline.Run(context.Background(), pipeline.Config{Workspace: in, Period: period, AsAt: asAt, Today: asAt, AcceptAll: true, Threads: threads, Publish: true})
}

func (w drawn) String() string {
	var b strings.Builder
	for _, f := range w.files {
		fmt.Fprintf(&b, "== %s\n%s", f.name, f.text())
	}
	return b.String()
}

// figures is what a run published for its period: by table, each row by column.
type figures map[string][]map[string]string

func readFigures(t rapid.TB, in *workspace.Workspace, period string) figures {
	t.Helper()
	all := figures{}
	for _, table := range schema.Tables() {
		read := readParquet(t, filepath.Join(in.Published(), "current", filepath.FromSlash(snapshot.TableFile(table.Name, period))))
		rows := make([]map[string]string, read.NumRows())
		for i := range rows {
			rows[i] = map[string]string{}
		}
		for i, field := range read.Schema().Fields() {
			if field.Name == "run_id" {
				continue
			}
			at := 0
			for _, chunk := range read.Column(i).Data().Chunks() {
				for n := range chunk.Len() {
					rows[at][field.Name] = chunk.ValueStr(n)
					at++
				}
			}
		}
		read.Release()
		all[table.Name] = rows
	}
	return all
}

// drop leaves columns of a table out of the comparison.
func (f figures) drop(table string, columns ...string) {
	for _, row := range f[table] {
		for _, column := range columns {
			delete(row, column)
		}
	}
}

// remove takes the rows that match out of every table, and says how many they were by table.
func (f figures) remove(matches func(table string, row map[string]string) bool) map[string]int {
	removed := map[string]int{}
	for table, rows := range f {
		f[table] = slices.DeleteFunc(rows, func(row map[string]string) bool { return matches(table, row) })
		if n := len(rows) - len(f[table]); n > 0 {
			removed[table] = n
		}
	}
	return removed
}

// addUpFiles adds up a table's rows that differ in the file only.
func (f figures) addUpFiles() {
	sums := map[string]int{}
	for _, row := range f["fact_disposition"] {
		n, err := strconv.Atoi(row["rows"])
		if err != nil {
			n = -1 // no sum of rows agrees with it
		}
		sums[row["practice_code"]+" "+row["disposition"]] += n
	}
	f["fact_disposition"] = nil
	for what, n := range sums {
		f["fact_disposition"] = append(f["fact_disposition"], map[string]string{"what": what, "rows": fmt.Sprint(n)})
	}
}

func (f figures) lines(table string) []string {
	var lines []string
	for _, row := range f[table] {
		lines = append(lines, fmt.Sprint(row)) // a map prints in the order of its keys
	}
	slices.Sort(lines)
	return lines
}

func mustAgree(t rapid.TB, before, after figures, w drawn) {
	t.Helper()
	for _, table := range schema.Tables() {
		was, is := before.lines(table.Name), after.lines(table.Name)
		if !slices.Equal(was, is) {
			t.Errorf("%s:\n  before %s\n  after  %s", table.Name, strings.Join(without(was, is), "\n         "), strings.Join(without(is, was), "\n         "))
		}
	}
	if t.Failed() {
		t.Logf("the inbox before:\n%s", w)
	}
}

// relate runs a random workspace and what change makes of it, and compares what both publish.
func relate(t *testing.T, change func(*rapid.T, drawn) drawn, compare func(t *rapid.T, before, after figures)) {
	t.Helper()
	checkRelation(t, func(t *rapid.T, dir string) {
		w := drawWorkspace(t)
		changed := change(t, w)
		one, other := w.lay(t, filepath.Join(dir, "one")), changed.lay(t, filepath.Join(dir, "other"))
		var both errgroup.Group
		for in, inbox := range map[*workspace.Workspace]drawn{one: w, other: changed} {
			both.Go(func() error { _, err := inbox.run(in, 1); return err })
		}
		if err := both.Wait(); err != nil {
			t.Fatalf("%v\n%s", err, changed)
		}
		before, after := readFigures(t, one, w.period), readFigures(t, other, w.period)
		compare(t, before, after)
		mustAgree(t, before, after, w)
	})
}

// checkRelation runs a property a few times, since each run of it takes a while.
func checkRelation(t *testing.T, property func(t *rapid.T, dir string)) {
	t.Helper()
	checks := flag.Lookup("rapid.checks").Value
	usual := checks.String()
	defer func() { _ = checks.Set(usual) }()
	if usual == "100" {
		if err := checks.Set(fmt.Sprint(relationChecks)); err != nil {
			t.Fatal(err)
		}
	}
	root := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp(root, "")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		property(t, dir)
	})
}

// Lines in another order, whole patients in reports with two header rows: the bytes of the files are
// other ones, and nothing else. Of claims that tie in all but their line another one may be kept:
// it has the same dates, and the same file and practice.
func TestRelationShuffledLines(t *testing.T) {
	relate(t, shuffled, func(_ *rapid.T, before, after figures) {
		before.drop("fact_file", "sha256")
		after.drop("fact_file", "sha256")
	})
}

// A file cut in two, or two files of one layout and run put together: the same figures. What counts
// files counts one more or one less, and rows are in either file.
func TestRelationSplitFile(t *testing.T) {
	split := func(t *rapid.T, w drawn) drawn {
		at := rapid.IntRange(0, len(w.files)-1).Draw(t, "file")
		cut := rapid.IntRange(0, len(w.files[at].blocks)).Draw(t, "cut")
		first, second := w.files[at], w.files[at]
		first.blocks, second.blocks = first.blocks[:cut], second.blocks[cut:]
		second.name = strings.TrimSuffix(second.name, ".csv") + " part.csv"
		second.head = "Second part\n" + second.head // so that two empty parts are not the same file
		w.files = slices.Concat(w.files[:at], []drawnFile{first, second}, w.files[at+1:])
		return w
	}
	relate(t, split, func(t *rapid.T, before, after figures) {
		if len(after["fact_file"]) != len(before["fact_file"])+1 {
			t.Errorf("%d files became %d", len(before["fact_file"]), len(after["fact_file"]))
		}
		for _, f := range []figures{before, after} {
			f.addUpFiles()
			f["fact_file"] = nil
			f.drop("fact_coverage", "search_files", "batch_files", "register_files")
			f.drop("fact_practice_position", "files_received")
			for _, row := range f["fact_finding"] {
				if row["check_name"] == "stale_extract" || row["check_name"] == "extract_after_as_at" {
					delete(row, "affected")
					delete(row, "message")
				}
			}
		}
	})
}

// Files with other names, in which the practice, the code and the word batch stand as before, and
// which sort as before: only the names change.
func TestRelationRenamedFiles(t *testing.T) {
	rename := func(t *rapid.T, w drawn) drawn {
		w.files = slices.Clone(w.files)
		for i := range w.files {
			word := rapid.SampledFrom([]string{"sent", "a/b/c", "2026", "Ü £"}).Draw(t, "word")
			ext := rapid.SampledFrom([]string{".csv", ".txt", ".CSV", ""}).Draw(t, "ending")
			w.files[i].name = fmt.Sprintf("%03d %s (%s)%s", i, word, strings.ReplaceAll(strings.TrimSuffix(w.files[i].name, ".csv"), "/", "_"), ext)
		}
		return w
	}
	relate(t, rename, func(_ *rapid.T, before, after figures) {
		for _, f := range []figures{before, after} {
			names := map[string]string{}
			rows := f["fact_file"]
			slices.SortFunc(rows, func(a, b map[string]string) int { return strings.Compare(a["file_name"], b["file_name"]) })
			for i, row := range rows {
				names[row["file_name"]] = fmt.Sprint(i)
			}
			for _, row := range slices.Concat(rows, f["fact_disposition"]) {
				row["file_name"] = names[row["file_name"]]
			}
		}
	})
}

// The same bytes a second time, under a name that says the same: one file more, a duplicate, and the
// finding that says so.
func TestRelationDuplicateFile(t *testing.T) {
	duplicate := func(t *rapid.T, w drawn) drawn {
		again := rapid.SampledFrom(w.files).Draw(t, "file")
		dir, name := path.Split(again.name)
		again.name = dir + rapid.SampledFrom([]string{"copy of ", "zz "}).Draw(t, "prefix") + name
		w.files = append(slices.Clone(w.files), again)
		return w
	}
	relate(t, duplicate, func(t *rapid.T, before, after figures) {
		read := map[string]string{} // by bytes, the name of the one that is read
		for _, row := range after["fact_file"] {
			if row["status"] == "read" {
				read[row["sha256"]] = row["file_name"]
			}
		}
		// Where the copy comes first it is the one that is read, and its name stands for the other's.
		removed := after.remove(func(table string, row map[string]string) bool {
			return table == "fact_file" && row["status"] == "duplicate" || table == "fact_finding" && row["check_name"] == "duplicate_file"
		})
		if removed["fact_file"] != 1 || removed["fact_finding"] != 1 {
			t.Errorf("a file's copy makes %v", removed)
		}
		for _, row := range before["fact_file"] {
			name := row["file_name"]
			for _, other := range slices.Concat(before["fact_file"], before["fact_disposition"]) {
				if other["file_name"] == name {
					other["file_name"] = read[row["sha256"]]
				}
			}
		}
		// A copy that comes first may win ties against other files: the rows are in either file.
		before.addUpFiles()
		after.addUpFiles()
	})
}

// A practice more, with patients of its own: nothing that is said of the others changes.
func TestRelationUnrelatedPractice(t *testing.T) {
	add := func(t *rapid.T, w drawn) drawn {
		d := &drawing{T: t, practice: unrelatedPractice, first: 90}
		f := d.report(rapid.SampledFrom([]string{"one header row", "register"}).Draw(t, "unrelated layout"), 1)
		for i, block := range f.blocks { // nobody of the others' among them
			for n := range 40 {
				block = strings.NewReplacer(fixtures.NHSNumber(n), fixtures.NHSNumber(n+60), fixtures.InvalidNHSNumber(n), fixtures.InvalidNHSNumber(n+60)).Replace(block)
			}
			f.blocks[i] = block
		}
		w.files, w.extra = append(slices.Clone(w.files), f), true
		return w
	}
	relate(t, add, func(t *rapid.T, _, after figures) {
		removed := after.remove(func(table string, row map[string]string) bool {
			return row["practice_code"] == unrelatedPractice || strings.HasPrefix(row["file_name"], unrelatedPractice)
		})
		if removed["fact_practice_position"] != 1 || removed["fact_segment_count"] != 5 || removed["fact_file"] != 1 {
			t.Errorf("a practice more makes %v", removed)
		}
	})
}

// Run again, nothing is read twice or written; in another folder, with eight threads and with other
// clocks, the same bytes are published.
func TestRelationSameInputs(t *testing.T) {
	zones := []string{"UTC", "Europe/London", "Pacific/Auckland", "America/St_Johns"}
	usual := time.Local
	defer func() { time.Local = usual }()
	checkRelation(t, func(t *rapid.T, dir string) {
		w := drawWorkspace(t)
		trees := map[string]map[string]string{}
		for n, threads := range []int{1, 8} {
			zone := rapid.SampledFrom(zones).Draw(t, "zone")
			local, err := time.LoadLocation(zone)
			if err != nil {
				t.Fatal(err)
			}
			time.Local = local
			in := w.lay(t, filepath.Join(dir, fmt.Sprint(n)))
			first, err := w.run(in, threads)
			if err != nil {
				t.Fatal(err)
			}
			again, err := w.run(in, 9-threads)
			if err != nil {
				t.Fatal(err)
			}
			if first.Unchanged || !again.Unchanged || again.RunID != first.RunID {
				t.Errorf("run again: unchanged %t, then %t, as %s and %s", first.Unchanged, again.Unchanged, first.RunID, again.RunID)
			}
			trees[fmt.Sprint(threads, " threads, ", zone)] = readAll(t, filepath.Join(in.Published(), "current"))
		}
		names := slices.Sorted(maps.Keys(trees))
		one, other := trees[names[0]], trees[names[len(names)-1]]
		if len(one) <= len(schema.Tables()) || len(one) != len(other) {
			t.Fatalf("%d files and %d files are published", len(one), len(other))
		}
		for name, text := range one {
			if other[name] != text {
				t.Errorf("%s has other bytes, where the runs are %v; %s", name, names, firstDifference(text, other[name]))
			}
		}
	})
}
