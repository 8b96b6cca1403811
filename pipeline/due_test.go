package pipeline

import (
	"testing"

	"ltcles/pipeline/civil"
	"ltcles/pipeline/contract"
)

func TestWhatIsAtStake(t *testing.T) {
	t.Parallel()
	c, err := contract.Load("", "2026-27")
	if err != nil {
		t.Fatal(err)
	}
	p := position{target: 100, counted: 70, withoutSegment: 5, late: 3, unproven: 2, rejectedClaims: 4}
	for asAt, want := range map[string]int64{"2026-07-02": 30, "2027-03-31": 30, "2027-04-01": 9, "2027-04-10": 9, "2027-04-11": 5} {
		if _, count := stakeOf(c, civilDate(t, asAt)); count(p) != want {
			t.Errorf("as at %s: %d at stake; expected %d", asAt, count(p), want)
		}
	}
	over := position{target: 100, counted: 130}
	if _, count := stakeOf(c, civilDate(t, "2026-07-02")); count(over) != 0 {
		t.Errorf("%d at stake above the target; expected 0", count(over))
	}
}

func civilDate(t *testing.T, text string) civil.Date {
	t.Helper()
	date, err := civil.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return date
}
