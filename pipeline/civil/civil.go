// Package civil knows calendar days. It refuses to know clocks, zones and today: a day in a
// contract is a day in England, whatever machine reads it.
package civil

import (
	"fmt"
	"math"
	"time"
)

// Date is a day, counted from 1970-01-01 as Arrow's Date32 and DuckDB's DATE count it.
type Date int32

// None is the absence of a date. It sorts before every day; test for it before comparing.
const None Date = math.MinInt32

const secondsPerDay = 24 * 60 * 60

// Of returns the day, or false where the calendar has no such day (30 February, month 13) or
// the year is not one of 1 to 9999.
func Of(year, month, day int) (Date, bool) {
	if year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) {
		return None, false
	}
	return fromUTC(time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)), true
}

// Parse reads yyyy-MM-dd and nothing else. Its error does not repeat the text, which may come
// from a patient's row.
func Parse(iso string) (Date, error) {
	if len(iso) != len("yyyy-MM-dd") || iso[4] != '-' || iso[7] != '-' {
		return None, fmt.Errorf("not a date; expected yyyy-MM-dd")
	}
	year, okYear := digits(iso[0:4])
	month, okMonth := digits(iso[5:7])
	day, okDay := digits(iso[8:10])
	if !okYear || !okMonth || !okDay {
		return None, fmt.Errorf("not a date; expected yyyy-MM-dd")
	}
	date, exists := Of(year, month, day)
	if !exists {
		return None, fmt.Errorf("no such day in the calendar; expected yyyy-MM-dd")
	}
	return date, nil
}

// FromTime is the day that t shows in its own location.
func FromTime(t time.Time) Date {
	year, month, day := t.Date()
	return fromUTC(time.Date(year, month, day, 0, 0, 0, 0, time.UTC))
}

// IsNone says that there is no date.
func (d Date) IsNone() bool { return d == None }

// Time is midnight UTC at the start of the day; the zero time for None.
func (d Date) Time() time.Time {
	if d.IsNone() {
		return time.Time{}
	}
	return time.Unix(int64(d)*secondsPerDay, 0).UTC()
}

// YMD is the day's year, month and day of the month; zeros for None.
func (d Date) YMD() (year int, month time.Month, day int) {
	if d.IsNone() {
		return 0, 0, 0
	}
	return d.Time().Date()
}

// String is yyyy-MM-dd, and empty for None.
func (d Date) String() string {
	if d.IsNone() {
		return ""
	}
	return d.Time().Format(time.DateOnly)
}

// MarshalText writes yyyy-MM-dd, and nothing for None.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (d *Date) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*d = None
		return nil
	}
	parsed, err := Parse(string(text))
	if err != nil {
		return err
	}
	*d = parsed
	return nil
}

// Scan reads a column of days, null as None.
func (d *Date) Scan(value any) error {
	switch day := value.(type) {
	case nil:
		*d = None
	case time.Time:
		*d = FromTime(day)
	default:
		return fmt.Errorf("found %T, expected a day", value)
	}
	return nil
}

func fromUTC(midnight time.Time) Date { return Date(midnight.Unix() / secondsPerDay) }

func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

func digits(text string) (int, bool) {
	value := 0
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return 0, false
		}
		value = value*10 + int(text[i]-'0')
	}
	return value, true
}
