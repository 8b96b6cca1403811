// Package contract knows one contract year: its codes, segments, shares, dates, money and
// policies, and what the texts of a registration status mean. All of it is data, in one YAML
// file per year; the built-in files stand beside this one, with the templates of the letters to
// practices, which it hands out unread. It refuses to know any patient, practice or file of input.
package contract

import (
	"slices"
	"strings"

	"ltcles/pipeline/civil"
	"ltcles/snomed"
)

// Contract is the rules and figures of one contract year.
type Contract struct {
	Year   Year
	Source string // the file, as its problems name it
	SHA256 string // of the file's bytes

	Codes    []CodeEntry // in the file's order
	Segments []Segment   // all five, in the file's order
	Domains  []Domain    // implementation, assessments, mdt

	PencePerWeightedHead map[string]*int64 // by place; nil where it is not known
	AdvanceShare         Share

	// civil.None where not set; the coding deadline always is.
	CodingDeadline      civil.Date
	LetterDate          civil.Date
	MitigationOpens     civil.Date
	MitigationCloses    civil.Date
	PanelWeek           civil.Date // a day of the week in which the panel sits
	DecisionDate        civil.Date
	ReconciliationMonth civil.Date // its first day

	Assumed     []string // keys whose values are carried over and await confirmation, sorted
	Instalments []Instalment
	Policies    Policies
	Texts       map[string]Meaning // by FoldText of the text; Meaning looks one up
}

// Role is what a code in a record says.
type Role string

const (
	Claim       Role = "claim"
	Eligibility Role = "eligibility"
	Cohort      Role = "cohort"
	MDT         Role = "mdt"
)

// CodeEntry is one code of the code book.
type CodeEntry struct {
	Code    snomed.Code
	Term    string
	Role    Role
	Cohort  string // of a cohort code
	Segment string // of a cohort code; for place_choice only where the place chose the cohort
	Line    int    // in the contract file
}

// The segments that the published tables have columns for.
const (
	PopulationHealth    = "population_health"
	Cardiovascular      = "cardiovascular"
	Respiratory         = "respiratory"
	PlaceChoice         = "place_choice"
	SevereMentalIllness = "severe_mental_illness"
)

// SegmentNames lists the five.
func SegmentNames() []string {
	return []string{PopulationHealth, Cardiovascular, Respiratory, PlaceChoice, SevereMentalIllness}
}

// Segment is a part of the activity with a minimum of its own.
type Segment struct {
	Segment      string
	Name         string
	MinimumShare *Share // of the annual target; nil where it is not set, which is not 0
	SortOrder    int    // from 1
}

// Choices lists what a place may choose for place_choice: a cohort by its name.
func Choices() []string { return []string{"diabetes", "frailty"} }

// Domain is a part of the contract value. The shares of the three add up to 100 %.
type Domain struct {
	Domain string
	Share  Share
}

// The three domains.
const (
	Implementation = "implementation"
	Assessments    = "assessments"
	MDTDomain      = "mdt"
)

// Instalment is one of the equal payments of the advance.
type Instalment struct {
	PaidMonth civil.Date // its first day
	Covers    string
}

// Meaning is what a text of a registration status or patient type says.
type Meaning string

const (
	Regular    Meaning = "regular"
	Left       Meaning = "left"
	Dead       Meaning = "dead"
	NotRegular Meaning = "not_regular"
)

// Meaning looks a status or type text up, whatever its case and blanks; false where the
// contract does not know it.
func (c *Contract) Meaning(text string) (Meaning, bool) {
	meaning, known := c.Texts[FoldText(text)]
	return meaning, known
}

// FoldText trims, lower-cases, makes one blank of each run of blanks and straightens
// the quotation marks that Windows-1252 files have for apostrophes.
func FoldText(text string) string {
	straight := strings.NewReplacer("‘", "'", "’", "'").Replace(text)
	return strings.ToLower(strings.Join(strings.Fields(straight), " "))
}

// Code finds a code of the code book.
func (c *Contract) Code(code snomed.Code) (CodeEntry, bool) {
	i := slices.IndexFunc(c.Codes, func(entry CodeEntry) bool { return entry.Code == code })
	if i < 0 {
		return CodeEntry{}, false
	}
	return c.Codes[i], true
}

// IsAssumed says that the value under this key of the contract file is carried over and is to
// be printed "to be confirmed".
func (c *Contract) IsAssumed(key string) bool { return slices.Contains(c.Assumed, key) }

// IsAssumable says that the contract file can mark the value under this key as assumed.
func IsAssumable(key string) bool { return slices.Contains(assumable(), key) }
