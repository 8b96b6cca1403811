package snapshot

import (
	"strings"
	"testing"
)

// rekeyed is a manifest of two months, of which the first was put under another key by
// a run that is not the manifest's own.
func rekeyed(t *testing.T) Manifest {
	t.Helper()
	may, june := month(t, "2026-27", "2026-05", "2026-06-02"), month(t, "2026-27", "2026-06", "2026-07-02")
	may.RunID, may.KeyID, june.Latest = "run-may-again", "new", true
	m := Manifest{RunID: june.RunID, ContractYear: june.ContractYear, Period: june.Period, AsAt: june.AsAt, KeyID: june.KeyID, Periods: []PublishedPeriod{may, june}}
	m.Rekey = &Rekey{KeyID: "new", Former: june.KeyID, Runs: []Record{{
		RunID: may.RunID, ContractYear: may.ContractYear, Period: may.Period, AsAt: may.AsAt, KeyID: may.KeyID,
		Inputs: []Input{{File: "b.csv"}, {File: "a.csv"}},
	}}}
	return m
}

func TestRekeyInManifest(t *testing.T) {
	m := rekeyed(t)
	if faults := m.faults(); faults != nil {
		t.Fatalf("faults %v", faults)
	}
	if m.WorkspaceKey() != "new" {
		t.Errorf("the workspace's key is %s", m.WorkspaceKey())
	}
	s := &Snapshot{Name: "x", Manifest: m}
	if s.As(m.RunID) != s || s.As("another") != nil {
		t.Error("As does not know its own run from another")
	}
	as := s.As("run-may-again")
	if as == nil || as.Manifest.Period != "2026-05" || as.Manifest.KeyID != "new" || len(as.Manifest.Inputs) != 2 || as.Name != "x" {
		t.Errorf("as May's run published it: %+v", as)
	}
	first, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	inputs := m.Rekey.Runs[0].Inputs
	inputs[0], inputs[1] = inputs[1], inputs[0]
	if second, err := m.Encode(); err != nil || string(first) != string(second) {
		t.Errorf("the order of the inputs is in the bytes: %v", err)
	}
	m.Rekey = nil
	if m.WorkspaceKey() != m.KeyID {
		t.Errorf("without a change of key the workspace's is %s", m.WorkspaceKey())
	}
}

func TestRekeyFaults(t *testing.T) {
	for name, spoil := range map[string]func(m *Manifest){
		"same key":        func(m *Manifest) { m.Rekey.Former = "new" },
		"no key":          func(m *Manifest) { m.Rekey.KeyID, m.Rekey.Runs[0].KeyID = "", "" },
		"another run":     func(m *Manifest) { m.Rekey.Runs[0].RunID = "another" },
		"another key":     func(m *Manifest) { m.Rekey.Runs[0].KeyID = "another" },
		"another as-at":   func(m *Manifest) { m.Rekey.Runs[0].AsAt++ },
		"a period unheld": func(m *Manifest) { m.Rekey.Runs[0].Period = "2026-04" },
	} {
		m := rekeyed(t)
		spoil(&m)
		if faults := strings.Join(m.faults(), "; "); !strings.Contains(faults, "key") {
			t.Errorf("%s: faults %q", name, faults)
		}
	}
}
