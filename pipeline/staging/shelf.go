package staging

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A Shelf is the folder where staged files stay from one run to the next. Beside
// each stands a note: the file's SHA-256, and what its reader has to say besides the
// rows. A file without a sound note is never used: it is what a killed run left, or
// was damaged, or is not from here.
type Shelf struct {
	Dir string
	// Seal is a keyed hash, under the key that the rows' pseudonyms are under; a note
	// that it does not confirm was not written with that key.
	Seal func(text []byte) []byte
}

// note is what stands beside a staged file, after a line with its seal.
type note struct {
	Key    Key             `json:"key"`
	SHA256 string          `json:"sha256"`
	States []State         `json:"states"`
	Reader json.RawMessage `json:"reader"`
}

const (
	noteSuffix   = ".json"
	stagedSuffix = ".parquet"
	partSuffix   = ".part"
)

// Keep writes the note of a staged file of the shelf, with what the reader says. A
// file without one is gone after the next [Shelf.Sweep].
func (s Shelf) Keep(staged *Staged, reader any) error {
	said, err := json.Marshal(reader)
	if err != nil {
		return fmt.Errorf("note staged file: %w", err)
	}
	text, err := json.Marshal(note{Key: staged.Key, SHA256: staged.SHA256, States: staged.States, Reader: said})
	if err != nil {
		return fmt.Errorf("note staged file: %w", err)
	}
	path := s.notePath(staged.Key)
	if err := os.WriteFile(path+partSuffix, append(append(s.Seal(text), '\n'), text...), 0o600); err != nil {
		return errors.Join(fmt.Errorf("note staged file: %w", err), os.RemoveAll(path+partSuffix))
	}
	if err := os.Rename(path+partSuffix, path); err != nil {
		return errors.Join(fmt.Errorf("note staged file: %w", err), os.RemoveAll(path+partSuffix))
	}
	return nil
}

// Take finds the staged file of a key and fills in what its reader said; nil where
// there is none. An error says why one that is there cannot be used.
func (s Shelf) Take(key Key, reader any) (*Staged, error) {
	text, err := os.ReadFile(s.notePath(key))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read note of staged file: %w", err)
	}
	seal, text, _ := bytes.Cut(text, []byte{'\n'})
	if !bytes.Equal(seal, s.Seal(text)) {
		return nil, errors.New("the note of the staged file is damaged, or was not written under this key")
	}
	var from note
	if err := json.Unmarshal(text, &from); err != nil {
		return nil, fmt.Errorf("read note of staged file: %w", err)
	}
	if from.Key != key {
		return nil, errors.New("the note is of another staged file")
	}
	path := filepath.Join(s.Dir, key.FileName())
	sum, err := hashOf(path)
	if err != nil {
		return nil, fmt.Errorf("read staged file: %w", err)
	}
	if sum != from.SHA256 {
		return nil, errors.New("the staged file is not as it was written")
	}
	if err := json.Unmarshal(from.Reader, reader); err != nil {
		return nil, fmt.Errorf("read note of staged file: %w", err)
	}
	number, err := key.Number()
	if err != nil {
		return nil, err
	}
	now := time.Now() // as old as its last use, which Sweep goes by
	if err := os.Chtimes(s.notePath(key), now, now); err != nil {
		return nil, fmt.Errorf("take staged file: %w", err)
	}
	return &Staged{Path: path, Key: key, Number: number, SHA256: sum, States: from.States}, nil
}

func (s Shelf) notePath(key Key) string { return filepath.Join(s.Dir, string(key)+noteSuffix) }

func hashOf(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// Sweep removes what was not used since a time, and what killed runs left: files
// without a note, notes without a file, and parts of either.
func (s Shelf) Sweep(since time.Time) error {
	unused, err := s.unused(since)
	if err != nil {
		return fmt.Errorf("sweep staged files: %w", err)
	}
	for _, entry := range unused {
		if err := os.RemoveAll(filepath.Join(s.Dir, entry.Name())); err != nil {
			return fmt.Errorf("sweep staged files: %w", err)
		}
	}
	return nil
}

// Unused counts the staged files that [Shelf.Sweep] would remove, and their bytes.
func (s Shelf) Unused(since time.Time) (files int, size int64, err error) {
	unused, err := s.unused(since)
	if err != nil {
		return 0, 0, fmt.Errorf("list staged files: %w", err)
	}
	for _, entry := range unused {
		info, err := entry.Info()
		if err != nil {
			return 0, 0, fmt.Errorf("list staged files: %w", err)
		}
		if filepath.Ext(entry.Name()) == stagedSuffix {
			files++
		}
		size += info.Size()
	}
	return files, size, nil
}

func (s Shelf) unused(since time.Time) (unused []fs.DirEntry, err error) {
	entries, err := os.ReadDir(s.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	present, used := map[string]bool{}, map[string]bool{}
	for _, entry := range entries {
		present[entry.Name()] = true
	}
	for _, entry := range entries {
		key, isNote := strings.CutSuffix(entry.Name(), noteSuffix)
		if !isNote || !present[key+stagedSuffix] {
			continue
		}
		info, err := entry.Info()
		if err != nil {
			return nil, err
		}
		if !info.ModTime().Before(since) {
			used[key+noteSuffix], used[key+stagedSuffix] = true, true
		}
	}
	for _, entry := range entries {
		if !used[entry.Name()] {
			unused = append(unused, entry)
		}
	}
	return unused, nil
}
