package staging_test

import (
	"context"
	"crypto/sha256"
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
		Line: 7, Event: 2, IsDeleted: true, IsMalformed: true, PracticeCode: "Z00001", PracticeState: "valid",
		NHSKey: nhs[:], NHSState: "valid", EMISKey: emis[:], PatientType: "regular", RegistrationStatus: "left",
		RegisteredDate: 18262, DeductedDate: 20574, DeathDate: -1, InvalidStatusDate: "death_date", IsDummy: true,
		Code: "417206009", CodeState: "repaired", ActivityDate: 20575, ActivityState: "valid", RecordedDate: 0, RecordedState: "invalid",
	}
}

func empty() staging.Row {
	none := civil.None
	return staging.Row{Line: 1, RegisteredDate: none, DeductedDate: none, DeathDate: none, ActivityDate: none, RecordedDate: none}
}

// write stages rows, and says where.
func write(t *testing.T, dir string, key staging.Key, rows ...staging.Row) string {
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
	path, err := writer.Close()
	if err != nil {
		t.Fatal(err)
	}
	return path
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
		case *array.Binary:
			return string(values.Value(row))
		case *array.Int32:
			return int(values.Value(row))
		case *array.Boolean:
			return values.Value(row)
		case *array.Date32:
			return civil.Date(values.Value(row))
		}
	}
	t.Fatalf("column %d has no row %d that can be read", column, row)
	return nil
}

// A row comes back as it went in, and what is empty comes back as null. The columns stand in the
// order of Row's fields, after the key.
func TestRowComesBack(t *testing.T) {
	key := staging.KeyOf("a")
	rows := []staging.Row{whole(), empty()}
	table := read(t, write(t, t.TempDir(), key, rows...))
	defer table.Release()
	fields := reflect.TypeFor[staging.Row]()
	if int(table.NumCols()) != fields.NumField()+1 || table.NumRows() != int64(len(rows)) {
		t.Fatalf("%d columns and %d rows, want %d and %d", table.NumCols(), table.NumRows(), fields.NumField()+1, len(rows))
	}
	for n := range rows {
		if got := valueOf(t, table, 0, n); got != string(key) {
			t.Errorf("row %d has key %v", n, got)
		}
		for i := range fields.NumField() {
			want := reflect.ValueOf(rows[n]).Field(i).Interface()
			switch value := want.(type) {
			case []byte:
				want = string(value)
			case civil.Date:
				if value.IsNone() {
					want = nil
				}
			}
			if want == "" {
				want = nil
			}
			if got := valueOf(t, table, i+1, n); got != want {
				t.Errorf("row %d: %s is %v, want %v", n, table.Schema().Field(i+1).Name, got, want)
			}
		}
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
	table := read(t, first)
	defer table.Release()
	if table.NumRows() != rows {
		t.Fatalf("%d rows, want %d", table.NumRows(), rows)
	}
	for _, n := range []int{0, 16<<10 - 1, 16 << 10, rows - 1} {
		if got := valueOf(t, table, 1, n); got != n+1 {
			t.Errorf("row %d is of line %v", n, got)
		}
	}
	one, err := os.ReadFile(first)
	if err != nil {
		t.Fatal(err)
	}
	two, err := os.ReadFile(second)
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
