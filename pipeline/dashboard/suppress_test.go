package dashboard

import (
	"fmt"
	"testing"
)

// shape is the breakdowns of a total in a small world: how each is linked, and how many parts it
// has.
type shape []struct {
	linkage linkage
	parts   int
}

// TestAttackOnSmallWorlds tries every world up to a size, all counts of it, against what is shown
// of it. An attacker who knows how counts are hidden, and every equation among them, is left with
// the worlds that would be shown alike: the values that a count has in these are what he cannot
// tell apart.
func TestAttackOnSmallWorlds(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		rule  Suppression
		most  int64 // the greatest total
		shape shape
	}{
		{Suppression{Hide: 7, Round: 5}, 27, shape{{partition, 2}}},
		{Suppression{Hide: 7, Round: 5}, 27, shape{{partition, 3}}},
		{Suppression{Hide: 7, Round: 5}, 22, shape{{partition, 4}}},
		{Suppression{Hide: 7, Round: 5}, 22, shape{{cover, 3}}},
		{Suppression{Hide: 7, Round: 5}, 27, shape{{within, 2}}},
		{Suppression{Hide: 7, Round: 5}, 17, shape{{cover, 2}, {partition, 2}}},
		{Suppression{Hide: 7, Round: 5}, 17, shape{{within, 2}, {partition, 3}}},
		{Suppression{Hide: 3, Round: 5}, 12, shape{{cover, 2}, {within, 2}, {partition, 2}}},
		{Suppression{Hide: 2, Round: 3}, 7, shape{{cover, 2}, {within, 2}, {partition, 3}}},
	} {
		t.Run(fmt.Sprintf("%+v up to %d of %v", tt.rule, tt.most, tt.shape), func(t *testing.T) {
			t.Parallel()
			attack(t, tt.rule, tt.most, tt.shape)
		})
	}
}

// seen is what worlds that are shown alike have in one count: the values as bits, and whether it
// is shown as hidden.
type seen struct {
	values   uint64
	isHidden bool
}

func attack(t *testing.T, rule Suppression, most int64, of shape) {
	alike := map[string][]seen{}
	worlds, hidden, withheld := 0, 0, 0
	for whole := int64(0); whole <= most; whole++ {
		eachWorld(whole, of, func(breakdowns []breakdown) {
			worlds++
			all, parts := rule.protect(whole, breakdowns...)
			shown, counts := []Count{all}, []int64{whole}
			for i, b := range breakdowns {
				shown, counts = append(shown, parts[i]...), append(counts, b.parts...)
			}
			key := fmt.Sprint(shown)
			known := alike[key]
			if known == nil {
				known = make([]seen, len(counts))
				alike[key] = known
			}
			for at, n := range counts {
				known[at].values |= 1 << n
				known[at].isHidden = shown[at].Standing == Hidden
				if shown[at].IsShown() && n > 0 && n <= rule.Hide {
					t.Fatalf("%d of %v is shown as %v", n, counts, shown)
				}
			}
		})
	}
	every := uint64(1)<<(rule.Hide+1) - 2 // 1 to Hide
	for key, known := range alike {
		for at, cell := range known {
			switch {
			case cell.isHidden:
				hidden++
				if cell.values != every {
					t.Errorf("count %d of %s is hidden, and can be narrowed down to %b of %b", at, key, cell.values, every)
				}
			case cell.values&every != 0 && cell.values&(cell.values-1) == 0:
				t.Errorf("count %d of %s is small, and known for certain: %b", at, key, cell.values)
			case cell.values&every != 0:
				withheld++
			}
		}
		if t.Failed() {
			return
		}
	}
	t.Logf("%d worlds, %d pages: of %d hidden counts and %d small ones not shown, 0 recovered", worlds, len(alike), hidden, withheld)
	if hidden == 0 {
		t.Error("nothing is hidden in any world")
	}
}

// eachWorld gives every way in which a total breaks down.
func eachWorld(whole int64, of shape, do func([]breakdown)) {
	breakdowns := make([]breakdown, len(of))
	var fill func(at int)
	fill = func(at int) {
		if at == len(of) {
			do(breakdowns)
			return
		}
		parts := make([]int64, of[at].parts)
		var part func(i int, sum int64)
		part = func(i int, sum int64) {
			if i == len(parts) {
				if of[at].linkage == partition && sum != whole || of[at].linkage == cover && sum < whole {
					return
				}
				breakdowns[at] = breakdown{of[at].linkage, append([]int64(nil), parts...)}
				fill(at + 1)
				return
			}
			left := whole
			if of[at].linkage != cover {
				left = whole - sum
			}
			for n := int64(0); n <= left; n++ {
				parts[i] = n
				part(i+1, sum+n)
			}
		}
		part(0, 0)
	}
	fill(0)
}
