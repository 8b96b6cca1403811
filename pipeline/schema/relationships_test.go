package schema

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestRelationshipsAreTheStar(t *testing.T) {
	want := []string{
		"dim_code.segment > dim_segment.segment",
		"fact_assessment.practice_code > dim_practice.practice_code",
		"fact_assessment.activity_date > dim_date.date",
		"fact_cohort_patient.practice_code > dim_practice.practice_code",
		"fact_cohort_patient.segment > dim_segment.segment",
		"fact_cohort_patient.first_coded_date > dim_date.date",
		"fact_segment_count.practice_code > dim_practice.practice_code",
		"fact_segment_count.segment > dim_segment.segment",
		"fact_practice_position.practice_code = dim_practice.practice_code",
		"fact_assessment_month.practice_code > dim_practice.practice_code",
		"fact_assessment_month.month > dim_date.date",
		"fact_segment_month.practice_code > dim_practice.practice_code",
		"fact_segment_month.segment > dim_segment.segment",
		"fact_segment_month.month > dim_date.date",
		"fact_cohort_overlap.practice_code > dim_practice.practice_code",
		"fact_mdt_activity.practice_code > dim_practice.practice_code",
		"fact_mdt_activity.code > dim_code.code",
		"fact_payment.practice_code > dim_practice.practice_code",
		"fact_reconciliation.practice_code = dim_practice.practice_code",
		"fact_instalment.practice_code > dim_practice.practice_code",
		"fact_coverage.practice_code = dim_practice.practice_code",
		"fact_disposition.practice_code > dim_practice.practice_code",
		"fact_disposition.file_name > fact_file.file_name",
		"fact_finding.practice_code > dim_practice.practice_code",
	}
	var got []string
	pairs := map[string]bool{}
	for _, r := range Relationships() {
		sign := ">"
		if r.IsOneToOne() {
			sign = "="
		}
		got = append(got, fmt.Sprintf("%s.%s %s %s.%s", r.Table, r.Column, sign, r.ToTable, r.ToColumn))
		to, _ := Lookup(r.ToTable)
		if !slices.Equal(to.Key(), []string{r.ToColumn}) {
			t.Errorf("%s.%s leads to %s.%s, which is not the key %v", r.Table, r.Column, r.ToTable, r.ToColumn, to.Key())
		}
		from, _ := Lookup(r.Table)
		column, _ := from.Column(r.Column)
		toColumn, _ := to.Column(r.ToColumn)
		if column.Type != toColumn.Type {
			t.Errorf("%s.%s is %s, %s.%s %s", r.Table, r.Column, column.Type, r.ToTable, r.ToColumn, toColumn.Type)
		}
		if pair := r.Table + " " + r.ToTable; pairs[pair] {
			t.Errorf("%s names rows of %s twice: a tool that takes one active relationship cannot have both", r.Table, r.ToTable)
		} else {
			pairs[pair] = true
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("relationships are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestEveryRuleIsDescribed(t *testing.T) {
	for i, rule := range Rules() {
		if want := fmt.Sprintf("R%d", i+1); rule.Name != want {
			t.Errorf("rule %d is %s", i+1, rule.Name)
		}
		if !oneSentence(rule.Meaning) {
			t.Errorf("%s: meaning is not one sentence: %q", rule.Name, rule.Meaning)
		}
	}
	if n := len(Rules()); n != 20 {
		t.Errorf("%d rules; the specification has 20", n)
	}
	if got := RulesOf("R11, R12, R15"); len(got) != 3 || got[2].Name != "R15" {
		t.Errorf("RulesOf finds %v", got)
	}
	if got := RulesOf(""); got != nil {
		t.Errorf("RulesOf nothing finds %v", got)
	}
}
