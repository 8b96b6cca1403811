package pipeline_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"ltcles/pipeline"
	"ltcles/pipeline/oracle"
	"ltcles/pipeline/pseudonym"
	"ltcles/pipeline/schema"
	"ltcles/pipeline/snapshot"
	"ltcles/pipeline/workspace"
)

// Any two periods of a year of random small workspaces, the later against the earlier and the
// other way about: the differences are those of the tables that the rules make, the reasons those
// that the rules give, and the sums explain the positions.
func TestOracleDiff(t *testing.T) {
	t.Parallel()
	first, last := oracleSeeds(t)
	if os.Getenv("ORACLE_SEEDS") == "" {
		last = first + 11 // each takes as many runs again as there are pairs
	}
	for seed := first; seed <= last; seed++ {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			diffWithOracle(t, seed)
		})
	}
}

func diffWithOracle(t *testing.T, seed uint64) {
	made := oracle.Generate(seed)
	inputs, outputs := made.Decide()
	space := writeWorkspace(t, made)
	key, err := pseudonym.Load(space.KeyFile())
	if err != nil {
		t.Fatal(err)
	}
	hasher := key.NewHasher()
	patientKey := func(identity string) string { return string(hasher.Hex(nil, []byte(identity))) }

	var names []string // of the snapshots, by run
	for n, run := range made.Runs {
		writeInbox(t, space, run)
		names = append(names, nameOfSnapshot(t, publish(t, space, run, 1)))
		for m, earlier := range made.Runs[:n] {
			if earlier.Year != run.Year {
				continue
			}
			pairs := [][2]int{{m, n}}
			isReplaced := slices.ContainsFunc(made.Runs[m+1:n+1], func(later oracle.Run) bool { return later.Period == earlier.Period })
			if !isReplaced { // else its inbox is another now
				pairs = append(pairs, [2]int{n, m})
			}
			for _, pair := range pairs {
				from, to := pair[0], pair[1]
				compared, got := diff(t, space, names[from], names[to], "")
				if compared.NotKnown != nil {
					t.Errorf("from %s to %s: reasons are not known: %q", names[from], names[to], compared.NotKnown)
				}
				want := expectedDifferences(outputs[from].Tables(inputs[from], patientKey), outputs[to].Tables(inputs[to], patientKey))
				reportLines(t, names[from]+" to "+names[to], want, linesOf(got))
				in := inputs[to]
				in.Previous = previousOf(outputs[from])
				reportLines(t, "reasons of "+names[from]+" to "+names[to], lossLines(oracle.Decide(in).Losses, patientKey), reasonLines(got))
				mustExplainPositions(t, compared, got)
			}
		}
	}
}

func nameOfSnapshot(t *testing.T, dir string) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Base(dir)
}

func diff(t *testing.T, w *workspace.Workspace, from, to, practice string) (*pipeline.Comparison, []pipeline.Difference) {
	t.Helper()
	var list []pipeline.Difference
	compared, err := pipeline.Diff(context.Background(), pipeline.DiffConfig{Workspace: w, From: from, To: to, Practice: practice, Threads: 1},
		func(d pipeline.Difference) error {
			list = append(list, d)
			return nil
		})
	if err != nil {
		t.Fatalf("diff %s %s: %v", from, to, err)
	}
	if compared.Differences != int64(len(list)) {
		t.Errorf("diff %s %s: %d differences, %d handed out", from, to, compared.Differences, len(list))
	}
	return compared, list
}

func previousOf(out oracle.Output) []oracle.Previous {
	previous := []oracle.Previous{}
	for _, assessment := range out.Assessments {
		previous = append(previous, oracle.Previous{Patient: assessment.Patient, Practice: assessment.Practice, Counted: assessment.IsCounted})
	}
	return previous
}

func lossLines(losses []oracle.Loss, patientKey func(string) string) []string {
	var lines []string
	for _, loss := range losses {
		lines = append(lines, fmt.Sprintf("%s %s %s %s", loss.Practice, patientKey(loss.Patient), loss.Reason, loss.Now))
	}
	slices.Sort(lines)
	return lines
}

