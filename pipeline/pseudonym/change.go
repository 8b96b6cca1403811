package pseudonym

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"ltcles/pipeline/config"
)

// A key is changed in three steps, so that whenever it is cut off both keys are on disk, and the id
// that is published says which of them is the workspace's: the next key is made beside the old one
// (Next), the old one is kept under its id (Keep), and once what was made under the next one is
// published, that takes the old one's place (Replace).

// NextFile is where the key that is to replace the one at path is, until it does.
func NextFile(path string) string { return path + ".next" }

// FormerFile is where a key is kept that was once the one at path.
func FormerFile(path, id string) string { return path + "." + id }

// Former loads a key that was once the one at path; nil where it is not there.
func Former(path, id string) (*Key, error) {
	former := FormerFile(path, id)
	if _, err := os.Lstat(former); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	key, err := Load(former)
	if err != nil {
		return nil, err
	}
	if key.ID() != id {
		return nil, &config.Problem{File: former, Found: key.String(), Expected: "key " + id, Fix: "restore it from its backup"}
	}
	return key, nil
}

// Next makes the key that is to replace the one at path. What an earlier change left there that was
// cut off before anything was published under it is made anew.
func Next(path string) (*Key, error) {
	next := NextFile(path)
	if err := os.Remove(next); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("make next key: %w", err)
	}
	if err := Create(next); err != nil {
		return nil, err
	}
	if err := syncFolder(next); err != nil {
		return nil, fmt.Errorf("make next key: %w", err)
	}
	return Load(next)
}

// Keep keeps the key at path under its id too.
func Keep(path string) error {
	key, err := Load(path)
	if err != nil {
		return err
	}
	if former, err := Former(path, key.ID()); err != nil || former != nil {
		return err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("keep key: %w", err)
	}
	part := path + ".part"
	if err := write(part, text); err != nil {
		return fmt.Errorf("keep key: %w", errors.Join(err, os.Remove(part)))
	}
	return move(part, FormerFile(path, key.ID()))
}

// Replace puts the next key in the place of the one at path, which has to be kept.
func Replace(path string) error {
	key, err := Load(path)
	if err != nil {
		return err
	}
	former, err := Former(path, key.ID())
	if err != nil {
		return err
	}
	if former == nil {
		return &config.Problem{File: FormerFile(path, key.ID()), Found: "no key file", Expected: "a copy of " + path, Fix: "copy it there"}
	}
	return move(NextFile(path), path)
}

// write writes a whole file for its owner alone, and has it outlive a power cut.
func write(path string, text []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = bytes.NewReader(text).WriteTo(file)
	return errors.Join(err, file.Sync(), file.Close())
}

// move renames a key for good.
func move(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return fmt.Errorf("rename key: %w", err)
	}
	if err := syncFolder(to); err != nil {
		return fmt.Errorf("rename key: %w", err)
	}
	return nil
}

// syncFolder has the names in a file's folder outlive a power cut. Windows has no such call.
func syncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
