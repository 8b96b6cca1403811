package snapshot

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"ltcles/pipeline/schema"
)

func TestWhatIsPublishedVerifies(t *testing.T) {
	mustVerify(t, twoYears(t).store)
}

func TestVerifyOfNothing(t *testing.T) {
	if _, err := (Store{Dir: t.TempDir()}).Verify(); !errors.Is(err, ErrNothingPublished) {
		t.Errorf("error is %v, want ErrNothingPublished", err)
	}
}

// Every claim of a table is broken once, in the period's file and the top-level file alike, so
// that only the claim can show it.
func TestVerifyFindsEveryBrokenClaim(t *testing.T) {
	set := func(table string, n int, column string, value any) func(tables) {
		return func(w tables) { w[table][n][column] = value }
	}
	cases := []struct {
		name  string
		spoil func(tables)
		table string
		want  string
	}{
		{"null", set("fact_assessment", 0, "timeliness", nil), "fact_assessment", "row 1: timeliness is null"},
		{"value", set("fact_coverage", 0, "state", "partial"), "fact_coverage", "row 1: state is none of supplied, missing"},
		{"utf8", set("dim_practice", 0, "practice_name", "\xff"), "dim_practice", "practice_name is not UTF-8"},
		{"number", set("fact_practice_position", 0, "expected_to_date", nan()), "fact_practice_position", "expected_to_date is not a number"},
		{"key twice", func(w tables) { w["fact_file"] = append(w["fact_file"], w["fact_file"][0]) }, "fact_file", "has the key (contract_year, file_name) of the row before"},
		{"key with null twice", func(w tables) { w["fact_finding"] = append(w["fact_finding"], w["fact_finding"][2]) }, "fact_finding", "has the key"},
		{"run", set("fact_file", 1, "run_id", "run-other"), "fact_file", `row 2: has run_id "run-other"; expected run-2026-06`},
		{"period", set("fact_file", 1, "period", "2026-05"), "fact_file", `has period "2026-05"; expected 2026-06`},
		{"as-at", set("fact_file", 1, "as_at", day(t, "2026-07-03")), "fact_file", "has as_at 2026-07-03; expected 2026-07-02"},
		{"year", set("fact_file", 1, "contract_year", "2027-28"), "fact_file", `has contract year "2027-28"`},
		{"patient key", set("fact_assessment", 2, "patient_key", strings.Repeat("F", 64)), "fact_assessment", "patient_key that is not 64"},
		{"patient key of a cohort", set("fact_cohort_patient", 5, "patient_key", "f"), "fact_cohort_patient", "patient_key that is not 64"},
		{"sha256", set("fact_file", 0, "sha256", "12"), "fact_file", "sha256 that is not 64"},
		{"activity before the year", set("fact_assessment", 0, "activity_date", day(t, "2026-03-31")), "fact_assessment", "has activity_date 2026-03-31"},
		{"activity after as-at", set("fact_assessment", 0, "activity_date", day(t, "2026-07-03")), "fact_assessment", "has activity_date 2026-07-03"},
		{"cohort date", set("fact_cohort_patient", 0, "first_coded_date", day(t, "2026-03-31")), "fact_cohort_patient", "has first_coded_date 2026-03-31"},
		{"day", set("dim_date", 0, "quarter", 2), "dim_date", "describes 2026-04-01 wrongly"},
		{"days", func(w tables) { w["dim_date"] = w["dim_date"][1:] }, "dim_date", "has 364 days of contract year 2026-27; expected 365"},
		{"segments of the year", func(w tables) { w["dim_segment"] = w["dim_segment"][1:] }, "dim_segment", "has segments"},
		{"code", set("dim_code", 0, "cohort", "diabetes"), "dim_code", "has role claim"},
		{"unknown practice", set("fact_finding", 0, "practice_code", "Z00009"), "fact_finding", `has practice_code "Z00009", which dim_practice does not have`},

		{"practice without a position", func(w tables) { w["fact_practice_position"] = w["fact_practice_position"][:1] }, "fact_practice_position", "practice Z00002: number of rows is 0; expected 1"},
		{"practice without coverage", func(w tables) { w["fact_coverage"] = w["fact_coverage"][:1] }, "fact_coverage", "practice Z00002: number of rows is 0; expected 1"},
		{"practice without a segment", func(w tables) { w["fact_segment_count"] = w["fact_segment_count"][:9] }, "fact_segment_count", "practice Z00002, severe_mental_illness: number of rows is 0; expected 1"},
		{"assessments", set("fact_practice_position", 0, "assessments", 4), "fact_practice_position", "practice Z00001: assessments is 4; expected 3"},
		{"counted", set("fact_assessment", 2, "is_counted", true), "fact_practice_position", "counted is 2; expected 3, as in fact_assessment (counted rows)"},
		{"counted by timeliness", set("fact_practice_position", 0, "counted_unproven", 1), "fact_practice_position", "counted is 2; expected 3, as in fact_practice_position (counted_on_time + counted_late + counted_unproven)"},
		{"timeliness", set("fact_assessment", 0, "timeliness", "late"), "fact_practice_position", "counted_on_time is 1; expected 0"},
		{"late", set("fact_practice_position", 0, "counted_late", 2), "fact_practice_position", "counted_late is 2; expected 1"},
		{"unproven", set("fact_practice_position", 0, "counted_unproven", 2), "fact_practice_position", "counted_unproven is 2; expected 0"},
		{"without segment", set("fact_practice_position", 0, "without_segment", 0), "fact_practice_position", "without_segment is 0; expected 1"},
		{"without eligibility", set("fact_practice_position", 0, "without_eligibility", 0), "fact_practice_position", "without_eligibility is 0; expected 1"},
		{"repeat", set("fact_practice_position", 0, "repeat_assessments", 0), "fact_practice_position", "repeat_assessments is 0; expected 1"},
		{"eligible", set("fact_practice_position", 0, "eligible_patients", 2), "fact_practice_position", "eligible_patients is 2; expected 3"},
		{"in any segment", set("fact_practice_position", 0, "cohort_patients", 2), "fact_practice_position", "cohort_patients is 2; expected 3"},
		{"outstanding", set("fact_practice_position", 0, "outstanding_patients", 2), "fact_practice_position", "outstanding_patients is 2; expected 1"},
		{"inclusive", set("fact_practice_position", 0, "inclusive_shortfall", 39), "fact_practice_position", "inclusive_shortfall is 39; expected 40"},
		{"exclusive", set("fact_practice_position", 0, "exclusive_shortfall", 40), "fact_practice_position", "exclusive_shortfall is 40; expected 41"},
		{"segments met", set("fact_practice_position", 0, "segments_met", 1), "fact_practice_position", "segments_met is 1; expected 0"},
		{"target", set("fact_practice_position", 0, "annual_target", 200), "fact_practice_position", "has annual_target 200; expected 100"},
		{"achievement", set("fact_practice_position", 0, "achievement", 0.2), "fact_practice_position", "has a wrong achievement;"},
		{"achievement capped", set("fact_practice_position", 0, "achievement_capped", nil), "fact_practice_position", "has a wrong achievement_capped;"},
		{"achievement of all", set("fact_practice_position", 0, "achievement_all", 0.02), "fact_practice_position", "has a wrong achievement_all;"},
		{"achievement of a missing practice", set("fact_practice_position", 1, "achievement", 0.0), "fact_practice_position", "has achievement; expected null"},

		{"missing with activity", set("fact_practice_position", 1, "projected_year_end", 0), "fact_practice_position", "practice Z00002: has activity; expected null"},
		{"missing with counts", func(w tables) {
			for _, name := range []string{"cohort_patients", "assessed_patients", "assessed_on_time", "outstanding_patients"} {
				w["fact_segment_count"][5][name] = 0
			}
		}, "fact_segment_count", "practice Z00002: has counts; expected null"},
		{"supplied without activity", set("fact_practice_position", 0, "removed_left", nil), "fact_practice_position", "practice Z00001: lacks activity"},

		{"cohort patients", set("fact_segment_count", 1, "cohort_patients", 3), "fact_segment_count", "practice Z00001, cardiovascular: cohort_patients is 3; expected 2"},
		{"assessed patients", set("fact_segment_count", 1, "assessed_patients", 2), "fact_segment_count", "assessed_patients is 2; expected 1, as in fact_assessment (rows)"},
		{"assessed on time", set("fact_segment_count", 1, "assessed_on_time", 0), "fact_segment_count", "assessed_on_time is 0; expected 1"},
		{"outstanding in a segment", set("fact_segment_count", 1, "outstanding_patients", 2), "fact_segment_count", "cohort_patients is 2; expected 3, as in fact_segment_count (assessed_patients + outstanding_patients)"},
		{"some counts null", set("fact_segment_count", 1, "assessed_on_time", nil), "fact_segment_count", "some of its counts null"},
		{"minimum", set("fact_segment_count", 4, "minimum_required", 4), "fact_segment_count", "has minimum_required 4; expected 3"},
		{"minimum without a target", set("fact_segment_count", 5, "minimum_required", 4), "fact_segment_count", "has minimum_required 4; expected null"},
		{"shortfall", set("fact_segment_count", 4, "shortfall", 2), "fact_segment_count", "has shortfall 2; expected 3"},
		{"minimum met", set("fact_segment_count", 4, "is_minimum_met", true), "fact_segment_count", "wrong is_minimum_met for shortfall 3"},
		{"choice", set("fact_segment_count", 3, "cohort", "frailty"), "fact_segment_count", `has cohort "frailty"; expected "diabetes"`},

		{"month", set("fact_assessment_month", 1, "assessments", 1), "fact_assessment_month", "practice Z00001, 2026-05: assessments is 1; expected 2"},
		{"month counted", set("fact_assessment_month", 1, "counted", 2), "fact_assessment_month", "practice Z00001, 2026-05: counted is 2; expected 1"},
		{"month that is none", set("fact_assessment_month", 1, "month", day(t, "2026-05-02")), "fact_assessment_month", "practice Z00001, 2026-05: assessments is 0; expected 2"},
		{"segment month", set("fact_segment_month", 0, "assessments", 2), "fact_segment_month", "practice Z00001, cardiovascular, 2026-04: assessments is 2; expected 1"},
		{"overlap patients", set("fact_cohort_overlap", 1, "patients", 2), "fact_cohort_overlap", "practice Z00001, cardiovascular+respiratory: patients is 2; expected 1"},
		{"overlap assessed", set("fact_cohort_overlap", 1, "assessed_patients", 0), "fact_cohort_overlap", "has 0 assessed and 0 outstanding patients; expected 1"},
		{"overlap order", set("fact_cohort_overlap", 1, "segment_set", "respiratory+cardiovascular"), "fact_cohort_overlap", "respiratory+cardiovascular: patients is 1; expected 0"},
		{"overlap size", set("fact_cohort_overlap", 1, "segments", 1), "fact_cohort_overlap", "has segments 1; expected 2"},

		{"segments", set("fact_assessment", 0, "segments", 1), "fact_assessment", "has segments 1; expected 2"},
		{"in a segment", func(w tables) {
			w["fact_assessment"][2]["in_respiratory"], w["fact_assessment"][2]["segments"] = true, 1
		}, "fact_assessment", "in_… columns that differ"},
		{"assessed in the cohort table", set("fact_cohort_patient", 4, "is_assessed", true), "fact_cohort_patient", "has is_assessed true; fact_assessment says otherwise"},
		{"not assessed in the cohort table", set("fact_cohort_patient", 0, "is_assessed", false), "fact_cohort_patient", "has is_assessed false"},
		{"two practices", set("fact_cohort_patient", 1, "practice_code", "Z00002"), "fact_cohort_patient", "another practice than the patient's row before"},
		{"another practice", set("fact_assessment", 1, "practice_code", "Z00002"), "fact_assessment", "another practice than the patient's rows in fact_cohort_patient"},
		{"segment not chosen", set("fact_cohort_patient", 3, "segment", "place_choice"), "fact_cohort_patient", `has segment "place_choice"; expected ""`},
		{"segment chosen", set("fact_cohort_patient", 2, "segment", nil), "fact_cohort_patient", `has segment ""; expected "place_choice"`},

		{"rows read", set("fact_file", 0, "rows_read", 16), "fact_file", "file a.csv: rows_read is 16; expected 15"},
		{"rows rejected", set("fact_file", 0, "rows_rejected", 2), "fact_file", "file a.csv: rows_rejected is 2; expected 1"},
		{"rows of no file", set("fact_disposition", 7, "file_name", "batch/x.csv"), "fact_file", "file batch/x.csv: rows_read is 0; expected 1"},
		{"rows of a refused file", func(w tables) { w["fact_file"][2]["rows_read"] = 3 }, "fact_file", "has rows; expected none for a file that is refused"},
		{"read without a hash", set("fact_file", 1, "sha256", nil), "fact_file", "lacks sha256"},
		{"disposition of none", func(w tables) {
			w["fact_disposition"] = append(w["fact_disposition"], row{"practice_code": "Z00002", "file_name": "a.csv", "disposition": "mdt", "rows": 0,
				"contract_year": "2026-27", "period": "2026-06", "as_at": day(t, "2026-07-02"), "run_id": "run-2026-06"})
		}, "fact_disposition", "has rows 0"},
		{"disposition assessment", set("fact_disposition", 0, "rows", 4), "fact_disposition", "practice Z00001: rows assessment is 4; expected 3"},
		{"disposition cohort", set("fact_disposition", 1, "rows", 5), "fact_disposition", "practice Z00001: rows cohort is 5; expected 4"},
		{"disposition not chosen", set("fact_disposition", 7, "rows", 2), "fact_disposition", "practice Z00002: rows not_chosen_by_place is 2; expected 1"},
		{"disposition mdt", set("fact_disposition", 4, "rows", 3), "fact_disposition", "practice Z00001: rows mdt is 3; expected 2"},
		{"mdt quarter", set("fact_mdt_activity", 0, "quarter", 5), "fact_mdt_activity", "has quarter 5"},
		{"mdt code", set("fact_mdt_activity", 0, "code", "417206009"), "fact_mdt_activity", "as an MDT code"},
		{"mdt patients", set("fact_mdt_activity", 0, "patients", 3), "fact_mdt_activity", "has 3 patients and 2 events"},
		{"domain that is none", set("fact_payment", 0, "domain", "letters"), "fact_payment", "practice Z00001, implementation: number of rows is 0; expected 1"},
		{"practice without a reconciliation", func(w tables) { w["fact_reconciliation"] = w["fact_reconciliation"][:1] }, "fact_reconciliation", "practice Z00002: number of rows is 0; expected 1"},
		{"annual value", set("fact_payment", 0, "annual_value", pence(17007_41)), "fact_payment", "practice Z00001: annual_value, added up in pence is 8503699; expected 8503698, as in fact_reconciliation (contract_value in pence)"},
		{"advance value", set("fact_payment", 0, "advance_value", pence(13605_93)), "fact_payment", "advance_value, added up in pence is 6802959; expected 6802958"},
		{"earned value of a domain", set("fact_payment", 1, "earned_value", pence(935_42)), "fact_payment", "practice Z00001, assessments: earned_value is 935.42; expected 935.41"},
		{"earned value of a domain in the sum", set("fact_payment", 1, "earned_value", pence(935_42)), "fact_payment", "earned_value, added up in pence is 3920206; expected 3920205"},
		{"earned in part", set("fact_payment", 2, "earned_value", pence(21259_23)), "fact_payment", "practice Z00001, mdt: earned_value is 21259.23; expected 21259.24"},
		{"earned beyond its value", set("fact_payment", 0, "earned_value", pence(17007_41)), "fact_payment", "has earned_value 17007.41; expected 0 to 17007.40, its annual_value"},
		{"held value of a domain", set("fact_payment", 1, "held_value", pence(467_70)), "fact_payment", "practice Z00001, assessments: held_value is 467.70; expected 467.71"},
		{"held value of a domain in the sum", set("fact_payment", 1, "held_value", pence(467_70)), "fact_payment", "held_value, added up in pence is 46770; expected 46771"},
		{"held of a domain earned in full", set("fact_payment", 0, "held_value", pence(1)), "fact_payment", "practice Z00001, implementation: held_value is 0.01; expected 0.00"},
		{"held beyond what is earned", set("fact_payment", 1, "held_value", pence(935_42)), "fact_payment", "has held_value 935.42; expected 0 to 935.41, its earned_value"},
		{"held below nothing", set("fact_reconciliation", 0, "held_value", pence(-1)), "fact_reconciliation", "has held_value -0.01; expected 0 to 39202.05, its earned_value"},
		{"balance of a domain", set("fact_payment", 1, "balance", pence(36480_86)), "fact_payment", "has balance 36480.86; expected -36480.86, earned_value less advance_value"},
		{"balance of a domain in the sum", set("fact_payment", 1, "balance", pence(36480_86)), "fact_payment", "balance, added up in pence is"},
		{"value without an advance", set("fact_payment", 1, "advance_value", nil), "fact_payment", "has one of annual_value and advance_value"},
		{"earned without held", set("fact_payment", 1, "held_value", nil), "fact_payment", "has one of earned_value and held_value"},
		{"not earned", set("fact_payment", 0, "earned_value", nil), "fact_payment", "practice Z00001, implementation: earned_value is null; expected 17007.40"},
		{"contract value", set("fact_reconciliation", 0, "contract_value", pence(85036_97)), "fact_payment", "annual_value, added up in pence is 8503698; expected 8503697"},
		{"contract value without a weighted population", set("fact_reconciliation", 1, "contract_value", pence(1)), "fact_reconciliation", "practice Z00002: contract_value is 0.01; expected null"},
		{"advance of the contract", set("fact_reconciliation", 0, "advance_value", pence(68029_57)), "fact_instalment", "practice Z00001: instalment 2 is 17007.40; expected 17007.39 of the advance of 68029.57"},
		{"advance beyond the value", set("fact_reconciliation", 0, "advance_value", pence(85036_99)), "fact_reconciliation", "has advance_value 85036.99; expected 0 to 85036.98, its contract_value"},
		{"earned value", set("fact_reconciliation", 0, "earned_value", pence(39202_06)), "fact_reconciliation", "practice Z00001: earned_value is 39202.06; expected 39202.05"},
		{"held value", set("fact_reconciliation", 0, "held_value", pence(467_72)), "fact_reconciliation", "practice Z00001: held_value is 467.72; expected 467.71"},
		{"balance", set("fact_reconciliation", 0, "balance", pence(28827_53)), "fact_reconciliation", "has balance 28827.53; expected -28827.53, earned_value less advance_value"},
		{"other basis", set("fact_reconciliation", 0, "earned_value_other_basis", pence(1700_75)), "fact_reconciliation", "earned_value_other_basis is 1700.75; expected 1700.74"},
		{"balance on the other basis", set("fact_reconciliation", 0, "balance_other_basis", nil), "fact_reconciliation", "has balance_other_basis null; expected -66328.84"},
		{"projected", set("fact_reconciliation", 0, "projected_earned_value", nil), "fact_reconciliation", "projected_earned_value is null; expected 42008.27"},
		{"projected balance", set("fact_reconciliation", 0, "projected_balance", pence(0)), "fact_reconciliation", "has projected_balance 0.00; expected -26021.31"},
		{"direction before the year end is frozen", set("fact_reconciliation", 0, "direction", "recoup"), "fact_reconciliation", `has direction "recoup"; expected "" for status provisional`},
		{"direction", func(w tables) {
			w["fact_reconciliation"][0]["status"], w["fact_reconciliation"][0]["direction"], w["fact_reconciliation"][1]["status"] = "final", "pay", "final"
		}, "fact_reconciliation", `has direction "pay"; expected "recoup" for status final`},
		{"direction without a balance", func(w tables) {
			w["fact_reconciliation"][0]["status"], w["fact_reconciliation"][0]["direction"] = "final", "recoup"
			w["fact_reconciliation"][1]["status"], w["fact_reconciliation"][1]["direction"] = "final", "none"
		}, "fact_reconciliation", `row 2: has direction "none"; expected "" for status final`},
		{"status of a frozen year end", func(w tables) {
			w["fact_reconciliation"][0]["status"], w["fact_reconciliation"][0]["direction"], w["fact_reconciliation"][1]["status"] = "final", "recoup", "final"
		}, "fact_reconciliation", `row 1: has status "final"; expected provisional, as the manifest says of its period`},
		{"another status", set("fact_reconciliation", 1, "status", "final"), "fact_reconciliation", "has status final and basis domain_2; expected provisional and domain_2, as the rows before"},
		{"another basis", set("fact_reconciliation", 1, "basis", "whole_contract"), "fact_reconciliation", "has status provisional and basis whole_contract; expected"},
		{"basis", func(w tables) {
			w["fact_reconciliation"][0]["basis"], w["fact_reconciliation"][1]["basis"] = "whole_contract", "whole_contract"
		}, "fact_reconciliation", "practice Z00001: earned_value is 39202.05; expected 1700.74"},
		{"basis of the domains", func(w tables) {
			w["fact_reconciliation"][0]["basis"], w["fact_reconciliation"][1]["basis"] = "whole_contract", "whole_contract"
		}, "fact_payment", "practice Z00001, implementation: earned_value is 17007.40; expected 340.15"},
		{"earned of a missing practice", func(w tables) {
			w["dim_practice"][1]["weighted_population"], w["dim_practice"][1]["annual_target"] = 100.0, 10
			w["fact_practice_position"][1]["annual_target"] = 10
			w["fact_payment"][3]["annual_value"], w["fact_payment"][3]["advance_value"] = pence(100_00), pence(80_00)
			w["fact_payment"][3]["earned_value"], w["fact_payment"][3]["held_value"] = pence(100_00), pence(0)
		}, "fact_payment", "practice Z00002, implementation: earned_value is 100.00; expected null"},
		{"projected of a missing practice", set("fact_reconciliation", 1, "projected_earned_value", pence(0)), "fact_reconciliation", "practice Z00002: projected_earned_value is 0.00; expected null"},
		{"earned without a target", func(w tables) {
			w["dim_practice"][0]["annual_target"], w["fact_practice_position"][0]["annual_target"] = nil, nil
		}, "fact_reconciliation", "practice Z00001: earned_value is 39202.05; expected null"},
		{"domain earned without a target", func(w tables) {
			w["dim_practice"][0]["annual_target"], w["fact_practice_position"][0]["annual_target"] = nil, nil
		}, "fact_payment", "practice Z00001, assessments: earned_value is 935.41; expected null"},
		{"instalment", set("fact_instalment", 0, "amount", pence(17007_39)), "fact_instalment", "practice Z00001: instalment 1 is 17007.39; expected 17007.40 of the advance of 68029.58"},
		{"instalment of nothing", set("fact_instalment", 4, "amount", pence(0)), "fact_instalment", "practice Z00002: instalment 1 is 0.00; expected null"},
		{"instalment lost", func(w tables) { w["fact_instalment"] = w["fact_instalment"][:7] }, "fact_instalment", "practice Z00002: has 3 instalments or other months; expected the 4 that the other practices have"},
		{"instalment in another month", set("fact_instalment", 5, "paid_month", day(t, "2026-05-01")), "fact_instalment", "practice Z00002: has 4 instalments or other months"},
		{"instalment number", set("fact_instalment", 3, "instalment", 5), "fact_instalment", "has instalment 5 paid in 2026-09-01; expected numbers from 1"},
		{"instalment before the one above", set("fact_instalment", 3, "paid_month", day(t, "2026-05-01")), "fact_instalment", "has instalment 4 paid in 2026-05-01; expected numbers from 1 in the order of payment"},
		{"paid to date", set("fact_reconciliation", 0, "advance_paid_to_date", pence(68029_58)), "fact_instalment", "instalments up to the period's month are 51022.19; expected 68029.58, advance_paid_to_date"},
		{"paid to date unknown", set("fact_reconciliation", 0, "advance_paid_to_date", nil), "fact_reconciliation", "has one of advance_value and advance_paid_to_date"},
		{"finding", set("fact_finding", 0, "severity", "info"), "fact_finding", `has severity "info"; expected error for file_refused`},
	}
	p := newPublishing(t)
	own := month(t, "2026-27", "2026-06", "2026-07-02")
	sound := onePeriod(t, own)
	draft, manifest := p.draft(t, own, sound)
	defer draft.Discard()
	verified, all := int64(0), int64(0)
	told := func(done, total int64) {
		if done < verified || done > total || all > 0 && total != all {
			t.Errorf("%d rows of %d are verified, after %d of %d", done, total, verified, all)
		}
		verified, all = done, total
	}
	if problems, err := draft.Verify(manifest, told); err != nil || len(problems) > 0 {
		t.Fatalf("the world that the cases spoil has itself problems: %v, %v", problems, err)
	}
	rows := 0 // the latest period's are the top level's, byte by byte
	for _, table := range sound {
		rows += len(table)
	}
	if verified != int64(rows) || all != int64(rows) {
		t.Errorf("%d rows of %d are verified; expected %d", verified, all, rows)
	}
	for _, c := range cases {
		t.Run(strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) {
			world := onePeriod(t, own)
			c.spoil(world)
			for _, table := range schema.Tables() {
				if !reflect.DeepEqual(world[table.Name], sound[table.Name]) {
					rewrite(t, draft, own, table, world)
					defer rewrite(t, draft, own, table, sound)
				}
			}
			problems, err := draft.Verify(manifest, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{TableFile(c.table, ""), TableFile(c.table, own.Period)} {
				if !slices.ContainsFunc(problems, func(p Problem) bool {
					return p.File == name && p.Table == c.table && strings.Contains(p.What, c.want)
				}) {
					t.Errorf("no problem of %s says %q; problems are %v", name, c.want, problems)
				}
			}
		})
	}
}

