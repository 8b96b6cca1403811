package dashboard

import (
	"context"
	"fmt"

	"ltcles/pipeline/civil"
	"ltcles/pipeline/contract"
	"ltcles/pipeline/published"
)

// Material is all that a page is made from.
type Material struct {
	Year     *published.Year
	Lags     []Lag
	History  []Past
	Contract *contract.Contract

	Period   contract.Period
	AsAt     civil.Date
	Snapshot string
	RunID    string
	Status   string
	// ContractNote says that the contract's file is not known to be the one that the period was
	// computed with; "" where it is.
	ContractNote string
}

// Lag is how many counted assessments of a practice were recorded so many days after their day.
type Lag struct {
	Practice    string
	Days        *int64 // nil where no file says when they were recorded
	Assessments int64
}

// Past is what a period said of a practice.
type Past struct {
	Period      contract.Period
	AsAt        civil.Date
	Practice    string
	Assessments *int64
	Counted     *int64
	Expected    *float64
	Shortfall   *int64
}

// Read reads what a page is made from.
func Read(ctx context.Context, r *published.Reader, c *contract.Contract) (*Material, error) {
	period, err := contract.ParsePublished(r.Period.Period)
	if err != nil {
		return nil, err
	}
	m := &Material{
		Contract: c, Period: period, AsAt: r.Period.AsAt, Snapshot: r.Snapshot.Name, RunID: r.Period.RunID, Status: r.Period.Status,
		ContractNote: contractNote(r, c),
	}
	if m.Year, err = r.Year(ctx); err != nil {
		return nil, err
	}
	if err := m.readLags(ctx, r); err != nil {
		return nil, fmt.Errorf("read the coding lag: %w", err)
	}
	if err := m.readHistory(ctx, r); err != nil {
		return nil, fmt.Errorf("read the history: %w", err)
	}
	return m, nil
}

// CutOff is the day on which activity is judged (R6).
func (m *Material) CutOff() civil.Date { return min(m.Period.End(), m.AsAt) }

func (m *Material) readLags(ctx context.Context, r *published.Reader) error {
	return r.Query(ctx, `
		select practice_code, cast(recorded_date - activity_date as bigint) as days, count(*) as assessments
		from fact_assessment
		where is_counted
		group by practice_code, recorded_date - activity_date
		order by practice_code, days nulls last`, func(scan func(into ...any) error) error {
		var lag Lag
		if err := scan(&lag.Practice, &lag.Days, &lag.Assessments); err != nil {
			return err
		}
		m.Lags = append(m.Lags, lag)
		return nil
	})
}

// readHistory reads the periods up to the one that is shown.
func (m *Material) readHistory(ctx context.Context, r *published.Reader) error {
	err := r.Query(ctx, `
		select period, as_at, practice_code, assessments, counted, expected_to_date, inclusive_shortfall
		from fact_practice_position_history
		order by practice_code, as_at, period`, func(scan func(into ...any) error) error {
		var past Past
		var period string
		if err := scan(&period, &past.AsAt, &past.Practice, &past.Assessments, &past.Counted, &past.Expected, &past.Shortfall); err != nil {
			return err
		}
		parsed, err := contract.ParsePublished(period)
		if err != nil {
			return err
		}
		if past.Period = parsed; parsed.Compare(m.Period) <= 0 {
			m.History = append(m.History, past)
		}
		return nil
	})
	return err
}

// contractNote compares the contract's file with the one that the period was computed with, as far
// as the snapshot that says so is kept.
func contractNote(r *published.Reader, c *contract.Contract) string {
	if r.Reference == nil {
		return "Which contract file this period was computed with is not known: the snapshot that said so is purged."
	}
	for _, reference := range r.Reference {
		if reference.SHA256 == c.SHA256 {
			return ""
		}
	}
	return "The contract's file has changed since this period was computed: dates and words on this page are of the file as it is now (" + c.Source + ")."
}
