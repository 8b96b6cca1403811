package pipeline

import (
	"context"

	"ltcles/pipeline/civil"
	"ltcles/pipeline/contract"
)

// Due is what follows on the contract's calendar, and what depends on it at each
// practice.
type Due struct {
	Dates        []contract.DueDate `json:"dates"` // that are not before as-at, in order
	AtStake      string             `json:"at_stake"`
	DaysLeft     int64              `json:"days_left"`     // from the day after the cut-off to the year end
	AdvanceShare string             `json:"advance_share"` // of the target, below which the advance is not earned
	Practices    []PracticeDue      `json:"practices"`
}

// What is at stake, which the next date decides.
const (
	stakeActivity = "assessments still to be done to reach the target"
	stakeCoding   = "assessments done that coding can still make count: those in no segment, and rejected claim rows"
	stakeHeld     = "counted assessments whose payment is held: coded late, or not shown to be on time"
)

// PracticeDue is what one practice still has to do. All of it is null where the
// practice is missing or has no target.
type PracticeDue struct {
	Practice string `json:"practice"`
	AtStake  *int64 `json:"at_stake"`
	// Counted assessments that are lacking for the advance and for the whole target,
	// and how many a week that is until the year end, rounded up to a tenth; null
	// where no day is left.
	ToAdvance     *int64   `json:"to_advance"`
	AdvanceWeekly *float64 `json:"to_advance_a_week"`
	ToTarget      *int64   `json:"to_target"`
	TargetWeekly  *float64 `json:"to_target_a_week"`
}

// stakeOf says what is at stake on the day as-at, and how many assessments that
// is of a practice's position.
func stakeOf(c *contract.Contract, asAt civil.Date) (what string, count func(position) int64) {
	switch {
	case asAt <= c.Year.End():
		return stakeActivity, func(p position) int64 { return contract.Lacking(p.target, p.counted) }
	case asAt <= c.CodingDeadline:
		return stakeCoding, func(p position) int64 { return p.withoutSegment + p.rejectedClaims }
	}
	return stakeHeld, func(p position) int64 { return p.late + p.unproven }
}

// position is what of a practice's position bears on what is due.
type position struct {
	target, counted, withoutSegment, late, unproven, rejectedClaims int64
}

// gatherDue fills in what is due. It follows gatherPractices.
func (r *run) gatherDue(ctx context.Context) error {
	daysLeft := int64(r.contract.Year.End() - r.cutOff)
	what, atStake := stakeOf(r.contract, r.asAt)
	due := Due{Dates: r.contract.Calendar(r.asAt), AtStake: what, DaysLeft: daysLeft, AdvanceShare: r.contract.AdvanceShare.String()}
	rejected := map[string]int64{}
	for _, practice := range r.report.Practices {
		rejected[practice.Practice] = practice.RejectedClaims
	}
	err := r.db.Query(ctx, `
		select practice_code, nullif(annual_target, 0), cast(counted as bigint), cast(without_segment as bigint),
			cast(counted_late as bigint), cast(counted_unproven as bigint)
		from mart_fact_practice_position order by practice_code`, func(v []any) error {
		practice := PracticeDue{Practice: v[0].(string)}
		if whole(v[1]) != nil && whole(v[2]) != nil {
			p := position{
				target: *whole(v[1]), counted: *whole(v[2]), withoutSegment: *whole(v[3]), late: *whole(v[4]), unproven: *whole(v[5]),
				rejectedClaims: rejected[practice.Practice],
			}
			stake := atStake(p)
			advance, target := contract.Lacking(r.contract.AdvanceShare.CeilingOf(p.target), p.counted), contract.Lacking(p.target, p.counted)
			practice.AtStake, practice.ToAdvance, practice.ToTarget = &stake, &advance, &target
			practice.AdvanceWeekly, practice.TargetWeekly = contract.AWeek(advance, daysLeft), contract.AWeek(target, daysLeft)
		}
		due.Practices = append(due.Practices, practice)
		return nil
	})
	r.report.Due = due
	return err
}
