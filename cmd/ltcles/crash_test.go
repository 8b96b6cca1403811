//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"ltcles/fixtures"
	"ltcles/pipeline/snapshot"
	"ltcles/pipeline/workspace"
)

// A site is a workspace whose next run is to be stopped: one month is published,
// the next is in the inbox. Each trial has a copy of its own.
type site struct {
	template string
	command  string // that is to be stopped
	period   string
	old, new string // the snapshots before and after the run
	manifest []byte // of the new one, from a run that nothing stopped
}

func newSite(t testing.TB) *site {
	t.Helper()
	s := &site{template: filepath.Join(t.TempDir(), "workspace"), command: "run"}
	if err := workspace.Init(s.template); err != nil {
		t.Fatal(err)
	}
	made, err := fixtures.Generate(s.template, fixtures.Options{Seed: 1, Practices: 1, Patients: 5})
	if err != nil {
		t.Fatal(err)
	}
	if code, said := s.run(s.template, made.Periods[0].Period); code != exitDone {
		t.Fatalf("exit code %d: %s", code, said)
	}
	s.period = made.Periods[1].Period
	s.settle(t)
	return s
}

// settle sees what an undisturbed run comes to.
func (s *site) settle(t testing.TB) {
	t.Helper()
	undisturbed := s.copy(t)
	if code, said := s.run(undisturbed, s.period); code != exitDone {
		t.Fatalf("exit code %d: %s", code, said)
	}
	s.old, s.new = shown(s.template), shown(undisturbed)
	var err error
	if s.manifest, err = os.ReadFile(filepath.Join(undisturbed, "published", "current", "manifest.json")); err != nil {
		t.Fatal(err)
	}
}

func (s *site) copy(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "workspace")
	if err := s.copyTo(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

func (s *site) copyTo(dir string) error {
	if err := os.CopyFS(dir, os.DirFS(s.template)); err != nil {
		return err
	}
	return os.Chmod(filepath.Join(dir, "secrets", "pseudonym.key"), 0o600)
}

// arguments are those of a run of the workspace in dir, whose figures and calls
// do not depend on the machine.
func (s *site) arguments(dir, period string) []string {
	return []string{s.command, "--workspace", dir, "--period", period, "--threads", "1"}
}

func (s *site) run(dir, period string) (code int, said string) {
	var stderr bytes.Buffer
	cmd := exec.Command("ltcles", append(s.arguments(dir, period), "--quiet")...)
	cmd.Stderr = &stderr
	return codeOf(cmd.Run()), stderr.String()
}

// killed is the code of a process that was killed and so said nothing.
const killed = -1

func codeOf(err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &exit):
		return exit.ExitCode()
	}
	return exitFailed
}

// An outcome is what a stopped run left behind.
type outcome struct {
	isNew      bool
	torn       string // why what is published is neither the old snapshot nor the new one
	untold     string // how the exit code and the message differ from what is published
	nextFailed string // why the next run did not put everything right
}

func (o outcome) faults() []string {
	return slices.DeleteFunc([]string{o.torn, o.untold, o.nextFailed}, func(fault string) bool { return fault == "" })
}

// judge looks at a workspace whose run ended with a code and a message, and runs
// the same again.
func (s *site) judge(dir string, code int, said string) outcome {
	o := outcome{torn: s.torn(dir)}
	o.isNew = shown(dir) == s.new
	saysNew := strings.Contains(said, s.new+" is published all the same")
	switch {
	case code == killed:
	case code == exitDone && !o.isNew:
		o.untold = "exit code 0, and readers see the old snapshot"
	case code != exitDone && o.isNew != saysNew:
		o.untold = fmt.Sprintf("exit code %d, new snapshot %t: %q", code, o.isNew, said)
	case code != exitDone && o.isNew && strings.Contains(said, "nothing was published"):
		o.untold = fmt.Sprintf("exit code %d, new snapshot, and %q", code, said)
	case code != exitDone && said == "":
		o.untold = fmt.Sprintf("exit code %d without a message", code)
	}
	o.nextFailed = s.goesOn(dir)
	return o
}

// torn says what is wrong with what is published, if anything is.
func (s *site) torn(dir string) string {
	if now := shown(dir); now != s.old && now != s.new {
		return fmt.Sprintf("current leads to %q", now)
	}
	problems, err := snapshot.Store{Dir: filepath.Join(dir, "published")}.Verify()
	if err != nil {
		return err.Error()
	}
	if len(problems) > 0 {
		return fmt.Sprintf("%d problems, first: %s", len(problems), problems[0])
	}
	if shown(dir) != s.new {
		return ""
	}
	manifest, err := os.ReadFile(filepath.Join(dir, "published", "current", "manifest.json"))
	if err != nil || !bytes.Equal(manifest, s.manifest) {
		return fmt.Sprintf("the new snapshot is not that of an undisturbed run: %v\n%s", err, manifest)
	}
	return ""
}

// goesOn says why the next run does not end with the new snapshot and nothing
// besides, if it does not.
func (s *site) goesOn(dir string) string {
	if code, said := s.run(dir, s.period); code != exitDone {
		return fmt.Sprintf("the next run ends with %d: %s", code, said)
	}
	if now := shown(dir); now != s.new {
		return fmt.Sprintf("after the next run current leads to %q", now)
	}
	if torn := s.torn(dir); torn != "" {
		return "after the next run: " + torn
	}
	for folder, want := range map[string][]string{
		"published":           {"current", "snapshots"},
		"published/snapshots": {s.old, s.new},
		".ltcles":             {"lock", "staged"},
	} {
		slices.Sort(want)
		if got := names(filepath.Join(dir, folder)); !slices.Equal(got, want) {
			return fmt.Sprintf("the next run leaves %v in %s; want %v", got, folder, want)
		}
	}
	for _, run := range names(filepath.Join(dir, "runs")) {
		for _, name := range names(filepath.Join(dir, "runs", run)) {
			if strings.HasPrefix(name, ".") {
				return fmt.Sprintf("the next run leaves %s in runs/%s", name, run)
			}
		}
	}
	return ""
}

