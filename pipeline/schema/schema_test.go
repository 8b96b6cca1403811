package schema

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"ltcles/pipeline/civil"
)

// The tables as the specification prints them: names, order and types are what readers' queries
// and dashboards rest on, so a change here is a change of the contract with them.
const published = `
dim_practice(practice_code*): practice_code, practice_name?, place?, place_choice?, pcn_code?, pcn_name?, registered_population? BIGINT, weighted_population? DOUBLE, annual_target? BIGINT
dim_segment(segment*): segment, segment_name, minimum_share? DOUBLE, sort_order BIGINT
dim_code(code*): code, term, role, cohort?, segment?
dim_date(date*): date DATE, month DATE, contract_month BIGINT, quarter BIGINT, is_month_end BOOLEAN
fact_assessment(patient_key*): patient_key, practice_code, activity_date DATE, recorded_date? DATE, timeliness, has_eligibility BOOLEAN, is_counted BOOLEAN, segments BIGINT, in_population_health BOOLEAN, in_cardiovascular BOOLEAN, in_respiratory BOOLEAN, in_place_choice BOOLEAN, in_severe_mental_illness BOOLEAN, assessed_last_year? BOOLEAN
fact_cohort_patient(patient_key*, cohort*): patient_key, practice_code, cohort, segment?, first_coded_date? DATE, source, is_assessed BOOLEAN
fact_segment_count(practice_code*, segment*): practice_code, segment, cohort?, cohort_patients? BIGINT, assessed_patients? BIGINT, assessed_on_time? BIGINT, outstanding_patients? BIGINT, minimum_required? BIGINT, shortfall? BIGINT, is_minimum_met? BOOLEAN
fact_practice_position(practice_code*): practice_code, annual_target? BIGINT, assessments? BIGINT, counted? BIGINT, counted_on_time? BIGINT, counted_late? BIGINT, counted_unproven? BIGINT, without_segment? BIGINT, without_eligibility? BIGINT, repeat_assessments? BIGINT, removed_left? BIGINT, removed_deceased? BIGINT, eligible_patients? BIGINT, cohort_patients? BIGINT, outstanding_patients? BIGINT, achievement? DOUBLE, achievement_capped? DOUBLE, achievement_all? DOUBLE, expected_to_date? DOUBLE, projected_year_end? BIGINT, inclusive_shortfall? BIGINT, exclusive_shortfall? BIGINT, segments_met? BIGINT, files_received BIGINT
fact_assessment_month(practice_code*, month*): practice_code, month DATE, assessments BIGINT, counted BIGINT
fact_segment_month(practice_code*, segment*, month*): practice_code, segment, month DATE, assessments BIGINT
fact_cohort_overlap(practice_code*, segment_set*): practice_code, segment_set, segments BIGINT, patients BIGINT, assessed_patients BIGINT, outstanding_patients BIGINT
fact_mdt_activity(practice_code*, quarter*, code*): practice_code, quarter BIGINT, code, patients BIGINT, events BIGINT
fact_payment(practice_code*, domain*): practice_code, domain, annual_value? DECIMAL(18,2), advance_value? DECIMAL(18,2), earned_value? DECIMAL(18,2), held_value? DECIMAL(18,2), balance? DECIMAL(18,2)
fact_reconciliation(practice_code*): practice_code, status, basis, contract_value? DECIMAL(18,2), advance_value? DECIMAL(18,2), advance_paid_to_date? DECIMAL(18,2), earned_value? DECIMAL(18,2), held_value? DECIMAL(18,2), balance? DECIMAL(18,2), direction?, earned_value_other_basis? DECIMAL(18,2), balance_other_basis? DECIMAL(18,2), projected_earned_value? DECIMAL(18,2), projected_balance? DECIMAL(18,2)
fact_instalment(practice_code*, instalment*): practice_code, instalment BIGINT, paid_month DATE, covers, amount? DECIMAL(18,2)
fact_coverage(practice_code*): practice_code, search_files BIGINT, bulk_files BIGINT, batch_files BIGINT, register_files BIGINT, refused_files BIGINT, newest_extract_date? DATE, state
fact_disposition(practice_code*, file_name*, disposition*): practice_code?, file_name, disposition, rows BIGINT
fact_file(file_name*): file_name, sha256?, kind, practice_codes?, extract_date? DATE, relative_date? DATE, encoding?, delimiter?, header_line? BIGINT, rows_read BIGINT, rows_rejected BIGINT, status, message?
fact_finding(practice_code*, check_name*): practice_code?, check_name, severity, affected BIGINT, message
`

