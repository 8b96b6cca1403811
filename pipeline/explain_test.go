package pipeline_test

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"ltcles/pipeline"
	"ltcles/pipeline/civil"
	"ltcles/pipeline/contract"
	"ltcles/pipeline/explain"
	"ltcles/pipeline/oracle"
	"ltcles/pipeline/workspace"
)

// place is an input row, and what became of it.
type place struct {
	file        string
	line, event int // the one row of a line without events is its first
	disposition string
}

func placeOf(file string, line, event int, disposition string) place {
	return place{file, line, max(1, event), disposition}
}

// pseudonymKeys selects each pseudonym in the rows, in full and by its number.
const pseudonymKeys = `
	select distinct identity_no, lower(concat(
		lpad(hex(identity_no), 16, '0'), lpad(hex(second_part), 16, '0'), lpad(hex(third_part), 16, '0'), lpad(hex(fourth_part), 16, '0'))) as patient_key
	from stg_pseudonym`

// mustBeExplained asks about every patient of a run: the rows explained are the patient's and no
// others, with the dispositions that the run gave them, and the verdict is what fact_assessment
// says. No row that gives a number goes unexplained.
func (c goldenCase) mustBeExplained(t *testing.T, w *workspace.Workspace, run caseRun, identities map[string]string) {
	t.Helper()
	ctx := context.Background()
	cfg := pipeline.Config{Workspace: w, Period: run.period, AsAt: run.asAt, Today: run.period.End() + 1, Accept: run.accept, Threads: 1}
	err := pipeline.Replay(ctx, cfg, func(computed pipeline.Replayed) error {
		var asked []string                          // identities, in the order of their pseudonyms
		rows := map[string][]place{}                // by identity
		assessed := map[string]explain.Assessment{} // by identity
		paired := map[string]string{}               // an EMIS number's identity to the NHS number
		numbered := map[place]bool{}
		for _, query := range []struct {
			text string
			each func(v []any) error
		}{
			{"select patient_key from (" + pseudonymKeys + ") group by patient_key order by patient_key", func(v []any) error {
				asked = append(asked, identities[v[0].(string)])
				return nil
			}},
			{`
				select files.file_name, dispositions.line, dispositions.event, dispositions.disposition,
					coalesce(identities.patient_key, ''), stg_row.nhs_no is not null or stg_row.emis_no is not null
				from int_disposition as dispositions
				inner join int_row using (file_no, line, event)
				inner join stg_row using (file_no, line, event)
				inner join raw_file as files using (file_no)
				left join (` + pseudonymKeys + `) as identities on identities.identity_no = int_row.patient_no
				order by file_no, line, event`, func(v []any) error {
				row := placeOf(v[0].(string), int(v[1].(int32)), int(v[2].(int32)), v[3].(string))
				if key := v[4].(string); key != "" {
					rows[identities[key]] = append(rows[identities[key]], row)
				}
				if v[5].(bool) {
					numbered[row] = true
				}
				return nil
			}},
			{"select patient_key, practice_code, timeliness, is_counted, segments from mart_fact_assessment", func(v []any) error {
				assessed[identities[v[0].(string)]] = explain.Assessment{
					Practice: v[1].(string), Timeliness: v[2].(string), IsCounted: v[3].(bool), Segments: make([]string, v[4].(int64)),
				}
				return nil
			}},
			{`
				select emis.patient_key, nhs.patient_key
				from (
					select emis_no, min(nhs_no) as nhs_no
					from stg_row
					where own_step > 3 and emis_no is not null and nhs_no is not null
					group by emis_no
					having min(nhs_no) = max(nhs_no)
				) as pairs
				inner join (` + pseudonymKeys + `) as emis on emis.identity_no = pairs.emis_no
				inner join (` + pseudonymKeys + `) as nhs on nhs.identity_no = pairs.nhs_no`, func(v []any) error {
				paired[identities[v[0].(string)]] = identities[v[1].(string)]
				return nil
			}},
		} {
			if err := computed.Query(ctx, query.text, query.each); err != nil {
				return err
			}
		}
		seen := map[place]bool{}
		for _, identity := range asked {
			explanation, err := computed.Explain(ctx, askedOf(identity))
			if err != nil {
				return err
			}
			if explanation.Standing.IsSame == run.isRefused {
				t.Errorf("run %s: as published %v, changes %v; refused %v", run.period, explanation.Standing.IsSame, explanation.Standing.Changes, run.isRefused)
			}
			patient := cmp.Or(paired[identity], identity)
			var assessment *explain.Assessment
			if found, ok := assessed[patient]; ok {
				assessment = &found
			}
			explainsOnly(t, identity, explanation, rows[patient], assessment)
			for _, row := range explanation.Rows {
				seen[placeOf(row.File, row.Line, row.Event, row.Disposition)] = true
			}
		}
		for row := range numbered {
			if !seen[row] {
				t.Errorf("run %s: %+v gives a number, and nobody's explanation has it", run.period, row)
			}
		}
		nobody, err := computed.Explain(ctx, pipeline.Asked{Number: []byte("9999999999")})
		if err == nil && (nobody.Verdict.Outcome != explain.NotFound || len(nobody.Rows) > 0) {
			t.Errorf("of a number that no row gives: %+v", nobody.Verdict)
		}
		return err
	})
	if err != nil {
		t.Fatalf("explain %s: %v", run.period, err)
	}
}

