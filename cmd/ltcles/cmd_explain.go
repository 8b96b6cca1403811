package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"ltcles/pipeline"
	"ltcles/pipeline/civil"
	"ltcles/pipeline/emis"
	"ltcles/pipeline/explain"
	"ltcles/pipeline/schema"
	"ltcles/pipeline/workspace"
)

// ExplainOptions are the options of explain.
type ExplainOptions struct {
	PeriodOptions
	NHSNumber   string // - for standard input
	EMISNumber  string // - for standard input
	Practice    string
	Disposition string
	Format      string
	Quiet       bool
}

// AddFlags adds the flags of the options.
func (o *ExplainOptions) AddFlags(flags *pflag.FlagSet) {
	o.PeriodOptions.AddFlags(flags)
	flags.Lookup("as-at").Usage = "the day of the extract (default: as published; else as check takes it)"
	flags.StringVar(&o.NHSNumber, "nhs-number", "", "the patient's NHS number, or - to read it from standard input")
	flags.StringVar(&o.EMISNumber, "emis-number", "", "the patient's EMIS number at --practice, or - to read it from standard input")
	flags.StringVar(&o.Practice, "practice", "", "a practice code; with --disposition also unknown, for the rows of no practice")
	flags.StringVar(&o.Disposition, "disposition", "", "list the rows of --practice that have this disposition")
	flags.StringVar(&o.Format, "format", formatTable, "table, csv (the rows) or json")
	flags.BoolVar(&o.Quiet, "quiet", false, "no progress and no count")
}

func newExplainCommand(s streams) *cobra.Command {
	var options ExplainOptions
	cmd := &cobra.Command{
		Use:   "explain --period P --nhs-number -",
		Short: "Say why one patient is, or is not, counted",
		Long: `Computes the period again from its inbox, as it was published, and says of one
patient: the verdict, each rule, each row with its file and line, and which files
have changed since. Nothing that it prints says who the patient is.

  ltcles explain --period P --nhs-number -
  ltcles explain --period P --practice C --emis-number -
  ltcles explain --period P --practice C --disposition duplicate

Give - and type the number when asked, or pipe it in: a number on the command line
stays in the shell's history, and others on the machine can see it meanwhile.
P may be a supplement to a year end that is published, 2026-27-s1.

` + exitCodes,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("an argument that belongs to no flag; see %s --help", cmd.CommandPath())}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withoutNumbers(runExplain(cmd.Context(), options, s))
		},
	}
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		var invalid *pflag.InvalidValueError
		if errors.As(err, &invalid) {
			return usageError{fmt.Errorf("--%s with a value that is no %s; see %s --help", invalid.GetFlag().Name, invalid.GetFlag().Value.Type(), cmd.CommandPath())}
		}
		return usageError{fmt.Errorf("a flag that is not known or lacks its value; see %s --help", cmd.CommandPath())}
	})
	options.AddFlags(cmd.Flags())
	return cmd
}

// longNumber is what a patient's number may look like in a value that was mistyped.
var longNumber = regexp.MustCompile(`[0-9]{5,}|[0-9]{3}[ -][0-9]{3}[ -][0-9]{4}`)

// withoutNumbers keeps a number that was given to the wrong flag out of the message.
func withoutNumbers(err error) error {
	var usage usageError
	if errors.As(err, &usage) {
		return usageError{errors.New(longNumber.ReplaceAllString(usage.Error(), "…"))}
	}
	return err
}

