package staging_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"

	"ltcles/pipeline/civil"
	"ltcles/pipeline/staging"
)

func whole() staging.Row {
	nhs, emis := sha256.Sum256([]byte("one")), sha256.Sum256([]byte("two"))
	return staging.Row{
		State: staging.State{
			IsDeleted: true, IsMalformed: true, IsDummy: true, PracticeState: "valid", NHSState: "valid",
			PatientType: "regular", RegistrationStatus: "left", InvalidStatusDate: "death_date",
			CodeState: "repaired", ActivityState: "valid", RecordedState: "invalid",
		},
		Line: 7, Event: 2, PracticeCode: "Z00001", NHSKey: nhs[:], EMISKey: emis[:],
		RegisteredDate: 18262, DeductedDate: 20574, DeathDate: -1,
		Code: "417206009", ActivityDate: 20575, RecordedDate: 0,
	}
}

func empty() staging.Row {
	none := civil.None
	return staging.Row{Line: 8, RegisteredDate: none, DeductedDate: none, DeathDate: none, ActivityDate: none, RecordedDate: none}
}

// write stages rows.
func write(t *testing.T, dir string, key staging.Key, rows ...staging.Row) *staging.Staged {
	t.Helper()
	writer, err := staging.Create(dir, key)
	if err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		if err := writer.Write(&rows[i]); err != nil {
			t.Fatal(err)
		}
	}
	staged, err := writer.Close()
	if err != nil {
		t.Fatal(err)
	}
	return staged
}

func read(t *testing.T, path string) arrow.Table {
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
	return table
}

// valueOf is one value of a column, nil for null.
func valueOf(t *testing.T, table arrow.Table, column, row int) any {
	t.Helper()
	for _, chunk := range table.Column(column).Data().Chunks() {
		if row >= chunk.Len() {
			row -= chunk.Len()
			continue
		}
		if chunk.IsNull(row) {
			return nil
		}
		switch values := chunk.(type) {
		case *array.String:
			return values.Value(row)
		case *array.Int32:
			return int(values.Value(row))
		case *array.Int64:
			return values.Value(row)
		case *array.Date32:
			return civil.Date(values.Value(row))
		}
	}
	t.Fatalf("column %d has no row %d that can be read", column, row)
	return nil
}

// A row comes back as it went in, and what is empty comes back as null.
func TestRowComesBack(t *testing.T) {
	key := staging.KeyOf("a")
	rows := []staging.Row{whole(), empty()}
	staged := write(t, t.TempDir(), key, rows...)
	table := read(t, staged.Path)
	defer table.Release()
	want := []map[string]any{
		{
			"line": 7, "event": 2, "practice_code": "Z00001", "registered_date": civil.Date(18262), "deducted_date": civil.Date(20574),
			"death_date": civil.Date(-1), "code": "417206009", "activity_date": civil.Date(20575), "recorded_date": civil.Date(0),
		},
		{"line": 8, "event": 0},
	}
	for n, row := range rows {
		number, err := row.Number()
		if err != nil {
			t.Fatal(err)
		}
		want[n]["staged_no"], want[n]["state_no"] = staged.Number, int(number)
		for part, name := range []string{"no", "second", "third", "fourth"} {
			for prefix, pseudonym := range map[string][]byte{"nhs_": row.NHSKey, "emis_": row.EMISKey} {
				if len(pseudonym) > 0 {
					want[n][prefix+name] = int64(binary.BigEndian.Uint64(pseudonym[8*part:]))
				}
			}
		}
		for i, field := range table.Schema().Fields() {
			if got := valueOf(t, table, i, n); got != want[n][field.Name] {
				t.Errorf("row %d: %s is %v, want %v", n, field.Name, got, want[n][field.Name])
			}
			delete(want[n], field.Name)
		}
		if len(want[n]) > 0 {
			t.Errorf("row %d: no columns for %v", n, want[n])
		}
	}
	if !slices.Equal(staged.States, []staging.State{{}, whole().State}) {
		t.Errorf("states %+v", staged.States)
	}
	if number, err := key.Number(); err != nil || number != staged.Number {
		t.Errorf("number %d of the key, %d of the file, %v", number, staged.Number, err)
	}
}

// A file's rows are told apart by their places, so that none comes twice and none comes back.
func TestPlacesAscend(t *testing.T) {
	writer, err := staging.Create(t.TempDir(), staging.KeyOf("places"))
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Discard()
	for _, step := range []struct {
		line, event int
		isTaken     bool
	}{{2, 0, true}, {2, 0, false}, {2, 2, true}, {2, 1, false}, {2, 2, false}, {3, 1, true}, {3, 0, false}, {2, 9, false}, {4, 0, true}} {
		row := empty()
		row.Line, row.Event = step.line, step.event
		if err := writer.Write(&row); (err == nil) != step.isTaken {
			t.Errorf("line %d, event %d: %v", step.line, step.event, err)
		}
	}
}