func reasonLines(list []pipeline.Difference) []string {
	var lines []string
	for _, d := range list {
		isLoss := d.What == "assessment" && (d.Change == "lost" || d.Column == "is_counted" && d.From == "true" && d.To == "false")
		if isLoss || d.Reason != "" {
			lines = append(lines, fmt.Sprintf("%s %s %s %s", d.Practice, d.Patient, d.Reason, d.OtherPractice))
		}
	}
	slices.Sort(lines)
	return lines
}

// expectedDifferences compares the rules' tables, row by row and value by value.
func expectedDifferences(from, to []oracle.Table) []string {
	var lines []string
	for what, shows := range map[string][2]string{
		"assessment": {"fact_assessment", "is_counted"}, "cohort": {"fact_cohort_patient", "segment"}, "position": {"fact_practice_position", ""},
		"money": {"fact_reconciliation", ""},
	} {
		then, now := rowsOf(from, shows[0]), rowsOf(to, shows[0])
		for id, row := range then {
			other, both := now[id]
			if !both {
				lines = append(lines, differenceLine(what, id, "lost", shows[1], row[shows[1]], ""))
				continue
			}
			for column, value := range row {
				if other[column] != value {
					lines = append(lines, differenceLine(what, id, "changed", column, value, other[column]))
				}
			}
		}
		for id, row := range now {
			if _, both := then[id]; !both {
				lines = append(lines, differenceLine(what, id, "gained", shows[1], "", row[shows[1]]))
			}
		}
	}
	slices.Sort(lines)
	return lines
}

type rowID struct{ practice, patient, cohort string }

func rowsOf(tables []oracle.Table, name string) map[rowID]map[string]string {
	rows := map[rowID]map[string]string{}
	for _, table := range tables {
		if table.Name != name {
			continue
		}
		for _, values := range table.Rows {
			row := map[string]string{}
			for i, column := range table.Columns {
				if row[column] = values[i]; values[i] == oracle.Null {
					row[column] = ""
				}
			}
			rows[rowID{row["practice_code"], row["patient_key"], row["cohort"]}] = row
		}
	}
	return rows
}

func differenceLine(what string, id rowID, change, column, from, to string) string {
	return strings.Join([]string{what, id.practice, id.patient, id.cohort, change, column, from, to}, " ")
}

// linesOf writes differences as expectedDifferences does: a share has twelve digits.
func linesOf(list []pipeline.Difference) []string {
	var lines []string
	positions, _ := schema.Lookup("fact_practice_position")
	for _, d := range list {
		if column, ok := positions.Column(d.Column); d.What == "position" && ok && column.Type == schema.Double {
			d.From, d.To = twelveDigits(d.From), twelveDigits(d.To)
		}
		lines = append(lines, differenceLine(d.What, rowID{d.Practice, d.Patient, d.Cohort}, d.Change, d.Column, d.From, d.To))
	}
	slices.Sort(lines)
	return lines
}

func twelveDigits(share string) string {
	value, err := strconv.ParseFloat(share, 64)
	if err != nil {
		return share
	}
	return oracle.Float(value)
}

func reportLines(t *testing.T, what string, want, got []string) {
	t.Helper()
	for _, line := range without(want, got) {
		t.Errorf("%s: want %s", what, line)
	}
	for _, line := range without(got, want) {
		t.Errorf("%s:  got %s", what, line)
	}
}

