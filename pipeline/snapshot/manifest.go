package snapshot

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"ltcles/pipeline/civil"
)

const (
	manifestFormat = 2
	manifestName   = "manifest.json"
)

// Manifest says what a snapshot holds and what it was made from. The same inputs give the same
// bytes: lists are sorted and no clock is read.
type Manifest struct {
	Format       int               `json:"format"`
	RunID        string            `json:"run_id"`
	Program      string            `json:"program"`
	ContractYear string            `json:"contract_year"`
	Period       string            `json:"period"`
	AsAt         civil.Date        `json:"as_at"`
	CutOff       civil.Date        `json:"cut_off"`
	KeyID        string            `json:"key_id"`
	Freeze       *Freeze           `json:"freeze,omitempty"` // where the run made its year end final
	Rekey        *Rekey            `json:"rekey,omitempty"`  // where periods were put under another key
	Accepted     []Accepted        `json:"accepted"`
	Reference    []Reference       `json:"reference"`
	Inputs       []Input           `json:"inputs"`
	Evidence     []Evidence        `json:"evidence"`
	Periods      []PublishedPeriod `json:"periods"`
	Files        []File            `json:"files"`
	SHA256       string            `json:"sha256"` // of these bytes with this value empty: shows damage, not forgery
}

// Accepted is a file that would have stopped the run, had the operator not accepted it.
type Accepted struct {
	File   string `json:"file"`
	Reason string `json:"reason"`
}

// Freeze is what was decided when a year end was made final.
type Freeze struct {
	Missing []MissingPractice `json:"missing"`
}

// MissingPractice is a practice without files that was accepted by name.
type MissingPractice struct {
	Practice string `json:"practice"`
	Reason   string `json:"reason"`
}

// Reference is a file that decides how inputs are read and judged: the contract, the settings,
// a reference list.
type Reference struct {
	File   string `json:"file"`
	SHA256 string `json:"sha256"`
}

// Input is one file of the inbox.
type Input struct {
	File     string `json:"file"`
	SHA256   string `json:"sha256"`
	Bytes    int64  `json:"bytes"`
	Status   string `json:"status"`
	Accepted bool   `json:"accepted"` // by name or with all, whether that was needed or not
}

// Evidence is a table of an earlier snapshot that the run consulted, and for what.
type Evidence struct {
	Use          string `json:"use"`
	Table        string `json:"table"`
	ContractYear string `json:"contract_year"`
	Period       string `json:"period"`
	SHA256       string `json:"sha256"`
}

// PublishedPeriod is one period in history/. Of each contract year the latest is also in the
// top-level tables: its year end where there is one, else its last month.
type PublishedPeriod struct {
	ContractYear string     `json:"contract_year"`
	Period       string     `json:"period"`
	RunID        string     `json:"run_id"`
	KeyID        string     `json:"key_id"`
	AsAt         civil.Date `json:"as_at"`
	Status       string     `json:"status"`         // Provisional, or Final for a frozen year end (R20)
	Seal         string     `json:"seal,omitempty"` // of a frozen year end: SHA-256 of what was made final
	Latest       bool       `json:"latest"`
}

// The standings of a published period (R20).
const (
	Provisional = "provisional"
	Final       = "final"
)

