package oracle_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"ltcles/pipeline"
	"ltcles/pipeline/contract"
	"ltcles/pipeline/oracle"
	"ltcles/pipeline/workspace"
)

func w(t *testing.T, path, text string) {
	os.MkdirAll(filepath.Dir(path), 0o700)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestAdhoc(t *testing.T) {
	var n1, n2 uint64
	fmt.Sscanf(os.Getenv("ADHOC"), "%d-%d", &n1, &n2)
	for seed := n1; seed <= n2; seed++ {
		made := oracle.Generate(seed)
		_, outs := made.Decide()
		dir := filepath.Join(t.TempDir(), "w")
		if err := workspace.Init(dir); err != nil {
			t.Fatal(err)
		}
		w(t, filepath.Join(dir, "ltcles.yaml"), made.Settings)
		for n, x := range made.Files {
			w(t, filepath.Join(dir, n), x)
		}
		ws, err := workspace.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		run := made.Runs[0]
		out := outs[0]
		for n, x := range run.Inbox {
			w(t, filepath.Join(ws.Inbox(run.Period), n), x)
		}
		p, _ := contract.ParsePeriod(run.Period)
		rep, err := pipeline.Run(context.Background(), pipeline.Config{Workspace: ws, Period: p, AsAt: run.AsAt, Today: run.AsAt, AcceptAll: true})
		if err != nil {
			t.Errorf("%d %v", seed, err)
			for n, x := range made.Files {
				_ = n
				_ = x
			}
			continue
		}
		want := map[string]int64{}
		for _, d := range out.DispositionCounts {
			want[d.Disposition] += d.Rows
		}
		for _, r := range rep.Rows {
			if want[r.Disposition] != r.Rows {
				t.Errorf("%d %s want %d got %d", seed, r.Disposition, want[r.Disposition], r.Rows)
			}
			delete(want, r.Disposition)
		}
		for d, n := range want {
			t.Errorf("%d %s want %d got none", seed, d, n)
		}
		var a, b []string
		for _, f := range out.Findings {
			a = append(a, fmt.Sprint(f))
		}
		for _, f := range rep.Findings {
			b = append(b, fmt.Sprint(oracle.Finding{f.Practice, f.Check, f.Affected}))
		}
		for _, x := range a {
			if !slices.Contains(b, x) {
				t.Errorf("%d finding want %s", seed, x)
			}
		}
		for _, x := range b {
			if !slices.Contains(a, x) {
				t.Errorf("%d finding got  %s", seed, x)
			}
		}
		var m = map[string]oracle.Position{}
		for _, p := range out.Positions {
			m[p.Practice] = p
		}
		for _, p := range rep.Practices {
			q := m[p.Practice]
			if (q.Assessments == nil) != (p.Assessments == nil) || q.Assessments != nil && (*q.Assessments != *p.Assessments || *q.Counted != *p.Counted) {
				t.Errorf("%d position %s", seed, p.Practice)
			}
		}
	}
}
