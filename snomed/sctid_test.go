package snomed

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParse(t *testing.T) {
	tests := []struct {
		text string
		want error
	}{
		// The eight codes of the LTC LES specification for 2026-27, Appendix 1.
		{"756261000000100", nil},
		{"756161000000107", nil},
		{"716081000000105", nil},
		{"417206009", nil},
		{"268511007", nil},
		{"713671000000109", nil},
		{"894301000000105", nil},
		{"713761000000107", nil},

		// Example identifiers of SNOMED International's release format, 6.8, as ISAAC tests them.
		{"100005", nil},
		{"1290023401004", nil},
		{"11000001102", nil},
		{"10989121108", nil},
		{"999999990989121104", nil},
		{"100014", DescriptionID},
		{"1290000001117", DescriptionID},
		{"100022", RelationshipID},
		{"9940000001126", RelationshipID},
		{"10005", Length},
		{"100012", DescriptionID},
		{"1223401004", CheckDigit},

		// CSIRO Codeagogo's tests.
		{"138875005", nil},
		{"900000000000207008", nil},
		{"73211009", nil},
		{"73211000", CheckDigit},
		{"1234567890123456789", Length},
		{"8867-4", NotDigits},
		{"73211 009", NotDigits},

		// Description identifiers seen in EMIS-derived lists, as Exeter-Diabetes gives them.
		{"21631000000117", DescriptionID},
		{"264676010", DescriptionID},

		{"", NotDigits},
		{"00000", Length},
		{"0438505003", LeadingZero},
		{"000000", LeadingZero},
		{"100032", Partition},
		{"1000992", Partition},
		{" 417206009", NotDigits},
		{"417206009.", NotDigits},
		{"41720600９", NotDigits},
		{"+417206009", NotDigits},
	}
	for _, tt := range tests {
		code, err := Parse(tt.text)
		if !errors.Is(err, tt.want) || (err == nil) != (string(code) == tt.text && code != "") {
			t.Errorf("Parse(%q) = %q, %v; want %v", tt.text, code, err, tt.want)
		}
		if err != nil && tt.text != "" && strings.Contains(err.Error(), tt.text) {
			t.Errorf("the error shows the text %q", tt.text)
		}
	}
}

// The numbers of wardle/hermes' Verhoeff tests.
func TestVerhoeff(t *testing.T) {
	for digits, want := range map[string]bool{
		"2363": true, "311220190006": true, "1234567890": true, "14567894": true,
		"311220190007": false, "1234567891": false, "14567895": false,
		"0": true, "1": false, "": false, "236a": false,
	} {
		if got := VerhoeffValid(digits); got != want {
			t.Errorf("VerhoeffValid(%q) = %v", digits, got)
		}
	}
	for _, digits := range []string{"", "23x"} {
		if _, ok := VerhoeffDigit(digits); ok {
			t.Errorf("VerhoeffDigit(%q) is a digit", digits)
		}
	}
}

// What the check digit is for: one digit mistyped, or two neighbours swapped, is always caught.
func TestVerhoeffCatchesTheUsualSlips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		body := rapid.StringMatching(`[1-9][0-9]{4,16}`).Draw(t, "body")
		digit, ok := VerhoeffDigit(body)
		sound := body + string(digit)
		if !ok || !VerhoeffValid(sound) {
			t.Fatalf("%s does not check", sound)
		}
		slip := []byte(sound)
		at := rapid.IntRange(0, len(slip)-2).Draw(t, "at")
		if rapid.Bool().Draw(t, "swap") {
			slip[at], slip[at+1] = slip[at+1], slip[at]
		} else {
			slip[at] = '0' + (slip[at]-'0'+byte(rapid.IntRange(1, 9).Draw(t, "by")))%10
		}
		if string(slip) != sound && VerhoeffValid(string(slip)) {
			t.Fatalf("%s and %s both check", sound, slip)
		}
	})
}

func TestParseDoesNotAllocate(t *testing.T) {
	if allocs := testing.AllocsPerRun(100, func() {
		_, _ = Parse("756261000000100")
		_, _ = Parse("756261000000101")
	}); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}
