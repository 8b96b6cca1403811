package snapshot

import (
	"fmt"
	"math/big"
	"slices"

	"ltcles/pipeline/civil"
	"ltcles/pipeline/schema"
)

// money is what the tables say of one practice's money; amounts are whole pence, nil for null.
type money struct {
	counted, onTime, projected *int64             // assessments, from its position
	payments                   map[string]payment // by domain
	reconciliation             *reconciliation    // nil where there is no row
	calendar                   []paid
	instalments                []*int64
}

type payment struct{ annual, earned, held *int64 }

type reconciliation struct {
	value, advance, paid, earned, held, other, projected *int64
}

// terms are the same for every practice of a period.
type terms struct{ status, basis string }

// paid is when an instalment is paid, and what for.
type paid struct {
	number int64
	month  civil.Date
	covers string
}

const assessmentsDomain, domain2, wholeContract = "assessments", "domain_2", "whole_contract"

func domains() []string {
	table, _ := schema.Lookup("fact_payment")
	column, _ := table.Column("domain")
	return column.Values
}

func readPayment(s *fileSet, c *cursor) func(*ledger) {
	practice, domain := c.col("practice_code"), c.col("domain")
	annual, advance, earned, held, balance := c.col("annual_value"), c.col("advance_value"), c.col("earned_value"), c.col("held_value"), c.col("balance")
	return func(l *ledger) {
		code, p := s.practiceOf(c, l, practice)
		l.add(quantity{"fact_payment", rowCount}, ofPart(code, s.keep(domain.text())), 1)
		for _, amount := range []*column{annual, advance, earned, held, balance} {
			l.take(quantity{"fact_payment", amount.Name + ", added up in pence"}, ofPractice(code), amount)
		}
		checkWithin(c, advance, annual)
		checkWithin(c, earned, annual)
		checkWithin(c, held, earned)
		checkNullTogether(c, annual, advance)
		checkNullTogether(c, earned, held)
		checkBalance(c, balance, earned, advance)
		if p.money.payments == nil {
			p.money.payments = map[string]payment{}
		}
		p.money.payments[s.keep(domain.text())] = payment{annual.numberOrNil(), earned.numberOrNil(), held.numberOrNil()}
	}
}

func readReconciliation(s *fileSet, c *cursor) func(*ledger) {
	practice, status, basis, direction := c.col("practice_code"), c.col("status"), c.col("basis"), c.col("direction")
	value, advance, paid := c.col("contract_value"), c.col("advance_value"), c.col("advance_paid_to_date")
	earned, held, balance := c.col("earned_value"), c.col("held_value"), c.col("balance")
	other, otherBalance := c.col("earned_value_other_basis"), c.col("balance_other_basis")
	projected, projectedBalance := c.col("projected_earned_value"), c.col("projected_balance")
	return func(l *ledger) {
		code, p := s.practiceOf(c, l, practice)
		l.add(quantity{"fact_reconciliation", rowCount}, ofPractice(code), 1)
		for _, amount := range []*column{value, advance, paid, earned, held, balance} {
			l.take(quantity{"fact_reconciliation", amount.Name + " in pence"}, ofPractice(code), amount)
		}
		if own := (terms{status.text(), basis.text()}); l.terms == nil {
			l.terms = &terms{s.keep(own.status), s.keep(own.basis)}
		} else if own != *l.terms {
			c.broken("has status %s and basis %s; expected %s and %s, as the rows before", own.status, own.basis, l.terms.status, l.terms.basis)
		}
		if want := c.runs[l.year].Status; status.text() != want {
			c.broken("has status %q; expected %s, as the manifest says of its period", status.text(), want)
		}
		checkWithin(c, advance, value)
		checkWithin(c, paid, advance)
		checkWithin(c, earned, value)
		checkWithin(c, held, earned)
		checkNullTogether(c, value, advance)
		checkNullTogether(c, advance, paid)
		checkNullTogether(c, earned, held)
		checkBalance(c, balance, earned, advance)
		checkBalance(c, otherBalance, other, advance)
		checkBalance(c, projectedBalance, projected, advance)
		if want := directionOf(status.text(), balance.numberOrNil()); direction.textOr() != want {
			c.broken("has direction %q; expected %q for status %s and its balance", direction.textOr(), want, status.text())
		}
		p.money.reconciliation = &reconciliation{value.numberOrNil(), advance.numberOrNil(), paid.numberOrNil(),
			earned.numberOrNil(), held.numberOrNil(), other.numberOrNil(), projected.numberOrNil()}
	}
}

