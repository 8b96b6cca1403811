//go:build faults && linux

package main

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
)

// The calls at which a run is stopped. Those that look and do not change get
// read errors only.
var (
	changing = []string{"openat", "write", "pwrite64", "writev", "pwritev", "copy_file_range", "sendfile", "ftruncate", "fallocate", "fsync", "fdatasync",
		"rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat", "unlink", "unlinkat", "mkdir", "mkdirat", "chmod", "fchmod", "fchmodat", "close"}
	looking = []string{"read", "pread64", "newfstatat", "getdents64", "readlinkat"}
)

// The faults that are no errors.
const (
	kill      = "KILL"
	interrupt = "INT"
)

// share says which part of the points is tried: one in so many of the calls that
// change something, and of those that only look.
type share struct{ changing, looking int }

func shareOf(t *testing.T) share {
	switch form := os.Getenv("FAULTS"); form {
	case "", "full":
		return share{1, 8}
	case "short":
		return share{20, 150}
	default:
		t.Fatalf("FAULTS=%s; expected full or short", form)
		return share{}
	}
}

// A point is a fault at one call: the nth of its name on the main thread, or on
// any of the other threads.
type point struct {
	fault   string // KILL, INT, or the name of an error
	name    string
	n       int
	onMain  bool
	changes bool
}

// A call is a line of strace that touches the workspace.
type call struct {
	name    string
	n       int    // the how manieth of its name on its thread
	what    string // its arguments, the same in each run
	changes bool
	onMain  bool
}

// TestFaultsAtEveryCall kills a run, interrupts it, or fails it, at the calls that it makes on
// its workspace. What is published must be the old snapshot or the new one, the
// exit code must be true, and the next run must put everything right.
func TestFaultsAtEveryCall(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		t.Fatalf("%v; install strace (make faults does, on Debian and Ubuntu)", err)
	}
	s := newSite(t).stoppable()
	points := shuffled(plan(s.calls(t), shareOf(t)))
	s.tryAll(t, some(points, mostOf(t, 120, len(points))))
}

// shuffled mixes points, so that the first hundred are of every kind.
func shuffled(points []point) []point {
	random := rand.New(rand.NewPCG(1, 2))
	random.Shuffle(len(points), func(i, j int) { points[i], points[j] = points[j], points[i] })
	return points
}

// How often a point is tried that no call of the workspace meets.
const tries = 8

// sooner is the point to try after one that was not met. Threads other than the main one share
// their work out anew in each run: what made many calls in one run makes fewer in the next.
func (p point) sooner() point {
	if !p.onMain {
		p.n = max(1, p.n*3/4)
	}
	return p
}

// tryAll tries points and adds up what came of them.
func (s stoppable) tryAll(t *testing.T, points []point) {
	t.Helper()
	t.Logf("%d points", len(points))
	scratch := t.TempDir()
	var score score
	score.seen = map[string]bool{}
	next := make(chan point)
	var workers sync.WaitGroup
	for range runtime.NumCPU() {
		workers.Go(func() {
			for p := range next {
				for range tries {
					result := s.try(t, scratch, p)
					score.add(t, p, result)
					if result.hit != "" {
						break
					}
					p = p.sooner()
				}
			}
		})
	}
	for _, p := range points {
		next <- p
	}
	close(next)
	workers.Wait()
	t.Log(score.String())
	if met := score.runs - score.elsewhere; met < len(points)*9/10 {
		t.Errorf("%d of %d points were met; the run makes other calls each time", met, len(points))
	}
}

// A file system that has no locks, as of a share that is mounted without them, is
// no place for a workspace.
func TestFaultsWithoutLocks(t *testing.T) {
	made := newSite(t)
	s := made.stoppable()
	for _, fault := range []string{"ENOLCK", "EOPNOTSUPP", "ENOSYS"} {
		dir := made.copy(t)
		code, said := s.strace(dir, filepath.Join(t.TempDir(), "trace"), []string{"-e", "trace=flock", "-e", "inject=flock:error=" + fault})
		if code != exitUsage || !strings.Contains(said, "/.ltcles/lock: the file system cannot lock it: ") || !strings.Contains(said, "; keep the workspace on a local disk, or on a share that is mounted with locking\n") {
			t.Errorf("%s: exit code %d: %s", fault, code, said)
		}
		for _, fault := range s.judge(dir, code, said).faults() {
			t.Error(fault)
		}
	}
}

