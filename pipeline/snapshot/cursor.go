package snapshot

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"math"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"

	"ltcles/pipeline/civil"
	"ltcles/pipeline/schema"
)

const batchRows = 8192

// cursor reads one published file row by row, two batches in memory at a time, and checks of each
// row what needs no other table: nulls, values, the run that it is said to come from, and that
// the key is greater than the one before, which makes it unique.
type cursor struct {
	report *report
	file   string // as problems name it
	table  schema.Table

	source  *os.File
	parquet *file.Reader
	columns []column
	byName  map[string]*column
	keys    []*column // in the order of the file
	runs    map[string]PublishedPeriod
	year, period, runID, asAt,
	patient *column // nil in a table without patients
	batches chan batch // what is decoded while the batch before is looked at
	closed  chan struct{}

	row, length int   // in the batch
	number      int64 // in the file, from 1
	lastKey     []byte
	key         []byte
	encoded     []byte
	contents    map[string]*content
	now         *content
	nowYear     string
	sound       bool // nothing wrong so far
}

// batch is the next rows of every column, none at the end of the file, or why there are none.
type batch struct {
	columns []arrow.Array
	err     error
}

// content is what a file holds of one contract year, whatever the bytes around it.
type content struct {
	rows int64
	hash hash.Hash
}

func (c *content) same(other *content) bool {
	return c.rows == other.rows && bytes.Equal(c.hash.Sum(nil), other.hash.Sum(nil))
}

type column struct {
	schema.Column
	cursor  *cursor
	reader  *pqarrow.ColumnReader
	allowed map[string]bool
	values  arrow.Array
	texts   *array.String
	wholes  *array.Int64
	reals   *array.Float64
	flags   *array.Boolean
	days    *array.Date32
	amounts *array.Decimal128
}

func (c *column) null() bool       { return c.values.IsNull(c.cursor.row) }
func (c *column) text() string     { return c.texts.Value(c.cursor.row) }
func (c *column) whole() int64     { return c.wholes.Value(c.cursor.row) }
func (c *column) real() float64    { return c.reals.Value(c.cursor.row) }
func (c *column) flag() bool       { return c.flags.Value(c.cursor.row) }
func (c *column) date() civil.Date { return civil.Date(c.days.Value(c.cursor.row)) }

// pence is an amount of money in whole pence; 18 digits fit into it.
func (c *column) pence() int64 { return c.amounts.Value(c.cursor.row).BigInt().Int64() }

// number is what a column of counts or of money adds up: whole pence for money.
func (c *column) number() int64 {
	if c.Type == schema.Money {
		return c.pence()
	}
	return c.whole()
}

// numberOrNil is nil for null.
func (c *column) numberOrNil() *int64 {
	if c.null() {
		return nil
	}
	number := c.number()
	return &number
}

// isTrue reads null as false.
func (c *column) isTrue() bool { return !c.null() && c.flag() }

// textOr reads null as empty.
func (c *column) textOr() string {
	if c.null() {
		return ""
	}
	return c.text()
}

// openCursor returns nil, having reported why, where the file cannot be read at all. runs are
// the periods that its rows may come from, by contract year.
func openCursor(r *report, path, name string, table schema.Table, runs map[string]PublishedPeriod) *cursor {
	c := &cursor{report: r, file: name, table: table, runs: runs, sound: true, row: -1,
		byName: map[string]*column{}, contents: map[string]*content{}}
	if err := guard(func() error { return c.open(path) }); err != nil {
		c.wrong("cannot be read as Parquet: %s; restore it from a backup", oneLine(err))
		c.close()
		return nil
	}
	if !c.sound {
		c.close()
		return nil
	}
	return c
}

func (c *cursor) open(path string) error {
	source, err := os.Open(path)
	if err != nil {
		return err
	}
	c.source = source
	if c.parquet, err = file.NewParquetReader(source); err != nil {
		return err
	}
	reader, err := pqarrow.NewFileReader(c.parquet, pqarrow.ArrowReadProperties{BatchSize: batchRows}, memory.NewGoAllocator())
	if err != nil {
		return err
	}
	found, err := reader.Schema()
	if err != nil {
		return err
	}
	c.compareSchema(found)
	if !c.sound {
		return nil
	}
	c.columns = make([]column, len(c.table.Columns))
	for i, definition := range c.table.Columns {
		col := &c.columns[i]
		col.Column, col.cursor = definition, c
		if definition.Values != nil {
			col.allowed = map[string]bool{}
			for _, value := range definition.Values {
				col.allowed[value] = true
			}
		}
		c.byName[definition.Name] = col
	}
	for _, name := range c.table.SortKey() {
		c.keys = append(c.keys, c.byName[name])
	}
	c.year, c.period, c.runID, c.asAt, c.patient = c.col("contract_year"), c.col("period"), c.col("run_id"), c.col("as_at"), c.col("patient_key")
	for i := range c.columns {
		// Not GetRecordReader: that opens columns in a goroutine of its own, and a panic there,
		// which a damaged footer can cause, ends the program.
		if c.columns[i].reader, err = reader.GetColumn(context.Background(), i); err != nil {
			return err
		}
	}
	c.batches, c.closed = make(chan batch), make(chan struct{})
	go c.decode()
	return nil
}

