// Package staging writes the rows of one source file as one Parquet file, which
// is all that the engine ever reads of it.
//
// It knows the columns of a staged row. It refuses to know an identifier: who a
// row is about reaches it as keyed pseudonyms, and what a cell said as one of a
// few words.
package staging

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/compress"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"

	"ltcles/pipeline/civil"
)

// ReaderVersion changes whenever the same bytes are read into other rows than
// before, or into other columns. It is part of every [Key].
const ReaderVersion = "6"

// A Key names a staged file by everything that determines it.
type Key string

// KeyOf derives the key from its parts: the source file's SHA-256, what its path
// says of it, the settings, code book and pseudonym key it is read with.
func KeyOf(parts ...string) Key {
	hash := sha256.New()
	for _, part := range append([]string{ReaderVersion}, parts...) {
		fmt.Fprintf(hash, "%d:%s", len(part), part)
	}
	return Key(hex.EncodeToString(hash.Sum(nil)))
}

// FileName is the name of the staged file.
func (k Key) FileName() string { return string(k) + stagedSuffix }

// Number stands for the key in the file's rows: its first eight bytes.
func (k Key) Number() (int64, error) {
	number, err := strconv.ParseUint(string(k[:min(16, len(k))]), 16, 64)
	if err != nil {
		return 0, fmt.Errorf("staged key %s: %w", k, err)
	}
	return int64(number), nil
}

// A Row is one input row as the engine sees it. Text that is "" and dates that
// are None are null in the file.
type Row struct {
	State
	Line, Event    int
	PracticeCode   string
	NHSKey         []byte // the pseudonym of the NHS number, 32 bytes, or nil
	EMISKey        []byte // the pseudonym of practice and EMIS number, 32 bytes, or nil
	RegisteredDate civil.Date
	DeductedDate   civil.Date
	DeathDate      civil.Date
	Code           string
	ActivityDate   civil.Date
	RecordedDate   civil.Date
}

