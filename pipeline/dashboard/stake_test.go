package dashboard

import (
	"reflect"
	"testing"

	"ltcles/pipeline/published"
)

// An assessment in two findings is at stake once: no more than all of them are worth.
func TestAtStake(t *testing.T) {
	finding := func(worth *published.Pence) findingFigures { return findingFigures{worth: worth} }
	pence := func(n published.Pence) *published.Pence { return &n }
	for _, tt := range []struct {
		findings []findingFigures
		annual   *int64
		want     *published.Pence
	}{
		{nil, pointer[int64](500), nil},
		{[]findingFigures{finding(nil)}, pointer[int64](500), nil},
		{[]findingFigures{finding(pence(200)), finding(nil), finding(pence(300))}, pointer[int64](500), pence(500)},
		{[]findingFigures{finding(pence(200)), finding(pence(301))}, pointer[int64](500), pence(500)},
		{[]findingFigures{finding(pence(200)), finding(pence(301))}, nil, pence(501)},
	} {
		if got := atStake(tt.findings, tt.annual); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%+v of %v: %v, expected %v", tt.findings, tt.annual, got, tt.want)
		}
	}
}