func rewrite(t *testing.T, draft *Draft, own PublishedPeriod, table schema.Table, world tables) {
	t.Helper()
	for _, name := range []string{TableFile(table.Name, ""), TableFile(table.Name, own.Period)} {
		writeParquet(t, draft.Path(name), table, arrange(table, world[table.Name]))
	}
}

func TestVerifyFindsWrongShapes(t *testing.T) {
	own := month(t, "2026-27", "2026-06", "2026-07-02")
	table, _ := schema.Lookup("fact_coverage")
	change := func(do func(*schema.Table)) schema.Table {
		changed, _ := schema.Lookup("fact_coverage")
		do(&changed)
		return changed
	}
	rows := arrange(table, onePeriod(t, own)["fact_coverage"])
	cases := []struct {
		name  string
		table schema.Table
		rows  []row
		want  string
	}{
		{"a column less", change(func(x *schema.Table) { x.Columns = x.Columns[1:] }), rows, "has columns search_files"},
		{"a column more", change(func(x *schema.Table) {
			x.Columns = append(x.Columns, schema.Column{Name: "extra", Type: schema.Bigint})
		}), rows, "extra; expected"},
		{"another order", change(func(x *schema.Table) { x.Columns[1], x.Columns[2] = x.Columns[2], x.Columns[1] }), rows, "has columns practice_code, bulk_files, search_files"},
		{"another type", change(func(x *schema.Table) { x.Columns[6].Type = schema.Varchar }), nil, "column newest_extract_date is utf8; expected DATE"},
		{"not sorted", table, []row{rows[1], rows[0]}, "row 2: sorts before the row before it"},
		{"a row less than above", table, rows[:1], "has 2 rows of contract year 2026-27; expected the 1 of history/fact_coverage/2026-06.parquet"},
	}
	for _, c := range cases {
		t.Run(strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) {
			p := newPublishing(t)
			draft, manifest := p.draft(t, own, onePeriod(t, own))
			writeParquet(t, draft.Path("history/fact_coverage/2026-06.parquet"), c.table, c.rows)
			problems, err := draft.Verify(manifest, nil)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(problems, func(p Problem) bool {
				return p.Table == "fact_coverage" && strings.Contains(p.What, c.want)
			}) {
				t.Errorf("no problem says %q; problems are %v", c.want, problems)
			}
		})
	}
	t.Run("other_rows_than_above", func(t *testing.T) {
		p := newPublishing(t)
		draft, manifest := p.draft(t, own, onePeriod(t, own))
		world := onePeriod(t, own)
		world["fact_coverage"][0]["search_files"] = 2
		writeParquet(t, draft.Path("history/fact_coverage/2026-06.parquet"), table, arrange(table, world["fact_coverage"]))
		problems, err := draft.Verify(manifest, nil)
		if err != nil || len(problems) != 1 || problems[0].What != "has other rows of contract year 2026-27 than history/fact_coverage/2026-06.parquet" {
			t.Errorf("problems are %v, %v", problems, err)
		}
	})
}

