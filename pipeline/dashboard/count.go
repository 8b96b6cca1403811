package dashboard

import (
	"fmt"

	"ltcles/pipeline/published"
)

// Count is a count of patients as the page shows it, and as what follows from it is reckoned
// with. The zero Count is no data: missing is never zero.
type Count struct {
	N        int64
	Standing Standing
}

// Standing is how a count is known to whoever reads the page.
type Standing int

const (
	NoData   Standing = iota
	Exact             // N is the count
	Rounded           // N is near the count
	Hidden            // the count is one of those that are too small to show
	Withheld          // the count is not shown, so that a hidden one cannot be worked out
)

// known is a published count; null is no data.
func known(n *int64) Count {
	if n == nil {
		return Count{}
	}
	return exactly(*n)
}

func exactly(n int64) Count { return Count{n, Exact} }

// IsShown says that N may be printed.
func (c Count) IsShown() bool { return c.Standing == Exact || c.Standing == Rounded }

// total adds counts up. Those without data or not shown are left out; where only one of the rest
// is not nothing, the total is that one. Hidden counts are reckoned with as the middle of what
// they can be, and such a total is rounded: it says nothing that its parts do not say.
func total(rule Suppression, counts ...Count) Count {
	var sum, several int64
	var only Count
	standing := NoData
	for _, c := range counts {
		if c.Standing == Withheld && standing == NoData {
			standing = Withheld
		}
		if c.Standing == NoData || c.Standing == Withheld {
			continue
		}
		if c.Standing != Exact {
			standing = Rounded
		} else if standing != Rounded {
			standing = Exact
		}
		if c != exactly(0) {
			only = c
			several++
		}
		n := c.N
		if c.Standing == Hidden {
			n = rule.middle()
		}
		sum += n
	}
	switch {
	case several == 1:
		return only
	case standing == Rounded:
		return Count{rule.nearest(sum), Rounded}
	}
	return Count{sum, standing}
}

// from is what is left of a whole after a part.
func (c Count) from(whole Count, rule Suppression) Count {
	switch {
	case c.Standing == NoData || whole.Standing == NoData:
		return Count{}
	case !c.IsShown() || !whole.IsShown():
		return Count{0, Withheld}
	case c.Standing == Rounded || whole.Standing == Rounded:
		return Count{rule.nearest(max(0, whole.N-c.N)), Rounded}
	}
	return exactly(whole.N - c.N)
}

// lackingTo is how much the count is below what is required, as near as the count itself.
func (c Count) lackingTo(required int64, rule Suppression) Count {
	switch c.Standing {
	case Exact:
		return exactly(max(0, required-c.N))
	case Rounded:
		return Count{rule.nearest(max(0, required-c.N)), Rounded}
	case NoData:
		return Count{}
	}
	return Count{0, Withheld}
}

// Text is the count in words.
func (c Count) Text(rule Suppression) string {
	switch c.Standing {
	case NoData:
		return "no data"
	case Hidden:
		return fmt.Sprintf("1 to %d", rule.Hide)
	case Withheld:
		return "not shown"
	}
	return published.Grouped(c.N)
}
