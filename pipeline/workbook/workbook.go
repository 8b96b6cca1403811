// Package workbook writes a published period as a workbook for finance: positions, segments,
// payments, instalments and the reconciliation, with totals that are live formulas and stand beside
// what the tables add up to.
//
// It knows sheets, cells and formulas. It refuses to know any rule: a formula repeats only what a
// reader can see on its line, a sum, a difference or a quotient, and its value as published is
// stored with it, for readers that do not calculate. Texts are texts whatever they begin with;
// what is not known is a blank cell, never 0. The same snapshot gives the same bytes.
package workbook

import (
	"archive/zip"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/xuri/excelize/v2"

	"ltcles/pipeline/contract"
	"ltcles/pipeline/published"
	"ltcles/pipeline/snapshot"
	"ltcles/pipeline/terms"
)

// Write writes the workbook of the reader's period. A contract that the period was not published by
// is a fault of configuration.
func Write(ctx context.Context, to io.Writer, reader *published.Reader, c *contract.Contract) (err error) {
	year, err := reader.Year(ctx)
	if err != nil {
		return err
	}
	period, err := contract.ParsePublished(reader.Period.Period)
	if err != nil {
		return err
	}
	if err := terms.Check(ctx, c, reader, year); err != nil {
		return err
	}
	book := writing{
		file: excelize.NewFile(), reader: reader, contract: c, period: period, year: year,
		caption: fmt.Sprintf("LTC LES %s, %s, as at %s", reader.Period.ContractYear, periodText(period, reader.Period.Status), dayText(reader.Period.AsAt)),
	}
	defer func() { err = errors.Join(err, book.file.Close()) }()
	if err := book.write(ctx); err != nil {
		return fmt.Errorf("write workbook: %w", err)
	}
	var out bytes.Buffer
	if _, err := book.file.WriteTo(&out); err != nil {
		return fmt.Errorf("write workbook: %w", err)
	}
	return inOrder(to, out.Bytes())
}

// periodText is the period as people write it.
func periodText(period contract.Period, status string) string {
	switch {
	case !period.IsYearEnd():
		return period.Start().Time().Format("January 2006")
	case status == snapshot.Final:
		return "year end, final"
	case period.IsSupplement():
		return "supplement " + period.String() + " to the year end, provisional"
	}
	return "year end, provisional"
}

// inOrder writes the parts of a workbook in the order of their names, after the one that lists
// them: excelize writes its streams in an order that changes.
func inOrder(to io.Writer, book []byte) error {
	parts, err := zip.NewReader(bytes.NewReader(book), int64(len(book)))
	if err != nil {
		return fmt.Errorf("order the workbook: %w", err)
	}
	const first = "[Content_Types].xml"
	slices.SortFunc(parts.File, func(a, b *zip.File) int {
		return cmp.Or(-compareBools(a.Name == first, b.Name == first), cmp.Compare(a.Name, b.Name))
	})
	out := zip.NewWriter(to)
	for _, part := range parts.File {
		if err := copyPart(out, part); err != nil {
			return fmt.Errorf("order the workbook: %w", err)
		}
	}
	if err := out.Close(); err != nil {
		return fmt.Errorf("order the workbook: %w", err)
	}
	return nil
}

func compareBools(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

func copyPart(out *zip.Writer, part *zip.File) error {
	from, err := part.Open()
	if err != nil {
		return err
	}
	defer from.Close()
	into, err := out.CreateHeader(&zip.FileHeader{Name: part.Name, Method: zip.Deflate})
	if err != nil {
		return err
	}
	_, err = io.Copy(into, from)
	return err
}

// writing is one workbook while it is written.
type writing struct {
	file     *excelize.File
	reader   *published.Reader
	contract *contract.Contract
	period   contract.Period
	year     *published.Year
	caption  string // what every sheet is of
	styles   map[style]int
	totals   []total
}

// total is one sum of a sheet, for the list of all of them.
type total struct {
	sheet, title string
	name         string // the workbook's name for the cell
	cell         string // of the live sum, with its sheet
	kind         kind
	published    any
}

func (w *writing) write(ctx context.Context) error {
	if err := w.addStyles(); err != nil {
		return err
	}
	sheets := w.sheets()
	names := []string{readMeSheet, totalsSheet}
	for _, sheet := range sheets {
		names = append(names, sheet.name)
	}
	names = append(names, columnsSheet)
	if err := w.file.SetSheetName(w.file.GetSheetName(0), names[0]); err != nil {
		return err
	}
	for _, name := range names[1:] {
		if _, err := w.file.NewSheet(name); err != nil {
			return err
		}
	}
	for _, sheet := range sheets {
		if err := w.writeSheet(ctx, sheet); err != nil {
			return fmt.Errorf("sheet %s: %w", sheet.name, err)
		}
	}
	for _, step := range []func() error{
		func() error { return w.writeReadMe(sheets) }, w.writeTotals, func() error { return w.writeColumns(sheets) }, w.writeProperties,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// writeProperties says what the file is, on the day of the extract rather than by the clock.
func (w *writing) writeProperties() error {
	day := w.reader.Period.AsAt.Time().Format(time.RFC3339)
	err := w.file.SetDocProps(&excelize.DocProperties{
		Title: w.caption, Subject: "Finance workbook", Creator: "ltcles", LastModifiedBy: "ltcles", Identifier: w.reader.Period.RunID,
		Created: day, Modified: day, Language: "en-GB",
	})
	if err != nil {
		return err
	}
	recalculate := true
	return w.file.SetCalcProps(&excelize.CalcPropsOptions{FullCalcOnLoad: &recalculate})
}
