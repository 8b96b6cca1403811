package workspace_test

import (
	"os"
	"path/filepath"
	"testing"

	"ltcles/pipeline/workspace"
)

func TestOwned(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "ws")
	if err := workspace.Init(dir); err != nil {
		t.Fatal(err)
	}
	for _, made := range []string{"published/snapshots/one", "letters", "inbox/2026-06/Y90001", "letters/inbox"} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.FromSlash(made)), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	links := map[string]string{"published/current": "snapshots/one", "letters/keys": "../secrets", "../inside": "ws/runs"}
	for name, target := range links {
		if err := os.Symlink(target, filepath.Join(dir, filepath.FromSlash(name))); err != nil {
			t.Fatal(err)
		}
	}
	for file, want := range map[string]string{
		"ws/secrets/pseudonym.key": "secrets", "ws/published/current": "published", "ws/published/current/manifest.json": "published",
		"ws/published": "published", "ws/inbox/2026-06/Y90001/a.csv": "inbox", "ws/reference/practices.csv": "reference",
		"ws/runs/a.html": "runs", "ws/ltcles.yaml": "ltcles.yaml", "ws/.ltcles/a": ".ltcles", "ws/Secrets": "secrets",
		"ws/letters/keys/a": "secrets", "inside/a": "runs",
		"ws/letters/a.pdf": "", "ws/a.html": "", "ws/letters/keys": "", "a.html": "", "ws/letters/inbox/a": "",
		"ws/secrets/new/a": "secrets", "ws/letters/keys/new/a": "secrets", "ws/new/a": "", "new/ws/secrets/a": "",
	} {
		if got, err := workspace.Owned(filepath.Join(root, filepath.FromSlash(file))); got != want || err != nil {
			t.Errorf("%s is in %q, %v; expected %q", file, got, err, want)
		}
	}
}
