// Package letters writes a letter to each practice of a published period: a projection of a month,
// the performance of a year end; each a PDF, with an index of all of them.
//
// It knows what a letter is given of the tables and of the contract, and the folder that the
// letters stand in. What a letter says is in its template, how it is laid out in package paper. It
// refuses to know any patient: nothing that it reads has a row for one.
package letters

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"ltcles/pipeline/config"
	"ltcles/pipeline/contract"
	"ltcles/pipeline/letters/paper"
	"ltcles/pipeline/published"
	"ltcles/pipeline/snapshot"
	"ltcles/pipeline/terms"
	"ltcles/pipeline/unexpected"
)

// Kind is which letter is written.
type Kind string

// The kinds: projections are of a month, performance is a year end's.
const (
	Projection  Kind = "projection"
	Performance Kind = "performance"
)

// KindOf is the kind of letter that a period has.
func KindOf(period contract.Period) Kind {
	if period.IsYearEnd() {
		return Performance
	}
	return Projection
}

// Config says which letters are written, and where.
type Config struct {
	Reader       *published.Reader
	Contract     *contract.Contract
	TemplatesDir string                // of the workspace's contracts; its folder letters replaces templates
	Practices    []string              // by code; all of them where it is empty
	Output       string                // the folder to make
	Replace      bool                  // of letters that are there already; with Practices, of theirs alone
	Progress     func(done, total int) // called by several goroutines
}

// Report is what was written.
type Report struct {
	Kind    Kind
	Letters []Entry // by practice
	Folder  string
}

