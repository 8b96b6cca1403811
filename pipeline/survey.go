package pipeline

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"unicode"
	"unicode/utf8"

	"golang.org/x/sync/errgroup"

	"ltcles/pipeline/civil"
	"ltcles/pipeline/config"
	"ltcles/pipeline/contract"
	"ltcles/pipeline/emis"
	"ltcles/pipeline/snapshot"
	"ltcles/pipeline/staging"
	"ltcles/pipeline/unexpected"
	"ltcles/pipeline/workspace"
	"ltcles/snomed"
)

// input is one file of the period's inbox on its way.
type input struct {
	*emis.File
	staged   *staging.Staged // nil where it was not read
	isTaken  bool            // staged by an earlier run
	tally    emis.Tally
	accepted bool       // the operator took it as it is
	renewed  civil.Date // the newest day of the bulk extracts that it is one of
}

// practices lists every practice that the file is the own of: the file's, and
// those that the reader met in it.
func (in *input) practices() []string {
	met := map[string]bool{}
	for practice := range in.tally.ByPractice {
		met[practice] = true
	}
	met[in.Practice] = true
	delete(met, "")
	return slices.Sorted(maps.Keys(met))
}

// survey inspects every file of the inbox, and settles as-at, what earlier
// snapshots are consulted, and the run's id.
func (r *run) survey(ctx context.Context) error {
	names, err := r.listInbox()
	if err != nil {
		return err
	}
	inspector := &emis.Inspector{
		Inbox: r.inbox, Practices: r.practices(), Book: r.book(), Layouts: r.layouts(),
		Limits: r.limits(), TempDir: r.unpackedDir(),
	}
	r.inputs = make([]*input, len(names))
	var done atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(r.threads)
	for i, name := range names {
		group.Go(func() (err error) {
			defer unexpected.Panic(&err)
			if err := ctx.Err(); err != nil {
				return err
			}
			file, err := inspector.Inspect(name)
			if err != nil {
				return err
			}
			r.inputs[i] = &input{File: file, renewed: civil.None}
			r.cfg.Progress(Progress{Step: "inspecting files", Done: done.Add(1), Total: int64(len(names))})
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	r.settleAgreements() // refuses copies that lie without their look-ups, so that the files themselves are no duplicates of them
	r.markDuplicates()
	r.settleAgreements()
	if err := r.settleDates(); err != nil {
		return err
	}
	if err := r.settleAccepted(); err != nil {
		return err
	}
	r.settleFrozen()
	r.settleEvidence()
	r.settleID()
	return nil
}

func (r *run) limits() emis.Limits {
	settings := r.cfg.Workspace.Settings.Archives
	return emis.Limits{Entries: settings.MaxEntries, Bytes: settings.MaxBytes, Ratio: int64(settings.MaxRatio)}
}

// inboxDir is where the period's files are. A supplement to a year end has the
// year end's.
func (r *run) inboxDir() string {
	return r.cfg.Workspace.Inbox(r.cfg.Period.Supplement(0).String())
}

// noInboxError says that the period has no files: a slip of the call where there is no
// folder for them, and no data that is fit to publish where the folder is empty.
type noInboxError struct{ error }

func (e noInboxError) Unwrap() error { return e.error }

// listInbox lists the files of the period's inbox, the members of archives among
// them, in byte order of their paths.
func (r *run) listInbox() ([]string, error) {
	dir := r.inboxDir()
	if err := r.listStrays(); err != nil {
		return nil, err
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, noInboxError{&config.Problem{File: dir, Found: "no such folder", Expected: "the files of " + r.cfg.Period.String(), Fix: "make it and put the period's files into it, or name another --period"}}
	}
	opened, err := emis.OpenInbox(os.DirFS(dir), r.limits())
	var refusal *emis.Refusal
	if errors.As(err, &refusal) {
		masked, _ := emis.MaskNHSNumbers(refusal.File)
		return nil, &config.Problem{File: filepath.Join(dir, filepath.FromSlash(masked)), Found: refusal.Found, Expected: refusal.Expected, Fix: refusal.Fix}
	}
	if err != nil {
		return nil, fmt.Errorf("list inbox: %w", err)
	}
	r.inbox = opened
	names := opened.Names()
	if err := r.checkNames(names); err != nil {
		return nil, err
	}
	if len(names) == 0 {
		empty := config.Problem{File: dir, Found: "an empty inbox", Expected: "the files of " + r.cfg.Period.String(), Fix: "put the period's files into it, or name another --period"}
		return nil, noInboxError{&NotFitError{Reasons: []string{empty.Error()}}}
	}
	return names, nil
}

// listStrays names what lies in the inbox and is of no period, which no run would read.
func (r *run) listStrays() error {
	strays, err := r.cfg.Workspace.Strays()
	if err != nil {
		return err
	}
	r.report.Strays = []string{}
	for _, name := range strays {
		masked, _ := emis.MaskNHSNumbers(name)
		r.report.Strays = append(r.report.Strays, masked)
	}
	return nil
}

// checkNames refuses file names that hold an NHS number: names are logged and
// published, and no identifier may be; and those that cannot be printed as they are.
func (r *run) checkNames(names []string) error {
	var problems []error
	for _, name := range names {
		masked, holds := emis.MaskNHSNumbers(name)
		if !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
			problems = append(problems, &config.Problem{
				File: r.inboxDir(), Found: fmt.Sprintf("a file name that is not UTF-8, or has a control character: %q", masked),
				Expected: "a name that can be printed", Fix: "rename the file",
			})
			continue
		}
		if holds {
			problems = append(problems, &config.Problem{
				File: filepath.Join(r.inboxDir(), filepath.FromSlash(masked)), Found: "an NHS number in the file's name",
				Expected: "a name without one, because names are published", Fix: "rename the file (unpack the archive that it is in, if it is in one)",
			})
		}
	}
	return errors.Join(problems...)
}

func (r *run) practices() map[string]struct{} {
	known := make(map[string]struct{}, len(r.reference.Practices))
	for _, practice := range r.reference.Practices {
		known[practice.Code] = struct{}{}
	}
	return known
}

func (r *run) book() *emis.Book {
	codes := make([]snomed.Code, len(r.contract.Codes))
	for i, entry := range r.contract.Codes {
		codes[i] = entry.Code
	}
	return emis.NewBook(codes)
}

func (r *run) layouts() []emis.ProviderLayout {
	settings := r.cfg.Workspace.Settings
	layouts := []emis.ProviderLayout{{Layout: emis.Layout{Headers: fieldHeaders(settings.Headers)}}}
	for _, layout := range settings.Layouts {
		layouts = append(layouts, emis.ProviderLayout{Files: layout.Files, Layout: emis.Layout{Headers: fieldHeaders(layout.Headers), Groups: layout.Groups}})
	}
	return layouts
}

func fieldHeaders(headers map[string][]string) map[emis.Field][]string {
	byField := make(map[emis.Field][]string, len(headers))
	for field, texts := range headers {
		byField[emis.Field(field)] = texts
	}
	return byField
}

// settleAgreements groups the files of bulk extracts, which are read together.
func (r *run) settleAgreements() {
	files := make([]*emis.File, len(r.inputs))
	byFile := map[*emis.File]*input{}
	for i, in := range r.inputs {
		files[i], byFile[in.File] = in.File, in
	}
	r.agreements = emis.Agreements(files)
	for _, agreement := range r.agreements {
		all := agreement.All()
		for _, f := range all {
			byFile[f].renewed = all[len(all)-1].ExtractDate
		}
	}
}

// markDuplicates finds files with the same bytes and kind, and the same practice
// and code by their paths: the first in byte order is the one that is read. Of a
// bulk extract's files the agreement and the stamp must be the same too, since
// both decide what the rows are; its look-ups are never duplicates.
func (r *run) markDuplicates() {
	type identity struct{ sha256, kind, practice, code, bulk string }
	first := map[identity]string{}
	for _, in := range r.inputs {
		if in.Status != emis.Read || in.Kind == emis.BulkLookup {
			continue
		}
		id := identity{in.SHA256, string(in.Kind), in.Practice, string(in.Code), in.BulkIdentity()}
		if earlier, seen := first[id]; seen {
			in.Status, in.Message = emis.Duplicate, "the same bytes as "+earlier
			continue
		}
		first[id] = in.Name
	}
}

// settleDates takes as-at from the call, else the newest run date that the files
// state, else today; and the cut-off (R6).
func (r *run) settleDates() error {
	r.asAt, r.report.AsAtFrom = r.cfg.AsAt, "given"
	if r.asAt.IsNone() {
		stated, file := r.newestStated()
		if err := r.checkStated(stated, file); err != nil {
			return err
		}
		r.asAt, r.report.AsAtFrom = stated, "the newest run date that the files state"
		if stated > r.cfg.Today {
			r.report.AsAtFrom += fmt.Sprintf(": %s, which is after today, %s", file, r.cfg.Today)
		}
		if published := r.publishedPeriod(); r.cfg.AsPublished && published != nil && published.AsAt > r.asAt {
			r.asAt, r.report.AsAtFrom = published.AsAt, "as published"
		}
	}
	if r.asAt.IsNone() {
		r.asAt, r.report.AsAtFrom = r.cfg.Today, "today, because no file states a run date that is one"
	}
	if start := r.cfg.Period.Start(); r.asAt < start {
		return &config.Problem{
			File: r.inboxDir(), Found: fmt.Sprintf("as-at %s (%s)", r.asAt, r.report.AsAtFrom),
			Expected: fmt.Sprintf("a day on or after %s, the first of %s", start, r.cfg.Period), Fix: "give --as-at, or another --period",
		}
	}
	r.cutOff = min(r.cfg.Period.End(), r.asAt)
	r.report.AsAt, r.report.CutOff = r.asAt, r.cutOff
	return nil
}

// newestStated is the newest extract date that a file states, and the first file that does; None
// for none.
func (r *run) newestStated() (newest civil.Date, file string) {
	newest = civil.None
	for _, in := range r.inputs {
		if in.ExtractDate > newest {
			newest, file = in.ExtractDate, in.Name
		}
	}
	return newest, file
}

// checkStated refuses a run date that no extract of the year can have: a year and more after the
// coding deadline, and after today. By it nothing would be in the future, every claim on time
// judged late, and a year fit to be final that has not ended.
func (r *run) checkStated(stated civil.Date, file string) error {
	const leeway = 366 // days
	last := r.contract.CodingDeadline + leeway
	if stated <= last || stated <= r.cfg.Today {
		return nil
	}
	return &config.Problem{
		File: filepath.Join(r.inboxDir(), filepath.FromSlash(file)), Found: fmt.Sprintf("a run date in the future, %s", stated),
		Expected: fmt.Sprintf("the day that the extract was taken, no later than %s", max(last, r.cfg.Today)), Fix: "export the file again, or give --as-at",
	}
}

// settleAccepted matches what the operator accepts with the files there are. A
// file is named by its path in the period's inbox, or by a path to it.
func (r *run) settleAccepted() error {
	byName := map[string]*input{}
	for _, in := range r.inputs {
		byName[in.Name] = in
		in.accepted = r.cfg.AcceptAll
	}
	if r.published != nil {
		accepted := acceptedThen(r.published)
		for name, in := range byName {
			in.accepted = in.accepted || accepted[name]
		}
	}
	inbox := r.inboxDir()
	var problems []error
	for _, name := range r.cfg.Accept {
		in, ok := byName[filepath.ToSlash(filepath.Clean(name))]
		if !ok {
			if relative, err := relativeTo(inbox, name); err == nil {
				in, ok = byName[filepath.ToSlash(relative)]
			}
		}
		if !ok {
			problems = append(problems, &config.Problem{File: name, Found: "no such file in the inbox of " + r.cfg.Period.String(), Expected: "the path of a file in it", Fix: "correct --accept"})
			continue
		}
		in.accepted = true
	}
	return errors.Join(problems...)
}

// accept takes the files named as they are, and no others.
func (r *run) accept(files map[string]bool) {
	for _, in := range r.inputs {
		in.accepted = files[in.Name]
	}
}

// acceptedThen names the files that were accepted for a snapshot.
func acceptedThen(published *snapshot.Snapshot) map[string]bool {
	accepted := map[string]bool{}
	for _, before := range published.Manifest.Inputs {
		accepted[before.File] = before.Accepted
	}
	return accepted
}

func relativeTo(dir, name string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	name, err = filepath.Abs(name)
	if err != nil {
		return "", err
	}
	return filepath.Rel(dir, name)
}

// evidence is a table of an earlier snapshot that the run consults, and for what.
type evidence struct {
	use    string
	path   string
	period snapshot.PublishedPeriod // with the key that it is under
	sha256 string
}

// settleEvidence finds what earlier snapshots say that bears on this period:
//
//   - on_time_evidence (R14): every assessment of this contract year published
//     with an as-at not after the coding deadline. It matters only where this
//     run sees a day after the deadline.
//   - last_year (R17): last year's newest period.
//   - previous_period (SPEC §9): the newest period of this year before this one.
//
// Supplements are no evidence: each is compared with the year end as it was frozen,
// and all came after the deadline (R20). A period that is computed as it was
// published consults what it consulted then.
func (r *run) settleEvidence() {
	if r.published != nil {
		r.recall()
		return
	}
	if r.current == nil {
		return
	}
	year := r.cfg.Period.Year()
	var previous snapshot.PublishedPeriod
	for _, published := range r.current.Manifest.Periods {
		switch {
		case isSupplement(published.Period):
		case published.ContractYear == string(year.Previous()) && published.Latest:
			r.consult("last_year", r.current, published)
		case published.ContractYear == string(year) && comparePublished(published.Period, r.cfg.Period.String()) < 0:
			previous = published
		}
	}
	if previous.Period != "" {
		r.consult("previous_period", r.current, previous)
	}
	if stated, _ := r.newestStated(); max(r.asAt, stated) <= r.contract.CodingDeadline {
		return
	}
	for _, earlier := range r.snapshots {
		for _, published := range earlier.Manifest.Periods {
			isOwn := published.Period == r.cfg.Period.String() && published.AsAt == r.asAt // else no run would be recognised by its own evidence
			if published.ContractYear == string(year) && published.AsAt <= r.contract.CodingDeadline && !isOwn && !isSupplement(published.Period) {
				r.consult("on_time_evidence", earlier, published)
			}
		}
	}
}

func comparePublished(a, b string) int {
	first, errA := contract.ParsePublished(a)
	second, errB := contract.ParsePublished(b)
	if errA != nil || errB != nil {
		return cmp.Compare(a, b)
	}
	return first.Compare(second)
}

// consult adds a published fact_assessment to the evidence, once for each use.
func (r *run) consult(use string, from *snapshot.Snapshot, published snapshot.PublishedPeriod) {
	file, ok := from.File("fact_assessment", published.Period)
	if !ok || !r.canMatch(use, published.KeyID) {
		return
	}
	for _, known := range r.evidence {
		if known.use == use && known.sha256 == file.SHA256 {
			return
		}
	}
	r.evidence = append(r.evidence, evidence{use: use, path: from.Path(file.Name), period: published, sha256: file.SHA256})
}

// referenceFiles are the files that decide how the inbox is read and judged.
func (r *run) referenceFiles() []snapshot.Reference {
	files := []snapshot.Reference{
		{File: r.contract.Source, SHA256: r.contract.SHA256},
		{File: workspace.SettingsFile, SHA256: r.cfg.Workspace.SettingsSHA256}, // of what it sets, whatever it looks like
	}
	for _, file := range r.reference.Files {
		files = append(files, snapshot.Reference{File: file.Path, SHA256: file.SHA256})
	}
	return files
}

// consulted lists the evidence as the manifest does.
func (r *run) consulted() []snapshot.Evidence {
	var list []snapshot.Evidence
	for _, e := range r.evidence {
		list = append(list, snapshot.Evidence{Use: e.use, Table: "fact_assessment", ContractYear: e.period.ContractYear, Period: e.period.Period, SHA256: e.sha256})
	}
	return list
}

// settleID derives the run's id. Where a supplement was published under it, this
// is that supplement.
func (r *run) settleID() {
	accepted := map[string]bool{}
	for _, in := range r.inputs {
		accepted[in.Name] = in.accepted
	}
	if published := r.acceptedAsPublished(accepted); published != nil {
		accepted = published
		r.accept(published)
	}
	r.id = r.deriveID(r.cfg.Period, accepted, r.consulted(), r.freeze)
	r.settleNumber()
	r.report.RunID, r.report.Period, r.report.Freeze = r.id, r.cfg.Period.String(), r.freeze
}

// acceptedAsPublished names the files that were accepted for what is published, where the
// same inputs would come out the same again: what needed to be accepted then is accepted
// now, and accepting more, or less that needed it not, makes no difference. It is nil elsewhere.
func (r *run) acceptedAsPublished(accepted map[string]bool) map[string]bool {
	period := r.publishedPeriod()
	if r.published != nil || period == nil {
		return nil
	}
	published := r.snapshotOf(period.RunID)
	if published == nil {
		return nil
	}
	for _, needed := range published.Manifest.Accepted {
		if !accepted[needed.File] {
			return nil
		}
	}
	then := acceptedThen(published)
	if r.deriveID(r.cfg.Period, then, r.consulted(), r.freeze) != period.RunID {
		return nil
	}
	return then
}

// deriveID derives a run's id from what goes in (SPEC §6.1): the files and
// the rest as given. All supplements to a year end are alike in it.
func (r *run) deriveID(period contract.Period, accepted map[string]bool, consulted []snapshot.Evidence, freeze *snapshot.Freeze) string {
	name := period.Supplement(0).String()
	if period.IsSupplement() {
		name += "-supplement"
	}
	parts := []string{Version, name, r.asAt.String(), r.keyID}
	for _, file := range r.referenceFiles() {
		parts = append(parts, "reference", file.File, file.SHA256)
	}
	for _, in := range r.inputs {
		parts = append(parts, "input", in.Name, in.SHA256, fmt.Sprint(accepted[in.Name]))
		if in.Status == emis.Refused { // limits of the settings may be why
			parts = append(parts, "refused")
		}
	}
	consulted = slices.Clone(consulted)
	slices.SortFunc(consulted, func(a, b snapshot.Evidence) int {
		return cmp.Or(cmp.Compare(a.Use, b.Use), cmp.Compare(a.SHA256, b.SHA256))
	})
	for _, e := range consulted {
		parts = append(parts, "evidence", e.Use, e.SHA256)
	}
	if freeze != nil {
		parts = append(parts, "freeze")
		for _, missing := range freeze.Missing {
			parts = append(parts, missing.Practice, missing.Reason)
		}
	}
	hash := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(hash, "%d:%s", len(part), part)
	}
	return name + "-" + hex.EncodeToString(hash.Sum(nil))[:12]
}
