//go:build !windows

package pipeline

import "golang.org/x/sys/unix"

// freeSpace is how many bytes the user may still write below a folder.
func freeSpace(dir string) (int64, error) {
	var stat unix.Statfs_t
	if err := unix.Statfs(dir, &stat); err != nil {
		return 0, err
	}
	return int64(stat.Bavail) * int64(stat.Bsize), nil //nolint:unconvert // narrower on other systems
}