func TestVerifyNamesWhatWasDamaged(t *testing.T) {
	const snapshot = "snapshots/run-2026-06/"
	flip := func(at func(size int) int) func(t *testing.T, path string) {
		return func(t *testing.T, path string) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			data[at(len(data))] ^= 0x20
			replaceFile(t, path, data)
		}
	}
	cases := []struct {
		name, file string // file: what is damaged, and what the problem must name
		table      string
		damage     func(t *testing.T, path string)
		want       string
	}{
		{"page", snapshot + "fact_assessment.parquet", "fact_assessment", flip(func(int) int { return 40 }), "was changed after it was published"},
		{"footer", snapshot + "fact_assessment.parquet", "fact_assessment", flip(func(n int) int { return n - 30 }), "was changed after it was published"},
		{"magic", snapshot + "history/fact_file/2026-06.parquet", "fact_file", flip(func(n int) int { return n - 1 }), "was changed after it was published"},
		{"manifest", snapshot + "manifest.json", "", flip(func(n int) int { return n / 2 }), "restore it from a backup"},
		{"truncated", snapshot + "history/dim_code/2025-26.parquet", "dim_code", func(t *testing.T, path string) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			replaceFile(t, path, data[:len(data)-10])
		}, "bytes; expected"},
		{"gone", snapshot + "dim_segment.parquet", "dim_segment", remove, "is not there"},
		{"gone manifest", snapshot + "manifest.json", "", remove, "is not there"},
		{"gone manifest of another", "snapshots/run-2026-05/manifest.json", "", remove, "is not there"},
		{"a link for the manifest", snapshot + "manifest.json", "", func(t *testing.T, path string) {
			outside := filepath.Join(t.TempDir(), "manifest.json")
			if err := os.Rename(path, outside); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(outside, path); err != nil {
				t.Fatal(err)
			}
		}, "is no regular file"},
		{"another name", "snapshots/run-2026-05x", "", func(t *testing.T, path string) {
			if err := os.Rename(strings.TrimSuffix(path, "x"), path); err != nil {
				t.Fatal(err)
			}
		}, "is the snapshot of run run-2026-05 under another name"},
		{"page of another", "snapshots/run-2026-05/fact_file.parquet", "fact_file", flip(func(int) int { return 40 }), "was changed after it was published"},
		{"extra", snapshot + "notes.txt", "", func(t *testing.T, path string) { replaceFile(t, path, []byte("x")) }, "is not in the manifest"},
		{"extra table", snapshot + "history/fact_file/2026-07.parquet", "fact_file", func(t *testing.T, path string) { replaceFile(t, path, []byte("x")) }, "is not in the manifest"},
		{"a link for a file", snapshot + "dim_code.parquet", "dim_code", func(t *testing.T, path string) {
			remove(t, path)
			if err := os.Symlink("dim_date.parquet", path); err != nil {
				t.Fatal(err)
			}
		}, "is no regular file"},
		{"link gone", "current", "", remove, "is not there"},
		{"link broken", "current", "", func(t *testing.T, path string) {
			remove(t, path)
			if err := os.Symlink("snapshots/run-none", path); err != nil {
				t.Fatal(err)
			}
		}, "leads to snapshots/run-none, which is not there"},
		{"link elsewhere", "current", "", func(t *testing.T, path string) {
			remove(t, path)
			if err := os.Symlink("../elsewhere", path); err != nil {
				t.Fatal(err)
			}
		}, "does not lead to a snapshot"},
	}
	for _, c := range cases {
		t.Run(strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) {
			p := twoYears(t)
			c.damage(t, filepath.Join(p.store.Dir, filepath.FromSlash(c.file)))
			problems, err := p.store.Verify()
			if err != nil {
				t.Fatal(err)
			}
			if len(problems) != 1 {
				t.Errorf("%d problems; expected the one: %v", len(problems), problems)
			}
			if len(problems) == 0 || problems[0].File != c.file || problems[0].Table != c.table || !strings.Contains(problems[0].What, c.want) {
				t.Errorf("problems are %v; expected %s (%s): %s", problems, c.file, c.table, c.want)
			}
		})
	}
}