// plan lists the points. Each call that changes something gets every fault; one
// that only looks gets read errors, and a kill once in a while, since it leaves
// what the call before it left.
func plan(calls []call, of share) []point {
	var points []point
	at, looked := 0, 0
	add := func(c call, every int, faults ...string) {
		for _, fault := range faults {
			p := point{fault: fault, name: c.name, n: c.n, onMain: c.onMain, changes: c.changes}
			if !slices.Contains(points, p) {
				if at++; at%every == 0 {
					points = append(points, p)
				}
			}
		}
	}
	for _, c := range calls {
		switch {
		case c.changes && slices.Contains([]string{"symlinkat", "renameat"}, c.name): // the commit is one of them
			add(c, 1, kill, interrupt, "ENOSPC", "EIO", "EACCES")
		case c.changes:
			add(c, of.changing, kill, "ENOSPC", "EIO", "EACCES")
			if slices.Contains([]string{"mkdirat", "linkat", "fsync"}, c.name) {
				add(c, of.changing, interrupt)
			}
		case slices.Contains(looking, c.name):
			add(c, of.looking, "EIO")
		default:
			if looked++; looked%8 == 0 {
				add(c, of.looking, kill)
			}
			add(c, of.looking, "EIO", "EACCES")
		}
	}
	return points
}

// A stoppable is a command, the workspace that each trial has a copy of, and what is
// to be true of that once the command was stopped.
type stoppable struct {
	copyTo    func(dir string) error
	arguments func(dir string) []string
	judge     func(dir string, code int, said string) outcome
}

func (s *site) stoppable() stoppable {
	return stoppable{s.copyTo, func(dir string) []string { return append(s.arguments(dir, s.period), "--quiet") }, s.judge}
}

// calls lists what an undisturbed run calls.
func (s stoppable) calls(t *testing.T) []call {
	t.Helper()
	var list []call
	for _, onMain := range []bool{true, false} {
		dir := filepath.Join(t.TempDir(), "workspace")
		if err := s.copyTo(dir); err != nil {
			t.Fatal(err)
		}
		trace := filepath.Join(t.TempDir(), "trace")
		options := []string{"-e", "trace=" + strings.Join(slices.Concat(changing, looking), ",")}
		if !onMain {
			options = append(options, "-f")
		}
		if code, said := s.strace(dir, trace, options); code != exitDone {
			t.Fatalf("strace: exit code %d: %s", code, said)
		}
		lines := readTrace(t, trace)
		written := map[string]bool{}
		for _, line := range lines {
			if line.name == "openat" && strings.Contains(line.text, "O_CREAT") || strings.Contains(line.text, "O_WRONLY") || strings.Contains(line.text, "O_RDWR") {
				written[line.path(dir)] = true
			}
		}
		for _, line := range lines {
			if !strings.Contains(line.text, dir) || !onMain && line.thread == lines[0].thread {
				continue
			}
			c := call{name: line.name, n: line.n, what: line.what(dir), onMain: onMain}
			switch {
			case strings.Contains(line.text, " = -1 ") || slices.Contains(looking, line.name):
			case line.name == "openat" || line.name == "close":
				c.changes = written[line.path(dir)]
			default:
				c.changes = true
			}
			list = append(list, c)
		}
	}
	return list
}

