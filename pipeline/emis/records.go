package emis

import (
	"bytes"
	"errors"
)

// How far an open quote may run on before it is taken for a stray one.
const (
	maxQuotedLines = 200
	maxQuotedBytes = 256 << 10
)

// A record is one record of a delimited text: its cells and the physical line
// on which it starts. Cells are valid until the next record is read.
type record struct {
	line      int
	cells     [][]byte
	broken    bool // broken quoting (SPEC §6.1, malformed_row): cells are not to be used
	extra     int  // the physical lines that it spans beyond the first
	covered   bool // of a workbook: malformed as well, unless it is a footer
	valueless bool // of a workbook: some cell shows an error, or was never worked out
}

// blank tells whether no cell of the record shows anything. A blank line is
// no record.
func (r *record) blank() bool {
	for _, cell := range r.cells {
		if !isBlank(cell) {
			return false
		}
	}
	return true
}

// A recordSource hands out the records of one table one after another, blank
// ones included; nil at the end. A record is valid until the next one.
type recordSource interface {
	next() (*record, error)
}

// records splits a text into records.
//
// A quoted field may run over a line end, but a quote left open spoils its own
// physical line and no other. The two are told apart by what the lines are by
// themselves: where the opening line is as wide as a record of this file needs to
// be and the line after it is a record by itself, or a line wholly inside the
// quotes is, the quote is a stray one, because reading on would swallow records.
// While the header is looked for, nothing is known of records: there a quoted field
// runs on where that makes the header.
type records struct {
	lines     *lines
	delimiter byte
	needed    int                       // fields that a record has at least; below 2 no field runs over a line end
	isRecord  func(line []byte) bool    // whether a line that is wide enough says what a record does; nil: each does
	isWanted  func(cells [][]byte) bool // while the header is looked for: whether the record is it, or names its groups
	runsFree  bool                      // the quoted field runs on, to see whether what comes of it is wanted
	rec       record
	scratch   []byte
	spans     []int
}

func newRecords(l *lines, delimiter byte) *records {
	return &records{lines: l, delimiter: delimiter}
}

var (
	errTextAfterQuote = errors.New("text after a closing quote")
	errOpenQuote      = errors.New("a quote left open")
)

// next returns the next record, blank ones included; nil at the end.
func (r *records) next() (*record, error) {
	end, next, ok, err := r.lines.at(0)
	if errors.Is(err, errLongLine) {
		return nil, tooLong(r.lines.line)
	}
	if err != nil || !ok {
		return nil, err
	}
	line := r.lines.text(0, end)
	r.rec.line = r.lines.line
	r.rec.extra = 0
	r.rec.broken = false
	r.rec.cells = r.rec.cells[:0]
	if bytes.IndexByte(line, '"') < 0 {
		r.rec.cells = splitPlain(r.rec.cells, line, r.delimiter)
		r.lines.take(next, 1)
		return &r.rec, nil
	}
	taken, count, err := r.splitQuoted(end, next)
	if errors.Is(err, errOpenQuote) && r.isWanted != nil {
		taken, count, err = r.splitWanted(end, next)
	}
	if errors.Is(err, errTextAfterQuote) || errors.Is(err, errOpenQuote) {
		r.rec.broken = true
		r.rec.cells = r.rec.cells[:0]
		r.lines.take(next, 1)
		return &r.rec, nil
	}
	if errors.Is(err, errLongLine) {
		return nil, tooLong(r.rec.line)
	}
	if err != nil {
		return nil, err
	}
	r.rec.extra = count - 1
	r.lines.take(taken, count)
	return &r.rec, nil
}

// splitWanted lets a quoted field run on, where the header comes of it.
func (r *records) splitWanted(lineEnd, next int) (taken, count int, err error) {
	r.runsFree = true
	defer func() { r.runsFree = false }()
	r.rec.cells = r.rec.cells[:0]
	taken, count, err = r.splitQuoted(lineEnd, next)
	if err == nil && !r.isWanted(r.rec.cells) {
		err = errOpenQuote
	}
	return taken, count, err
}

func tooLong(line int) *Refusal {
	return refuse(line, "a line longer than 1 MiB", "lines of an export", "export the search again; the file is damaged or is no export")
}