// shown is the name of the snapshot that readers see.
func shown(dir string) string {
	target, _ := os.Readlink(filepath.Join(dir, "published", "current"))
	return strings.TrimPrefix(target, "snapshots/")
}

func names(dir string) []string {
	entries, _ := os.ReadDir(dir)
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

// started is a run in a process of its own, and what it prints as it goes.
type started struct {
	cmd   *exec.Cmd
	lines <-chan string
}

func (s *site) start(t testing.TB, dir string) started {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "ltcles", s.arguments(dir, s.period)...)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := make(chan string, 100)
	go func() {
		defer close(lines)
		for scanner := bufio.NewScanner(stderr); scanner.Scan(); {
			lines <- scanner.Text()
		}
	}()
	return started{cmd, lines}
}

// wait waits for the end of the process.
func (s started) wait() (code int, said string) {
	var rest []string
	for line := range s.lines {
		rest = append(rest, line)
	}
	return codeOf(s.cmd.Wait()), strings.Join(rest, "\n")
}

// A run that is killed at any moment leaves the old snapshot or the new one, and
// the next run goes on from there. The moments are spread over the lines that the
// run prints as it goes, and over the time that it takes from each to the next.
func TestKilledAtAnyMoment(t *testing.T) {
	s := newSite(t)
	var pauses []time.Duration
	whole, last := s.start(t, s.copy(t)), time.Now()
	for range whole.lines {
		pauses, last = append(pauses, time.Since(last)), time.Now()
	}
	pauses = append(pauses, time.Since(last))
	if code, said := whole.wait(); code != exitDone {
		t.Fatalf("exit code %d: %s", code, said)
	}
	random := rand.New(rand.NewPCG(1, 2))
	seen := map[string]int{}
	for trial := range 36 {
		dir := s.copy(t)
		line := trial % len(pauses)
		delay := time.Duration(random.Int64N(int64(pauses[line]) + 1))
		run := s.start(t, dir)
		for range line {
			<-run.lines
		}
		time.Sleep(delay)
		_ = run.cmd.Process.Kill() // one that has ended already is judged as it ended
		code, said := run.wait()
		left := s.judge(dir, code, said)
		for _, fault := range left.faults() {
			t.Errorf("killed %v after line %d: %s", delay, line, fault)
		}
		seen[fmt.Sprintf("code %d, new %t", code, left.isNew)]++
		os.RemoveAll(dir)
	}
	t.Logf("killed at 36 moments: %v", seen)
	if seen[fmt.Sprintf("code %d, new false", killed)] == 0 {
		t.Error("no run was killed before it had published")
	}
}

// The second of two runs is told who is at work, and goes on when that is gone.
func TestSecondRunIsToldWhoIsAtWork(t *testing.T) {
	s := newSite(t)
	dir := s.copy(t)
	first := s.start(t, dir)
	<-first.lines // it has the lock
	if err := first.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	code, said := s.run(dir, s.period)
	at := fmt.Sprintf("another run is at work here: ltcles run --period %s, process %d on %s, since 20", s.period, first.cmd.Process.Pid, host)
	fix := fmt.Sprintf("; expected one run at a time; wait until it has ended, or end process %d: the lock goes with it\n", first.cmd.Process.Pid)
	if code != exitUsage || !strings.Contains(said, at) || !strings.HasSuffix(said, fix) || strings.Count(said, "\n") != 1 {
		t.Errorf("exit code %d: %s", code, said)
	}
	if torn := s.torn(dir); torn != "" {
		t.Error(torn)
	}
	if err := first.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	code, said = first.wait()
	if left := names(filepath.Join(dir, ".ltcles")); !slices.Contains(left, "lock") || !slices.Contains(left, "holder.json") {
		t.Errorf("the killed run left %v", left)
	}
	for _, fault := range s.judge(dir, code, said).faults() {
		t.Error(fault)
	}
}

// An interrupt before the commit publishes nothing, and says so.
func TestInterrupted(t *testing.T) {
	s := newSite(t)
	dir := s.copy(t)
	ctx, cancel := context.WithCancel(t.Context())
	var stderr bytes.Buffer
	interrupt := writerFunc(func(p []byte) (int, error) {
		cancel()
		return stderr.Write(p)
	})
	code := execute(ctx, s.arguments(dir, s.period), streams{out: io.Discard, err: interrupt})
	if code != exitInterrupted || !strings.HasSuffix(stderr.String(), "ltcles: interrupted; nothing was published\n") {
		t.Errorf("exit code %d: %s", code, &stderr)
	}
	for _, fault := range s.judge(dir, code, stderr.String()).faults() {
		t.Error(fault)
	}
}

// A panic once readers see the new snapshot does not hide that they do.
func TestPanicAfterPublication(t *testing.T) {
	s := newSite(t)
	dir := s.copy(t)
	var stderr bytes.Buffer
	code := execute(t.Context(), s.arguments(dir, s.period), streams{out: writerFunc(func([]byte) (int, error) { panic("no more") }), err: &stderr})
	if code != exitFailed || !strings.Contains(stderr.String(), "ltcles: unexpected failure in ") || strings.Contains(stderr.String(), "no more") {
		t.Errorf("exit code %d: %s", code, &stderr)
	}
	if shown(dir) != s.new {
		t.Errorf("readers see %s; want %s", shown(dir), s.new)
	}
	for _, fault := range s.judge(dir, code, stderr.String()).faults() {
		t.Error(fault)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
