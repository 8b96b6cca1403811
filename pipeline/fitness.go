package pipeline

import (
	"context"
	"fmt"
	"path/filepath"

	"ltcles/pipeline/emis"
)

// minimumRejected is how many rejected rows a file may have at any size before
// they stop the run (SPEC §6.1).
const minimumRejected = 20

// judge lists what is to be mended, and decides whether the period is fit to
// be published (SPEC §6.1): it has a claim row, no file was refused, and no file
// has too many rejected rows, but for the files that the operator accepts.
func (r *run) judge(ctx context.Context) error {
	if err := r.listRows(ctx); err != nil {
		return err
	}
	if err := r.gather(ctx); err != nil {
		return err
	}
	claims, err := r.db.Count(ctx, "select count(*) from int_row inner join raw_code as codes on codes.code_no = int_row.code_no where codes.role = 'claim'")
	if err != nil {
		return fmt.Errorf("count claim rows: %w", err)
	}
	var reasons []string
	if claims == 0 {
		reasons = append(reasons, fmt.Sprintf("%s: no claim row in any file; expected the claim code's search export; put it into the inbox", filepath.Join("inbox", r.cfg.Period.Supplement(0).String())))
	}
	for i, in := range r.inputs {
		reason := r.unfit(in, &r.report.Files[i])
		if reason == "" {
			continue
		}
		if in.accepted {
			r.report.Accepted = append(r.report.Accepted, Accepted{File: in.Name, Reason: reason})
			continue
		}
		without := "its rejected rows"
		if in.Status == emis.Refused {
			without = "this file"
		}
		reasons = append(reasons, fmt.Sprintf("%s; or publish without %s: --accept %q", reason, without, in.Name))
	}
	r.report.Unfit = reasons
	if len(reasons) > 0 {
		return &NotFitError{Reasons: reasons}
	}
	return nil
}

// unfit says why a file stops the run, "" where it does not.
func (r *run) unfit(in *input, file *FileReport) string {
	if in.Status == emis.Refused {
		return in.Refusal.Error()
	}
	share := r.cfg.Workspace.Settings.MaxRejectedShare
	if file.RowsRejected <= minimumRejected || file.RowsRejected*1_000_000 <= share.PPM()*file.RowsRead {
		return ""
	}
	return fmt.Sprintf("%s: found %d of %d rows rejected; expected at most %s, or %d rows; mend the rows listed in %s",
		in.Name, file.RowsRejected, file.RowsRead, share, minimumRejected, filepath.ToSlash(filepath.Join("runs", r.id, rejectsFile)))
}