func TestTablesAreThoseOfTheSpecification(t *testing.T) {
	var got []string
	for _, table := range Tables() {
		n := len(table.Columns) - 4
		tail := table.Columns[n:]
		if s := describe(tail); s != "contract_year, period, as_at DATE, run_id" {
			t.Errorf("%s ends with %s", table.Name, s)
		}
		got = append(got, fmt.Sprintf("%s(%s*): %s", table.Name, strings.Join(table.Key(), "*, "), describe(table.Columns[:n])))
	}
	if want := strings.Split(strings.TrimSpace(published), "\n"); !slices.Equal(got, want) {
		t.Errorf("tables are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func describe(columns []Column) string {
	var parts []string
	for _, c := range columns {
		part := c.Name
		if c.Nullable {
			part += "?"
		}
		if c.Type != Varchar {
			part += " " + string(c.Type)
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ", ")
}

func TestEveryColumnIsDescribed(t *testing.T) {
	rule := regexp.MustCompile(`^(R([1-9]|1[0-9]|20)(, R([1-9]|1[0-9]|20))*)?$`)
	for _, table := range Tables() {
		if table.Grain == "" || strings.HasPrefix(table.Grain, "one row") {
			t.Errorf("%s: grain %q", table.Name, table.Grain)
		}
		if got := table.SortKey(); got[0] != "contract_year" || !slices.Equal(got[1:], table.Key()) {
			t.Errorf("%s: sort key %v", table.Name, got)
		}
		seen := map[string]bool{}
		for _, c := range table.Columns {
			at := table.Name + "." + c.Name
			if seen[c.Name] {
				t.Errorf("%s is there twice", at)
			}
			seen[c.Name] = true
			if !oneSentence(c.Meaning) {
				t.Errorf("%s: meaning is not one sentence: %q", at, c.Meaning)
			}
			if !rule.MatchString(c.Rule) {
				t.Errorf("%s: rule %q", at, c.Rule)
			}
			if !isOf(c.Type, c.Example) {
				t.Errorf("%s: example %q is no %s", at, c.Example, c.Type)
			}
			if c.Values != nil && !slices.Contains(c.Values, c.Example) {
				t.Errorf("%s: example %q is none of %v", at, c.Example, c.Values)
			}
			prefixed := strings.HasPrefix(c.Name, "is_") || strings.HasPrefix(c.Name, "has_") || strings.HasPrefix(c.Name, "in_")
			if prefixed && c.Type != Boolean {
				t.Errorf("%s is %s, want BOOLEAN", at, c.Type)
			}
			if strings.HasSuffix(c.Name, "_date") && !strings.HasSuffix(c.Name, "_to_date") && c.Type != Date {
				t.Errorf("%s is %s, want DATE", at, c.Type)
			}
		}
	}
}

func TestOneNameHasOneType(t *testing.T) {
	types := map[string]Type{}
	for _, table := range Tables() {
		for _, c := range table.Columns {
			if before, ok := types[c.Name]; ok && before != c.Type {
				t.Errorf("%s.%s is %s, elsewhere %s", table.Name, c.Name, c.Type, before)
			}
			types[c.Name] = c.Type
		}
	}
}

func TestSegmentsAreTheColumnsOfFactAssessment(t *testing.T) {
	table, _ := Lookup("fact_assessment")
	var got []string
	for _, c := range table.Columns {
		if name, ok := strings.CutPrefix(c.Name, "in_"); ok {
			got = append(got, name)
		}
	}
	if !slices.Equal(got, Segments()) {
		t.Errorf("columns in_* are for %v, Segments() are %v", got, Segments())
	}
}

func TestLookup(t *testing.T) {
	if table, ok := Lookup("fact_file"); !ok || table.Name != "fact_file" {
		t.Errorf("Lookup(fact_file) = %q, %v", table.Name, ok)
	}
	if _, ok := Lookup("fact_unknown"); ok {
		t.Error("Lookup(fact_unknown) finds something")
	}
}

func TestFindingsAreThoseOfTheSpecification(t *testing.T) {
	want := strings.Fields(`practice_no_files file_refused duplicate_file file_ignored stale_extract extract_after_as_at
		status_unknown status_text_unknown place_choice_undecided nhs_number_invalid recorded_date_invalid
		recorded_before_activity code_repaired code_not_concept assessment_without_segment assessment_without_eligibility
		cohort_without_eligibility eligibility_without_cohort batch_add_not_in_record assessment_before_registration
		single_day_spike fewer_than_last_period late_coded unproven_coding_date missing_target missing_contract_value`)
	var got []string
	for _, c := range Findings() {
		got = append(got, c.Name)
		if !oneSentence(c.Meaning) || !oneSentence(c.Fix) {
			t.Errorf("%s: meaning or fix is not one sentence", c.Name)
		}
		if c.Severity != Error && c.Severity != Warning && c.Severity != Info {
			t.Errorf("%s: severity %q", c.Name, c.Severity)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("findings are %v, want %v", got, want)
	}
}

func TestFindingsThatCountAssessments(t *testing.T) {
	want := strings.Fields(`assessment_without_segment assessment_without_eligibility assessment_before_registration
		single_day_spike fewer_than_last_period late_coded unproven_coding_date`)
	var got []string
	for _, c := range Findings() {
		if c.CountsAssessments() {
			got = append(got, c.Name)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("they are %v, want %v", got, want)
	}
}

func TestDispositionsAreThoseOfTheSpecification(t *testing.T) {
	groups := map[string]string{
		Ignored: "deleted_at_source status_only code_not_in_scope",
		Rejected: `malformed_row practice_missing practice_unknown patient_missing nhs_number_test_range nhs_number_invalid
			patient_ambiguous date_invalid code_missing code_damaged code_invalid claim_in_batch_add date_missing date_in_future`,
		Excluded: `outside_contract_year after_period patient_deceased patient_left patient_not_regular registered_elsewhere
			duplicate not_chosen_by_place`,
		Kept: "assessment cohort eligibility mdt",
	}
	got := map[string][]string{}
	for _, d := range Dispositions() {
		got[d.Group] = append(got[d.Group], d.Name)
		if !oneSentence(d.Meaning) {
			t.Errorf("%s: meaning is not one sentence", d.Name)
		}
	}
	for group, names := range groups {
		if !slices.Equal(got[group], strings.Fields(names)) {
			t.Errorf("%s: %v, want %v", group, got[group], strings.Fields(names))
		}
	}
	if len(got) != len(groups) {
		t.Errorf("groups are %v", got)
	}
}

func TestDefinitionsAreCopies(t *testing.T) {
	Tables()[0].Columns[0].Name = "changed"
	Findings()[0].Name = "changed"
	if Tables()[0].Columns[0].Name != "practice_code" || Findings()[0].Name != "practice_no_files" {
		t.Error("a caller can change the definition")
	}
}

func oneSentence(text string) bool {
	return text != "" && !strings.Contains(text, ". ") && strings.HasSuffix(text, ".") && !strings.Contains(text, "\n")
}

func isOf(kind Type, text string) bool {
	switch kind {
	case Bigint:
		_, err := strconv.ParseInt(text, 10, 64)
		return err == nil
	case Double:
		_, err := strconv.ParseFloat(text, 64)
		return err == nil
	case Boolean:
		return text == "true" || text == "false"
	case Date:
		_, err := civil.Parse(text)
		return err == nil
	case Money:
		return regexp.MustCompile(`^-?[0-9]{1,16}\.[0-9]{2}$`).MatchString(text)
	case Varchar:
		return text != ""
	}
	return false
}
