package dashboard

import (
	"fmt"
	"math"
	"strings"

	"ltcles/pipeline/civil"
	"ltcles/pipeline/contract"
	"ltcles/pipeline/published"
)

// What the template prints. Every text is escaped by it.

type page struct {
	Title    string
	Subtitle string
	Notes    []string
	Sections []section
	Styles   any
	Scripts  any
	Policy   string
	Charts   string // what draws the charts, with its version
	Facts    []fact
}

type section struct {
	ID     string
	Kind   string // area, place, practice
	Title  string
	About  []string
	Up     []link
	Notes  []note
	Cards  []card
	Blocks []block
}

type link struct{ Href, Text string }

type note struct{ Tone, Text string }

type fact struct{ Name, Value string }

// card is a headline figure.
type card struct {
	Label, Value, Detail string
	Tone                 string // good, bad, or none
	Bar                  *bar
}

// bar is a share of a whole, with where it is expected to be; in percent.
type bar struct{ Done, Expected string }

type block struct {
	ID      string
	Heading string
	IsWide  bool // over the whole width, where two blocks could stand side by side
	Lead    []string
	Tables  []table
	Facts   []fact
	Links   []link
}

// table is a table, and the chart in front of it where it has one.
type table struct {
	Name    string // what the table is of, the same in every section
	Caption string
	Chart   string // what the chart shows, for those who do not see it; "" for no chart
	Kind    string // bars, or rows for bars that lie
	Sorts   bool
	Folded  bool // opened by whoever wants it
	Head    []head
	Rows    [][]cell
	Foot    []string
}

type head struct {
	Text    string
	Number  bool
	Series  string // bar, line or dash: how the column is drawn
	Sorting string // ascending or descending where the table comes in this column's order
}

type cell struct {
	Text   string
	Href   string
	IsName bool   // a text that others wrote, in whatever direction it is read
	Order  string // what it sorts by, where that is not the text
	Tone   string
}

func text(format string, args ...any) cell {
	if len(args) > 0 {
		format = fmt.Sprintf(format, args...)
	}
	return cell{Text: format}
}

func name(of *string) cell {
	if of == nil || *of == "" {
		return cell{Text: "not stated", Tone: "quiet"}
	}
	return cell{Text: *of, IsName: true}
}

// count is a cell of a count; what is no number sorts below all numbers.
func (b *builder) count(c Count) cell {
	switch c.Standing {
	case Exact, Rounded:
		return cell{Text: c.Text(b.rule)}
	case Hidden:
		return cell{Text: c.Text(b.rule), Order: fmt.Sprint(b.rule.middle()), Tone: "quiet"}
	}
	return cell{Text: c.Text(b.rule), Order: "-1", Tone: "quiet"}
}

func whole(n int64) cell { return text(published.Grouped(n)) }

func maybe(n *int64, without string) cell {
	if n == nil {
		return cell{Text: without, Order: "-1", Tone: "quiet"}
	}
	return whole(*n)
}

func pounds(p *published.Pence) cell {
	if p == nil {
		return cell{Text: "not known", Order: fmt.Sprint(math.MinInt32), Tone: "quiet"}
	}
	return text(p.Pounds())
}

// share is a part of a target, and "no target" without one.
func (b *builder) share(c Count, target int64) cell {
	switch {
	case target == 0:
		return cell{Text: "no target", Order: "-1", Tone: "quiet"}
	case c.Standing == NoData:
		return b.count(c)
	case !c.IsShown():
		return cell{Text: "not shown", Order: "-1", Tone: "quiet"}
	}
	return text(b.percent(c.N, target))
}

// judged is a count that rests on the target: without one there is no such count, whatever is known.
func (b *builder) judged(f *figures, c Count) cell {
	if c.Standing == NoData && f.target == 0 && len(f.missing) < f.practices {
		return cell{Text: "no target", Order: "-1", Tone: "quiet"}
	}
	return b.count(c)
}

// percent is a part of a whole in words. One of rounded counts is given in whole percents.
func (b *builder) percent(part, whole int64) string {
	if b.rule.IsOn() {
		return fmt.Sprintf("%.0f\u00a0%%", float64(part)/float64(whole)*100)
	}
	return published.PercentOf(part, whole)
}

func day(d civil.Date) string {
	if d.IsNone() {
		return "none"
	}
	return d.Time().Format("2 January 2006")
}

func monthName(d civil.Date) string { return d.Time().Format("Jan 2006") }

func periodName(p contract.Period) string {
	switch {
	case p.IsSupplement():
		return "supplement " + p.String()
	case p.IsYearEnd():
		return "year end " + p.String()
	}
	return p.Start().Time().Format("January 2006")
}

// some says how many there are of a thing.
func some(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return published.Grouped(int64(n)) + " " + one + "s"
}

// words makes a name of the tables readable.
func words(name string) string { return strings.ReplaceAll(name, "_", " ") }
