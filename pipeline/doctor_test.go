package pipeline

import (
	"strings"
	"testing"
	"time"

	"ltcles/pipeline/civil"
	"ltcles/pipeline/snapshot"
	"ltcles/pipeline/workspace"
)

func said(diagnoses ...Diagnosis) string {
	var lines []string
	for _, d := range diagnoses {
		lines = append(lines, d.Level+" "+d.About+": "+d.Found)
	}
	return strings.Join(lines, "\n")
}

func TestClockDiagnoses(t *testing.T) {
	newest, _ := civil.Parse("2026-07-05")
	at := func(day string, zone *time.Location) time.Time {
		parsed, err := time.ParseInLocation("2006-01-02 15:04", day+" 23:30", zone)
		if err != nil {
			t.Fatal(err)
		}
		return parsed
	}
	for _, tt := range []struct {
		now  time.Time
		want string
	}{
		{at("2026-07-05", time.UTC), "ok clock: today is 2026-07-05\nok time zone: UTC"},
		{at("2026-07-05", time.FixedZone("BST", 3600)), "ok clock: today is 2026-07-05\nok time zone: BST"},
		{at("2026-07-04", time.UTC), "warning clock: today is 2026-07-04, before the as-at 2026-07-05 of what is published\nok time zone: UTC"},
		{at("2026-07-06", time.FixedZone("NZST", 12*3600)), "ok clock: today is 2026-07-06\nwarning time zone: NZST is 12h0m0s from UTC: today may be another day than in England"},
	} {
		if got := said(clockDiagnoses(tt.now, newest)...); got != tt.want {
			t.Errorf("at %s:\n%s\nexpected\n%s", tt.now, got, tt.want)
		}
	}
	if got := clockDiagnoses(at("1970-01-01", time.UTC), civil.None)[0].Level; got != LevelOK {
		t.Errorf("nothing published: %s", got)
	}
}

func TestSkewDiagnosis(t *testing.T) {
	for skew, want := range map[time.Duration]string{0: LevelOK, tolerated: LevelOK, -tolerated: LevelOK, tolerated + 1: LevelWarning, -tolerated - 1: LevelWarning} {
		if got := skewDiagnosis(skew).Level; got != want {
			t.Errorf("%s: %s; expected %s", skew, got, want)
		}
	}
}

func TestPracticeDiagnoses(t *testing.T) {
	listed := []workspace.Practice{{Code: "Y90001"}, {Code: "Y90002"}}
	for _, tt := range []struct {
		name  string
		names []string
		want  string
	}{
		{"each", []string{"Y90001/claims.csv", "sent_y90002.zip!a.csv"}, "ok practices: each of the year's practices has files named by it, and no other has"},
		{"unknown and none", []string{"Y90001/x.csv", "Z99999/x.csv", "A12345.csv", "9990000018.csv"},
			"warning practices: files are named by practices that the year's list lacks: A12345, Z99999\n" +
				"warning practices: no file is named by 1 of 2 practices: Y90002"},
	} {
		if got := said(practiceDiagnoses(tt.names, listed)...); got != tt.want {
			t.Errorf("%s:\n%s\nexpected\n%s", tt.name, got, tt.want)
		}
	}
}

func TestSpaceDiagnosis(t *testing.T) {
	current := &snapshot.Snapshot{Manifest: snapshot.Manifest{Files: []snapshot.File{
		{Name: "fact_file.parquet", Bytes: 10}, {Name: "history/fact_file/2026-05.parquet", Period: "2026-05", Bytes: 100},
	}}}
	for _, tt := range []struct {
		needed, want int64
	}{
		{neededSpace(5, nil, true), 10}, {neededSpace(5, current, true), 30}, {neededSpace(5, current, false), 230},
	} {
		if tt.needed != tt.want {
			t.Errorf("needed %d; expected %d", tt.needed, tt.want)
		}
	}
	for free, want := range map[int64]string{
		29: "error space: 29 bytes free; a run may need 30 bytes", 30: "warning space: 30 bytes free; a run may need 30 bytes", 60: "ok space: 60 bytes free; a run may need 30 bytes",
		3 << 30: "ok space: 3.0 GB free; a run may need 30 bytes",
	} {
		if got := said(spaceDiagnosis(free, 30)); got != want {
			t.Errorf("%d: %s; expected %s", free, got, want)
		}
	}
}
