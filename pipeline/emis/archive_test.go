package emis

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"ltcles/snomed"
)

// zipOf is an archive of entries that are made as they stand.
func zipOf(t testing.TB, entries ...zip.FileHeader) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for i := range entries {
		content := entries[i].Comment // the content stands in for a comment
		entries[i].Comment = ""
		part, err := w.CreateHeader(&entries[i])
		if err == nil && !strings.HasSuffix(entries[i].Name, "/") {
			_, err = io.WriteString(part, content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func entry(name, content string) zip.FileHeader {
	return zip.FileHeader{Name: name, Comment: content, Method: zip.Deflate}
}

func link(name, target string) zip.FileHeader {
	header := entry(name, target)
	header.SetMode(fs.ModeSymlink | 0o777)
	return header
}

func openInbox(t testing.TB, files fs.FS) *Inbox {
	t.Helper()
	inbox, err := OpenInbox(files, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return inbox
}

func inspectIn(t testing.TB, inbox fs.FS, name string) *File {
	t.Helper()
	in := &Inspector{Inbox: inbox, Practices: knownPractices(), Book: NewBook(allCodes())}
	f, err := in.Inspect(name)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestArchiveMembersAreFiles(t *testing.T) {
	export := exportHeader + exportLine
	inbox := openInbox(t, fstest.MapFS{
		"b.csv": {Data: []byte(export)},
		"Z00001/Sent.ZIP": {Data: packed(t,
			"folder/", "", "folder/claims.csv", export, "./Z00001 417206009.txt", "9990000018\n",
			`Batch add\list.csv`, export, "report.xlsx", string(book(t, "Report|visible|"+sheetHeader+row(2, "Z00001", "#9990000018", "@46143", "#417206009"))),
			"inner.zip", string(packed(t, "a.csv", export)), "Thumbs.db", "x", "__MACOSX/._claims.csv", "x", "r\xe9sum\xe9.csv", export, "na\u00efve!.csv", export,
		)},
		"._b.zip": {Data: []byte("x")},
	})
	want := []struct {
		name     string
		kind     Kind
		status   Status
		practice string
		code     snomed.Code
	}{
		{"._b.zip", OtherKind, Ignored, "", ""},
		{"Z00001/Sent.ZIP", Archive, Read, "Z00001", ""},
		{"Z00001/Sent.ZIP!Batch add/list.csv", BatchAdd, Read, "Z00001", ""},
		{"Z00001/Sent.ZIP!Thumbs.db", OtherKind, Ignored, "Z00001", ""},
		{"Z00001/Sent.ZIP!Z00001 417206009.txt", BatchAdd, Read, "Z00001", cardiacCode},
		{"Z00001/Sent.ZIP!__MACOSX/._claims.csv", OtherKind, Ignored, "Z00001", ""},
		{"Z00001/Sent.ZIP!folder/claims.csv", SearchExport, Read, "Z00001", ""},
		{"Z00001/Sent.ZIP!inner.zip", OtherKind, Refused, "Z00001", ""},
		{"Z00001/Sent.ZIP!na\u00efve!.csv", SearchExport, Read, "Z00001", ""},
		{"Z00001/Sent.ZIP!report.xlsx", SearchExport, Read, "Z00001", ""},
		{"Z00001/Sent.ZIP!r\u0398sum\u0398.csv", SearchExport, Read, "Z00001", ""}, // code page 437
		{"b.csv", SearchExport, Read, "", ""},
	}
	for i, name := range inbox.Names() {
		if i >= len(want) || name != want[i].name {
			t.Fatalf("file %d is %q", i, name)
		}
		f := inspectIn(t, inbox, name)
		if f.Kind != want[i].kind || f.Status != want[i].status || f.Practice != want[i].practice || f.Code != want[i].code {
			t.Errorf("%s: %s, %s, practice %q, code %q (%s)", name, f.Kind, f.Status, f.Practice, f.Code, f.Message)
		}
		if f.Status != Read || f.Kind == Archive {
			continue
		}
		reader := newReaderOf(t, "x", nil)
		reader.Inbox = inbox
		if rows, _, err := rowsOf(reader, f); err != nil || len(rows) != 1 {
			t.Errorf("%s: %v, %v", name, rows, err)
		}
	}
	loose, inside := inspectIn(t, inbox, "b.csv"), inspectIn(t, inbox, "Z00001/Sent.ZIP!folder/claims.csv")
	if loose.SHA256 != inside.SHA256 || loose.Bytes != inside.Bytes {
		t.Error("a member and a file of the same bytes differ")
	}
}

// An archive that is not to be trusted is refused as a whole, and so is a workbook made so.
func TestHostileArchivesAreRefused(t *testing.T) {
	const csv = exportHeader + exportLine
	many := make([]zip.FileHeader, 10_000)
	for i := range many {
		many[i] = entry(fmt.Sprintf("%d.csv", i), "x")
	}
	folder := entry("folder", csv)
	folder.SetMode(fs.ModeDir | 0o755)
	device := entry("device", "")
	device.SetMode(fs.ModeDevice)
	whole := zipOf(t, entry("a.csv", csv))
	for name, tt := range map[string]struct {
		content []byte
		says    string
	}{
		"a path upwards":            {zipOf(t, entry("../a.csv", csv)), "a path that leads out of it"},
		"a path upwards further in": {zipOf(t, entry("a/../../a.csv", csv)), "a path that leads out of it"},
		"a folder upwards":          {zipOf(t, entry("a.csv", csv), entry("../", "")), "a path that leads out of it"},
		"an absolute path":          {zipOf(t, entry("/etc/a.csv", csv)), "a path that leads out of it"},
		"a backslash":               {zipOf(t, entry(`..\a.csv`, csv)), "a path that leads out of it"},
		"a drive":                   {zipOf(t, entry("C:a.csv", csv)), "a path that leads out of it"},
		"an empty part":             {zipOf(t, entry("a//a.csv", csv)), "a name that is none"},
		"no name":                   {zipOf(t, entry("", csv)), "a name that is none"},
		"a control character":       {zipOf(t, entry("a\nb.csv", csv)), "a name that is none"},
		"a symlink":                 {zipOf(t, link("a.csv", "/etc/passwd")), "a link"},
		"a device":                  {zipOf(t, device), "a link, or no plain file"},
		"a folder with content":     {zipOf(t, folder), "no plain file"},
		"a name twice":              {zipOf(t, entry("a.csv", csv), entry("a.csv", csv)), "the name of an earlier one"},
		"10,000 entries":            {zipOf(t, many...), "more than 1000 entries"},
		"nothing":                   {zipOf(t), "an archive without files"},
		"folders only":              {zipOf(t, entry("a/", "")), "an archive without files"},
		"no archive":                {[]byte(csv), "a damaged archive"},
		"an empty file":             {nil, "a damaged archive"},
		"half an archive":           {whole[:len(whole)/2], "a damaged archive"},
		"encryption":                {patched(t, whole, 8, 1), "an encrypted archive"},
		"another packing":           {patched(t, whole, 10, 14), "packed in an unusual way"},
		"a size that is none":       {patched(t, whole, 22, 1), "a damaged archive"},
	} {
		t.Run(name, func(t *testing.T) {
			inbox := openInbox(t, fstest.MapFS{"a.zip": {Data: tt.content}})
			if names := inbox.Names(); !slices.Equal(names, []string{"a.zip"}) {
				t.Errorf("it has members: %q", names)
			}
			f := inspectIn(t, inbox, "a.zip")
			if f.Kind != Archive || f.Status != Refused || !strings.Contains(f.Message, tt.says) {
				t.Errorf("%s, %s, %q; want %q", f.Kind, f.Status, f.Message, tt.says)
			}
			for _, text := range []string{"etc", "a.csv", "..\\"} {
				if strings.Contains(f.Message, text) {
					t.Errorf("the message prints the name of an entry: %q", f.Message)
				}
			}
		})
	}
}

// patched changes a byte in the header of the only entry in an archive's table of contents.
func patched(t testing.TB, content []byte, at int, value byte) []byte {
	t.Helper()
	changed := slices.Clone(content)
	header := bytes.Index(changed, []byte("PK\x01\x02"))
	if header < 0 {
		t.Fatal("no table of contents")
	}
	changed[header+at] = value
	return changed
}

// bomb is an archive, or a workbook, with one entry of so many megabytes of blanks. Packing one of
// them is enough: the others are packed alike.
func bomb(t testing.TB, name string, megabytes int) []byte {
	t.Helper()
	var block, last bytes.Buffer
	packer, err := flate.NewWriter(&block, flate.BestCompression)
	if err == nil {
		_, err = packer.Write(bytes.Repeat([]byte(" "), 1<<20))
	}
	if err == nil {
		err = packer.Flush()
	}
	if err == nil {
		packer.Reset(&last)
		err = packer.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	content := append(bytes.Repeat(block.Bytes(), megabytes), last.Bytes()...)
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	if strings.HasPrefix(name, "xl/") {
		whole := parts("", "Report|visible|"+sheetHeader)
		for i := 0; i < len(whole); i += 2 {
			if whole[i] == name {
				continue
			}
			part, err := w.Create(whole[i])
			if err == nil {
				_, err = io.WriteString(part, whole[i+1])
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	part, err := w.CreateRaw(&zip.FileHeader{Name: name, Method: zip.Deflate, CompressedSize64: uint64(len(content)), UncompressedSize64: uint64(megabytes) << 20})
	if err == nil {
		_, err = part.Write(content)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// What unpacks to a gigabyte is refused from its table of contents, or as soon as it unpacks to more
// than that says; nothing is written, and little is read.
func TestBombsAreRefused(t *testing.T) {
	const gigabyte = 1 << 10
	archive, workbook := bomb(t, "a.csv", gigabyte), bomb(t, "xl/worksheets/sheet1.xml", gigabyte)
	lying := slices.Clone(archive)
	header := bytes.Index(lying, []byte("PK\x01\x02"))
	binary.LittleEndian.PutUint32(lying[header+24:], 4096)
	liar := slices.Clone(workbook)
	header = bytes.LastIndex(liar, []byte("PK\x01\x02"))
	binary.LittleEndian.PutUint32(liar[header+24:], 1<<20)
	tight := bomb(t, "a.csv", 100)
	for _, tt := range []struct {
		file, name string
		content    []byte
		says       string
	}{
		{"a.zip", "a.zip", archive, "content of the archive that unpacks to more than 512 MiB"},
		{"a.zip", "a.zip", tight, "unpacks to more than 200 times its size"},
		{"a.zip", "a.zip!a.csv", lying, "a damaged member"},
		{"a.xlsx", "a.xlsx", workbook, "content of the workbook that unpacks to more than 512 MiB"},
		{"a.xlsx", "a.xlsx", liar, "a damaged workbook"},
		{"a.xlsx", "a.xlsx", bomb(t, "xl/media/image1.png", 65), "unpacks to more than 200 times its size"},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, tt.file), tt.content, 0o600); err != nil {
			t.Fatal(err)
		}
		temporary := t.TempDir()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		inbox := openInbox(t, os.DirFS(dir))
		in := &Inspector{Inbox: inbox, Practices: knownPractices(), Book: NewBook(allCodes()), TempDir: temporary}
		f, err := in.Inspect(tt.name)
		runtime.ReadMemStats(&after)
		if err != nil || f.Status != Refused || !strings.Contains(f.Message, tt.says) {
			t.Errorf("%s: %v, %+v; want %q", tt.name, err, f, tt.says)
		}
		if taken := after.TotalAlloc - before.TotalAlloc; taken > 256<<20 {
			t.Errorf("%s: %d MiB were taken to refuse it", tt.name, taken>>20)
		}
		if left, err := os.ReadDir(temporary); err != nil || len(left) > 0 {
			t.Errorf("%s: %d temporary files, %v", tt.name, len(left), err)
		}
	}
}

// A table of contents that goes on and on is not read to its end.
func TestEndlessTableOfContents(t *testing.T) {
	header := make([]byte, 46)
	copy(header, "PK\x01\x02")
	const entries = 2_000_000
	content := bytes.Repeat(header, entries)
	end := make([]byte, 22)
	copy(end, "PK\x05\x06")
	count := entries % 65536
	binary.LittleEndian.PutUint16(end[8:], uint16(count))
	binary.LittleEndian.PutUint16(end[10:], uint16(count))
	size := uint32(len(content))
	binary.LittleEndian.PutUint32(end[12:], size)
	content = append(content, end...)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, refusal := openZip(bytes.NewReader(content), int64(len(content)), Limits{}, "archive")
	runtime.ReadMemStats(&after)
	if refusal == nil || !strings.Contains(refusal.Found, "more than 1000 entries") {
		t.Errorf("refusal %v", refusal)
	}
	if taken := after.TotalAlloc - before.TotalAlloc; taken > 64<<20 {
		t.Errorf("%d MiB were taken to refuse it", taken>>20)
	}
}

func TestDamagedMembersAreRefusedByThemselves(t *testing.T) {
	content := zipOf(t, zip.FileHeader{Name: "a.csv", Comment: exportHeader + exportLine}, zip.FileHeader{Name: "b.csv", Comment: exportHeader + exportLine})
	at := bytes.Index(content, []byte("9990000018"))
	content[at] ^= 1
	inbox := openInbox(t, fstest.MapFS{"a.zip": {Data: content}})
	for name, want := range map[string]Status{"a.zip": Read, "a.zip!a.csv": Refused, "a.zip!b.csv": Read} {
		f := inspectIn(t, inbox, name)
		if f.Status != want || want == Refused && !strings.Contains(f.Message, "a damaged member") {
			t.Errorf("%s: %s, %q", name, f.Status, f.Message)
		}
	}
}

func TestAnArchiveThatChanges(t *testing.T) {
	files := fstest.MapFS{"a.zip": {Data: zipOf(t, entry("a.csv", exportHeader+exportLine))}}
	inbox := openInbox(t, files)
	f := inspectIn(t, inbox, "a.zip!a.csv")
	reader := newReaderOf(t, "x", nil)
	reader.Inbox = inbox
	files["a.zip"] = &fstest.MapFile{Data: zipOf(t, entry("b.csv", exportHeader+exportLine))}
	if _, _, err := rowsOf(reader, f); err == nil || !strings.Contains(err.Error(), "changed while it was being read") {
		t.Errorf("a member that is gone: %v", err)
	}
	files["a.zip"] = &fstest.MapFile{Data: zipOf(t, entry("a.csv", exportHeader+exportLine+exportLine))}
	if _, _, err := rowsOf(reader, f); err == nil || !strings.Contains(err.Error(), "changed while it was being read") {
		t.Errorf("a member that grew: %v", err)
	}
}

func TestAFileNamedAsAMemberIs(t *testing.T) {
	_, err := OpenInbox(fstest.MapFS{"a.zip": {Data: zipOf(t, entry("a.csv", "x"))}, "a.zip!a.csv": {Data: []byte("x")}}, Limits{})
	if err == nil || !strings.Contains(err.Error(), "a file named as the member of an archive is") {
		t.Errorf("error %v", err)
	}
}

func TestLayoutsMatchTheNameOfAMember(t *testing.T) {
	in := &Inspector{Layouts: []ProviderLayout{{Files: "claims*.csv", Layout: Layout{Headers: map[Field][]string{NHSNumber: {"X"}}}}}}
	if got := in.layoutFor("Z00001/a.zip!claims 1.csv").Headers[NHSNumber]; !slices.Equal(got, []string{"X"}) {
		t.Errorf("headers %q", got)
	}
}

// FuzzArchive: whatever the bytes, the members have names that stay within the archive, each is
// listed once, and what is read of one is what its checksum says.
func FuzzArchive(f *testing.F) {
	f.Add(zipOf(f, entry("a.csv", exportHeader+exportLine), entry("b/", ""), entry("b/c.txt", "x")))
	f.Add(zipOf(f, entry("../a.csv", "x")))
	f.Add(zipOf(f, entry("a.csv", "x"), entry("a.csv", "y")))
	f.Add(zipOf(f, link("a.csv", "b.csv")))
	f.Add(zipOf(f, entry("r\xe9.csv", "x")))
	f.Add(packed(f, parts("", "Report|visible|"+sheetHeader)...))
	f.Fuzz(func(t *testing.T, content []byte) {
		limits := Limits{Entries: 50, Bytes: 1 << 20, Ratio: 200}
		inbox, err := OpenInbox(fstest.MapFS{"a.zip": {Data: content}}, limits)
		if err != nil {
			t.Fatal(err)
		}
		archive := inspectIn(t, inbox, "a.zip") // with the usual limits, which are wider
		names := inbox.Names()
		if len(names) > 1 && archive.Status != Read {
			t.Fatalf("%d members of an archive that is %s", len(names)-1, archive.Status)
		}
		if len(names) > 51 || len(slices.Compact(slices.Clone(names))) != len(names) {
			t.Fatalf("members %q", names)
		}
		total := 0
		for _, name := range names {
			if name == "a.zip" {
				continue
			}
			member, ok := strings.CutPrefix(name, "a.zip!")
			if !ok || !fs.ValidPath(member) || strings.ContainsRune(member, '\\') {
				t.Fatalf("member %q", name)
			}
			opened, err := inbox.Open(name)
			if err != nil {
				continue
			}
			unpacked, err := io.ReadAll(opened)
			opened.Close()
			total += len(unpacked)
			entry := opened.(*memberFile).entry
			if err == nil && entry.CRC32 != 0 && crc32.ChecksumIEEE(unpacked) != entry.CRC32 {
				t.Fatalf("%q does not have its checksum", name)
			}
			if refusal := inspectIn(t, inbox, name); err != nil && refusal.Status != Refused && refusal.Status != Ignored {
				t.Fatalf("%q fails, and is %s", name, refusal.Status)
			}
		}
		if int64(total) > limits.Bytes {
			t.Fatalf("%d bytes are unpacked", total)
		}
	})
}
