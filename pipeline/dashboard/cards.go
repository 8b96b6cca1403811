package dashboard

import (
	"fmt"
	"math"

	"ltcles/pipeline/contract"
	"ltcles/pipeline/published"
)

func (b *builder) notes(f *figures) []note {
	var all []note
	switch {
	case f.practices == 1 && len(f.missing) == 1:
		all = append(all, note{"bad", "No data: no search export or bulk extract of this practice was read. Its figures are missing, which is not zero."})
	case len(f.missing) > 0:
		all = append(all, note{"bad", fmt.Sprintf("%s of %d without data. Their figures are missing, not zero: they are in no count, target or percentage of this section. Their targets come to %s.",
			some(len(f.missing), "practice"), f.practices, published.Grouped(f.missingTarget))})
	}
	switch {
	case f.untargeted > 0 && f.practices == 1:
		all = append(all, note{"", "No annual target is entered for this practice, so there is no achievement, no pace and no minimum."})
	case f.untargeted > 0:
		all = append(all, note{"", some(f.untargeted, "practice") + " without an annual target: what they did is counted, and left out of achievement and pace."})
	}
	return all
}

func (b *builder) cards(f *figures) []card {
	achieved := card{Label: "Counted assessments", Value: f.counted.Text(b.rule)}
	switch {
	case f.counted.Standing == NoData && f.target > 0:
		achieved.Detail = "target " + published.Grouped(f.target)
	case f.target == 0:
		achieved.Detail = "no target"
	default:
		achieved.Detail = fmt.Sprintf("%s of the target of %s", b.share(f.towards, f.target).Text, published.Grouped(f.target))
		if f.towards.IsShown() {
			achieved.Bar = &bar{Done: percentage(float64(f.towards.N) / float64(f.target)), Expected: percentage(f.expected / float64(f.target))}
		}
	}
	cards := []card{achieved, b.paceCard(f), b.projectionCard(f)}
	if !b.rule.IsOn() {
		met := card{Label: "Segments that have their minimum", Value: b.judged(f, f.segmentsMet).Text}
		if f.segmentsMet.IsShown() && f.practices == 1 {
			met.Value = fmt.Sprintf("%d of %d", f.segmentsMet.N, len(b.Year.Segments))
		} else if f.segmentsMet.IsShown() {
			met.Value = fmt.Sprintf("%s of %s", f.segmentsMet.Text(b.rule), published.Grouped(int64(len(b.Year.Segments)*(f.practices-len(f.missing)-f.untargeted))))
		}
		if f.inclusive.IsShown() {
			met.Detail = fmt.Sprintf("short of minimums by %s; by %s if each assessment serves one segment", f.inclusive.Text(b.rule), f.exclusive.Text(b.rule))
		}
		cards = append(cards, met)
	}
	cards = append(cards, b.remainsCard(f))
	if f.atStake != nil {
		cards = append(cards, card{Label: "At stake in data quality", Value: "up to " + f.atStake.Pounds(), Detail: "an assessment may be in several of the findings below"})
	}
	return cards
}

func (b *builder) paceCard(f *figures) card {
	c := card{Label: "Against pace"}
	switch {
	case f.counted.Standing == NoData:
		c.Value = "no data"
	case f.target == 0:
		c.Value = "no target"
	case !f.towards.IsShown():
		c.Value = "not shown"
	default:
		ahead := float64(f.towards.N) - f.expected
		by := fmt.Sprintf("%.0f", math.Abs(ahead))
		if b.rule.IsOn() {
			by = fmt.Sprint(b.rule.nearest(int64(math.Abs(ahead) + 0.5)))
		}
		switch {
		case by == "0":
			c.Value = "on pace"
		case ahead < 0:
			c.Value, c.Tone = by+" behind", "bad"
		default:
			c.Value, c.Tone = by+" ahead", "good"
		}
	}
	if f.target > 0 && f.counted.Standing != NoData {
		c.Detail = fmt.Sprintf("%.0f expected by %s, %d of %d days", f.expected, day(b.cutOff), b.daysTo(b.cutOff), b.daysTo(b.Period.Year().End()))
	}
	return c
}

func (b *builder) projectionCard(f *figures) card {
	c := card{Label: "Projected for the year", Value: f.projected.Text(b.rule)}
	if f.projected.IsShown() {
		c.Detail = "at the pace so far"
		if f.target > 0 && f.untargeted == 0 {
			c.Detail = b.percent(f.projected.N, f.target) + " of the target, at the pace so far"
		}
	}
	return c
}

// remainsCard says what is lacking for the advance and for the target. Of several practices the
// sums of what each lacks would hide who is over target, so they are of the sum.
func (b *builder) remainsCard(f *figures) card {
	c := card{Label: "Still to do for the target"}
	if f.target == 0 || !f.towards.IsShown() {
		c.Value = b.share(f.towards, f.target).Text
		return c
	}
	left := int64(b.Period.Year().End() - b.cutOff)
	toTarget := f.towards.lackingTo(f.target, b.rule)
	toAdvance := f.towards.lackingTo(b.Contract.AdvanceShare.CeilingOf(f.target), b.rule)
	c.Value = toTarget.Text(b.rule)
	c.Detail = fmt.Sprintf("%s for the advance (%s)", toAdvance.Text(b.rule), b.Contract.AdvanceShare)
	if week := contract.AWeek(toTarget.N, left); week != nil && !b.rule.IsOn() {
		c.Detail = fmt.Sprintf("%.1f a week; %s", *week, c.Detail)
	}
	return c
}
