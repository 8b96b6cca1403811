package pipeline

import (
	"context"
	"encoding/csv"
	"errors"
	"io"
	"strconv"

	"ltcles/pipeline/schema"
)

// UnknownPractice stands for no practice where one is named: the rows and files
// that nothing says the practice of.
const UnknownPractice = "unknown"

// RowReport is an input row that someone is to mend, and never what stood in it.
type RowReport struct {
	Practice  string // "" where neither the row nor its file says it
	File      string
	Line      int
	Field     string // as ltcles.yaml names it, or "" for the whole line
	Reason    string // the disposition, or the check that found something
	Fix       string
	IsFinding bool // the row was read, and a check found something in it
}

// listRows writes the run's lists of rows: runs/<run_id>/rejects.csv, every
// rejected row, and findings.csv, every row that a finding is about. The report
// takes the rows of the practice that is asked for.
func (r *run) listRows(ctx context.Context) error {
	r.report.ToMend = nil
	err := r.writeList(rejectsFile, []string{"file", "line", "field", "reason", "hint"}, func(add func(RowReport, ...string) error) error {
		return r.eachRejected(ctx, func(row RowReport) error {
			return add(row, row.File, strconv.Itoa(row.Line), row.Field, row.Reason, row.Fix)
		})
	})
	if err != nil {
		return err
	}
	return r.writeList(findingsFile, []string{"file", "line", "check", "field", "fix"}, func(add func(RowReport, ...string) error) error {
		return r.eachFound(ctx, func(row RowReport) error {
			return add(row, row.File, strconv.Itoa(row.Line), row.Reason, row.Field, row.Fix)
		})
	})
}

// writeList writes one list of the run's folder.
func (r *run) writeList(name string, header []string, each func(add func(RowReport, ...string) error) error) error {
	return r.record(name, func(to io.Writer) error {
		out := csv.NewWriter(to)
		if err := out.Write(header); err != nil {
			return err
		}
		err := each(func(row RowReport, cells ...string) error {
			asked := r.cfg.Practice
			if asked != "" && asked == row.Practice || asked == UnknownPractice && row.Practice == "" {
				r.report.ToMend = append(r.report.ToMend, row)
			}
			return out.Write(cells)
		})
		out.Flush()
		return errors.Join(err, out.Error())
	})
}

// eachRejected hands out every rejected row in the order of files and lines. A row
// of no known practice is for the practice whose file it is in.
func (r *run) eachRejected(ctx context.Context, see func(RowReport) error) error {
	advice := schema.Rejections()
	return r.db.Query(ctx, `
		select coalesce(practices.practice_code, files.practice_code, ''), files.file_name, dispositions.line,
			dispositions.disposition, coalesce(dispositions.invalid_status_date, '')
		from int_disposition as dispositions
		inner join raw_disposition as named on named.disposition = dispositions.disposition
		inner join raw_file as files on files.file_no = dispositions.file_no
		left join raw_practice as practices on practices.practice_no = dispositions.practice_no
		where named.outcome = 'rejected'
		order by dispositions.file_no, dispositions.line, dispositions.event`, func(v []any) error {
		row := RowReport{Practice: v[0].(string), File: v[1].(string), Line: int(v[2].(int32)), Reason: v[3].(string)}
		row.Field, row.Fix = advice[row.Reason].Field, advice[row.Reason].Fix
		if status := v[4].(string); status != "" && row.Reason == "date_invalid" {
			row.Field = status
		}
		return see(row)
	})
}

// eachFound hands out every row that a finding is about.
func (r *run) eachFound(ctx context.Context, see func(RowReport) error) error {
	fixes := map[string]string{}
	for _, check := range schema.Findings() {
		fixes[check.Name] = check.Fix
	}
	return r.db.Query(ctx, `
		select found.practice_code, files.file_name, found.line, found.check_name, coalesce(found.field, '')
		from int_row_finding as found
		inner join raw_file as files on files.file_no = found.file_no
		order by found.file_no, found.line, found.event, found.check_name`, func(v []any) error {
		reason := v[3].(string)
		return see(RowReport{
			Practice: v[0].(string), File: v[1].(string), Line: int(v[2].(int32)),
			Field: v[4].(string), Reason: reason, Fix: fixes[reason], IsFinding: true,
		})
	})
}
