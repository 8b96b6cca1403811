package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"
	"github.com/gofrs/flock"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"ltcles": func() { os.Exit(mainExit()) },
		"ltcles-pinned": func() { // makes the same calls on the same thread each time
			runtime.LockOSThread()
			os.Exit(mainExit())
		},
		"ltcles-panicking": func() { // as its environment says
			os.Exit(execute(context.Background(), os.Args[1:], streams{in: os.Stdin, out: os.Stdout, err: &panicking{to: os.Stderr}}))
		},
	})
}

// TestScripts types what is in testdata/*.txtar. Besides testscript's own
// commands the scripts have those below.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":      exits,
			"workspace":  makeWorkspace,
			"rundir":     rundir,
			"locked":     locked,
			"bytes":      writeBytes,
			"encode":     encode,
			"flip":       flip,
			"tree":       tree,
			"parquet":    printParquet,
			"jsonlines":  jsonLines,
			"identities": identities,
			"sheet":      sheet,
			"only":       only,
		},
	})
}

// exits CODE PROGRAM ARG... runs a program and asserts its exact exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARG...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	if got := exitCodeOf(ts, args[1:]); got != want {
		ts.Fatalf("exit code %d; want %d", got, want)
	}
}

func exitCodeOf(ts *testscript.TestScript, command []string) int {
	err := ts.Exec(command[0], command[1:]...)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	ts.Check(err)
	return 0
}

// The reference lists that workspace fills in.
const (
	practices = `contract_year,practice_code,practice_name,place,pcn_code,pcn_name,registered_population,weighted_population,annual_target
2025-26,Y90001,Synthetic Practice One,Blackpool,U90001,Synthetic PCN,1000,1100.5,40
2026-27,Y90001,Synthetic Practice One,Blackpool,U90001,Synthetic PCN,1000,1100.5,40
2026-27,Y90002,Synthetic Practice Two,West Lancashire,U90001,Synthetic PCN,500,510.25,20
`
	places = `contract_year,place,choice
2025-26,Blackpool,diabetes
2026-27,Blackpool,diabetes
2026-27,West Lancashire,frailty
`
	settings = "allow_test_nhs_numbers: true\n"
)

// workspace DIR makes a workspace for synthetic data, with two practices.
func makeWorkspace(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: workspace DIR")
	}
	ts.Check(ts.Exec("ltcles", "init", args[0]))
	for name, text := range map[string]string{"reference/practices.csv": practices, "reference/places.csv": places, "ltcles.yaml": settings} {
		ts.Check(os.WriteFile(ts.MkAbs(filepath.Join(args[0], name)), []byte(text), 0o644))
	}
}

var saysRunDir = regexp.MustCompile(`(?m)^log, summary and rejected rows: (.*)$`)

// rundir VARIABLE sets a variable to the run folder that the last standard output named.
func rundir(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: rundir VARIABLE")
	}
	found := saysRunDir.FindStringSubmatch(ts.ReadFile("stdout"))
	if found == nil {
		ts.Fatalf("standard output names no run folder")
	}
	ts.Setenv(args[0], found[1])
}

// locked WORKSPACE CODE PROGRAM ARG... is exits while another run is at work in
// the workspace.
func locked(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: locked WORKSPACE CODE PROGRAM ARG...")
	}
	other := flock.New(ts.MkAbs(filepath.Join(args[0], ".ltcles", "lock")))
	held, err := other.TryLock()
	ts.Check(err)
	if !held {
		ts.Fatalf("the workspace is locked already")
	}
	defer func() { ts.Check(other.Unlock()) }()
	exits(ts, false, args[1:])
}

// bytes FILE PART... writes a file. A part is the text in a Go string literal
// without its quotes, or N*TEXT for N times the text.
func writeBytes(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: bytes FILE PART...")
	}
	var out bytes.Buffer
	for _, part := range args[1:] {
		times := 1
		if count, text, ok := strings.Cut(part, "*"); ok {
			n, err := strconv.Atoi(count)
			ts.Check(err)
			times, part = n, text
		}
		text, err := strconv.Unquote(`"` + strings.ReplaceAll(part, `"`, `\"`) + `"`)
		ts.Check(err)
		for range times {
			out.WriteString(text)
		}
	}
	path := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(filepath.Dir(path), 0o755))
	ts.Check(os.WriteFile(path, out.Bytes(), 0o644))
}

