package pipeline

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/gofrs/flock"

	"ltcles/pipeline/config"
)

// The lock is the operating system's on one file and goes with the process that
// holds it, however that ends. Who holds it is said beside it, for whoever has to
// wait; what a killed process said there is overwritten by the next.
const (
	lockFile   = "lock"
	holderFile = "holder.json"
)

// A holder is who works on a workspace.
type holder struct {
	Command string `json:"command"`
	Period  string `json:"period"`
	Process int    `json:"process"`
	Host    string `json:"host"`
}

// lock makes sure that one run at a time works on a workspace.
func lock(cfg Config) (release func(), err error) {
	private := cfg.Workspace.Private()
	if err := os.MkdirAll(private, 0o700); err != nil {
		return nil, fmt.Errorf("lock workspace: %w", err)
	}
	held := flock.New(filepath.Join(private, lockFile))
	locked, err := held.TryLock()
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.ENOLCK) {
		return nil, &config.Problem{File: held.Path(), Found: "the file system cannot lock it: " + err.Error(), Expected: "one that can",
			Fix: "keep the workspace on a local disk, or on a share that is mounted with locking"}
	}
	if err != nil {
		return nil, fmt.Errorf("lock workspace: %w", err)
	}
	host, _ := os.Hostname() // a host without a name is still a holder
	sign := filepath.Join(private, holderFile)
	if !locked {
		return nil, atWork(cfg.Workspace.Dir, sign, host)
	}
	release = func() {
		os.Remove(sign)   // before the next run writes its own
		_ = held.Unlock() // the lock goes with the process at the latest
	}
	text, err := json.Marshal(holder{Command: cfg.Command, Period: cfg.Period.String(), Process: os.Getpid(), Host: host})
	if err == nil {
		err = os.WriteFile(sign, append(text, '\n'), 0o600)
	}
	if err != nil {
		release()
		return nil, fmt.Errorf("lock workspace: %w", err)
	}
	return release, nil
}

// atWork says who holds the lock, since when, and what ends that. Between taking
// the lock and saying so nobody is named.
func atWork(dir, sign, here string) *config.Problem {
	problem := &config.Problem{File: dir, Found: "another run is at work here", Expected: "one run at a time", Fix: "wait until it has ended"}
	var by holder
	text, err := os.ReadFile(sign)
	if err != nil || json.Unmarshal(text, &by) != nil {
		return problem
	}
	info, err := os.Stat(sign)
	if err != nil {
		return problem
	}
	command := strings.Join(strings.Fields("ltcles "+by.Command), " ")
	if by.Period != "" {
		command += " --period " + by.Period
	}
	problem.Found += fmt.Sprintf(": %s, process %d on %s, since %s", command, by.Process, by.Host, info.ModTime().Format("2006-01-02 15:04:05"))
	problem.Fix += fmt.Sprintf(", or end process %d: the lock goes with it", by.Process)
	if by.Host != here {
		problem.Fix += fmt.Sprintf("; only if %s is down for good, remove %s", by.Host, filepath.Join(filepath.Dir(sign), lockFile))
	}
	return problem
}
