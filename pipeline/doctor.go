package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"ltcles/pipeline/civil"
	"ltcles/pipeline/config"
	"ltcles/pipeline/contract"
	"ltcles/pipeline/pseudonym"
	"ltcles/pipeline/snapshot"
	"ltcles/pipeline/workspace"
)

// A Diagnosis is one thing that doctor looked at.
type Diagnosis struct {
	Level string // LevelOK, LevelWarning, LevelError
	About string
	Found string
	Fix   string // "" where nothing is to be done, or Found says it
}

// The levels of a diagnosis. With a warning a run works, with an error it does not.
const (
	LevelOK      = "ok"
	LevelWarning = "warning"
	LevelError   = "error"
)

// DoctorConfig says what to look at.
type DoctorConfig struct {
	Workspace *workspace.Workspace
	Period    contract.Period // the zero Period: the workspace alone
	Now       time.Time
}

// Doctor looks at what a run depends on, and leaves everything as it is. It holds
// the lock while it looks, unless another run does. No identifier is in what
// it says.
func Doctor(ctx context.Context, cfg DoctorConfig) ([]Diagnosis, error) {
	engine, err := EngineVersion(ctx)
	if err != nil {
		return nil, err
	}
	d := &doctor{cfg: cfg, w: cfg.Workspace, store: snapshot.Store{Dir: cfg.Workspace.Published()}, hasLinks: true}
	d.ok("program", fmt.Sprintf("ltcles %s, DuckDB %s, %s, %s/%s", Version, engine, runtime.Version(), runtime.GOOS, runtime.GOARCH))
	release := d.lock()
	d.published()
	d.key()
	d.modes()
	if release != nil {
		defer release()
		d.leftovers()
		d.links()
		d.writing()
	}
	d.found = append(d.found, clockDiagnoses(cfg.Now, d.newestAsAt())...)
	inbox := int64(0)
	if cfg.Period != (contract.Period{}) {
		if inbox, err = d.inbox(d.reference()); err != nil {
			return nil, err
		}
	}
	return d.found, d.space(inbox)
}

type doctor struct {
	cfg      DoctorConfig
	w        *workspace.Workspace
	store    snapshot.Store
	current  *snapshot.Snapshot
	hasLinks bool // hard ones
	found    []Diagnosis
}

func (d *doctor) ok(about, found string) { d.add(LevelOK, about, found, "") }

func (d *doctor) add(level, about, found, fix string) {
	d.found = append(d.found, Diagnosis{level, about, found, fix})
}

// wrong is an error for each line of err, or for each reason why data is not fit.
func (d *doctor) wrong(about string, err error) {
	text := err.Error()
	if notFit := new(NotFitError); errors.As(err, &notFit) {
		text = strings.Join(notFit.Reasons, "\n")
	}
	for line := range strings.Lines(text) {
		d.add(LevelError, about, strings.TrimSuffix(line, "\n"), "")
	}
}

// lock takes the workspace's lock; nil where that cannot be had.
func (d *doctor) lock() (release func()) {
	release, err := lock(Config{Workspace: d.w, Command: "doctor"})
	var problem *config.Problem
	switch {
	case errors.As(err, &problem):
		d.add(LevelWarning, "lock", problem.Found, problem.Fix+"; links, leftovers and writing are looked at then")
	case err != nil:
		d.wrong("lock", err)
	default:
		d.ok("lock", "no run is at work")
	}
	return release
}

func (d *doctor) published() {
	r := &run{store: d.store}
	var problems [2]error
	r.current, problems[0] = d.store.Current()
	r.snapshots, problems[1] = d.store.Snapshots()
	err := errors.Join(problems[:]...)
	if err == nil {
		err = r.checkCurrent()
	}
	d.current = r.current
	switch {
	case err != nil:
		d.wrong("published", err)
	case d.current == nil:
		d.ok("published", "nothing yet")
	default:
		d.ok("published", fmt.Sprintf("%s (periods: %d; snapshots that are kept: %d); ltcles verify reads them back", d.current.Name, len(d.current.Manifest.Periods), len(r.snapshots)))
	}
}

