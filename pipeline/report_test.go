package pipeline

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
			if worth := (PracticeReport{AssessmentsPence: tt.value, Target: tt.target}).Worth(tt.assessments); worth != nil {
				got = *worth
			}
			if got != tt.want {
				t.Errorf("worth %d; expected %d", got, tt.want)
			}
		})
	}
}
