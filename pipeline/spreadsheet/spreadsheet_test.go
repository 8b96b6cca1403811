package spreadsheet_test

import (
	"testing"

	"ltcles/pipeline/spreadsheet"
)

func TestText(t *testing.T) {
	for cell, want := range map[string]string{
		"=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)", "\t=1": "'\t=1", "\r=1": "'\r=1",
		"": "", "a=1": "a=1", "'=1": "'=1", "Y90001/=1.csv": "Y90001/=1.csv",
	} {
		if got := spreadsheet.Text(cell); got != want {
			t.Errorf("%q became %q; want %q", cell, got, want)
		}
	}
}