// explainsOnly holds an explanation against the patient's rows and assessment, and against itself.
func explainsOnly(t *testing.T, identity string, explanation *pipeline.Explanation, rows []place, assessment *explain.Assessment) {
	t.Helper()
	verdict := explanation.Verdict
	var got []place
	for _, row := range explanation.Rows {
		if row.Step > 4 && verdict.Outcome != explain.Ambiguous { // those before step 5 have no patient
			got = append(got, placeOf(row.File, row.Line, row.Event, row.Disposition))
		}
		if (row.Kept != nil) != (row.Disposition == "duplicate") {
			t.Errorf("%s: %+v: a duplicate, and nothing else, has a row in its place", identity, row)
		}
		if row.Kept != nil && !slices.ContainsFunc(explanation.Rows, func(kept explain.Row) bool {
			return kept.Place == 1 && kept.Code == row.Code && *row.Kept == kept.Position()
		}) {
			t.Errorf("%s: %v is in a duplicate's place, and is no row that is kept", identity, *row.Kept)
		}
	}
	if !slices.Equal(got, rows) {
		t.Errorf("%s: explained by %+v; expected %+v", identity, got, rows)
	}
	isAssessed := verdict.Outcome == explain.Counted || verdict.Outcome == explain.AssessedNotCounted
	switch {
	case isAssessed != (assessment != nil) || isAssessed != (verdict.Assessment != nil):
		t.Errorf("%s: %+v; assessed: %v", identity, verdict, assessment != nil)
	case !isAssessed:
	case (verdict.Outcome == explain.Counted) != assessment.IsCounted || verdict.Practice != assessment.Practice ||
		verdict.Assessment.Timeliness != assessment.Timeliness || len(verdict.Assessment.Segments) != len(assessment.Segments):
		t.Errorf("%s: %+v of %+v; expected %+v", identity, verdict, verdict.Assessment, assessment)
	}
	if explanation.Differs {
		t.Errorf("%s: published %v, and computed %v", identity, explanation.Published, verdict.Assessment)
	}
	if !strings.HasSuffix(verdict.Sentence, ".") || strings.Contains(verdict.Sentence, "  ") || strings.Contains(verdict.Sentence, " ,") {
		t.Errorf("%s: %s in a sentence that is none: %q", identity, verdict.Outcome, verdict.Sentence)
	}
	for _, rule := range explanation.Rules {
		if rule.Reason == "" || !slices.Contains([]string{explain.Pass, explain.Fail, explain.DoesNotApply}, rule.Result) {
			t.Errorf("%s: rule %+v", identity, rule)
		}
	}
	text, err := json.Marshal(explanation)
	if err != nil {
		t.Fatal(err)
	}
	if number := askedOf(identity).Number; len(number) == 10 && strings.Contains(string(text), string(number)) {
		t.Errorf("%s: the explanation repeats the number", identity)
	}
}

func askedOf(identity string) pipeline.Asked {
	rest, isEMIS := strings.CutPrefix(identity, "emis:")
	if !isEMIS {
		return pipeline.Asked{Number: []byte(identity)}
	}
	practice, number, _ := strings.Cut(rest, ":")
	return pipeline.Asked{Practice: practice, Number: []byte(number)}
}