// directionOf is R20's: none before the year end is frozen, then that of the balance's sign.
func directionOf(status string, balance *int64) string {
	switch {
	case status != Final || balance == nil:
		return ""
	case *balance > 0:
		return "pay"
	case *balance < 0:
		return "recoup"
	}
	return "none"
}

func readInstalment(s *fileSet, c *cursor) func(*ledger) {
	practice, number, month, covers, amount := c.col("practice_code"), c.col("instalment"), c.col("paid_month"), c.col("covers"), c.col("amount")
	return func(l *ledger) {
		_, p := s.practiceOf(c, l, practice)
		p.money.calendar = append(p.money.calendar, paid{number.whole(), month.date(), s.keep(covers.text())})
		p.money.instalments = append(p.money.instalments, amount.numberOrNil())
	}
}

func checkWithin(c *cursor, part, whole *column) {
	if !part.null() && !whole.null() && (part.pence() < 0 || part.pence() > whole.pence()) {
		c.broken("has %s %s; expected 0 to %s, its %s", part.Name, pounds(part.numberOrNil()), pounds(whole.numberOrNil()), whole.Name)
	}
}

func checkNullTogether(c *cursor, one, other *column) {
	if one.null() != other.null() {
		c.broken("has one of %s and %s; expected both or none", one.Name, other.Name)
	}
}

func checkBalance(c *cursor, balance, earned, advance *column) {
	if want := minus(earned.numberOrNil(), advance.numberOrNil()); !same(balance.numberOrNil(), want) {
		c.broken("has %s %s; expected %s, %s less %s", balance.Name, pounds(balance.numberOrNil()), pounds(want), earned.Name, advance.Name)
	}
}

// settleMoney works R19 out again from the contract value, the assessments domain's and the
// practice's position, under both bases.
func (l *ledger) settleMoney(s *fileSet) {
	if s.sound["fact_instalment"] && s.sound["fact_reconciliation"] {
		l.settleInstalments(s)
	}
	if !s.sound["fact_payment"] || !s.sound["fact_reconciliation"] || !s.sound["dim_practice"] {
		return
	}
	for _, code := range sortedKeys(l.practices) {
		p := l.practices[code]
		if p.money.reconciliation == nil || len(p.money.payments) != len(domains()) {
			continue // said where rows are counted
		}
		l.settleReconciliation(s, code, p)
		l.settlePayments(s, code, p)
	}
}

func (l *ledger) settleReconciliation(s *fileSet, code string, p *practice) {
	wrong := func(column string, got, want *int64) {
		if !same(got, want) {
			s.report.add(s.file("fact_reconciliation"), "fact_reconciliation", "practice %s: %s is %s; expected %s", code, column, pounds(got), pounds(want))
		}
	}
	got := *p.money.reconciliation
	if !p.weighted {
		wrong("contract_value", got.value, nil)
	}
	other := domain2
	if l.terms.basis == domain2 {
		other = wholeContract
	}
	earned := p.earns(l.terms.basis, p.money.counted)
	wrong("earned_value", got.earned, earned)
	wrong("held_value", got.held, minus(earned, p.earns(l.terms.basis, p.money.onTime)))
	wrong("earned_value_other_basis", got.other, p.earns(other, p.money.counted))
	wrong("projected_earned_value", got.projected, p.earns(l.terms.basis, p.money.projected))
}

// earns is what so many assessments earn on a basis; nil where that cannot be known.
func (p *practice) earns(basis string, assessments *int64) *int64 {
	value, byActivity := p.money.reconciliation.value, p.money.reconciliation.value
	if basis == domain2 {
		byActivity = p.money.payments[assessmentsDomain].annual
	}
	if value == nil || byActivity == nil || assessments == nil || p.target == 0 {
		return nil
	}
	earned := *value - *byActivity + share(*byActivity, min(*assessments, p.target), p.target)
	return &earned
}

// share is pence x part / whole, half up.
func share(pence, part, whole int64) int64 {
	twice := new(big.Int).Mul(big.NewInt(2*pence), big.NewInt(part))
	return twice.Add(twice, big.NewInt(whole)).Div(twice, big.NewInt(2*whole)).Int64()
}

