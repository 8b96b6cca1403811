package pipeline

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ltcles/pipeline/config"
	"ltcles/pipeline/contract"
	"ltcles/pipeline/workspace"
)

func TestLock(t *testing.T) {
	period, err := contract.ParsePeriod("2026-06")
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{Workspace: &workspace.Workspace{Dir: t.TempDir()}, Period: period, Command: "check"}
	private := cfg.Workspace.Private()
	sign := filepath.Join(private, "holder.json")
	refused := func() string {
		t.Helper()
		_, err := lock(cfg)
		problem := new(config.Problem)
		if !errors.As(err, &problem) || strings.Contains(err.Error(), "\n") {
			t.Fatalf("a second lock: %v", err)
		}
		return strings.TrimPrefix(err.Error(), cfg.Workspace.Dir+": another run is at work here")
	}
	if err := os.Mkdir(private, 0o700); err != nil {
		t.Fatal(err)
	}
	// What a killed run said of itself is of no account.
	if err := os.WriteFile(sign, []byte(`{"command": "run", "process": 1, "host": "gone", "period": "2026-05"} and more`), 0o600); err != nil {
		t.Fatal(err)
	}
	release, err := lock(cfg)
	if err != nil {
		t.Fatal(err)
	}
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := refused(), fmt.Sprintf(": ltcles check --period 2026-06, process %d on %s, since 20", os.Getpid(), host); !strings.HasPrefix(got, want) {
		t.Errorf("the second is told %q; want %q", got, want)
	}
	// From another machine, which may have gone down with the lock.
	if err := os.WriteFile(sign, []byte(`{"command": "run", "period": "2026-05", "process": 7, "host": "elsewhere"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	fix := "; expected one run at a time; wait until it has ended, or end process 7: the lock goes with it; only if elsewhere is down for good, remove " + filepath.Join(private, "lock")
	if got := refused(); !strings.HasPrefix(got, ": ltcles run --period 2026-05, process 7 on elsewhere, since 20") || !strings.HasSuffix(got, fix) {
		t.Errorf("the second is told %q; want %q at its end", got, fix)
	}
	// Before the first has said who it is.
	if err := os.Remove(sign); err != nil {
		t.Fatal(err)
	}
	if got := refused(); got != "; expected one run at a time; wait until it has ended" {
		t.Errorf("the second is told %q", got)
	}
	release()
	release, err = lock(cfg)
	if err != nil {
		t.Fatalf("after the first has ended: %v", err)
	}
	release()
	if _, err := os.Stat(sign); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is there after the run: %v", sign, err)
	}
}
