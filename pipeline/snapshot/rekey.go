package snapshot

import (
	"slices"

	"ltcles/pipeline/civil"
)

// Rekey is what a snapshot says that put periods under another pseudonym key: the keys, and the
// runs that computed those periods again, but for the manifest's own.
type Rekey struct {
	KeyID  string   `json:"key_id"`
	Former string   `json:"former_key_id"`
	Runs   []Record `json:"runs"`
}

// Record is what a manifest says of a run.
type Record struct {
	RunID        string      `json:"run_id"`
	Program      string      `json:"program"`
	ContractYear string      `json:"contract_year"`
	Period       string      `json:"period"`
	AsAt         civil.Date  `json:"as_at"`
	CutOff       civil.Date  `json:"cut_off"`
	KeyID        string      `json:"key_id"`
	Accepted     []Accepted  `json:"accepted"`
	Reference    []Reference `json:"reference"`
	Inputs       []Input     `json:"inputs"`
	Evidence     []Evidence  `json:"evidence"`
}

// WorkspaceKey is the id of the key that the next run has to have.
func (m Manifest) WorkspaceKey() string {
	if m.Rekey != nil {
		return m.Rekey.KeyID
	}
	return m.KeyID
}

// Records are of the runs that the snapshot was made by, its own first.
func (m Manifest) Records() []Record {
	records := []Record{m.Record()}
	if m.Rekey != nil {
		records = append(records, m.Rekey.Runs...)
	}
	return records
}

// Record is of the manifest's own run.
func (m Manifest) Record() Record {
	return Record{
		RunID: m.RunID, Program: m.Program, ContractYear: m.ContractYear, Period: m.Period, AsAt: m.AsAt, CutOff: m.CutOff, KeyID: m.KeyID,
		Accepted: m.Accepted, Reference: m.Reference, Inputs: m.Inputs, Evidence: m.Evidence,
	}
}

// Of is the manifest with another run for its own.
func (m Manifest) Of(r Record) Manifest {
	if r.RunID != m.RunID {
		m.Freeze = nil
	}
	m.RunID, m.Program, m.ContractYear, m.Period, m.AsAt, m.CutOff, m.KeyID = r.RunID, r.Program, r.ContractYear, r.Period, r.AsAt, r.CutOff, r.KeyID
	m.Accepted, m.Reference, m.Inputs, m.Evidence = r.Accepted, r.Reference, r.Inputs, r.Evidence
	return m
}

// As is the snapshot as one of its runs published it; nil where the run is none of them.
func (s *Snapshot) As(runID string) *Snapshot {
	if s.Manifest.RunID == runID {
		return s
	}
	for _, record := range s.Manifest.Records() {
		if record.RunID == runID {
			return &Snapshot{Name: s.Name, Dir: s.Dir, Manifest: s.Manifest.Of(record)}
		}
	}
	return nil
}

// arranged has its lists in order.
func (r Rekey) arranged() *Rekey {
	r.Runs = sorted(r.Runs, func(a, b Record) int { return comparePeriods(a.ContractYear, a.Period, b.ContractYear, b.Period) })
	for i, record := range r.Runs {
		r.Runs[i] = Manifest{}.Of(record).arranged().Record()
	}
	return &r
}

// rekeyFaults says where a change of key contradicts the periods.
func (m Manifest) rekeyFaults(fault func(format string, args ...any)) {
	if m.Rekey == nil {
		return
	}
	if m.Rekey.KeyID == "" || m.Rekey.KeyID == m.Rekey.Former {
		fault("the change of key is from %q to %q; expected two keys", m.Rekey.Former, m.Rekey.KeyID)
	}
	for _, r := range m.Rekey.Runs {
		isHeld := slices.ContainsFunc(m.Periods, func(p PublishedPeriod) bool {
			return p.Period == r.Period && p.RunID == r.RunID && p.KeyID == r.KeyID && p.AsAt == r.AsAt && p.Status == Provisional
		})
		if !isHeld || r.KeyID != m.Rekey.KeyID {
			fault("run %s of %s under key %s is none of its periods under the new key %s", r.RunID, r.Period, r.KeyID, m.Rekey.KeyID)
		}
	}
}