func (d *doctor) key() {
	path := d.w.KeyFile()
	key, err := pseudonym.Load(path)
	cutOff := false
	if err == nil {
		r := &run{cfg: Config{Workspace: d.w}, key: key, current: d.current}
		if cutOff = r.isRekeyCutOff(); !cutOff {
			err = r.checkKey()
		}
	}
	switch {
	case err != nil:
		d.wrong("key", err)
	case cutOff:
		d.add(LevelWarning, "key", "rekey was cut off once everything was published", "the next run puts the new key in its place")
	case runtime.GOOS == "windows":
		d.add(LevelWarning, "key", fmt.Sprintf("%s at %s; who may open it cannot be seen from its mode on Windows", key, path),
			fmt.Sprintf("see that icacls %q lists nobody but its users", filepath.Dir(path)))
	default:
		d.ok("key", fmt.Sprintf("%s at %s, for its owner alone", key, path))
	}
	next := pseudonym.NextFile(path)
	if _, missing := os.Lstat(next); err == nil && !cutOff && missing == nil {
		d.add(LevelWarning, "key", "rekey was cut off before it published anything; "+next+" is under no period", "run rekey again, or remove the file")
	}
	if err == nil && !cutOff && d.current != nil {
		d.formerKeys(key)
	}
}

// formerKeys are those that published periods are under which a rekey left there.
func (d *doctor) formerKeys(key *pseudonym.Key) {
	under := map[string][]string{}
	for _, period := range d.current.Manifest.Periods {
		if period.KeyID != key.ID() {
			under[period.KeyID] = append(under[period.KeyID], period.Period)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(under)) {
		file := pseudonym.FormerFile(d.w.KeyFile(), id)
		former, err := pseudonym.Former(d.w.KeyFile(), id)
		switch {
		case err != nil:
			d.wrong("key", err)
		case former == nil:
			d.add(LevelWarning, "key", fmt.Sprintf("%s is not there: no patient of %s can be matched or explained", file, strings.Join(under[id], ", ")), "restore it from its backup, or run the period again")
		default:
			d.ok("key", fmt.Sprintf("former %s at %s, for %s", former, file, strings.Join(under[id], ", ")))
		}
	}
}

// modes are those of the folders with patients' data.
func (d *doctor) modes() {
	private := true
	for _, dir := range []string{filepath.Join(d.w.Dir, "inbox"), d.w.Private()} {
		info, err := os.Stat(dir)
		switch {
		case err != nil:
			d.wrong("folders", err)
			private = false
		case runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0:
			d.add(LevelWarning, "folders", fmt.Sprintf("%s has mode %04o, which lets others at patients' data", dir, info.Mode().Perm()), fmt.Sprintf("run: chmod 700 %q", dir))
			private = false
		}
	}
	if private && runtime.GOOS != "windows" {
		d.ok("folders", "inbox and .ltcles are for their owner alone")
	}
}

func (d *doctor) leftovers() {
	left, err := d.store.Leftovers()
	if err != nil {
		d.wrong("leftovers", err)
		return
	}
	private, err := entries(d.w.Private(), runPrefix)
	if err != nil {
		d.wrong("leftovers", err)
		return
	}
	if left = append(left, private...); len(left) > 0 {
		d.add(LevelWarning, "leftovers", "a killed run left "+strings.Join(left, ", "), "the next run removes them")
		return
	}
	d.ok("leftovers", "none")
}

func (d *doctor) links() {
	symbolic, hard, err := d.store.Links()
	d.hasLinks = hard
	switch {
	case err != nil:
		d.wrong("links", err)
	case !hard:
		d.add(LevelWarning, "links", "no hard links in published: each snapshot takes the space of every period again", "see that there is enough, or keep the workspace on a file system with links")
	case !symbolic:
		d.add(LevelWarning, "links", "no symbolic links in published: current is a folder, and is away for a moment while a run publishes", "let readers try again, or keep the workspace on a file system with links")
	default:
		d.ok("links", "symbolic and hard links work in published")
	}
}

// writing is tried where a run writes. The time that the disk gives to what is
// written shows its clock.
func (d *doctor) writing() {
	var written time.Time
	for _, dir := range []string{d.w.Published(), d.w.Runs(), d.w.Private()} {
		file, err := os.CreateTemp(dir, ".doctor-*")
		if err != nil {
			d.add(LevelError, "writing", err.Error(), "give the user who runs ltcles the right to write there")
			return
		}
		info, err := file.Stat()
		if err := errors.Join(err, file.Close(), os.Remove(file.Name())); err != nil {
			d.wrong("writing", err)
			return
		}
		written = info.ModTime()
	}
	d.found = append(d.found, skewDiagnosis(time.Since(written)))
}

// tolerated is how far the clock of a disk may be from the machine's.
const tolerated = 2 * time.Minute

// skewDiagnosis judges how far ago, by the machine's clock, the disk says that
// something was written just now.
func skewDiagnosis(skew time.Duration) Diagnosis {
	if skew.Abs() > tolerated {
		return Diagnosis{LevelWarning, "writing", fmt.Sprintf("the disk's clock is %s off the machine's, and purge goes by it", skew.Abs().Round(time.Second)), "set both by the network's time"}
	}
	return Diagnosis{Level: LevelOK, About: "writing", Found: "a run can write to published, .ltcles and runs"}
}

func (d *doctor) newestAsAt() civil.Date {
	newest := civil.None
	if d.current != nil {
		for _, period := range d.current.Manifest.Periods {
			newest = max(newest, period.AsAt)
		}
	}
	return newest
}

// clockDiagnoses judge the day and the time zone, on which as-at rests where
// neither the operator nor the files say it.
func clockDiagnoses(now time.Time, newest civil.Date) []Diagnosis {
	clock := Diagnosis{Level: LevelOK, About: "clock", Found: "today is " + civil.FromTime(now).String()}
	if civil.FromTime(now) < newest {
		clock.Level, clock.Fix = LevelWarning, "set the clock, or give --as-at"
		clock.Found += fmt.Sprintf(", before the as-at %s of what is published", newest)
	}
	name, offset := now.Zone()
	zone := Diagnosis{Level: LevelOK, About: "time zone", Found: name}
	if offset != 0 && offset != 3600 { // England's, in winter and summer
		zone.Level, zone.Found = LevelWarning, fmt.Sprintf("%s is %s from UTC: today may be another day than in England", name, time.Duration(offset)*time.Second)
		zone.Fix = "give --as-at, or set the time zone"
	}
	return []Diagnosis{clock, zone}
}

// reference reads what decides how the period is judged; nil practices where it cannot be read.
func (d *doctor) reference() []workspace.Practice {
	year := d.cfg.Period.Year()
	if _, err := contract.Load(d.w.ContractsDir(), year); err != nil {
		d.wrong("contract", err)
	} else {
		d.ok("contract", string(year))
	}
	reference, err := d.w.Reference(year)
	if err != nil {
		d.wrong("reference", err)
		return nil
	}
	d.ok("reference", fmt.Sprintf("%d practices, %d places of %s", len(reference.Practices), len(reference.Choices), year))
	return reference.Practices
}

// inbox compares the names in the period's inbox with the practices, and returns
// how many bytes the files have.
func (d *doctor) inbox(practices []workspace.Practice) (size int64, err error) {
	dir := d.w.Inbox(d.cfg.Period.String())
	err = filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			size += info.Size()
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		d.add(LevelError, "inbox", dir+" is not there", "make it and put the period's files into it")
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("look at inbox: %w", err)
	}
	r := &run{cfg: Config{Workspace: d.w, Period: d.cfg.Period}, report: &Report{}}
	names, err := r.listInbox()
	if len(r.report.Strays) > 0 {
		d.add(LevelWarning, "inbox", "of no period, and never read: "+strings.Join(r.report.Strays, ", "), "put each file into the folder of its period, such as "+dir)
	}
	if err != nil {
		d.wrong("inbox", err)
		return size, nil
	}
	d.ok("inbox", fmt.Sprintf("%d files for %s, %s", len(names), d.cfg.Period, amount(size)))
	if practices != nil {
		d.found = append(d.found, practiceDiagnoses(names, practices)...)
	}
	return size, nil
}

