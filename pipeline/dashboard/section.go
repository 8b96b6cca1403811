package dashboard

import (
	"fmt"
	"slices"
	"strings"

	"ltcles/pipeline/civil"
	"ltcles/pipeline/published"
	"ltcles/pipeline/schema"
)

// builder makes the sections of a page.
type builder struct {
	*Material
	rule    Suppression
	cutOff  civil.Date
	months  []civil.Date // of the contract year, up to the cut-off
	isPlain bool         // the counted are the assessed in any segment, so that segments cover them
	lags    map[string][]Lag
	history map[string][]Past
	checks  map[string]schema.Check
	names   map[string]string // of segments
}

func newBuilder(m *Material, rule Suppression) *builder {
	b := &builder{
		Material: m, rule: rule, cutOff: m.CutOff(), isPlain: true,
		lags: map[string][]Lag{}, history: map[string][]Past{}, checks: map[string]schema.Check{}, names: map[string]string{},
	}
	for month := m.Period.Year().Start(); month <= b.cutOff; month = civil.FromTime(month.Time().AddDate(0, 1, 0)) {
		b.months = append(b.months, month)
	}
	for _, lag := range m.Lags {
		b.lags[lag.Practice] = append(b.lags[lag.Practice], lag)
	}
	for _, past := range m.History {
		b.history[past.Practice] = append(b.history[past.Practice], past)
	}
	for _, check := range schema.Findings() {
		b.checks[check.Name] = check
	}
	for _, segment := range m.Year.Segments {
		b.names[segment.Segment] = segment.Name
	}
	for _, p := range m.Year.Practices {
		var assessed int64
		for _, row := range p.Overlaps {
			assessed += row.AssessedPatients
		}
		b.isPlain = b.isPlain && valueOf(p.Position.Counted) == assessed
	}
	return b
}

func (b *builder) segment(segment string) published.Segment {
	at := slices.IndexFunc(b.Year.Segments, func(s published.Segment) bool { return s.Segment == segment })
	if at < 0 {
		return published.Segment{Segment: segment, Name: words(segment)}
	}
	return b.Year.Segments[at]
}

// daysTo counts the days of the contract year up to a day, both included (R17).
func (b *builder) daysTo(d civil.Date) int64 { return int64(d-b.Period.Year().Start()) + 1 }

// expectedBy is the part of a target that falls on the days up to a day (R17).
func (b *builder) expectedBy(target int64, d civil.Date) float64 {
	return float64(target) * float64(b.daysTo(d)) / float64(b.daysTo(b.Period.Year().End()))
}

// placed is a place with its practices.
type placed struct {
	name      string
	practices []*published.Practice
	figures   []*figures
}

const placeNotStated = "Place not stated"

// sections are the area, then each place, then each practice.
func (b *builder) sections() []section {
	var places []*placed
	var all []*figures
	for _, p := range b.Year.Practices {
		title := placeNotStated
		if p.Place != nil && *p.Place != "" {
			title = *p.Place
		}
		at := slices.IndexFunc(places, func(other *placed) bool { return other.name == title })
		if at < 0 {
			at = len(places)
			places = append(places, &placed{name: title})
		}
		f := b.practiceFigures(p)
		places[at].practices, places[at].figures = append(places[at].practices, p), append(places[at].figures, f)
		all = append(all, f)
	}
	slices.SortFunc(places, func(x, y *placed) int { return strings.Compare(x.name, y.name) })
	made := []section{b.area(all, places)}
	var ofPractices []section
	for at, place := range places {
		made = append(made, b.place(at, place))
		for i, p := range place.practices {
			ofPractices = append(ofPractices, b.practice(p, place.figures[i], placeLink(at, place.name)))
		}
	}
	slices.SortFunc(ofPractices, func(x, y section) int { return strings.Compare(x.ID, y.ID) })
	return append(made, ofPractices...)
}

func areaLink() link { return link{"#area", "All practices"} }

func placeLink(at int, name string) link { return link{fmt.Sprintf("#place-%d", at+1), name} }

func practiceLink(code string) string { return "#practice-" + code }

func (b *builder) area(all []*figures, places []*placed) section {
	f := b.added(all)
	s := section{ID: "area", Kind: "area", Title: "All practices", About: []string{some(f.practices, "practice"), some(len(places), "place")}}
	s.Notes = b.notes(f)
	s.Cards = b.cards(f)
	s.Blocks = append(s.Blocks, b.placesBlock(s.ID, places), b.league(s.ID, b.Year.Practices, all))
	s.Blocks = append(s.Blocks, b.common(s.ID, f)...)
	s.Blocks = append(s.Blocks, b.missingBlock(s.ID, f), b.due(s.ID), b.meanings(s.ID))
	return withBlocks(s)
}

func (b *builder) place(at int, p *placed) section {
	f := b.added(p.figures)
	s := section{ID: placeLink(at, p.name).Href[1:], Kind: "place", Title: p.name, Up: []link{areaLink()}, About: []string{some(f.practices, "practice"), "place choice: " + choiceOf(p.practices)}}
	s.Notes = b.notes(f)
	s.Cards = b.cards(f)
	s.Blocks = append([]block{b.league(s.ID, p.practices, p.figures)}, b.common(s.ID, f)...)
	s.Blocks = append(s.Blocks, b.missingBlock(s.ID, f))
	return withBlocks(s)
}

func (b *builder) practice(p *published.Practice, f *figures, place link) section {
	s := section{ID: practiceLink(p.Code)[1:], Kind: "practice", Title: p.Title(), Up: []link{areaLink(), place}}
	s.About = []string{"code " + p.Code}
	if p.PCNName != nil {
		s.About = append(s.About, *p.PCNName)
	}
	s.About = append(s.About, "place choice: "+choiceOf([]*published.Practice{p}))
	if p.RegisteredPopulation != nil {
		s.About = append(s.About, published.Grouped(*p.RegisteredPopulation)+" registered")
	}
	s.Notes = b.notes(f)
	s.Cards = b.cards(f)
	if !p.IsMissing() {
		s.Blocks = append(s.Blocks, b.common(s.ID, f)...)
	} else {
		s.Blocks = append(s.Blocks, b.findings(s.ID, f), b.money(s.ID, f))
	}
	s.Blocks = append(s.Blocks, b.received(s.ID, f))
	return withBlocks(s)
}

// withBlocks drops the blocks that have nothing to say.
func withBlocks(s section) section {
	s.Blocks = slices.DeleteFunc(s.Blocks, func(b block) bool { return b.Heading == "" })
	return s
}

// choiceOf is what the practices' place chose; several where they differ.
func choiceOf(practices []*published.Practice) string {
	var all []string
	for _, p := range practices {
		choice := "undecided"
		if p.PlaceChoice != nil {
			choice = *p.PlaceChoice
		}
		if !slices.Contains(all, choice) {
			all = append(all, choice)
		}
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}
