// Package duck runs the engine: DuckDB, in memory, locked down.
//
// It knows how to open a database that can reach nothing but the folders it is
// given, run a SQL file, fill a table and copy one out. It refuses to know a
// clinical word. What DuckDB and other engines do differently sits here.
package duck

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"strings"

	duckdb "github.com/marcboeker/go-duckdb/v2"
)

// Options say what a database may use.
type Options struct {
	Threads     int      // 0: one for each processor
	MemoryLimit string   // as DuckDB writes it, "4GB"; "": DuckDB's default, which is most of the computer's
	Directories []string // the only folders that it may read and write
	// SpillDir is a private folder for what does not fit into memory; "" means
	// that nothing is ever spilled and running out of memory is an error.
	SpillDir string
}

// DB is one database in memory. It is used by one goroutine at a time, and
// closed by whoever opened it.
type DB struct {
	db   *sql.DB
	conn *sql.Conn
}

// Open opens an empty database in memory and locks its configuration: no
// extension can be installed or loaded, and no file outside the folders given
// can be reached.
func Open(ctx context.Context, options Options) (*DB, error) {
	connector, err := duckdb.NewConnector("", nil)
	if err != nil {
		return nil, fmt.Errorf("open engine: %w", err)
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(1)
	conn, err := db.Conn(ctx)
	if err != nil {
		db.Close()
		return nil, fmt.Errorf("open engine: %w", err)
	}
	d := &DB{db: db, conn: conn}
	if err := d.lock(ctx, options); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

func (d *DB) lock(ctx context.Context, options Options) error {
	threads := options.Threads
	if threads <= 0 {
		threads = runtime.NumCPU()
	}
	var directories []string
	for _, directory := range options.Directories {
		directories = append(directories, quote(directory), exactly(directory)) // what is asked for is looked at too
	}
	if options.SpillDir != "" {
		directories = append(directories, quote(options.SpillDir))
	}
	settings := []string{
		"set autoinstall_known_extensions = false",
		"set autoload_known_extensions = false",
		"set allow_community_extensions = false",
		fmt.Sprintf("set threads = %d", threads),
		fmt.Sprintf("set temp_directory = %s", quote(options.SpillDir)),
		fmt.Sprintf("set allowed_directories = [%s]", strings.Join(directories, ", ")),
		"set enable_progress_bar = false",
		// Whoever wants an order says so; to keep one that nobody asked for takes memory
		// for all the rows of a table at once.
		"set preserve_insertion_order = false",
		// Staged files are read a few times, from the system's own cache; the engine's takes
		// a tenth of the time of all that is computed, and memory that hash tables need.
		"set enable_external_file_cache = false",
	}
	if options.MemoryLimit != "" {
		settings = append(settings, fmt.Sprintf("set memory_limit = %s", quote(options.MemoryLimit)))
	}
	settings = append(settings, "set enable_external_access = false", "set lock_configuration = true")
	for _, setting := range settings {
		if err := d.Exec(ctx, setting); err != nil {
			return fmt.Errorf("lock engine: %w", err)
		}
	}
	return nil
}

// Close closes the connection before the database, so that the engine removes
// what it may have spilled.
func (d *DB) Close() error { return errors.Join(d.conn.Close(), d.db.Close()) }

// An engineError says in one line what the engine says in several: below the first it
// shows the statement, or gives advice to who typed one.
type engineError struct {
	error
	line string
}

func (e engineError) Error() string { return e.line }

func (e engineError) Unwrap() error { return e.error }

// said is an error of the engine in one line, with what to do where memory is short or
// where the engine says itself that it is at fault.
func said(err error) error {
	var failed *duckdb.Error
	if !errors.As(err, &failed) {
		return err
	}
	line, _, _ := strings.Cut(failed.Msg, "\n")
	switch failed.Type {
	case duckdb.ErrorTypeInternal:
		line = "the engine failed, not the files; run it again, and where it fails again report it with what ltcles version prints (" + line + ")"
	case duckdb.ErrorTypeOutOfMemory:
		line = "too little memory for the engine; raise memory_limit in ltcles.yaml, or close other programs (" + line + ")"
	}
	return engineError{err, line}
}

// Exec runs statements.
func (d *DB) Exec(ctx context.Context, statements string) error {
	_, err := d.conn.ExecContext(ctx, statements)
	return said(err)
}

// ExecFile runs a SQL file.
func (d *DB) ExecFile(ctx context.Context, files fs.FS, name string) error {
	text, err := fs.ReadFile(files, name)
	if err != nil {
		return fmt.Errorf("read sql %s: %w", name, err)
	}
	if err := d.Exec(ctx, string(text)); err != nil {
		return fmt.Errorf("run sql %s: %w", name, err)
	}
	return nil
}

// Append fills a table; each row has its values in the table's column order.
func (d *DB) Append(ctx context.Context, table string, rows [][]driver.Value) (err error) {
	err = d.conn.Raw(func(raw any) error {
		appender, err := duckdb.NewAppenderFromConn(raw.(driver.Conn), "", table)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if err := appender.AppendRow(row...); err != nil {
				return errors.Join(err, appender.Close())
			}
		}
		return appender.Close()
	})
	if err != nil {
		return fmt.Errorf("append to %s: %w", table, said(err))
	}
	return nil
}

// ViewParquet makes a view over the rows of Parquet files that have one schema.
func (d *DB) ViewParquet(ctx context.Context, view string, paths []string) error {
	quoted := make([]string, len(paths))
	for i, path := range paths {
		quoted[i] = exactly(path)
	}
	statement := fmt.Sprintf("create view %s as select * from read_parquet([%s])", Identifier(view), strings.Join(quoted, ", "))
	if err := d.Exec(ctx, statement); err != nil {
		return fmt.Errorf("view %s: %w", view, err)
	}
	return nil
}

// InsertParquet adds the columns named, or other expressions, of every row of a
// Parquet file to a table.
func (d *DB) InsertParquet(ctx context.Context, table, columns, path string) error {
	statement := fmt.Sprintf("insert into %s select %s from read_parquet(%s)", Identifier(table), columns, exactly(path))
	if err := d.Exec(ctx, statement); err != nil {
		return fmt.Errorf("read %s into %s: %w", path, table, err)
	}
	return nil
}

// CopyParquet writes what a query yields, in the query's order, as one Parquet
// file. The same rows in the same order give the same bytes at every number of
// threads.
func (d *DB) CopyParquet(ctx context.Context, query, path string) error {
	statement := fmt.Sprintf("copy (%s) to %s (format parquet, compression snappy)", query, quote(path))
	if err := d.Exec(ctx, statement); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// Query runs a query and hands each row's values to each.
func (d *DB) Query(ctx context.Context, query string, each func(values []any) error) error {
	rows, err := d.conn.QueryContext(ctx, query)
	if err != nil {
		return said(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	values := make([]any, len(columns))
	targets := make([]any, len(columns))
	for i := range values {
		targets[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			return err
		}
		if err := each(values); err != nil {
			return err
		}
	}
	return said(rows.Err())
}

// Scan runs a query and hands each row to each, whose scan fills variables with the row's values.
func (d *DB) Scan(ctx context.Context, query string, each func(scan func(into ...any) error) error) error {
	rows, err := d.conn.QueryContext(ctx, query)
	if err != nil {
		return said(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows.Scan); err != nil {
			return err
		}
	}
	return said(rows.Err())
}

// Count runs a query that yields one number.
func (d *DB) Count(ctx context.Context, query string) (n int64, err error) {
	err = d.conn.QueryRowContext(ctx, query).Scan(&n)
	return n, said(err)
}

// Pence is an amount of money that a query yields, DECIMAL with two digits after the point, in
// whole pence; false where the value is no such amount.
func Pence(value any) (pence int64, ok bool) {
	amount, ok := value.(duckdb.Decimal)
	if !ok || amount.Scale != 2 || !amount.Value.IsInt64() {
		return 0, false
	}
	return amount.Value.Int64(), true
}

// Version is the engine's own version, as "v1.4.1".
func Version(ctx context.Context) (version string, err error) {
	db, err := Open(ctx, Options{Threads: 1})
	if err != nil {
		return "", err
	}
	defer db.Close()
	err = db.conn.QueryRowContext(ctx, "select version()").Scan(&version)
	return version, err
}

// HexNumber is an expression for the number that eight bytes stand for, the first
// of them the highest and signed, where another expression gives them in hex,
// after so many bytes.
func HexNumber(expression string, after int) string {
	return fmt.Sprintf("cast(cast(unhex(substr(%s, %d, 16)) as bit) as bigint)", expression, 2*after+1)
}

// exactly names one file to read_parquet, which takes what it is given for a pattern.
func exactly(path string) string { return quote(unpatterned.Replace(path)) }

var unpatterned = strings.NewReplacer("[", "[[]", "*", "[*]", "?", "[?]")

func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// Identifier quotes a column or table name.
func Identifier(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