func runExplain(ctx context.Context, o ExplainOptions, s streams) error {
	if err := o.check(); err != nil {
		return err
	}
	period, w, err := o.openPublished()
	if err != nil {
		return err
	}
	practice := ""
	if o.Disposition != "" && strings.EqualFold(strings.TrimSpace(o.Practice), pipeline.UnknownPractice) {
		practice = pipeline.UnknownPractice
	} else if o.Practice != "" {
		if practice, err = knownPractice(w, period, o.Practice); err != nil {
			return err
		}
	}
	bar := newProgress(s.err, o.Quiet)
	cfg := pipeline.Config{
		Command:   "explain",
		Workspace: w, Period: period, AsAt: o.AsAt, Today: today(), Practice: practice, Threads: o.Threads, Progress: bar.update,
	}
	if o.Disposition != "" {
		return o.list(ctx, cfg, bar, s)
	}
	asked, err := o.asked(w, practice, s)
	if err != nil {
		return err
	}
	explanation, err := pipeline.Explain(ctx, cfg, asked)
	bar.finish()
	if err != nil {
		return err
	}
	switch o.Format {
	case formatJSON:
		return printJSON(s.out, explanation)
	case formatCSV:
		printComputed(s.err, explanation.Computed)
		printPublished(s.err, explanation)
		return writeExplained(s.out, explanation.Rows)
	}
	printExplanation(s.out, explanation)
	return nil
}

// check refuses options that do not go together.
func (o ExplainOptions) check() error {
	switch {
	case o.Format != formatTable && o.Format != formatCSV && o.Format != formatJSON:
		return usageError{fmt.Errorf("--format %q; expected table, csv or json", o.Format)}
	case o.NHSNumber == "" && o.EMISNumber == "" && o.Disposition == "":
		return usageError{errors.New("nobody to explain; give --nhs-number, or --practice with --emis-number or --disposition")}
	case o.NHSNumber != "" && (o.EMISNumber != "" || o.Practice != "" || o.Disposition != ""):
		return usageError{errors.New("--nhs-number with another that says what to explain; an NHS number is the patient everywhere, so leave the others out")}
	case o.EMISNumber != "" && o.Disposition != "":
		return usageError{errors.New("--emis-number with --disposition; give one of them")}
	case o.NHSNumber == "" && o.Practice == "":
		return usageError{errors.New("no practice; give --practice and a practice code")}
	case o.Disposition != "" && !slices.ContainsFunc(schema.Dispositions(), func(d schema.Disposition) bool { return d.Name == o.Disposition }):
		return usageError{fmt.Errorf("--disposition %q; expected one of %s", o.Disposition, strings.Join(dispositionNames(), ", "))}
	}
	return nil
}

func dispositionNames() (names []string) {
	for _, disposition := range schema.Dispositions() {
		names = append(names, disposition.Name)
	}
	return names
}

// asked reads the number, as the files' are read (R1), and no message repeats it.
func (o ExplainOptions) asked(w *workspace.Workspace, practice string, s streams) (pipeline.Asked, error) {
	cell, err := o.number(s)
	defer clear(cell)
	if err != nil {
		return pipeline.Asked{}, err
	}
	if practice != "" {
		number := emis.ReadEMISNumber(nil, cell)
		if len(number) == 0 {
			return pipeline.Asked{}, usageError{errors.New("no EMIS number; expected the practice's number of the patient")}
		}
		return pipeline.Asked{Practice: practice, Number: number}, nil
	}
	number, state := emis.ReadNHSNumber(nil, cell, w.Settings.AllowTestNHSNumbers)
	switch state {
	case emis.Valid:
		return pipeline.Asked{Number: number}, nil
	case emis.TestRange:
		return pipeline.Asked{}, usageError{errors.New("the NHS number is in the 999 test range, whose every row is rejected here (nhs_number_test_range); for synthetic data set allow_test_nhs_numbers in ltcles.yaml")}
	case emis.Blank:
		return pipeline.Asked{}, usageError{errors.New("no NHS number; expected ten digits")}
	}
	return pipeline.Asked{}, usageError{errors.New("the NHS number is not valid; expected ten digits, the last of which is the right check digit")}
}

// number is the number as it was typed: the flag's, or the line of standard input.
func (o ExplainOptions) number(s streams) ([]byte, error) {
	typed := o.NHSNumber + o.EMISNumber // one of them
	if typed != "-" {
		return []byte(typed), nil
	}
	if isTerminal(s.in) {
		fmt.Fprint(s.err, "number: ")
	}
	in := bufio.NewReaderSize(s.in, 4096)
	line, err := in.ReadSlice('\n')
	defer clear(line) // the reader's own buffer
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, usageError{errors.New("standard input has no line that is a number")}
	}
	number := bytes.Clone(line)
	if more, _ := in.Peek(in.Buffered()); len(bytes.TrimSpace(more)) > 0 {
		clear(more)
		return number, usageError{errors.New("standard input has more than one line; expected one number")}
	}
	return number, nil
}

