package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"

	"ltcles/fixtures"
	"ltcles/pipeline/workspace"
)

// No identifier is anywhere but in the inbox: not in what a run publishes, records,
// stages, spills or prints, as it is or as a plain hash; whether the run succeeds,
// refuses, is short of memory, panics, is interrupted or is killed on its way.
func TestNoIdentifierLeavesTheInbox(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "workspace")
	if err := workspace.Init(dir); err != nil {
		t.Fatal(err)
	}
	made, err := fixtures.Generate(dir, fixtures.Options{Seed: 3, Practices: 6, Patients: 30})
	if err != nil {
		t.Fatal(err)
	}
	template := &site{template: dir, command: "run", period: made.Periods[0].Period}
	canaries := canariesIn(t, filepath.Join(dir, "inbox"))

	t.Run("published", func(t *testing.T) {
		canaries.fly(t, template.copy(t), "", template.period, exitDone)
	})
	t.Run("refused", func(t *testing.T) {
		dir := template.copy(t)
		text := "NHS Number,Patient\n9990000018,SPECIMEN, Alpha\n"
		if err := os.WriteFile(filepath.Join(dir, "inbox", template.period, "unclear.csv"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		canaries.fly(t, dir, "", template.period, exitNotFit)
	})
	t.Run("short of memory", func(t *testing.T) {
		canaries.fly(t, template.copy(t), "memory_limit: 8MB\n", template.period, exitDone, exitFailed)
	})
	for _, panicking := range []struct{ at, with string }{
		{"inspecting files", "error"}, // in a worker
		{"reading files", "index"},    // in a worker
		{"writing tables", "text"},    // in the main flow
	} {
		t.Run("panicking at "+panicking.at, func(t *testing.T) {
			dir := template.copy(t)
			said := canaries.panics(t, dir, template.period, panicking.at, panicking.with, exitFailed)
			if !saysFailure.MatchString(said) || strings.Contains(said, "goroutine") {
				t.Errorf("a panic is told by %s", said)
			}
			if left := names(filepath.Join(dir, "published", "snapshots")); len(left) > 0 {
				t.Errorf("the panic left %q in published/snapshots", left)
			}
			canaries.fly(t, dir, "", template.period, exitDone)
		})
	}
	t.Run("ended by the runtime", func(t *testing.T) { // which no program can help: it is not a panic
		dir := template.copy(t)
		const exitOfRuntime = 2
		if said := canaries.panics(t, dir, template.period, "reading files", "lock", exitOfRuntime); !strings.Contains(said, "fatal error: sync: unlock of unlocked mutex") {
			t.Errorf("the end is told by %s", said)
		}
		canaries.fly(t, dir, "", template.period, exitDone)
	})
	for line := range 8 {
		t.Run(fmt.Sprintf("killed after line %d", line), func(t *testing.T) {
			dir := template.copy(t)
			run := template.start(t, dir)
			for range line {
				<-run.lines
			}
			_ = run.cmd.Process.Kill() // one that has ended already left what it left
			_, said := run.wait()
			canaries.look(t, dir, said)
		})
	}
}

// canaries are identifiers that stand in an inbox, by what they look like elsewhere.
type canaries struct {
	numbers map[string]bool // NHS numbers
	words   []string        // names
	hashes  map[string]bool // plain SHA-256 of the numbers, in hexadecimal
}

var (
	nhsNumber = regexp.MustCompile(`999[ -]?[0-9]{3}[ -]?[0-9]{4}`)
	digest    = regexp.MustCompile(`[0-9a-fA-F]{64}`)
)

func canariesIn(t *testing.T, inbox string) canaries {
	t.Helper()
	c := canaries{numbers: map[string]bool{}, hashes: map[string]bool{}}
	met := map[string]bool{}
	eachPart(t, inbox, func(_ string, text []byte) {
		for _, found := range nhsNumber.FindAll(text, -1) {
			number := strings.NewReplacer(" ", "", "-", "").Replace(string(found))
			sum := sha256.Sum256([]byte(number))
			c.numbers[number], c.hashes[hex.EncodeToString(sum[:])] = true, true
		}
		for _, name := range []string{"Trialworth", "TRIALWORTH", "Facsimile", "FACSIMILE", "Fabricant", "FABRICANT", "Madeup", "MADEUP"} {
			if bytes.Contains(text, []byte(name)) && !met[name] {
				met[name], c.words = true, append(c.words, name)
			}
		}
	})
	if len(c.numbers) < 100 || len(c.words) == 0 {
		t.Fatalf("the inbox has %d NHS numbers and the names %q", len(c.numbers), c.words)
	}
	return c
}

// fly runs a period in a process that has a folder for temporary files of its own,
// and looks for the canaries afterwards.
func (c canaries) fly(t *testing.T, dir, settings, period string, codes ...int) {
	t.Helper()
	if settings != "" {
		file, err := os.OpenFile(filepath.Join(dir, workspace.SettingsFile), os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := file.WriteString(settings); err != nil {
			t.Fatal(err)
		}
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
	}
	temporary := t.TempDir()
	cmd := exec.Command("ltcles", "run", "--workspace", dir, "--period", period)
	cmd.Env = append(os.Environ(), "TMPDIR="+temporary)
	said, err := cmd.CombinedOutput()
	code, expected := codeOf(err), false
	for _, want := range codes {
		expected = expected || code == want
	}
	if !expected {
		t.Errorf("exit code %d; expected one of %v: %s", code, codes, said)
	}
	c.look(t, dir, string(said))
	c.look(t, temporary, "")
	if left := names(filepath.Join(dir, ".ltcles")); code == exitDone && !slices.Equal(left, []string{"lock", "staged"}) {
		t.Errorf("the run left %q in its private folder", left)
	}
}

var saysFailure = regexp.MustCompile(`(?m)^ltcles: unexpected failure in ltcles\.\(\*panicking\)\.Write \(leak_test\.go:[0-9]+\): .*; nothing was published; report this line: it holds nothing of a patient\n\z`)

// panics runs a period in a process that panics with an NHS number and a name in
// hand, looks for the canaries afterwards, and returns what was said.
func (c canaries) panics(t *testing.T, dir, period, at, with string, code int) string {
	t.Helper()
	numbers := slices.Sorted(maps.Keys(c.numbers))
	temporary := t.TempDir()
	cmd := exec.Command("ltcles-panicking", "run", "--workspace", dir, "--period", period)
	cmd.Env = append(os.Environ(), "TMPDIR="+temporary, "PANIC_AT="+at, "PANIC_WITH="+with, "PANIC_NUMBER="+numbers[len(numbers)/2], "PANIC_NAME="+c.words[0])
	said, err := cmd.CombinedOutput()
	if got := codeOf(err); got != code {
		t.Errorf("exit code %d; want %d: %s", got, code, said)
	}
	c.look(t, dir, string(said))
	c.look(t, temporary, "")
	return string(said)
}

// panicking is a standard error that panics in whatever goroutine writes
// of a step. It stands for a fault in what that goroutine does: this is the
// one thing of the test's own that each of them calls.
type panicking struct{ to io.Writer }

func (p *panicking) Write(text []byte) (int, error) {
	if !strings.HasPrefix(string(text), os.Getenv("PANIC_AT")) {
		return p.to.Write(text)
	}
	patient := os.Getenv("PANIC_NUMBER") + " " + os.Getenv("PANIC_NAME")
	switch os.Getenv("PANIC_WITH") {
	case "text":
		panic(patient)
	case "error":
		panic(fmt.Errorf("read %s", patient))
	case "index":
		number, err := strconv.Atoi(os.Getenv("PANIC_NUMBER"))
		if err == nil {
			_ = text[number]
		}
	case "lock":
		var open sync.Mutex
		open.Unlock()
	}
	return len(text), nil
}

// look searches a folder, but for an inbox and the key, and what was printed.
func (c canaries) look(t *testing.T, dir, said string) {
	t.Helper()
	seek := func(where string, text []byte) {
		for _, found := range nhsNumber.FindAll(text, -1) {
			if c.numbers[strings.NewReplacer(" ", "", "-", "").Replace(string(found))] {
				t.Errorf("%s holds an NHS number", where)
			}
		}
		for _, found := range digest.FindAll(text, -1) {
			if c.hashes[strings.ToLower(string(found))] {
				t.Errorf("%s holds the plain hash of an NHS number", where)
			}
		}
		for _, word := range c.words {
			if bytes.Contains(text, []byte(word)) {
				t.Errorf("%s holds a name", where)
			}
		}
	}
	seek("what was printed", []byte(said))
	eachPart(t, dir, func(path string, text []byte) {
		if strings.HasPrefix(path, "inbox/") {
			return
		}
		seek(path, text)
		seek("the name "+path, []byte(path))
		if filepath.Ext(path) != ".parquet" {
			return
		}
		err := eachRecord(filepath.Join(dir, filepath.FromSlash(path)), func(record arrow.Record) {
			for _, column := range record.Columns() {
				for row := range column.Len() {
					seek("a cell of "+path, []byte(column.ValueStr(row)))
				}
			}
		})
		if err != nil && strings.HasPrefix(path, "published/current/") { // what is not published may have been cut off
			t.Errorf("%s: %v", path, err)
		}
	})
}

// eachPart hands out every file of a folder, and every entry of those that are ZIP
// archives, as workbooks are, in archives too.
func eachPart(t *testing.T, dir string, see func(path string, text []byte)) {
	t.Helper()
	var open func(path string, text []byte)
	open = func(path string, text []byte) {
		see(path, text)
		archive, err := zip.NewReader(bytes.NewReader(text), int64(len(text)))
		if err != nil {
			return // no archive
		}
		for _, entry := range archive.File {
			reader, err := entry.Open()
			if err != nil {
				t.Fatal(err)
			}
			unpacked, err := io.ReadAll(reader)
			if err != nil {
				t.Fatal(err)
			}
			open(path+"!"+entry.Name, unpacked)
		}
	}
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(path)))
		if err == nil {
			open(path, text)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
