package oracle

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"ltcles/pipeline/civil"
	"ltcles/pipeline/schema"
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
			reachMoney(reached, in, out)
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
		not_chosen_by_place assessment cohort eligibility mdt deleted_at_source`) {
		if dispositions[want] == 0 {
			t.Errorf("no row is %s", want)
		}
	}
	for _, want := range strings.Fields(`practice_no_files duplicate_file stale_extract extract_after_as_at status_unknown
		status_text_unknown place_choice_undecided nhs_number_invalid recorded_date_invalid recorded_before_activity
		code_repaired assessment_without_segment assessment_without_eligibility cohort_without_eligibility
		eligibility_without_cohort batch_add_not_in_record assessment_before_registration single_day_spike
		fewer_than_last_period late_coded unproven_coding_date missing_target missing_contract_value
		file_refused code_not_concept`) {
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
		"year end with late", "year end with unproven", "year end with on_time", "year end proved by an earlier snapshot",
		"basis domain_2", "basis whole_contract", "held on domain_2", "held on whole_contract", "other basis earns other",
		"weighted population blank", "weighted population with decimals", "pounds per head not set", "no value and no target",
		"target none", "target 0", "target 1", "target beyond reach", "target passed", "projected beyond earned", "advance not paid yet",
		"missing practice with a value",
		"MDT", "kind search_export", "kind batch_add", "kind register", "kind bulk_extract", "status read", "status duplicate",
		"status refused",
	} {
		if reached[want] == 0 {
			t.Errorf("nothing has: %s", want)
		}
	}
}

// reachMoney tells what of R14 at the year end, R19 and R20 a run has.
func reachMoney(reached map[string]int, in Input, out Output) {
	reached["basis "+in.Contract.Basis]++
	for n, r := range out.Reconciliations {
		practice := in.Practices[n]
		switch {
		case practice.Target == nil:
			reached["target none"]++
		case *practice.Target < 2:
			reached[fmt.Sprintf("target %d", *practice.Target)]++
		case *practice.Target > 1_000_000:
			reached["target beyond reach"]++
		case out.Positions[n].Counted != nil && *out.Positions[n].Counted > *practice.Target:
			reached["target passed"]++
		}
		if practice.Weighted == "" {
			reached["weighted population blank"]++
		} else if strings.Contains(practice.Weighted, ".") {
			reached["weighted population with decimals"]++
		}
		if practice.PencePerHead == nil {
			reached["pounds per head not set"]++
		}
		if r.Value == nil && practice.Target == nil {
			reached["no value and no target"]++
		}
		if r.Value != nil && out.Positions[n].Counted == nil {
			reached["missing practice with a value"]++
		}
		if r.Paid != nil && *r.Paid < *r.Advance {
			reached["advance not paid yet"]++
		}
		if r.Held != nil && *r.Held > 0 {
			reached["held on "+r.Basis]++
		}
		if r.Earned != nil && *r.OtherEarned != *r.Earned {
			reached["other basis earns other"]++
		}
		if r.Earned != nil && *r.ProjectedEarned > *r.Earned {
			reached["projected beyond earned"]++
		}
	}
	if in.PeriodEnd != in.Contract.End {
		return
	}
	for _, a := range out.Assessments {
		reached["year end with "+a.Timeliness]++
		// Nothing in this run shows it: every file was taken after the deadline.
		isByDeadline := func(file File) bool {
			return file.Status == FileRead && (file.Extract == civil.None && in.AsAt <= in.Contract.Deadline || file.Extract != civil.None && file.Extract <= in.Contract.Deadline)
		}
		if a.Timeliness == "on_time" && a.Recorded == civil.None && !slices.ContainsFunc(in.Files, isByDeadline) {
			reached["year end proved by an earlier snapshot"]++
		}
	}
}

// A column that the rules do not state here is one that nothing proves.
func TestTablesHaveEveryColumn(t *testing.T) {
	for _, table := range (Output{}).Tables(Input{Contract: builtIn(2026)}, strings.Clone) {
		published, ok := schema.Lookup(table.Name)
		if !ok {
			t.Fatalf("%s is no published table", table.Name)
		}
		var want []string
		for _, column := range published.Columns[:len(published.Columns)-4] {
			if table.Name != "fact_finding" || column.Name != "severity" && column.Name != "message" {
				want = append(want, column.Name)
			}
		}
		if !slices.Equal(table.Columns, want) {
			t.Errorf("%s has columns %v; expected %v", table.Name, table.Columns, want)
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
