// Package sql holds the pipeline: numbered files, one table each, run in the
// order of their names, the checks that must find nothing afterwards, and what
// compares two published periods.
package sql

import "embed"

// Files are the numbered files, checks/ and diff/.
//
//go:embed *.sql checks/*.sql diff/*.sql
var Files embed.FS