// mustExplainPositions asserts for each practice that what it had, and gained, less lost, is what
// it has: of the assessments and of those that count, by the differences and by the sums.
func mustExplainPositions(t *testing.T, compared *pipeline.Comparison, list []pipeline.Difference) {
	t.Helper()
	type moved struct{ gained, lost, countedGained, countedLost int64 }
	by := map[string]moved{}
	for _, d := range list {
		m := by[d.Practice]
		if d.What == "assessment" && d.Change == "gained" {
			m.gained++
		}
		if d.What == "assessment" && d.Change == "lost" {
			m.lost++
		}
		if d.What == "assessment" && d.Column == "is_counted" && d.To == "true" {
			m.countedGained++
		}
		if d.What == "assessment" && d.Column == "is_counted" && d.From == "true" {
			m.countedLost++
		}
		by[d.Practice] = m
	}
	orZero := func(n *int64) int64 { // of a missing practice, which has no assessment
		if n == nil {
			return 0
		}
		return *n
	}
	var all moved
	for _, p := range compared.Practices {
		m := by[p.Practice]
		if m.gained != p.Gained || m.lost != p.Lost {
			t.Errorf("%s: gained %d and lost %d, in sum %d and %d", p.Practice, m.gained, m.lost, p.Gained, p.Lost)
		}
		if orZero(p.AssessmentsThen)+m.gained-m.lost != orZero(p.AssessmentsNow) {
			t.Errorf("%s: %d assessments, gained %d, lost %d: not %d", p.Practice, orZero(p.AssessmentsThen), m.gained, m.lost, orZero(p.AssessmentsNow))
		}
		if orZero(p.CountedThen)+m.countedGained-m.countedLost != orZero(p.CountedNow) {
			t.Errorf("%s: %d counted, gained %d, lost %d: not %d", p.Practice, orZero(p.CountedThen), m.countedGained, m.countedLost, orZero(p.CountedNow))
		}
		all.gained += m.gained
		all.lost += m.lost
		delete(by, p.Practice)
	}
	if len(by) > 0 {
		t.Errorf("practices with differences that have no sum: %v", by)
	}
	if all.gained != compared.All.Gained || all.lost != compared.All.Lost {
		t.Errorf("in all gained %d and lost %d, the sums say %d and %d", all.gained, all.lost, compared.All.Gained, compared.All.Lost)
	}
	if orZero(compared.All.AssessmentsThen)+all.gained-all.lost != orZero(compared.All.AssessmentsNow) {
		t.Errorf("the sums of all practices do not agree: %+v", compared.All)
	}
}

// The cases of assessments that are gone show every reason, and so do the findings; that of a
// practice that is no longer listed is of no practice.
func TestDiffTellsEveryReason(t *testing.T) {
	t.Parallel()
	told := map[string]bool{}
	for _, name := range []string{"fewer_than_last_period", "fewer_than_last_period_says_why"} {
		c := readCase(t, name)
		w := c.workspace(t)
		for _, run := range c.runs {
			run.do(t, w, 1)
		}
		message := ""
		for _, row := range (goldenSource{run: c.runs[1], workspace: w}).table(t, "fact_finding", []string{"check_name", "message"}) {
			if row[0] == "fewer_than_last_period" {
				message += row[1]
			}
		}
		compared, list := diff(t, w, "2026-05", "2026-06", "")
		mustExplainPositions(t, compared, list)
		for _, loss := range compared.Losses {
			told[loss.Reason] = true
			if !strings.Contains(message, loss.Reason+" ") {
				t.Errorf("%s: the finding %q does not say %q", name, message, loss.Reason)
			}
		}
		if name != "fewer_than_last_period_says_why" {
			continue
		}
		practices := filepath.Join(w.Dir, "reference", "practices.csv")
		text, err := os.ReadFile(practices)
		if err != nil {
			t.Fatal(err)
		}
		without := slices.DeleteFunc(strings.SplitAfter(string(text), "\n"), func(line string) bool { return strings.Contains(line, "Y90002") })
		write(t, practices, strings.Join(without, ""))
		c.runs[1].do(t, w, 1)
		source := goldenSource{run: c.runs[1], workspace: w}
		gone := "1 assessment(s) that counted in the period before no longer do: practice not listed, first Y90002"
		if rows := source.table(t, "fact_finding", []string{"practice_code", "message"}); !slices.ContainsFunc(rows, func(row []string) bool { return row[0] == "" && row[1] == gone }) {
			t.Errorf("no finding says that a practice is no longer listed: %q", rows)
		}
		compared, _ = diff(t, w, "2026-05", "2026-06", "Y90002")
		if want := []pipeline.LossReport{{Practice: "Y90002", Reason: "practice not listed", Assessments: 1}}; !slices.Equal(compared.Losses, want) {
			t.Errorf("of a practice that is no longer listed: %v; want %v", compared.Losses, want)
		}
	}
	for _, reason := range []string{
		"practice sent nothing", "patient died", "patient left", "patient no longer regular", "patient registered elsewhere",
		"patient known by NHS number now", "patient in no segment", "no eligibility code", "claim dated after the cut-off",
		"claim dated before the contract year", "claim rejected", "claim gone from the export",
	} {
		if !told[reason] {
			t.Errorf("no case shows the reason %q", reason)
		}
		delete(told, reason)
	}
	if len(told) > 0 {
		t.Errorf("reasons that are not listed here: %v", told)
	}
}

