//go:build !windows

package pseudonym

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ltcles/pipeline/config"
)

// Windows keeps no modes; elsewhere a key that others may read, or exchange, is refused.
func TestLoadRefusesAKeyThatOthersRead(t *testing.T) {
	checkRefused(t, soundKey+"\n", 0o644, "chmod 600")
	checkRefused(t, soundKey+"\n", 0o640, "mode 0640")
}

func TestLoadRefusesAFolderThatOthersWriteTo(t *testing.T) {
	dir := folder(t)
	path := filepath.Join(dir, "pseudonym.key")
	if err := Create(path); err != nil {
		t.Fatal(err)
	}
	for mode, want := range map[os.FileMode]string{
		0o700: "", 0o755: "", 0o777 | os.ModeSticky: "",
		0o770: "mode 0770, which lets others exchange the key; expected mode 0700; run: chmod 700", 0o707: "mode 0707",
	} {
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		_, err := Load(path)
		problem := new(config.Problem)
		if (err == nil) != (want == "") || want != "" && (!errors.As(err, &problem) || problem.File != dir || !strings.Contains(err.Error(), want)) {
			t.Errorf("%v: %v; expected %q", mode, err, want)
		}
	}
}