// encode ENCODING FILE... rewrites UTF-8 files: utf8bom, utf16le, utf16be or cp1252.
func encode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: encode ENCODING FILE...")
	}
	to, ok := map[string]encoding.Encoding{
		"utf8bom": unicode.UTF8BOM,
		"utf16le": unicode.UTF16(unicode.LittleEndian, unicode.UseBOM),
		"utf16be": unicode.UTF16(unicode.BigEndian, unicode.UseBOM),
		"cp1252":  charmap.Windows1252,
	}[args[0]]
	if !ok {
		ts.Fatalf("unknown encoding %s", args[0])
	}
	for _, name := range args[1:] {
		encoded, err := to.NewEncoder().String(ts.ReadFile(name))
		ts.Check(err)
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(encoded), 0o644))
	}
}

// flip FILE OFFSET changes one byte; an offset below zero counts from the end.
func flip(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: flip FILE OFFSET")
	}
	at, err := strconv.Atoi(args[1])
	ts.Check(err)
	data := []byte(ts.ReadFile(args[0]))
	if at < 0 {
		at += len(data)
	}
	data[at] ^= 0x01
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), data, 0o644))
}

// tree DIR [EXCEPT] prints each file below a folder with its SHA-256, and where
// links lead, but for the names that match a regular expression.
func tree(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: tree DIR [EXCEPT]")
	}
	except := regexp.MustCompile(`^$`)
	if len(args) == 2 {
		except = regexp.MustCompile(args[1])
	}
	root, err := filepath.EvalSymlinks(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Check(filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil || except.MatchString(filepath.ToSlash(name)) {
			return err
		}
		if entry.Type()&fs.ModeSymlink != 0 {
			target, err := os.Readlink(path)
			fmt.Fprintf(ts.Stdout(), "%s -> %s\n", filepath.ToSlash(name), target)
			return err
		}
		data, err := os.ReadFile(path)
		fmt.Fprintf(ts.Stdout(), "%s %x\n", filepath.ToSlash(name), sha256.Sum256(data))
		return err
	}))
}

// parquet FILE COLUMN... prints a published file's rows, one line each, through
// Arrow; without columns, all of them.
func printParquet(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: parquet FILE COLUMN...")
	}
	ts.Check(eachRecord(ts.MkAbs(args[0]), func(record arrow.Record) {
		var columns []arrow.Array
		for i, field := range record.Schema().Fields() {
			if len(args) == 1 {
				columns = append(columns, record.Column(i))
			} else if at := slices.Index(args[1:], field.Name); at >= 0 {
				for len(columns) <= at {
					columns = append(columns, nil)
				}
				columns[at] = record.Column(i)
			}
		}
		for _, column := range columns {
			if column == nil {
				ts.Fatalf("%s lacks a column of %v", args[0], args[1:])
			}
		}
		for row := range int(record.NumRows()) {
			var cells []string
			for _, column := range columns {
				cells = append(cells, column.ValueStr(row))
			}
			fmt.Fprintln(ts.Stdout(), strings.Join(cells, "|"))
		}
	}))
}

func eachRecord(path string, see func(arrow.Record)) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	table, err := pqarrow.ReadTable(context.Background(), file, parquet.NewReaderProperties(memory.DefaultAllocator), pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		return err
	}
	defer table.Release()
	records := array.NewTableReader(table, 0)
	defer records.Release()
	for records.Next() {
		see(records.Record())
	}
	return records.Err()
}

// jsonlines FILE KEY... asserts that each line of a file is a JSON object that has the keys.
func jsonLines(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: jsonlines FILE KEY...")
	}
	text := ts.ReadFile(args[0])
	if text == "" || !strings.HasSuffix(text, "\n") {
		ts.Fatalf("%s is empty or ends inside a line", args[0])
	}
	for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		var object map[string]any
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			ts.Fatalf("%s:%d: %v", args[0], i+1, err)
		}
		for _, key := range args[1:] {
			if _, ok := object[key]; !ok {
				ts.Fatalf("%s:%d has no %s", args[0], i+1, key)
			}
		}
	}
}

