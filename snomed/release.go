package snomed

import (
	"archive/zip"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Release is what a SNOMED CT release says of the codes that were asked for.
type Release struct {
	Files    []string // that were read
	Lacks    []string // the kinds of files that are not there and can be done without
	Newest   string   // the newest effective time of a concept, yyyymmdd
	Concepts map[Code]Concept
}

// Concept is one code as the release has it; a code that it has not is not in [Release.Concepts].
type Concept struct {
	Active         bool
	EffectiveTime  string // yyyymmdd: when it became what it is
	Module         string
	Preferred      string // the preferred synonym, the NHS's where it has one; empty where none is preferred
	FullySpecified string
	Reason         string // of an inactive concept, where the release gives one
	Replacements   []Replacement

	terms []description
}

// Replacement is what the release names in the place of an inactive concept.
type Replacement struct {
	Association string // SAME AS, REPLACED BY, POSSIBLY EQUIVALENT TO …
	Code        Code
	Term        string // its preferred term, else its fully specified name, else empty
	Active      bool
}

// Agreement says how a text stands to a concept's terms.
type Agreement string

const (
	IsPreferred      Agreement = "preferred"
	IsSynonym        Agreement = "synonym"
	IsFullySpecified Agreement = "fully specified"
	IsInactive       Agreement = "inactive term" // was a term of the concept
	IsNone           Agreement = "no term"       // most likely another concept's
)

// Agrees compares a text with the concept's terms, whatever its case and blanks; a fully specified
// name agrees without its tag too.
func (c Concept) Agrees(text string) Agreement {
	text = folded(text)
	found := IsNone
	for _, d := range c.terms {
		is := folded(d.term)
		withoutTag := is
		if open := strings.LastIndex(is, " ("); open > 0 && d.kind == fullySpecified {
			withoutTag = is[:open]
		}
		switch {
		case text != is && text != withoutTag:
		case !d.active:
			if found == IsNone {
				found = IsInactive
			}
		case c.Preferred != "" && is == folded(c.Preferred):
			return IsPreferred
		case d.kind == fullySpecified:
			if found != IsSynonym {
				found = IsFullySpecified
			}
		default:
			found = IsSynonym
		}
	}
	return found
}

func folded(text string) string { return strings.ToLower(strings.Join(strings.Fields(text), " ")) }

// ReadRelease looks the codes up in the RF2 files below a folder, or in a ZIP of them: snapshot
// files, and full ones where there is no snapshot of the same name. Several editions may lie side
// by side; of one component's rows the newest counts. It fails with a [FormatError] or
// [MissingFilesError] where the files are not what RF2 says.
func ReadRelease(ctx context.Context, dir string, codes []Code) (_ *Release, err error) {
	f, err := openFolder(dir)
	if err != nil {
		return nil, fmt.Errorf("read release %s: %w", dir, err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	r := reading{ctx: ctx, release: &Release{Concepts: map[Code]Concept{}}}
	for _, k := range []kind{associations, reasons, concepts, descriptions, languages} {
		files, missing := f.of(dir, k)
		if missing != nil && !k.isOptional() {
			return nil, missing
		}
		if missing != nil {
			r.release.Lacks = append(r.release.Lacks, k.prefix())
		}
		r.files = append(r.files, files)
	}
	r.look(codes)
	if r.err != nil {
		return nil, fmt.Errorf("read release %w", r.err)
	}
	slices.Sort(r.release.Files)
	return r.release, nil
}

// MissingFilesError says that a kind of file is not there.
type MissingFilesError struct {
	Dir     string
	Looked  []string // for files named like these
	Files   int      // that are there at all
	IsDelta bool     // there are delta files of the kind
}

func (e MissingFilesError) Error() string {
	text := fmt.Sprintf("%s: no file named %s among %d files", e.Dir, strings.Join(e.Looked, " or "), e.Files)
	if e.IsDelta {
		text += " (a delta tells what changed, and not what is)"
	}
	return text + "; expected a SNOMED CT release in RF2, unpacked or as its ZIP"
}

// reading looks codes up, file by file, until something fails.
type reading struct {
	ctx     context.Context
	release *Release
	files   [][]source // in the order of the passes
	err     error
}

func (r *reading) look(codes []Code) {
	asked, told := map[string]bool{}, map[string]bool{} // concepts asked for; those whose standing or terms are told too
	for _, code := range codes {
		asked[string(code)], told[string(code)] = true, true
	}
	isAsked := func(fields [][]byte) bool { return asked[string(fields[5])] }
	replaced := newest(r, associations, r.files[0], isAsked)
	for _, row := range replaced {
		told[row[6]] = true
	}
	inactivated := newest(r, reasons, r.files[1], func(fields [][]byte) bool { return isAsked(fields) && string(fields[4]) == inactivationRefset })
	for _, row := range inactivated {
		told[row[6]] = true
	}
	standing := newest(r, concepts, r.files[2], func(fields [][]byte) bool {
		if string(fields[1]) > r.release.Newest {
			r.release.Newest = string(fields[1])
		}
		return told[string(fields[0])]
	})
	described := newest(r, descriptions, r.files[3], func(fields [][]byte) bool { return told[string(fields[4])] })
	preferred := newest(r, languages, r.files[4], func(fields [][]byte) bool {
		_, ok := described[string(fields[5])]
		return ok
	})
	if r.err != nil {
		return
	}
	terms := termsOf(described, preferred)
	for id, concept := range standing {
		if !asked[id] {
			continue
		}
		c := Concept{Active: concept.isActive(), EffectiveTime: concept[1], Module: concept[3], terms: terms[id]}
		c.Preferred, c.FullySpecified = preferredOf(terms[id]), best(terms[id], fullySpecified)
		var reason row
		for _, each := range inactivated {
			if each.isActive() && each[5] == id && (reason == nil || compareMembers(each, reason) > 0) {
				reason = each
			}
		}
		if reason != nil {
			c.Reason = cmp.Or(nameOf(terms[reason[6]]), reason[6])
		}
		for _, each := range replaced {
			if !each.isActive() || each[5] != id || each[4] == movedFrom {
				continue
			}
			target, known := standing[each[6]]
			c.Replacements = append(c.Replacements, Replacement{
				Association: cmp.Or(associationName(each[4]), each[4]), Code: Code(each[6]),
				Term: nameOf(terms[each[6]]), Active: known && target.isActive(),
			})
		}
		slices.SortFunc(c.Replacements, func(a, b Replacement) int {
			return cmp.Or(strings.Compare(a.Association, b.Association), strings.Compare(string(a.Code), string(b.Code)))
		})
		r.release.Concepts[Code(id)] = c
	}
}

// compareMembers puts the newer of two members of a reference set last, and of two of a day, as
// where editions stand side by side, the one with the smaller id.
func compareMembers(a, b row) int {
	return cmp.Or(strings.Compare(a[1], b[1]), strings.Compare(b[0], a[0]))
}

// description is one term of a concept.
type description struct {
	id, term, kind, effectiveTime string
	active                        bool
	rank                          int // of the language reference set that prefers it, 0 first
}

func termsOf(described, preferred map[string]row) map[string][]description {
	ranks := map[string]int{}
	for _, member := range preferred {
		if !member.isActive() || member[6] != isPreferredIn {
			continue
		}
		if before, ok := ranks[member[5]]; !ok || languageRank(member[4]) < before {
			ranks[member[5]] = languageRank(member[4])
		}
	}
	terms := map[string][]description{}
	for id, d := range described {
		rank, ok := ranks[id]
		if !ok {
			rank = preferredNowhere
		}
		terms[d[4]] = append(terms[d[4]], description{id, d[7], d[6], d[1], d.isActive(), rank})
	}
	for _, each := range terms { // the same answer each time
		slices.SortFunc(each, func(a, b description) int {
			return cmp.Or(cmp.Compare(a.rank, b.rank), strings.Compare(b.effectiveTime, a.effectiveTime), strings.Compare(a.id, b.id))
		})
	}
	return terms
}

// preferredOf is the synonym that the first language reference set prefers; empty where none does.
func preferredOf(terms []description) string {
	for _, d := range terms {
		if d.active && d.kind == synonym && d.rank < preferredNowhere {
			return d.term
		}
	}
	return ""
}

// nameOf is what a concept is called for people.
func nameOf(terms []description) string {
	return cmp.Or(preferredOf(terms), best(terms, fullySpecified))
}

// best is the active term of a kind that comes first.
func best(terms []description, kind string) string {
	for _, d := range terms {
		if d.active && d.kind == kind {
			return d.term
		}
	}
	return ""
}

// folder is the files of a release, those in archives too.
type folder struct {
	files    []source
	archives []*zip.ReadCloser
}

// source is one file.
type source struct {
	name string // as people find it: archive.zip!member for a member
	open func() (io.ReadCloser, error)
}

func openFolder(dir string) (*folder, error) {
	f := &folder{}
	err := filepath.WalkDir(dir, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if strings.EqualFold(filepath.Ext(file), ".zip") {
			return f.addArchive(file)
		}
		f.files = append(f.files, source{file, func() (io.ReadCloser, error) { return os.Open(file) }})
		return nil
	})
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	slices.SortFunc(f.files, func(a, b source) int { return strings.Compare(a.name, b.name) })
	return f, nil
}

func (f *folder) addArchive(file string) error {
	archive, err := zip.OpenReader(file)
	if err != nil {
		return fmt.Errorf("open %s: %w", file, err)
	}
	f.archives = append(f.archives, archive)
	for _, member := range archive.File {
		if !member.FileInfo().IsDir() {
			f.files = append(f.files, source{file + "!" + member.Name, member.Open})
		}
	}
	return nil
}

// Close closes the archives.
func (f *folder) Close() (err error) {
	for _, archive := range f.archives {
		err = errors.Join(err, archive.Close())
	}
	return err
}

// of lists the files of a kind that say how things are: snapshots, and full files without one.
func (f *folder) of(dir string, k kind) ([]source, error) {
	base := func(s source) string {
		name := path.Base(filepath.ToSlash(s.name))
		if rest, ok := strings.CutPrefix(name, "x"); ok { // a release that is not final
			return rest
		}
		return name
	}
	snapshots, isDelta := map[string]bool{}, false
	var found, full []source
	for _, file := range f.files {
		name := base(file)
		switch {
		case !strings.HasPrefix(name, k.prefix()) || !strings.HasSuffix(name, ".txt"):
		case strings.Contains(name, "Snapshot"):
			found = append(found, file)
			snapshots[name] = true
		case strings.Contains(name, "Full"):
			full = append(full, file)
		case strings.Contains(name, "Delta"):
			isDelta = true
		}
	}
	for _, file := range full {
		if !snapshots[strings.Replace(base(file), "Full", "Snapshot", 1)] {
			found = append(found, file)
		}
	}
	if len(found) == 0 {
		return nil, MissingFilesError{dir, []string{k.prefix() + "*Snapshot*.txt", k.prefix() + "*Full*.txt"}, len(f.files), isDelta}
	}
	return found, nil
}
