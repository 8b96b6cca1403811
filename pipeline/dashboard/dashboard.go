// Package dashboard makes one page of a published period: a section for the area, for each place
// and for each practice, in a single file that needs no network.
//
// It knows how figures are shown, added up and charted, and how small counts are kept from
// readers. It reads the tables through [published] and the calendar and words of the contract's
// file; it refuses to know the inbox and any rule: a figure comes from the tables, or is a sum or
// a share of what does.
package dashboard

import (
	"bufio"
	"crypto/sha256"
	_ "embed" // the page's parts
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"regexp"
	"strings"
)

// Options say how a page is made.
type Options struct {
	Suppress bool   // hide small counts
	Program  string // that makes it, with its version
}

//go:embed page.tmpl
var pageTemplate string

//go:embed page.css
var pageStyles string

//go:embed page.js
var pageScript string

// chartScript is Chart.js as its makers publish it, under the MIT licence beside it.
//
//go:embed assets/chart.umd.min.js
var chartScript string

var chartVersion = regexp.MustCompile(`Chart\.js v([0-9.]+)`)

// ChartVersion is the version of Chart.js that every page holds, as its first lines say; "" where
// they do not.
func ChartVersion() string {
	if found := chartVersion.FindStringSubmatch(chartScript); found != nil {
		return found[1]
	}
	return ""
}

// liveScript runs before the first section is read, so that a browser lays none out that is not
// gone to: a large page would keep it busy for minutes.
const liveScript = `document.documentElement.classList.add('live')`

// Write writes the page of the material.
func Write(to io.Writer, m *Material, o Options) error {
	parsed, err := template.New("page").Parse(pageTemplate)
	if err != nil {
		return fmt.Errorf("parse the page's template: %w", err)
	}
	out := bufio.NewWriterSize(to, 1<<16)
	if err := parsed.Execute(out, newPage(m, o)); err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	return out.Flush()
}

func newPage(m *Material, o Options) page {
	var rule Suppression
	if o.Suppress {
		rule = smallNumbers()
	}
	b := newBuilder(m, rule)
	charts, _, _ := strings.Cut(chartScript, "\n//# sourceMappingURL=") // the map is not part of the page
	banner, _, _ := strings.Cut(strings.TrimPrefix(charts, "/*!\n * "), "\n")
	p := page{
		Charts:   banner,
		Title:    "LTC LES " + string(m.Period.Year()) + ", " + periodName(m.Period),
		Subtitle: "as at " + day(m.AsAt),
		Sections: b.sections(),
		Styles:   template.HTML("<style>" + pageStyles + "</style>\n<script>" + liveScript + "</script>"),
		Scripts:  template.HTML("<script>" + charts + "</script>\n<script>" + pageScript + "</script>"),
		Policy: strings.Join([]string{
			"default-src 'none'", "script-src " + hashOf(liveScript) + " " + hashOf(charts) + " " + hashOf(pageScript), "style-src " + hashOf(pageStyles),
			"img-src data:", "base-uri 'none'", "form-action 'none'",
		}, "; "),
		Facts: []fact{
			{"Contract year", string(m.Period.Year())}, {"Period", m.Period.String()}, {"As at", m.AsAt.String()}, {"Activity up to", m.CutOff().String()},
			{"Status", m.Status}, {"Run", m.RunID}, {"Snapshot", m.Snapshot}, {"Contract file", m.Contract.Source}, {"Made by", o.Program},
		},
	}
	if m.ContractNote != "" {
		p.Notes = append(p.Notes, m.ContractNote)
	}
	if rule.IsOn() {
		p.Notes = append(p.Notes, fmt.Sprintf("Counts of patients from 1 to %d are hidden, others are rounded to the nearest %d.", rule.Hide, rule.Round))
	}
	return p
}

// hashOf is how a content security policy names a script or a style.
func hashOf(content string) string {
	sum := sha256.Sum256([]byte(content))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}