// strace runs the command on a workspace under strace. The program's main
// goroutine keeps to the main thread, so that the nth call there is the same one
// in each run.
func (s stoppable) strace(dir, trace string, options []string) (code int, said string) {
	var stderr bytes.Buffer
	cmd := exec.Command("strace", slices.Concat([]string{"-y", "-qq", "-s", "0", "-o", trace}, options,
		[]string{"ltcles-pinned"}, s.arguments(dir))...)
	cmd.Dir = filepath.Dir(trace) // not the workspace, which strace would print with every call
	cmd.Stderr = &stderr
	return codeOf(cmd.Run()), stderr.String()
}

// A trial is a point that was tried: what it hit, and what became of it.
type trial struct {
	outcome
	code int
	hit  string // "" where the fault came nowhere near the workspace
}

func (s stoppable) try(t *testing.T, scratch string, p point) trial {
	home, err := os.MkdirTemp(scratch, "")
	if err != nil {
		t.Error(err)
		return trial{}
	}
	defer os.RemoveAll(home)
	dir, trace := filepath.Join(home, "workspace"), filepath.Join(home, "trace")
	if err := s.copyTo(dir); err != nil {
		t.Error(err)
		return trial{}
	}
	options := []string{"-e", "trace=" + p.name, "-e", p.inject()}
	if !p.onMain {
		options = append(options, "-f")
	}
	code, said := s.strace(dir, trace, options)
	result := trial{code: code}
	isMute := false // the fault came upon the message too
	isStruck, before := false, map[string]int{}
	for _, line := range readTrace(t, trace) {
		what := line.what(dir)
		before[what]++
		isSignalled := p.fault == interrupt && line.n == p.n || p.fault == kill && line.n == p.n && line.ended
		if !line.injected && !isSignalled {
			continue
		}
		if !isStruck && strings.Contains(line.text, dir) {
			result.hit = fmt.Sprintf("%s at %s, time %d", p.fault, what, before[what])
		}
		isStruck, isMute = true, isMute || strings.HasPrefix(line.text, "2<")
	}
	result.outcome = s.judge(dir, code, said)
	if isMute && said == "" {
		result.untold = ""
	}
	return result
}

// inject is the point as strace takes it. A full disk stays full, but for
// writing, where the program could no longer say so on standard error.
func (p point) inject() string {
	switch {
	case p.fault == kill || p.fault == interrupt:
		return fmt.Sprintf("inject=%s:signal=%s:when=%d", p.name, p.fault, p.n)
	case p.fault == "ENOSPC" && p.name != "write":
		return fmt.Sprintf("inject=%s:error=ENOSPC:when=%d+", p.name, p.n)
	}
	return fmt.Sprintf("inject=%s:error=%s:when=%d", p.name, p.fault, p.n)
}

// A traced line is one call.
type traced struct {
	thread   string
	name     string
	text     string
	n        int
	injected bool
	ended    bool // the call never returned
}

var (
	tracedCall    = regexp.MustCompile(`^(?:(\d+) +)?([a-z]\w*)\((.*)$`)
	tracedResumed = regexp.MustCompile(`^(?:(\d+) +)?<\.\.\. (\w+) resumed>(.*)$`)
	tracedResult  = regexp.MustCompile(`\)? += .*$|<unfinished \.\.\.>$`)
	tracedNumber  = regexp.MustCompile(`\b\d+<|-\d{5,}\b`)
	tracedName    = regexp.MustCompile(`<([^>]*)>|"([^"]*)"`)
)

func readTrace(t *testing.T, path string) []*traced {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Error(err)
	}
	var lines []*traced
	counts, open := map[string]int{}, map[string]*traced{}
	for raw := range strings.Lines(string(text)) {
		raw = strings.TrimSpace(raw)
		if parts := tracedResumed.FindStringSubmatch(raw); parts != nil {
			if begun := open[parts[1]]; begun != nil {
				begun.injected, begun.ended = strings.Contains(parts[3], "(INJECTED)"), strings.HasSuffix(parts[3], "= ?")
				begun.text = tracedResult.ReplaceAllString(begun.text, "") + parts[3]
			}
			continue
		}
		parts := tracedCall.FindStringSubmatch(raw)
		if parts == nil {
			continue // a signal, or the end of a thread
		}
		counts[parts[1]+parts[2]]++
		line := &traced{thread: parts[1], name: parts[2], text: parts[3], n: counts[parts[1]+parts[2]], injected: strings.Contains(raw, "(INJECTED)")}
		line.ended = strings.HasSuffix(raw, "= ?") || strings.HasSuffix(raw, "<unfinished ...>")
		if open[parts[1]] = nil; line.ended {
			open[parts[1]] = line
		}
		lines = append(lines, line)
	}
	return lines
}

