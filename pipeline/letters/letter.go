package letters

import (
	"cmp"
	"fmt"
	"strings"

	"ltcles/pipeline/contract"
	"ltcles/pipeline/published"
	"ltcles/pipeline/snapshot"
)

// Letter is what a template is given for one practice. What is not known prints as "not known";
// values print as they stand in a letter.
type Letter struct {
	Year     string // 2026-27
	Period   string // 2026-06, or 2026-27 for a year end
	AsAt     Day
	CutOff   Day // the last day that the figures are about
	YearEnd  Day
	RunID    string
	IsFinal  bool
	Practice Practice

	IsMissing    bool // no file of the practice was read: no activity is known
	HasTarget    bool
	HasValue     bool // the contract value is known
	HasEarned    bool // what is earned is known: a target, a contract value and files
	NoPopulation bool // no weighted population is set

	CountsWithoutSegment bool // the policies of the contract
	RequiresEligibility  bool

	Target               Count
	Assessments          Count
	Counted              Count
	OnTime               Count
	Late                 Count
	Unproven             Count
	WithoutSegment       Count
	WithoutEligibility   Count
	Repeats              Count
	Left                 Count
	Deceased             Count
	Outstanding          Count
	Expected             Count // by the cut-off at an even pace
	Projected            Count
	ToAdvance            Count // further assessments to the share of the target that the advance stands for
	ToTarget             Count
	SegmentsMet          Count
	Inclusive            Count
	Exclusive            Count
	Achievement          string
	AchievementAll       string // with the assessments of patients in no segment
	ProjectedAchievement string

	Segments      []Segment
	SegmentTotal  int
	AdvanceShare  string // 80 %
	Money         Reconciliation
	Band          Band // of the counted assessments
	ProjectedBand Band
	Dates         []DueDate
	Deadlines     Deadlines

	contract *contract.Contract
}

// IsAssumed says that no source states the value under a key of the contract file for this year, so
// that it is printed "to be confirmed". A key that cannot be assumed is the template's fault.
func (l Letter) IsAssumed(key string) (bool, error) {
	if !contract.IsAssumable(key) {
		return false, fmt.Errorf("the contract file has no key %q that can be assumed", key)
	}
	return l.contract.IsAssumed(key), nil
}

// Practice is whom the letter is to.
type Practice struct {
	Code        string
	Name        Text
	Place       Text
	PCN         Text
	Choice      string // diabetes, frailty, or "" while the place has not chosen
	HasPlace    bool
	HasPCN      bool
	PlaceChosen bool
}

// Segment is one of the five against its minimum.
type Segment struct {
	Name        Text
	Share       string
	Minimum     Count
	Patients    Count
	Assessed    Count
	Shortfall   Count
	IsMet       bool
	IsJudged    bool // there is a minimum, and activity is known
	IsUndecided bool // the place has not chosen
}

// Reconciliation is the money, and the figures that it is computed from.
type Reconciliation struct {
	Basis            string // domain_2 or whole_contract
	IsDomain2        bool
	IsBasisAssumed   bool
	Weighted         string
	PerHead          Money
	Domains          []Domain
	ByActivity       Domain // the assessments domain
	Value            Money
	Advance          Money
	PaidToDate       Money
	Earned           Money
	Held             Money
	Balance          Money
	OtherEarned      Money
	OtherBalance     Money
	ProjectedEarned  Money
	ProjectedBalance Money
	Activity         Count // counted, and the target where that is less
	ProjectedCounted Count // projected, and the target where that is less
	FixedBalance     Money // of the domains that are earned in full, under domain_2
}

// Domain is one part of the contract value.
type Domain struct {
	Name    string
	Share   string
	Value   Money
	Advance Money
	Earned  Money
	Held    Money
	Balance Money
}

// Band is where achievement stands against the advance's share and the target.
type Band struct {
	IsBelow   bool // the advance is not earned by activity
	IsBetween bool // up to the target, the target included
	IsAbove   bool
}

// DueDate is a line of the year's calendar.
type DueDate struct {
	When      string
	What      Text
	IsAssumed bool
}

// Deadlines are the dates that a letter's sentences name.
type Deadlines struct {
	Coding, MitigationOpens, MitigationCloses, PanelWeek, Decision, Reconciliation Due
	IsMitigationKnown                                                              bool
}

// Due is a date, with whether it is to be confirmed.
type Due struct {
	Day
	IsAssumed bool
	IsMonth   bool
}

