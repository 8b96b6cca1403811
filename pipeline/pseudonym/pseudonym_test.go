package pseudonym

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"ltcles/pipeline/config"
)

// The test cases of RFC 4231, section 4, but for case 5, which truncates.
func TestHexIsHMACSHA256(t *testing.T) {
	counting := make([]byte, 25)
	for i := range counting {
		counting[i] = byte(i + 1)
	}
	tests := []struct {
		name, key, data, want string
	}{
		{"case 1", strings.Repeat("\x0b", 20), "Hi There",
			"b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
		{"case 2", "Jefe", "what do ya want for nothing?",
			"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
		{"case 3", strings.Repeat("\xaa", 20), strings.Repeat("\xdd", 50),
			"773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
		{"case 4", string(counting), strings.Repeat("\xcd", 50),
			"82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
		{"case 6", strings.Repeat("\xaa", 131), "Test Using Larger Than Block-Size Key - Hash Key First",
			"60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
		{"case 7", strings.Repeat("\xaa", 131), "This is a test using a larger than block-size key and a larger than block-size data. " +
			"The key needs to be hashed before being used by the HMAC algorithm.",
			"9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
	}
	for _, tt := range tests {
		hasher := newHasher([]byte(tt.key))
		for _, use := range []string{"first", "second"} {
			if got := string(hasher.Hex([]byte("kept:"), []byte(tt.data))); got != "kept:"+tt.want {
				t.Errorf("%s, %s use: %s", tt.name, use, got)
			}
		}
	}
}

func TestHexDoesNotAllocate(t *testing.T) {
	hasher, dst, identity := new(Key).NewHasher(), make([]byte, 0, 64), []byte("9990000018")
	if allocs := testing.AllocsPerRun(100, func() { dst = hasher.Hex(dst[:0], identity) }); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func TestCreateThenLoad(t *testing.T) {
	path := filepath.Join(folder(t), "pseudonym.key")
	if err := Create(path); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil || !regexp.MustCompile(`^[0-9a-f]{64}\n$`).Match(text) {
		t.Fatalf("the file is not 64 hex digits and a line feed (%d bytes, %v)", len(text), err)
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Fatalf("mode: %v, %v", info.Mode(), err)
	}
	key, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^[0-9a-f]{16}$`).MatchString(key.ID()) || strings.Contains(string(text), key.ID()) {
		t.Errorf("key id %q", key.ID())
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		for _, printed := range []string{fmt.Sprintf(verb, key), fmt.Sprintf(verb, *key)} {
			if printed != "key "+key.ID() {
				t.Errorf("%s prints %q", verb, printed)
			}
		}
	}

	if err := Create(path); err == nil {
		t.Error("a key was overwritten")
	}
	if after, _ := os.ReadFile(path); string(after) != string(text) {
		t.Error("the second Create changed the file")
	}

	other := filepath.Join(folder(t), "other.key")
	if err := Create(other); err != nil {
		t.Fatal(err)
	}
	if key2, err := Load(other); err != nil || key2.ID() == key.ID() {
		t.Errorf("two keys have one id: %v, %v", key2, err)
	}
}

func TestLoadRefuses(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"short", soundKey[:63] + "\n", "another length"},
		{"long", soundKey + "0\n", "another length"},
		{"two keys", soundKey + "\n" + soundKey + "\n", "another length"},
		{"empty", "", "another length"},
		{"not hex", soundKey[:63] + "g\n", "0-9 and a-f"},
	} {
		t.Run(tt.name, func(t *testing.T) { checkRefused(t, tt.text, 0o600, tt.want) })
	}
	if _, err := Load(filepath.Join(folder(t), "absent.key")); err == nil || !strings.Contains(err.Error(), "no key file") {
		t.Errorf("absent: %v", err)
	}
}

var soundKey = strings.Repeat("0123456789abcdef", 4)

// checkRefused checks that a key file of a text and a mode is refused, by its path and what is wrong, and not shown.
func checkRefused(t *testing.T, text string, mode os.FileMode, want string) {
	t.Helper()
	path := filepath.Join(folder(t), "pseudonym.key")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	_, err := Load(path)
	if problem := new(config.Problem); !errors.As(err, &problem) {
		t.Fatalf("error %v is not a configuration problem", err)
	}
	if !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
		t.Errorf("error %q names neither %q nor the path", err, want)
	}
	if len(text) > 8 && strings.Contains(err.Error(), text[:8]) {
		t.Errorf("error %q shows the key", err)
	}
}

// folder is a folder for its owner alone, whatever the umask.
func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestLoadAcceptsWindowsLineEnd(t *testing.T) {
	path := filepath.Join(folder(t), "pseudonym.key")
	if err := os.WriteFile(path, []byte(strings.Repeat("AB", 32)+"\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); err != nil {
		t.Fatal(err)
	}
}

func BenchmarkHex(b *testing.B) {
	hasher, dst, identity := new(Key).NewHasher(), make([]byte, 0, 64), []byte("9990000018")
	b.ReportAllocs()
	for b.Loop() {
		dst = hasher.Hex(dst[:0], identity)
	}
}
