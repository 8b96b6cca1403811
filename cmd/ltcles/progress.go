package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"ltcles/pipeline"
)

// plainInterval is how often a step that takes long says how far it is where there
// is no terminal.
const plainInterval = 10 * time.Second

// progress shows how far a run has come: a bar on a terminal, and elsewhere a plain
// line at the end of each step, and now and then where a step takes long.
type progress struct {
	mu       sync.Mutex
	to       io.Writer
	now      func() time.Time
	terminal bool
	quiet    bool
	step     string
	began    time.Time // the step
	said     time.Time // the last plain line, or the step's beginning
	bar      *progressbar.ProgressBar
}

func newProgress(to io.Writer, quiet bool) *progress {
	return &progress{to: to, now: time.Now, quiet: quiet, terminal: isTerminal(to)}
}

// isTerminal tells whether a stream is a person's.
func isTerminal(stream any) bool {
	file, isFile := stream.(*os.File)
	return isFile && term.IsTerminal(int(file.Fd()))
}

func (p *progress) update(at pipeline.Progress) {
	if p.quiet {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if at.Step != p.step {
		p.end()
		p.step, p.began, p.said = at.Step, now, now
		if p.terminal {
			p.bar = p.newBar(at)
		}
	}
	switch {
	case p.bar != nil && at.TotalBytes > 0:
		p.bar.Describe(reached(at, now.Sub(p.began)))
		_ = p.bar.Set64(at.DoneBytes) // a bar that cannot be drawn is no reason to stop
	case p.bar != nil:
		_ = p.bar.Set64(at.Done)
	case at.Done == at.Total:
		fmt.Fprintln(p.to, reached(at, now.Sub(p.began)))
	case now.Sub(p.said) >= plainInterval:
		p.said = now
		fmt.Fprintln(p.to, reached(at, now.Sub(p.began)))
	}
}

// newBar makes a bar of bytes, which tell how long is left, where the step has them.
func (p *progress) newBar(at pipeline.Progress) *progressbar.ProgressBar {
	total, options := at.Total, []progressbar.Option{
		progressbar.OptionSetWriter(p.to),
		progressbar.OptionSetDescription(at.Step),
		progressbar.OptionSetWidth(30),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionEnableColorCodes(os.Getenv("NO_COLOR") == ""),
		progressbar.OptionSetPredictTime(at.TotalBytes > 0),
	}
	if at.TotalBytes > 0 {
		total = at.TotalBytes
	} else {
		options = append(options, progressbar.OptionShowCount())
	}
	return progressbar.NewOptions64(total, options...)
}

// reached says how far a step is: what is done, at what pace, and what is left where
// the bytes that are to be read tell it.
func reached(at pipeline.Progress, since time.Duration) string {
	line := fmt.Sprintf("%s: %d", at.Step, at.Done)
	if at.Done < at.Total {
		line += fmt.Sprintf(" of %d", at.Total)
	}
	if at.Rows > 0 {
		line += fmt.Sprintf(", %d rows", at.Rows)
		if seconds := since.Seconds(); seconds >= 1 {
			line += fmt.Sprintf(", %.0f rows a second", float64(at.Rows)/seconds)
		}
	}
	if at.DoneBytes > 0 && at.DoneBytes < at.TotalBytes && since >= time.Second {
		left := time.Duration(float64(since) * float64(at.TotalBytes-at.DoneBytes) / float64(at.DoneBytes))
		line += fmt.Sprintf(", about %s left", left.Round(time.Second))
	}
	return line
}

func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Finish()
		p.bar = nil
	}
}

// finish takes the bar off the terminal.
func (p *progress) finish() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.end()
}