// String is the date, marked where no source states it for the year.
func (d Due) String() string {
	text := d.Day.String()
	if d.IsMonth {
		text = d.Month()
	}
	if d.IsAssumed && !d.date.IsNone() {
		return text + " (to be confirmed)"
	}
	return text
}

// writing is what the letters of one period have in common.
type writing struct {
	contract *contract.Contract
	period   contract.Period
	at       snapshot.PublishedPeriod
	year     *published.Year
}

// letter gathers what the tables say of one practice.
func (w writing) letter(p *published.Practice) Letter {
	position, reconciliation := p.Position, p.Reconciliation
	target := position.AnnualTarget
	if target != nil && *target == 0 {
		target = nil // R18: a target of 0 reads as none
	}
	letter := Letter{
		Year: w.at.ContractYear, Period: w.at.Period, AsAt: Day{w.at.AsAt}, CutOff: Day{min(w.period.End(), w.at.AsAt)},
		YearEnd: Day{w.contract.Year.End()}, RunID: w.at.RunID, IsFinal: w.at.Status == snapshot.Final,
		Practice: practiceOf(p), IsMissing: p.IsMissing(), HasTarget: target != nil,
		HasValue: reconciliation.ContractValue != nil, HasEarned: reconciliation.EarnedValue != nil, NoPopulation: p.WeightedPopulation == nil,
		Target: Count{target}, Assessments: Count{position.Assessments}, Counted: Count{position.Counted},
		OnTime: Count{position.CountedOnTime}, Late: Count{position.CountedLate}, Unproven: Count{position.CountedUnproven},
		WithoutSegment: Count{position.WithoutSegment}, WithoutEligibility: Count{position.WithoutEligibility}, Repeats: Count{position.RepeatAssessments},
		Left: Count{position.RemovedLeft}, Deceased: Count{position.RemovedDeceased}, Outstanding: Count{position.OutstandingPatients},
		Expected: Count{halfUp(position.ExpectedToDate)}, Projected: Count{position.ProjectedYearEnd},
		SegmentsMet: Count{position.SegmentsMet}, Inclusive: Count{position.InclusiveShortfall}, Exclusive: Count{position.ExclusiveShortfall},
		Achievement: percentOf(position.Counted, target), AchievementAll: percentOf(position.Assessments, target),
		ProjectedAchievement: percentOf(position.ProjectedYearEnd, target), AdvanceShare: percent(w.contract.AdvanceShare.String()),
		SegmentTotal: len(p.Segments), Segments: w.segments(p), Money: w.money(p, target),
		Band: w.band(position.Counted, target), ProjectedBand: w.band(position.ProjectedYearEnd, target),
		Deadlines: w.deadlines(), contract: w.contract,
		CountsWithoutSegment: w.contract.Policies.CountWithoutSegment, RequiresEligibility: w.contract.Policies.RequireEligibility,
	}
	if target != nil && position.Counted != nil {
		toAdvance := max(0, w.contract.AdvanceShare.CeilingOf(*target)-*position.Counted)
		toTarget := max(0, *target-*position.Counted)
		letter.ToAdvance, letter.ToTarget = Count{&toAdvance}, Count{&toTarget}
	}
	for _, due := range w.contract.Calendar(w.contract.Year.Start()) {
		letter.Dates = append(letter.Dates, DueDate{due.Text(), Text(strings.ToUpper(due.What[:1]) + due.What[1:]), due.IsAssumed})
	}
	return letter
}

func practiceOf(p *published.Practice) Practice {
	text := func(value *string) Text {
		if value == nil {
			return notKnown
		}
		return Text(*value)
	}
	practice := Practice{
		Code: p.Code, Name: Text(p.Title()), Place: text(p.Place), PCN: text(p.PCNName),
		HasPlace: p.Place != nil, HasPCN: p.PCNName != nil, PlaceChosen: p.PlaceChoice != nil,
	}
	if p.PlaceChoice != nil {
		practice.Choice = *p.PlaceChoice
	}
	return practice
}

func (w writing) segments(p *published.Practice) []Segment {
	var segments []Segment
	for i, count := range p.Segments {
		of := w.year.Segments[i]
		segments = append(segments, Segment{
			Name: Text(segmentName(of, count)), Share: shareText(of.MinimumShare), Minimum: Count{count.MinimumRequired},
			Patients: Count{count.CohortPatients}, Assessed: Count{count.AssessedPatients}, Shortfall: Count{count.Shortfall},
			IsMet: count.IsMinimumMet != nil && *count.IsMinimumMet, IsJudged: count.IsMinimumMet != nil,
			IsUndecided: of.Segment == contract.PlaceChoice && count.Cohort == nil,
		})
	}
	return segments
}