// Write writes the letters of the reader's period into a new folder, which is there when all of
// them are, and not before. A fault of the template, the contract file or the call is a
// [config.Problem].
func Write(ctx context.Context, c Config) (*Report, error) {
	period, err := contract.ParsePublished(c.Reader.Period.Period)
	if err != nil {
		return nil, err
	}
	year, err := c.Reader.Year(ctx)
	if err != nil {
		return nil, err
	}
	if err := terms.Check(ctx, c.Contract, c.Reader, year); err != nil {
		return nil, err
	}
	practices, err := chosen(year, c.Practices, period)
	if err != nil {
		return nil, err
	}
	kind := KindOf(period)
	template, err := loadTemplate(c.TemplatesDir, kind)
	if err != nil {
		return nil, err
	}
	printer, err := paper.NewPrinter()
	if err != nil {
		return nil, err
	}
	var only []string
	if len(c.Practices) > 0 {
		for _, practice := range practices {
			only = append(only, fileName(practice.Code, kind, period))
		}
	}
	folder, err := begin(c.Output, c.Replace, only)
	if err != nil {
		return nil, err
	}
	defer folder.discard()
	w := writing{contract: c.Contract, period: period, at: c.Reader.Period, year: year}
	report := &Report{Kind: kind, Letters: make([]Entry, len(practices)), Folder: c.Output}
	var done atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, practice := range practices {
		group.Go(func() (err error) {
			defer unexpected.Panic(&err)
			if err := ctx.Err(); err != nil {
				return err
			}
			entry, err := w.write(folder, template, printer, practice)
			if err != nil {
				return err
			}
			report.Letters[i] = entry
			if c.Progress != nil {
				c.Progress(int(done.Add(1)), len(practices))
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	if err := folder.write(indexName, func(to *bytes.Buffer) error { return writeIndex(to, report.Letters) }); err != nil {
		return nil, err
	}
	return report, folder.commit()
}

// chosen is the practices that letters are for, in the order of their codes.
func chosen(year *published.Year, codes []string, period contract.Period) ([]*published.Practice, error) {
	if len(codes) == 0 {
		return year.Practices, nil
	}
	var practices []*published.Practice
	for _, practice := range year.Practices {
		if slices.Contains(codes, practice.Code) {
			practices = append(practices, practice)
		}
	}
	for _, code := range codes {
		if !slices.ContainsFunc(practices, func(p *published.Practice) bool { return p.Code == code }) {
			return nil, UnknownPracticeError{Practice: code, Period: period.String()}
		}
	}
	return practices, nil
}

// UnknownPracticeError is a practice that the period does not have.
type UnknownPracticeError struct{ Practice, Period string }

func (e UnknownPracticeError) Error() string {
	return fmt.Sprintf("practice %q is not in period %s; expected a practice code of its reference/practices.csv", e.Practice, e.Period)
}

// write writes one practice's letter.
func (w writing) write(folder *folder, template *letterTemplate, printer *paper.Printer, practice *published.Practice) (Entry, error) {
	letter := w.letter(practice)
	markdown, err := template.markdown(letter)
	if err != nil {
		return Entry{}, err
	}
	entry := w.entry(practice, template.kind)
	err = folder.write(entry.File, func(to *bytes.Buffer) error {
		return printer.Print(to, w.sheet(practice, template.kind), markdown)
	})
	var unprintable paper.UnprintableError
	if errors.As(err, &unprintable) {
		err = &config.Problem{
			File: template.source, Found: unprintable.Error(), Expected: "headings of three levels, paragraphs, lists, tables, notes, bold and italics",
			Fix: "write it otherwise",
		}
	}
	if err != nil {
		return Entry{}, err
	}
	return entry, nil
}

// sheet is what stands on every page of a practice's letter.
func (w writing) sheet(practice *published.Practice, kind Kind) paper.Sheet {
	sheet := paper.Sheet{
		Subject: fmt.Sprintf("LTC LES %s, %s", w.at.ContractYear, practice.Code),
		Date:    w.at.AsAt.Time(),
		Left:    fmt.Sprintf("LTC LES %s · %s · %s", w.at.ContractYear, practice.Code, practice.Title()),
		Foot:    fmt.Sprintf("As at %s · run %s", Day{w.at.AsAt}, w.at.RunID),
	}
	switch {
	case kind == Projection:
		sheet.Title, sheet.Right = "Projection letter, ", "Projection"
	case w.at.Status == snapshot.Final:
		sheet.Title, sheet.Right = "End-of-year performance letter, ", "Final"
	default:
		sheet.Title, sheet.Right = "End-of-year performance letter (provisional), ", "Provisional"
	}
	sheet.Title += practice.Title() + ", " + w.period.String()
	return sheet
}

// folder is the letters while they are written: beside the place where they are to stand, under a
// name that nobody takes for it.
type folder struct {
	part, whole string
	replace     bool
	only        []string // what may be replaced; nil for every letter
}

const unfinished = ".unfinished-"

// begin makes the folder to write into, and refuses a place that is taken by anything but letters
// that are to be replaced.
func begin(output string, replace bool, only []string) (*folder, error) {
	if err := refuseTaken(output, replace, only); err != nil {
		return nil, err
	}
	whole, err := filepath.Abs(output)
	if err != nil {
		return nil, unmade(output, err)
	}
	if here, err := os.Getwd(); err == nil && here == whole {
		return nil, TakenError{output, "is the folder that the command runs in, which cannot be replaced", "give a folder in it"}
	}
	if err := os.MkdirAll(filepath.Dir(whole), 0o755); err != nil {
		return nil, unmade(output, err)
	}
	part, err := os.MkdirTemp(filepath.Dir(whole), "."+filepath.Base(whole)+unfinished)
	if err != nil {
		return nil, unmade(output, err)
	}
	if err := os.Chmod(part, 0o755); err != nil {
		return nil, errors.Join(unmade(output, err), os.RemoveAll(part))
	}
	return &folder{part, whole, replace, only}, nil
}

func unmade(output string, err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		err = at.Err
	}
	return TakenError{output, fmt.Sprintf("cannot be made: %v", err), "give another folder"}
}

// TakenError is a folder that letters cannot be written to.
type TakenError struct{ Folder, Why, Fix string }

func (e TakenError) Error() string { return fmt.Sprintf("%s %s; %s", e.Folder, e.Why, e.Fix) }

func refuseTaken(whole string, replace bool, only []string) error {
	const another = "give another folder"
	entries, err := os.ReadDir(whole)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return TakenError{whole, "is no folder that can be read", another}
	case len(entries) == 0:
		return nil
	case !replace:
		return TakenError{whole, "is not empty", another + ", or --replace where letters are in it"}
	}
	listed, err := indexed(filepath.Join(whole, indexName))
	if err != nil {
		return TakenError{whole, "holds no index of letters", another}
	}
	for _, entry := range entries {
		if name := entry.Name(); name != indexName && !slices.Contains(listed, name) {
			return TakenError{whole, fmt.Sprintf("holds %s, which its index does not list", name), "move that away, or " + another}
		} else if name != indexName && only != nil && !slices.Contains(only, name) {
			return TakenError{whole, fmt.Sprintf("holds %s, which would go with the others and not be written again", name), another}
		}
	}
	return nil
}

func (f *folder) write(name string, content func(to *bytes.Buffer) error) error {
	var buffer bytes.Buffer
	if err := content(&buffer); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(f.part, name), buffer.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

// commit puts the folder in its place. What is replaced is moved aside first, and back where that
// fails.
func (f *folder) commit() error {
	if err := refuseTaken(f.whole, f.replace, f.only); err != nil {
		return err
	}
	aside := f.part + ".former"
	err := os.Rename(f.whole, aside)
	isReplaced := err == nil
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("replace %s: %w", f.whole, err)
	}
	if err := os.Rename(f.part, f.whole); err != nil {
		err = fmt.Errorf("write %s: %w", f.whole, err)
		if isReplaced {
			err = errors.Join(err, os.Rename(aside, f.whole))
		}
		return err
	}
	if isReplaced {
		return os.RemoveAll(aside)
	}
	return nil
}

// discard removes what was not put in its place; it can do nothing about what it cannot remove.
func (f *folder) discard() { _ = os.RemoveAll(f.part) }

// fileName is the name of a practice's letter; practice codes are letters and digits.
func fileName(practice string, kind Kind, period contract.Period) string {
	return strings.Join([]string{practice, string(kind), period.String()}, "-") + ".pdf"
}