// File is one file of the snapshot; manifest.json itself is not listed.
type File struct {
	Name   string `json:"name"`   // slash path inside the snapshot
	Table  string `json:"table"`  // empty where it is no table
	Period string `json:"period"` // empty for a top-level file
	Rows   int64  `json:"rows"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// Encode is the bytes of manifest.json, with their hash.
func (m Manifest) Encode() ([]byte, error) {
	m = m.arranged()
	m.Format, m.SHA256 = manifestFormat, ""
	open, err := m.bytes()
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(open)
	m.SHA256 = hex.EncodeToString(sum[:])
	return m.bytes()
}

// arranged is the manifest with its lists in order.
func (m Manifest) arranged() Manifest {
	m.Accepted = sorted(m.Accepted, func(a, b Accepted) int {
		return cmp.Or(strings.Compare(a.File, b.File), strings.Compare(a.Reason, b.Reason))
	})
	if m.Freeze != nil {
		m.Freeze = &Freeze{Missing: sorted(m.Freeze.Missing, func(a, b MissingPractice) int { return strings.Compare(a.Practice, b.Practice) })}
	}
	m.Reference = sorted(m.Reference, func(a, b Reference) int { return strings.Compare(a.File, b.File) })
	m.Inputs = sorted(m.Inputs, func(a, b Input) int { return strings.Compare(a.File, b.File) })
	m.Evidence = sorted(m.Evidence, func(a, b Evidence) int {
		return cmp.Or(strings.Compare(a.Use, b.Use), strings.Compare(a.Table, b.Table), comparePeriods(a.ContractYear, a.Period, b.ContractYear, b.Period),
			strings.Compare(a.SHA256, b.SHA256))
	})
	m.Periods = sorted(m.Periods, func(a, b PublishedPeriod) int {
		return comparePeriods(a.ContractYear, a.Period, b.ContractYear, b.Period)
	})
	m.Files = sorted(m.Files, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	if m.Rekey != nil {
		m.Rekey = m.Rekey.arranged()
	}
	return m
}

func (m Manifest) bytes() ([]byte, error) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(m); err != nil {
		return nil, fmt.Errorf("encode %s: %w", manifestName, err)
	}
	return buffer.Bytes(), nil
}

// readManifest reads and checks a manifest. Its errors say what is wrong with the bytes; the
// caller names the file.
func readManifest(path string) (Manifest, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return Manifest{}, err
	}
	if !info.Mode().IsRegular() {
		return Manifest{}, errors.New("is no regular file; restore it from a backup")
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return Manifest{}, err
	}
	var m Manifest
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&m); err != nil {
		return Manifest{}, errors.New("is not the JSON that was published; restore it from a backup")
	}
	if m.Format != manifestFormat {
		return Manifest{}, fmt.Errorf("has format %d; expected %d; use the program version that wrote it", m.Format, manifestFormat)
	}
	again, err := m.Encode()
	if err != nil || !bytes.Equal(again, data) {
		return Manifest{}, errors.New("was changed after it was published; restore it from a backup")
	}
	return m, nil
}

// faults says what in a manifest contradicts itself.
func (m Manifest) faults() []string {
	var faults []string
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	latest := map[string]string{} // contract year -> period that should be the latest
	marked := map[string][]string{}
	seen := map[string]bool{}
	own := false
	for _, p := range m.Periods {
		kind := periodKind(p.ContractYear, p.Period)
		switch {
		case kind == unknownPeriod:
			fault("period %s of contract year %s is no period; expected a month, the year or a supplement of it", p.Period, p.ContractYear)
			continue
		case seen[p.Period]:
			fault("period %s is there twice", p.Period)
		case p.RunID == "" || p.AsAt.IsNone():
			fault("period %s has no run id or no as-at date", p.Period)
		case p.Status != Provisional && (p.Status != Final || kind != yearEnd):
			fault("period %s has status %q; expected provisional, or final for a frozen year end", p.Period, p.Status)
		case (p.Status == Final) != (p.Seal != ""):
			fault("period %s is %s under seal %q; expected a seal where it is final", p.Period, p.Status, p.Seal)
		}
		seen[p.Period] = true
		if before, ok := latest[p.ContractYear]; kind != supplement && (!ok || comparePeriods(p.ContractYear, p.Period, p.ContractYear, before) > 0) {
			latest[p.ContractYear] = p.Period
		}
		if p.Latest {
			marked[p.ContractYear] = append(marked[p.ContractYear], p.Period)
		}
		if p.ContractYear == m.ContractYear && p.Period == m.Period {
			own = true
			if p.RunID != m.RunID || p.AsAt != m.AsAt || p.KeyID != m.KeyID {
				fault("period %s has another run id, as-at date or key id than the manifest", p.Period)
			}
			if (p.Status == Final) != (m.Freeze != nil) {
				fault("period %s is %s; the manifest says otherwise of its run", p.Period, p.Status)
			} else if m.Freeze != nil && p.Seal != m.seal() {
				fault("period %s is under seal %s, which is not of what the manifest says was frozen; restore it from a backup", p.Period, p.Seal)
			}
		}
	}
	m.rekeyFaults(fault)
	if !own {
		fault("period %s of contract year %s, which the run is for, is not in its periods", m.Period, m.ContractYear)
	}
	for _, p := range m.Periods { // in the manifest's order, so that the answer is the same each time
		want, ok := latest[p.ContractYear]
		if !ok {
			continue
		}
		if got := marked[p.ContractYear]; len(got) != 1 || got[0] != want {
			fault("latest period of contract year %s is marked %q; expected %s", p.ContractYear, strings.Join(got, " "), want)
		}
		delete(latest, p.ContractYear)
	}
	return faults
}

const (
	unknownPeriod = iota
	monthPeriod
	yearEnd
	supplement
)

// periodKind tells a month (2026-06), a year end (2026-27) and its numbered supplements
// (2026-27-s1) of a contract year apart.
func periodKind(year, period string) int {
	first, ok := firstYear(year)
	if !ok {
		return unknownPeriod
	}
	if period == year {
		return yearEnd
	}
	if number, ok := strings.CutPrefix(period, year+"-s"); ok && number != "" && strings.Trim(number, "0123456789") == "" {
		return supplement
	}
	start, err := civil.Parse(period + "-01")
	if err != nil {
		return unknownPeriod
	}
	if y, month, _ := start.YMD(); y == first && month >= 4 || y == first+1 && month <= 3 {
		return monthPeriod
	}
	return unknownPeriod
}

// firstYear is 2026 for the contract year 2026-27.
func firstYear(year string) (int, bool) {
	if len(year) != len("2026-27") || year[4] != '-' {
		return 0, false
	}
	start, err := civil.Parse(year[:4] + "-04-01")
	if err != nil {
		return 0, false
	}
	first, _, _ := start.YMD()
	return first, year == fmt.Sprintf("%04d-%02d", first, (first+1)%100)
}

// comparePeriods orders by contract year, then its months, its year end and its supplements.
func comparePeriods(yearA, a, yearB, b string) int {
	return cmp.Or(
		strings.Compare(yearA, yearB),
		cmp.Compare(periodKind(yearA, a), periodKind(yearB, b)),
		cmp.Compare(len(a), len(b)), // -s2 before -s10
		strings.Compare(a, b),
	)
}

// sorted copies, so that the caller's lists stay as they are, and makes an empty list of none.
func sorted[T any](list []T, compare func(a, b T) int) []T {
	list = append([]T{}, list...)
	slices.SortFunc(list, compare)
	return list
}
