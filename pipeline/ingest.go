package pipeline

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"ltcles/pipeline/emis"
	"ltcles/pipeline/pseudonym"
	"ltcles/pipeline/staging"
	"ltcles/pipeline/unexpected"
)

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
	in.tally, in.isTaken = tally, false
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
