// Package spreadsheet knows what a spreadsheet makes of the cells of a CSV file.
package spreadsheet

import "strings"

// Text is a cell that no spreadsheet takes for a formula, whatever the text begins with.
func Text(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}
