package letters

import (
	"testing"

	"ltcles/pipeline/contract"
	"ltcles/pipeline/published"
	"ltcles/pipeline/snapshot"
)

// What a letter says on the other basis, in the other year, and where the balance is not what
// the achievement alone suggests.
func TestReadings(t *testing.T) {
	t.Run("below 80 % and still owed", func(t *testing.T) {
		text := letterTo(t, "2026-27", contract.Rulings{}, func(p *published.Practice) {
			worth(p, 15, 894438, 427775)
		})
		check(t, "the letter", text, []string{
			"> **15 assessments counted against a target of 20: 75.0 %.** On these figures £648.13 is to be paid to your practice.",
			"less than 80 % of your target. In the assessments domain £4,562.94 was paid in advance and activity supports £4,277.75, so £285.19 of that advance is not supported.",
			"left open of them, £933.32, is set against it. **What remains, £648.13, is paid to you in the payment run of June 2027.**",
		}, []string{"recouped in the payment run", "payment plan"})
	})
	t.Run("exactly the advance", func(t *testing.T) {
		text := letterTo(t, "2026-27", contract.Rulings{ReconciliationBasis: contract.WholeContract}, func(p *published.Practice) {
			worth(p, 16, 829625, 456294)
		})
		check(t, "the letter", text, []string{
			"80.0 %.** On these figures you have earned exactly what was paid in advance", "**You earned what was paid in advance: nothing is paid or recouped.**",
			"The whole contract value follows activity. £10,370.30 × 16 ÷ 20 = £8,296.25.", "On the other basis, where payment follows activity in the assessments domain only,",
		}, []string{"this basis is to be confirmed"})
	})
	t.Run("below 80 % of the whole contract", func(t *testing.T) {
		text := letterTo(t, "2026-27", contract.Rulings{ReconciliationBasis: contract.WholeContract}, func(p *published.Practice) {
			worth(p, 12, 622218, 342220)
		})
		check(t, "the letter", text, []string{
			"3 patients assessed here this year were assessed last year too.", "Activity supports £6,222.18 of the £8,296.25 that was paid in advance. **What remains, £2,074.07, is recouped in the payment run of June 2027.**", "payment plan",
		}, []string{"In the assessments domain"})
	})
	t.Run("2025-26", func(t *testing.T) {
		text := letterTo(t, "2025-26", contract.Rulings{}, func(p *published.Practice) {
			worth(p, 18, 979993, 513330)
			p.Segments[0].MinimumRequired, p.Segments[0].IsMinimumMet = nil, nil
		})
		check(t, "the letter", text, []string{
			"weighted patients × £8.40 a head (to be confirmed) =", "(this basis is to be confirmed)", "| Population health management | not set | not set |", "coded by 10 April 2026.",
			"from 30 April 2026, or earlier", "Implementation 35 %, Assessments 53 %, MDT approach 12 %.", "| 8 May 2026 | Mitigation window closes |",
		}, []string{"April 2026 (to be confirmed)", "last year's guidance"})
	})
	t.Run("assumed", func(t *testing.T) {
		text := letterTo(t, "2026-27", contract.Rulings{}, func(p *published.Practice) { worth(p, 18, 979993, 513330) }, "domains", "advance_share", "minimum_share", "instalments", "pounds_per_weighted_head")
		check(t, "the letter", text, []string{
			"| Minimum share (to be confirmed) |", "MDT approach 25 % (to be confirmed). Odd", "80 % of each domain (to be confirmed), £8,296.25", "through the year (to be confirmed).", "£8.40 a head (to be confirmed)",
		}, nil)
	})
	t.Run("policies", func(t *testing.T) {
		yes := true
		text := letterTo(t, "2026-27", contract.Rulings{CountWithoutSegment: &yes, RequireEligibility: &yes}, func(p *published.Practice) {
			worth(p, 18, 979993, 513330)
			p.Position.WithoutEligibility = new(int64(1))
		})
		check(t, "the letter", text, []string{"1 assessment lacks the code that marks a patient as eligible. It does not count.", "| Of these in no segment | 0 |"}, []string{"so not counted", "in no segment counted too"})
	})
}

// letterTo is the performance letter to one practice that is made up.
func letterTo(t *testing.T, year contract.Year, rulings contract.Rulings, change func(p *published.Practice), assumed ...string) string {
	t.Helper()
	c, err := contract.Load("", year)
	if err != nil {
		t.Fatal(err)
	}
	c.Assumed = append(c.Assumed, assumed...)
	c.Rule(rulings)
	asAt := year.End() + 12
	w := writing{
		contract: c, period: contract.YearEnd(year), year: &published.Year{},
		at: snapshot.PublishedPeriod{ContractYear: string(year), Period: string(year), AsAt: asAt, Status: snapshot.Final},
	}
	practice := &published.Practice{
		Code: "Y90001", Place: new("Blackpool"), PlaceChoice: new("diabetes"), WeightedPopulation: new(1234.56),
		Coverage: published.Coverage{State: "supplied"}, Reconciliation: published.Reconciliation{Basis: c.Policies.ReconciliationBasis},
	}
	for _, segment := range c.Segments {
		of := published.Segment{Segment: segment.Segment, Name: segment.Name}
		if segment.MinimumShare != nil {
			of.MinimumShare = new(segment.MinimumShare.Float())
		}
		w.year.Segments = append(w.year.Segments, of)
		practice.Segments = append(practice.Segments, published.SegmentCount{
			Segment: segment.Segment, Cohort: new("diabetes"), CohortPatients: new(int64(9)), AssessedPatients: new(int64(4)), MinimumRequired: new(int64(2)), Shortfall: new(int64(0)), IsMinimumMet: new(true),
		})
	}
	change(practice)
	template, err := loadTemplate("", Performance)
	if err != nil {
		t.Fatal(err)
	}
	text, err := template.markdown(w.letter(practice))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// worth gives a practice with a target of 20 its activity and money; the domains are those of 2026-27.
func worth(p *published.Practice, counted int64, earned, assessments published.Pence) {
	zero, pence := new(int64(0)), func(n published.Pence) *published.Pence { return &n }
	p.Position = published.Position{
		AnnualTarget: new(int64(20)), Assessments: &counted, Counted: &counted, CountedOnTime: &counted, CountedLate: zero, CountedUnproven: zero,
		WithoutSegment: zero, WithoutEligibility: zero, RepeatAssessments: new(int64(3)), RemovedLeft: zero, RemovedDeceased: zero,
		SegmentsMet: new(int64(5)), InclusiveShortfall: zero, ExclusiveShortfall: zero,
	}
	r := &p.Reconciliation
	r.ContractValue, r.AdvanceValue, r.EarnedValue, r.HeldValue, r.Balance = pence(1037030), pence(829625), pence(earned), pence(0), pence(earned-829625)
	r.EarnedValueOtherBasis, r.BalanceOtherBasis = pence(1), pence(-2)
	p.Payments = []published.Payment{
		{Domain: contract.Implementation, AnnualValue: pence(207406), AdvanceValue: pence(165925), EarnedValue: pence(207406), Balance: pence(41481)},
		{Domain: contract.Assessments, AnnualValue: pence(570367), AdvanceValue: pence(456294), EarnedValue: pence(assessments), Balance: pence(assessments - 456294)},
		{Domain: contract.MDTDomain, AnnualValue: pence(259257), AdvanceValue: pence(207406), EarnedValue: pence(259257), Balance: pence(51851)},
	}
}
