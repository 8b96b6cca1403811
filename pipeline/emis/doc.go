// Package emis turns the files that practices send into rows.
//
// It knows what EMIS files look like: encodings, delimiters, report preambles,
// one and two header rows, continuation lines, footers, what a cell of each
// field may hold. It refuses to know the contract: which codes and practices
// exist and what a status text means are handed to it, and it judges no row.
//
// The way in is [Inspector.Inspect], which looks at a whole file once and
// decides what it is, and [Reader.Read], which turns an inspected file into
// rows; the files of a bulk extract are read together, by [Reader.OpenExtract].
// One file of this package per shape:
//
//	delimited.go   search exports, registers and batch-add files as text
//	list.go        headerless NHS-number lists
//	bulk.go        the tables of a bulk extract, whose rows bulk_read.go reads
//	workbook.go    any of these as .xlsx, their cells in sheetxml.go
//	archive.go     any of these in a ZIP archive: its members are files of the inbox
//
// Whatever a file holds, every physical record after its header becomes at
// least one [Row], and nothing here ever prints the text of a cell.
package emis
