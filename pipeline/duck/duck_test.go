package duck_test

import (
	"bytes"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"ltcles/pipeline/duck"
)

func open(t *testing.T, options duck.Options) *duck.DB {
	t.Helper()
	db, err := duck.Open(context.Background(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// The engine reaches the folders it is given, and nothing else: no file beside them, no network, no
// extension, no other setting.
func TestLockdown(t *testing.T) {
	root := t.TempDir()
	inside, outside, spill := filepath.Join(root, "in'side"), filepath.Join(root, "outside"), filepath.Join(root, "spill")
	for _, dir := range []string{inside, outside, spill} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{filepath.Join(inside, "a.csv"), filepath.Join(outside, "a.csv"), inside + "2.csv"} {
		if err := os.WriteFile(file, []byte("a\n1\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx := context.Background()
	db := open(t, duck.Options{Threads: 2, MemoryLimit: "200MB", Directories: []string{inside}, SpillDir: spill})
	quoted := func(path string) string { return "'" + strings.ReplaceAll(path, "'", "''") + "'" }

	allowed := []string{
		"select * from read_csv(" + quoted(filepath.Join(inside, "a.csv")) + ")",
		"copy (select 1 as a) to " + quoted(filepath.Join(inside, "b.parquet")) + " (format parquet)",
	}
	for _, statement := range allowed {
		if err := db.Exec(ctx, statement); err != nil {
			t.Errorf("%s: %v", statement, err)
		}
	}
	refused := []string{
		"select * from read_csv(" + quoted(filepath.Join(outside, "a.csv")) + ")",
		"select * from read_text(" + quoted(filepath.Join(inside, "..", "outside", "a.csv")) + ")",
		"select * from read_csv(" + quoted(inside+"2.csv") + ")",
		"select * from " + quoted(filepath.Join(outside, "a.csv")),
		"select * from glob(" + quoted(filepath.Join(outside, "*")) + ")",
		"select * from read_text('/etc/hostname')",
		"copy (select 1) to " + quoted(filepath.Join(outside, "b.csv")),
		"copy (select 1) to " + quoted(filepath.Join(root, "b.csv")),
		"attach " + quoted(filepath.Join(outside, "c.db")) + " as c",
		"export database " + quoted(filepath.Join(outside, "all")),
		"select * from read_csv('https://example.invalid/a.csv')",
		"install httpfs",
		"load httpfs",
		"install json from community",
		"load " + quoted(filepath.Join(outside, "x.duckdb_extension")),
		"set enable_external_access = true",
		"set lock_configuration = false",
		"reset lock_configuration",
		"set threads = 1",
		"set memory_limit = '8GB'",
		"set temp_directory = " + quoted(outside),
		"set allowed_directories = [" + quoted(outside) + "]",
		"set autoinstall_known_extensions = true",
		"set allow_community_extensions = true",
		"set profiling_output = " + quoted(filepath.Join(outside, "p.json")),
		"set log_query_path = " + quoted(filepath.Join(outside, "q.log")),
	}
	for _, statement := range refused {
		if err := db.Exec(ctx, statement); err == nil {
			t.Errorf("%s: done, and is to be refused", statement)
		}
	}
	if entries, err := os.ReadDir(outside); err != nil || len(entries) != 1 {
		t.Errorf("outside holds %v, %v", entries, err)
	}
	for setting, want := range map[string]string{
		"threads": "2", "enable_external_access": "false", "lock_configuration": "true",
		"autoinstall_known_extensions": "false", "autoload_known_extensions": "false", "temp_directory": spill,
	} {
		var got string
		err := db.Query(ctx, "select cast(current_setting('"+setting+"') as varchar)", func(values []any) error {
			got = fmt.Sprint(values[0])
			return nil
		})
		if err != nil || got != want {
			t.Errorf("%s is %q, %v; want %q", setting, got, err, want)
		}
	}
}

// Without a folder to spill to, what does not fit into memory is an error and leaves no file.
func TestNothingIsSpilledWithoutAFolder(t *testing.T) {
	t.Chdir(t.TempDir())
	db := open(t, duck.Options{Threads: 2, MemoryLimit: "40MB"})
	err := db.Exec(context.Background(), "create table big as select range as a, hash(range) as b from range(20000000)")
	if err == nil || !strings.HasPrefix(err.Error(), "too little memory for the engine; raise memory_limit in ltcles.yaml") || strings.Contains(err.Error(), "\n") {
		t.Errorf("160 MB into 40 MB: %v", err)
	}
	if entries, err := os.ReadDir("."); err != nil || len(entries) != 0 {
		t.Errorf("spilled: %v, %v", entries, err)
	}
}

// What is spilled goes to the folder given, and is gone after Close.
func TestSpilledAndSwept(t *testing.T) {
	spill := t.TempDir()
	db, err := duck.Open(context.Background(), duck.Options{Threads: 2, MemoryLimit: "40MB", SpillDir: spill})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Exec(context.Background(), "create table big as select range as a, hash(range) as b from range(6000000)")
	spilled, readErr := os.ReadDir(spill)
	if closed := errors.Join(err, readErr, db.Close()); closed != nil {
		t.Fatal(closed)
	}
	if len(spilled) == 0 {
		t.Error("nothing was spilled, though it does not fit into memory")
	}
	if left, err := os.ReadDir(spill); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// The same rows in the same order give the same bytes at every number of threads.
func TestCopyParquetGivesTheSameBytes(t *testing.T) {
	const rows = 200_000
	ctx := context.Background()
	dir := t.TempDir()
	var first []byte
	for _, threads := range []int{1, 2, 8} {
		db := open(t, duck.Options{Threads: threads, Directories: []string{dir}})
		err := db.Exec(ctx, fmt.Sprintf("create table numbers as select range as n, 'Z' || cast(hash(range) %% 40 as varchar) as practice, nullif(range %% 7, 3) as maybe from range(%d)", rows))
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, fmt.Sprintf("it's %d.parquet", threads))
		if err := db.CopyParquet(ctx, "select * from numbers order by practice, n", path); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = got
		}
		if !bytes.Equal(got, first) {
			t.Errorf("%d threads write other bytes than one", threads)
		}
		if err := db.ViewParquet(ctx, "again", []string{path, path}); err != nil {
			t.Fatal(err)
		}
		if n, err := db.Count(ctx, "select count(*) from again"); err != nil || n != 2*rows {
			t.Errorf("%d rows come back, %v", n, err)
		}
	}
}

func TestTables(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	db := open(t, duck.Options{Threads: 1, Directories: []string{dir}})
	files := fstest.MapFS{"1_t.sql": {Data: []byte("-- a table\ncreate table t (a varchar, b bigint);")}, "2_bad.sql": {Data: []byte("create tabel")}}
	if err := db.ExecFile(ctx, files, "1_t.sql"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"2_bad.sql", "3_gone.sql"} {
		if err := db.ExecFile(ctx, files, name); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := db.Append(ctx, "t", [][]driver.Value{{"x", int64(1)}, {nil, int64(2)}}); err != nil {
		t.Fatal(err)
	}
	for _, bad := range [][]driver.Value{{"x"}, {"x", "y"}} {
		if err := db.Append(ctx, "t", [][]driver.Value{bad}); err == nil {
			t.Errorf("%v is added to a table of a text and a number", bad)
		}
	}
	path := filepath.Join(dir, "t.parquet")
	if err := db.CopyParquet(ctx, "select * from t order by b", path); err != nil {
		t.Fatal(err)
	}
	if err := db.InsertParquet(ctx, "t", "a, b + 10", path); err != nil {
		t.Fatal(err)
	}
	var got []string
	err := db.Query(ctx, "select a, b from t order by b", func(values []any) error {
		got = append(got, fmt.Sprint(values))
		return nil
	})
	if want := "[[x 1] [<nil> 2] [x 11] [<nil> 12]]"; err != nil || fmt.Sprint(got) != want {
		t.Errorf("got %v, %v; want %s", got, err, want)
	}
	stop := errors.New("stop")
	if err := db.Query(ctx, "select 1 from range(3)", func([]any) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}
	if n, err := db.Count(ctx, `select count(*) from `+duck.Identifier("t")); err != nil || n != 4 {
		t.Errorf("%d rows, %v", n, err)
	}
	if got := duck.Identifier(`a"b`); got != `"a""b"` {
		t.Errorf("got %s", got)
	}
	if version, err := duck.Version(ctx); err != nil || !strings.HasPrefix(version, "v") {
		t.Errorf("version %q, %v", version, err)
	}
}

func TestOpenRefusesNonsense(t *testing.T) {
	if db, err := duck.Open(context.Background(), duck.Options{MemoryLimit: "much"}); err == nil {
		db.Close()
		t.Error("opened with a memory limit of \"much\"")
	}
}