// Where the later period cannot be computed again, the published tables tell what they can.
func TestDiffOfWhatHasChangedSince(t *testing.T) {
	t.Parallel()
	c := readCase(t, "fewer_than_last_period_says_why")
	w := c.workspace(t)
	for _, run := range c.runs {
		run.do(t, w, 1)
	}
	before, err := os.ReadFile(filepath.Join(w.Inbox("2026-06"), "Y90001", "events.csv"))
	if err != nil {
		t.Fatal(err)
	}
	known, all := diff(t, w, "2026-05", "2026-06", "")
	if known.NotKnown != nil {
		t.Fatalf("reasons are not known: %q", known.NotKnown)
	}
	want := []string{"no eligibility code 1", "not known: what it was computed from has changed 5", "patient registered elsewhere 1", "practice sent nothing 1"}
	check := func(what string, notKnown ...string) {
		t.Helper()
		compared, list := diff(t, w, "2026-05", "2026-06", "")
		if len(compared.NotKnown) != len(notKnown) {
			t.Fatalf("%s: said %q", what, compared.NotKnown)
		}
		for i, words := range notKnown {
			if !strings.Contains(compared.NotKnown[i], words) {
				t.Errorf("%s: said %q; expected %q", what, compared.NotKnown[i], words)
			}
		}
		var got []string
		for _, loss := range compared.Losses {
			got = append(got, fmt.Sprintf("%s %d", loss.Reason, loss.Assessments))
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: reasons %q; want %q", what, got, want)
		}
		reportLines(t, what, linesOf(all), linesOf(list))
	}
	write(t, filepath.Join(w.Inbox("2026-06"), "Y90001", "events.csv"), string(before)+"\n")
	check("a file has changed", "inbox/2026-06/Y90001/events.csv: changed")
	if err := os.RemoveAll(w.Inbox("2026-06")); err != nil {
		t.Fatal(err)
	}
	check("the inbox is gone", "no such folder")
}

// A period is compared with what it replaced, by the name of the snapshot, and the reasons of
// either are those of its own run.
func TestDiffOfARunWithWhatItReplaced(t *testing.T) {
	t.Parallel()
	c := readCase(t, "fewer_than_last_period_says_why")
	w := c.workspace(t)
	names := make([]string, 3)
	june := c.runs[1]
	july := june
	july.asAt += 30
	for i, run := range []caseRun{c.runs[0], june, july} {
		run.do(t, w, 1)
		current, err := snapshot.Store{Dir: w.Published()}.Current()
		if err != nil {
			t.Fatal(err)
		}
		names[i] = current.Name
	}
	if compared, _ := diff(t, w, names[1], "2026-06", ""); compared.From.AsAt != june.asAt || compared.To.AsAt != july.asAt {
		t.Errorf("as at %s and %s were compared; expected %s and %s", compared.From.AsAt, compared.To.AsAt, june.asAt, july.asAt)
	}
	compared, _ := diff(t, w, names[0], names[1], "")
	if compared.To.AsAt != june.asAt || compared.NotKnown != nil || len(compared.Losses) == 0 {
		t.Errorf("of a run that was replaced: %+v", compared)
	}
}
