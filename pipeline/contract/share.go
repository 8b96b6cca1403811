package contract

import (
	"fmt"
	"strings"
)

// Share is an exact part of a whole, from 0 to 1, in parts per million.
type Share struct{ ppm int64 }

const million = 1_000_000

// ParseShare reads a percentage: "10 %", "3%", "12.5 %", to four decimals.
func ParseShare(text string) (Share, error) {
	digits, isPercent := strings.CutSuffix(strings.TrimSpace(text), "%")
	ppm, ok := fixedPoint(strings.TrimRight(digits, " \t\u00a0"), 4)
	if !isPercent || !ok || ppm > million {
		return Share{}, fmt.Errorf("%q is no share; expected a percentage from 0 %% to 100 %%, such as 10 %%", text)
	}
	return Share{ppm}, nil
}

// ParseFraction reads a number from 0 to 1, such as 0.05, to six decimals.
func ParseFraction(text string) (Share, error) {
	ppm, ok := fixedPoint(strings.TrimSpace(text), 6)
	if !ok || ppm > million {
		return Share{}, fmt.Errorf("%q is no share; expected a number from 0 to 1, such as 0.05", text)
	}
	return Share{ppm}, nil
}

// PPM is the share in parts per million.
func (s Share) PPM() int64 { return s.ppm }

// Float is the share as the nearest number from 0 to 1.
func (s Share) Float() float64 { return float64(s.ppm) / million }

// CeilingOf is the least whole number that is at least the share of n, which is not negative.
func (s Share) CeilingOf(n int64) int64 {
	whole, rest := n/million, n%million // so that no product overflows
	return whole*s.ppm + (rest*s.ppm+million-1)/million
}

// String is the percentage, as short as it is exact: "12.5 %".
func (s Share) String() string {
	text := fmt.Sprintf("%d.%04d", s.ppm/10_000, s.ppm%10_000)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".") + " %"
}

// fixedPoint reads a plain decimal exactly, scaled by ten to the given power. More decimals than
// that, a sign, an exponent or a bare point are not read.
func fixedPoint(text string, decimals int) (int64, bool) {
	whole, part, hasPoint := strings.Cut(text, ".")
	if hasPoint && part == "" || len(part) > decimals || len(whole) > 9 {
		return 0, false
	}
	var value int
	if !number(whole+part+strings.Repeat("0", decimals-len(part)), &value) || whole == "" {
		return 0, false
	}
	return int64(value), true
}
