package workspace_test

import (
	"os"
	"path/filepath"
	"testing"

	"ltcles/pipeline/workspace"
)

func TestOwned(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "work")
	if err := workspace.Init(dir); err != nil {
		t.Fatal(err)
	}
	for _, made := range []string{"published/snapshots/one", "letters", "inbox/2026-06/Y90001", "letters/inbox"} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.FromSlash(made)), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	links := map[string]string{"published/current": "snapshots/one", "letters/keys": "../secrets", "../inside": "work/runs"}
	for name, target := range links {
		if err := os.Symlink(target, filepath.Join(dir, filepath.FromSlash(name))); err != nil {
			t.Fatal(err)
		}
	}
	for file, want := range map[string]string{
		"work/secrets/pseudonym.key": "secrets", "work/published/current": "published", "work/published/current/manifest.json": "published",
		"work/published": "published", "work/inbox/2026-06/Y90001/a.csv": "inbox", "work/reference/practices.csv": "reference",
		"work/runs/a.html": "runs", "work/ltcles.yaml": "ltcles.yaml", "work/.ltcles/a": ".ltcles", "work/Secrets": "secrets",
		"work/letters/keys/a": "secrets", "inside/a": "runs",
		"work/letters/a.pdf": "", "work/a.html": "", "work/letters/keys": "", "a.html": "", "work/letters/inbox/a": "",
		"work/secrets/new/a": "secrets", "work/letters/keys/new/a": "secrets", "work/new/a": "", "new/work/secrets/a": "",
	} {
		if got, err := workspace.Owned(filepath.Join(root, filepath.FromSlash(file))); got != want || err != nil {
			t.Errorf("%s is in %q, %v; expected %q", file, got, err, want)
		}
	}
}
