package emis

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// Encoding is how a file's bytes become text.
type Encoding string

// The encodings that are read (SPEC §5.1).
const (
	UTF8        Encoding = "UTF-8"
	UTF8BOM     Encoding = "UTF-8 with BOM"
	Windows1252 Encoding = "Windows-1252"
	UTF16LE     Encoding = "UTF-16LE"
	UTF16BE     Encoding = "UTF-16BE"
)

// maxLine is the longest physical line that is still taken for a line of an
// export; a longer one refuses its file.
const maxLine = 1 << 20

var errLongLine = errors.New("line too long")

// bytesSeen is what one pass over all bytes of a file tells.
type bytesSeen struct {
	sha256   string
	size     int64
	head     []byte // the first bytes, for magic numbers
	validUTF bool   // valid as UTF-8 from the first byte to the last
	nulLine  int    // the line of the first NUL, 0 where there is none
}

// survey reads the whole of r once.
func survey(r io.Reader) (bytesSeen, error) {
	seen := bytesSeen{validUTF: true}
	hash := sha256.New()
	buf := make([]byte, 256<<10)
	carried := 0
	line := 1
	for {
		n, err := r.Read(buf[carried:])
		chunk := buf[carried : carried+n]
		hash.Write(chunk)
		seen.size += int64(n)
		if len(seen.head) < 512 {
			seen.head = append(seen.head, chunk[:min(n, 512-len(seen.head))]...)
		}
		if seen.nulLine == 0 {
			if at := bytes.IndexByte(chunk, 0); at >= 0 {
				seen.nulLine = line + bytes.Count(chunk[:at], []byte{'\n'})
			}
			line += bytes.Count(chunk, []byte{'\n'})
		}
		if seen.validUTF {
			whole := buf[:carried+n]
			tail := 0
			if err == nil {
				tail = partialRune(whole)
			}
			seen.validUTF = utf8.Valid(whole[:len(whole)-tail])
			copy(buf, whole[len(whole)-tail:])
			carried = tail
		} else {
			carried = 0
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return seen, err
		}
	}
	seen.sha256 = hex.EncodeToString(hash.Sum(nil))
	return seen, nil
}

// partialRune counts the bytes at the end of b that may begin a rune whose
// remainder has not been read yet.
func partialRune(b []byte) int {
	for back := 1; back <= min(3, len(b)); back++ {
		c := b[len(b)-back]
		if utf8.RuneStart(c) {
			if c >= utf8.RuneSelf && !utf8.FullRune(b[len(b)-back:]) {
				return back
			}
			return 0
		}
	}
	return 0
}

// decideEncoding names the encoding, or says why the bytes are no text.
// A byte-order mark decides; without one, bytes that are not UTF-8 are
// Windows-1252.
func decideEncoding(seen bytesSeen) (Encoding, error) {
	switch {
	case bytes.HasPrefix(seen.head, []byte{0xFF, 0xFE, 0, 0}):
		return "", refuse(0, "text in UTF-32", "text in UTF-8, Windows-1252, or UTF-16 with a byte-order mark", "export the search again as CSV")
	case bytes.HasPrefix(seen.head, []byte{0xFF, 0xFE}):
		return UTF16LE, nil
	case bytes.HasPrefix(seen.head, []byte{0xFE, 0xFF}):
		return UTF16BE, nil
	case bytes.HasPrefix(seen.head, cfbMagic):
		return "", refuse(0, "an old or an encrypted Office file under another name", "delimited text", "export the search from EMIS as CSV")
	case bytes.HasPrefix(seen.head, []byte("-----BEGIN PGP ")):
		return "", refuseEncrypted("an encrypted file (PGP) under another name")
	case bytes.HasPrefix(seen.head, []byte("%PDF-")):
		return "", refuse(0, "a PDF under another name", "delimited text", "export the search again as CSV")
	case seen.nulLine > 0:
		return "", refuse(seen.nulLine, "a NUL byte: not text, or UTF-16 without a byte-order mark", "text in UTF-8, Windows-1252, or UTF-16 with a byte-order mark", "export the search again as CSV")
	case bytes.HasPrefix(seen.head, []byte{0xEF, 0xBB, 0xBF}):
		return UTF8BOM, nil
	case seen.validUTF:
		return UTF8, nil
	}
	return Windows1252, nil
}

// decoded yields r's text as UTF-8 without a byte-order mark. Bytes that the
// encoding does not have become U+FFFD.
func decoded(r io.Reader, encoding Encoding) io.Reader {
	switch encoding {
	case UTF16LE:
		return unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder().Reader(r)
	case UTF16BE:
		return unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewDecoder().Reader(r)
	case UTF8BOM:
		return unicode.UTF8BOM.NewDecoder().Reader(r)
	case Windows1252:
		return charmap.Windows1252.NewDecoder().Reader(r)
	}
	return r
}