// identities LIST INPUT OUTPUT... asserts that each line of LIST stands in a file
// below the folder INPUT, and in none below the folders OUTPUT, neither in its
// bytes nor, for Parquet, in a cell, nor in its name; nor in what the last
// program printed.
func identities(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: identities LIST INPUT OUTPUT...")
	}
	texts := strings.Split(strings.TrimSpace(ts.ReadFile(args[0])), "\n")
	given := map[string]bool{}
	seen := 0
	walk := func(folder string, see func(name string, text []byte)) {
		ts.Check(filepath.WalkDir(ts.MkAbs(folder), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || !entry.Type().IsRegular() {
				return err
			}
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			see(path, data)
			if filepath.Ext(path) != ".parquet" {
				return nil
			}
			return eachRecord(path, func(record arrow.Record) {
				for _, column := range record.Columns() {
					for row := range column.Len() {
						see(path, []byte(column.ValueStr(row)))
					}
				}
			})
		}))
	}
	walk(args[1], func(_ string, data []byte) {
		for _, text := range texts {
			if bytes.Contains(data, []byte(text)) {
				given[text] = true
			}
		}
	})
	for _, text := range texts {
		if !given[text] {
			ts.Fatalf("%q of %s is nowhere in %s", text, args[0], args[1])
		}
	}
	refuse := func(name string, data []byte) {
		seen++
		for _, text := range slices.Sorted(maps.Keys(given)) {
			if bytes.Contains(bytes.ToLower(data), bytes.ToLower([]byte(text))) || strings.Contains(name, text) {
				ts.Fatalf("%s holds %q", name, text)
			}
		}
	}
	for _, folder := range args[2:] {
		before := seen
		walk(folder, refuse)
		if seen == before {
			ts.Fatalf("there is no file in %s", folder)
		}
	}
	refuse("standard output", []byte(ts.ReadFile("stdout")))
	refuse("standard error", []byte(ts.ReadFile("stderr")))
}

// sheet FILE prints the first sheet of a workbook: how many rows are frozen, and
// each cell with its type, which is never a formula.
func sheet(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: sheet FILE")
	}
	file, err := os.Open(ts.MkAbs(args[0]))
	ts.Check(err)
	defer file.Close()
	book, err := excelize.OpenReader(file)
	ts.Check(err)
	defer book.Close()
	name := book.GetSheetName(0)
	panes, err := book.GetPanes(name)
	ts.Check(err)
	if panes.Freeze {
		fmt.Fprintf(ts.Stdout(), "frozen rows %d\n", panes.YSplit)
	}
	rows, err := book.GetRows(name)
	ts.Check(err)
	for i, row := range rows {
		var cells []string
		for j, text := range row {
			at, err := excelize.CoordinatesToCellName(j+1, i+1)
			ts.Check(err)
			kind, err := book.GetCellType(name, at)
			ts.Check(err)
			formula, err := book.GetCellFormula(name, at)
			ts.Check(err)
			if formula != "" {
				ts.Fatalf("%s: %s is a formula", args[0], at)
			}
			is := "number"
			if kind == excelize.CellTypeInlineString || kind == excelize.CellTypeSharedString {
				is = "string"
			}
			cells = append(cells, is+" "+text)
		}
		fmt.Fprintln(ts.Stdout(), strings.Join(cells, "|"))
	}
}

// only [-v] PATTERN prints the lines of the last standard output that match, or
// with -v the others.
func only(ts *testscript.TestScript, neg bool, args []string) {
	others := len(args) == 2 && args[0] == "-v"
	if neg || len(args) != 1 && !others {
		ts.Fatalf("usage: only [-v] PATTERN")
	}
	pattern, err := regexp.Compile(args[len(args)-1])
	ts.Check(err)
	for line := range strings.Lines(ts.ReadFile("stdout")) {
		if pattern.MatchString(line) != others {
			fmt.Fprint(ts.Stdout(), line)
		}
	}
}
