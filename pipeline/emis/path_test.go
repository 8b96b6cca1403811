package emis

import (
	"strings"
	"testing"
)

// However its digits are parted, a number in a name is found, and masked.
func TestMaskNHSNumbers(t *testing.T) {
	for _, name := range []string{
		"999_000_0018.csv", "999.000.0018.txt", "999'000'0018", "a 999  000  0018", "999–000–0018.txt", "９９９０００００１８.csv", "999,000,0018", "999 - 000 - 0018",
	} {
		masked, holds := MaskNHSNumbers("x/" + name)
		if !holds || !strings.Contains(masked, "##########") || strings.Contains(masked, "0018") || strings.Contains(masked, "００１８") {
			t.Errorf("%s: masked as %s, %t", name, masked, holds)
		}
	}
	if masked, _ := MaskNHSNumbers("9990000018 9990000026"); masked != "########## ##########" {
		t.Errorf("two numbers are masked as %s", masked)
	}
	for _, name := range []string{"9990000019", "99900000181", "417206009", "2026-07-01 123 4567", "999 000 001 8", "999/000/0018"} {
		if masked, holds := MaskNHSNumbers(name); holds {
			t.Errorf("%s is masked as %s", name, masked)
		}
	}
}
