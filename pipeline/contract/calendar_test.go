package contract

import (
	"strings"
	"testing"

	"ltcles/pipeline/civil"
)

func TestCalendar(t *testing.T) {
	t.Parallel()
	c, err := Load("", "2026-27")
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
		on, err := civil.Parse(asAt)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, date := range c.Calendar(on) {
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

func TestDueDateText(t *testing.T) {
	t.Parallel()
	c, err := Load("", "2026-27")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, date := range c.Calendar(c.Year.Start()) {
		got = append(got, date.Text())
	}
	want := "31 March 2027, 10 April 2027, 30 April 2027, 30 April 2027, 8 May 2027, Week of 11 May 2027, 29 May 2027, June 2027"
	if strings.Join(got, ", ") != want {
		t.Errorf("got %q", got)
	}
}
