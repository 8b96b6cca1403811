package letters

import (
	"math"
	"strconv"
	"strings"

	"ltcles/pipeline/civil"
	"ltcles/pipeline/published"
)

// notKnown stands in a letter for what the tables do not hold: missing is never zero.
const notKnown = "not known"

// Text is a text of the tables or the contract file. Printed in a template, nothing in it is Markdown.
type Text string

func (t Text) String() string {
	var out strings.Builder
	for _, r := range strings.Join(strings.Fields(string(t)), " ") {
		if strings.ContainsRune("\\`*_{}[]()<>#+-.!|~&", r) {
			out.WriteByte('\\')
		}
		out.WriteRune(r)
	}
	return out.String()
}

// Count is a whole number, which may not be known.
type Count struct{ n *int64 }

// IsKnown says that there is a number.
func (c Count) IsKnown() bool { return c.n != nil }

// IsSome says that the number is known and not 0.
func (c Count) IsSome() bool { return c.n != nil && *c.n != 0 }

func (c Count) String() string {
	if c.n == nil {
		return notKnown
	}
	return published.Grouped(*c.n)
}

// Of writes the number with its noun: 1 assessment, 2 assessments.
func (c Count) Of(one string) string {
	switch {
	case c.n == nil:
		return notKnown
	case *c.n == 1:
		return "1 " + one
	}
	return published.Grouped(*c.n) + " " + one + "s"
}

// Is chooses between two words by whether the number is 1: is and are, it and them.
func (c Count) Is(one, several string) string {
	if c.n != nil && *c.n == 1 {
		return one
	}
	return several
}

// Money is an amount, which may not be known.
type Money struct{ p *published.Pence }

// IsKnown says that there is an amount.
func (m Money) IsKnown() bool { return m.p != nil }

// IsSome says that the amount is known and not 0.
func (m Money) IsSome() bool { return m.p != nil && *m.p != 0 }

// IsOwed says that the amount is known and above 0.
func (m Money) IsOwed() bool { return m.p != nil && *m.p > 0 }

// IsOver says that the amount is known and below 0.
func (m Money) IsOver() bool { return m.p != nil && *m.p < 0 }

// Size is the amount without its sign.
func (m Money) Size() Money {
	if !m.IsOver() {
		return m
	}
	size := -*m.p
	return Money{&size}
}

func (m Money) String() string {
	if m.p == nil {
		return notKnown
	}
	return m.p.Pounds()
}

// Day is a date as people write it.
type Day struct{ date civil.Date }

func (d Day) String() string {
	if d.date.IsNone() {
		return notKnown
	}
	return d.date.Time().Format("2 January 2006")
}

// Month is the month of the day.
func (d Day) Month() string {
	if d.date.IsNone() {
		return notKnown
	}
	return d.date.Time().Format("January 2006")
}

// percentOf is a part of a whole, where both are known.
func percentOf(part, whole *int64) string {
	if part == nil || whole == nil || *whole <= 0 {
		return notKnown
	}
	return published.PercentOf(*part, *whole)
}

// percent is a percentage of the contract file, on one line.
func percent(share string) string { return strings.ReplaceAll(share, " ", "\u00a0") }

// shareText is a share of the tables as the contract file would write it.
func shareText(share *float64) string {
	if share == nil {
		return "not set"
	}
	return strconv.FormatFloat(math.Round(*share*1e6)/1e4, 'f', -1, 64) + "\u00a0%"
}

// populationText is a weighted population with the decimals that it has.
func populationText(weighted float64) string {
	text := strconv.FormatFloat(weighted, 'f', -1, 64)
	whole, decimals, hasDecimals := strings.Cut(text, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil {
		return text
	}
	if hasDecimals {
		return published.Grouped(n) + "." + decimals
	}
	return published.Grouped(n)
}
