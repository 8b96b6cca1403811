package main

import (
	"strings"
	"testing"
	"time"

	"ltcles/pipeline"
)

// Where there is no terminal a step ends with a line, and one that takes long says now
// and then how far it is, at what pace, and what is left by the bytes to be read.
func TestProgressInPlainLines(t *testing.T) {
	var out strings.Builder
	now := time.Date(2026, 7, 2, 9, 0, 0, 0, time.UTC)
	p := &progress{to: &out, now: func() time.Time { return now }}
	for _, at := range []struct {
		pipeline.Progress
		after time.Duration
	}{
		{pipeline.Progress{Step: "inspecting files", Done: 1, Total: 2}, 0},
		{pipeline.Progress{Step: "inspecting files", Done: 2, Total: 2}, time.Second},
		{pipeline.Progress{Step: "reading files", Done: 1, Total: 4, Rows: 10, DoneBytes: 100, TotalBytes: 1000}, time.Second},
		{pipeline.Progress{Step: "reading files", Done: 2, Total: 4, Rows: 90, DoneBytes: 250, TotalBytes: 1000}, 10 * time.Second},
		{pipeline.Progress{Step: "reading files", Done: 3, Total: 4, Rows: 95, DoneBytes: 900, TotalBytes: 1000}, time.Second},
		{pipeline.Progress{Step: "reading files", Done: 4, Total: 4, Rows: 100, DoneBytes: 1000, TotalBytes: 1000}, 9 * time.Second},
		{pipeline.Progress{Step: "computing", Done: 1, Total: 3}, 0},
		{pipeline.Progress{Step: "computing", Done: 2, Total: 3}, 20 * time.Second},
	} {
		now = now.Add(at.after)
		p.update(at.Progress)
	}
	const want = `inspecting files: 2
reading files: 2 of 4, 90 rows, 9 rows a second, about 30s left
reading files: 4, 100 rows, 5 rows a second
computing: 2 of 3
`
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
	p.quiet = true
	p.update(pipeline.Progress{Step: "computing", Done: 3, Total: 3})
	if out.String() != want {
		t.Error("it is not quiet")
	}
}
