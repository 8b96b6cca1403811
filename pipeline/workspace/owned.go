package workspace

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Owned tells which part of a workspace, of this one or any other, a file would be written to:
// "secrets" for a file in that folder, the settings file itself. It is "" for what stands elsewhere,
// or beside those in the workspace's folder. Links are followed but for the file's own name, which
// writing replaces; folders may have to be made. The error is why one cannot be looked at.
func Owned(file string) (part string, err error) {
	whole, err := filepath.Abs(file)
	if err != nil {
		return "", err
	}
	within, dir := filepath.Base(whole), filepath.Dir(whole)
	for {
		found, err := filepath.EvalSymlinks(dir)
		if err == nil {
			dir = found
			break
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		within, dir = filepath.Join(filepath.Base(dir), within), filepath.Dir(dir)
	}
	for {
		if _, err := os.Lstat(filepath.Join(dir, SettingsFile)); err == nil {
			first, _, _ := strings.Cut(filepath.ToSlash(within), "/")
			for _, own := range []string{"inbox", "published", "reference", "runs", "secrets", ".ltcles", SettingsFile} {
				if strings.EqualFold(first, own) {
					return own, nil
				}
			}
		}
		above := filepath.Dir(dir)
		if above == dir {
			return "", nil
		}
		within = filepath.Join(filepath.Base(dir), within)
		dir = above
	}
}
