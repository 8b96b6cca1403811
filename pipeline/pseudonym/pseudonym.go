// Package pseudonym is the only place that sees a whole identity (R5): it turns one into
// lower-case hex of HMAC-SHA-256 under the workspace's key. It refuses to know what an identity
// is made of, keeps none, and never shows the key.
package pseudonym

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"ltcles/pipeline/config"
)

const keyBytes = 32

// idLabel is what ID signs. An identity is ten digits or starts with "emis:", so no pseudonym
// can be mistaken for an ID or the other way round.
const idLabel = "ltcles key id"

// Key is the secret of one workspace.
type Key struct{ secret [keyBytes]byte }

// Create writes a new random key to path: 64 hex digits and a line feed, readable by its owner
// only. A file that is there already is left alone and is an error: without the old key no
// published pseudonym can be matched again.
func Create(path string) (err error) {
	var secret [keyBytes]byte
	rand.Read(secret[:])
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return &config.Problem{File: path, Found: "a key is there already", Expected: "no file", Fix: "keep it: a key is never overwritten"}
	}
	if err != nil {
		return fmt.Errorf("create key: %w", err)
	}
	defer func() {
		if err != nil {
			os.Remove(path)
		}
	}()
	_, err = fmt.Fprintf(file, "%x\n", secret)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("create key: %w", err)
	}
	return nil
}

// Load reads the key at path. A key that others on the machine can read, or exchange because they
// can write to its folder, is refused; on Windows, where the mode says nothing about that, it is
// not looked at.
func Load(path string) (*Key, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &config.Problem{File: path, Found: "no key file", Expected: "the key that ltcles init made",
			Fix: "restore it from its backup, or correct key_file in ltcles.yaml"}
	}
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	if mode := info.Mode().Perm(); runtime.GOOS != "windows" && mode&0o077 != 0 {
		return nil, &config.Problem{File: path, Found: fmt.Sprintf("the key has mode %04o, which lets others use it", mode), Expected: "mode 0600",
			Fix: fmt.Sprintf("run: chmod 600 %q", path)}
	}
	if err := checkFolder(filepath.Dir(path)); err != nil {
		return nil, err
	}
	key, err := read(file)
	if fault := noKey(""); errors.As(err, &fault) {
		return nil, &config.Problem{File: path, Found: string(fault), Expected: "64 hex digits and nothing else", Fix: "restore it from its backup"}
	}
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	return key, nil
}

// noKey says why a text is no key, without what it says.
type noKey string

func (n noKey) Error() string { return string(n) }

// read reads a key; the error is a noKey where the text is none.
func read(from io.Reader) (*Key, error) {
	// Twice the expected length is enough to tell that a file is too long.
	text, err := io.ReadAll(io.LimitReader(from, 4*keyBytes))
	if err != nil {
		return nil, err
	}
	digits := bytes.TrimSpace(text)
	if len(digits) != hex.EncodedLen(keyBytes) {
		return nil, noKey("the key has another length")
	}
	key := new(Key)
	if _, err := hex.Decode(key.secret[:], digits); err != nil {
		return nil, noKey("the key holds characters other than 0-9 and a-f")
	}
	return key, nil
}

// IsKey tells whether a file holds a key, whoever's it is. The error is why that cannot be told of
// a file that is there.
func IsKey(path string) (bool, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for a key: %w", err)
	}
	file, err := os.Open(path)
	if err != nil {
		return false, fmt.Errorf("look for a key: %w", err)
	}
	defer file.Close()
	_, err = read(file)
	if errors.As(err, new(noKey)) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for a key: %w", err)
	}
	return true, nil
}

// checkFolder refuses a folder that others can write to, unless it is one in which each may change
// only what is theirs.
func checkFolder(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("read key: %w", err)
	}
	if mode := info.Mode(); runtime.GOOS != "windows" && mode.Perm()&0o022 != 0 && mode&fs.ModeSticky == 0 {
		return &config.Problem{File: dir, Found: fmt.Sprintf("the key's folder has mode %04o, which lets others exchange the key", mode.Perm()), Expected: "mode 0700",
			Fix: fmt.Sprintf("run: chmod 700 %q", dir)}
	}
	return nil
}

// ID is 16 hex digits that tell one key from another and do not lead back to it.
func (k *Key) ID() string {
	return string(k.NewHasher().Hex(nil, []byte(idLabel))[:16])
}

// String keeps the secret out of logs and messages that print a key by mistake.
func (k Key) String() string { return "key " + k.ID() }

// GoString is String, for %#v.
func (k Key) GoString() string { return k.String() }

// NewHasher makes a Hasher; each goroutine needs its own.
func (k *Key) NewHasher() *Hasher { return newHasher(k.secret[:]) }

// Hasher makes pseudonyms, one at a time, without allocating.
type Hasher struct {
	mac hash.Hash
	sum [sha256.Size]byte
}

func newHasher(secret []byte) *Hasher { return &Hasher{mac: hmac.New(sha256.New, secret)} }

// Hex appends the identity's pseudonym to dst: 64 lower-case hex digits.
func (h *Hasher) Hex(dst, identity []byte) []byte {
	h.mac.Reset()
	h.mac.Write(identity)
	return hex.AppendEncode(dst, h.mac.Sum(h.sum[:0]))
}

// Sum appends the identity's pseudonym to dst: the 32 bytes that Hex spells.
func (h *Hasher) Sum(dst, identity []byte) []byte {
	h.mac.Reset()
	h.mac.Write(identity)
	return h.mac.Sum(dst)
}
