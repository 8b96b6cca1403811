package oracle

import (
	"math/big"
	"slices"
)

// money makes fact_payment, fact_reconciliation and fact_instalment (R19, R20), in whole pence.
func (d *decision) money(out *Output) {
	for n, practice := range d.in.Practices {
		value := contractValue(practice)
		advance := d.instalments(practice, value, out)
		d.payments(practice, value, out.Positions[n], out)
		d.reconciliation(practice, value, advance, out.Positions[n], out)
	}
}

// contractValue is weighted population × £ per head; nil where either is not known.
func contractValue(practice Practice) *int64 {
	heads, ok := new(big.Rat).SetString(practice.Weighted)
	if !ok || practice.PencePerHead == nil {
		return nil
	}
	value := halfUp(new(big.Rat).Mul(heads, whole(*practice.PencePerHead)))
	return &value
}

// domainValues splits the contract value, and advances what of each is paid in advance.
func (d *decision) domainValues(value int64) (values, advances []int64) {
	values = d.split(value, nil)
	for _, part := range values {
		advances = append(advances, halfUp(new(big.Rat).Mul(whole(part), perMillion(d.in.Contract.AdvancePPM))))
	}
	return values, advances
}

// split gives each domain its share of an amount in whole pence: rounded down, and then the pence
// that are left one by one to the domain with the largest remainder, the first of equal ones. A
// domain that has reached its limit is served after the others.
func (d *decision) split(amount int64, limits []int64) []int64 {
	domains := d.in.Contract.Domains
	parts := make([]int64, len(domains))
	remainders := make([]*big.Rat, len(domains))
	left := amount
	order := make([]int, len(domains))
	for n, domain := range domains {
		exact := new(big.Rat).Mul(whole(amount), perMillion(domain.SharePPM))
		parts[n] = floor(exact)
		remainders[n] = exact.Sub(exact, whole(parts[n]))
		left -= parts[n]
		order[n] = n
	}
	isFull := func(n int) bool { return limits != nil && parts[n] >= limits[n] }
	slices.SortStableFunc(order, func(a, b int) int {
		if isFull(a) != isFull(b) {
			return compareFalseLast(!isFull(a), !isFull(b))
		}
		return remainders[b].Cmp(remainders[a])
	})
	for _, n := range order[:left] {
		parts[n]++
	}
	return parts
}

// instalments makes fact_instalment and returns what is paid in advance: over the year, and up to
// the period's month.
func (d *decision) instalments(practice Practice, value *int64, out *Output) (paid struct{ year, toDate *int64 }) {
	count := int64(len(d.in.Contract.Instalments))
	var year, toDate int64
	if value != nil {
		_, advances := d.domainValues(*value)
		for _, advance := range advances {
			year += advance
		}
		paid.year, paid.toDate = &year, &toDate
	}
	for n, instalment := range d.in.Contract.Instalments {
		row := InstalmentRow{Practice: practice.Code, Number: int64(n) + 1, Paid: instalment.Paid, Covers: instalment.Covers}
		if value != nil {
			amount := year / count
			if int64(n) < year%count {
				amount++ // the odd pence first
			}
			row.Amount = &amount
			if instalment.Paid <= d.in.PeriodEnd {
				toDate += amount
			}
		}
		out.Instalments = append(out.Instalments, row)
	}
	return paid
}

// earned is what so many assessments earn on a basis, and the part of it that follows activity;
// nil where that is not known: without a target, a value, or activity.
func (d *decision) earned(practice Practice, value, assessments *int64, basis string) (all, byActivity *int64) {
	if practice.Target == nil || *practice.Target == 0 || value == nil || assessments == nil {
		return nil, nil
	}
	values, _ := d.domainValues(*value)
	var inFull, follows int64
	for n, domain := range d.in.Contract.Domains {
		if basis == "whole_contract" || domain.Domain == "assessments" {
			follows += values[n]
		} else {
			inFull += values[n]
		}
	}
	achieved := big.NewRat(*assessments, *practice.Target)
	if achieved.Cmp(whole(1)) > 0 {
		achieved = whole(1)
	}
	part := halfUp(achieved.Mul(achieved, whole(follows)))
	total := inFull + part
	return &total, &part
}

// payments makes fact_payment: one row per practice and domain.
func (d *decision) payments(practice Practice, value *int64, position Position, out *Output) {
	basis := d.in.Contract.Basis
	_, byActivity := d.earned(practice, value, position.Counted, basis)
	_, onTime := d.earned(practice, value, position.CountedOnTime, basis)
	var values, advances, earned, held []int64
	if value != nil {
		values, advances = d.domainValues(*value)
	}
	if byActivity != nil && basis == "whole_contract" {
		earned = d.split(*byActivity, values)
		held = d.split(*byActivity-*onTime, earned)
	}
	for n, domain := range d.in.Contract.Domains {
		row := Payment{Practice: practice.Code, Domain: domain.Domain}
		if value != nil {
			row.Annual, row.Advance = &values[n], &advances[n]
		}
		switch {
		case value == nil || !d.isSupplied(practice.Code):
		case earned != nil:
			row.Earned, row.Held = &earned[n], &held[n]
		case basis == "domain_2" && domain.Domain != "assessments":
			row.Earned, row.Held = &values[n], new(int64)
		case basis == "domain_2" && byActivity != nil:
			row.Earned, row.Held = byActivity, less(byActivity, onTime)
		}
		row.Balance = less(row.Earned, row.Advance)
		out.Payments = append(out.Payments, row)
	}
}

// reconciliation makes a practice's row of fact_reconciliation.
func (d *decision) reconciliation(practice Practice, value *int64, advance struct{ year, toDate *int64 }, position Position, out *Output) {
	basis, other := d.in.Contract.Basis, "whole_contract"
	if basis == other {
		other = "domain_2"
	}
	row := Reconciliation{Practice: practice.Code, Status: "provisional", Basis: basis, Value: value, Advance: advance.year, Paid: advance.toDate}
	row.Earned, _ = d.earned(practice, value, position.Counted, basis)
	onTime, _ := d.earned(practice, value, position.CountedOnTime, basis)
	row.Held = less(row.Earned, onTime)
	row.Balance = less(row.Earned, row.Advance)
	row.OtherEarned, _ = d.earned(practice, value, position.Counted, other)
	row.OtherBalance = less(row.OtherEarned, row.Advance)
	row.ProjectedEarned, _ = d.earned(practice, value, position.ProjectedYearEnd, basis)
	row.ProjectedBalance = less(row.ProjectedEarned, row.Advance)
	out.Reconciliations = append(out.Reconciliations, row)
}

func whole(n int64) *big.Rat { return big.NewRat(n, 1) }

func perMillion(ppm int64) *big.Rat { return big.NewRat(ppm, 1_000_000) }

// halfUp rounds what is not negative.
func halfUp(amount *big.Rat) int64 { return floor(new(big.Rat).Add(amount, big.NewRat(1, 2))) }

func floor(amount *big.Rat) int64 {
	return new(big.Int).Div(amount.Num(), amount.Denom()).Int64()
}

func less(a, b *int64) *int64 {
	if a == nil || b == nil {
		return nil
	}
	difference := *a - *b
	return &difference
}
