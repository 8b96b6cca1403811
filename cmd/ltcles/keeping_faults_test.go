//go:build faults && linux

package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ltcles/pipeline/pseudonym"
	"ltcles/pipeline/snapshot"
	"ltcles/pipeline/workspace"
)

// some are at most so many points, half of them at the renames and links by which a command
// makes things visible, where there are as many.
func some(points []point, most int) []point {
	isStep := func(p point) bool { return slices.Contains([]string{"renameat", "symlinkat"}, p.name) }
	steps := slices.DeleteFunc(slices.Clone(points), func(p point) bool { return !isStep(p) })
	others := slices.DeleteFunc(slices.Clone(points), isStep)
	steps = steps[:min(len(steps), max(most/2, most-len(others)))]
	return append(steps, others[:min(len(others), most-len(steps))]...)
}

func mostOf(t *testing.T, short, full int) int {
	if of := shareOf(t); of.changing > 1 {
		return short
	}
	return full
}

// TestFaultsOfFreeze kills and fails a freeze at its calls: what is published is the
// year end as it was, or final, and freezing it again is done.
func TestFaultsOfFreeze(t *testing.T) {
	s := &site{template: yearEnd(t), command: "freeze", period: "2025-26"}
	s.settle(t)
	trial := s.stoppable()
	trial.tryAll(t, some(shuffled(plan(trial.calls(t), share{1, 8})), mostOf(t, 12, 300)))
}

// TestFaultsOfRekey kills and fails a rekey at its calls: what is published is under a
// key that is there, no former key is gone, and a run and a rekey go on from there.
func TestFaultsOfRekey(t *testing.T) {
	s := newKeySite(t)
	trial := stoppable{s.copyTo, func(dir string) []string { return []string{"rekey", "--workspace", dir, "--threads", "1", "--quiet"} }, s.judge}
	trial.tryAll(t, some(shuffled(plan(trial.calls(t), share{1, 8})), mostOf(t, 16, 300)))
}

// TestFaultsOfPurge kills and fails a purge at its calls: nothing that was to stay is
// lost, what was to go is whole or gone, and purging again is done.
func TestFaultsOfPurge(t *testing.T) {
	s := newPurgeSite(t)
	trial := stoppable{s.copyTo, s.arguments, s.judge}
	trial.tryAll(t, some(shuffled(plan(trial.calls(t), share{1, 8})), mostOf(t, 12, 300)))
}

// yearEnd is a workspace with a published year end that is fit to be final.
func yearEnd(t *testing.T) string {
	t.Helper()
	dir := emptyWorkspace(t)
	put(t, dir, "ltcles.yaml", settings+"reconciliation_basis: domain_2\n")
	put(t, dir, "inbox/2025-26/last.csv", exported+"Y90001,9990079196,11,01-Jan-2000,756261000000100,02-Jun-2025,02-Jun-2025\n")
	done(t, "run", "--workspace", dir, "--period", "2025-26", "--as-at", "2026-04-11", "--quiet")
	return dir
}

const exported = "Organisation Code,NHS Number,EMIS Number,Registered Date,Code,Date,Date Recorded\n"

func emptyWorkspace(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "workspace")
	if err := workspace.Init(dir); err != nil {
		t.Fatal(err)
	}
	put(t, dir, "ltcles.yaml", settings)
	put(t, dir, "reference/practices.csv", practices)
	put(t, dir, "reference/places.csv", places)
	return dir
}

