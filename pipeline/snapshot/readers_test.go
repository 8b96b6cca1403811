package snapshot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"

	"ltcles/pipeline/duck"
	"ltcles/pipeline/schema"
)

// A reader reads every table of what is current, over and over.
type reader struct {
	Published string
	ByDuckDB  bool // else by Arrow
	// IsNaive goes through current for each table, where the others resolve it once.
	IsNaive bool
}

// A tally is what a reader saw.
type tally struct {
	Reads int
	Mixed int // reads with tables of two snapshots
	Away  int // reads that found no file, in the middle of a swap of directories
	Runs  map[string]bool
	Error string
}

// TestMain is a reader's process too: it reads until its standard input ends.
func TestMain(m *testing.M) {
	text := os.Getenv("LTCLES_READER")
	if text == "" {
		os.Exit(m.Run())
	}
	var r reader
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	if err := json.NewEncoder(os.Stdout).Encode(r.read(ctx)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Readers that resolve current once have every table of one snapshot, whatever is published
// meanwhile, and no error. PUBLICATIONS says how many times that is; make faults has more.
func TestReadersDuringPublication(t *testing.T) {
	publications := 30
	if text := os.Getenv("PUBLICATIONS"); text != "" {
		var err error
		if publications, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	const readers, naive, processes = 10, 2, 4
	for _, form := range []string{"link", "directory"} {
		t.Run(form, func(t *testing.T) {
			p := newPublishing(t)
			p.store.disk = forms()[form]
			own := month(t, "2026-27", "2026-06", "2026-07-02")
			p.publish(t, own)
			ctx, stop := context.WithCancel(t.Context())
			var group sync.WaitGroup
			defer group.Wait()
			defer stop()
			var tallies [readers + naive]tally
			for n := range tallies {
				r := reader{Published: p.store.Dir, ByDuckDB: n%2 == 0, IsNaive: n >= readers}
				group.Go(func() {
					if n < processes {
						tallies[n] = r.readInProcess(ctx)
					} else {
						tallies[n] = r.read(ctx)
					}
				})
			}
			for n := range publications {
				own.RunID = fmt.Sprintf("run-%d", n)
				p.publish(t, own)
			}
			stop()
			group.Wait()
			var all, other tally
			runs := map[string]bool{}
			for n, seen := range tallies {
				sum := &all
				if n >= readers {
					sum = &other
				}
				if seen.Error != "" || seen.Reads == 0 {
					t.Errorf("reader %d: %d reads, %s", n, seen.Reads, seen.Error)
				}
				sum.Reads, sum.Mixed, sum.Away = sum.Reads+seen.Reads, sum.Mixed+seen.Mixed, sum.Away+seen.Away
				maps.Copy(runs, seen.Runs)
			}
			if all.Mixed > 0 || all.Away > 0 || len(runs) < 2 {
				t.Errorf("%d reads, of %d snapshots: %d mixed, %d found nothing", all.Reads, len(runs), all.Mixed, all.Away)
			}
			t.Logf("%d publications, %d readers: %d reads of every table, of %d snapshots, %d mixed", publications, readers, all.Reads, len(runs), all.Mixed)
			t.Logf("%d naive readers: %d reads, %d mixed, %d found nothing", naive, other.Reads, other.Mixed, other.Away)
			mustVerify(t, p.store)
		})
	}
}

// readInProcess is read in a process of its own.
func (r reader) readInProcess(ctx context.Context) (seen tally) {
	text, err := json.Marshal(r)
	if err != nil {
		return tally{Error: err.Error()}
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "LTCLES_READER="+string(text))
	input, err := cmd.StdinPipe()
	if err != nil {
		return tally{Error: err.Error()}
	}
	defer context.AfterFunc(ctx, func() { input.Close() })()
	output, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(output, &seen)
	}
	if err != nil {
		seen.Error = err.Error()
	}
	return seen
}

func (r reader) read(ctx context.Context) tally {
	seen := tally{Runs: map[string]bool{}}
	runsOf := runsByArrow
	if r.ByDuckDB {
		db, err := duck.Open(context.Background(), duck.Options{Threads: 1, Directories: []string{r.Published}})
		if err != nil {
			return tally{Error: err.Error()}
		}
		defer db.Close()
		runsOf = func(path string) ([]string, error) { return runsByDuckDB(db, path) }
	}
	for seen.Reads == 0 || ctx.Err() == nil {
		runs, err := r.readWhole(runsOf)
		switch {
		case err != nil && r.IsNaive:
			seen.Away++
		case err != nil:
			seen.Error = err.Error()
			return seen
		case len(runs) != 1:
			seen.Mixed++
		}
		seen.Reads++
		maps.Copy(seen.Runs, runs)
		time.Sleep(100 * time.Millisecond) // leaves the publisher some of the processor
	}
	return seen
}

// readWhole reads every table of what is current, and returns the runs that they are of.
func (r reader) readWhole(runsOf func(path string) ([]string, error)) (map[string]bool, error) {
	dir := filepath.Join(r.Published, currentName)
	if !r.IsNaive {
		var err error
		if dir, err = resolve(r.Published); err != nil {
			return nil, err
		}
	}
	all := map[string]bool{}
	for _, table := range schema.Tables() {
		runs, err := runsOf(filepath.Join(dir, table.Name+".parquet"))
		if err != nil {
			return nil, err
		}
		for _, run := range runs {
			all[run] = true
		}
	}
	return all, nil
}

// resolve finds the snapshot that is current, once, as the README tells readers to: the link's
// target, or the snapshot that the directory names. Only a directory may be away, for a moment.
func resolve(published string) (string, error) {
	current := filepath.Join(published, currentName)
	for {
		info, err := os.Lstat(current)
		if err == nil && info.Mode()&fs.ModeSymlink != 0 {
			return filepath.EvalSymlinks(current)
		}
		name, err := os.ReadFile(filepath.Join(current, nameFile))
		if err == nil {
			return filepath.Join(published, snapshotsDir, strings.TrimSpace(string(name))), nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
}

func runsByDuckDB(db *duck.DB, path string) (runs []string, err error) {
	query := fmt.Sprintf("select distinct run_id from read_parquet('%s') order by run_id", path)
	err = db.Query(context.Background(), query, func(values []any) error {
		runs = append(runs, values[0].(string))
		return nil
	})
	return runs, err
}

func runsByArrow(path string) (runs []string, err error) {
	source, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer source.Close()
	table, err := pqarrow.ReadTable(context.Background(), source, parquet.NewReaderProperties(memory.DefaultAllocator), pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		return nil, err
	}
	defer table.Release()
	records := array.NewTableReader(table, 0)
	defer records.Release()
	for records.Next() {
		column := records.Record().Column(records.Record().Schema().FieldIndices("run_id")[0])
		for row := range column.Len() {
			if run := column.ValueStr(row); !slices.Contains(runs, run) {
				runs = append(runs, run)
			}
		}
	}
	return runs, records.Err()
}
