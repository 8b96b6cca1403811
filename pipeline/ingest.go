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
	"sync"
	"sync/atomic"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"ltcles/pipeline/civil"
	"ltcles/pipeline/config"
	"ltcles/pipeline/contract"
	"ltcles/pipeline/emis"
	"ltcles/pipeline/pseudonym"
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
	if err := r.refuseIdentifiers(names); err != nil {
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

// refuseIdentifiers refuses file names that hold an NHS number: names are
// logged and published, and no identifier may be.
func (r *run) refuseIdentifiers(names []string) error {
	var problems []error
	for _, name := range names {
		if masked, holds := emis.MaskNHSNumbers(name); holds {
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
		r.asAt, r.report.AsAtFrom = r.newestStated(), "the newest run date that the files state"
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

// newestStated is the newest extract date that a file states, None for none.
func (r *run) newestStated() civil.Date {
	newest := civil.None
	for _, in := range r.inputs {
		newest = max(newest, in.ExtractDate)
	}
	return newest
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
	if max(r.asAt, r.newestStated()) <= r.contract.CodingDeadline {
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
		for _, in := range r.inputs {
			in.accepted = published[in.Name]
		}
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

// ingest reads the files that are to be read, several at a time, into one staged
// file each. A file that turns out unreadable is refused, and the others go on.
func (r *run) ingest(ctx context.Context) error {
	if err := r.settleKeys(); err != nil {
		return err
	}
	reader := &emis.Reader{
		Inbox: r.inbox, Practices: r.practices(), Book: r.book(), AsAt: r.asAt,
		Limits: r.limits(), TempDir: r.unpackedDir(),
		AllowTest: r.cfg.Workspace.Settings.AllowTestNHSNumbers,
		Meanings: func(text string) (string, bool) {
			meaning, ok := r.contract.Meaning(text)
			return string(meaning), ok
		},
	}
	byFile := map[*emis.File]*input{}
	var single []*input
	at := Progress{Step: "reading files"}
	for _, in := range r.inputs {
		byFile[in.File] = in
		if !in.isSource() {
			continue
		}
		at.Total++
		at.TotalBytes += in.Bytes
		if in.Kind != emis.BulkExtract {
			single = append(single, in)
		}
	}
	var mu sync.Mutex
	step := func(files ...*emis.File) {
		mu.Lock()
		defer mu.Unlock()
		for _, file := range files {
			in := byFile[file]
			at.Done++
			at.DoneBytes += in.Bytes
			at.Rows += in.tally.Rows
		}
		r.cfg.Progress(at)
	}
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(r.threads)
	for _, agreement := range r.agreements {
		group.Go(func() (err error) {
			defer unexpected.Panic(&err)
			defer step(agreement.Files()...)
			return r.stageAgreement(groupCtx, reader, agreement, byFile)
		})
	}
	for _, in := range single {
		group.Go(func() (err error) {
			defer unexpected.Panic(&err)
			defer step(in.File)
			return r.stageSingle(groupCtx, reader, in)
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for _, in := range r.inputs {
		r.log.Info("file", zap.String("file", in.Name), zap.String("sha256", in.SHA256), zap.String("kind", string(in.Kind)),
			zap.String("status", string(in.Status)), zap.String("encoding", string(in.Encoding)), zap.String("delimiter", in.DelimiterName()),
			zap.Int("header_line", in.HeaderLine), zap.Int64("rows", in.tally.Rows), zap.Int64("footer_lines", in.tally.Footers),
			zap.Bool("staged_before", in.isTaken), zap.String("message", in.Message))
	}
	return nil
}

// isSource tells whether rows are to be read from the file.
func (in *input) isSource() bool {
	return in.Status == emis.Read && in.Kind != emis.BulkLookup && in.Kind != emis.Archive
}

// stageAgreement reads the files of one agreement's bulk extracts, in the order in
// which they are applied. Where one of them turns out unreadable, it is refused,
// and the others are read without it.
func (r *run) stageAgreement(ctx context.Context, reader *emis.Reader, agreement *emis.Agreement, byFile map[*emis.File]*input) error {
	all := agreement.All()
	for {
		err := r.stageExtract(ctx, reader, agreement, byFile)
		var refusal *emis.Refusal
		if !errors.As(err, &refusal) {
			return err
		}
		for _, f := range all {
			in := byFile[f]
			in.staged, in.isTaken, in.tally = nil, false, emis.Tally{}
			if f.Name == refusal.File {
				in.Refuse(refusal)
			}
		}
		agreement = nil
		for _, rest := range emis.Agreements(all) {
			agreement = rest
		}
		if agreement == nil {
			return nil
		}
	}
}

func (r *run) stageExtract(ctx context.Context, reader *emis.Reader, agreement *emis.Agreement, byFile map[*emis.File]*input) error {
	if len(agreement.Files()) == 0 || r.takeAll(agreement, byFile) {
		return nil
	}
	extract, err := reader.OpenExtract(agreement)
	if err != nil {
		return err
	}
	for _, f := range agreement.Files() {
		key := r.stagedKey(byFile[f], agreement.Determinants(f))
		err := r.stage(ctx, byFile[f], key, func(emit func(*emis.Row) error) (emis.Tally, error) { return extract.Read(f, emit) })
		if err != nil {
			return err
		}
	}
	unread := extract.Unread()
	for f, lines := range unread {
		f.Message = fmt.Sprintf("%d lines cannot be read, and what they stand for is not known", lines)
	}
	for _, f := range agreement.Files() {
		if len(unread) > 0 { // which only reading the look-ups again would say
			break
		}
		if err := r.keep(byFile[f]); err != nil {
			return err
		}
	}
	return nil
}

// takeAll takes the files of an agreement off the shelf, where all of them are there.
func (r *run) takeAll(agreement *emis.Agreement, byFile map[*emis.File]*input) bool {
	for _, f := range agreement.Files() {
		if !r.take(byFile[f], r.stagedKey(byFile[f], agreement.Determinants(f))) {
			return false
		}
	}
	return true
}

// stageSingle reads a file that stands for itself, unless an earlier run did.
func (r *run) stageSingle(ctx context.Context, reader *emis.Reader, in *input) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	key := r.stagedKey(in, nil)
	if !r.take(in, key) {
		err := r.stage(ctx, in, key, func(emit func(*emis.Row) error) (emis.Tally, error) { return reader.Read(in.File, emit) })
		var refusal *emis.Refusal
		if errors.As(err, &refusal) {
			in.Refuse(refusal)
			return nil
		}
		if err != nil {
			return err
		}
		if err := r.keep(in); err != nil {
			return err
		}
	}
	if in.tally.Rows == 0 {
		in.Message = strings.TrimPrefix(in.Message+"; ", "; ") + "a header and no rows; if the practice has patients in this search, export it again"
	}
	return nil
}

// stagedKey is of everything that settles a file's rows but as-at, of which the tally
// says what it decided. The name is among it because the settings' layouts go by it.
func (r *run) stagedKey(in *input, determinants []string) staging.Key {
	return staging.KeyOf(append([]string{Version, in.Name, in.SHA256, string(in.Kind), in.Practice, string(in.Code), fmt.Sprint(r.limits()),
		r.cfg.Workspace.SettingsSHA256, r.contract.SHA256, r.reference.Files[0].SHA256, r.keyID}, determinants...)...)
}

// shelf is where staged files stay for later runs; where the settings keep none,
// only as long as this run.
func (r *run) shelf() staging.Shelf {
	dir := r.cfg.Workspace.Staged()
	if r.cfg.Workspace.Settings.StagedDays == 0 {
		dir = r.stagedDir()
	}
	return staging.Shelf{Dir: dir, Seal: func(text []byte) []byte {
		return r.key.NewHasher().Hex(nil, append([]byte("ltcles staged file "), text...))
	}}
}

// take takes a file's rows as an earlier run staged them. Under a former key's
// evidence every identity has to be met, so that all is read.
func (r *run) take(in *input, key staging.Key) bool {
	if len(r.formers) > 0 {
		return false
	}
	var tally emis.Tally
	staged, err := r.shelf().Take(key, &tally)
	if err != nil {
		r.log.Warn("a staged file is not used, and the file is read again", zap.String("file", in.Name), zap.Error(err))
		return false
	}
	if staged == nil || !tally.Centuries.SameAt(r.asAt) {
		return false
	}
	in.staged, in.tally, in.isTaken = staged, tally, true
	return true
}

func (r *run) keep(in *input) error { return r.shelf().Keep(in.staged, in.tally) }

// stage reads one file into its staged file.
func (r *run) stage(ctx context.Context, in *input, key staging.Key, read func(func(*emis.Row) error) (emis.Tally, error)) error {
	writer, err := staging.Create(r.shelf().Dir, key)
	if err != nil {
		return err
	}
	keyed := &keyer{hasher: r.key.NewHasher()}
	for _, former := range r.formers {
		keyed.formers = append(keyed.formers, formerKeyer{former, former.key.NewHasher()})
	}
	tally, err := read(func(row *emis.Row) error {
		if row.Line%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		return writer.Write(keyed.stage(row))
	})
	if err != nil {
		writer.Discard()
		return err
	}
	in.tally = tally
	in.staged, err = writer.Close()
	return err
}

// keyer turns rows into staged rows: identifiers end here.
type keyer struct {
	hasher   *pseudonym.Hasher
	formers  []formerKeyer
	row      staging.Row
	identity []byte
	nhs      []byte
	emis     []byte
	was      []byte
}

func (k *keyer) stage(row *emis.Row) *staging.Row {
	k.row = staging.Row{
		State: staging.State{
			IsDeleted: row.Deleted, IsMalformed: row.Malformed, IsDummy: row.Dummy,
			PracticeState: string(row.PracticeState), NHSState: string(row.NHSState),
			PatientType: row.PatientType, RegistrationStatus: row.RegistrationStatus, InvalidStatusDate: string(row.InvalidStatusDate),
			CodeState: string(row.CodeState), ActivityState: string(row.ActivityState), RecordedState: string(row.RecordedState),
		},
		Line: row.Line, Event: row.Event, PracticeCode: row.Practice,
		RegisteredDate: row.RegisteredDate, DeductedDate: row.DeductedDate, DeathDate: row.DeathDate,
		Code: string(row.Code), ActivityDate: row.ActivityDate, RecordedDate: row.RecordedDate,
	}
	if row.NHSState == emis.Valid {
		k.nhs = k.hasher.Sum(k.nhs[:0], row.NHSNumber)
		k.row.NHSKey = k.nhs
		k.meet(row.NHSNumber, k.nhs)
	}
	if row.Practice != "" && len(row.EMISNumber) > 0 {
		k.identity = emisIdentity(k.identity[:0], row.Practice, row.EMISNumber)
		k.emis = k.hasher.Sum(k.emis[:0], k.identity)
		k.row.EMISKey = k.emis
		k.meet(k.identity, k.emis)
	}
	return &k.row
}

// emisIdentity appends the identity of a practice's EMIS number (R5).
func emisIdentity(dst []byte, practice string, number []byte) []byte {
	return append(append(append(append(dst, "emis:"...), practice...), ':'), number...)
}

// meet notes an identity's pseudonyms under the former keys.
func (k *keyer) meet(identity, now []byte) {
	for i := range k.formers {
		k.was = k.formers[i].hasher.Sum(k.was[:0], identity)
		k.formers[i].note(k.was, now)
	}
}
