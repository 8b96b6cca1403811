package pipeline

import (
	"strings"
	"testing"

	"ltcles/pipeline/civil"
	"ltcles/pipeline/contract"
)

func TestDueDates(t *testing.T) {
	t.Parallel()
	c, err := contract.Load("", "2026-27")
	if err != nil {
		t.Fatal(err)
	}
	all := []string{
		"2027-03-31 last day of the year's activity",
		"2027-04-10 coding deadline?",
		"2027-04-30 end-of-year letters to practices?",
		"2027-04-30 mitigation window opens?",
		"2027-05-08 mitigation window closes?",
		"2027-05-11 week in which the panel sits?",
		"2027-05-29 decisions on mitigation?",
		"2027-06 payment or recoupment of the balance",
	}
	for asAt, past := range map[string]int{
		"2026-07-02": 0, "2027-03-31": 0, "2027-04-01": 1, "2027-04-10": 1, "2027-04-11": 2, "2027-05-01": 4,
		"2027-05-17": 5, "2027-05-18": 6, "2027-06-30": 7, "2027-07-01": 8,
	} {
		var got []string
		for _, date := range dueDates(c, civilDate(t, asAt)) {
			line := date.When + " " + date.What
			if date.IsAssumed {
				line += "?"
			}
			got = append(got, line)
		}
		if want := all[past:]; strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("as at %s:\n%s\nexpected:\n%s", asAt, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

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

func TestAWeek(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		n, daysLeft int64
		want        float64
	}{{10, 70, 1}, {10, 69, 1.1}, {1, 365, 0.1}, {0, 7, 0}, {3, 1, 21}, {390, 273, 10}} {
		if got := aWeek(tt.n, tt.daysLeft); got == nil || *got != tt.want {
			t.Errorf("%d in %d days: %v a week; expected %v", tt.n, tt.daysLeft, got, tt.want)
		}
	}
	if got := aWeek(10, 0); got != nil {
		t.Errorf("with no day left: %v a week; expected none", *got)
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
