package emis

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// Limits bound what an archive, or a workbook, may unpack to.
type Limits struct {
	Entries int   // entries, folders among them
	Bytes   int64 // unpacked, of all entries together
	Ratio   int64 // unpacked bytes to each packed one, where an entry has more than a megabyte
}

// DefaultLimits hold where nothing else is said.
func DefaultLimits() Limits { return Limits{Entries: 1000, Bytes: 512 << 20, Ratio: 200} }

func (l Limits) orDefault() Limits {
	if l == (Limits{}) {
		return DefaultLimits()
	}
	return l
}

// memberMark stands between the name of an archive and that of its member.
const memberMark = "!"

var archivePrefix = regexp.MustCompile(`(?i)^(.*?\.zip)!(.+)$`)

// baseName is the last part of a name; of an archive's member, of the member's.
func baseName(name string) string {
	if found := archivePrefix.FindStringSubmatch(name); found != nil {
		name = found[2]
	}
	return path.Base(name)
}

func isMember(name string) bool { return archivePrefix.MatchString(name) }

// errDirectory says that an archive's table of contents is longer than its
// entries can account for.
var errDirectory = errors.New("archive directory too long")

// directoryReader lets no more of an archive be read than a table of contents of
// so many entries takes, until the table has been read.
type directoryReader struct {
	io.ReaderAt
	left   int64
	isRead bool
}

func (d *directoryReader) ReadAt(p []byte, off int64) (int, error) {
	if !d.isRead {
		if d.left -= int64(len(p)); d.left < 0 {
			return 0, errDirectory
		}
	}
	return d.ReaderAt.ReadAt(p, off)
}

const (
	isEncrypted     = 0x1
	isPatched       = 0x20
	hasHiddenNames  = 0x2000
	ratioFrom       = 1 << 20 // smaller entries may be packed as tightly as they like
	directoryBuffer = 1 << 20
	bytesOfEntry    = 1 << 10
)

// openZip reads the table of contents of an archive or a workbook, and refuses
// one that cannot be unpacked within the limits. It unpacks nothing. An entry
// that turns out larger than is said there fails when it is read.
func openZip(r io.ReaderAt, size int64, limits Limits, what string) (*zip.Reader, *Refusal) {
	limits = limits.orDefault()
	limited := &directoryReader{ReaderAt: r, left: directoryBuffer + int64(limits.Entries)*bytesOfEntry}
	tooMany := refuse(0, "more than "+fmt.Sprint(limits.Entries)+" entries in the "+what, "at most so many (archives: max_entries in ltcles.yaml)", "split it, or raise the limit if you know where it comes from")
	unpacked, err := zip.NewReader(limited, size)
	if errors.Is(err, errDirectory) {
		return nil, tooMany
	}
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) { // paths are judged by themselves
		return nil, damagedZip(what)
	}
	limited.isRead = true
	if len(unpacked.File) > limits.Entries {
		return nil, tooMany
	}
	var total, packed uint64
	for _, entry := range unpacked.File {
		switch {
		case entry.Flags&(isEncrypted|hasHiddenNames) != 0 || entry.Method == 99:
			return nil, refuse(0, "an encrypted "+what, "one without a password", "unpack it with its password and put its files into the inbox")
		case entry.Flags&isPatched != 0 || entry.Method != zip.Store && entry.Method != zip.Deflate:
			return nil, refuse(0, "an entry of the "+what+" packed in an unusual way", "entries that are stored or deflated", "unpack it and put its files into the inbox, or pack it again as a plain ZIP")
		case entry.UncompressedSize64 > uint64(limits.Bytes) || total+entry.UncompressedSize64 > uint64(limits.Bytes):
			return nil, refuse(0, fmt.Sprintf("content of the %s that unpacks to more than %d MiB", what, limits.Bytes>>20), "at most so much (archives: max_bytes in ltcles.yaml)", "split it, or raise the limit if you know where it comes from")
		case entry.UncompressedSize64 > ratioFrom && entry.UncompressedSize64/uint64(limits.Ratio) > entry.CompressedSize64:
			return nil, refuse(0, fmt.Sprintf("content of the %s that unpacks to more than %d times its size", what, limits.Ratio), "at most so much (archives: max_ratio in ltcles.yaml)", "export the search again, or raise the limit if you know where it comes from")
		case entry.CompressedSize64 > uint64(size) || packed+entry.CompressedSize64 > uint64(size):
			return nil, damagedZip(what)
		}
		total += entry.UncompressedSize64
		packed += entry.CompressedSize64
	}
	return unpacked, nil
}

