package workbook

import (
	"ltcles/pipeline/published"
	"ltcles/pipeline/schema"
)

// sheets are the lists, in the order of the workbook.
func (w *writing) sheets() []sheet {
	return []sheet{w.reconciliation(), w.payments(), w.instalments(), w.positions(), w.segments()}
}

// practiceColumns begin every list.
func practiceColumns() []column {
	return []column{
		{title: "Practice", table: "dim_practice", name: "practice_code", width: 9, value: func(l line) any { return l.practice.Code }},
		{title: "Name", table: "dim_practice", name: "practice_name", width: 27, value: func(l line) any { return words(l.practice.Name) }},
		{title: "Place", table: "dim_practice", name: "place", width: 20, value: func(l line) any { return words(l.practice.Place) }},
		{title: "Files", table: "fact_coverage", name: "state", width: 9, value: func(l line) any { return l.practice.Coverage.State }},
	}
}

func (w *writing) reconciliation() sheet {
	const table = "fact_reconciliation"
	amount := func(title, name string, of func(r published.Reconciliation) *published.Pence) column {
		return column{title: title, table: table, name: name, kind: money, width: 13, isTotal: true, value: func(l line) any { return pounds(of(l.practice.Reconciliation)) }}
	}
	s := sheet{name: "Reconciliation", grain: "practice", remark: w.basis(), columns: append(practiceColumns(),
		column{title: "Weighted population", table: "dim_practice", name: "weighted_population", kind: decimal, width: 13, isTotal: true,
			value: func(l line) any { return fraction(l.practice.WeightedPopulation) }},
		column{title: "£ per weighted head", kind: money, width: 11, meaning: "Pounds per weighted head at the practice's place, from the contract file; blank where not set.", value: w.perHead},
		amount("Contract value", "contract_value", func(r published.Reconciliation) *published.Pence { return r.ContractValue }),
		amount("Advance", "advance_value", func(r published.Reconciliation) *published.Pence { return r.AdvanceValue }),
		amount("Advance paid to date", "advance_paid_to_date", func(r published.Reconciliation) *published.Pence { return r.AdvancePaidToDate }),
		amount("Earned", "earned_value", func(r published.Reconciliation) *published.Pence { return r.EarnedValue }),
		amount("Held", "held_value", func(r published.Reconciliation) *published.Pence { return r.HeldValue }),
		column{title: "Earned and not held", kind: money, width: 13, meaning: "Earned less held.", value: notHeld, formula: less("Earned", "Held")},
		amount("Balance", "balance", func(r published.Reconciliation) *published.Pence { return r.Balance }).reckoned(less("Earned", "Advance")),
		column{title: "Direction", table: table, name: "direction", kind: yesNo, width: 10, value: func(l line) any { return words(l.practice.Reconciliation.Direction) }},
		amount("Earned on the other basis", "earned_value_other_basis", func(r published.Reconciliation) *published.Pence { return r.EarnedValueOtherBasis }),
		amount("Balance on the other basis", "balance_other_basis", func(r published.Reconciliation) *published.Pence { return r.BalanceOtherBasis }).
			reckoned(less("Earned on the other basis", "Advance")),
		amount("Projected earned", "projected_earned_value", func(r published.Reconciliation) *published.Pence { return r.ProjectedEarnedValue }),
		amount("Projected balance", "projected_balance", func(r published.Reconciliation) *published.Pence { return r.ProjectedBalance }).
			reckoned(less("Projected earned", "Advance")),
	)}
	for _, practice := range w.year.Practices {
		s.lines = append(s.lines, line{practice: practice})
	}
	return s
}

// basis is the reading of what is earned, for every line the same.
func (w *writing) basis() string {
	text := ", basis " + w.contract.Policies.ReconciliationBasis
	if w.contract.Policies.ReconciliationBasisAssumed {
		text += " (to be confirmed)"
	}
	return text
}

// reckoned is the column with a formula in the place of its values.
func (c column) reckoned(formula func(at func(title string) string) string) column {
	c.formula = formula
	return c
}

// less is the difference of two amounts of the line.
func less(from, what string) func(at func(title string) string) string {
	return func(at func(title string) string) string { return "ROUND(" + at(from) + "-" + at(what) + ",2)" }
}

func (w *writing) perHead(l line) any {
	if l.practice.Place == nil {
		return nil
	}
	perHead := w.contract.PencePerWeightedHead[*l.practice.Place]
	if perHead == nil {
		return nil
	}
	return float64(*perHead) / 100
}