// list lists the rows of a practice that have one disposition.
func (o ExplainOptions) list(ctx context.Context, cfg pipeline.Config, bar *progress, s streams) error {
	var disposition schema.Disposition
	for _, known := range schema.Dispositions() {
		if known.Name == o.Disposition {
			disposition = known
		}
	}
	list, err := pipeline.ListRows(ctx, cfg, disposition)
	bar.finish()
	if err != nil {
		return err
	}
	if o.Format == formatJSON {
		return printJSON(s.out, list)
	}
	if !o.Quiet {
		of := list.Practice
		if of == pipeline.UnknownPractice {
			of = "no known practice"
		}
		fmt.Fprintf(s.err, "%s of %s: %s\n", counted(len(list.Rows), disposition.Name+" row"), of, disposition.Meaning)
	}
	printComputed(s.err, list.Computed)
	if o.Format == formatCSV {
		return writeTable(s.out, []string{"file", "line", "event"}, len(list.Rows), func(i int) []string { return positionCells(&list.Rows[i]) })
	}
	out := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "file\tline\tevent")
	for _, row := range list.Rows {
		fmt.Fprintln(out, strings.Join(positionCells(&row), "\t"))
	}
	return out.Flush()
}

func printJSON(to io.Writer, value any) error {
	out := json.NewEncoder(to)
	out.SetIndent("", "  ")
	out.SetEscapeHTML(false)
	return out.Encode(value)
}

func printExplanation(to io.Writer, e *pipeline.Explanation) {
	fmt.Fprintf(to, "%s\n", e.Verdict.Sentence)
	fmt.Fprintln(to, "\nrules")
	out := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	for _, rule := range e.Rules {
		fmt.Fprintf(out, "  %s\t%s\t%s\t%s\n", rule.Rule, strings.TrimSpace(rule.Title+" "+rule.Practice), rule.Result, rule.Reason)
	}
	out.Flush()
	if len(e.Rows) > 0 {
		printExplainedRows(to, e.Rows)
	}
	fmt.Fprintln(to)
	printComputed(to, e.Computed)
	printPublished(to, e)
}

func printExplainedRows(to io.Writer, rows []explain.Row) {
	fmt.Fprintln(to, "\nrows")
	out := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "  row\tpractice\tactivity\trecorded\tdisposition\tcode\tstatus\tevent\tline\tfile")
	met, numbers := map[string]bool{}, map[explain.Position]int{}
	for i, row := range rows {
		met[row.Disposition] = true
		numbers[row.Position()] = i + 1
	}
	for i, row := range rows {
		fmt.Fprintf(out, "  %d\t%s\t%s\t%s\t%s\t%s\t%s\t%d\t%d\t%s\n", i+1, cmp.Or(row.Practice, "-"), cmp.Or(explain.Day(row.Activity), "-"),
			cmp.Or(explain.Day(row.Recorded), "-"), disposed(row, numbers), cmp.Or(row.Term, "-"), cmp.Or(statusOf(row), "-"), row.Event, row.Line, row.File)
	}
	out.Flush()
	fmt.Fprintln(to, "\ndispositions")
	advice := schema.Rejections()
	for _, disposition := range schema.Dispositions() {
		if met[disposition.Name] {
			fmt.Fprintf(to, "  %s: %s\n", disposition.Name, strings.TrimSpace(disposition.Meaning+" "+advice[disposition.Name].Fix))
		}
	}
}

// disposed is a row's disposition, of a duplicate with the row in its place, of a
// rejected row with what is to be mended.
func disposed(row explain.Row, numbers map[explain.Position]int) string {
	switch {
	case row.Kept != nil:
		return fmt.Sprintf("%s of row %d", row.Disposition, numbers[*row.Kept])
	case row.Field != "":
		return fmt.Sprintf("%s (%s)", row.Disposition, row.Field)
	}
	return row.Disposition
}

