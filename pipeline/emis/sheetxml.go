package emis

import (
	"encoding/xml"
	"errors"
	"io"
	"strconv"
)

// sheetXML reads the rows of a worksheet's XML strictly, and the XML to its end.
type sheetXML struct {
	decoder *xml.Decoder
	depth   int
	inRows  bool // between the sheet's first row and its last
	hadRows bool
	row     sheetRow
}

type sheetRow struct {
	number int
	cells  []sheetCell // from left to right
}

type sheetCell struct {
	column     int    // from 0
	kind       string // the attribute t
	style      int
	value      string // the text of v
	inline     string // the text of is, which a cell of the kind inlineStr has
	hasValue   bool
	hasFormula bool
}

// isWithoutValue tells whether a cell shows an error, or a formula that was
// never worked out: it is not blank, and has no value either. An empty value is
// one only of a text: what wrote the others did not work them out.
func (c *sheetCell) isWithoutValue() bool {
	isEmpty := !c.hasValue || c.value == "" && c.kind != "str"
	return c.kind == "e" || c.hasFormula && isEmpty
}

func newSheetXML(r io.Reader) *sheetXML { return &sheetXML{decoder: xml.NewDecoder(r)} }

// next returns the next row; nil at the end of the XML. A row is valid until the
// next one.
func (x *sheetXML) next() (*sheetRow, error) {
	for {
		token, err := x.token()
		if errors.Is(err, io.EOF) {
			if !x.hadRows {
				return nil, damagedWorkbook(0, "a sheet without a place for rows")
			}
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		switch element := token.(type) {
		case xml.StartElement:
			switch {
			case x.depth == 2 && element.Name.Local == "sheetData":
				if x.hadRows {
					return nil, damagedWorkbook(0, "a sheet with two places for rows")
				}
				x.inRows, x.hadRows = true, true
			case x.depth == 3 && x.inRows && element.Name.Local == "row":
				return &x.row, x.readRow(element)
			case element.Name.Local == "row" && x.inRows:
				return nil, damagedWorkbook(x.row.number, "a row that is not where it should be")
			}
		case xml.EndElement:
			if x.depth == 1 {
				x.inRows = false
			}
		}
	}
}

// token returns the next token; depth counts the elements that are open after it.
func (x *sheetXML) token() (xml.Token, error) {
	token, err := x.decoder.Token()
	if errors.Is(err, io.EOF) {
		return nil, io.EOF
	}
	if err != nil {
		return nil, damagedWorkbook(x.row.number, "a sheet that breaks off, or is not well formed")
	}
	switch token.(type) {
	case xml.StartElement:
		if x.depth++; x.depth > maxXMLDepth {
			return nil, damagedWorkbook(x.row.number, "a sheet that is no grid")
		}
	case xml.EndElement:
		x.depth--
	}
	return token, nil
}

func (x *sheetXML) readRow(start xml.StartElement) error {
	number := x.row.number + 1
	for _, attribute := range start.Attr {
		if attribute.Name.Local != "r" || attribute.Name.Space != "" {
			continue
		}
		var err error
		if number, err = strconv.Atoi(attribute.Value); err != nil {
			return damagedWorkbook(x.row.number, "a row without a number")
		}
	}
	if number <= x.row.number || number > maxSheetRow {
		return damagedWorkbook(x.row.number, "rows out of order")
	}
	x.row.number, x.row.cells = number, x.row.cells[:0]
	outer := x.depth
	for {
		token, err := x.inside()
		if err != nil {
			return err
		}
		switch element := token.(type) {
		case xml.StartElement:
			if element.Name.Local == "row" || element.Name.Local == "c" && x.depth != outer+1 {
				return damagedWorkbook(number, "a cell that is not where it should be")
			}
			if element.Name.Local == "c" {
				if err := x.readCell(element); err != nil {
					return err
				}
			}
		case xml.EndElement:
			if x.depth < outer {
				return nil
			}
		}
	}
}

// inside is token where the text cannot end.
func (x *sheetXML) inside() (xml.Token, error) {
	token, err := x.token()
	if errors.Is(err, io.EOF) {
		return nil, damagedWorkbook(x.row.number, "a sheet that breaks off, or is not well formed")
	}
	return token, err
}

func (x *sheetXML) readCell(start xml.StartElement) error {
	cell := sheetCell{}
	if n := len(x.row.cells); n > 0 {
		cell.column = x.row.cells[n-1].column + 1
	}
	first := cell.column
	for _, attribute := range start.Attr {
		if attribute.Name.Space != "" {
			continue
		}
		ok := true
		switch attribute.Name.Local {
		case "r":
			cell.column, ok = columnOf(attribute.Value, x.row.number)
		case "t":
			cell.kind = attribute.Value
		case "s":
			var err error
			cell.style, err = strconv.Atoi(attribute.Value)
			ok = err == nil && cell.style >= 0
		}
		if !ok {
			return damagedWorkbook(x.row.number, "a cell that is not where it should be")
		}
	}
	if cell.column < first || cell.column >= maxSheetColumn {
		return damagedWorkbook(x.row.number, "cells out of order")
	}
	outer := x.depth
	var into *string
	child := "" // the element of the cell that is open
	for {
		token, err := x.inside()
		if err != nil {
			return err
		}
		switch element := token.(type) {
		case xml.StartElement:
			name := element.Name.Local
			switch {
			case x.depth == outer+1:
				child = name
				switch name {
				case "v":
					if cell.hasValue {
						return damagedWorkbook(x.row.number, "a cell with two values")
					}
					cell.hasValue, into = true, &cell.value
				case "f":
					cell.hasFormula = true
				}
			case child == "v":
				return damagedWorkbook(x.row.number, "a cell whose value cannot be read")
			case child == "is" && name == "rPh": // how it is pronounced
				if err := x.skip(); err != nil {
					return err
				}
			case child == "is" && name == "t":
				into = &cell.inline
			}
		case xml.CharData:
			if into != nil {
				*into += string(element)
			}
		case xml.EndElement:
			into = nil
			if x.depth < outer {
				x.row.cells = append(x.row.cells, cell)
				return nil
			}
		}
	}
}

// skip passes over what is in the element that is open.
func (x *sheetXML) skip() error {
	outer := x.depth
	for x.depth >= outer {
		if _, err := x.inside(); err != nil {
			return err
		}
	}
	return nil
}

// columnOf reads the column of a cell's reference, such as C7, which must be in
// the given row.
func columnOf(reference string, row int) (column int, ok bool) {
	letters := 0
	for letters < len(reference) && reference[letters] >= 'A' && reference[letters] <= 'Z' && letters < 4 {
		column = 26*column + int(reference[letters]-'A') + 1
		letters++
	}
	return column - 1, letters > 0 && letters < 4 && reference[letters:] == strconv.Itoa(row)
}
