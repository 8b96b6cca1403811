package main

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"ltcles/pipeline"
	"ltcles/pipeline/contract"
	"ltcles/pipeline/emis"
	"ltcles/pipeline/schema"
)

// manyLines is how many lines a section may have before it is shortened to what
// a person can act on. The practices' balance lines are always shown in full.
const manyLines = 40

// printReport prints what a person wants to know after a run: each file's
// verdict, each practice's balance, the findings, and what was published where.
// Why a file stops the run is not among it: that is the run's error.
func printReport(to io.Writer, report *pipeline.Report, o RunOptions, publish bool) error {
	if report.RunID == "" {
		return nil
	}
	if report.Unchanged {
		printUnchanged(to, report)
		return nil
	}
	rejected, err := readRejected(filepath.Join(report.RunDir, "rejects.csv"))
	if err != nil {
		return err
	}
	fmt.Fprintf(to, "period %s, as at %s, cut-off %s, run %s\n", report.Period, asAt(report), report.CutOff, report.RunID)
	switch {
	case len(report.Files) > 0 && o.Practice != "":
		printPractice(to, report, o.Practice)
	case len(report.Files) > 0:
		printFiles(to, report.Files)
		printLines(to, report.Files)
		printRejected(to, rejected)
		printPractices(to, report.Practices)
		if publish && len(report.Findings) > manyLines {
			printChecks(to, report.Findings)
		} else {
			printFindings(to, report)
		}
		printRows(to, report)
		printDue(to, report, "")
	}
	if len(report.Strays) > 0 {
		fmt.Fprintf(to, "in the inbox, of no period, and not read: %s\n", strings.Join(report.Strays, ", "))
	}
	for _, accepted := range report.Accepted {
		fmt.Fprintf(to, "accepted as it is: %s\n", accepted.Reason)
	}
	for _, unmatched := range report.Unmatched {
		fmt.Fprintln(to, unmatched)
	}
	switch {
	case report.Snapshot != "":
		fmt.Fprintf(to, "published %s\n", filepath.Join(o.Workspace, "published", "snapshots", report.Snapshot))
		printShown(to, report)
	case !publish && len(report.Unfit) == 0 && len(report.Files) > 0:
		fmt.Fprintln(to, "fit to publish; nothing was published by check")
	}
	if report.RunDir != "" {
		fmt.Fprintf(to, "log, summary and rejected rows: %s\n", report.RunDir)
	}
	return nil
}

// inboxPeriod is the period whose inbox a report is of: a supplement's is the year end's.
func inboxPeriod(report *pipeline.Report) string {
	period, err := contract.ParsePublished(report.Period)
	if err != nil {
		return report.Period
	}
	return period.Supplement(0).String()
}

func printUnchanged(to io.Writer, report *pipeline.Report) {
	is := "published"
	if report.Freeze != nil {
		is = "frozen"
	}
	fmt.Fprintf(to, "%s is already %s from the same inputs (%s); nothing changed\n", report.Period, is, report.RunID)
}

// printShown says where to find a period that published/current does not show.
func printShown(to io.Writer, report *pipeline.Report) {
	if report.Shows == report.Period {
		return
	}
	which := "the later period of its year"
	if period, err := contract.ParsePublished(report.Period); err == nil && period.IsSupplement() {
		which = "the year end as it was frozen"
	}
	fmt.Fprintf(to, "published/current still shows %s, %s; %s is in history/<table>/%[3]s.parquet\n", report.Shows, which, report.Period)
}

// asAt is the as-at, and where it comes from unless it was given.
func asAt(report *pipeline.Report) string {
	if report.AsAtFrom == "" || report.AsAtFrom == "given" {
		return report.AsAt.String()
	}
	return fmt.Sprintf("%s (%s)", report.AsAt, report.AsAtFrom)
}

// verdict is a file's fate in a word or two.
func verdict(file pipeline.FileReport) string {
	switch {
	case file.Status != string(emis.Read):
		return file.Status
	case file.RowsRejected > 0:
		return "read, some rows rejected"
	case file.Message != "":
		return "read, with a warning"
	}
	return "read"
}

