package contract

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ltcles/pipeline/config"
	"ltcles/snomed"
)

func load(t *testing.T, year Year) *Contract {
	t.Helper()
	contract, err := Load("", year)
	if err != nil {
		t.Fatal(err)
	}
	return contract
}

func TestBuiltInCodes(t *testing.T) {
	want := map[snomed.Code]CodeEntry{
		"756261000000100": {Role: Claim},
		"756161000000107": {Role: Eligibility},
		"716081000000105": {Role: Cohort, Cohort: "population_health", Segment: PopulationHealth},
		"417206009":       {Role: Cohort, Cohort: "cardiovascular", Segment: Cardiovascular},
		"268511007":       {Role: Cohort, Cohort: "respiratory", Segment: Respiratory},
		"713671000000109": {Role: Cohort, Cohort: "diabetes", Segment: PlaceChoice},
		"894301000000105": {Role: Cohort, Cohort: "frailty", Segment: PlaceChoice},
		"713761000000107": {Role: Cohort, Cohort: "severe_mental_illness", Segment: SevereMentalIllness},
	}
	for _, year := range []Year{"2025-26", "2026-27"} {
		contract := load(t, year)
		if len(contract.Codes) != len(want) {
			t.Errorf("%s: %d codes", year, len(contract.Codes))
		}
		for code, entry := range want {
			got, found := contract.Code(code)
			if !found || got.Term == "" || got.Line == 0 || got.Role != entry.Role || got.Cohort != entry.Cohort || got.Segment != entry.Segment {
				t.Errorf("%s: %+v", year, got)
			}
		}
	}
}

func TestBuiltInFigures(t *testing.T) {
	tests := []struct {
		year        Year
		domains     string
		minimums    string
		dates       string
		instalments string
		assumed     string
	}{
		{"2026-27", "implementation 20 % assessments 55 % mdt 25 %", "10 % 10 % 10 % 10 % 3 %",
			"2027-04-10 2027-04-30 2027-04-30 2027-05-08 2027-05-11 2027-05-29 2027-06-01",
			"12 from 2026-04-01 to 2027-03-01",
			"coding_deadline decision_date letter_date mitigation_closes mitigation_opens panel_week reconciliation_basis"},
		{"2025-26", "implementation 35 % assessments 53 % mdt 12 %", "not set not set not set not set 5 %",
			"2026-04-10 2026-04-30 2026-04-30 2026-05-08 2026-05-11 2026-05-29 2026-06-01",
			"12 from 2025-04-01 to 2026-02-01",
			"pounds_per_weighted_head reconciliation_basis"},
	}
	for _, tt := range tests {
		t.Run(string(tt.year), func(t *testing.T) {
			c := load(t, tt.year)
			var domains, minimums []string
			for _, domain := range c.Domains {
				domains = append(domains, domain.Domain, domain.Share.String())
			}
			for i, segment := range c.Segments {
				minimum := "not set"
				if segment.MinimumShare != nil {
					minimum = segment.MinimumShare.String()
				}
				minimums = append(minimums, minimum)
				if segment.Segment != SegmentNames()[i] || segment.SortOrder != i+1 || segment.Name == "" {
					t.Errorf("segment %+v", segment)
				}
			}
			dates := []string{c.CodingDeadline.String(), c.LetterDate.String(), c.MitigationOpens.String(), c.MitigationCloses.String(),
				c.PanelWeek.String(), c.DecisionDate.String(), c.ReconciliationMonth.String()}
			for what, pair := range map[string][2]string{
				"domains":  {strings.Join(domains, " "), tt.domains},
				"minimums": {strings.Join(minimums, " "), tt.minimums},
				"dates":    {strings.Join(dates, " "), tt.dates},
				"assumed":  {strings.Join(c.Assumed, " "), tt.assumed},
			} {
				if pair[0] != pair[1] {
					t.Errorf("%s: %s\nwant %s", what, pair[0], pair[1])
				}
			}
			first, last := c.Instalments[0], c.Instalments[len(c.Instalments)-1]
			if len(c.Instalments) != 12 || tt.instalments != "12 from "+first.PaidMonth.String()+" to "+last.PaidMonth.String() {
				t.Errorf("%d instalments from %s to %s", len(c.Instalments), first.PaidMonth, last.PaidMonth)
			}
			if len(c.PencePerWeightedHead) != 8 {
				t.Errorf("%d places", len(c.PencePerWeightedHead))
			}
			for place, pence := range c.PencePerWeightedHead {
				if pence == nil || *pence != 840 {
					t.Errorf("%s: %v", place, pence)
				}
			}
			if c.AdvanceShare.String() != "80 %" || c.Source != "built-in contract "+string(tt.year)+".yaml" || len(c.SHA256) != 64 || c.Year != tt.year {
				t.Errorf("advance %s, source %s, hash %s, year %s", c.AdvanceShare, c.Source, c.SHA256, c.Year)
			}
			if c.Policies != (Policies{RequireRegular: true, ReconciliationBasis: Domain2, ReconciliationBasisAssumed: true}) {
				t.Errorf("policies %+v", c.Policies)
			}
		})
	}
	// Two are paid in mid-April 2025, for April and for May, and then none in March 2026.
	if c := load(t, "2025-26"); c.Instalments[1].PaidMonth != c.Instalments[0].PaidMonth || c.Instalments[1].Covers != "May 2025" {
		t.Errorf("second instalment of 2025-26: %+v", c.Instalments[1])
	}
}