// segmentName is the segment's, with what the place chose for it.
func segmentName(of published.Segment, count published.SegmentCount) string {
	if of.Segment == contract.PlaceChoice && count.Cohort != nil {
		return "Place choice: " + *count.Cohort
	}
	return of.Name
}

func (w writing) money(p *published.Practice, target *int64) Reconciliation {
	from := p.Reconciliation
	money := Reconciliation{
		Basis: from.Basis, IsDomain2: from.Basis == contract.Domain2, IsBasisAssumed: w.contract.Policies.ReconciliationBasisAssumed,
		Weighted: notKnown, Value: Money{from.ContractValue}, Advance: Money{from.AdvanceValue}, PaidToDate: Money{from.AdvancePaidToDate},
		Earned: Money{from.EarnedValue}, Held: Money{from.HeldValue}, Balance: Money{from.Balance},
		OtherEarned: Money{from.EarnedValueOtherBasis}, OtherBalance: Money{from.BalanceOtherBasis},
		ProjectedEarned: Money{from.ProjectedEarnedValue}, ProjectedBalance: Money{from.ProjectedBalance},
		Activity: capped(p.Position.Counted, target), ProjectedCounted: capped(p.Position.ProjectedYearEnd, target),
	}
	if p.WeightedPopulation != nil {
		money.Weighted = populationText(*p.WeightedPopulation)
	}
	if p.Place != nil {
		if perHead := w.contract.PencePerWeightedHead[*p.Place]; perHead != nil {
			pence := published.Pence(*perHead)
			money.PerHead = Money{&pence}
		}
	}
	names := map[string]string{contract.Implementation: "Implementation", contract.Assessments: "Assessments", contract.MDTDomain: "MDT approach"}
	var fixed published.Pence
	isFixedKnown := money.IsDomain2
	for i, payment := range p.Payments {
		domain := Domain{
			Name: cmp.Or(names[payment.Domain], payment.Domain), Share: percent(w.contract.Domains[i].Share.String()),
			Value: Money{payment.AnnualValue}, Advance: Money{payment.AdvanceValue},
			Earned: Money{payment.EarnedValue}, Held: Money{payment.HeldValue}, Balance: Money{payment.Balance},
		}
		money.Domains = append(money.Domains, domain)
		switch {
		case payment.Domain == contract.Assessments:
			money.ByActivity = domain
		case payment.Balance == nil:
			isFixedKnown = false
		default:
			fixed += *payment.Balance
		}
	}
	if isFixedKnown {
		money.FixedBalance = Money{&fixed}
	}
	return money
}

func capped(assessments, target *int64) Count {
	if assessments == nil || target == nil {
		return Count{}
	}
	return Count{new(min(*assessments, *target))}
}

func (w writing) band(assessments, target *int64) Band {
	if assessments == nil || target == nil {
		return Band{}
	}
	below := *assessments < w.contract.AdvanceShare.CeilingOf(*target)
	above := *assessments > *target
	return Band{IsBelow: below, IsBetween: !below && !above, IsAbove: above}
}

func (w writing) deadlines() Deadlines {
	c := w.contract
	return Deadlines{
		Coding:            Due{Day: Day{c.CodingDeadline}, IsAssumed: c.IsAssumed("coding_deadline")},
		MitigationOpens:   Due{Day: Day{c.MitigationOpens}, IsAssumed: c.IsAssumed("mitigation_opens")},
		MitigationCloses:  Due{Day: Day{c.MitigationCloses}, IsAssumed: c.IsAssumed("mitigation_closes")},
		PanelWeek:         Due{Day: Day{c.PanelWeek}, IsAssumed: c.IsAssumed("panel_week")},
		Decision:          Due{Day: Day{c.DecisionDate}, IsAssumed: c.IsAssumed("decision_date")},
		Reconciliation:    Due{Day: Day{c.ReconciliationMonth}, IsAssumed: c.IsAssumed("reconciliation_month"), IsMonth: true},
		IsMitigationKnown: !c.MitigationOpens.IsNone() && !c.MitigationCloses.IsNone(),
	}
}

func halfUp(value *float64) *int64 {
	if value == nil {
		return nil
	}
	return new(int64(*value + 0.5))
}