// what is the call and its arguments, without what differs from run to run.
func (l *traced) what(dir string) string {
	text := strings.ReplaceAll(tracedResult.ReplaceAllString(l.text, ""), dir, "")
	return l.name + "(" + tracedNumber.ReplaceAllStringFunc(text, func(number string) string {
		return strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' {
				return -1
			}
			return r
		}, number)
	}) + ")"
}

// path is the last file of the workspace that the call names.
func (l *traced) path(dir string) string {
	path := ""
	for _, name := range tracedName.FindAllStringSubmatch(tracedResult.ReplaceAllString(l.text, ""), -1) {
		switch {
		case strings.HasPrefix(name[1], dir):
			path = name[1]
		case strings.HasPrefix(name[2], dir):
			path = name[2]
		case name[2] != "" && path != "":
			path = filepath.Join(path, name[2])
		}
	}
	return path
}

// A score adds up trials.
type score struct {
	mu                       sync.Mutex
	seen                     map[string]bool
	points                   map[string]map[string]int // by call, then by fault
	runs, again, elsewhere   int
	old, new, toldBeside     int
	torn, untold, nextFailed int
}

func (s *score) add(t *testing.T, p point, result trial) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, fault := range result.faults() {
		t.Errorf("%+v, %s: exit code %d: %s", p, result.hit, result.code, fault)
	}
	count := func(n *int, is bool) {
		if is {
			*n++
		}
	}
	count(&s.torn, result.torn != "")
	count(&s.untold, result.untold != "")
	count(&s.nextFailed, result.nextFailed != "")
	if s.runs++; s.runs%100 == 0 {
		t.Logf("%d runs, %d points: torn %d, wrong exit code or message %d, next run failed %d", s.runs, len(s.seen), s.torn, s.untold, s.nextFailed)
	}
	switch {
	case result.hit == "":
		s.elsewhere++
		return
	case s.seen[result.hit]:
		s.again++
		return
	}
	s.seen[result.hit] = true
	count(&s.new, result.isNew)
	count(&s.old, !result.isNew)
	count(&s.toldBeside, result.isNew && result.code != exitDone && result.code != killed)
	if s.points == nil {
		s.points = map[string]map[string]int{}
	}
	if s.points[p.name] == nil {
		s.points[p.name] = map[string]int{}
	}
	s.points[p.name][p.fault]++
}

func (s *score) String() string {
	var text strings.Builder
	faults := []string{kill, interrupt, "ENOSPC", "EIO", "EACCES"}
	out := tabwriter.NewWriter(&text, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(out, "\n\t%s\t\n", strings.Join(faults, "\t"))
	for _, name := range slices.Sorted(maps.Keys(s.points)) {
		fmt.Fprint(out, name)
		for _, fault := range faults {
			fmt.Fprint(out, "\t"+strconv.Itoa(s.points[name][fault]))
		}
		fmt.Fprintln(out, "\t")
	}
	out.Flush()
	fmt.Fprintf(&text, "%d points in %d runs (%d hit a point again, %d hit nothing of the workspace)\n", len(s.seen), s.runs, s.again, s.elsewhere)
	fmt.Fprintf(&text, "readers see the old snapshot after %d, the new one after %d (%d of them beside an error that says so)\n", s.old, s.new, s.toldBeside)
	fmt.Fprintf(&text, "torn %d, wrong exit code or message %d, next run failed %d", s.torn, s.untold, s.nextFailed)
	return text.String()
}
