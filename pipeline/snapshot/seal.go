package snapshot

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
)

// seal is the SHA-256 of what a freeze made final: what went in, what was decided by hand, and
// the period's tables. Every later snapshot carries it (R20), so that neither the snapshot that
// froze nor a later one can be exchanged alone.
func (m Manifest) seal() string {
	m = m.arranged()
	parts := []string{m.Period, m.RunID, m.Program, m.KeyID, m.AsAt.String()}
	if m.Freeze != nil {
		for _, missing := range m.Freeze.Missing {
			parts = append(parts, "missing", missing.Practice, missing.Reason)
		}
	}
	for _, accepted := range m.Accepted {
		parts = append(parts, "accepted", accepted.File, accepted.Reason)
	}
	for _, reference := range m.Reference {
		parts = append(parts, "reference", reference.File, reference.SHA256)
	}
	for _, input := range m.Inputs {
		parts = append(parts, "input", input.File, input.SHA256, input.Status, fmt.Sprint(input.Accepted))
	}
	for _, evidence := range m.Evidence {
		parts = append(parts, "evidence", evidence.Use, evidence.SHA256)
	}
	for _, file := range m.Files {
		if file.Period == m.Period {
			parts = append(parts, "file", file.Name, file.SHA256)
		}
	}
	hash := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(hash, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// Breaches says where the current snapshot holds a year end otherwise than a snapshot froze it;
// none where every frozen year stands as it was made final.
func Breaches(current *Snapshot, all []*Snapshot) []string {
	frozen := frozenYears{}
	for _, snapshot := range all {
		frozen.take(snapshot.Name, snapshot.Manifest)
	}
	return append(frozen.missingFrom(current.Manifest), frozen.breaches(current.Manifest)...)
}

// frozenYears are the year ends that snapshots froze, by period. There is one for each period,
// unless someone has made a second by hand.
type frozenYears map[string][]frozenYear

type frozenYear struct {
	snapshot string
	manifest Manifest
}

// take notes a snapshot that froze its period.
func (f frozenYears) take(snapshot string, m Manifest) {
	if m.Freeze != nil {
		f[m.Period] = append(f[m.Period], frozenYear{snapshot, m})
	}
}

// missingFrom says which frozen year ends the current snapshot does not hold.
func (f frozenYears) missingFrom(current Manifest) (missing []string) {
	for _, period := range slices.Sorted(maps.Keys(f)) {
		for _, frozen := range f[period] {
			isHeld := slices.ContainsFunc(current.Periods, func(p PublishedPeriod) bool {
				return p.Period == period && p.RunID == frozen.manifest.RunID
			})
			if !isHeld {
				missing = append(missing, fmt.Sprintf("lacks period %s as snapshot %s froze it; make %s lead to a snapshot that holds it", period, frozen.snapshot, currentName))
			}
		}
	}
	return missing
}

// breaches says where a snapshot that holds a frozen year end holds it otherwise than it was
// frozen.
func (f frozenYears) breaches(m Manifest) (breaches []string) {
	breach := func(format string, args ...any) { breaches = append(breaches, fmt.Sprintf(format, args...)) }
	for _, period := range m.Periods {
		at := slices.IndexFunc(f[period.Period], func(y frozenYear) bool { return y.manifest.RunID == period.RunID })
		if at < 0 {
			if period.Status == Final {
				breach("has period %s as run %s froze it, and no snapshot of that run is there; restore that from a backup", period.Period, period.RunID)
			}
			continue
		}
		frozen := f[period.Period][at]
		if period.Status != Final {
			breach("has period %s as %s; expected final, as snapshot %s froze it; restore it from a backup", period.Period, period.Status, frozen.snapshot)
		} else if seal := frozen.manifest.seal(); period.Seal != seal {
			breach("has period %s under seal %s; expected %s, that of snapshot %s; restore both from a backup", period.Period, period.Seal, seal, frozen.snapshot)
		}
		sums := map[string]string{}
		for _, file := range frozen.manifest.Files {
			sums[file.Name] = file.SHA256
		}
		for _, file := range m.Files {
			if file.Period == period.Period && file.SHA256 != sums[file.Name] {
				breach("has %s with SHA-256 %s; expected %s, as snapshot %s froze it; restore it from there", file.Name, file.SHA256, sums[file.Name], frozen.snapshot)
			}
		}
	}
	return breaches
}