func TestMeaning(t *testing.T) {
	c := load(t, "2026-27")
	tests := []struct {
		text  string
		want  Meaning
		known bool
	}{
		{"Regular", Regular, true},
		{"  gms ", Regular, true},
		{"Left practice. Still registered", Regular, true},
		{"LEFT PRACTICE", Left, true},
		{"Left\u00a0 practice", Left, true},
		{"GP's request", Left, true},
		{"Patient’s request", Left, true},
		{"‘Gone away’", Left, true},
		{"New HA/HB - same GP", Left, true},
		{"'gone away'", Left, true},
		{"Gone away", Left, true},
		{"Dead (Practice notification)", Dead, true},
		{"Walk-In  Patient", NotRegular, true},
		{"Dummy", NotRegular, true},
		{"Left practice.", "", false},
		{"", "", false},
	}
	for _, tt := range tests {
		if got, known := c.Meaning(tt.text); got != tt.want || known != tt.known {
			t.Errorf("Meaning(%q) = %q, %v", tt.text, got, known)
		}
	}
	counts := map[Meaning]int{}
	for _, meaning := range c.Texts {
		counts[meaning]++
	}
	if counts[Regular] != 13 || counts[Left] != 21 || counts[Dead] != 5 || counts[NotRegular] != 21 {
		t.Errorf("texts of SPEC §6.2: %v", counts)
	}
}