var (
	pathWord     = regexp.MustCompile(`[\p{L}\p{Nd}]+`)
	practiceLike = regexp.MustCompile(`^[A-Z][0-9]{5}$`) // an ODS code of a practice
)

// practiceDiagnoses compare the practice codes in the files' names with the list.
func practiceDiagnoses(names []string, practices []workspace.Practice) []Diagnosis {
	named := map[string]bool{}
	for _, name := range names {
		for _, word := range pathWord.FindAllString(name, -1) {
			named[strings.ToUpper(word)] = true
		}
	}
	var without []string
	for _, practice := range practices {
		if !named[practice.Code] {
			without = append(without, practice.Code)
		}
		delete(named, practice.Code)
	}
	var unknown []string
	for word := range named {
		if practiceLike.MatchString(word) {
			unknown = append(unknown, word)
		}
	}
	slices.Sort(unknown)
	var into []Diagnosis
	if len(unknown) > 0 {
		into = append(into, Diagnosis{LevelWarning, "practices", "files are named by practices that the year's list lacks: " + strings.Join(unknown, ", "), "add them to reference/practices.csv, or correct the names"})
	}
	if len(without) > 0 {
		into = append(into, Diagnosis{LevelWarning, "practices", fmt.Sprintf("no file is named by %d of %d practices: %s", len(without), len(practices), strings.Join(without, ", ")),
			"ask them for their files, unless others hold their rows: ltcles check says"})
	}
	if into == nil {
		into = append(into, Diagnosis{Level: LevelOK, About: "practices", Found: "each of the year's practices has files named by it, and no other has"})
	}
	return into
}

