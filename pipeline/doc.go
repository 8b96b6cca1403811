// Package pipeline takes a period from the files in its inbox to published
// Parquet. The flow, one file of this package for each step:
//
//	inbox/<period>/**      what arrived
//	  ingest.go            each file is inspected, read, pseudonymised and
//	                       written as one staged Parquet file
//	  transform.go         sql/ runs over the staged files, in the order of its
//	                       names: raw_ → stg_ → int_ → mart_, then the checks;
//	                       rows in = rows out after every step
//	  fitness.go           is this fit to be published?
//	  publish.go           mart_ tables → Parquet → snapshot → one atomic step
//	  report.go            what the run says of itself
//
// The words: a search export, a register and a batch-add file are kinds of
// file; an input row is one event of one line of one (or a line without an
// event); a disposition is what became of a row, and every row has exactly one;
// an assessment is the one claim kept for a patient in a contract year; it is
// counted if it is in at least one segment; as-at is the day the extract was
// taken and the cut-off is the earlier of as-at and the period's last day.
//
// The package knows the order of the work and that rows are conserved. What a
// file looks like is emis's, the rules are sql's, the figures of a contract year
// are contract's.
package pipeline