func printFiles(to io.Writer, files []pipeline.FileReport) {
	fmt.Fprintln(to, "\nfiles")
	listed := files
	if len(files) > manyLines {
		listed = slices.DeleteFunc(slices.Clone(files), func(file pipeline.FileReport) bool { return verdict(file) == "read" })
		fmt.Fprintf(to, "  %d of %d files were read without remark\n", len(files)-len(listed), len(files))
	}
	if len(listed) > 0 {
		out := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
		fmt.Fprintln(out, "  verdict\trows\trejected\tkind\tdialect\theader\tfile")
		for _, file := range listed {
			dialect, header := "-", "-"
			if file.Encoding != "" && file.Delimiter != "" {
				dialect = file.Encoding + ", " + file.Delimiter
			}
			if file.HeaderLine > 0 {
				header = fmt.Sprint(file.HeaderLine)
			}
			fmt.Fprintf(out, "  %s\t%d\t%d\t%s\t%s\t%s\t%s\n", verdict(file), file.RowsRead, file.RowsRejected, file.Kind, dialect, header, file.File)
		}
		out.Flush()
	}
	printMessages(to, listed, len(files) > manyLines)
}

// printMessages prints what else there is to say of each file; where many files
// are listed, what is said of several of them is said once. Why a file is refused
// is the run's error.
func printMessages(to io.Writer, files []pipeline.FileReport, isMany bool) {
	of := map[string][]string{}
	var messages []string
	for _, file := range files {
		if file.Message == "" || file.Status == string(emis.Refused) {
			continue
		}
		if !isMany {
			fmt.Fprintf(to, "  %s: %s\n", file.File, file.Message)
			continue
		}
		if of[file.Message] == nil {
			messages = append(messages, file.Message)
		}
		of[file.Message] = append(of[file.Message], file.File)
	}
	for _, message := range messages {
		first := of[message][0]
		if more := len(of[message]) - 1; more > 0 {
			first += " and " + counted(more, "file") + " more"
		}
		fmt.Fprintf(to, "  %s: %s\n", first, message)
	}
}

// printLines prints what to put into ltcles.yaml so that more of the files is
// understood: one entry for all files that need the same.
func printLines(to io.Writer, files []pipeline.FileReport) {
	var entries []string
	like := map[string]int{}
	first := map[string]string{}
	for _, file := range files {
		_, needed, ok := strings.Cut(file.Lines, "\n")
		if !ok {
			continue
		}
		if like[needed]++; like[needed] == 1 {
			entries, first[needed] = append(entries, needed), file.Lines
		}
	}
	if len(entries) == 0 {
		return
	}
	fmt.Fprintf(to, "\nlines for ltcles.yaml; put the files' own words in the place of those in capitals\nlayouts: # if it is not there already\n")
	for _, needed := range entries {
		if n := like[needed]; n > 1 {
			fmt.Fprintf(to, "  # and %s like it: widen the pattern, * stands for any text but /\n", counted(n-1, "file"))
		}
		fmt.Fprint(to, first[needed])
	}
}

// rejected is what a file's rows were rejected for.
type rejected struct {
	file, line, reason, hint string // line is the first one's
	rows                     int
}

// readRejected counts the rejected rows of a run by file and reason, in the
// order of the list; a run that ended before its rows were judged has none.
func readRejected(path string) ([]rejected, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read rejected rows: %w", err)
	}
	defer file.Close()
	in := csv.NewReader(file)
	in.FieldsPerRecord = 5 // file, line, field, reason, hint
	if _, err := in.Read(); err != nil {
		return nil, fmt.Errorf("read rejected rows: %w", err)
	}
	var counts rejections
	for {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			return counts.found, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read rejected rows: %w", err)
		}
		counts.add(rejected{file: row[0], line: row[1], reason: row[3], hint: row[4]})
	}
}

// rejections count rejected rows by file and reason, in the order in which they come.
type rejections struct {
	found []rejected
	known map[[2]string]int
}

func (r *rejections) add(row rejected) {
	of := [2]string{row.file, row.reason}
	at, seen := r.known[of]
	if !seen {
		if at = len(r.found); at == 0 {
			r.known = map[[2]string]int{}
		}
		r.known[of] = at
		r.found = append(r.found, row)
	}
	r.found[at].rows++
}

