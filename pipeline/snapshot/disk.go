package snapshot

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"
)

// disk makes every change to the file system that publishing makes, so that a test can stop it
// at each one.
type disk struct {
	before      func(op, path string) error // nil outside tests; an error stands for a fault or a kill
	noSymlinks  bool                        // as on a file system without symbolic links
	noHardLinks bool                        // as on a file system without hard links
	noSync      bool                        // for tests that cut no power
}

func (d disk) step(op, path string) error {
	if d.before == nil {
		return nil
	}
	return d.before(op, path)
}

func (d disk) mkdirAll(path string) error {
	if err := d.step("mkdir", path); err != nil {
		return err
	}
	return os.MkdirAll(path, 0o755)
}

func (d disk) chmod(path string, mode fs.FileMode) error {
	if err := d.step("chmod", path); err != nil {
		return err
	}
	return os.Chmod(path, mode)
}

func (d disk) removeAll(path string) error {
	if err := d.step("remove", path); err != nil {
		return err
	}
	return os.RemoveAll(path)
}

func (d disk) write(path string, data []byte) error {
	if err := d.step("create", path); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := file.Write(data[:len(data)/2]); err != nil {
		return err
	}
	if err := d.step("write", path); err != nil {
		return err
	}
	if _, err := file.Write(data[len(data)/2:]); err != nil {
		return err
	}
	return file.Close()
}

// link gives a file a second name, and says whether the two share their bytes: where there are
// no hard links, it copies.
func (d disk) link(from, to string) (shared bool, err error) {
	if err := d.step("link", to); err != nil {
		return false, err
	}
	if !d.noHardLinks {
		if err := os.Link(from, to); err == nil {
			return true, nil
		}
	}
	return false, d.copy(from, to)
}

func (d disk) copy(from, to string) error {
	if err := d.step("copy", to); err != nil {
		return err
	}
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer target.Close()
	if _, err := io.Copy(target, source); err != nil {
		return err
	}
	return target.Close()
}

// lstat is what a name stands for, links not followed.
func (d disk) lstat(path string) (fs.FileInfo, error) {
	if err := d.step("lstat", path); err != nil {
		return nil, err
	}
	return os.Lstat(path)
}

// exists tells a name that is not there from one that cannot be looked at just now: what fails
// to answer must never be taken for gone.
func (d disk) exists(path string) (bool, error) {
	_, err := d.lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// symlink fails where current has to be a directory.
func (d disk) symlink(target, path string) error {
	if err := d.step("symlink", path); err != nil {
		return err
	}
	if d.noSymlinks || runtime.GOOS == "windows" {
		return fmt.Errorf("symlink %s: %w", path, errors.ErrUnsupported)
	}
	return os.Symlink(target, path)
}

// rename replaces a link, and never a directory. Windows refuses it while a virus scanner or a
// reader has a file open, so there it is tried for a few seconds.
func (d disk) rename(from, to string) error {
	if err := d.step("rename", to); err != nil {
		return err
	}
	err := os.Rename(from, to)
	for try := 0; err != nil && runtime.GOOS == "windows" && try < 20; try++ {
		time.Sleep(200 * time.Millisecond)
		err = os.Rename(from, to)
	}
	return err
}

// sync makes a file's bytes, or a directory's names, outlive a power cut. Windows has no such
// call for directories.
func (d disk) sync(path string) error {
	if err := d.step("sync", path); err != nil {
		return err
	}
	if d.noSync {
		return nil
	}
	mode := os.O_RDONLY
	if runtime.GOOS == "windows" {
		if info, err := os.Stat(path); err != nil || info.IsDir() {
			return err
		}
		mode = os.O_RDWR
	}
	file, err := os.OpenFile(path, mode, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	return file.Sync()
}

// syncTree syncs the files that are not settled, then every directory, the deepest first.
func (d disk) syncTree(root string, settled func(name string) bool) error {
	var directories []string
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			directories = append(directories, path)
			return nil
		}
		name, err := filepath.Rel(root, path)
		if err != nil || settled(filepath.ToSlash(name)) {
			return err
		}
		return d.sync(path)
	})
	if err != nil {
		return err
	}
	slices.Reverse(directories)
	for _, path := range directories {
		if err := d.sync(path); err != nil {
			return err
		}
	}
	return nil
}