// decode reads the file's batches, each while the one before is looked at, until the last,
// the first that cannot be read, or close.
func (c *cursor) decode() {
	defer close(c.batches)
	for {
		next := batch{}
		next.err = guard(func() (err error) {
			next.columns, err = c.readBatch()
			return err
		})
		select {
		case c.batches <- next:
		case <-c.closed:
			return
		}
		if next.err != nil || next.columns[0].Len() == 0 {
			return
		}
	}
}

// readBatch reads as many rows of every column; none at the end of the file.
func (c *cursor) readBatch() ([]arrow.Array, error) {
	size := min(batchRows, max(1, c.parquet.NumRows())) // buffers are made for as many
	columns := make([]arrow.Array, len(c.columns))
	for i := range c.columns {
		chunked, err := c.columns[i].reader.NextBatch(size)
		if err == nil {
			columns[i], err = joined(chunked.Chunks())
		}
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", c.columns[i].Name, err)
		}
		if length, first := columns[i].Len(), columns[0].Len(); length != first {
			return nil, fmt.Errorf("column %s has %d values; expected %d, as the columns before it", c.columns[i].Name, length, first)
		}
	}
	return columns, nil
}

func joined(chunks []arrow.Array) (arrow.Array, error) {
	switch len(chunks) {
	case 0:
		return array.NewNull(0), nil
	case 1:
		return chunks[0], nil
	}
	return array.Concatenate(chunks, memory.NewGoAllocator())
}

func (c *cursor) compareSchema(found *arrow.Schema) {
	var have, want []string
	for _, field := range found.Fields() {
		have = append(have, field.Name)
	}
	for _, definition := range c.table.Columns {
		want = append(want, definition.Name)
	}
	if strings.Join(have, ",") != strings.Join(want, ",") {
		c.wrong("has columns %s; expected %s", strings.Join(have, ", "), strings.Join(want, ", "))
		return
	}
	for i, definition := range c.table.Columns {
		if got := found.Field(i).Type; !arrow.TypeEqual(got, arrowType(definition.Type)) {
			c.wrong("column %s is %s; expected %s", definition.Name, got, definition.Type)
		}
	}
}

func arrowType(t schema.Type) arrow.DataType {
	switch t {
	case schema.Bigint:
		return arrow.PrimitiveTypes.Int64
	case schema.Double:
		return arrow.PrimitiveTypes.Float64
	case schema.Boolean:
		return arrow.FixedWidthTypes.Boolean
	case schema.Date:
		return arrow.FixedWidthTypes.Date32
	case schema.Money:
		return &arrow.Decimal128Type{Precision: 18, Scale: 2}
	}
	return arrow.BinaryTypes.String
}

// col finds a column of the definition; the schema has been compared with it.
func (c *cursor) col(name string) *column { return c.byName[name] }

// next goes to the next row. Arrow panics on some damaged files; that is one more problem.
func (c *cursor) next() (more bool) {
	err := guard(func() error {
		for c.row++; c.row >= c.length; c.row = 0 {
			if err := c.nextBatch(); err != nil {
				return err
			}
			if c.length == 0 {
				if want := c.parquet.NumRows(); c.number != want {
					return fmt.Errorf("it ends there; expected %d rows", want)
				}
				return nil
			}
		}
		c.number++
		c.inspect()
		more = true
		return nil
	})
	if err != nil {
		c.wrong("cannot be read beyond row %d: %s; restore it from a backup", c.number, oneLine(err))
		return false
	}
	return more
}

func (c *cursor) close() {
	if c == nil {
		return
	}
	if c.batches != nil {
		close(c.closed)
		for range c.batches { // until decode is done with the file
		}
	}
	if c.source != nil {
		c.source.Close()
	}
}

// wrong reports a problem of the file itself; sums over it are not compared afterwards.
func (c *cursor) wrong(format string, args ...any) {
	c.sound = false
	c.report.add(c.file, c.table.Name, format, args...)
}

// broken reports a row that contradicts itself or another table.
func (c *cursor) broken(format string, args ...any) {
	c.report.add(c.file, c.table.Name, "row %d: "+format, append([]any{c.number}, args...)...)
}

// nextBatch goes to the next batch, which is empty at the end of the file.
func (c *cursor) nextBatch() error {
	next, more := <-c.batches
	if !more || next.err != nil {
		c.length = 0
		return next.err
	}
	for i := range c.columns {
		c.columns[i].bind(next.columns[i])
	}
	c.length = next.columns[0].Len()
	c.report.progress(int64(c.length))
	return nil
}

