package contract

import "testing"

func TestWorthR19(t *testing.T) {
	number := func(n int64) *int64 { return &n }
	for _, tt := range []struct {
		name          string
		value, target *int64
		assessments   int64
		want          int64 // -1: not known
	}{
		{"a part", number(462_000), number(40), 2, 231_00},
		{"half a penny", number(5), number(10), 1, 1},
		{"less than half", number(4), number(10), 1, 0},
		{"all", number(462_001), number(40), 40, 462_001},
		{"none", number(462_000), number(40), 0, 0},
		{"beyond what fits in between", number(99_999_999_999_999), number(999_999_999), 999_999_999, 99_999_999_999_999},
		{"no target", number(462_000), nil, 2, -1},
		{"a target of 0", number(462_000), number(0), 2, -1},
		{"no contract value", nil, number(40), 2, -1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := int64(-1)
			if worth := Worth(tt.assessments, tt.value, tt.target); worth != nil {
				got = *worth
			}
			if got != tt.want {
				t.Errorf("worth %d; expected %d", got, tt.want)
			}
		})
	}
}

func TestAWeek(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		n, daysLeft int64
		want        float64
	}{{10, 70, 1}, {10, 69, 1.1}, {1, 365, 0.1}, {0, 7, 0}, {3, 1, 21}, {390, 273, 10}} {
		if got := AWeek(tt.n, tt.daysLeft); got == nil || *got != tt.want {
			t.Errorf("%d in %d days: %v a week; expected %v", tt.n, tt.daysLeft, got, tt.want)
		}
	}
	if got := AWeek(10, 0); got != nil {
		t.Errorf("with no day left: %v a week; expected none", *got)
	}
}
