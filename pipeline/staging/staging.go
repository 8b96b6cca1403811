// Package staging writes the rows of one source file as one Parquet file, which
// is all that the engine ever reads of it.
//
// It knows the columns of a staged row. It refuses to know an identifier: who a
// row is about reaches it as keyed pseudonyms, and what a cell said as one of a
// few words.
package staging

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"

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
const ReaderVersion = "2"

// A Key names a staged file by everything that determines it.
type Key string

// KeyOf derives the key from its parts: the source file's SHA-256, what its path
// says of it, the settings, code book, pseudonym key and as-at it is read with.
func KeyOf(parts ...string) Key {
	hash := sha256.New()
	for _, part := range append([]string{ReaderVersion}, parts...) {
		fmt.Fprintf(hash, "%d:%s", len(part), part)
	}
	return Key(hex.EncodeToString(hash.Sum(nil)))
}

// FileName is the name of the staged file.
func (k Key) FileName() string { return string(k) + ".parquet" }

// A Row is one input row as the engine sees it. Text that is "" and dates that
// are None are null in the file.
type Row struct {
	Line, Event        int
	IsDeleted          bool
	IsMalformed        bool
	PracticeCode       string
	PracticeState      string
	NHSKey             []byte // the pseudonym of the NHS number, 32 bytes, or nil
	NHSState           string
	EMISKey            []byte // the pseudonym of practice and EMIS number, 32 bytes, or nil
	PatientType        string
	RegistrationStatus string
	RegisteredDate     civil.Date
	DeductedDate       civil.Date
	DeathDate          civil.Date
	InvalidStatusDate  string
	IsDummy            bool
	Code               string
	CodeState          string
	ActivityDate       civil.Date
	ActivityState      string
	RecordedDate       civil.Date
	RecordedState      string
}

var schema = arrow.NewSchema([]arrow.Field{
	{Name: "staged_key", Type: arrow.BinaryTypes.String},
	{Name: "line", Type: arrow.PrimitiveTypes.Int32},
	{Name: "event", Type: arrow.PrimitiveTypes.Int32},
	{Name: "is_deleted", Type: arrow.FixedWidthTypes.Boolean},
	{Name: "is_malformed", Type: arrow.FixedWidthTypes.Boolean},
	{Name: "practice_code", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "practice_state", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "nhs_key", Type: arrow.BinaryTypes.Binary, Nullable: true},
	{Name: "nhs_state", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "emis_key", Type: arrow.BinaryTypes.Binary, Nullable: true},
	{Name: "patient_type", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "registration_status", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "registered_date", Type: arrow.FixedWidthTypes.Date32, Nullable: true},
	{Name: "deducted_date", Type: arrow.FixedWidthTypes.Date32, Nullable: true},
	{Name: "death_date", Type: arrow.FixedWidthTypes.Date32, Nullable: true},
	{Name: "invalid_status_date", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "is_dummy", Type: arrow.FixedWidthTypes.Boolean},
	{Name: "code", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "code_state", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "activity_date", Type: arrow.FixedWidthTypes.Date32, Nullable: true},
	{Name: "activity_state", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "recorded_date", Type: arrow.FixedWidthTypes.Date32, Nullable: true},
	{Name: "recorded_state", Type: arrow.BinaryTypes.String, Nullable: true},
}, nil)

// batchRows is how many rows are held before they are written.
const batchRows = 16 << 10

// A Writer writes one staged file. Nothing stands under its final name before
// Close has returned.
type Writer struct {
	key     Key
	final   string
	file    *os.File
	builder *array.RecordBuilder
	out     *pqarrow.FileWriter
	rows    int
}

// Create begins the staged file of key in dir.
func Create(dir string, key Key) (*Writer, error) {
	final := filepath.Join(dir, key.FileName())
	file, err := os.OpenFile(final+".part", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("create staged file: %w", err)
	}
	properties := parquet.NewWriterProperties(
		parquet.WithCompression(compress.Codecs.Snappy),
		parquet.WithDictionaryFor("nhs_key", false),
		parquet.WithDictionaryFor("emis_key", false),
		parquet.WithDictionaryFor("line", false),
		parquet.WithStats(false),
	)
	// The writer closes what it is given; the file is closed here, so that it is
	// closed exactly once.
	out, err := pqarrow.NewFileWriter(schema, struct{ io.Writer }{file}, properties, pqarrow.DefaultWriterProps())
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("create staged file: %w", err)
	}
	return &Writer{key: key, final: final, file: file, builder: array.NewRecordBuilder(memory.DefaultAllocator, schema), out: out}, nil
}

// Write adds a row.
func (w *Writer) Write(row *Row) error {
	b := w.builder
	column := 0
	next := func() array.Builder { column++; return b.Field(column - 1) }
	text := func(value string) {
		builder := next().(*array.StringBuilder)
		if value == "" {
			builder.AppendNull()
			return
		}
		builder.Append(value)
	}
	date := func(value civil.Date) {
		builder := next().(*array.Date32Builder)
		if value.IsNone() {
			builder.AppendNull()
			return
		}
		builder.Append(arrow.Date32(value))
	}
	key := func(value []byte) {
		builder := next().(*array.BinaryBuilder)
		if len(value) == 0 {
			builder.AppendNull()
			return
		}
		builder.Append(value)
	}
	text(string(w.key))
	next().(*array.Int32Builder).Append(int32(row.Line))
	next().(*array.Int32Builder).Append(int32(row.Event))
	next().(*array.BooleanBuilder).Append(row.IsDeleted)
	next().(*array.BooleanBuilder).Append(row.IsMalformed)
	text(row.PracticeCode)
	text(row.PracticeState)
	key(row.NHSKey)
	text(row.NHSState)
	key(row.EMISKey)
	text(row.PatientType)
	text(row.RegistrationStatus)
	date(row.RegisteredDate)
	date(row.DeductedDate)
	date(row.DeathDate)
	text(row.InvalidStatusDate)
	next().(*array.BooleanBuilder).Append(row.IsDummy)
	text(row.Code)
	text(row.CodeState)
	date(row.ActivityDate)
	text(row.ActivityState)
	date(row.RecordedDate)
	text(row.RecordedState)
	w.rows++
	if w.rows%batchRows == 0 {
		return w.flush()
	}
	return nil
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
func (w *Writer) Close() (path string, err error) {
	defer w.builder.Release()
	if err := w.flush(); err != nil {
		w.Discard()
		return "", err
	}
	if err := w.out.Close(); err != nil {
		w.Discard()
		return "", fmt.Errorf("finish staged file: %w", err)
	}
	if err := w.file.Close(); err != nil {
		os.Remove(w.file.Name())
		return "", fmt.Errorf("finish staged file: %w", err)
	}
	if err := os.Rename(w.file.Name(), w.final); err != nil {
		return "", fmt.Errorf("name staged file: %w", err)
	}
	return w.final, nil
}

// Discard gives the file up.
func (w *Writer) Discard() {
	w.file.Close()
	os.Remove(w.file.Name())
}