func notHeld(l line) any {
	earned, held := l.practice.Reconciliation.EarnedValue, l.practice.Reconciliation.HeldValue
	if earned == nil || held == nil {
		return nil
	}
	return float64(*earned-*held) / 100
}

func (w *writing) payments() sheet {
	const table = "fact_payment"
	amount := func(title, name string, of func(p *published.Payment) *published.Pence) column {
		return column{title: title, table: table, name: name, kind: money, width: 13, isTotal: true, value: func(l line) any { return pounds(of(l.payment)) }}
	}
	s := sheet{name: "Payments", grain: "practice and domain", remark: w.basis(), columns: append(practiceColumns(),
		column{title: "Domain", table: table, name: "domain", width: 16, value: func(l line) any { return l.payment.Domain }},
		amount("Annual value", "annual_value", func(p *published.Payment) *published.Pence { return p.AnnualValue }),
		amount("Advance", "advance_value", func(p *published.Payment) *published.Pence { return p.AdvanceValue }),
		amount("Earned", "earned_value", func(p *published.Payment) *published.Pence { return p.EarnedValue }),
		amount("Held", "held_value", func(p *published.Payment) *published.Pence { return p.HeldValue }),
		amount("Balance", "balance", func(p *published.Payment) *published.Pence { return p.Balance }).reckoned(less("Earned", "Advance")),
	)}
	for _, practice := range w.year.Practices {
		for i := range practice.Payments {
			s.lines = append(s.lines, line{practice: practice, payment: &practice.Payments[i]})
		}
	}
	return s
}

func (w *writing) instalments() sheet {
	const table = "fact_instalment"
	s := sheet{name: "Instalments", grain: "practice and instalment of the advance", columns: append(practiceColumns(),
		column{title: "Instalment", table: table, name: "instalment", kind: whole, width: 11, value: func(l line) any { return l.instalment.Instalment }},
		column{title: "Paid in", table: table, name: "paid_month", kind: month, width: 12, value: func(l line) any { return date(l.instalment.PaidMonth) }},
		column{title: "For", table: table, name: "covers", width: 18, value: func(l line) any { return l.instalment.Covers }},
		column{title: "Amount", table: table, name: "amount", kind: money, width: 13, isTotal: true, value: func(l line) any { return pounds(l.instalment.Amount) }},
	)}
	for _, practice := range w.year.Practices {
		for i := range practice.Instalments {
			s.lines = append(s.lines, line{practice: practice, instalment: &practice.Instalments[i]})
		}
	}
	return s
}

func (w *writing) positions() sheet {
	const table = "fact_practice_position"
	count := func(title, name string, of func(p published.Position) *int64) column {
		return column{title: title, table: table, name: name, kind: whole, width: 12, isTotal: true, value: func(l line) any { return number(of(l.practice.Position)) }}
	}
	ratio := func(title, name string, of func(p published.Position) *float64) column {
		return column{title: title, table: table, name: name, kind: share, width: 12, value: func(l line) any { return fraction(of(l.practice.Position)) }}
	}
	s := sheet{name: "Positions", grain: "practice", columns: append(practiceColumns(),
		column{title: "PCN", table: "dim_practice", name: "pcn_name", width: 24, value: func(l line) any { return words(l.practice.PCNName) }},
		count("Annual target", "annual_target", func(p published.Position) *int64 { return p.AnnualTarget }),
		count("Assessments", "assessments", func(p published.Position) *int64 { return p.Assessments }),
		count("Counted", "counted", func(p published.Position) *int64 { return p.Counted }),
		count("Counted on time", "counted_on_time", func(p published.Position) *int64 { return p.CountedOnTime }),
		count("Counted late", "counted_late", func(p published.Position) *int64 { return p.CountedLate }),
		count("Counted, date unproven", "counted_unproven", func(p published.Position) *int64 { return p.CountedUnproven }),
		ratio("Achievement", "achievement", func(p published.Position) *float64 { return p.Achievement }).reckoned(divided("Counted", "Annual target")),
		ratio("Achievement, capped", "achievement_capped", func(p published.Position) *float64 { return p.AchievementCapped }).
			reckoned(func(at func(title string) string) string { return "MIN(1," + at("Achievement") + ")" }),
		ratio("Achievement, all", "achievement_all", func(p published.Position) *float64 { return p.AchievementAll }).reckoned(divided("Assessments", "Annual target")),
		column{title: "Expected to date", table: table, name: "expected_to_date", kind: decimal, width: 12, value: func(l line) any { return fraction(l.practice.Position.ExpectedToDate) }},
		count("Projected year end", "projected_year_end", func(p published.Position) *int64 { return p.ProjectedYearEnd }),
		count("In no segment", "without_segment", func(p published.Position) *int64 { return p.WithoutSegment }),
		count("Without eligibility", "without_eligibility", func(p published.Position) *int64 { return p.WithoutEligibility }),
		count("Repeat assessments", "repeat_assessments", func(p published.Position) *int64 { return p.RepeatAssessments }),
		count("Removed, left", "removed_left", func(p published.Position) *int64 { return p.RemovedLeft }),
		count("Removed, died", "removed_deceased", func(p published.Position) *int64 { return p.RemovedDeceased }),
		count("Eligible patients", "eligible_patients", func(p published.Position) *int64 { return p.EligiblePatients }),
		count("Patients in a segment", "cohort_patients", func(p published.Position) *int64 { return p.CohortPatients }),
		count("Outstanding patients", "outstanding_patients", func(p published.Position) *int64 { return p.OutstandingPatients }),
		count("Shortfall, inclusive", "inclusive_shortfall", func(p published.Position) *int64 { return p.InclusiveShortfall }),
		count("Shortfall, exclusive", "exclusive_shortfall", func(p published.Position) *int64 { return p.ExclusiveShortfall }),
		column{title: "Minimums met", table: table, name: "segments_met", kind: whole, width: 10, value: func(l line) any { return number(l.practice.Position.SegmentsMet) }},
		column{title: "Files received", table: table, name: "files_received", kind: whole, width: 10, isTotal: true, value: func(l line) any { return l.practice.Position.FilesReceived }},
	)}
	for _, practice := range w.year.Practices {
		s.lines = append(s.lines, line{practice: practice})
	}
	return s
}

