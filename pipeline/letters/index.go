package letters

import (
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"ltcles/pipeline/civil"
	"ltcles/pipeline/published"
	"ltcles/pipeline/spreadsheet"
)

const indexName = "index.csv"

// Entry is a letter's line in the index: what the letter says in figures, nil where that is not known.
type Entry struct {
	Practice string
	Name     string
	File     string
	Kind     Kind
	Year     string
	Period   string
	AsAt     civil.Date
	Status   string // provisional or final
	State    string // supplied or missing
	Target   *int64
	Counted  *int64
	Achieved *float64
	Basis    string
	Assumed  bool // the basis awaits confirmation
	Value    *published.Pence
	Advance  *published.Pence
	Earned   *published.Pence
	Held     *published.Pence
	Balance  *published.Pence
	Way      string // pay, recoup or none, of a final year end
	// Projected is what the balance would be at the year's end; nil in a performance letter.
	Projected *published.Pence
	Note      string // what is missing for a whole letter
}

func (w writing) entry(p *published.Practice, kind Kind) Entry {
	entry := Entry{
		Practice: p.Code, Name: p.Title(), File: fileName(p.Code, kind, w.period), Kind: kind, Year: w.at.ContractYear, Period: w.at.Period,
		AsAt: w.at.AsAt, Status: w.at.Status, State: p.Coverage.State, Target: p.Position.AnnualTarget, Counted: p.Position.Counted,
		Achieved: p.Position.Achievement, Basis: p.Reconciliation.Basis, Assumed: w.contract.Policies.ReconciliationBasisAssumed,
		Value: p.Reconciliation.ContractValue, Advance: p.Reconciliation.AdvanceValue, Earned: p.Reconciliation.EarnedValue,
		Held: p.Reconciliation.HeldValue, Balance: p.Reconciliation.Balance,
	}
	if p.Reconciliation.Direction != nil {
		entry.Way = *p.Reconciliation.Direction
	}
	if kind == Projection {
		entry.Projected = p.Reconciliation.ProjectedBalance
	}
	var notes []string
	if p.IsMissing() {
		notes = append(notes, "no files")
	}
	if entry.Target == nil || *entry.Target == 0 {
		notes = append(notes, "no target")
	}
	if entry.Value == nil {
		notes = append(notes, "no contract value")
	}
	entry.Note = strings.Join(notes, ", ")
	return entry
}

func indexHeader() []string {
	return []string{
		"practice_code", "practice_name", "file", "kind", "contract_year", "period", "as_at", "status", "state", "annual_target", "counted",
		"achievement", "basis", "basis_assumed", "contract_value", "advance_value", "earned_value", "held_value", "balance", "direction",
		"projected_balance", "note",
	}
}

func writeIndex(to io.Writer, entries []Entry) error {
	out := csv.NewWriter(to)
	if err := out.Write(indexHeader()); err != nil {
		return err
	}
	for _, e := range entries {
		if err := out.Write([]string{
			spreadsheet.Text(e.Practice), spreadsheet.Text(e.Name), e.File, string(e.Kind), e.Year, e.Period, e.AsAt.String(), e.Status, e.State, whole(e.Target), whole(e.Counted),
			share(e.Achieved), e.Basis, strconv.FormatBool(e.Assumed), amount(e.Value), amount(e.Advance), amount(e.Earned), amount(e.Held),
			amount(e.Balance), e.Way, amount(e.Projected), e.Note,
		}); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// indexed is the files that an index of letters lists.
func indexed(path string) ([]string, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	lines, err := csv.NewReader(file).ReadAll()
	if err != nil {
		return nil, err
	}
	if len(lines) == 0 || strings.Join(lines[0], ",") != strings.Join(indexHeader(), ",") {
		return nil, fmt.Errorf("%s is no index of letters", path)
	}
	var files []string
	for _, line := range lines[1:] {
		files = append(files, line[2])
	}
	return files, nil
}

func whole(n *int64) string {
	if n == nil {
		return ""
	}
	return strconv.FormatInt(*n, 10)
}

func share(value *float64) string {
	if value == nil {
		return ""
	}
	return strconv.FormatFloat(*value, 'f', 4, 64)
}

// amount is pounds as a number, for reckoning with.
func amount(pence *published.Pence) string {
	if pence == nil {
		return ""
	}
	sign, n := "", int64(*pence)
	if n < 0 {
		sign, n = "-", -n
	}
	return fmt.Sprintf("%s%d.%02d", sign, n/100, n%100)
}
