//go:build withtools

package connect_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"ltcles/pipeline/connect"
	"ltcles/pipeline/schema"
)

// pandas, Polars and Python's DuckDB read what the files hold, by a link and by a directory.
func TestToolsPython(t *testing.T) {
	store := odd(t)
	current, err := store.Current()
	if err != nil {
		t.Fatal(err)
	}
	source := connect.Source{Published: store.Dir, History: true}
	dir := t.TempDir()
	module := save(t, filepath.Join(dir, "ltcles_tables.py"), script(t, connect.Python, source))
	views := save(t, filepath.Join(dir, "connect.sql"), script(t, connect.DuckDB, source))
	text, err := json.Marshal(expected(t, current))
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]map[string]any
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	check := func(t *testing.T) {
		var got struct {
			Tables  map[string]map[string]map[string]any
			Astray  []string
			Places  int
			Periods []struct{ Period string }
		}
		if err := json.Unmarshal(run(t, tool(t, "PYTHON"), "testdata/figures.py", module, views), &got); err != nil {
			t.Fatal(err)
		}
		if len(got.Tables) != 3 {
			t.Fatalf("%d tools", len(got.Tables))
		}
		for tool, tables := range got.Tables {
			if len(tables) != len(want) {
				t.Errorf("%s reads %d tables; expected %d", tool, len(tables), len(want))
			}
			for table, columns := range want {
				if !reflect.DeepEqual(tables[table], columns) {
					t.Errorf("%s: %s holds %v; expected %v", tool, table, tables[table], columns)
				}
			}
		}
		if len(got.Astray) > 0 || got.Places != publishedPractices || fmt.Sprint(got.Periods) != "[{2026-05} {2026-06}]" {
			t.Errorf("joins that change the rows: %v; %d practices with a place; periods %v", got.Astray, got.Places, got.Periods)
		}
	}
	t.Run("by a link", check)
	unlink(t, store)
	t.Run("by a directory", check)
}

// Microsoft's parser takes each query of M, and refuses one that is broken.
func TestToolsPowerBI(t *testing.T) {
	dir := t.TempDir()
	parse := func(text string) string {
		return strings.TrimSpace(string(run(t, tool(t, "NODE"), "testdata/parse.js", save(t, filepath.Join(dir, "connect.m"), text))))
	}
	for _, history := range []bool{false, true} {
		want := fmt.Sprintf("%d queries", len(schema.Tables())+2)
		if history {
			want = fmt.Sprintf("%d queries", 2*len(schema.Tables())+3)
		}
		text := script(t, connect.PowerBI, connect.Source{Published: `\\server\o'dd "share"\#(b)`, History: history})
		if got := parse(text); got != want {
			t.Errorf("the parser says %s; expected %s", got, want)
		}
		if got := parse(strings.Replace(text, "\nin\n", "\n", 1)); !strings.HasPrefix(got, "ltcles_snapshot: ") {
			t.Errorf("of a broken query the parser says %s", got)
		}
	}
}

// R finds the snapshot and the files of history, and joins; that arrow and duckdb read them is not
// tried, since Debian has neither for R.
func TestToolsR(t *testing.T) {
	store := odd(t)
	current, err := store.Current()
	if err != nil {
		t.Fatal(err)
	}
	says := func(source connect.Source, expression string) string {
		dir := t.TempDir()
		file := save(t, filepath.Join(dir, "connect.R"), script(t, connect.R, source))
		asks := save(t, filepath.Join(dir, "asks.R"), `source(commandArgs(TRUE)[1], encoding = "UTF-8")`+"\n"+expression)
		return strings.TrimSpace(string(run(t, tool(t, "RSCRIPT"), asks, file)))
	}
	for _, history := range []bool{false, true} {
		path := `\\server\o'dd "share"\published`
		got := says(connect.Source{Published: path, History: history}, `cat(ltcles_published, length(ltcles_tables), nrow(ltcles_relationships), exists("ltcles_read_history"), sep = "\n")`)
		want := fmt.Sprintf("%s\n%d\n%d\n%s", path, len(schema.Tables()), len(schema.Relationships()), strings.ToUpper(fmt.Sprint(history)))
		if got != want {
			t.Errorf("R says %s; expected %s", got, want)
		}
	}
	check := func(t *testing.T) {
		got := says(connect.Source{Published: store.Dir, History: true},
			`found <- ltcles_manifest(); cat(ltcles_snapshot(found), ltcles_periods()$period, ltcles_history_files(found, "fact_file"), sep = "\n")`)
		want := strings.Join([]string{current.Dir, "2026-05", "2026-06", current.Path("history/fact_file/2026-05.parquet"), current.Path("history/fact_file/2026-06.parquet")}, "\n")
		if got != want {
			t.Errorf("R finds\n%s\nexpected\n%s", got, want)
		}
	}
	t.Run("by a link", check)
	unlink(t, store)
	t.Run("by a directory", check)
	got := says(connect.Source{Published: "/p"}, `
		run <- list(contract_year = "2026-27", as_at = "2026-07-05", run_id = "r")
		tables <- list(
			fact_finding = data.frame(run, period = c("2026-05", "2026-06", "2026-06"), practice_code = c("P1", "P1", NA), affected = 1:3),
			dim_practice = data.frame(run, period = c("2026-05", "2026-06"), practice_code = "P1", place = c("before", "now"), affected = 9)
		)
		joined <- ltcles_join(tables, "fact_finding", "dim_practice")
		joined <- joined[order(joined$affected), ]
		cat(nrow(joined), joined$place, names(joined))`)
	if want := "3 before now NA period practice_code contract_year as_at run_id affected place affected_dim_practice"; got != want {
		t.Errorf("R joins %s; expected %s", got, want)
	}
}

// publishedPractices is how many practices [odd] has, each in a place.
const publishedPractices = 12

// tool is a program that make test-tools names.
func tool(t *testing.T, variable string) string {
	t.Helper()
	path := os.Getenv(variable)
	if path == "" {
		t.Fatalf("%s is not set; run make test-tools", variable)
	}
	return path
}

func save(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func run(t *testing.T, program string, args ...string) []byte {
	t.Helper()
	var said bytes.Buffer
	command := exec.Command(program, args...)
	command.Stderr = &said
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", program, err, said.String())
	}
	return out
}
