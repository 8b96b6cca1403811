// Package terms knows whether a contract file, as the workspace has it now, is what the money of a
// published year was computed by.
//
// The tables hold what came out; the pounds per head, the shares and the basis that it came out of
// are in the contract file, which may have changed since. Who shows how an amount was computed
// checks first that it was computed so. It refuses to know how it is shown.
package terms

import (
	"context"
	"fmt"
	"math/big"
	"slices"
	"strconv"

	"ltcles/pipeline/config"
	"ltcles/pipeline/contract"
	"ltcles/pipeline/published"
	"ltcles/pipeline/snapshot"
)

// Check compares what a period was published by with the contract as it is now: the file itself,
// byte by byte, where the snapshot that names it is still there; what counts (R13 and the policies of
// SPEC §8), assessment by assessment; and every practice's money. A [config.Problem] names the first
// difference.
func Check(ctx context.Context, c *contract.Contract, reader *published.Reader, year *published.Year) error {
	period := reader.Period.Period
	if own := (snapshot.Reference{File: c.Source, SHA256: c.SHA256}); reader.Reference != nil && !slices.Contains(reader.Reference, own) {
		return &config.Problem{
			File:     c.Source,
			Found:    "not the contract that " + period + " was published by",
			Expected: "that contract, byte by byte",
			Fix:      "put it back, or run the period again",
		}
	}
	if err := checkCounted(ctx, c, reader); err != nil {
		return err
	}
	return CheckMoney(c, period, year)
}

// checkCounted finds assessments that the policies count otherwise than they are published.
func checkCounted(ctx context.Context, c *contract.Contract, reader *published.Reader) error {
	query := fmt.Sprintf(`select count(*) from fact_assessment where is_counted <> ((segments > 0 or %t) and (has_eligibility or not %t))`,
		c.Policies.CountWithoutSegment, c.Policies.RequireEligibility)
	return reader.Query(ctx, query, func(scan func(into ...any) error) error {
		var other int64
		if err := scan(&other); err != nil || other == 0 {
			return err
		}
		return &config.Problem{
			File:     c.Source,
			Found:    fmt.Sprintf("by this contract and the settings other assessments count than as %s is published (%d differ)", reader.Period.Period, other),
			Expected: "the contract and settings that the period was published by",
			Fix:      "put them back, or run the period again",
		}
	})
}

// CheckMoney compares every practice's published money with the contract: the basis, the contract
// value, its domains and their advance (R19). A [config.Problem] names the first difference.
func CheckMoney(c *contract.Contract, period string, year *published.Year) error {
	for _, practice := range year.Practices {
		if err := checkPractice(c, period, practice); err != nil {
			return err
		}
	}
	return nil
}

func checkPractice(c *contract.Contract, period string, p *published.Practice) error {
	if basis := p.Reconciliation.Basis; basis != c.Policies.ReconciliationBasis {
		return differs(c, period, "reconciliation_basis", c.Policies.ReconciliationBasis, basis)
	}
	if p.WeightedPopulation == nil || p.Place == nil {
		return nil
	}
	value := ContractValue(c, *p.Place, *p.WeightedPopulation)
	if published := p.Reconciliation.ContractValue; !same(value, published) {
		return differs(c, period, "the contract value of "+p.Code, pounds(value), pounds(published))
	}
	if value == nil {
		return nil
	}
	for i, payment := range p.Payments {
		domain := c.Domains[i]
		if payment.Domain != domain.Domain || payment.AnnualValue == nil || payment.AdvanceValue == nil {
			continue
		}
		// The odd pence go to the largest remainders, so that each domain is within a penny of its share.
		part := int64(*value) * domain.Share.PPM()
		if off := int64(*payment.AnnualValue)*million - part; off <= -million || off >= million {
			return differs(c, period, "the "+domain.Domain+" domain of "+p.Code, domain.Share.String()+" of "+value.Pounds(), payment.AnnualValue.Pounds())
		}
		advance := published.Pence((2*int64(*payment.AnnualValue)*c.AdvanceShare.PPM() + million) / (2 * million))
		if advance != *payment.AdvanceValue {
			return differs(c, period, "the advance of the "+domain.Domain+" domain of "+p.Code, advance.Pounds(), payment.AdvanceValue.Pounds())
		}
	}
	return nil
}

const million = 1_000_000

// ContractValue is R19's: weighted population times pounds per head, in whole pence, half up; nil
// where the place has no pounds per head.
func ContractValue(c *contract.Contract, place string, weighted float64) *published.Pence {
	perHead := c.PencePerWeightedHead[place]
	if perHead == nil {
		return nil
	}
	exact, _ := new(big.Rat).SetString(strconv.FormatFloat(weighted, 'f', -1, 64)) // the decimal that was published
	exact.Mul(exact, new(big.Rat).SetInt64(*perHead))
	doubled := exact.Num().Mul(exact.Num(), big.NewInt(2))
	doubled.Add(doubled, exact.Denom())
	value := published.Pence(doubled.Div(doubled, new(big.Int).Mul(exact.Denom(), big.NewInt(2))).Int64())
	return &value
}

func same(a, b *published.Pence) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

func pounds(p *published.Pence) string {
	if p == nil {
		return "none"
	}
	return p.Pounds()
}

func differs(c *contract.Contract, period, what, now, then string) error {
	return &config.Problem{
		File:     c.Source,
		Found:    fmt.Sprintf("%s is %s by this contract and the settings, and %s as %s is published", what, now, then, period),
		Expected: "the contract and settings that the period was published by",
		Fix:      "put them back, or run the period again",
	}
}