// settlePayments: on domain_2 the domains that do not follow activity are earned in full, and the
// assessments domain earns the rest; on whole_contract each domain earns its part, to within the
// pence that rounding and the odd penny can move.
func (l *ledger) settlePayments(s *fileSet, code string, p *practice) {
	wrong := func(domain, column string, got, want *int64) {
		s.report.add(s.file("fact_payment"), "fact_payment", "practice %s, %s: %s is %s; expected %s", code, domain, column, pounds(got), pounds(want))
	}
	zero := int64(0)
	for _, domain := range domains() {
		got := p.money.payments[domain]
		var earned, held *int64
		switch {
		case p.state == "missing":
		case l.terms.basis == domain2 && domain != assessmentsDomain:
			if earned = got.annual; earned != nil {
				held = &zero
			}
		case got.annual != nil && p.money.counted != nil && p.money.onTime != nil && p.target > 0:
			all := share(*got.annual, min(*p.money.counted, p.target), p.target)
			late := all - share(*got.annual, min(*p.money.onTime, p.target), p.target)
			earned, held = &all, &late
		}
		within := int64(0)
		if l.terms.basis == wholeContract {
			within = 3 // the value's odd penny, the sum's rounding and its odd penny
		}
		if !near(got.earned, earned, within) {
			wrong(domain, "earned_value", got.earned, earned)
		}
		if !near(got.held, held, within) {
			wrong(domain, "held_value", got.held, held)
		}
	}
}

// settleInstalments: they add up to the advance, are equal but for the odd pence, which come
// first, and each practice has the same calendar.
func (l *ledger) settleInstalments(s *fileSet) {
	var calendar []paid
	for _, code := range sortedKeys(l.practices) {
		p := l.practices[code]
		wrong := func(format string, args ...any) {
			s.report.add(s.file("fact_instalment"), "fact_instalment", "practice "+code+": "+format, args...)
		}
		if p.money.reconciliation == nil {
			continue
		}
		if calendar == nil {
			calendar = p.money.calendar
			for i, instalment := range calendar {
				if instalment.number != int64(i)+1 || i > 0 && instalment.month < calendar[i-1].month {
					wrong("has instalment %d paid in %s; expected numbers from 1 in the order of payment", instalment.number, instalment.month)
				}
			}
		}
		if !slices.Equal(p.money.calendar, calendar) || len(calendar) == 0 {
			wrong("has %d instalments or other months; expected the %d that the other practices have", len(p.money.calendar), len(calendar))
			continue
		}
		l.settleAdvance(p, wrong)
	}
}

func (l *ledger) settleAdvance(p *practice, wrong func(format string, args ...any)) {
	advance, n := p.money.reconciliation.advance, int64(len(p.money.calendar))
	toDate := int64(0)
	for i, got := range p.money.instalments {
		var want *int64
		if advance != nil {
			equal := *advance / n
			if int64(i) < *advance%n {
				equal++
			}
			want = &equal
			if p.money.calendar[i].month <= l.lastMonth {
				toDate += equal
			}
		}
		if !same(got, want) {
			wrong("instalment %d is %s; expected %s of the advance of %s", i+1, pounds(got), pounds(want), pounds(advance))
		}
	}
	if got := p.money.reconciliation.paid; advance != nil && !same(got, &toDate) {
		wrong("instalments up to the period's month are %s; expected %s, advance_paid_to_date in fact_reconciliation", pounds(&toDate), pounds(got))
	}
}

// minus is nil where either is.
func minus(a, b *int64) *int64 {
	if a == nil || b == nil {
		return nil
	}
	difference := *a - *b
	return &difference
}

func same(a, b *int64) bool { return near(a, b, 0) }

// near says that both are null, or neither and no further apart.
func near(a, b *int64, within int64) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return max(*a, *b)-min(*a, *b) <= within
}

// pounds prints pence, and nil as null.
func pounds(pence *int64) string {
	if pence == nil {
		return "null"
	}
	sign, whole := "", *pence
	if whole < 0 {
		sign, whole = "-", -whole
	}
	return fmt.Sprintf("%s%d.%02d", sign, whole/100, whole%100)
}
