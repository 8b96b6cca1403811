package contract

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"ltcles/pipeline/civil"
)

// Period is what one run reports on: a month (2026-06), the year end of a contract year
// (2026-27), or a supplement to a frozen year end (2026-27-s1, R20). Periods compare with ==.
type Period struct {
	year       Year
	month      int // of the contract year, April 1 to March 12; 13 for the year end
	supplement int // 0 but for a supplement
}

const yearEnd = 13

// ParsePeriod reads a month or a contract year: what a person may ask to run. A text that could
// be either is a month.
func ParsePeriod(text string) (Period, error) {
	var year, month int
	if len(text) == len("2026-06") && text[4] == '-' && number(text[:4], &year) && number(text[5:], &month) &&
		1 <= month && month <= 12 {
		first, _ := civil.Of(year, month, 1)
		if contractYear, err := ParseYear(string(YearOf(first))); err == nil {
			return Period{year: contractYear, month: (month+8)%12 + 1}, nil
		}
	}
	contractYear, err := ParseYear(text)
	if err != nil {
		return Period{}, fmt.Errorf("%q is no period; expected a month such as 2026-06, or a contract year such as 2026-27", text)
	}
	return Period{year: contractYear, month: yearEnd}, nil
}

// ParsePublished reads a period as history names it: ParsePeriod's, or a supplement.
func ParsePublished(text string) (Period, error) {
	base, numbered, isSupplement := strings.Cut(text, "-s")
	period, err := ParsePeriod(base)
	if !isSupplement || err != nil {
		return period, err
	}
	var supplement int
	if !period.IsYearEnd() || len(numbered) > 4 || !number(numbered, &supplement) || period.Supplement(supplement).String() != text {
		return Period{}, fmt.Errorf("%q is no period; expected a month, a contract year, or a supplement such as 2026-27-s1", text)
	}
	return period.Supplement(supplement), nil
}

// YearEnd is the period of the whole contract year.
func YearEnd(year Year) Period { return Period{year: year, month: yearEnd} }

// Supplement is the numbered supplement to a year end, from 1; 0 is the year end itself.
func (p Period) Supplement(number int) Period {
	p.supplement = number
	return p
}

// Year is the contract year that the period lies in.
func (p Period) Year() Year { return p.year }

// IsYearEnd says that the period is a whole contract year, or a supplement to one.
func (p Period) IsYearEnd() bool { return p.month == yearEnd }

// IsSupplement says that the period is a supplement to a frozen year end.
func (p Period) IsSupplement() bool { return p.supplement > 0 }

// Start is the first day of the month, or 1 April for a year end.
func (p Period) Start() civil.Date {
	if p.IsYearEnd() {
		return p.year.Start()
	}
	return day(p.year.first()+(p.month+2)/12, time.Month((p.month+2)%12+1), 1)
}

// End is the last day of the period.
func (p Period) End() civil.Date {
	if p.IsYearEnd() {
		return p.year.End()
	}
	return civil.FromTime(p.Start().Time().AddDate(0, 1, -1))
}

// Compare orders periods: by contract year, a year's months in order, then its year end, then
// the supplements.
func (p Period) Compare(q Period) int {
	return cmp.Or(cmp.Compare(p.year, q.year), cmp.Compare(p.month, q.month), cmp.Compare(p.supplement, q.supplement))
}

// String is the form that names folders and files; empty for the zero Period.
func (p Period) String() string {
	switch {
	case p == Period{}:
		return ""
	case p.IsSupplement():
		return fmt.Sprintf("%s-s%d", p.year, p.supplement)
	case p.IsYearEnd():
		return string(p.year)
	}
	return p.Start().String()[:len("2026-06")]
}
