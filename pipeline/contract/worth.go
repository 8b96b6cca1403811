package contract

import "math/big"

// Worth is what so many assessments are worth to a practice, in pence, half up: each is its part
// of the annual value of the domain that follows activity (R19). Nil without that value or
// without a target.
func Worth(assessments int64, annualPence, target *int64) *int64 {
	if annualPence == nil || target == nil || *target == 0 {
		return nil
	}
	twice := new(big.Int).Mul(big.NewInt(2*assessments), big.NewInt(*annualPence))
	pence := twice.Add(twice, big.NewInt(*target)).Div(twice, big.NewInt(2**target)).Int64()
	return &pence
}

// Lacking is how many counted assessments there are too few; enough is 0.
func Lacking(required, counted int64) int64 { return max(0, required-counted) }

// AWeek is how many a week reach n in the days left, rounded up to a tenth; nil where no day is
// left.
func AWeek(n, daysLeft int64) *float64 {
	if daysLeft <= 0 {
		return nil
	}
	tenths := float64((n*70+daysLeft-1)/daysLeft) / 10
	return &tenths
}
