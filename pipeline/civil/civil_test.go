package civil

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestParse(t *testing.T) {
	tests := []struct {
		text string
		want Date
		ok   bool
	}{
		{"1970-01-01", 0, true},
		{"1969-12-31", -1, true},
		{"2026-03-31", 20543, true},
		{"2026-04-01", 20544, true},
		{"2028-02-29", 21243, true},
		{"2028-03-01", 21244, true},
		{"2000-02-29", 11016, true},
		{"2027-02-29", None, false},
		{"1900-02-29", None, false},
		{"2026-04-31", None, false},
		{"2026-13-01", None, false},
		{"2026-00-10", None, false},
		{"0000-01-01", None, false},
		{"2026-4-1", None, false},
		{"2026/04/01", None, false},
		{"2026-04-01T00:00", None, false},
		{"+026-04-01", None, false},
		{" 026-04-01", None, false},
		{"", None, false},
	}
	for _, tt := range tests {
		got, err := Parse(tt.text)
		if got != tt.want || (err == nil) != tt.ok {
			t.Errorf("Parse(%q) = %d, %v; want %d, ok %v", tt.text, got, err, tt.want, tt.ok)
		}
	}
}

func TestFromTimeShowsTheDayOfItsOwnZone(t *testing.T) {
	summer := time.FixedZone("BST", 60*60)
	// 00:30 on 1 April in England is still 31 March in UTC.
	local := time.Date(2026, 4, 1, 0, 30, 0, 0, summer)
	if got := FromTime(local).String(); got != "2026-04-01" {
		t.Errorf("local day = %s", got)
	}
	if got := FromTime(local.UTC()).String(); got != "2026-03-31" {
		t.Errorf("UTC day = %s", got)
	}
	old := time.Date(1931, 5, 6, 23, 0, 0, 0, summer)
	if got := FromTime(old).String(); got != "1931-05-06" {
		t.Errorf("day before 1970 = %s", got)
	}
}

func TestNone(t *testing.T) {
	if None.String() != "" || !None.IsNone() || !None.Time().IsZero() {
		t.Errorf("None shows a day: %q %v", None.String(), None.Time())
	}
	if year, month, day := None.YMD(); year != 0 || month != 0 || day != 0 {
		t.Errorf("None has a day: %d %d %d", year, month, day)
	}
}

func TestJSON(t *testing.T) {
	type record struct{ Given, Absent Date }
	day, _ := Of(2028, 2, 29)
	text, err := json.Marshal(record{day, None})
	if err != nil || string(text) != `{"Given":"2028-02-29","Absent":""}` {
		t.Fatalf("marshal: %s, %v", text, err)
	}
	var back record
	if err := json.Unmarshal(text, &back); err != nil || back != (record{day, None}) {
		t.Fatalf("unmarshal: %+v, %v", back, err)
	}
	if err := json.Unmarshal([]byte(`{"Given":"29/02/2028"}`), &back); err == nil {
		t.Fatal("a date in another form was read")
	}
}

// Every day between the first and the last survives each way of writing it, and the day after
// it is one more.
func TestEveryDayRoundTrips(t *testing.T) {
	first, _ := Of(1, 1, 1)
	last, _ := Of(9999, 12, 31)
	rapid.Check(t, func(t *rapid.T) {
		day := Date(rapid.Int32Range(int32(first), int32(last-1)).Draw(t, "day"))
		year, month, dayOfMonth := day.YMD()
		if back, ok := Of(year, int(month), dayOfMonth); !ok || back != day {
			t.Fatalf("Of(YMD(%d)) = %d, %v", day, back, ok)
		}
		if back, err := Parse(day.String()); err != nil || back != day {
			t.Fatalf("Parse(%s) = %d, %v", day, back, err)
		}
		if next := FromTime(day.Time().AddDate(0, 0, 1)); next != day+1 {
			t.Fatalf("the day after %s is %s", day, next)
		}
	})
}
