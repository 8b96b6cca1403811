package contract

import (
	"cmp"
	"slices"

	"ltcles/pipeline/civil"
)

// DueDate is a day, a week or a month on which something is due.
type DueDate struct {
	When      string `json:"when"` // yyyy-MM-dd, or yyyy-MM
	What      string `json:"what"`
	IsAssumed bool   `json:"is_assumed"` // no source states it for this year; to be confirmed

	first civil.Date
	last  civil.Date
}

// Text is when it is due as people write it: 10 April 2027, Week of 11 May 2027, June 2027.
func (d DueDate) Text() string {
	switch {
	case len(d.When) == len("2027-06"):
		return d.first.Time().Format("January 2006")
	case d.last > d.first:
		return d.first.Time().Format("Week of 2 January 2006")
	}
	return d.first.Time().Format("2 January 2006")
}

// Calendar lists the dates of the contract year that are not past on the day as-at, in order.
// A week or a month is past when its last day is.
func (c *Contract) Calendar(asAt civil.Date) []DueDate {
	day := func(date civil.Date, key, what string) DueDate {
		return DueDate{When: date.String(), What: what, IsAssumed: c.IsAssumed(key), first: date, last: date}
	}
	panel := day(c.PanelWeek, "panel_week", "week in which the panel sits")
	panel.last += 6
	month := day(c.ReconciliationMonth, "reconciliation_month", "payment or recoupment of the balance")
	if !c.ReconciliationMonth.IsNone() {
		month.When = month.When[:len("2027-06")]
		month.last = civil.FromTime(c.ReconciliationMonth.Time().AddDate(0, 1, -1))
	}
	dates := []DueDate{
		day(c.Year.End(), "", "last day of the year's activity"),
		day(c.CodingDeadline, "coding_deadline", "coding deadline"),
		day(c.LetterDate, "letter_date", "end-of-year letters to practices"),
		day(c.MitigationOpens, "mitigation_opens", "mitigation window opens"),
		day(c.MitigationCloses, "mitigation_closes", "mitigation window closes"),
		panel,
		day(c.DecisionDate, "decision_date", "decisions on mitigation"),
		month,
	}
	dates = slices.DeleteFunc(dates, func(d DueDate) bool { return d.first.IsNone() || d.last < asAt })
	slices.SortStableFunc(dates, func(a, b DueDate) int { return cmp.Compare(a.first, b.first) })
	return dates
}