func (c *column) bind(values arrow.Array) {
	c.values = values
	switch values := values.(type) {
	case *array.String:
		c.texts = values
	case *array.Int64:
		c.wholes = values
	case *array.Float64:
		c.reals = values
	case *array.Boolean:
		c.flags = values
	case *array.Date32:
		c.days = values
	case *array.Decimal128:
		c.amounts = values
	}
}

func (c *cursor) inspect() {
	c.encoded = c.encoded[:0]
	for i := range c.columns {
		col := &c.columns[i]
		if col.null() {
			if !col.Nullable {
				c.sound = false
				c.broken("%s is null; expected a value", col.Name)
			}
			c.encoded = append(c.encoded, 0)
			continue
		}
		c.encoded = append(c.encoded, 1)
		switch col.Type {
		case schema.Varchar:
			text := col.text()
			if col.allowed != nil && !col.allowed[text] {
				c.broken("%s is none of %s", col.Name, strings.Join(col.Values, ", "))
			} else if !utf8.ValidString(text) {
				c.broken("%s is not UTF-8", col.Name)
			}
			c.encoded = binary.BigEndian.AppendUint64(c.encoded, uint64(len(text)))
			c.encoded = append(c.encoded, text...)
		case schema.Bigint:
			c.encoded = binary.BigEndian.AppendUint64(c.encoded, uint64(col.whole()))
		case schema.Double:
			if value := col.real(); math.IsNaN(value) || math.IsInf(value, 0) {
				c.broken("%s is not a number", col.Name)
			}
			c.encoded = binary.BigEndian.AppendUint64(c.encoded, math.Float64bits(col.real()))
		case schema.Boolean:
			if col.flag() {
				c.encoded = append(c.encoded, 1)
			} else {
				c.encoded = append(c.encoded, 0)
			}
		case schema.Date:
			c.encoded = binary.BigEndian.AppendUint32(c.encoded, uint32(col.date()))
		default:
			c.encoded = append(c.encoded, col.values.ValueStr(c.row)...)
			c.encoded = append(c.encoded, 0)
		}
	}
	if year := c.year.textOr(); c.now == nil || year != c.nowYear {
		c.nowYear = strings.Clone(year)
		c.now = c.contents[c.nowYear]
		if c.now == nil {
			c.now = &content{hash: sha256.New()}
			c.contents[c.nowYear] = c.now
		}
	}
	c.now.rows++
	c.now.hash.Write(c.encoded)
	c.inspectRun()
	c.inspectKey()
}

func (c *cursor) inspectRun() {
	run, ok := c.runs[c.nowYear]
	if !ok {
		c.wrongRow("has contract year %q, which the file is not for", c.nowYear)
		return
	}
	if period := c.period.textOr(); period != run.Period {
		c.wrongRow("has period %q; expected %s", period, run.Period)
	}
	if id := c.runID.textOr(); id != run.RunID {
		c.wrongRow("has run_id %q; expected %s, which published period %s", id, run.RunID, run.Period)
	}
	if !c.asAt.null() && c.asAt.date() != run.AsAt {
		c.wrongRow("has as_at %s; expected %s", c.asAt.date(), run.AsAt)
	}
}

func (c *cursor) wrongRow(format string, args ...any) {
	c.sound = false
	c.broken(format, args...)
}

// inspectKey compares the key with the one before, both as bytes that sort as the values do.
func (c *cursor) inspectKey() {
	c.key = c.key[:0]
	for _, col := range c.keys {
		if col.null() {
			c.key = append(c.key, 1) // nulls last
			continue
		}
		c.key = append(c.key, 0)
		switch col.Type {
		case schema.Varchar:
			text := col.text()
			for i := range len(text) {
				if c.key = append(c.key, text[i]); text[i] == 0 {
					c.key = append(c.key, 0xff)
				}
			}
			c.key = append(c.key, 0, 1)
		case schema.Bigint:
			c.key = binary.BigEndian.AppendUint64(c.key, uint64(col.whole())^1<<63)
		case schema.Date:
			c.key = binary.BigEndian.AppendUint32(c.key, uint32(col.date())^1<<31)
		}
	}
	if c.number > 1 {
		switch bytes.Compare(c.lastKey, c.key) {
		case 0:
			c.wrongRow("has the key (%s) of the row before; expected each key once", strings.Join(c.table.SortKey(), ", "))
		case 1:
			c.wrongRow("sorts before the row before it; expected order by %s, nulls last", strings.Join(c.table.SortKey(), ", "))
		}
	}
	c.lastKey, c.key = c.key, c.lastKey
}

// rowsIn counts a Parquet file's rows by its footer.
func rowsIn(path string) (rows int64, err error) {
	source, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer source.Close()
	err = guard(func() error {
		reader, err := file.NewParquetReader(source)
		if err != nil {
			return err
		}
		rows = reader.NumRows()
		return nil
	})
	return rows, err
}

// guard turns a panic of the Parquet reader into an error.
func guard(read func() error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("the Parquet reader gave up: %v", cause)
		}
	}()
	return read()
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }
