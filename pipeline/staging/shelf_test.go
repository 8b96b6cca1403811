package staging_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"ltcles/pipeline/staging"
)

// said is what a reader says of a file.
type said struct{ Rows int }

func shelfUnder(dir, key string) staging.Shelf {
	return staging.Shelf{Dir: dir, Seal: func(text []byte) []byte {
		mac := hmac.New(sha256.New, []byte(key))
		mac.Write(text)
		return hex.AppendEncode(nil, mac.Sum(nil))
	}}
}

// kept is a shelf with one staged file on it.
func kept(t *testing.T) (staging.Shelf, staging.Key, *staging.Staged) {
	t.Helper()
	shelf, key := shelfUnder(t.TempDir(), "one"), staging.KeyOf("kept")
	staged := write(t, shelf.Dir, key, whole(), empty())
	if err := shelf.Keep(staged, said{2}); err != nil {
		t.Fatal(err)
	}
	return shelf, key, staged
}

func TestShelfGivesWhatWasKept(t *testing.T) {
	shelf, key, staged := kept(t)
	var reader said
	got, err := shelf.Take(key, &reader)
	if err != nil || !reflect.DeepEqual(got, staged) || reader.Rows != 2 {
		t.Errorf("got %+v, %+v, %v; want %+v", got, reader, err, staged)
	}
	if got, err := shelf.Take(staging.KeyOf("another"), &reader); got != nil || err != nil {
		t.Errorf("of another key %+v, %v", got, err)
	}
	entries, err := os.ReadDir(shelf.Dir)
	if err != nil || len(entries) != 2 {
		t.Fatalf("%v, %v", entries, err)
	}
	for _, entry := range entries {
		if info, err := entry.Info(); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("others can read %s: %v", entry.Name(), err)
		}
	}
}

// What is not exactly what was kept, under this key, is not used.
func TestShelfRefusesWhatIsNotAsKept(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, note, rows string){
		"a byte of the rows is another": func(t *testing.T, _, rows string) {
			change(t, rows, func(text []byte) []byte { text[len(text)/2] ^= 1; return text })
		},
		"the rows are cut off": func(t *testing.T, _, rows string) {
			change(t, rows, func(text []byte) []byte { return text[:len(text)-1] })
		},
		"the rows are gone": func(t *testing.T, _, rows string) {
			if err := os.Remove(rows); err != nil {
				t.Fatal(err)
			}
		},
		"the note is cut off": func(t *testing.T, note, _ string) {
			change(t, note, func(text []byte) []byte { return text[:len(text)-1] })
		},
		"the note is empty": func(t *testing.T, note, _ string) {
			change(t, note, func([]byte) []byte { return nil })
		},
		"the note says something else": func(t *testing.T, note, _ string) {
			change(t, note, func(text []byte) []byte { return []byte(strings.Replace(string(text), `"Rows":2`, `"Rows":3`, 1)) })
		},
		"both are another key's": func(t *testing.T, note, rows string) {
			other := shelfUnder(filepath.Dir(note), "one")
			staged := write(t, other.Dir, staging.KeyOf("other"), whole())
			if err := other.Keep(staged, said{1}); err != nil {
				t.Fatal(err)
			}
			for from, to := range map[string]string{staged.Path: rows, strings.TrimSuffix(staged.Path, ".parquet") + ".json": note} {
				if err := os.Rename(from, to); err != nil {
					t.Fatal(err)
				}
			}
		},
		"both are written under another pseudonym key": func(t *testing.T, note, _ string) {
			other := shelfUnder(filepath.Dir(note), "another")
			if err := other.Keep(write(t, other.Dir, staging.KeyOf("kept"), whole()), said{1}); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			shelf, key, staged := kept(t)
			spoil(t, strings.TrimSuffix(staged.Path, ".parquet")+".json", staged.Path)
			var reader said
			if got, err := shelf.Take(key, &reader); got != nil || err == nil {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

// change rewrites a file.
func change(t *testing.T, path string, how func([]byte) []byte) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, how(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// What is used stays; what is not, and what has no counterpart, goes.
func TestShelfIsSwept(t *testing.T) {
	shelf, key, _ := kept(t)
	old := write(t, shelf.Dir, staging.KeyOf("old"), whole())
	if err := shelf.Keep(old, said{1}); err != nil {
		t.Fatal(err)
	}
	write(t, shelf.Dir, staging.KeyOf("without a note"), whole())
	if _, err := staging.Create(shelf.Dir, staging.KeyOf("begun")); err != nil {
		t.Fatal(err)
	}
	change(t, filepath.Join(shelf.Dir, string(key)+".json"), func(text []byte) []byte {
		if err := os.WriteFile(filepath.Join(shelf.Dir, string(staging.KeyOf("without rows"))+".json"), text, 0o600); err != nil {
			t.Fatal(err)
		}
		return text
	})
	long := time.Now().AddDate(0, 0, -40)
	if err := os.Chtimes(strings.TrimSuffix(old.Path, ".parquet")+".json", long, long); err != nil {
		t.Fatal(err)
	}
	since := time.Now().AddDate(0, 0, -30)
	if files, size, err := shelf.Unused(since); err != nil || files != 2 || size == 0 {
		t.Errorf("%d files of %d bytes are not used, %v; want the old one and the one without a note", files, size, err)
	}
	if err := shelf.Sweep(since); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(shelf.Dir)
	if err != nil || len(entries) != 2 || entries[0].Name() != string(key)+".json" || entries[1].Name() != key.FileName() {
		t.Errorf("%v, %v; want what was kept and is used", entries, err)
	}
	if err := (staging.Shelf{Dir: filepath.Join(shelf.Dir, "gone")}).Sweep(since); err != nil {
		t.Errorf("a shelf that is not there: %v", err)
	}
}
