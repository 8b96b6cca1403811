// Package sql holds the pipeline: numbered files, one table each, run in the
// order of their names, and the checks that must find nothing afterwards.
package sql

import "embed"

// Files are the numbered files and checks/.
//
//go:embed *.sql checks/*.sql
var Files embed.FS