// Every state has a number of its own, and a word that is none is an error.
func TestStatesAreNumbered(t *testing.T) {
	seen := map[int32]staging.State{}
	add := func(state staging.State) {
		t.Helper()
		number, err := state.Number()
		if err != nil {
			t.Fatal(err)
		}
		if other, known := seen[number]; known {
			t.Errorf("%+v has the number of %+v", state, other)
		}
		seen[number] = state
	}
	all := whole().State
	fields := reflect.ValueOf(all)
	add(all)
	add(staging.State{})
	for i := range fields.NumField() {
		one, other := staging.State{}, all
		reflect.ValueOf(&one).Elem().Field(i).Set(fields.Field(i))
		reflect.ValueOf(&other).Elem().Field(i).SetZero()
		add(one)
		add(other)
		if fields.Field(i).Kind() == reflect.String {
			reflect.ValueOf(&other).Elem().Field(i).SetString("neither")
			if _, err := other.Number(); err == nil {
				t.Errorf("%+v has a number", other)
			}
		}
	}
	writer, err := staging.Create(t.TempDir(), staging.KeyOf("b"))
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Discard()
	if err := writer.Write(&staging.Row{State: staging.State{NHSState: "neither"}}); err == nil {
		t.Error("a state without a number is staged")
	}
}

// However many batches a file takes, no row is lost, and the same rows give the same bytes.
func TestManyRows(t *testing.T) {
	const rows = 2*16<<10 + 1
	var all []staging.Row
	for n := range rows {
		row := whole()
		row.Line = n + 1
		all = append(all, row)
	}
	key := staging.KeyOf("many")
	first, second := write(t, t.TempDir(), key, all...), write(t, t.TempDir(), key, all...)
	table := read(t, first.Path)
	defer table.Release()
	if table.NumRows() != rows {
		t.Fatalf("%d rows, want %d", table.NumRows(), rows)
	}
	for _, n := range []int{0, 16<<10 - 1, 16 << 10, rows - 1} {
		if got := valueOf(t, table, 1, n); got != n+1 {
			t.Errorf("row %d is of line %v", n, got)
		}
	}
	one, err := os.ReadFile(first.Path)
	if err != nil {
		t.Fatal(err)
	}
	two, err := os.ReadFile(second.Path)
	if err != nil {
		t.Fatal(err)
	}
	if string(one) != string(two) {
		t.Error("the same rows give other bytes")
	}
}

func TestKeyChangesWithEachPart(t *testing.T) {
	parts := []string{"sha", "search_export", "Z00001", "417206009", "settings", "contract", "practices", "key", "2026-07-02"}
	seen := map[staging.Key]string{staging.KeyOf(parts...): "the parts as they are"}
	add := func(what string, key staging.Key) {
		t.Helper()
		if other, ok := seen[key]; ok {
			t.Errorf("%s has the key of %s", what, other)
		}
		seen[key] = what
	}
	for i := range parts {
		changed := append([]string(nil), parts...)
		changed[i] += "x"
		add("another "+parts[i], staging.KeyOf(changed...))
		changed[i] = ""
		add("no "+parts[i], staging.KeyOf(changed...))
	}
	// Where one part ends and the next begins counts too.
	add("parts of other lengths", staging.KeyOf("shas", "earch_export", "Z00001", "417206009", "settings", "contract", "practices", "key", "2026-07-02"))
	add("one part less", staging.KeyOf(parts[:len(parts)-1]...))
	add("no parts", staging.KeyOf())
	if again := slices.Clone(parts); staging.KeyOf(parts...) != staging.KeyOf(again...) {
		t.Error("the same parts have two keys")
	}
}

// Nothing stands under the final name before Close, and nothing at all after Discard.
func TestNothingIsHalfWritten(t *testing.T) {
	dir := t.TempDir()
	key := staging.KeyOf("half")
	writer, err := staging.Create(dir, key)
	if err != nil {
		t.Fatal(err)
	}
	row := whole()
	if err := writer.Write(&row); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, key.FileName())); !os.IsNotExist(err) {
		t.Errorf("under its name before it is closed: %v", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Fatalf("%v, %v", entries, err)
	}
	if info, err := entries[0].Info(); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("others can read it: %v, %v", info.Mode(), err)
	}
	writer.Discard()
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("left after it was given up: %v, %v", entries, err)
	}
	if _, err := staging.Create(filepath.Join(dir, "gone"), key); err == nil {
		t.Error("made in a folder that is not there")
	}
}