func splitPlain(cells [][]byte, line []byte, delimiter byte) [][]byte {
	for {
		at := bytes.IndexByte(line, delimiter)
		if at < 0 {
			return append(cells, line)
		}
		cells = append(cells, line[:at])
		line = line[at+1:]
	}
}

// splitQuoted splits the record that starts at the first line not taken, of
// which the first physical line ends at lineEnd. It returns how many bytes and
// lines the record spans.
func (r *records) splitQuoted(lineEnd, next int) (taken, count int, err error) {
	r.scratch = r.scratch[:0]
	r.spans = r.spans[:0]
	count = 1
	pos := 0
	for {
		begin := len(r.scratch)
		if pos < lineEnd && r.lines.text(pos, pos+1)[0] == '"' {
			pos++
			for {
				rest := r.lines.text(pos, lineEnd)
				quote := bytes.IndexByte(rest, '"')
				if quote < 0 {
					on, err := r.runsOn(pos, lineEnd, next, count)
					if err != nil {
						return 0, 0, err
					}
					if !on {
						return 0, 0, errOpenQuote
					}
					r.scratch = append(r.scratch, r.lines.text(pos, lineEnd)...)
					r.scratch = append(r.scratch, '\n')
					pos = next
					end, after, ok, err := r.lines.at(next)
					if err != nil {
						return 0, 0, err
					}
					if !ok {
						return 0, 0, errOpenQuote
					}
					lineEnd, next = end, after
					count++
					continue
				}
				r.scratch = append(r.scratch, rest[:quote]...)
				pos += quote + 1
				if pos < lineEnd && r.lines.text(pos, pos+1)[0] == '"' {
					r.scratch = append(r.scratch, '"')
					pos++
					continue
				}
				break
			}
			for pos < lineEnd && r.lines.text(pos, pos+1)[0] == ' ' {
				pos++
			}
			if pos < lineEnd && r.lines.text(pos, pos+1)[0] != r.delimiter {
				return 0, 0, errTextAfterQuote
			}
		} else {
			rest := r.lines.text(pos, lineEnd)
			at := bytes.IndexByte(rest, r.delimiter)
			if at < 0 {
				at = len(rest)
			}
			r.scratch = append(r.scratch, rest[:at]...)
			pos += at
		}
		r.spans = append(r.spans, begin, len(r.scratch))
		if pos >= lineEnd {
			break
		}
		pos++ // the delimiter; a line that ends with one has one more, empty field
	}
	for i := 0; i < len(r.spans); i += 2 {
		r.rec.cells = append(r.rec.cells, r.scratch[r.spans[i]:r.spans[i+1]])
	}
	if count > 1 && !r.runsFree && !r.fits() {
		return 0, 0, errOpenQuote
	}
	return next, count, nil
}

// runsOn decides at the end of a physical line inside an open quote whether the
// quote may be read on into the line that begins at next. pos is where the quoted
// text on this line begins.
func (r *records) runsOn(pos, lineEnd, next, count int) (bool, error) {
	if count >= maxQuotedLines || lineEnd > maxQuotedBytes {
		return false, nil
	}
	if r.runsFree {
		return true, nil
	}
	if r.needed < 2 {
		return false, nil
	}
	if count > 1 {
		return !r.isRecordItself(pos, lineEnd), nil
	}
	if fields := len(r.spans)/2 + 1; fields+r.delimitersIn(pos, lineEnd) < r.needed {
		return true, nil
	}
	end, _, ok, err := r.lines.at(next)
	return ok && !r.isRecordItself(next, end), err
}

// isRecordItself tells whether a physical line, or what is quoted on it, is as wide
// as a record and says what one does.
func (r *records) isRecordItself(begin, end int) bool {
	return r.delimitersIn(begin, end)+1 >= r.needed && (r.isRecord == nil || r.isRecord(r.lines.text(begin, end)))
}

func (r *records) delimitersIn(from, to int) int {
	return bytes.Count(r.lines.text(from, to), []byte{r.delimiter})
}

// fits tells whether the record is as wide as its file's records are.
func (r *records) fits() bool {
	if len(r.rec.cells) < r.needed {
		return false
	}
	for _, cell := range r.rec.cells[r.needed:] {
		if !isBlank(cell) {
			return false
		}
	}
	return true
}
