package contract

import (
	"fmt"
	"time"

	"ltcles/pipeline/civil"
)

// Year is a contract year, 1 April to 31 March, written 2026-27.
type Year string

// A year before 2012-13 reads as a month (2011-12 is December 2011), and after 2098-99 the
// second half would not follow the first; the contract began in 2025.
const (
	earliest = 2012
	latest   = 2098
)

// ParseYear reads the form 2026-27.
func ParseYear(text string) (Year, error) {
	var first, second int
	if len(text) == len("2026-27") && text[4] == '-' && number(text[:4], &first) && number(text[5:], &second) &&
		first >= earliest && first <= latest && second == (first+1)%100 {
		return Year(text), nil
	}
	return "", fmt.Errorf("%q is no contract year; expected two years that follow each other, such as 2026-27", text)
}

// YearOf is the contract year that the day lies in; empty for no date.
func YearOf(d civil.Date) Year {
	if d.IsNone() {
		return ""
	}
	year, month, _ := d.YMD()
	if month < time.April {
		year--
	}
	return yearFrom(year)
}

// Start is 1 April.
func (y Year) Start() civil.Date { return day(y.first(), time.April, 1) }

// End is 31 March.
func (y Year) End() civil.Date { return day(y.first()+1, time.March, 31) }

// Days is 365, or 366 where the year holds a 29 February.
func (y Year) Days() int { return int(y.End()-y.Start()) + 1 }

// Previous is the contract year before.
func (y Year) Previous() Year { return yearFrom(y.first() - 1) }

// Contains says whether the day lies in the year.
func (y Year) Contains(d civil.Date) bool { return !d.IsNone() && y.Start() <= d && d <= y.End() }

// first is the calendar year of 1 April.
func (y Year) first() int {
	var first int
	if len(y) != len("2026-27") || !number(string(y[:4]), &first) {
		panic(fmt.Sprintf("contract year %q did not come from ParseYear", string(y)))
	}
	return first
}

func yearFrom(first int) Year { return Year(fmt.Sprintf("%04d-%02d", first, (first+1)%100)) }

func day(year int, month time.Month, dayOfMonth int) civil.Date {
	date, _ := civil.Of(year, int(month), dayOfMonth)
	return date
}

// number reads decimal digits only: no sign, no blank.
func number(text string, into *int) bool {
	value := 0
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
		value = value*10 + int(text[i]-'0')
	}
	*into = value
	return text != ""
}
