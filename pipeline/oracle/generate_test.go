package oracle

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestGenerateIsDeterministic(t *testing.T) {
	for seed := range uint64(20) {
		if a, b := Generate(seed), Generate(seed); !reflect.DeepEqual(a, b) {
			t.Fatalf("seed %d made two different workspaces", seed)
		}
	}
}

// A random workspace proves nothing about a rule that it never touches.
func TestGenerateReachesEveryRule(t *testing.T) {
	dispositions, findings, timeliness := map[string]int{}, map[string]int{}, map[string]int{}
	reached := map[string]int{}
	for seed := range uint64(300) {
		inputs, outputs := Generate(seed).Decide()
		for n, out := range outputs {
			in := inputs[n]
			for _, disposition := range out.Dispositions {
				dispositions[disposition]++
			}
			for _, finding := range out.Findings {
				findings[finding.Check]++
			}
			for _, a := range out.Assessments {
				timeliness[a.Timeliness]++
				if strings.HasPrefix(a.Patient, "emis:") {
					reached["assessment of a local identity"]++
				}
				if a.LastYear != nil && *a.LastYear {
					reached["repeat assessment"]++
				}
				if len(a.Segments) > 1 {
					reached["assessment in several segments"]++
				}
			}
			for _, m := range out.CohortPatients {
				reached["source "+m.Source]++
				if m.First < 0 {
					reached["undated cohort"]++
				}
			}
			for _, p := range out.Positions {
				if p.InclusiveShortfall != nil && *p.ExclusiveShortfall > *p.InclusiveShortfall {
					reached["exclusive shortfall above the inclusive"]++
				}
				if p.Assessments == nil {
					reached["practice missing"]++
				}
			}
			if len(out.MDTActivity) > 0 {
				reached["MDT"]++
			}
			for _, file := range in.Files {
				reached["kind "+file.Kind]++
				reached["status "+file.Status]++
			}
		}
	}
	t.Log(dispositions)
	t.Log(findings)
	t.Log(timeliness)
	t.Log(reached)

	for _, want := range strings.Fields(`malformed_row practice_missing practice_unknown patient_missing
		nhs_number_test_range nhs_number_invalid patient_ambiguous date_invalid status_only code_missing code_damaged
		code_invalid claim_in_batch_add code_not_in_scope date_missing date_in_future outside_contract_year
		after_period patient_deceased patient_left patient_not_regular registered_elsewhere duplicate
		not_chosen_by_place assessment cohort eligibility mdt`) {
		if dispositions[want] == 0 {
			t.Errorf("no row is %s", want)
		}
	}
	for _, want := range strings.Fields(`practice_no_files duplicate_file stale_extract extract_after_as_at status_unknown
		status_text_unknown place_choice_undecided nhs_number_invalid recorded_date_invalid recorded_before_activity
		code_repaired assessment_without_segment assessment_without_eligibility cohort_without_eligibility
		eligibility_without_cohort batch_add_not_in_record assessment_before_registration single_day_spike
		fewer_than_last_period late_coded unproven_coding_date missing_target`) {
		if findings[want] == 0 {
			t.Errorf("no workspace has the finding %s", want)
		}
	}
	for _, want := range []string{"on_time", "late", "unproven"} {
		if timeliness[want] == 0 {
			t.Errorf("no assessment is %s", want)
		}
	}
	for _, want := range []string{
		"assessment of a local identity", "repeat assessment", "assessment in several segments", "source record",
		"source batch_add", "source both", "undated cohort", "exclusive shortfall above the inclusive", "practice missing",
		"MDT", "kind search_export", "kind batch_add", "kind register", "status read", "status duplicate",
	} {
		if reached[want] == 0 {
			t.Errorf("nothing has: %s", want)
		}
	}
}

// Rows read are the sum of all dispositions, whatever the order of the rows.
func TestDecideConservesRowsInAnyOrder(t *testing.T) {
	for seed := range uint64(100) {
		inputs, outputs := Generate(seed).Decide()
		for n, in := range inputs {
			var total int64
			for _, count := range outputs[n].DispositionCounts {
				total += count.Rows
			}
			if total != int64(len(in.Rows)) {
				t.Fatalf("seed %d: %d rows, %d decided", seed, len(in.Rows), total)
			}

			reversed := in
			reversed.Rows = slices.Clone(in.Rows)
			slices.Reverse(reversed.Rows)
			again := Decide(reversed)
			identity := func(patient string) string { return patient }
			for m, want := range outputs[n].Tables(in, identity) {
				got := again.Tables(in, identity)[m]
				if !slices.Equal(want.Lines(), got.Lines()) {
					t.Fatalf("seed %d: %s depends on the order of the rows", seed, want.Name)
				}
			}
		}
	}
}

// What is written must be what is meant: a workspace's text holds only numbers of the test range.
func TestGenerateWritesTestNumbersOnly(t *testing.T) {
	for seed := range uint64(100) {
		for _, run := range Generate(seed).Runs {
			for _, path := range slices.Sorted(maps.Keys(run.Inbox)) {
				for _, word := range strings.FieldsFunc(run.Inbox[path], func(r rune) bool { return r < '0' || r > '9' }) {
					if len(word) == 10 && !strings.HasPrefix(word, "999") {
						t.Fatalf("seed %d: %s holds a ten-digit number outside the test range", seed, path)
					}
				}
			}
		}
	}
}
