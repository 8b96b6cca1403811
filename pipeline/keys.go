package pipeline

import (
	"cmp"
	"database/sql/driver"
	"encoding/hex"
	"fmt"
	"slices"
	"sync"

	"ltcles/pipeline/config"
	"ltcles/pipeline/pseudonym"
)

// checkKey refuses a key other than the workspace's: the same patient would have
// two pseudonyms.
func (r *run) checkKey() error {
	if r.current == nil {
		return nil
	}
	manifest := r.current.Manifest
	if want := manifest.WorkspaceKey(); want != r.key.ID() {
		return &config.Problem{
			File: r.cfg.Workspace.KeyFile(), Found: r.key.String(), Expected: fmt.Sprintf("key %s, under which %s is published", want, r.current.Name),
			Fix: "put the earlier key back (ltcles rekey changes it)",
		}
	}
	return nil
}

// settleWorkspaceKey checks the key, and puts the one in its place that a rekey had
// published under when it was cut off.
func (r *run) settleWorkspaceKey() (err error) {
	if r.isRekeyCutOff() {
		if err := pseudonym.Replace(r.cfg.Workspace.KeyFile()); err != nil {
			return err
		}
		if r.key, err = pseudonym.Load(r.cfg.Workspace.KeyFile()); err != nil {
			return err
		}
		r.keyID = r.key.ID()
	}
	return r.checkKey()
}

// isRekeyCutOff tells whether what is published is under the key that waits to
// replace the workspace's.
func (r *run) isRekeyCutOff() bool {
	if r.current == nil || r.current.Manifest.WorkspaceKey() == r.key.ID() {
		return false
	}
	next, err := pseudonym.Load(pseudonym.NextFile(r.cfg.Workspace.KeyFile()))
	return err == nil && next.ID() == r.current.Manifest.WorkspaceKey()
}

// keyOf is the workspace's key, the one that is to replace it, or a former one that
// is kept; nil where it is none of them.
func (r *run) keyOf(id string) (*pseudonym.Key, error) {
	switch {
	case id == r.key.ID():
		return r.key, nil
	case r.next != nil && id == r.next.ID():
		return r.next, nil
	}
	return pseudonym.Former(r.cfg.Workspace.KeyFile(), id)
}

// canMatch tells whether the patients of what is published under a key can be told
// under the run's. What cannot be consulted for want of a key is in the report.
func (r *run) canMatch(use, keyID string) bool {
	if keyID == r.keyID {
		return true
	}
	// One that cannot be loaded is refused where it is (settleKeys).
	if key, err := r.keyOf(keyID); err != nil || key != nil {
		return true
	}
	without := map[string]string{
		"last_year":        "last year's is not consulted, and who was assessed then is null",
		"previous_period":  "the period before is not consulted, and assessments that are gone since are not looked for",
		"on_time_evidence": "what was published earlier is not consulted, and a claim that it alone would prove is unproven",
	}[use]
	line := fmt.Sprintf("key %s is not at %s: %s", keyID, pseudonym.FormerFile(r.cfg.Workspace.KeyFile(), keyID), without)
	if !slices.Contains(r.report.Unmatched, line) {
		r.report.Unmatched = append(r.report.Unmatched, line)
	}
	return false
}

// settleKeys loads the key that the run is under, and those of its evidence.
func (r *run) settleKeys() error {
	key, err := r.keyOf(r.keyID)
	if err != nil {
		return err
	}
	if key == nil {
		return &config.Problem{File: pseudonym.FormerFile(r.cfg.Workspace.KeyFile(), r.keyID), Found: "no key file",
			Expected: fmt.Sprintf("key %s, under which %s is published", r.keyID, r.cfg.Period), Fix: "restore it from its backup"}
	}
	for _, e := range r.evidence {
		isLoaded := slices.ContainsFunc(r.formers, func(f *formerKey) bool { return f.key.ID() == e.period.KeyID })
		if e.period.KeyID == r.keyID || isLoaded {
			continue
		}
		former, err := r.keyOf(e.period.KeyID)
		if err != nil {
			return err
		}
		r.formers = append(r.formers, &formerKey{key: former, now: map[sum]sum{}})
	}
	r.key = key
	return nil
}

type sum [32]byte // a pseudonym

// formerKey is a key that evidence is published under, and the pseudonyms of the
// identities that were met: under it, and under the run's key.
type formerKey struct {
	key *pseudonym.Key

	mu  sync.Mutex
	now map[sum]sum
}

type formerKeyer struct {
	*formerKey
	hasher *pseudonym.Hasher
}

func (f *formerKey) note(was, now []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now[sum(was)] = sum(now)
}

// formerRows are the pseudonyms under former keys, in order.
func (r *run) formerRows() (rows [][]driver.Value) {
	for _, former := range r.formers {
		id, from := former.key.ID(), len(rows)
		for was, now := range former.now {
			rows = append(rows, []driver.Value{id, hex.EncodeToString(was[:]), hex.EncodeToString(now[:])})
		}
		slices.SortFunc(rows[from:], func(a, b []driver.Value) int { return cmp.Compare(a[1].(string), b[1].(string)) })
	}
	return rows
}