func damagedZip(what string) *Refusal {
	return refuse(0, "a damaged "+what, "one that is whole", "copy or export it again")
}

// member is one file in an archive.
type member struct {
	name  string
	entry *zip.File
}

// membersOf lists the files of an archive, folders left out. An archive with a
// name that leads out of it, or that nothing but a file can have, is refused as a
// whole: whoever made it did not mean well, or it is damaged.
func membersOf(unpacked *zip.Reader) ([]member, *Refusal) {
	var members []member
	seen := map[string]bool{}
	for i, entry := range unpacked.File {
		name := entryName(entry)
		isFolder := strings.HasSuffix(name, "/") || entry.Mode().IsDir()
		name = strings.TrimSuffix(strings.TrimPrefix(name, "./"), "/")
		if isFolder && name == "" {
			continue
		}
		if found := unsafeName(name); found != "" {
			return nil, refuse(0, fmt.Sprintf("entry %d of the archive with %s", i+1, found), "names of files within the archive", "unpack it with care, and put its files into the inbox")
		}
		switch mode := entry.Mode(); {
		case isFolder && entry.UncompressedSize64 == 0:
			continue
		case isFolder, mode&fs.ModeType != 0:
			return nil, refuse(0, fmt.Sprintf("entry %d of the archive: a link, or no plain file", i+1), "plain files", "pack the files themselves, or put them into the inbox")
		case seen[name]:
			return nil, refuse(0, fmt.Sprintf("entry %d of the archive with the name of an earlier one", i+1), "each name once", "unpack it, keep both files under names of their own, and put them into the inbox")
		}
		seen[name] = true
		members = append(members, member{name, entry})
	}
	if len(members) == 0 {
		return nil, refuse(0, "an archive without files", "an archive of exports", "ask for it again, or take it out of the inbox")
	}
	return members, nil
}

