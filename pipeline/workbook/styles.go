package workbook

import "github.com/xuri/excelize/v2"

// style is how cells of a kind look, or one of the few looks that are no kind's.
type style struct {
	kind    kind
	isTotal bool
	look    look
}

// look is how cells are that are no list's.
type look string

const (
	heading look = "heading"
	header  look = "header"
	label   look = "label"
	wrapped look = "wrapped"

	numberHeader look = "header of numbers"
	middleHeader look = "header of single words"
)

func (w *writing) look(of look) int { return w.styles[style{look: of}] }

func (w *writing) ofKind(of kind) int { return w.styles[style{kind: of}] }

func (w *writing) ofTotal(of kind) int { return w.styles[style{kind: of, isTotal: true}] }

// addStyles makes every style that the sheets use.
func (w *writing) addStyles() error {
	w.styles = map[style]int{}
	add := func(key style, of excelize.Style) error {
		id, err := w.file.NewStyle(&of)
		w.styles[key] = id
		return err
	}
	formats := map[kind]string{
		whole: "#,##0", decimal: "#,##0.00", share: "0.0%", money: `"£"#,##0.00;[Red]\-"£"#,##0.00`, day: "d mmm yyyy", month: "mmm yyyy",
	}
	const face, size = "Calibri", 10
	line := []excelize.Border{{Type: "bottom", Color: "D9D9D9", Style: 1}}
	wash := excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"EEF3F8"}}
	for kind := text; kind <= yesNo; kind++ {
		plain := excelize.Style{Border: line, Alignment: &excelize.Alignment{Vertical: "top"}, Font: &excelize.Font{Family: face, Size: size}}
		if format, ok := formats[kind]; ok {
			plain.CustomNumFmt = &format
		}
		if kind == yesNo {
			plain.Alignment.Horizontal = "center"
		}
		if err := add(style{kind: kind}, plain); err != nil {
			return err
		}
		plain.Font, plain.Fill = &excelize.Font{Bold: true, Family: face, Size: size}, wash
		if err := add(style{kind: kind, isTotal: true}, plain); err != nil {
			return err
		}
	}
	white, blue := &excelize.Font{Bold: true, Family: face, Size: size, Color: "FFFFFF"}, excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"003087"}}
	for _, each := range []struct { // in one order, so that they have the same numbers each time
		look look
		of   excelize.Style
	}{
		{heading, excelize.Style{Font: &excelize.Font{Bold: true, Family: face, Size: 14, Color: "003087"}}},
		{header, excelize.Style{Font: white, Fill: blue, Alignment: &excelize.Alignment{WrapText: true, Vertical: "center"}}},
		{numberHeader, excelize.Style{Font: white, Fill: blue, Alignment: &excelize.Alignment{WrapText: true, Vertical: "center", Horizontal: "right"}}},
		{middleHeader, excelize.Style{Font: white, Fill: blue, Alignment: &excelize.Alignment{WrapText: true, Vertical: "center", Horizontal: "center"}}},
		{label, excelize.Style{Font: &excelize.Font{Bold: true, Family: face, Size: size}, Fill: wash, Border: line, Alignment: &excelize.Alignment{Vertical: "top"}}},
		{wrapped, excelize.Style{Font: &excelize.Font{Family: face, Size: size}, Alignment: &excelize.Alignment{WrapText: true, Vertical: "top"}, Border: line}},
	} {
		if err := add(style{look: each.look}, each.of); err != nil {
			return err
		}
	}
	return nil
}
