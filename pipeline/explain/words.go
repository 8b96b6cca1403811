package explain

import (
	"fmt"
	"slices"
	"strings"

	"ltcles/pipeline/civil"
)

// Day is a date as EMIS writes it, which is how a practice knows it.
func Day(date civil.Date) string {
	if date.IsNone() {
		return ""
	}
	return date.Time().Format("02-Jan-2006")
}

// plural is "1 row" or "2 rows".
func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// are is the verb for n things.
func are(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// list is "a", "a and b", "a, b and c".
func list(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// named puts an identifier such as place_choice as a person reads it.
func named(identifier string) string { return strings.ReplaceAll(identifier, "_", " ") }

func allNamed(identifiers []string) string {
	words := make([]string, len(identifiers))
	for i, identifier := range identifiers {
		words[i] = named(identifier)
	}
	return list(words)
}

// days lists the activity dates of rows, each once.
func days(rows []Row) string {
	var dates []civil.Date
	undated := false
	for _, row := range rows {
		if row.Activity.IsNone() {
			undated = true
		} else {
			dates = append(dates, row.Activity)
		}
	}
	slices.Sort(dates)
	var words []string
	for _, date := range slices.Compact(dates) {
		words = append(words, Day(date))
	}
	if undated {
		words = append(words, "no date")
	}
	return list(words)
}

// practices lists the practices of rows, each once.
func practices(rows []Row) string {
	var codes []string
	for _, row := range rows {
		codes = append(codes, row.Practice)
	}
	slices.Sort(codes)
	return list(slices.DeleteFunc(slices.Compact(codes), func(code string) bool { return code == "" }))
}

// tally is "duplicate (1 row), after_period (2 rows)", in the order in which they are met.
func tally(rows []Row) string {
	count := map[string]int{}
	var met []string
	for _, row := range rows {
		if count[row.Disposition]++; count[row.Disposition] == 1 {
			met = append(met, row.Disposition)
		}
	}
	for i, disposition := range met {
		met[i] = fmt.Sprintf("%s (%s)", disposition, plural(count[disposition], "row"))
	}
	return list(met)
}

func isOneOf(word string, words ...string) bool { return slices.Contains(words, word) }