// A file that was damaged before it was published has the hash that its manifest says. Whatever
// byte is wrong, reading it must not end the program.
func TestVerifySurvivesEveryFlippedByte(t *testing.T) {
	own := month(t, "2026-27", "2026-06", "2026-07-02")
	dir, latest := t.TempDir(), map[string]PublishedPeriod{own.ContractYear: own}
	table, _ := schema.Lookup("fact_segment_month")
	name := TableFile(table.Name, "")
	path := filepath.Join(dir, name)
	writeParquet(t, path, table, arrange(table, onePeriod(t, own)[table.Name]))
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	read := func(data []byte) []Problem {
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		r := newReport()
		set := &fileSet{isWanted: true, report: r, dir: dir, runs: latest, files: map[string]File{table.Name: {Name: name, Table: table.Name, Rows: 3}}}
		set.verify()
		return r.problems()
	}
	if problems := read(whole); len(problems) > 0 {
		t.Fatalf("the sound file has problems: %v", problems)
	}
	found := 0
	for at := range whole {
		damaged := slices.Clone(whole)
		damaged[at] ^= 1 << (at % 8)
		problems := read(damaged)
		for _, problem := range problems {
			if problem.File != name || problem.Table != table.Name || strings.Contains(problem.What, "\n") {
				t.Fatalf("byte %d: problem %q", at, problem)
			}
		}
		if len(problems) > 0 {
			found++
		}
	}
	if found < len(whole)/4 {
		t.Errorf("%d of %d flipped bytes are problems", found, len(whole))
	}
	for _, length := range []int{0, 3, 8, len(whole) / 2, len(whole) - 1} {
		if len(read(whole[:length])) == 0 {
			t.Errorf("a file cut to %d bytes has no problem", length)
		}
	}
}