// Each edit of the built-in file is one problem, one line that names the file and the line.
func TestProblemsNameTheLine(t *testing.T) {
	tests := []struct {
		name     string
		old, new string
		want     string // after "reference/contracts/2026-27.yaml:<line of new>: "
	}{
		{"a changed digit", "756261000000100", "756261000000101",
			`code "756261000000101": check digit 1; expected 0 if the digits before it are right; `},
		{"a changed byte inside", "code: 417206009", "code: 417206O09", `code "417206O09": not digits only; `},
		{"a description", "code: 417206009", "code: 264676010", `code "264676010": identifies a description`},
		{"too short", "code: 417206009", "code: 10005", `code "10005": not 6 to 18 digits long; `},
		{"leading zero", "code: 417206009", `code: "0438505003"`, `code "0438505003": starts with 0; `},
		{"a code twice", "code: 268511007", "code: '417206009'", `code "417206009" is already on line `},
		{"no code", "code: 268511007", "code:", `code is missing; expected a SNOMED CT`},
		{"unknown key", "advance_share: 80 %", "advance_shares: 80 %", `unknown key "advance_shares"; `},
		{"unknown key inside", "minimum_share: 3 %", "minimum: 3 %", `unknown key "minimum"; `},
		{"a key twice", "advance_share: 80 %", "contract_year: 80 %", `key "contract_year" is already on line `},
		{"unknown role", "role: eligibility", "role: eligible", `role "eligible"; expected claim, eligibility, cohort or mdt`},
		{"unknown segment of a code", "    segment: cardiovascular\n", "    segment: heart\n", `segment "heart"; expected population_health, `},
		{"cohort that no place can choose", "cohort: frailty", "cohort: obesity", `cohort "obesity" in segment place_choice; expected diabetes or frailty`},
		{"cohort in two segments", "cohort: respiratory\n", "cohort: cardiovascular\n", `cohort "cardiovascular" in segment "respiratory"; expected "cardiovascular", as for its other code`},
		{"cohort that is no word", "cohort: respiratory\n", "cohort: Lungs & more\n", `cohort "Lungs & more"; expected lower-case words joined by _`},
		{"cohort of a claim", "role: eligibility", "role: eligibility\n    cohort: x", `cohort "x" for the role eligibility`},
		{"number for a share", "minimum_share: 3 %", "minimum_share: 0.03", `minimum_share "0.03"; expected a percentage`},
		{"blank minimum", "minimum_share: 3 %", "minimum_share:", `minimum_share is missing; expected a share such as 10 %, or the words: not set`},
		{"shares that do not add up", "implementation: 20 %", "implementation: 21 %", `domains add up to 101 %; expected 100 %`},
		{"place twice", "  East Lancashire", "  Blackburn with Darwen", `place "Blackburn with Darwen" is already on line `},
		{"parts of a penny", "West Lancashire: 8.40", "West Lancashire: 8.405", `West Lancashire: "8.405"; expected pounds`},
		{"too many pounds", "West Lancashire: 8.40", "West Lancashire: 1000", `West Lancashire: "1000"; expected pounds below 1,000`},
		{"no such day", "letter_date: 2027-04-30", "letter_date: 2027-04-31", `letter_date "2027-04-31"; expected yyyy-MM-dd`},
		{"deadline in the year", "coding_deadline: 2027-04-10", "coding_deadline: 2027-03-31", `coding_deadline 2027-03-31; expected a day after the year end, 2027-03-31`},
		{"no deadline", "coding_deadline: 2027-04-10", "coding_deadline: not set", `coding_deadline is not set; `},
		{"window that closes first", "mitigation_closes: 2027-05-08", "mitigation_closes: 2027-04-29", `mitigation_closes is before mitigation_opens`},
		{"reconciled before the end", "reconciliation_month: 2027-06", "reconciliation_month: 2026-06", `reconciliation_month 2026-06; expected a month after`},
		{"instalment out of order", "{paid: 2026-06,", "{paid: 2026-03,", `an instalment paid before the one above it`},
		{"unknown policy", "require_regular: true", "require_regular: yes please", `require_regular "yes please"; expected true or false`},
		{"unknown basis", "basis: domain_2", "basis: domain_3", `reconciliation_basis "domain_3"; expected domain_2 or whole_contract`},
		{"assumed value that is none", "  - letter_date", "  - letters", `assumed names "letters"; expected advance_share, `},
		{"status text twice", "    - Deducted\n", "    - REGULAR\n", `status text "regular" is already on line `},
		{"other year", "contract_year: 2026-27", "contract_year: 2025-26", `contract_year "2025-26"; expected "2026-27", as the file is named`},
		{"list for a value", "advance_share: 80 %", "advance_share: [80 %]", `advance_share holds a list or a mapping; `},
		{"value for a list", "assumed:\n  - coding_deadline\n", "assumed: x\nold:\n  - coding_deadline\n", `found a single value; expected a list`},
	}
	text, _ := BuiltIn("2026-27")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before, _, found := strings.Cut(string(text), tt.old)
			if !found {
				t.Fatalf("the built-in file has no %q", tt.old)
			}
			err := loadOverride(t, "2026-27", strings.Replace(string(text), tt.old, tt.new, 1))
			first, _, _ := strings.Cut(errorText(err), "\n")
			// Among the lines of new, the problem is on the one that its words name.
			start := strings.Count(before, "\n") + 1
			lines := []string{position(start), position(start + 1)}
			if !slices.ContainsFunc(lines, func(at string) bool { return strings.HasPrefix(first, at+tt.want) }) {
				t.Errorf("%s\nwant %s%s", first, lines[0], tt.want)
			}
			if problem := new(config.Problem); !errors.As(err, &problem) {
				t.Errorf("%v is not a configuration problem", err)
			}
		})
	}
}