// space compares what is free with what a run may need: the inbox twice, for what
// is staged, unpacked and spilled, and for the snapshot its period and the top-level
// tables, or where there are no hard links every period again.
func (d *doctor) space(inbox int64) error {
	free, err := freeSpace(d.w.Dir)
	if err != nil {
		return fmt.Errorf("look at free space of %s: %w", d.w.Dir, err)
	}
	d.found = append(d.found, spaceDiagnosis(free, neededSpace(inbox, d.current, d.hasLinks)))
	return nil
}

func neededSpace(inbox int64, current *snapshot.Snapshot, hasLinks bool) int64 {
	needed := 2 * inbox
	if current == nil {
		return needed
	}
	for _, file := range current.Manifest.Files {
		if !hasLinks || file.Period == "" {
			needed += 2 * file.Bytes
		}
	}
	return needed
}

func spaceDiagnosis(free, needed int64) Diagnosis {
	found := fmt.Sprintf("%s free; a run may need %s", amount(free), amount(needed))
	switch {
	case free < needed:
		return Diagnosis{LevelError, "space", found, "make room: see ltcles purge"}
	case free < 2*needed:
		return Diagnosis{LevelWarning, "space", found, "make room before long: see ltcles purge"}
	}
	return Diagnosis{Level: LevelOK, About: "space", Found: found}
}

// amount is a number of bytes in steps of 1,024, as file managers count.
func amount(bytes int64) string {
	units := []string{"bytes", "KB", "MB", "GB", "TB"}
	size, unit := float64(bytes), 0
	for size >= 1024 && unit < len(units)-1 {
		size, unit = size/1024, unit+1
	}
	if unit == 0 {
		return fmt.Sprintf("%d bytes", bytes)
	}
	return fmt.Sprintf("%.1f %s", size, units[unit])
}
