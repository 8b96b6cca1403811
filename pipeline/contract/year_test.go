package contract

import (
	"slices"
	"testing"

	"ltcles/pipeline/civil"
)

func TestYear(t *testing.T) {
	for _, text := range []string{"", "2026", "2026-28", "2026-26", "2026-2027", "2026/27", "26-27", "2026-27 ", "+026-27", "2011-12", "2099-00"} {
		if year, err := ParseYear(text); err == nil {
			t.Errorf("ParseYear(%q) = %s", text, year)
		}
	}
	tests := []struct {
		year, previous Year
		start, end     string
		days           int
	}{
		{"2025-26", "2024-25", "2025-04-01", "2026-03-31", 365},
		{"2026-27", "2025-26", "2026-04-01", "2027-03-31", 365},
		{"2027-28", "2026-27", "2027-04-01", "2028-03-31", 366}, // 29 February 2028
		{"2028-29", "2027-28", "2028-04-01", "2029-03-31", 365},
	}
	for _, tt := range tests {
		year, err := ParseYear(string(tt.year))
		if err != nil || year.Start().String() != tt.start || year.End().String() != tt.end || year.Days() != tt.days || year.Previous() != tt.previous {
			t.Errorf("%s: %v, %s to %s, %d days, after %s", tt.year, err, year.Start(), year.End(), year.Days(), year.Previous())
		}
		for _, inside := range []civil.Date{year.Start(), year.End()} {
			if YearOf(inside) != year || !year.Contains(inside) {
				t.Errorf("%s lies in %s", inside, YearOf(inside))
			}
		}
		if year.Contains(year.Start()-1) || year.Contains(year.End()+1) || year.Contains(civil.None) || YearOf(year.Start()-1) != tt.previous {
			t.Errorf("%s holds a day of another year", year)
		}
	}
	if YearOf(civil.None) != "" {
		t.Error("no date lies in a year")
	}
}

func TestPeriod(t *testing.T) {
	tests := []struct {
		text       string
		year       Year
		start, end string
		isYearEnd  bool
	}{
		{"2026-04", "2026-27", "2026-04-01", "2026-04-30", false},
		{"2026-12", "2026-27", "2026-12-01", "2026-12-31", false},
		{"2027-01", "2026-27", "2027-01-01", "2027-01-31", false},
		{"2027-03", "2026-27", "2027-03-01", "2027-03-31", false},
		{"2027-02", "2026-27", "2027-02-01", "2027-02-28", false},
		{"2028-02", "2027-28", "2028-02-01", "2028-02-29", false},
		{"2026-27", "2026-27", "2026-04-01", "2027-03-31", true},
	}
	for _, tt := range tests {
		period, err := ParsePeriod(tt.text)
		if err != nil || period.String() != tt.text || period.Year() != tt.year || period.Start().String() != tt.start ||
			period.End().String() != tt.end || period.IsYearEnd() != tt.isYearEnd {
			t.Errorf("ParsePeriod(%q) = %s of %s, %s to %s, year end %v, %v", tt.text, period, period.Year(), period.Start(), period.End(), period.IsYearEnd(), err)
		}
	}
	for _, text := range []string{"", "2026", "2026-6", "2026-13", "2026-00", "2026-06-01", "2026-28", "2026-27-s1", "2012-03", "June 2026"} {
		if period, err := ParsePeriod(text); err == nil {
			t.Errorf("ParsePeriod(%q) = %s", text, period)
		}
	}
}

func TestPublishedPeriodsInOrder(t *testing.T) {
	ordered := []string{"2026-03", "2025-26", "2026-04", "2026-12", "2027-01", "2027-03", "2026-27", "2026-27-s1", "2026-27-s2", "2026-27-s10", "2027-04"}
	var periods []Period
	for _, text := range ordered {
		period, err := ParsePublished(text)
		if err != nil || period.String() != text {
			t.Fatalf("ParsePublished(%q) = %s, %v", text, period, err)
		}
		periods = append(periods, period)
	}
	if !slices.IsSortedFunc(periods, Period.Compare) || slices.Compact(periods)[1].Compare(periods[1]) != 0 {
		t.Errorf("not in order: %v", periods)
	}
	if !periods[7].IsSupplement() || !periods[7].IsYearEnd() || periods[6].IsSupplement() || periods[6] != YearEnd("2026-27") {
		t.Error("a supplement is not told from its year end")
	}
	for _, text := range []string{"2026-27-s", "2026-27-s0", "2026-27-s01", "2026-27-s-1", "2026-06-s1", "2026-27-s1-s2"} {
		if period, err := ParsePublished(text); err == nil {
			t.Errorf("ParsePublished(%q) = %s", text, period)
		}
	}
}

func TestShare(t *testing.T) {
	tests := []struct {
		text string
		ppm  int64
		want string
	}{
		{"10 %", 100_000, "10 %"}, {"3%", 30_000, "3 %"}, {"12.5 %", 125_000, "12.5 %"}, {"0 %", 0, "0 %"},
		{"100 %", 1_000_000, "100 %"}, {"0.0001 %", 1, "0.0001 %"}, {" 5\u00a0% ", 50_000, "5 %"},
	}
	for _, tt := range tests {
		share, err := ParseShare(tt.text)
		if err != nil || share.PPM() != tt.ppm || share.String() != tt.want || share.Float() != float64(tt.ppm)/1e6 {
			t.Errorf("ParseShare(%q) = %d ppm, %s, %v", tt.text, share.PPM(), share, err)
		}
	}
	for _, text := range []string{"", "%", "10", "0.1", "100.0001 %", "-1 %", "+1 %", "1e1 %", "5. %", ".5 %", "0.00001 %", "10 % %", "9999999999999 %"} {
		if share, err := ParseShare(text); err == nil {
			t.Errorf("ParseShare(%q) = %s", text, share)
		}
	}
	if share, err := ParseFraction("0.05"); err != nil || share.String() != "5 %" {
		t.Errorf("ParseFraction = %s, %v", share, err)
	}
	for _, text := range []string{"", "1.000001", "5 %", "-0.1", "5"} {
		if share, err := ParseFraction(text); err == nil {
			t.Errorf("ParseFraction(%q) = %s", text, share)
		}
	}
}
