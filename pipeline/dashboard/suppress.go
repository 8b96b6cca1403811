package dashboard

// Suppression is how small counts are kept from readers: 1 to Hide are hidden, larger ones are
// rounded to the nearest Round, and none stays none. The zero Suppression shows every count.
//
// What makes it hold is what a page is made from. Each practice has a few counts of its own, its
// base counts; each is put into a class (none, hidden, or the multiple of Round nearest to it),
// and everything else on the page, totals of places and of the area among it, is worked out from
// these classes alone. Where base counts are linked, because several break the same total down,
// their classes together could say more of a hidden count than that it is hidden: protect then
// withholds a breakdown. Whether it does depends on classes alone, so that knowing how it decides
// is of no use beyond what it shows.
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

// protect says what is shown of a total and of its breakdowns. Of what it shows as hidden, each of
// 1 to Hide is possible, whatever else is shown and whoever knows how it decides:
//
//   - Where the total is hidden, its breakdowns are withheld: their parts would narrow it down.
//   - A breakdown that does not add up is shown where, for each total that may be, it fits that and
//     each hidden part can be each of 1 to Hide. So it says nothing about the total, and nothing
//     that is learnt about the total says anything about it.
//   - A breakdown that adds up says something about the total, and the total about it. It is shown
//     where each hidden part can be each of 1 to Hide for some total that may be, and where none
//     before it is withheld, which would say something about the total too. There is one at most,
//     and it comes last.
func (s Suppression) protect(whole int64, breakdowns ...breakdown) (Count, [][]Count) {
	all := s.class(whole)
	shown := make([][]Count, len(breakdowns))
	isOpen := all.Standing != Hidden
	for i, b := range breakdowns {
		for _, part := range b.parts {
			shown[i] = append(shown[i], s.class(part))
		}
		if !s.IsOn() {
			continue
		}
		told := s.spansOf(b.linkage, shown[i])
		if isOpen && (b.linkage != partition && s.keepsForEach(s.span(all), told) || b.linkage == partition && s.keepsForSome(s.span(all), told)) {
			continue
		}
		isOpen = isOpen && b.linkage == partition
		for at := range shown[i] {
			shown[i][at] = Count{0, Withheld}
		}
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

// keepsForEach says that the breakdown fits each total that may be, whatever of 1 to Hide any of
// its hidden parts is.
func (s Suppression) keepsForEach(whole span, b spans) bool {
	for n := whole.low; n <= whole.high; n++ {
		if !b.fits(n) || !s.keepsForSome(span{n, n}, b) {
			return false
		}
	}
	return true
}

// keepsForSome says that each hidden part can be each of 1 to Hide, with some total that may be.
func (s Suppression) keepsForSome(whole span, b spans) bool {
	for at := range b.parts {
		for value := int64(1); b.hidden[at] && value <= s.Hide; value++ {
			known, fits := b.with(at, value), false
			for n := whole.low; n <= whole.high && !fits; n++ {
				fits = known.fits(n)
			}
			if !fits {
				return false
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