// entryName is the name of an entry as text. Names that do not say that they are
// UTF-8, and are not, are of code page 437, as ZIP has it. Some of what packs on
// Windows parts folders by a backslash.
func entryName(entry *zip.File) string {
	name := entry.Name
	if !utf8.ValidString(name) {
		var err error
		if name, err = charmap.CodePage437.NewDecoder().String(name); err != nil {
			return ""
		}
	}
	return strings.ReplaceAll(name, `\`, "/")
}

var driveLetter = regexp.MustCompile(`^[A-Za-z]:`)

// unsafeName says what is wrong with the name of an entry, "" for nothing.
func unsafeName(name string) string {
	switch {
	case strings.HasPrefix(name, "/") || driveLetter.MatchString(name) || slices.Contains(strings.Split(name, "/"), ".."):
		return "a path that leads out of it"
	case !fs.ValidPath(name) || name == "." || strings.ContainsFunc(name, unicode.IsControl):
		return "a name that is none"
	}
	return ""
}

// An Inbox is the file system of a period's inbox in which the members of
// archives are files too, named archive.zip!member. Nothing is unpacked to disk:
// a member is unpacked while it is read.
type Inbox struct {
	files   fs.FS
	limits  Limits
	names   []string
	members map[string]location
}

type location struct {
	archive string
	entry   int
}

// OpenInbox lists the files of an inbox and of the archives in it. An archive
// that is refused has no members; the reason is [Inspector.Inspect]'s to give.
func OpenInbox(files fs.FS, limits Limits) (*Inbox, error) {
	in := &Inbox{files: files, limits: limits, members: map[string]location{}}
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			in.names = append(in.names, name)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Clone(in.names) {
		if how, _ := treat(name); how != readAsArchive {
			continue
		}
		if err := in.list(name); err != nil {
			return nil, err
		}
	}
	slices.Sort(in.names)
	for i := 1; i < len(in.names); i++ {
		if in.names[i] == in.names[i-1] {
			return nil, &Refusal{File: in.names[i], Found: "a file named as the member of an archive is", Expected: "a name of its own", Fix: "rename the file"}
		}
	}
	return in, nil
}

func (in *Inbox) list(archive string) error {
	opened, err := openArchive(in.files, archive, in.limits)
	var refusal *Refusal
	if errors.As(err, &refusal) {
		return nil
	}
	if err != nil {
		return err
	}
	defer opened.close()
	for i, member := range opened.members {
		name := archive + memberMark + member.name
		in.names = append(in.names, name)
		in.members[name] = location{archive, i}
	}
	return nil
}

// Names lists the files, members of archives among them, in byte order.
func (in *Inbox) Names() []string { return in.names }

// Open opens a file of the inbox, or the member of an archive in it.
func (in *Inbox) Open(name string) (fs.File, error) {
	at, ok := in.members[name]
	if !ok {
		return openRegular(in.files, name)
	}
	opened, err := openArchive(in.files, at.archive, in.limits)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	if at.entry >= len(opened.members) || at.archive+memberMark+opened.members[at.entry].name != name {
		opened.close()
		return nil, &fs.PathError{Op: "open", Path: name, Err: errChangedArchive()}
	}
	entry := opened.members[at.entry].entry
	content, err := entry.Open()
	if err != nil {
		opened.close()
		return nil, &fs.PathError{Op: "open", Path: name, Err: damagedMember()}
	}
	return &memberFile{archive: opened, entry: entry, content: content}, nil
}

func errChangedArchive() *Refusal {
	return refuse(0, "an archive that changed while it was being read", "an inbox that stands still during a run", "wait until the copy or the synchronisation has ended and run again")
}

func damagedMember() *Refusal {
	return refuse(0, "a damaged member of an archive", "one that is whole", "copy or pack the archive again, or put the file itself into the inbox")
}

// openedArchive is an archive with its file open.
type openedArchive struct {
	file    fs.File
	info    fs.FileInfo
	members []member
}

// openArchive opens an archive of the inbox; why it cannot be read is a *Refusal.
func openArchive(files fs.FS, name string, limits Limits) (*openedArchive, error) {
	file, err := openIn(files, name)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("stat archive %s: %w", name, err)
	}
	at, ok := file.(io.ReaderAt)
	if !ok {
		content, err := io.ReadAll(io.LimitReader(file, limits.orDefault().Bytes+1))
		if err != nil {
			file.Close()
			return nil, fmt.Errorf("read archive %s: %w", name, err)
		}
		at = bytes.NewReader(content)
	}
	unpacked, refusal := openZip(at, info.Size(), limits, "archive")
	var members []member
	if refusal == nil {
		members, refusal = membersOf(unpacked)
	}
	if refusal != nil {
		file.Close()
		return nil, refusal
	}
	return &openedArchive{file: file, info: info, members: members}, nil
}

func (a *openedArchive) close() { _ = a.file.Close() } // was read only

// memberFile is an open member of an archive. What cannot be unpacked is a
// *Refusal.
type memberFile struct {
	archive *openedArchive
	entry   *zip.File
	content io.ReadCloser
}

func (m *memberFile) Stat() (fs.FileInfo, error) { return memberInfo{m}, nil }

func (m *memberFile) Read(p []byte) (int, error) {
	n, err := m.content.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = damagedMember()
	}
	return n, err
}

func (m *memberFile) Close() error {
	defer m.archive.close()
	return m.content.Close()
}

// memberInfo has the time of the archive, so that a change of it is a change of
// every member.
type memberInfo struct{ *memberFile }

func (i memberInfo) Name() string       { return path.Base(i.entry.Name) }
func (i memberInfo) Size() int64        { return int64(i.entry.UncompressedSize64) }
func (i memberInfo) Mode() fs.FileMode  { return 0o400 }
func (i memberInfo) ModTime() time.Time { return i.archive.info.ModTime() }
func (i memberInfo) IsDir() bool        { return false }
func (i memberInfo) Sys() any           { return nil }
