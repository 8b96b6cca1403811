package snapshot

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/decimal128"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"

	"ltcles/pipeline/civil"
	"ltcles/pipeline/schema"
)

// row is one row of a published table; a column that is not there is null.
type row map[string]any

// pence is an amount of money.
type pence int64

// tables are the rows of one period, by table.
type tables map[string][]row

func day(t testing.TB, text string) civil.Date {
	t.Helper()
	date, err := civil.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return date
}

func patientKey(n int) string { return fmt.Sprintf("%064x", n) }

// onePeriod is a small world in which every sum agrees. Practice Z00001 is supplied and has
// four patients: A is assessed on time and in two segments; B late, in the chosen cohort and in
// one that was not chosen; C unproven and in none; D is not assessed. Practice Z00002 sent only
// a batch-add file.
func onePeriod(t testing.TB, p PublishedPeriod) tables {
	first, _ := firstYear(p.ContractYear)
	date := func(monthDay string) civil.Date { return day(t, fmt.Sprintf("%d-%s", first, monthDay)) }
	const one, two = "Z00001", "Z00002"
	w := tables{
		"dim_practice": {
			{"practice_code": one, "practice_name": "Example Surgery", "place": "West Lancashire", "place_choice": "diabetes", "weighted_population": 10123.45, "annual_target": 100},
			{"practice_code": two, "practice_name": "Example Practice", "place": "Blackpool"},
		},
		"dim_segment": {
			{"segment": "population_health", "segment_name": "Population health", "minimum_share": 0.1, "sort_order": 1},
			{"segment": "cardiovascular", "segment_name": "Cardiovascular", "minimum_share": 0.1, "sort_order": 2},
			{"segment": "respiratory", "segment_name": "Respiratory", "minimum_share": 0.1, "sort_order": 3},
			{"segment": "place_choice", "segment_name": "Place choice", "minimum_share": 0.1, "sort_order": 4},
			{"segment": "severe_mental_illness", "segment_name": "Severe mental illness", "minimum_share": 0.03, "sort_order": 5},
		},
		"dim_code": {
			{"code": "756261000000100", "term": "Assessment", "role": "claim"},
			{"code": "756161000000107", "term": "Eligible", "role": "eligibility"},
			{"code": "417206009", "term": "Cardiovascular", "role": "cohort", "cohort": "cardiovascular", "segment": "cardiovascular"},
			{"code": "268511007", "term": "Respiratory", "role": "cohort", "cohort": "respiratory", "segment": "respiratory"},
			{"code": "713671000000109", "term": "Diabetes", "role": "cohort", "cohort": "diabetes", "segment": "place_choice"},
			{"code": "894301000000105", "term": "Frailty", "role": "cohort", "cohort": "frailty", "segment": "place_choice"},
			{"code": "713761000000107", "term": "Team meeting", "role": "mdt"},
		},
		"fact_assessment": {
			{"patient_key": patientKey(0xa), "practice_code": one, "activity_date": date("04-10"), "recorded_date": date("04-11"), "timeliness": "on_time", "has_eligibility": true, "is_counted": true, "segments": 2, "in_population_health": false, "in_cardiovascular": true, "in_respiratory": true, "in_place_choice": false, "in_severe_mental_illness": false, "assessed_last_year": true},
			{"patient_key": patientKey(0xb), "practice_code": one, "activity_date": date("05-11"), "recorded_date": date("05-12"), "timeliness": "late", "has_eligibility": true, "is_counted": true, "segments": 1, "in_population_health": false, "in_cardiovascular": false, "in_respiratory": false, "in_place_choice": true, "in_severe_mental_illness": false, "assessed_last_year": false},
			{"patient_key": patientKey(0xc), "practice_code": one, "activity_date": date("05-12"), "timeliness": "unproven", "has_eligibility": false, "is_counted": false, "segments": 0, "in_population_health": false, "in_cardiovascular": false, "in_respiratory": false, "in_place_choice": false, "in_severe_mental_illness": false, "assessed_last_year": false},
		},
		"fact_cohort_patient": {
			{"patient_key": patientKey(0xa), "practice_code": one, "cohort": "cardiovascular", "segment": "cardiovascular", "first_coded_date": date("04-02"), "source": "record", "is_assessed": true},
			{"patient_key": patientKey(0xa), "practice_code": one, "cohort": "respiratory", "segment": "respiratory", "first_coded_date": date("04-02"), "source": "both", "is_assessed": true},
			{"patient_key": patientKey(0xb), "practice_code": one, "cohort": "diabetes", "segment": "place_choice", "first_coded_date": date("04-03"), "source": "record", "is_assessed": true},
			{"patient_key": patientKey(0xb), "practice_code": one, "cohort": "frailty", "first_coded_date": date("04-03"), "source": "record", "is_assessed": true},
			{"patient_key": patientKey(0xd), "practice_code": one, "cohort": "cardiovascular", "segment": "cardiovascular", "source": "batch_add", "is_assessed": false},
			{"patient_key": patientKey(0xe), "practice_code": two, "cohort": "frailty", "source": "batch_add", "is_assessed": false},
		},
		"fact_practice_position": {
			{"practice_code": one, "annual_target": 100, "assessments": 3, "counted": 2, "counted_on_time": 1, "counted_late": 1, "counted_unproven": 0, "without_segment": 1, "without_eligibility": 1, "repeat_assessments": 1, "removed_left": 0, "removed_deceased": 0, "eligible_patients": 3, "cohort_patients": 3, "outstanding_patients": 1, "achievement": 0.02, "achievement_capped": 0.02, "achievement_all": 0.03, "expected_to_date": 24.9, "projected_year_end": 8, "inclusive_shortfall": 40, "exclusive_shortfall": 41, "segments_met": 0, "files_received": 2},
			{"practice_code": two, "files_received": 1},
		},
		"fact_segment_count": {
			{"practice_code": one, "segment": "population_health", "cohort": "population_health", "cohort_patients": 0, "assessed_patients": 0, "assessed_on_time": 0, "outstanding_patients": 0, "minimum_required": 10, "shortfall": 10, "is_minimum_met": false},
			{"practice_code": one, "segment": "cardiovascular", "cohort": "cardiovascular", "cohort_patients": 2, "assessed_patients": 1, "assessed_on_time": 1, "outstanding_patients": 1, "minimum_required": 10, "shortfall": 9, "is_minimum_met": false},
			{"practice_code": one, "segment": "respiratory", "cohort": "respiratory", "cohort_patients": 1, "assessed_patients": 1, "assessed_on_time": 1, "outstanding_patients": 0, "minimum_required": 10, "shortfall": 9, "is_minimum_met": false},
			{"practice_code": one, "segment": "place_choice", "cohort": "diabetes", "cohort_patients": 1, "assessed_patients": 1, "assessed_on_time": 0, "outstanding_patients": 0, "minimum_required": 10, "shortfall": 9, "is_minimum_met": false},
			{"practice_code": one, "segment": "severe_mental_illness", "cohort": "severe_mental_illness", "cohort_patients": 0, "assessed_patients": 0, "assessed_on_time": 0, "outstanding_patients": 0, "minimum_required": 3, "shortfall": 3, "is_minimum_met": false},
			{"practice_code": two, "segment": "population_health", "cohort": "population_health"},
			{"practice_code": two, "segment": "cardiovascular", "cohort": "cardiovascular"},
			{"practice_code": two, "segment": "respiratory", "cohort": "respiratory"},
			{"practice_code": two, "segment": "place_choice"},
			{"practice_code": two, "segment": "severe_mental_illness", "cohort": "severe_mental_illness"},
		},
		"fact_assessment_month": {
			{"practice_code": one, "month": date("04-01"), "assessments": 1, "counted": 1},
			{"practice_code": one, "month": date("05-01"), "assessments": 2, "counted": 1},
		},
		"fact_segment_month": {
			{"practice_code": one, "segment": "cardiovascular", "month": date("04-01"), "assessments": 1},
			{"practice_code": one, "segment": "respiratory", "month": date("04-01"), "assessments": 1},
			{"practice_code": one, "segment": "place_choice", "month": date("05-01"), "assessments": 1},
		},
		"fact_cohort_overlap": {
			{"practice_code": one, "segment_set": "cardiovascular", "segments": 1, "patients": 1, "assessed_patients": 0, "outstanding_patients": 1},
			{"practice_code": one, "segment_set": "cardiovascular+respiratory", "segments": 2, "patients": 1, "assessed_patients": 1, "outstanding_patients": 0},
			{"practice_code": one, "segment_set": "place_choice", "segments": 1, "patients": 1, "assessed_patients": 1, "outstanding_patients": 0},
		},
		"fact_mdt_activity": {
			{"practice_code": one, "quarter": 1, "code": "713761000000107", "patients": 1, "events": 2},
		},
		"fact_payment": {
			{"practice_code": one, "domain": "implementation", "annual_value": pence(17007_40), "advance_value": pence(13605_92), "earned_value": pence(17007_40), "held_value": pence(0), "balance": pence(3401_48)},
			{"practice_code": one, "domain": "assessments", "annual_value": pence(46770_34), "advance_value": pence(37416_27), "earned_value": pence(935_41), "held_value": pence(467_71), "balance": pence(-36480_86)},
			{"practice_code": one, "domain": "mdt", "annual_value": pence(21259_24), "advance_value": pence(17007_39), "earned_value": pence(21259_24), "held_value": pence(0), "balance": pence(4251_85)},
			{"practice_code": two, "domain": "implementation"},
			{"practice_code": two, "domain": "assessments"},
			{"practice_code": two, "domain": "mdt"},
		},
		"fact_reconciliation": {
			{"practice_code": one, "basis": "domain_2", "contract_value": pence(85036_98), "advance_value": pence(68029_58), "advance_paid_to_date": pence(51022_19), "earned_value": pence(39202_05), "held_value": pence(467_71), "balance": pence(-28827_53), "earned_value_other_basis": pence(1700_74), "balance_other_basis": pence(-66328_84), "projected_earned_value": pence(42008_27), "projected_balance": pence(-26021_31)},
			{"practice_code": two, "basis": "domain_2"},
		},
		"fact_instalment": {
			{"practice_code": one, "instalment": 1, "paid_month": date("04-01"), "covers": "April", "amount": pence(17007_40)},
			{"practice_code": one, "instalment": 2, "paid_month": date("04-01"), "covers": "May", "amount": pence(17007_40)},
			{"practice_code": one, "instalment": 3, "paid_month": date("06-01"), "covers": "July", "amount": pence(17007_39)},
			{"practice_code": one, "instalment": 4, "paid_month": date("09-01"), "covers": "October", "amount": pence(17007_39)},
			{"practice_code": two, "instalment": 1, "paid_month": date("04-01"), "covers": "April"},
			{"practice_code": two, "instalment": 2, "paid_month": date("04-01"), "covers": "May"},
			{"practice_code": two, "instalment": 3, "paid_month": date("06-01"), "covers": "July"},
			{"practice_code": two, "instalment": 4, "paid_month": date("09-01"), "covers": "October"},
		},
		"fact_coverage": {
			{"practice_code": one, "search_files": 1, "bulk_files": 0, "batch_files": 1, "register_files": 0, "refused_files": 1, "newest_extract_date": p.AsAt, "state": "supplied"},
			{"practice_code": two, "search_files": 0, "bulk_files": 0, "batch_files": 1, "register_files": 0, "refused_files": 0, "state": "missing"},
		},
		"fact_disposition": {
			{"practice_code": one, "file_name": "a.csv", "disposition": "assessment", "rows": 3},
			{"practice_code": one, "file_name": "a.csv", "disposition": "cohort", "rows": 4},
			{"practice_code": one, "file_name": "a.csv", "disposition": "not_chosen_by_place", "rows": 1},
			{"practice_code": one, "file_name": "a.csv", "disposition": "eligibility", "rows": 3},
			{"practice_code": one, "file_name": "a.csv", "disposition": "mdt", "rows": 2},
			{"practice_code": one, "file_name": "a.csv", "disposition": "duplicate", "rows": 1},
			{"file_name": "a.csv", "disposition": "practice_unknown", "rows": 1},
			{"practice_code": two, "file_name": "batch/b.csv", "disposition": "not_chosen_by_place", "rows": 1},
		},
		"fact_file": {
			{"file_name": "a.csv", "sha256": patientKey(1), "kind": "search_export", "practice_codes": one, "extract_date": p.AsAt, "encoding": "utf-8", "delimiter": "comma", "header_line": 1, "rows_read": 15, "rows_rejected": 1, "status": "read"},
			{"file_name": "batch/b.csv", "sha256": patientKey(2), "kind": "batch_add", "practice_codes": two, "rows_read": 1, "rows_rejected": 0, "status": "read"},
			{"file_name": "c.csv", "sha256": patientKey(3), "kind": "search_export", "practice_codes": one, "rows_read": 0, "rows_rejected": 0, "status": "refused", "message": "no date column"},
		},
		"fact_finding": {
			{"practice_code": one, "check_name": "file_refused", "severity": "error", "affected": 1, "message": "c.csv: no date column"},
			{"practice_code": two, "check_name": "practice_no_files", "severity": "error", "affected": 1, "message": "no search export"},
			{"check_name": "file_ignored", "severity": "info", "affected": 1, "message": "Thumbs.db"},
		},
	}
	switch isMonth := periodKind(p.ContractYear, p.Period) == monthPeriod; {
	case isMonth && p.Period < fmt.Sprintf("%d-06", first):
		w["fact_reconciliation"][0]["advance_paid_to_date"] = pence(34014_80)
	case !isMonth || p.Period >= fmt.Sprintf("%d-09", first):
		w["fact_reconciliation"][0]["advance_paid_to_date"] = pence(68029_58)
	}
	for _, reconciliation := range w["fact_reconciliation"] {
		reconciliation["status"] = p.Status
	}
	if p.Status == Final {
		w["fact_reconciliation"][0]["direction"] = "recoup"
	}
	start, end := day(t, fmt.Sprintf("%d-04-01", first)), day(t, fmt.Sprintf("%d-03-31", first+1))
	for d := start; d <= end; d++ {
		_, m, n := d.YMD()
		number := (int(m)+8)%12 + 1
		_, _, next := (d + 1).YMD()
		w["dim_date"] = append(w["dim_date"], row{"date": d, "month": d - civil.Date(n-1), "contract_month": number, "quarter": (number + 2) / 3, "is_month_end": next == 1})
	}
	for _, rows := range w {
		for _, r := range rows {
			r["contract_year"], r["period"], r["as_at"], r["run_id"] = p.ContractYear, p.Period, p.AsAt, p.RunID
		}
	}
	return w
}

