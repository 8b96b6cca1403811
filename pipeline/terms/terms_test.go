package terms_test

import (
	"strings"
	"testing"

	"ltcles/pipeline/contract"
	"ltcles/pipeline/published"
	"ltcles/pipeline/terms"
)

// Each thing that may have changed in the contract is told, and nothing where nothing has.
func TestCheck(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(c *contract.Contract, p *published.Practice)
		want   string
	}{
		{"nothing", func(*contract.Contract, *published.Practice) {}, ""},
		{"basis", func(c *contract.Contract, _ *published.Practice) {
			c.Policies.ReconciliationBasis = contract.WholeContract
		},
			"reconciliation_basis is whole_contract by this contract and the settings, and domain_2 as 2026-27 is published"},
		{"pounds per head", func(c *contract.Contract, _ *published.Practice) {
			c.PencePerWeightedHead["Blackpool"] = new(int64(841))
		},
			"the contract value of Y90001 is £10,382.65 by"},
		{"no pounds per head", func(c *contract.Contract, _ *published.Practice) { c.PencePerWeightedHead["Blackpool"] = nil },
			"the contract value of Y90001 is none by"},
		{"domains", func(c *contract.Contract, _ *published.Practice) {
			c.Domains[0].Share, c.Domains[2].Share = c.Domains[2].Share, c.Domains[0].Share
		},
			"the implementation domain of Y90001 is 25 % of £10,370.30 by"},
		{"advance", func(c *contract.Contract, _ *published.Practice) { c.AdvanceShare = contract.Share{} },
			"the advance of the implementation domain of Y90001 is £0.00 by"},
		{"no population", func(_ *contract.Contract, p *published.Practice) { p.WeightedPopulation = nil }, ""},
		{"no place", func(_ *contract.Contract, p *published.Practice) { p.Place = nil }, ""},
	} {
		c, err := contract.Load("", "2026-27")
		if err != nil {
			t.Fatal(err)
		}
		pence := func(n published.Pence) *published.Pence { return &n }
		practice := &published.Practice{
			Code: "Y90001", Place: new("Blackpool"), WeightedPopulation: new(1234.56),
			Reconciliation: published.Reconciliation{Basis: contract.Domain2, ContractValue: pence(1037030)},
			Payments: []published.Payment{
				{Domain: contract.Implementation, AnnualValue: pence(207406), AdvanceValue: pence(165925)},
				{Domain: contract.Assessments, AnnualValue: pence(570367), AdvanceValue: pence(456294)},
				{Domain: contract.MDTDomain, AnnualValue: pence(259257), AdvanceValue: pence(207406)},
			},
		}
		tt.change(c, practice)
		err = terms.CheckMoney(c, "2026-27", &published.Year{Practices: []*published.Practice{practice}})
		if (err != nil) != (tt.want != "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v; want %q", tt.name, err, tt.want)
		}
	}
}
