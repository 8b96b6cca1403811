package mdt

import (
	"encoding/json"
	"fmt"
	"testing"

	"ltcles/pipeline/published"
)

func practice(code, place, state string, activity ...published.MDTActivity) *published.Practice {
	p := &published.Practice{Code: code, Coverage: published.Coverage{State: state}, MDT: activity}
	if place != "" {
		p.Place = &place
	}
	return p
}

func TestFill(t *testing.T) {
	one := func(quarter, patients, events int64) published.MDTActivity {
		return published.MDTActivity{Quarter: quarter, Code: "1", Patients: patients, Events: events}
	}
	a := &Activity{Codes: []Code{{Code: "1"}}, Quarters: []int64{1, 2}}
	a.fill([]*published.Practice{
		practice("P1", "", "supplied", one(1, 1, 1)),
		practice("P2", "North", "supplied", one(1, 10, 20), one(2, 3, 4)),
		practice("P3", "East", "missing"),
		practice("P4", "North", "missing"),
		practice("P5", "North", "supplied"),
		practice("P6", "North", "supplied", one(1, 100, 200), one(3, 9, 9)), // a quarter that has not begun has no column
	})
	var got []string
	for _, r := range a.Rows {
		got = append(got, fmt.Sprintf("%s %q Q%d %s", r.Practice, r.Place, r.Quarter, text(t, r.Figures)))
	}
	want := []string{
		`P3 "East" Q1 null null`, `P3 "East" Q2 null null`,
		`P2 "North" Q1 10 20`, `P2 "North" Q2 3 4`,
		`P4 "North" Q1 null null`, `P4 "North" Q2 null null`,
		`P5 "North" Q1 0 0`, `P5 "North" Q2 0 0`,
		`P6 "North" Q1 100 200`, `P6 "North" Q2 0 0`,
		`P1 "" Q1 1 1`, `P1 "" Q2 0 0`,
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("rows are\n%q\nexpected\n%q", got, want)
	}
	got = nil
	for _, total := range a.Totals {
		got = append(got, fmt.Sprintf("%q %v Q%d %d-%d %s", total.Place, total.All, total.Quarter, total.Practices, total.Missing, text(t, total.Figures)))
	}
	want = []string{
		`"East" false Q1 1-1 null null`, `"East" false Q2 1-1 null null`,
		`"North" false Q1 4-1 110 220`, `"North" false Q2 4-1 3 4`,
		`"" false Q1 1-0 1 1`, `"" false Q2 1-0 0 0`,
		`"" true Q1 6-2 111 221`, `"" true Q2 6-2 3 4`,
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("totals are\n%q\nexpected\n%q", got, want)
	}
}

func text(t *testing.T, f Figures) string {
	t.Helper()
	patients, err := json.Marshal(f.Patients)
	if err != nil {
		t.Fatal(err)
	}
	events, err := json.Marshal(f.Events)
	if err != nil {
		t.Fatal(err)
	}
	return string(patients) + " " + string(events)
}