// lines hands out the physical lines of a text one after another, and lets
// the caller look at lines further on before it takes any. A line ends with
// LF, CRLF or a lone CR.
type lines struct {
	r     io.Reader
	buf   []byte
	start int // first byte not taken yet
	end   int // end of what has been read
	eof   bool
	line  int // physical line number of start, from 1
}

func newLines(r io.Reader) *lines {
	return &lines{r: r, buf: make([]byte, 128<<10), line: 1}
}

// at finds the line that begins off bytes after the first line not taken. It
// returns the line's end (without its terminator) and the next line's begin,
// both as offsets like off; ok is false at the end of the text. Slices of the
// text are valid until the next call of at or take.
func (l *lines) at(off int) (end, next int, ok bool, err error) {
	scanned := off
	for {
		text := l.buf[l.start:l.end]
		if i := bytes.IndexByte(text[scanned:], '\n'); i >= 0 {
			text = text[:scanned+i+1]
		} else if !l.eof {
			if cr := bytes.IndexByte(text[off:], '\r'); cr >= 0 && off+cr+1 < len(text) {
				return off + cr, off + cr + 1, true, nil
			}
			if len(text)-off > maxLine {
				return 0, 0, false, errLongLine
			}
			scanned = len(text)
			if err := l.fill(); err != nil {
				return 0, 0, false, err
			}
			continue
		}
		rest := text[off:]
		if len(rest) == 0 {
			return 0, 0, false, nil
		}
		end, next = len(text), len(text)
		if rest[len(rest)-1] == '\n' {
			end--
		}
		if cr := bytes.IndexByte(text[off:end], '\r'); cr >= 0 {
			cr += off
			if cr == end-1 {
				end = cr
			} else {
				end, next = cr, cr+1
			}
		}
		if end-off > maxLine {
			return 0, 0, false, errLongLine
		}
		return end, next, true, nil
	}
}

// take moves past the lines before offset next; n is how many they are.
func (l *lines) take(next, n int) {
	l.start += next
	l.line += n
}

// text is the part of the text from one offset to another.
func (l *lines) text(from, to int) []byte { return l.buf[l.start+from : l.start+to] }

func (l *lines) fill() error {
	if l.start > 0 {
		copy(l.buf, l.buf[l.start:l.end])
		l.end -= l.start
		l.start = 0
	}
	if l.end == len(l.buf) {
		grown := make([]byte, 2*len(l.buf))
		copy(grown, l.buf[:l.end])
		l.buf = grown
	}
	for range 100 {
		n, err := l.r.Read(l.buf[l.end:])
		l.end += n
		if err == io.EOF {
			l.eof = true
			return nil
		}
		if err != nil {
			return err
		}
		if n > 0 {
			return nil
		}
	}
	return io.ErrNoProgress
}

// A Refusal says why a whole file cannot be read. It names no cell's text.
type Refusal struct {
	File     string
	Line     int // 0 where the whole file is meant
	Found    string
	Expected string
	Fix      string
	Kind     Kind
}

func (r *Refusal) Error() string {
	where := r.File
	if r.Line > 0 {
		where = fmt.Sprintf("%s:%d", r.File, r.Line)
	}
	if where != "" {
		where += ": "
	}
	return where + r.Message()
}

// Message is the error without the file's name.
func (r *Refusal) Message() string {
	return fmt.Sprintf("found %s; expected %s; %s", r.Found, r.Expected, r.Fix)
}

func refuse(line int, found, expected, fix string) *Refusal {
	return &Refusal{Line: line, Found: found, Expected: expected, Fix: fix}
}

// openRegular opens a file, unless it is a folder that a link leads to, a pipe, or
// whatever else could not be read to its end.
func openRegular(files fs.FS, name string) (fs.File, error) {
	if status, ok := files.(fs.StatFS); ok {
		if info, err := status.Stat(name); err == nil && !info.Mode().IsRegular() {
			return nil, refuse(0, "no regular file, but a link to a folder, a pipe or the like", "a file that can be read", "copy the files themselves into the inbox")
		}
	}
	return files.Open(name)
}

// openIn opens a file of the inbox. One that cannot be opened is refused, so that
// the others are read all the same.
func openIn(inbox fs.FS, name string) (fs.File, error) {
	f, err := openRegular(inbox, name)
	if errors.As(err, new(*Refusal)) {
		return nil, err
	}
	if err != nil {
		why := "a file that cannot be opened"
		switch {
		case errors.Is(err, fs.ErrNotExist):
			why = "a link that leads nowhere"
		case errors.Is(err, fs.ErrPermission):
			why = "a file that this user may not read"
		}
		return nil, refuse(0, why, "a file that can be read", "copy it into the inbox again, or take it out")
	}
	return f, nil
}