// arrange sorts rows as a published file does.
func arrange(table schema.Table, rows []row) []row {
	rows = slices.Clone(rows)
	slices.SortStableFunc(rows, func(a, b row) int {
		for _, name := range table.SortKey() {
			if order := compareCells(a[name], b[name]); order != 0 {
				return order
			}
		}
		return 0
	})
	return rows
}

func compareCells(a, b any) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	switch a := a.(type) {
	case string:
		return strings.Compare(a, b.(string))
	case int:
		return a - b.(int)
	case civil.Date:
		return int(a - b.(civil.Date))
	}
	panic(fmt.Sprintf("a key of type %T", a))
}

// writeParquet writes rows as they are.
func writeParquet(t testing.TB, path string, table schema.Table, rows []row) {
	t.Helper()
	var fields []arrow.Field
	for _, c := range table.Columns {
		fields = append(fields, arrow.Field{Name: c.Name, Type: arrowType(c.Type), Nullable: true})
	}
	shape := arrow.NewSchema(fields, nil)
	builder := array.NewRecordBuilder(memory.NewGoAllocator(), shape)
	defer builder.Release()
	for _, r := range rows {
		for i, c := range table.Columns {
			switch value := r[c.Name].(type) {
			case nil:
				builder.Field(i).AppendNull()
			case string:
				builder.Field(i).(*array.StringBuilder).Append(value)
			case int:
				builder.Field(i).(*array.Int64Builder).Append(int64(value))
			case float64:
				builder.Field(i).(*array.Float64Builder).Append(value)
			case bool:
				builder.Field(i).(*array.BooleanBuilder).Append(value)
			case pence:
				builder.Field(i).(*array.Decimal128Builder).Append(decimal128.FromI64(int64(value)))
			case civil.Date:
				builder.Field(i).(*array.Date32Builder).Append(arrow.Date32(value))
			default:
				t.Fatalf("%s.%s: a %T", table.Name, c.Name, value)
			}
		}
	}
	record := builder.NewRecord()
	defer record.Release()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	writer, err := pqarrow.NewFileWriter(shape, file, parquet.NewWriterProperties(parquet.WithMaxRowGroupLength(3000)), pqarrow.DefaultWriterProps())
	if err != nil {
		t.Fatal(err)
	}
	if err := writer.Write(record); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
}

