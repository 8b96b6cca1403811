package main

// The formats that a command can write its answer in.
const (
	formatTable    = "table"
	formatCSV      = "csv"
	formatJSON     = "json"
	formatXLSX     = "xlsx"
	formatMarkdown = "markdown"
	formatHTML     = "html"
)
