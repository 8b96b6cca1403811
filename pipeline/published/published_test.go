package published_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"

	"ltcles/pipeline/civil"
	"ltcles/pipeline/published"
	"ltcles/pipeline/published/publishedtest"
	"ltcles/pipeline/schema"
	"ltcles/pipeline/snapshot"
)

func TestReader(t *testing.T) {
	store := publishedtest.Store(t)
	t.Run("a year holds what is published", func(t *testing.T) { yearHoldsWhatIsPublished(t, open(t, store, "")) })
	t.Run("a period of history", func(t *testing.T) { periodOfHistory(t, open(t, store, "2026-05")) })
	t.Run("relationships hold", func(t *testing.T) { relationshipsHold(t, open(t, store, "")) })
	t.Run("refused", func(t *testing.T) { refused(t, store) })
}

func open(t *testing.T, store snapshot.Store, period string) *published.Reader {
	t.Helper()
	r, err := published.Open(context.Background(), store, period, published.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// The Go values of a year add up to what SQL finds in the files, for every column of numbers or
// money in every table that they hold.
func yearHoldsWhatIsPublished(t *testing.T, r *published.Reader) {
	year, err := r.Year(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int64{}
	for _, s := range year.Segments {
		sum(got, "dim_segment", s)
	}
	for _, c := range year.Codes {
		sum(got, "dim_code", c)
	}
	for _, f := range year.Files {
		sum(got, "fact_file", f)
	}
	all(got, "fact_finding", year.NobodysFindings)
	all(got, "fact_disposition", year.NobodysDispositions)
	for _, p := range year.Practices {
		sum(got, "dim_practice", *p)
		sum(got, "fact_practice_position", p.Position)
		sum(got, "fact_reconciliation", p.Reconciliation)
		sum(got, "fact_coverage", p.Coverage)
		all(got, "fact_segment_count", p.Segments)
		all(got, "fact_assessment_month", p.Months)
		all(got, "fact_segment_month", p.SegmentMonths)
		all(got, "fact_cohort_overlap", p.Overlaps)
		all(got, "fact_mdt_activity", p.MDT)
		all(got, "fact_payment", p.Payments)
		all(got, "fact_instalment", p.Instalments)
		all(got, "fact_disposition", p.Dispositions)
		all(got, "fact_finding", p.Findings)
	}
	for _, table := range schema.Tables() {
		switch table.Name {
		case "dim_date", "fact_assessment", "fact_cohort_patient":
			continue // not held
		}
		check(t, r, got, table.Name+" itself", table.Name, "count(*)")
		for _, column := range table.Columns[:len(table.Columns)-4] {
			switch {
			case table.Name == "fact_file" && isLeftOut(column.Name):
			case column.Type == schema.Money:
				check(t, r, got, table.Name+"."+column.Name, table.Name, fmt.Sprintf("coalesce(cast(sum(%s) * 100 as bigint), 0)", column.Name))
			case column.Type == schema.Bigint:
				check(t, r, got, table.Name+"."+column.Name, table.Name, fmt.Sprintf("coalesce(cast(sum(%s) as bigint), 0)", column.Name))
			default:
				check(t, r, got, table.Name+"."+column.Name, table.Name, fmt.Sprintf("count(%s)", column.Name))
			}
		}
	}
}

func isLeftOut(column string) bool {
	switch column {
	case "sha256", "relative_date", "encoding", "delimiter", "header_line":
		return true
	}
	return false
}

func check(t *testing.T, r *published.Reader, got map[string]int64, what, table, expression string) {
	t.Helper()
	err := r.Query(context.Background(), fmt.Sprintf("select %s from %s", expression, table), func(scan func(into ...any) error) error {
		var want int64
		if err := scan(&want); err != nil {
			return err
		}
		if found := got[what]; found != want {
			t.Errorf("%s: %d in Go, %d in the files", what, found, want)
		}
		return nil
	})
	if err != nil {
		t.Errorf("%s: %v", what, err)
	}
}

func all[T any](into map[string]int64, table string, rows []T) {
	for _, row := range rows {
		sum(into, table, row)
	}
}

// sum adds up the columns of whole numbers and money, and counts the values of the others.
func sum(into map[string]int64, table string, row any) {
	into[table+" itself"]++
	value := reflect.ValueOf(row)
	for _, field := range reflect.VisibleFields(value.Type()) {
		column := field.Tag.Get("column")
		if column == "" {
			continue
		}
		cell := value.FieldByIndex(field.Index)
		if cell.Kind() == reflect.Pointer {
			if cell.IsNil() {
				continue
			}
			cell = cell.Elem()
		}
		switch cell := cell.Interface().(type) {
		case int64:
			into[table+"."+column] += cell
		case published.Pence:
			into[table+"."+column] += int64(cell)
		case civil.Date:
			if !cell.IsNone() {
				into[table+"."+column]++
			}
		default:
			into[table+"."+column]++
		}
	}
}

func periodOfHistory(t *testing.T, may *published.Reader) {
	if may.Period.Period != "2026-05" || may.Period.Latest {
		t.Errorf("opened %+v; expected 2026-05, which is not the latest", may.Period)
	}
	for query, want := range map[string]string{
		"select distinct period from dim_practice":                                                    "2026-05",
		"select string_agg(distinct period, ' ' order by period) from fact_practice_position_history": "2026-05 2026-06",
	} {
		err := may.Query(context.Background(), query, func(scan func(into ...any) error) error {
			var got string
			if err := scan(&got); err != nil {
				return err
			}
			if got != want {
				t.Errorf("%s: %s; expected %s", query, got, want)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}

// Each value of a column that names a row of another table does, in every period.
func relationshipsHold(t *testing.T, r *published.Reader) {
	for _, each := range schema.Relationships() {
		query := fmt.Sprintf(`
			select count(named.%[2]s), count(named.%[2]s) - count(others.%[4]s), count(*) - (select count(*) from %[1]s_history)
			from %[1]s_history as named
			left join %[3]s_history as others on others.period = named.period and others.%[4]s = named.%[2]s`,
			each.Table, each.Column, each.ToTable, each.ToColumn)
		err := r.Query(context.Background(), query, func(scan func(into ...any) error) error {
			var named, astray, more int64
			if err := scan(&named, &astray, &more); err != nil {
				return err
			}
			// The workspace has no MDT code.
			if named == 0 && each.Table != "fact_mdt_activity" || astray != 0 || more != 0 {
				t.Errorf("%s.%s to %s: %d values, of which %d name no row, and %d rows more than before",
					each.Table, each.Column, each.ToTable, named, astray, more)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}

func refused(t *testing.T, store snapshot.Store) {
	ctx := context.Background()
	var unknown published.UnknownPeriodError
	if _, err := published.Open(ctx, store, "2026-07", published.Limits{}); !errors.As(err, &unknown) {
		t.Errorf("a period that is not published: %v", err)
	} else if want := "period 2026-07 is not published; the current snapshot has 2026-05, 2026-06"; unknown.Error() != want {
		t.Errorf("said %q; expected %q", unknown, want)
	}
	if _, err := published.Open(ctx, snapshot.Store{Dir: t.TempDir()}, "", published.Limits{}); !errors.Is(err, snapshot.ErrNothingPublished) {
		t.Errorf("nothing published: %v", err)
	}
	// No other file can be read through the reader.
	err := open(t, store, "").Query(ctx, "select * from read_csv('/etc/hosts')", func(func(into ...any) error) error { return nil })
	if err == nil {
		t.Error("a file outside the snapshot could be read")
	}
}

func TestPounds(t *testing.T) {
	for pence, want := range map[published.Pence]string{
		0: "£0.00", 5: "£0.05", 99: "£0.99", 100: "£1.00", 99999: "£999.99", 100000: "£1,000.00",
		123456789: "£1,234,567.89", -5: "−£0.05", -100000: "−£1,000.00", -99999: "−£999.99",
	} {
		if got := pence.Pounds(); got != want {
			t.Errorf("%d pence: %s; expected %s", int64(pence), got, want)
		}
	}
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", -1000: "−1,000", -999: "−999", 1234567: "1,234,567"} {
		if got := published.Grouped(n); got != want {
			t.Errorf("%d: %s; expected %s", n, got, want)
		}
	}
}

func TestPercentOf(t *testing.T) {
	for _, c := range []struct {
		part, whole int64
		want        string
	}{{0, 7, "0.0"}, {7999, 10000, "79.9"}, {79999, 100000, "79.9"}, {8, 10, "80.0"}, {2, 3, "66.6"}, {25, 10, "250.0"}, {12345, 10, "123,450.0"}} {
		if got := published.PercentOf(c.part, c.whole); got != c.want+"\u00a0%" {
			t.Errorf("%d of %d: %s; expected %s %%", c.part, c.whole, got, c.want)
		}
	}
}
