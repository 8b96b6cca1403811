// Package sql holds the pipeline: numbered files, one table each, run in the
// order of their names, and the checks that must find nothing afterwards. Besides:
// diff/, which compares two published periods, and ask/, for someone who asks
// about one patient.
package sql

import "embed"

// Files are the numbered files, checks/, diff/ and ask/.
//
//go:embed *.sql checks/*.sql diff/*.sql ask/*.sql
var Files embed.FS
