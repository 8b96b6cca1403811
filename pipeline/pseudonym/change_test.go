package pseudonym

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestChange(t *testing.T) {
	path := filepath.Join(folder(t), "pseudonym.key")
	if err := Create(path); err != nil {
		t.Fatal(err)
	}
	old := mustLoad(t, path)
	if former, err := Former(path, old.ID()); former != nil || err != nil {
		t.Fatalf("before any change there is a former key: %v, %v", former, err)
	}
	first, err := Next(path)
	if err != nil {
		t.Fatal(err)
	}
	next, err := Next(path) // the first was never used
	if err != nil || next.ID() == first.ID() || next.ID() == old.ID() {
		t.Fatalf("next key %v after %v of %v: %v", next, first, old, err)
	}
	if err := Replace(path); err == nil || !strings.Contains(err.Error(), "no key file") {
		t.Fatalf("replaced without keeping: %v", err)
	}
	for range 2 { // again, as after having been cut off
		if err := Keep(path); err != nil {
			t.Fatal(err)
		}
	}
	if mustLoad(t, path).ID() != old.ID() || mustLoad(t, NextFile(path)).ID() != next.ID() {
		t.Fatal("a key is not where it was before it was replaced")
	}
	if err := Replace(path); err != nil {
		t.Fatal(err)
	}
	former, err := Former(path, old.ID())
	if err != nil || former == nil || former.secret != old.secret {
		t.Errorf("the former key is %v, %v", former, err)
	}
	if mustLoad(t, path).secret != next.secret {
		t.Error("the key is not the next one")
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 2 {
		t.Errorf("it left %v, %v", entries, err)
	}
	if err := Replace(path); err == nil {
		t.Error("replaced without a next key")
	}
}

// A file under a key's id that holds another key is refused: pseudonyms would be of nobody.
func TestFormerIsTheKeyOfItsName(t *testing.T) {
	path := filepath.Join(folder(t), "pseudonym.key")
	if err := Create(FormerFile(path, "0123456789abcdef")); err != nil {
		t.Fatal(err)
	}
	if _, err := Former(path, "0123456789abcdef"); err == nil || !strings.Contains(err.Error(), "expected key 0123456789abcdef") {
		t.Errorf("%v", err)
	}
}

func mustLoad(t *testing.T, path string) *Key {
	t.Helper()
	key, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return key
}