var schema = arrow.NewSchema([]arrow.Field{
	{Name: "staged_no", Type: arrow.PrimitiveTypes.Int64},
	{Name: "line", Type: arrow.PrimitiveTypes.Int32},
	{Name: "event", Type: arrow.PrimitiveTypes.Int32},
	{Name: "state_no", Type: arrow.PrimitiveTypes.Int32},
	{Name: "practice_code", Type: arrow.BinaryTypes.String, Nullable: true},
	// A pseudonym is four numbers of eight bytes, which are written and read at no
	// cost to speak of; the first is what rows are joined by.
	{Name: "nhs_no", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	{Name: "nhs_second", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	{Name: "nhs_third", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	{Name: "nhs_fourth", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	{Name: "emis_no", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	{Name: "emis_second", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	{Name: "emis_third", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	{Name: "emis_fourth", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	{Name: "registered_date", Type: arrow.FixedWidthTypes.Date32, Nullable: true},
	{Name: "deducted_date", Type: arrow.FixedWidthTypes.Date32, Nullable: true},
	{Name: "death_date", Type: arrow.FixedWidthTypes.Date32, Nullable: true},
	{Name: "code", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "activity_date", Type: arrow.FixedWidthTypes.Date32, Nullable: true},
	{Name: "recorded_date", Type: arrow.FixedWidthTypes.Date32, Nullable: true},
}, nil)

// batchRows is how many rows are held before they are written.
const batchRows = 16 << 10

// A Writer writes one staged file. Nothing stands under its final name before
// Close has returned.
type Writer struct {
	final   string
	key     Key
	number  int64
	file    *os.File
	output  *output
	builder *array.RecordBuilder
	columns columns
	out     *pqarrow.FileWriter
	rows    int
	line    int // of the last row, and
	event   int
	states  states
}

// columns are the builders of the staged columns, in their order.
type columns struct {
	staged                      *array.Int64Builder
	line, event, state          *array.Int32Builder
	practice                    *array.StringBuilder
	nhs, emis                   [4]*array.Int64Builder
	registered, deducted, death *array.Date32Builder
	code                        *array.StringBuilder
	activity, recorded          *array.Date32Builder
}

// Staged is a staged file.
type Staged struct {
	Path   string
	Key    Key
	Number int64 // of its key, which its rows have
	SHA256 string
	States []State // of its rows, each once
}

// Create begins the staged file of key in dir.
func Create(dir string, key Key) (*Writer, error) {
	number, err := key.Number()
	if err != nil {
		return nil, fmt.Errorf("create staged file: %w", err)
	}
	final := filepath.Join(dir, key.FileName())
	file, err := os.OpenFile(final+partSuffix, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("create staged file: %w", err)
	}
	properties := []parquet.WriterProperty{parquet.WithCompression(compress.Codecs.Uncompressed), parquet.WithDictionaryDefault(false), parquet.WithStats(false)}
	for _, repeated := range []string{"staged_no", "event", "state_no", "practice_code", "code", "registered_date", "deducted_date", "death_date", "activity_date", "recorded_date"} {
		properties = append(properties, parquet.WithDictionaryFor(repeated, true))
	}
	hash := sha256.New()
	// The writer closes what it is given; the file is closed here, so that it is
	// closed exactly once.
	output := &output{to: file, hash: hash}
	out, err := pqarrow.NewFileWriter(schema, output, parquet.NewWriterProperties(properties...), pqarrow.DefaultWriterProps())
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("create staged file: %w", err)
	}
	builder := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	return &Writer{key: key, number: number, final: final, file: file, output: output, builder: builder, columns: columnsOf(builder), out: out, event: -1}, nil
}

func columnsOf(builder *array.RecordBuilder) (c columns) {
	c.staged = builder.Field(0).(*array.Int64Builder)
	c.line, c.event, c.state = builder.Field(1).(*array.Int32Builder), builder.Field(2).(*array.Int32Builder), builder.Field(3).(*array.Int32Builder)
	c.practice = builder.Field(4).(*array.StringBuilder)
	for i := range c.nhs {
		c.nhs[i], c.emis[i] = builder.Field(5+i).(*array.Int64Builder), builder.Field(9+i).(*array.Int64Builder)
	}
	c.registered, c.deducted, c.death = builder.Field(13).(*array.Date32Builder), builder.Field(14).(*array.Date32Builder), builder.Field(15).(*array.Date32Builder)
	c.code = builder.Field(16).(*array.StringBuilder)
	c.activity, c.recorded = builder.Field(17).(*array.Date32Builder), builder.Field(18).(*array.Date32Builder)
	return c
}

// Write adds a row, which stands below the one before, or on its line as a later event:
// the place is what tells a file's rows apart.
func (w *Writer) Write(row *Row) error {
	if row.Line < w.line || row.Line == w.line && row.Event <= w.event {
		return fmt.Errorf("stage row: line %d, event %d after line %d, event %d", row.Line, row.Event, w.line, w.event)
	}
	w.line, w.event = row.Line, row.Event
	state, err := w.states.number(row.State)
	if err != nil {
		return fmt.Errorf("stage row: %w", err)
	}
	c := &w.columns
	c.staged.Append(w.number)
	c.line.Append(int32(row.Line))
	c.event.Append(int32(row.Event))
	c.state.Append(state)
	appendText(c.practice, row.PracticeCode)
	appendPseudonym(&c.nhs, row.NHSKey)
	appendPseudonym(&c.emis, row.EMISKey)
	appendDate(c.registered, row.RegisteredDate)
	appendDate(c.deducted, row.DeductedDate)
	appendDate(c.death, row.DeathDate)
	appendText(c.code, row.Code)
	appendDate(c.activity, row.ActivityDate)
	appendDate(c.recorded, row.RecordedDate)
	w.rows++
	if w.rows%batchRows == 0 {
		return w.flush()
	}
	return nil
}

func appendText(to *array.StringBuilder, value string) {
	if value == "" {
		to.AppendNull()
		return
	}
	to.Append(value)
}

func appendPseudonym(to *[4]*array.Int64Builder, value []byte) {
	for i, part := range to {
		if len(value) == 0 {
			part.AppendNull()
			continue
		}
		part.Append(int64(binary.BigEndian.Uint64(value[8*i:])))
	}
}

func appendDate(to *array.Date32Builder, value civil.Date) {
	if value.IsNone() {
		to.AppendNull()
		return
	}
	to.Append(arrow.Date32(value))
}

func (w *Writer) flush() error {
	record := w.builder.NewRecord()
	defer record.Release()
	if err := w.out.WriteBuffered(record); err != nil {
		return fmt.Errorf("write staged file: %w", err)
	}
	return nil
}

// Close finishes the file and gives it its name.
func (w *Writer) Close() (*Staged, error) {
	defer w.builder.Release()
	if err := w.flush(); err != nil {
		w.Discard()
		return nil, err
	}
	if err := w.out.Close(); err != nil {
		w.Discard()
		return nil, fmt.Errorf("finish staged file: %w", err)
	}
	if err := w.output.err; err != nil { // the Parquet writer does not tell of its last write
		w.Discard()
		return nil, fmt.Errorf("finish staged file: %w", err)
	}
	if err := w.file.Close(); err != nil {
		os.Remove(w.file.Name())
		return nil, fmt.Errorf("finish staged file: %w", err)
	}
	if err := os.Rename(w.file.Name(), w.final); err != nil {
		return nil, fmt.Errorf("name staged file: %w", err)
	}
	return &Staged{Path: w.final, Key: w.key, Number: w.number, SHA256: hex.EncodeToString(w.output.hash.Sum(nil)), States: w.states.seen()}, nil
}

// Discard gives the file up.
func (w *Writer) Discard() {
	w.file.Close()
	os.Remove(w.file.Name())
}

// output writes and hashes, and remembers that a write failed.
type output struct {
	to   io.Writer
	hash hash.Hash
	err  error
}

func (o *output) Write(p []byte) (n int, err error) {
	if o.err != nil {
		return 0, o.err
	}
	n, o.err = o.to.Write(p)
	o.hash.Write(p[:n])
	return n, o.err
}
