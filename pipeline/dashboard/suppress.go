package dashboard

// Suppression is how small counts are kept from readers: 1 to Hide are hidden, larger ones are
// rounded to the nearest Round, and none stays none. The zero Suppression shows every count.
//
// What makes it hold is what a page is made from. Each practice has a few counts of its own, its
// base counts; each is put into a class (none, hidden, or the multiple of Round nearest to it),
// and everything else on the page, totals of places and of the area among it, is worked out from
// these classes alone. Where base counts are linked, because several break the same total down,
// their classes together could say more of a hidden count than that it is hidden; protect then
// withholds a whole breakdown. Whether it does depends on nothing but classes.
type Suppression struct {
	Hide, Round int64
}

// smallNumbers is the convention of NHS England's publications on hospital care.
func smallNumbers() Suppression { return Suppression{Hide: 7, Round: 5} }

// IsOn says that anything is kept from readers.
func (s Suppression) IsOn() bool { return s.Hide > 0 }

// class is what is said of a count by itself.
func (s Suppression) class(n int64) Count {
	switch {
	case !s.IsOn() || n == 0:
		return exactly(n)
	case n <= s.Hide:
		return Count{0, Hidden}
	}
	return Count{s.nearest(n), Rounded}
}

func (s Suppression) nearest(n int64) int64 {
	if !s.IsOn() {
		return n
	}
	return (n + s.Round/2) / s.Round * s.Round
}

// middle is what a hidden count is taken for where counts are added up.
func (s Suppression) middle() int64 { return (1 + s.Hide) / 2 }

// A linkage is how the parts of a breakdown are linked to its total.
type linkage int

const (
	partition linkage = iota // the parts add up to the total
	within                   // they are parts of it, and do not overlap
	cover                    // each is a part of it, they may overlap, and all of it is in some part
)

// breakdown is the parts of a total.
type breakdown struct {
	linkage linkage
	parts   []int64
}

// protect says what is shown of a total and of its breakdowns. The first breakdowns go before the
// later ones: one is withheld where, with it, a hidden part that is shown as such could not be
// each of 1 to Hide. Where the total itself is hidden, all are withheld, since they would narrow
// it down.
func (s Suppression) protect(whole int64, breakdowns ...breakdown) (Count, [][]Count) {
	shown := make([][]Count, len(breakdowns))
	all := s.class(whole)
	var told []spans
	for i, b := range breakdowns {
		classes := make([]Count, len(b.parts))
		for at, part := range b.parts {
			classes[at] = s.class(part)
		}
		with := append(told[:len(told):len(told)], s.spansOf(b.linkage, classes))
		if s.IsOn() && (all.Standing == Hidden || !s.keeps(s.span(all), with)) {
			for at := range classes {
				classes[at] = Count{0, Withheld}
			}
		} else {
			told = with
		}
		shown[i] = classes
	}
	return all, shown
}

// span is the least and the greatest that a count can be.
type span struct{ low, high int64 }

// spans is what is told of a breakdown.
type spans struct {
	linkage linkage
	parts   []span
	hidden  []bool
}

// span is what a class says of a count.
func (s Suppression) span(c Count) span {
	switch c.Standing {
	case Hidden:
		return span{1, s.Hide}
	case Rounded:
		return span{max(s.Hide+1, c.N-s.Round/2), c.N + (s.Round-1)/2}
	}
	return span{c.N, c.N}
}

func (s Suppression) spansOf(l linkage, classes []Count) spans {
	b := spans{linkage: l}
	for _, c := range classes {
		b.parts = append(b.parts, s.span(c))
		b.hidden = append(b.hidden, c.Standing == Hidden)
	}
	return b
}

// keeps says that every hidden part can still be each of 1 to Hide. The total is all that links
// the breakdowns, so for one total each is judged by itself, and the answer is exact.
func (s Suppression) keeps(whole span, breakdowns []spans) bool {
	var possible []int64
	for n := whole.low; n <= whole.high; n++ {
		fits := true
		for _, b := range breakdowns {
			fits = fits && b.fits(n)
		}
		if fits {
			possible = append(possible, n)
		}
	}
	for _, b := range breakdowns {
		for at := range b.parts {
			if !b.hidden[at] {
				continue
			}
			for value := int64(1); value <= s.Hide; value++ {
				if !b.with(at, value).fitsAny(possible) {
					return false
				}
			}
		}
	}
	return true
}

// with is the breakdown where one part is known.
func (b spans) with(at int, value int64) spans {
	b.parts = append([]span(nil), b.parts...)
	b.parts[at] = span{value, value}
	return b
}

func (b spans) fitsAny(totals []int64) bool {
	for _, n := range totals {
		if b.fits(n) {
			return true
		}
	}
	return false
}

// fits says whether the parts can be so that the total is n.
func (b spans) fits(n int64) bool {
	var low, high int64
	for _, part := range b.parts {
		if b.linkage == cover && part.low > n {
			return false
		}
		low += part.low
		high += min(part.high, n)
	}
	switch b.linkage {
	case partition:
		return low <= n && n <= high
	case within:
		return low <= n
	}
	return n <= high
}
