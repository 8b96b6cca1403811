package workspace

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"ltcles/pipeline/config"
	"ltcles/pipeline/contract"
)

// Reference is what the reference lists say of one contract year.
type Reference struct {
	Practices []Practice        // sorted by code
	Choices   map[string]string // by place: diabetes, frailty, or "" where undecided
	Files     []ReferenceFile
}

// Practice is one line of practices.csv.
type Practice struct {
	Code, Name, Place    string
	PCNCode, PCNName     string
	RegisteredPopulation *int64 // nil where blank
	WeightedPopulation   string // a plain decimal without zeros at its end, "" where blank
	AnnualTarget         *int64 // nil where blank
}

// ReferenceFile is a list that was read.
type ReferenceFile struct {
	Path   string // relative to the workspace, with slashes
	SHA256 string
}

func practiceColumns() []string {
	return []string{
		"contract_year", "practice_code", "practice_name", "place", "pcn_code", "pcn_name",
		"registered_population", "weighted_population", "annual_target",
	}
}

func placeColumns() []string { return []string{"contract_year", "place", "choice"} }

// Reference reads both lists for the year. Every problem in either is in the error, one line each.
func (w *Workspace) Reference(year contract.Year) (*Reference, error) {
	practices, practicesText, practicesErr := w.list(practicesFile, practiceColumns())
	places, placesText, placesErr := w.list(placesFile, placeColumns())
	if err := errors.Join(practicesErr, placesErr); err != nil {
		return nil, err
	}
	into := &Reference{Files: []ReferenceFile{{practicesFile, hashOf(practicesText)}, {placesFile, hashOf(placesText)}}}
	into.Choices = choices(places, year)
	into.Practices = practicesOf(practices, year, into.Choices)
	if err := errors.Join(practices.Err(), places.Err()); err != nil {
		return nil, err
	}
	return into, nil
}

func (w *Workspace) list(name string, columns []string) (*list, []byte, error) {
	text, err := os.ReadFile(filepath.Join(w.Dir, filepath.FromSlash(name)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, &config.Problem{File: name, Found: "no such file", Expected: "a CSV with the columns " + strings.Join(columns, ","), Fix: "write it"}
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", name, err)
	}
	return readList(name, text, columns), text, nil
}

func choices(from *list, year contract.Year) map[string]string {
	into := map[string]string{}
	first := map[string]int{}
	for row := range from.of(year) {
		place, choice := row.cell("place"), strings.ToLower(row.cell("choice"))
		if place == "" {
			row.problem("place is blank", "the place's name", "fill it in")
			continue
		}
		if earlier, repeated := first[place]; repeated {
			row.problem(fmt.Sprintf("place %q is already on line %d for %s", place, earlier, year), "each place once a year", "remove one of the two")
			continue
		}
		first[place] = row.line
		if choice != "" && !slices.Contains(contract.Choices(), choice) {
			row.problem(fmt.Sprintf("choice %q", choice), strings.Join(contract.Choices(), ", ")+", or blank while undecided", "correct it")
		}
		into[place] = choice
	}
	if len(into) == 0 && from.sound() {
		from.Add(0, "no place for "+string(year), "one line per place and year", "add the places of the year")
	}
	return into
}

var (
	practiceCode = regexp.MustCompile(`^[A-Z0-9]{3,10}$`)
	decimal      = regexp.MustCompile(`^([0-9]{1,9})(\.[0-9]+)?$`)
)

// plainDecimal reads a number as spreadsheets and programs write averages: at most 17 digits, which is
// what a double takes, and at most 16 decimals.
func plainDecimal(text string) (number string, ok bool) {
	parts := decimal.FindStringSubmatch(text)
	if parts == nil {
		return "", false
	}
	decimals := strings.TrimRight(parts[2], "0")
	digits := len(strings.TrimLeft(parts[1]+strings.TrimPrefix(decimals, "."), "0"))
	return strings.TrimSuffix(parts[1]+decimals, "."), len(decimals) <= 17 && digits <= 17
}

func practicesOf(from *list, year contract.Year, places map[string]string) []Practice {
	var into []Practice
	first := map[string]int{}
	for row := range from.of(year) {
		practice := Practice{
			Code:                 strings.ToUpper(row.cell("practice_code")), // R4
			Name:                 row.cell("practice_name"),
			Place:                row.cell("place"),
			PCNCode:              strings.ToUpper(row.cell("pcn_code")),
			PCNName:              row.cell("pcn_name"),
			RegisteredPopulation: row.count("registered_population"),
			WeightedPopulation:   row.cell("weighted_population"),
			AnnualTarget:         row.count("annual_target"),
		}
		if !practiceCode.MatchString(practice.Code) {
			row.problem(fmt.Sprintf("practice_code %q", practice.Code), "an ODS code such as A12345", "correct it")
		} else if earlier, repeated := first[practice.Code]; repeated {
			row.problem(fmt.Sprintf("practice %s is already on line %d for %s", practice.Code, earlier, year), "each practice once a year", "remove one of the two")
		} else {
			first[practice.Code] = row.line
		}
		if _, known := places[practice.Place]; !known && practice.Place != "" && len(places) > 0 {
			row.problem(fmt.Sprintf("place %q is not in %s for %s", practice.Place, placesFile, year),
				"one of "+strings.Join(slices.Sorted(maps.Keys(places)), ", "), "correct it here or add it there")
		}
		if text := practice.WeightedPopulation; text != "" {
			var ok bool
			if practice.WeightedPopulation, ok = plainDecimal(text); !ok {
				row.problem(fmt.Sprintf("weighted_population %q", text), "a plain number below 1,000,000,000 such as 12742.61, of at most 17 digits, or blank", "write it without commas or signs, rounded")
			}
		}
		into = append(into, practice)
	}
	if len(into) == 0 && from.sound() {
		from.Add(0, "no practice for "+string(year), "one line per practice and year", "add the practices of the year")
	}
	slices.SortFunc(into, func(a, b Practice) int { return cmp.Compare(a.Code, b.Code) })
	return into
}

// count reads a whole number that may be blank.
func (r row) count(column string) *int64 {
	text := r.cell(column)
	if text == "" {
		return nil
	}
	value, err := strconv.ParseInt(text, 10, 64)
	if err != nil || len(text) > 9 || text[0] == '-' || text[0] == '+' {
		r.problem(fmt.Sprintf("%s %q", column, text), "a whole number below 1,000,000,000, or blank", "write it in digits only")
		return nil
	}
	return &value
}