func printRejected(to io.Writer, all []rejected) {
	if len(all) == 0 {
		return
	}
	if len(all) <= manyLines {
		fmt.Fprintln(to, "\nrejected rows, by file and first line")
		for _, r := range all {
			fmt.Fprintf(to, "  %s:%s: %s, %s; %s\n", r.file, r.line, r.reason, counted(r.rows, "row"), r.hint)
		}
		return
	}
	fmt.Fprintln(to, "\nrejected rows, by reason")
	var reasons []string
	by := map[string][]rejected{}
	for _, r := range all {
		if by[r.reason] == nil {
			reasons = append(reasons, r.reason)
		}
		by[r.reason] = append(by[r.reason], r)
	}
	slices.Sort(reasons)
	for _, reason := range reasons {
		of, rows := by[reason], 0
		for _, r := range of {
			rows += r.rows
		}
		fmt.Fprintf(to, "  %s, %s in %s, first %s:%s; %s\n", reason, counted(rows, "row"), counted(len(of), "file"), of[0].file, of[0].line, of[0].hint)
	}
}

func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

func printPractices(to io.Writer, practices []pipeline.PracticeReport) {
	fmt.Fprintln(to, "\npractices: rows read = kept + excluded + ignored + rejected")
	out := tabwriter.NewWriter(to, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(out, "practice\tstate\tread\tkept\texcluded\tignored\trejected\tassessments\tcounted\ttarget\t")
	for _, p := range practices {
		name, state := p.Practice, p.State
		if name == "" {
			name, state = pipeline.UnknownPractice, "-"
		}
		fmt.Fprintf(out, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%s\t%s\t%s\t\n", name, state, p.RowsRead, p.Kept, p.Excluded, p.Ignored, p.Rejected,
			orDash(p.Assessments), orDash(p.Counted), orDash(p.Target))
	}
	out.Flush()
}

// orDash shows a number that may not be known; missing is never zero.
func orDash(n *int64) string {
	if n == nil {
		return "-"
	}
	return fmt.Sprint(*n)
}

// printFindings prints every finding by practice, the practice with most money at
// stake first, and what no practice is known of last.
func printFindings(to io.Writer, report *pipeline.Report) {
	findings := slices.Clone(report.Findings)
	for _, practice := range report.Practices {
		if n := practice.RejectedClaims; n > 0 {
			findings = append(findings, pipeline.Finding{Practice: practice.Practice, Severity: schema.Warning, Check: "rejected claim rows", AtStake: n, AtStakePence: practice.Worth(n),
				Message: fmt.Sprintf("%s rejected; ltcles rejects --period %s --practice %s lists them", counted(int(n), "claim row"), inboxPeriod(report), cmp.Or(practice.Practice, pipeline.UnknownPractice))})
		}
	}
	if len(findings) == 0 {
		fmt.Fprintln(to, "\nno findings")
		return
	}
	fmt.Fprintln(to, "\nfindings by practice, most money at stake first: the assessments that its findings and rejected claim rows are about,")
	fmt.Fprintln(to, "and their part of the assessments domain's annual value (one may be in several; a practice without files has all of it at stake)")
	stakes := map[string]pipeline.PracticeReport{}
	for _, practice := range report.Practices {
		stakes[practice.Practice] = practice
	}
	slices.SortStableFunc(findings, func(a, b pipeline.Finding) int {
		return cmp.Or(
			compareBool(a.Practice == "", b.Practice == ""),
			cmp.Compare(orNone(stakes[b.Practice].AtStakePence), orNone(stakes[a.Practice].AtStakePence)),
			cmp.Compare(stakes[b.Practice].AtStake, stakes[a.Practice].AtStake),
			cmp.Compare(a.Practice, b.Practice),
			cmp.Compare(b.AtStake, a.AtStake),
			cmp.Compare(severityRank(a.Severity), severityRank(b.Severity)),
		)
	})
	out := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	for _, finding := range findings {
		fmt.Fprintf(out, "  %s\t%s\t%s\t%s\t%s\n", cmp.Or(finding.Practice, "-"), finding.Severity, finding.Check, atStake(finding), finding.Message)
	}
	out.Flush()
}

// atStake is the assessments that a finding is about, and what they are worth where
// that is known.
func atStake(finding pipeline.Finding) string {
	switch {
	case finding.AtStake == 0:
		return "-"
	case finding.AtStakePence == nil:
		return fmt.Sprintf("%d at stake", finding.AtStake)
	}
	return fmt.Sprintf("%d at stake, £%d.%02d", finding.AtStake, *finding.AtStakePence/100, *finding.AtStakePence%100)
}

// orNone sorts what is not known with nothing.
func orNone(pence *int64) int64 {
	if pence == nil {
		return 0
	}
	return *pence
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

func severityRank(severity string) int {
	return slices.Index([]string{schema.Error, schema.Warning, schema.Info}, severity)
}

// printPractice prints what concerns one practice: its balance line, its findings
// with meaning and fix, its rejected rows and its files.
func printPractice(to io.Writer, report *pipeline.Report, practice string) {
	isOther := func(p pipeline.PracticeReport) bool { return p.Practice != practice }
	balance := slices.DeleteFunc(slices.Clone(report.Practices), isOther)
	printPractices(to, balance)
	findings := slices.DeleteFunc(slices.Clone(report.Findings), func(f pipeline.Finding) bool { return f.Practice != practice })
	slices.SortStableFunc(findings, func(a, b pipeline.Finding) int {
		return cmp.Or(cmp.Compare(b.AtStake, a.AtStake), cmp.Compare(severityRank(a.Severity), severityRank(b.Severity)))
	})
	about := map[string]schema.Check{}
	for _, check := range schema.Findings() {
		about[check.Name] = check
	}
	if len(findings) == 0 {
		fmt.Fprintln(to, "\nno findings")
	} else {
		fmt.Fprintln(to, "\nfindings, most at stake first")
	}
	for _, finding := range findings {
		check := about[finding.Check]
		fmt.Fprintf(to, "  %s: %s: %s (%s)\n", finding.Severity, finding.Check, finding.Message, cmp.Or(strings.TrimPrefix(atStake(finding), "-"), "no assessment at stake"))
		fmt.Fprintf(to, "    meaning: %s\n    fix: %s\n", check.Meaning, check.Fix)
	}
	printRejected(to, rejectedOf(report.ToMend))
	files := slices.DeleteFunc(slices.Clone(report.Files), func(file pipeline.FileReport) bool { return !isOf(file, practice) })
	if len(files) == 0 {
		fmt.Fprintln(to, "\nno files")
	} else {
		printFiles(to, files)
		printLines(to, files)
	}
	printDue(to, report, practice)
	fmt.Fprintln(to)
}

// rejectedOf counts the rejected ones of rows.
func rejectedOf(rows []pipeline.RowReport) []rejected {
	var counts rejections
	for _, row := range rows {
		if !row.IsFinding {
			counts.add(rejected{file: row.File, line: strconv.Itoa(row.Line), reason: row.Reason, hint: row.Fix})
		}
	}
	return counts.found
}

// namedPractices is how many practices a finding names before it only counts.
const namedPractices = 6

// printChecks prints one line for each check that found something, the errors
// first, with the practices that it concerns.
func printChecks(to io.Writer, findings []pipeline.Finding) {
	fmt.Fprintln(to, "\nfindings, by check; each practice's own are in the run's summary.json and in fact_finding")
	practices := map[string][]string{}
	for _, finding := range findings {
		practices[finding.Check] = append(practices[finding.Check], cmp.Or(finding.Practice, "no one practice"))
	}
	for _, severity := range []string{schema.Error, schema.Warning, schema.Info} {
		for _, check := range schema.Findings() {
			named := practices[check.Name]
			if check.Severity != severity || len(named) == 0 {
				continue
			}
			more := ""
			if len(named) > namedPractices {
				more = fmt.Sprintf(" and %d more", len(named)-namedPractices)
				named = named[:namedPractices]
			}
			fmt.Fprintf(to, "  %s: %s: %s%s: %s %s\n", check.Severity, check.Name, strings.Join(named, ", "), more, check.Meaning, check.Fix)
		}
	}
}

func printRows(to io.Writer, report *pipeline.Report) {
	fmt.Fprintf(to, "\nrows read %d\n", report.RowsRead)
	out := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	for _, rows := range report.Rows {
		fmt.Fprintf(out, "  %s\t%s\t%d\n", rows.Group, rows.Disposition, rows.Rows)
	}
	out.Flush()
	fmt.Fprintln(to)
}