func month(t testing.TB, year, period, asAt string) PublishedPeriod {
	return PublishedPeriod{ContractYear: year, Period: period, RunID: "run-" + period, KeyID: "0123456789abcdef", AsAt: day(t, asAt), Status: Provisional}
}

func manifestOf(own PublishedPeriod, periods ...PublishedPeriod) Manifest {
	return Manifest{RunID: own.RunID, Program: "ltcles test", ContractYear: own.ContractYear, Period: own.Period,
		AsAt: own.AsAt, CutOff: own.AsAt, KeyID: own.KeyID, Periods: periods}
}

// publishing is a store with its published periods, for tests that publish one after another.
type publishing struct {
	store  Store
	worlds map[string]tables
}

func newPublishing(t testing.TB) *publishing {
	return &publishing{store: Store{Dir: filepath.Join(t.TempDir(), "published"), disk: disk{noSync: true}}, worlds: map[string]tables{}}
}

// draft writes a period as a run does: its own history and the top level anew, the rest taken
// over from the current snapshot.
func (p *publishing) draft(t testing.TB, own PublishedPeriod, world tables) (*Draft, Manifest) {
	t.Helper()
	before, err := p.store.Current()
	if err != nil {
		t.Fatal(err)
	}
	draft, err := p.store.Begin(own.RunID)
	if err != nil {
		t.Fatal(err)
	}
	p.worlds[own.Period] = world
	periods := []PublishedPeriod{own}
	if before != nil {
		for _, other := range before.Manifest.Periods {
			if other.Period != own.Period {
				periods = append(periods, other)
			}
		}
	}
	slices.SortFunc(periods, func(a, b PublishedPeriod) int {
		return comparePeriods(a.ContractYear, a.Period, b.ContractYear, b.Period)
	})
	latest := map[string]int{}
	for i, period := range periods {
		periods[i].Latest = false
		if periodKind(period.ContractYear, period.Period) != supplement {
			latest[period.ContractYear] = i
		}
	}
	for _, i := range latest {
		periods[i].Latest = true
	}
	for _, table := range schema.Tables() {
		var top []row
		for _, period := range periods {
			name := TableFile(table.Name, period.Period)
			if period.Latest {
				top = append(top, p.worlds[period.Period][table.Name]...)
			}
			if period.Period == own.Period {
				writeParquet(t, draft.Path(name), table, arrange(table, world[table.Name]))
			} else if err := draft.LinkFrom(before, name); err != nil {
				t.Fatal(err)
			}
		}
		writeParquet(t, draft.Path(TableFile(table.Name, "")), table, arrange(table, top))
	}
	return draft, manifestOf(own, periods...)
}

func (p *publishing) publish(t testing.TB, own PublishedPeriod) string {
	t.Helper()
	draft, manifest := p.draft(t, own, onePeriod(t, own))
	name, err := draft.Commit(manifest)
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// twoYears publishes a year end, then two months of the year after it.
func twoYears(t testing.TB) *publishing {
	p := newPublishing(t)
	p.publish(t, month(t, "2025-26", "2025-26", "2026-04-14"))
	p.publish(t, month(t, "2026-27", "2026-05", "2026-06-02"))
	p.publish(t, month(t, "2026-27", "2026-06", "2026-07-02"))
	return p
}

func mustVerify(t testing.TB, s Store) {
	t.Helper()
	problems, err := s.Verify()
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range problems {
		t.Errorf("problem: %s", problem)
	}
}

// tree lists what is in a directory, for comparing.
func tree(t testing.TB, dir string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		names = append(names, filepath.ToSlash(name))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}
