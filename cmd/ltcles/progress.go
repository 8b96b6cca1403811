package main

import (
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"ltcles/pipeline"
)

// progress shows how far a run has come: a bar on a terminal, and one plain line
// for each step elsewhere.
type progress struct {
	mu       sync.Mutex
	to       io.Writer
	terminal bool
	quiet    bool
	step     string
	bar      *progressbar.ProgressBar
}

func newProgress(to io.Writer, quiet bool) *progress {
	return &progress{to: to, quiet: quiet, terminal: isTerminal(to)}
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
	if at.Step != p.step {
		p.end()
		p.step = at.Step
		if p.terminal {
			p.bar = progressbar.NewOptions64(at.Total,
				progressbar.OptionSetWriter(p.to),
				progressbar.OptionSetDescription(at.Step),
				progressbar.OptionShowCount(),
				progressbar.OptionSetWidth(30),
				progressbar.OptionClearOnFinish(),
				progressbar.OptionEnableColorCodes(os.Getenv("NO_COLOR") == ""),
			)
		}
	}
	if p.bar != nil {
		_ = p.bar.Set64(at.Done) // a bar that cannot be drawn is no reason to stop
	} else if at.Done == at.Total {
		fmt.Fprintf(p.to, "%s: %d\n", at.Step, at.Total)
	}
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
