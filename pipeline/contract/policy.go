package contract

import (
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"

	"ltcles/pipeline/config"
)

// Policies are the rulings where the contract's documents are open.
type Policies struct {
	RequireRegular             bool
	CountWithoutSegment        bool
	RequireEligibility         bool
	ReconciliationBasis        string // domain_2 or whole_contract
	ReconciliationBasisAssumed bool   // not yet set by someone; a year end cannot be frozen on it
}

// The two readings of what a practice earns (R19).
const (
	Domain2       = "domain_2"
	WholeContract = "whole_contract"
)

const basisKey = "reconciliation_basis"

// ReadBasis reads reconciliation_basis from a file that a person writes.
func ReadBasis(file *config.File, node yaml.Node) (basis string, given bool) {
	basis, given = file.Optional(node, basisKey, Domain2+" or "+WholeContract)
	if given && basis != Domain2 && basis != WholeContract {
		file.Add(node.Line, fmt.Sprintf("%s %q", basisKey, basis), Domain2+" or "+WholeContract, "correct it")
	}
	return basis, given
}

// Rulings are the policies that a workspace sets for itself; what is nil or empty is left to the
// contract file of each year.
type Rulings struct {
	RequireRegular      *bool  `json:",omitempty"`
	CountWithoutSegment *bool  `json:",omitempty"`
	RequireEligibility  *bool  `json:",omitempty"`
	ReconciliationBasis string `json:",omitempty"`
}

// Rule puts the workspace's rulings in the place of the contract file's policies. A basis that
// is ruled on is no longer assumed.
func (c *Contract) Rule(rulings Rulings) {
	for _, policy := range []struct {
		ruled *bool
		of    *bool
	}{
		{rulings.RequireRegular, &c.Policies.RequireRegular},
		{rulings.CountWithoutSegment, &c.Policies.CountWithoutSegment},
		{rulings.RequireEligibility, &c.Policies.RequireEligibility},
	} {
		if policy.ruled != nil {
			*policy.of = *policy.ruled
		}
	}
	if rulings.ReconciliationBasis != "" {
		c.Policies.ReconciliationBasis, c.Policies.ReconciliationBasisAssumed = rulings.ReconciliationBasis, false
		c.Assumed = slices.DeleteFunc(c.Assumed, func(key string) bool { return key == basisKey })
	}
}