func put(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func done(t *testing.T, arguments ...string) {
	t.Helper()
	if failed := fails(arguments...); failed != "" {
		t.Fatal(failed)
	}
}

// fails says how a command fails, if it does.
func fails(arguments ...string) string {
	var stderr bytes.Buffer
	cmd := exec.Command("ltcles", arguments...)
	cmd.Stderr = &stderr
	if code := codeOf(cmd.Run()); code != exitDone {
		return fmt.Sprintf("%s ends with %d: %s", arguments[0], code, &stderr)
	}
	return ""
}

// A keySite is a workspace with a final year end, which keeps its key, and a month that
// is to be put under another.
type keySite struct {
	site
	key string // its id
}

func newKeySite(t *testing.T) *keySite {
	t.Helper()
	s := &keySite{site: site{template: yearEnd(t), period: "2026-05"}}
	done(t, "freeze", "--workspace", s.template, "--period", "2025-26", "--quiet")
	put(t, s.template, "inbox/2026-05/claims.csv", exported+"Y90001,9990079196,11,01-Jan-2000,756261000000100,02-May-2026,02-May-2026\n")
	done(t, "run", "--workspace", s.template, "--period", s.period, "--as-at", "2026-06-02", "--quiet")
	s.old = shown(s.template)
	key, err := pseudonym.Load(s.keyFile(s.template))
	if err != nil {
		t.Fatal(err)
	}
	s.key = key.ID()
	return s
}

func (s *keySite) keyFile(dir string) string { return filepath.Join(dir, "secrets", "pseudonym.key") }

func (s *keySite) judge(dir string, code int, said string) outcome {
	now := shown(dir)
	o := outcome{isNew: now != s.old, torn: s.torn(dir, false)}
	saysNew := strings.Contains(said, now+" is published all the same")
	switch {
	case code == killed:
	case code == exitDone && !o.isNew:
		o.untold = "exit code 0, and readers see the old snapshot"
	case code == exitDone:
		o.untold = s.torn(dir, true)
	case o.isNew != saysNew, o.isNew && strings.Contains(said, "nothing was published"):
		o.untold = fmt.Sprintf("exit code %d, new snapshot %t: %q", code, o.isNew, said)
	case said == "":
		o.untold = fmt.Sprintf("exit code %d without a message", code)
	}
	o.nextFailed = s.goesOn(dir)
	return o
}

// torn says what is wrong with what is published, or with the keys. Once a command went
// on from there, or rekey ended well, the workspace's key is the published one.
func (s *keySite) torn(dir string, isSettled bool) string {
	store := snapshot.Store{Dir: filepath.Join(dir, "published")}
	problems, err := store.Verify()
	if err != nil || len(problems) > 0 {
		return fmt.Sprintf("%v: %q", err, problems)
	}
	current, err := store.Current()
	if err != nil {
		return err.Error()
	}
	file := s.keyFile(dir)
	key, err := pseudonym.Load(file)
	if err != nil {
		return err.Error()
	}
	if former, err := pseudonym.Former(file, s.key); key.ID() != s.key && (err != nil || former == nil) {
		return fmt.Sprintf("the former key %s is gone: %v", s.key, err)
	}
	if want := current.Manifest.WorkspaceKey(); key.ID() != want {
		next, err := pseudonym.Load(pseudonym.NextFile(file))
		if isSettled || err != nil || next.ID() != want {
			return fmt.Sprintf("published under key %s; the workspace has key %s: %v", want, key.ID(), err)
		}
	}
	return ""
}

// goesOn says why a run of what is published, and then another rekey, do not go on
// from there, if they do not.
func (s *keySite) goesOn(dir string) string {
	before := shown(dir)
	if failed := fails("run", "--workspace", dir, "--period", s.period, "--as-at", "2026-06-02", "--quiet"); failed != "" {
		return "the next " + failed
	}
	if now := shown(dir); now != before {
		return fmt.Sprintf("the next run publishes %s, though %s is published from the same", now, before)
	}
	if torn := s.torn(dir, true); torn != "" {
		return "after the next run: " + torn
	}
	if failed := fails("rekey", "--workspace", dir, "--quiet"); failed != "" {
		return "the next " + failed
	}
	if torn := s.torn(dir, true); torn != "" || shown(dir) == before {
		return fmt.Sprintf("after the next rekey %s is current, and %s was: %s", shown(dir), before, torn)
	}
	for _, name := range slices.Concat(names(filepath.Join(dir, "published")), names(filepath.Join(dir, "published", "snapshots"))) {
		if strings.HasPrefix(name, ".") {
			return "the next rekey leaves " + name
		}
	}
	return ""
}

// A purgeSite is a workspace with snapshots and records of runs that are to go, and
// others that are to stay.
type purgeSite struct {
	site
	goes []string          // folders
	tree map[string]string // what each file is, and where each link leads
}

func newPurgeSite(t *testing.T) *purgeSite {
	t.Helper()
	s := &purgeSite{site: site{template: emptyWorkspace(t)}}
	put(t, s.template, "inbox/2025-06/claims.csv", exported+"Y90001,9990079196,11,01-Jan-2000,756261000000100,02-Jun-2025,02-Jun-2025\n")
	for _, asAt := range []string{"2026-04-11", "2026-04-12", "2026-04-13"} { // after the coding deadline
		done(t, "run", "--workspace", s.template, "--period", "2025-06", "--as-at", asAt, "--quiet")
		if last := shown(s.template); asAt != "2026-04-13" {
			s.goes = append(s.goes, "published/snapshots/"+last, "runs/"+last)
		}
	}
	s.old = shown(s.template)
	var err error
	if s.tree, err = treeOf(s.template); err != nil {
		t.Fatal(err)
	}
	return s
}

// copyTo has the records of runs be as old as the snapshots.
func (s *purgeSite) copyTo(dir string) error {
	if err := s.site.copyTo(dir); err != nil {
		return err
	}
	written := time.Date(2026, time.April, 13, 12, 0, 0, 0, time.Local)
	return filepath.WalkDir(filepath.Join(dir, "runs"), func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chtimes(path, written, written)
	})
}

