package connect_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"
	duckdb "github.com/marcboeker/go-duckdb/v2"

	"ltcles/pipeline/connect"
	"ltcles/pipeline/published/publishedtest"
	"ltcles/pipeline/schema"
	"ltcles/pipeline/snapshot"
)

func script(t *testing.T, write func(io.Writer, connect.Source) error, source connect.Source) string {
	t.Helper()
	var out strings.Builder
	if err := write(&out, source); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// A path reads back as itself in each language, whatever a folder is called.
func TestPathsAreQuoted(t *testing.T) {
	for _, tt := range []struct{ path, sql, m, backslashed string }{
		{`/srv/ltc les/published`, `'/srv/ltc les/published'`, `"/srv/ltc les/published"`, `"/srv/ltc les/published"`},
		{`C:\Data\LTC LES\published`, `'C:\Data\LTC LES\published'`, `"C:\Data\LTC LES\published"`, `"C:\\Data\\LTC LES\\published"`},
		{`\\server\share\ltcles\published`, `'\\server\share\ltcles\published'`, `"\\server\share\ltcles\published"`, `"\\\\server\\share\\ltcles\\published"`},
		{`/o'dd "q" #(b)`, `'/o''dd "q" #(b)'`, `"/o'dd ""q"" #(#)(b)"`, `"/o'dd \"q\" #(b)"`},
		{`/Zoë`, `'/Zoë'`, `"/Zoë"`, `"/Zoë"`},
		{"/two\nlines", "'/two\nlines'", `"/two#(lf)lines"`, `"/two\nlines"`},
	} {
		source := connect.Source{Published: tt.path}
		for _, each := range []struct {
			name  string
			write func(io.Writer, connect.Source) error
			want  string
		}{
			{"DuckDB", connect.DuckDB, "select " + tt.sql + " || '/snapshots/' || run_id"},
			{"Power BI", connect.PowerBI, "Published = Folder.Contents(" + tt.m + ")"},
			{"Python", connect.Python, "PUBLISHED = Path(" + tt.backslashed + ")"},
			{"R", connect.R, "ltcles_published <- " + tt.backslashed + "\n"},
		} {
			if !strings.Contains(script(t, each.write, source), each.want) {
				t.Errorf("%s lacks %s", each.name, each.want)
			}
		}
	}
}

// Power BI accepts a relationship whose columns are there, and a model in which no table is
// filtered by another in two ways.
func TestPowerBIRelationships(t *testing.T) {
	text := script(t, connect.PowerBI, connect.Source{Published: "/p", History: true})
	queries := map[string]string{}
	for _, query := range strings.Split(text, "\n// ") {
		name, body, _ := strings.Cut(strings.TrimPrefix(query, "// "), "\n")
		queries[name] = body
	}
	if want := 2*len(schema.Tables()) + 3; len(queries) != want {
		t.Fatalf("%d queries; expected %d", len(queries), want)
	}
	to := map[string][]string{}
	for _, line := range strings.Split(queries["ltcles_relationships"], "\n") {
		line = strings.TrimSuffix(strings.TrimSpace(line), ",")
		if !strings.HasPrefix(line, `{"`) {
			continue
		}
		var cells []string
		if err := json.Unmarshal([]byte("["+strings.Trim(line, "{}")+"]"), &cells); err != nil {
			t.Fatal(err)
		}
		for _, end := range [][]string{cells[:2], cells[2:]} {
			if !strings.Contains(queries[end[0]], `"`+end[1]+`"`) {
				t.Errorf("%s has no column %s", end[0], end[1])
			}
		}
		to[cells[0]] = append(to[cells[0]], cells[2])
	}
	var ways func(from string, seen map[string]int)
	ways = func(from string, seen map[string]int) {
		for _, next := range to[from] {
			seen[next]++
			ways(next, seen)
		}
	}
	// All but three dimensions, and in the latest periods but fact_file.
	if want := 2*len(schema.Tables()) - 7; len(to) != want {
		t.Errorf("%d tables name others; expected %d: %v", len(to), want, to)
	}
	for from := range to {
		seen := map[string]int{}
		ways(from, seen)
		for table, n := range seen {
			if n > 1 {
				t.Errorf("%s is filtered by %s in %d ways", from, table, n)
			}
		}
	}
}

// The views hold what the files hold, as another reader of Parquet sees it.
func TestDuckDBReadsWhatIsPublished(t *testing.T) {
	store := odd(t)
	current, err := store.Current()
	if err != nil {
		t.Fatal(err)
	}
	text := script(t, connect.DuckDB, connect.Source{Published: store.Dir, History: true})
	check := func(t *testing.T) {
		db, err := sql.Open("duckdb", "")
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		db.SetMaxOpenConns(1)
		for range 2 { // again, as for a later snapshot
			if _, err := db.Exec(text); err != nil {
				t.Fatal(err)
			}
		}
		for table, want := range expected(t, current) {
			if got := selected(t, db, "select * from "+table); !reflect.DeepEqual(got, want) {
				t.Errorf("%s holds %v; expected %v", table, got, want)
			}
		}
		for _, r := range schema.Relationships() {
			for _, suffix := range []string{"", "_history"} {
				query := fmt.Sprintf(`select count(*) - (select count(*) from %[1]s%[5]s), count(named.%[2]s) - count(others.%[4]s)
					from %[1]s%[5]s as named
					left join %[3]s%[5]s as others on others.period = named.period and others.%[4]s = named.%[2]s`,
					r.Table, r.Column, r.ToTable, r.ToColumn, suffix)
				var more, astray int
				if err := db.QueryRow(query).Scan(&more, &astray); err != nil || more != 0 || astray != 0 {
					t.Errorf("%s%s to %s: %d more rows, %d name none, %v", r.Table, suffix, r.ToTable, more, astray, err)
				}
			}
		}
		periods, relationships := "", 0
		if err := db.QueryRow("select string_agg(period || ' ' || is_latest, ', ' order by period), (select count(*) from published_relationship) from dim_period").
			Scan(&periods, &relationships); err != nil {
			t.Fatal(err)
		}
		if periods != "2026-05 false, 2026-06 true" || relationships != len(schema.Relationships()) {
			t.Errorf("periods are %s, relationships %d", periods, relationships)
		}
	}
	t.Run("by a link", check)
	unlink(t, store)
	t.Run("by a directory", check)
}

// odd publishes two months below a folder whose name every language has to quote, or could take for
// a pattern.
func odd(t *testing.T) snapshot.Store {
	t.Helper()
	w := publishedtest.Publish(t, filepath.Join(t.TempDir(), "o'dd [a] #(b) ws"), publishedtest.Options())
	return snapshot.Store{Dir: w.Published()}
}

// unlink makes current a directory, as it is where there are no links.
func unlink(t *testing.T, store snapshot.Store) {
	t.Helper()
	current, err := store.Current()
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(store.Dir, "current")
	err = errors.Join(os.Remove(link), os.CopyFS(link, os.DirFS(current.Dir)),
		os.WriteFile(filepath.Join(link, ".snapshot"), []byte(current.Name+"\n"), 0o644))
	if err != nil {
		t.Fatal(err)
	}
	if again, err := store.Current(); err != nil || again.Name != current.Name {
		t.Fatalf("current is %v, %v", again, err)
	}
}

// A figure is what one column holds, in a form that every tool can give exactly: whole numbers and
// pence are added up.
type figure struct {
	Values   int
	Min, Max any
	Sum      any
}

// figures of a table's columns, by column.
type figures map[string]*figure

func (f figures) add(column string, value any) {
	if f[column] == nil {
		f[column] = &figure{}
	}
	switch v := value.(type) {
	case nil:
		return
	case int64:
		add(f[column], v)
		sum, _ := f[column].Sum.(int64)
		f[column].Sum = sum + v
	case float64:
		add(f[column], v)
	case string:
		add(f[column], v)
	}
	f[column].Values++
}

func add[T int64 | float64 | string](f *figure, value T) {
	if least, ok := f.Min.(T); !ok || value < least {
		f.Min = value
	}
	if most, ok := f.Max.(T); !ok || value > most {
		f.Max = value
	}
}

// expected are the figures of each table and of its history, read with Arrow.
func expected(t *testing.T, current *snapshot.Snapshot) map[string]figures {
	t.Helper()
	all := map[string]figures{}
	for _, file := range current.Manifest.Files {
		name := file.Table
		if file.Period != "" {
			name += "_history"
		}
		if all[name] == nil {
			all[name] = figures{}
		}
		readParquet(t, current.Path(file.Name), all[name])
	}
	if len(all) != 2*len(schema.Tables()) {
		t.Fatalf("%d sets of files", len(all))
	}
	return all
}

func readParquet(t *testing.T, path string, into figures) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	table, err := pqarrow.ReadTable(context.Background(), file, parquet.NewReaderProperties(memory.DefaultAllocator), pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	defer table.Release()
	records := array.NewTableReader(table, 0)
	defer records.Release()
	for _, field := range table.Schema().Fields() {
		into.add(field.Name, nil)
	}
	for records.Next() {
		record := records.Record()
		for i, field := range record.Schema().Fields() {
			for row := range int(record.NumRows()) {
				into.add(field.Name, cell(t, record.Column(i), row))
			}
		}
	}
}

func cell(t *testing.T, column arrow.Array, row int) any {
	if column.IsNull(row) {
		return nil
	}
	switch column := column.(type) {
	case *array.Int64:
		return column.Value(row)
	case *array.Float64:
		return column.Value(row)
	case *array.Decimal128:
		return int64(column.Value(row).LowBits())
	case *array.String, *array.Boolean, *array.Date32:
		return column.ValueStr(row)
	}
	t.Fatalf("a column of %T", column)
	return nil
}

func selected(t *testing.T, db *sql.DB, query string) figures {
	t.Helper()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	found := figures{}
	for _, name := range names {
		found.add(name, nil)
	}
	for rows.Next() {
		values, targets := make([]any, len(names)), make([]any, len(names))
		for i := range values {
			targets[i] = &values[i]
		}
		if err := rows.Scan(targets...); err != nil {
			t.Fatal(err)
		}
		for i, value := range values {
			switch v := value.(type) {
			case bool:
				value = fmt.Sprint(v)
			case time.Time:
				value = v.Format(time.DateOnly)
			case duckdb.Decimal:
				value = v.Value.Int64()
			}
			found.add(names[i], value)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return found
}