// What is explained of random workspaces is what the plain-Go statement of the rules makes of
// them: whose each row is, what became of it, and what the patient counts for.
func TestExplainAgreesWithTheRules(t *testing.T) {
	seeds := uint64(4)
	if testing.Short() {
		seeds = 2
	}
	for seed := uint64(1); seed <= seeds; seed++ {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			made := oracle.Generate(seed)
			inputs, outputs := made.Decide()
			w := writeWorkspace(t, made)
			patients := 0
			for n, run := range made.Runs {
				writeInbox(t, w, run)
				publish(t, w, run, 1)
				patients += explainByTheRules(t, w, run, inputs[n], outputs[n])
			}
			if patients == 0 {
				t.Error("there is nobody to ask about")
			}
		})
	}
}

// explainByTheRules asks about every patient of a run, and says how many there are.
func explainByTheRules(t *testing.T, w *workspace.Workspace, run oracle.Run, in oracle.Input, out oracle.Output) int {
	t.Helper()
	rows, assessed := map[string][]place{}, map[string]*explain.Assessment{}
	for i, row := range in.Rows {
		if patient := out.Patients[i]; patient != "" {
			rows[patient] = append(rows[patient], placeOf(in.Files[row.File].Path, row.Line, row.Event, out.Dispositions[i]))
		}
	}
	for _, assessment := range out.Assessments {
		assessed[assessment.Patient] = &explain.Assessment{
			Practice: assessment.Practice, Timeliness: assessment.Timeliness, IsCounted: assessment.IsCounted, Segments: assessment.Segments,
		}
	}
	period, err := contract.ParsePeriod(run.Period)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	cfg := pipeline.Config{Workspace: w, Period: period, AsAt: civil.None, Today: run.AsAt, Threads: 1}
	err = pipeline.Replay(ctx, cfg, func(computed pipeline.Replayed) error {
		for patient, theirs := range rows {
			slices.SortFunc(theirs, func(a, b place) int {
				return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.line, b.line), cmp.Compare(a.event, b.event))
			})
			explanation, err := computed.Explain(ctx, askedOf(patient))
			if err != nil {
				return err
			}
			explainsOnly(t, patient, explanation, theirs, assessed[patient])
		}
		return nil
	})
	if err != nil {
		t.Fatalf("explain %s: %v", run.Period, err)
	}
	return len(rows)
}

// The number asked about is blank before a file is read, and in no file of the workspace but the
// inbox's while the period is computed or afterwards.
func TestExplainKeepsNoNumber(t *testing.T) {
	const name = "R05_emis_number_leads_to_the_nhs_number_that_rows_pair_it_with"
	c := readCase(t, name)
	w := c.workspace(t)
	asked, steps := 0, 0
	for _, identity := range slices.Sorted(maps.Values(c.identities(t, w))) {
		one := askedOf(identity)
		if len(one.Number) != len("9990000018") || !strings.HasPrefix(string(one.Number), "999") { // other digits may stand in a code or a pseudonym
			continue
		}
		number := string(one.Number)
		asked++
		cfg := pipeline.Config{Workspace: w, Period: c.runs[0].period, AsAt: c.runs[0].asAt, Threads: 1, Progress: func(p pipeline.Progress) {
			steps++
			if p.Step != "inspecting files" && strings.Trim(string(one.Number), "\x00") != "" { // which key it is asked under is settled then
				t.Error("the number is there while rows are read")
			}
			for file, text := range readAll(t, w.Private()) {
				if strings.Contains(text, number) {
					t.Errorf("%s holds the number", file)
				}
			}
		}}
		if _, err := pipeline.Explain(context.Background(), cfg, one); err != nil {
			t.Fatal(err)
		}
		for file, text := range readAll(t, w.Dir) {
			if strings.Contains(text, number) && !strings.HasPrefix(file, "inbox") {
				t.Errorf("%s holds the number", file)
			}
		}
		if asked == 2 {
			break
		}
	}
	if asked != 2 || steps == 0 {
		t.Errorf("%d asked about, %d steps seen", asked, steps)
	}
}