func (s *purgeSite) arguments(dir string) []string {
	return []string{"purge", "--workspace", dir, "--older-than", "0d", "--yes"}
}

func (s *purgeSite) judge(dir string, code int, said string) outcome {
	left := s.left(dir)
	o := outcome{isNew: left == "", torn: s.torn(dir)}
	switch {
	case code == exitDone:
		o.untold = left
	case code != killed && said == "":
		o.untold = fmt.Sprintf("exit code %d without a message", code)
	}
	if o.nextFailed = fails(s.arguments(dir)...); o.nextFailed == "" {
		o.nextFailed = s.left(dir) + s.torn(dir)
	}
	return o
}

// left says what is there of what was to go.
func (s *purgeSite) left(dir string) string {
	for _, name := range s.goes {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return name + " is still there"
		}
	}
	for _, name := range slices.Concat(names(filepath.Join(dir, "published", "snapshots")), names(filepath.Join(dir, "runs"))) {
		if strings.HasPrefix(name, ".") {
			return name + " is still there"
		}
	}
	return ""
}

// torn says what is lost of what was to stay, or in part of a snapshot that was to go.
func (s *purgeSite) torn(dir string) string {
	problems, err := snapshot.Store{Dir: filepath.Join(dir, "published")}.Verify()
	if err != nil || len(problems) > 0 {
		return fmt.Sprintf("%v: %q", err, problems)
	}
	now, err := treeOf(dir)
	if err != nil {
		return err.Error()
	}
	for name, was := range s.tree {
		at := slices.IndexFunc(s.goes, func(folder string) bool { return strings.HasPrefix(name, folder+"/") })
		if at >= 0 {
			_, err := os.Stat(filepath.Join(dir, s.goes[at]))
			if err != nil || strings.HasPrefix(name, "runs/") { // a record of a run may be gone in part
				continue
			}
		}
		if !strings.HasPrefix(name, ".ltcles/") && now[name] != was {
			return name + " is not as it was"
		}
	}
	return ""
}

// treeOf is what each file below a folder is, and where each link leads.
func treeOf(dir string) (map[string]string, error) {
	tree := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if entry.Type()&fs.ModeSymlink != 0 {
			tree[name], err = os.Readlink(path)
			return err
		}
		text, err := os.ReadFile(path)
		tree[name] = fmt.Sprintf("%x", sha256.Sum256(text))
		return err
	})
	return tree, err
}