func TestProblemsOfTheWholeFile(t *testing.T) {
	text, _ := BuiltIn("2026-27")
	tests := []struct {
		name, old, new, want string
	}{
		{"no claim", "role: claim", "role: mdt", "codes has no code with the role claim"},
		{"minimum without a code", "cohort: respiratory\n    segment: respiratory", "cohort: respiratory\n    segment: cardiovascular", `segment "respiratory" has a minimum and no code`},
		{"segment missing", "- segment: respiratory\n    name", "- segment: lungs\n    name", `segments lacks "respiratory"`},
		{"second document", "status_texts:", "---\nstatus_texts:", "a second document"},
		{"not YAML", "status_texts:", "status_texts", "not YAML: "},
		{"empty", string(text), "# nothing\n", "contract_year is missing"},
	}
	for _, tt := range tests {
		err := loadOverride(t, "2026-27", strings.Replace(string(text), tt.old, tt.new, 1))
		if !strings.Contains(errorText(err), tt.want) {
			t.Errorf("%s: %v\nwant %s", tt.name, err, tt.want)
		}
	}
}

func TestMitigationWindowOfOneDay(t *testing.T) {
	text, _ := BuiltIn("2026-27")
	if err := loadOverride(t, "2026-27", strings.Replace(string(text), "mitigation_closes: 2027-05-08", "mitigation_closes: 2027-04-30", 1)); err != nil {
		t.Error(err)
	}
}

// One reading shows every problem, in the order of the lines.
func TestAllProblemsAtOnce(t *testing.T) {
	text, _ := BuiltIn("2026-27")
	edited := strings.NewReplacer("756261000000100", "756261000000101", "minimum_share: 3 %", "minimum_share: 3", "require_regular: true", "require_regular: 1").Replace(string(text))
	lines := strings.Split(errorText(loadOverride(t, "2026-27", edited)), "\n")
	if len(lines) != 3 || !strings.Contains(lines[0], "check digit") || !strings.Contains(lines[1], "minimum_share") || !strings.Contains(lines[2], "require_regular") {
		t.Errorf("%d lines:\n%s", len(lines), strings.Join(lines, "\n"))
	}
}