// divided is the quotient of two numbers of the line.
func divided(part, by string) func(at func(title string) string) string {
	return func(at func(title string) string) string { return at(part) + "/" + at(by) }
}

func (w *writing) segments() sheet {
	const table = "fact_segment_count"
	// A patient in several segments stands in each of them: only what is not patients is added up.
	count := func(title, name string, isTotal bool, of func(s *published.SegmentCount) *int64) column {
		return column{title: title, table: table, name: name, kind: whole, width: 13, isTotal: isTotal, value: func(l line) any { return number(of(l.segment)) }}
	}
	names := map[string]published.Segment{}
	for _, segment := range w.year.Segments {
		names[segment.Segment] = segment
	}
	s := sheet{name: "Segments", grain: "practice and segment", columns: append(practiceColumns(),
		column{title: "Segment", table: "dim_segment", name: "segment_name", width: 36, value: func(l line) any { return names[l.segment.Segment].Name }},
		column{title: "Cohort", table: table, name: "cohort", width: 22, value: func(l line) any { return words(l.segment.Cohort) }},
		column{title: "Minimum share", table: "dim_segment", name: "minimum_share", kind: share, width: 10, value: func(l line) any { return fraction(names[l.segment.Segment].MinimumShare) }},
		count("Minimum", "minimum_required", true, func(s *published.SegmentCount) *int64 { return s.MinimumRequired }),
		count("Patients", "cohort_patients", false, func(s *published.SegmentCount) *int64 { return s.CohortPatients }),
		count("Assessed", "assessed_patients", false, func(s *published.SegmentCount) *int64 { return s.AssessedPatients }),
		count("Assessed on time", "assessed_on_time", false, func(s *published.SegmentCount) *int64 { return s.AssessedOnTime }),
		count("Outstanding", "outstanding_patients", false, func(s *published.SegmentCount) *int64 { return s.OutstandingPatients }),
		count("Shortfall", "shortfall", true, func(s *published.SegmentCount) *int64 { return s.Shortfall }).
			reckoned(func(at func(title string) string) string {
				return "MAX(0," + at("Minimum") + "-" + at("Assessed") + ")"
			}),
		column{title: "Minimum met", table: table, name: "is_minimum_met", kind: yesNo, width: 10, value: func(l line) any { return truth(l.segment.IsMinimumMet) }},
	)}
	for _, practice := range w.year.Practices {
		for i := range practice.Segments {
			s.lines = append(s.lines, line{practice: practice, segment: &practice.Segments[i]})
		}
	}
	return s
}

// meaningOf is what a column means, as the tables' definition says it.
func meaningOf(c column) string {
	if c.table == "" {
		return c.meaning
	}
	table, _ := schema.Lookup(c.table)
	column, _ := table.Column(c.name)
	return column.Meaning
}
