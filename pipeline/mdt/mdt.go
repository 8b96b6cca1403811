// Package mdt shows the multidisciplinary team activity of a published period: by practice, code
// and quarter of the contract year, with sums by place. It reads the published tables and nothing
// else. A practice without data has none here either: its figures are nil, never 0, and no sum
// that leaves practices out keeps quiet about it.
package mdt

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"ltcles/pipeline/civil"
	"ltcles/pipeline/contract"
	"ltcles/pipeline/published"
)

// Activity is what the codes of a period say.
type Activity struct {
	ContractYear string     `json:"contract_year"`
	Period       string     `json:"period"`
	AsAt         civil.Date `json:"as_at"`
	CutOff       civil.Date `json:"cut_off"`
	Codes        []Code     `json:"codes"`
	Quarters     []int64    `json:"quarters"` // that have begun by the cut-off
	// Rows are in the order of places, practices, codes and quarters, one for each; Totals in that
	// of places and, last, of all.
	Rows   []Row   `json:"rows"`
	Totals []Total `json:"totals"`
}

// Code is a configured MDT code.
type Code struct {
	Code string `json:"code"`
	Term string `json:"term"`
}

// Figures are nil where they are not known.
type Figures struct {
	Patients *int64 `json:"patients"` // in one quarter and with one code: they add up over practices only
	Events   *int64 `json:"events"`
}

// Row is one practice's activity with one code in one quarter.
type Row struct {
	Place    string `json:"place"`
	Practice string `json:"practice_code"`
	Name     string `json:"practice_name"`
	State    string `json:"state"` // supplied or missing
	Code     string `json:"code"`
	Quarter  int64  `json:"quarter"`
	Figures
}

// Total is the sum over the practices of a place, or of all, that have data.
type Total struct {
	Place     string `json:"place"` // empty for the practices without one; All says that it is of all
	All       bool   `json:"all"`
	Code      string `json:"code"`
	Quarter   int64  `json:"quarter"`
	Practices int    `json:"practices"`
	Missing   int    `json:"practices_without_data"`
	Figures
}

// NoCodesError says that the period was published without an MDT code.
type NoCodesError struct{ ContractYear, Period string }

func (e NoCodesError) Error() string {
	return fmt.Sprintf("no MDT code of %s was configured when %s was published: its MDT activity is not known, which is not 0", e.ContractYear, e.Period)
}

// Read reads the activity of the reader's period. It fails with [NoCodesError] where no code is
// configured.
func Read(ctx context.Context, r *published.Reader) (*Activity, error) {
	period, err := contract.ParsePublished(r.Period.Period)
	if err != nil {
		return nil, fmt.Errorf("read MDT activity: %w", err)
	}
	a := &Activity{ContractYear: r.Period.ContractYear, Period: r.Period.Period, AsAt: r.Period.AsAt, CutOff: min(period.End(), r.Period.AsAt)}
	year, err := r.Year(ctx)
	if err != nil {
		return nil, err
	}
	for _, code := range year.Codes {
		if code.Role == string(contract.MDT) {
			a.Codes = append(a.Codes, Code{code.Code, code.Term})
		}
	}
	if len(a.Codes) == 0 {
		return nil, NoCodesError{a.ContractYear, a.Period}
	}
	err = r.Query(ctx, "select quarter, min(date) from dim_date group by quarter order by quarter", func(scan func(into ...any) error) error {
		var quarter int64
		var first civil.Date
		err := scan(&quarter, &first)
		if err == nil && first <= a.CutOff {
			a.Quarters = append(a.Quarters, quarter)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read MDT activity: %w", err)
	}
	a.fill(year.Practices)
	return a, nil
}

func (a *Activity) fill(practices []*published.Practice) {
	practices = slices.Clone(practices)
	slices.SortStableFunc(practices, func(x, y *published.Practice) int { // those without a place last
		return cmp.Or(cmp.Compare(len(placeOf(y)), 0)-cmp.Compare(len(placeOf(x)), 0), strings.Compare(placeOf(x), placeOf(y)))
	})
	for _, p := range practices {
		for _, code := range a.Codes {
			for _, quarter := range a.Quarters {
				row := Row{Place: placeOf(p), Practice: p.Code, Name: p.Title(), State: p.Coverage.State, Code: code.Code, Quarter: quarter}
				if !p.IsMissing() {
					row.Figures = figuresOf(p, code.Code, quarter)
				}
				a.Rows = append(a.Rows, row)
			}
		}
	}
	for first, p := range practices {
		if first == 0 || placeOf(practices[first-1]) != placeOf(p) {
			a.total(placeOf(p), false)
		}
	}
	a.total("", true)
}

// total adds up the rows of a place, or of all.
func (a *Activity) total(place string, all bool) {
	for _, code := range a.Codes {
		for _, quarter := range a.Quarters {
			total := Total{Place: place, All: all, Code: code.Code, Quarter: quarter}
			for _, row := range a.Rows {
				if row.Code != code.Code || row.Quarter != quarter || !all && row.Place != place {
					continue
				}
				total.Practices++
				if row.Events == nil {
					total.Missing++
					continue
				}
				total.Patients, total.Events = plus(total.Patients, *row.Patients), plus(total.Events, *row.Events)
			}
			a.Totals = append(a.Totals, total)
		}
	}
}

// figuresOf are 0 where a practice with data has nothing: only what happened has a published row.
func figuresOf(p *published.Practice, code string, quarter int64) Figures {
	var patients, events int64
	for _, m := range p.MDT {
		if m.Code == code && m.Quarter == quarter {
			patients, events = m.Patients, m.Events
		}
	}
	return Figures{&patients, &events}
}

func placeOf(p *published.Practice) string {
	if p.Place == nil {
		return ""
	}
	return *p.Place
}

func plus(sum *int64, n int64) *int64 {
	if sum != nil {
		n += *sum
	}
	return &n
}