func TestOverride(t *testing.T) {
	dir := t.TempDir()
	text, _ := BuiltIn("2026-27")
	edited := strings.NewReplacer("2026-27", "2028-29", "2027-", "2029-", "2026-", "2028-", "  - reconciliation_basis\n", "",
		"West Lancashire: 8.40", "West Lancashire: not set", "letter_date: 2027-04-30", "letter_date: not set").Replace(string(text))
	if err := os.WriteFile(filepath.Join(dir, "2028-29.yaml"), []byte(edited), 0o644); err != nil {
		t.Fatal(err)
	}
	c, err := Load(dir, "2028-29")
	if err != nil {
		t.Fatal(err)
	}
	if c.Source != "reference/contracts/2028-29.yaml" || c.Policies.ReconciliationBasisAssumed || c.IsAssumed("reconciliation_basis") || !c.IsAssumed("panel_week") {
		t.Errorf("source %s, policies %+v, assumed %v", c.Source, c.Policies, c.Assumed)
	}
	if pence, named := c.PencePerWeightedHead["West Lancashire"]; !named || pence != nil || !c.LetterDate.IsNone() {
		t.Errorf("not set: %v %v %s", named, pence, c.LetterDate)
	}
	if builtIn, err := Load(dir, "2026-27"); err != nil || builtIn.Source != "built-in contract 2026-27.yaml" {
		t.Errorf("the year without an override: %v", err)
	}
	if years, err := Years(dir); err != nil || !slices.Equal(years, []Year{"2025-26", "2026-27", "2028-29"}) {
		t.Errorf("years %v, %v", years, err)
	}

	_, err = Load(dir, "2030-31")
	if want := "reference/contracts/2030-31.yaml: no contract for 2030-31, here or built in; expected a year that has one: 2025-26, 2026-27, 2028-29; "; !strings.HasPrefix(errorText(err), want) {
		t.Errorf("%v\nwant %s", err, want)
	}
	if err := os.WriteFile(filepath.Join(dir, "2026-27.yml"), text, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err = Load(dir, "2026-27"); !strings.Contains(errorText(err), "2026-27.yml: a contract under another name") {
		t.Errorf("an override that would be overlooked: %v", err)
	}
}

// An MDT code is a line in the contract file and no more.
func TestMDTCode(t *testing.T) {
	text, _ := BuiltIn("2026-27")
	// 1290023401004 is an example identifier of SNOMED International's release format, 6.8.
	edited := strings.Replace(string(text), "\ncodes:\n", "\ncodes:\n  - {code: 1290023401004, term: An example, role: mdt}\n", 1)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "2026-27.yaml"), []byte(edited), 0o644); err != nil {
		t.Fatal(err)
	}
	c, err := Load(dir, "2026-27")
	if err != nil || len(c.Codes) != 9 || c.Codes[0].Role != MDT {
		t.Fatalf("%+v, %v", c, err)
	}
}

func loadOverride(t *testing.T, year Year, text string) error {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, string(year)+".yaml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := Load(dir, year)
	return err
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func position(line int) string {
	return (&config.Problem{File: "reference/contracts/2026-27.yaml", Line: line}).Error()
}

// What the workspace rules stands, and the rest is left to the contract file. A basis that is ruled
// on is set, be it the one that was assumed.
func TestRulings(t *testing.T) {
	yes, no := true, false
	asWritten := Policies{RequireRegular: true, ReconciliationBasis: Domain2, ReconciliationBasisAssumed: true}
	with := func(change func(*Policies)) Policies {
		policies := asWritten
		change(&policies)
		return policies
	}
	tests := []struct {
		rulings Rulings
		want    Policies
	}{
		{Rulings{}, asWritten},
		{Rulings{RequireRegular: &no}, with(func(p *Policies) { p.RequireRegular = false })},
		{Rulings{CountWithoutSegment: &yes}, with(func(p *Policies) { p.CountWithoutSegment = true })},
		{Rulings{RequireEligibility: &yes}, with(func(p *Policies) { p.RequireEligibility = true })},
		{Rulings{RequireRegular: &yes, CountWithoutSegment: &no, RequireEligibility: &no}, asWritten},
		{Rulings{ReconciliationBasis: Domain2}, with(func(p *Policies) { p.ReconciliationBasisAssumed = false })},
		{Rulings{ReconciliationBasis: WholeContract}, with(func(p *Policies) { p.ReconciliationBasis, p.ReconciliationBasisAssumed = WholeContract, false })},
	}
	for _, tt := range tests {
		c, err := Load("", "2026-27")
		if err != nil {
			t.Fatal(err)
		}
		assumed := len(c.Assumed)
		c.Rule(tt.rulings)
		if c.Policies != tt.want {
			t.Errorf("%+v makes %+v; expected %+v", tt.rulings, c.Policies, tt.want)
		}
		if c.IsAssumed("reconciliation_basis") != tt.want.ReconciliationBasisAssumed || !c.IsAssumed("coding_deadline") || assumed-len(c.Assumed) > 1 {
			t.Errorf("%+v: assumed are %v", tt.rulings, c.Assumed)
		}
	}
}