// statusOf is what a row tells of the patient's registration.
func statusOf(row explain.Row) string {
	var words []string
	for _, told := range []struct {
		word string
		date civil.Date
	}{{"registered", row.Registered}, {"deducted", row.Deducted}, {"died", row.Death}} {
		if !told.date.IsNone() {
			words = append(words, told.word+" "+explain.Day(told.date))
		}
	}
	for _, text := range []struct{ of, meaning string }{{"type", row.Type}, {"status", row.Status}} {
		if text.meaning != "" && text.meaning != string(emis.Blank) {
			words = append(words, text.of+" means "+strings.ReplaceAll(text.meaning, "_", " "))
		}
	}
	if row.IsDummy {
		words = append(words, "dummy patient")
	}
	return strings.Join(words, ", ")
}

// printComputed says what was computed, and how it stands to what is published.
func printComputed(to io.Writer, c pipeline.Computed) {
	from := ""
	if c.AsAtFrom != "given" {
		from = " (" + c.AsAtFrom + ")"
	}
	published := c.Standing.Published
	switch {
	case published == nil:
		fmt.Fprintf(to, "%s is not published: computed from its inbox, as at %s%s, cut-off %s\n", c.Period, c.AsAt, from, c.CutOff)
	case c.Standing.IsSame:
		fmt.Fprintf(to, "computed as published: %s, as at %s, cut-off %s, run %s\n", c.Period, c.AsAt, c.CutOff, c.RunID)
	default:
		fmt.Fprintf(to, "not computed as published: %s, as at %s, cut-off %s; published is run %s, as at %s\n", c.Period, c.AsAt, c.CutOff, published.RunID, published.AsAt)
		printChanges(to, c.Standing.Changes)
	}
	for _, file := range c.Unread {
		fmt.Fprintf(to, "%s could not be read, so nothing is told of what it holds: %s\n", file.File, file.Message)
	}
}

// printChanges names the files that have changed, or says that none has.
func printChanges(to io.Writer, changes []pipeline.Change) {
	if len(changes) == 0 {
		fmt.Fprintln(to, "no file has changed since; as-at, the program or an earlier period that was consulted has")
		return
	}
	fmt.Fprintf(to, "%s changed since\n", counted(len(changes), "file"))
	for i, change := range changes {
		if i == manyLines {
			fmt.Fprintf(to, "  and %s more; --format json lists them\n", counted(len(changes)-i, "file"))
			return
		}
		fmt.Fprintf(to, "  %s: %s\n", change.What, change.File)
	}
}

// printPublished says both where the patient's published assessment is another.
func printPublished(to io.Writer, e *pipeline.Explanation) {
	if e.Differs {
		fmt.Fprintf(to, "published: %s\ncomputed now: %s\n", e.Published.Told(), e.Verdict.Assessment.Told())
	}
}

// writeExplained writes the rows as CSV.
func writeExplained(to io.Writer, rows []explain.Row) error {
	advice, meanings := schema.Rejections(), map[string]string{}
	for _, disposition := range schema.Dispositions() {
		meanings[disposition.Name] = disposition.Meaning
	}
	header := []string{
		"file", "line", "event", "practice_code", "code", "term", "activity_date", "recorded_date", "registered_date", "deducted_date", "death_date",
		"disposition", "outcome", "field", "kept_file", "kept_line", "kept_event", "meaning", "fix",
	}
	return writeTable(to, header, len(rows), func(i int) []string {
		row := rows[i]
		position := row.Position()
		cells := positionCells(&position)
		cells = append(cells, row.Practice, row.Code, row.Term, row.Activity.String(), row.Recorded.String(),
			row.Registered.String(), row.Deducted.String(), row.Death.String(), row.Disposition, row.Outcome, row.Field)
		return append(append(cells, positionCells(row.Kept)...), meanings[row.Disposition], advice[row.Disposition].Fix)
	})
}

// positionCells are a row's file, line and event; blank for no row.
func positionCells(p *explain.Position) []string {
	if p == nil {
		return []string{"", "", ""}
	}
	return []string{p.File, strconv.Itoa(p.Line), strconv.Itoa(p.Event)}
}