// Row groups and batches end at different rows, and the key runs across both.
func TestVerifyReadsAcrossBatches(t *testing.T) {
	own := month(t, "2026-27", "2026-06", "2026-07-02")
	table, _ := schema.Lookup("fact_disposition")
	const many = 2*batchRows + 100
	var rows []row
	for n := range many {
		rows = append(rows, row{"practice_code": fmt.Sprintf("Z%05d", n), "file_name": "a.csv", "disposition": "duplicate", "rows": n + 1,
			"contract_year": own.ContractYear, "period": own.Period, "as_at": own.AsAt, "run_id": own.RunID})
	}
	read := func() (*ledger, []Problem) {
		dir, r := t.TempDir(), newReport()
		name := TableFile(table.Name, "")
		writeParquet(t, filepath.Join(dir, name), table, rows)
		set := &fileSet{isWanted: true, report: r, dir: dir, runs: map[string]PublishedPeriod{own.ContractYear: own},
			files: map[string]File{table.Name: {Name: name, Table: table.Name, Rows: many}}}
		set.verify()
		return set.ledgers[own.ContractYear], r.problems()
	}
	ledger, problems := read()
	if len(problems) > 0 {
		t.Fatalf("problems are %v", problems)
	}
	if got := ledger.sums[quantity{"fact_disposition", "rows of the file"}][ofPart("", "file a.csv")]; got != many*(many+1)/2 {
		t.Errorf("the rows add up to %d; expected %d", got, many*(many+1)/2)
	}
	at := 2 * batchRows
	rows[at], rows[at-1] = rows[at-1], rows[at]
	if _, problems := read(); len(problems) == 0 || !strings.HasPrefix(problems[0].What, fmt.Sprintf("row %d: sorts before", at+1)) {
		t.Errorf("problems are %v; expected row %d", problems, at+1)
	}
}

func TestProblemsAlikeAreCounted(t *testing.T) {
	r := newReport()
	for n := range 10 {
		r.add("a", "t", "row %d is wrong", n)
	}
	r.add("a", "t", "is old")
	var got []string
	for _, problem := range r.problems() {
		got = append(got, problem.String())
	}
	want := []string{"a (t): row 0 is wrong", "a (t): row 1 is wrong", "a (t): row 2 is wrong", "a (t): and 7 more like the last", "a (t): is old"}
	if !slices.Equal(got, want) {
		t.Errorf("problems are %q, want %q", got, want)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}

// replaceFile gives the path new bytes and leaves hard links of it in other snapshots alone.
func replaceFile(t *testing.T, path string, data []byte) {
	t.Helper()
	remove(t, path)
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func nan() float64 {
	zero := 0.0
	return zero / zero
}
