package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ltcles/pipeline"
	"ltcles/pipeline/civil"
	"ltcles/pipeline/config"
	"ltcles/pipeline/emis"
	"ltcles/pipeline/snapshot"
	"ltcles/pipeline/unexpected"
)

// The exit codes (SPEC §4).
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitNotFit      = 3
	exitUnverified  = 4
	exitDifferent   = 5
	exitInterrupted = 130
)

const exitCodes = `Exit codes:
  0    done; warnings are allowed
  1    an unexpected failure; where readers see a new snapshot all the same, a message says so
  2    the call or the workspace is at fault
  3    the data is not fit to publish; nothing changed
  4    verification failed
  5    there are differences (diff --fail-if-different)
  130  interrupted`

// streams are where a command reads and writes: data goes to out, messages to err.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// usageError is a call that cannot be carried out as it was typed.
type usageError struct{ error }

// unverifiedError says that what is published is not what it should be.
type unverifiedError struct{ problems int }

func (e unverifiedError) Error() string {
	return "verification failed: " + counted(e.problems, "problem")
}

// differentError says that there are differences, where that was to be a failure.
type differentError struct{ differences int }

func (e differentError) Error() string { return counted(e.differences, "difference") + " found" }

// publishedError is what went wrong once readers saw the new snapshot.
type publishedError struct {
	error
	snapshot string
}

// afterCommit is an error of a command that publishes, with the snapshot that
// readers see all the same; "" where they do not.
func afterCommit(snapshot string, err error) error {
	if err == nil || snapshot == "" {
		return err
	}
	return publishedError{err, snapshot}
}

// execute runs a command line and returns the exit code.
func execute(ctx context.Context, args []string, s streams) int {
	out := &told{to: s.out}
	s.out = out
	root := newRootCommand(s)
	root.SetArgs(args)
	err := guarded(func() error { return root.ExecuteContext(ctx) })
	if err == nil && out.failed != nil {
		err = fmt.Errorf("write to standard output: %w; what was asked for is done all the same, and what that publishes is published all the same", out.failed)
	}
	if err != nil {
		for _, line := range messages(err) {
			masked, _ := emis.MaskNHSNumbers(line) // of a patient, in what was typed
			fmt.Fprintln(s.err, "ltcles: "+masked)
		}
	}
	return exitCode(err)
}

// told writes what a command tells, and remembers that some of it was not taken.
type told struct {
	to     io.Writer
	failed error
}

func (t *told) Write(text []byte) (n int, err error) {
	n, err = t.to.Write(text)
	if t.failed == nil {
		t.failed = err
	}
	return n, err
}

// guarded makes a panic of a command its error.
func guarded(command func() error) (err error) {
	defer unexpected.Panic(&err)
	return command()
}

// messages are the lines of an error, one for each problem.
func messages(err error) []string {
	var beside publishedError
	if errors.As(err, &beside) {
		return append(strings.Split(err.Error(), "\n"), beside.snapshot+" is published all the same: readers see it")
	}
	if errors.Is(err, context.Canceled) {
		return []string{"interrupted; nothing was published"}
	}
	var lines []string
	notFit := false
	for _, each := range joined(err) {
		var unfit *pipeline.NotFitError
		if errors.As(each, &unfit) {
			lines, notFit = append(lines, unfit.Reasons...), true
			continue
		}
		lines = append(lines, strings.Split(each.Error(), "\n")...)
		var failure *unexpected.Failure
		if errors.As(each, &failure) {
			lines[len(lines)-1] += "; nothing was published; report this line: it holds nothing of a patient"
		}
	}
	if notFit {
		lines = append(lines, "nothing was published: the data is not fit")
	}
	return lines
}

// joined takes apart what errors.Join put together.
func joined(err error) []error {
	several, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var all []error
	for _, each := range several.Unwrap() {
		all = append(all, joined(each)...)
	}
	return all
}

func exitCode(err error) int {
	var notFit *pipeline.NotFitError
	var usage usageError
	var problem *config.Problem
	var unverified unverifiedError
	var different differentError
	var beside publishedError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &beside):
		return exitFailed
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.As(err, &unverified), errors.Is(err, snapshot.ErrDamaged):
		return exitUnverified
	case errors.As(err, &different):
		return exitDifferent
	case errors.As(err, &usage), errors.As(err, &problem):
		return exitUsage // whatever the data is like, this comes first
	case errors.As(err, &notFit):
		return exitNotFit
	}
	return exitFailed
}

func newRootCommand(s streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "ltcles",
		Short: "EMIS search exports of the LTC LES contract in, trustworthy Parquet out",
		Long: `ltcles reads the EMIS search exports, registers and batch-add files of a period,
keeps one assessment per patient and contract year, counts the segments, and
publishes Parquet. No row is lost: every one has a disposition.

` + exitCodes,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          noCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		if named := cmd.Flags().Args(); cmd.HasSubCommands() && len(named) > 0 {
			return noCommand(cmd, named) // whose flags they are nobody knows
		}
		return usageError{fmt.Errorf("%w; see %s --help", err, cmd.CommandPath())}
	})
	root.SetHelpCommand(newHelpCommand())
	root.AddCommand(
		newInitCommand(s),
		newDemoCommand(s),
		newCheckCommand(s),
		newRunCommand(s),
		newFreezeCommand(s),
		newRejectsCommand(s),
		newExplainCommand(s),
		newDiffCommand(s),
		newVerifyCommand(s),
		newReportCommand(s),
		newLettersCommand(s),
		newWorkbookCommand(s),
		newCodesCommand(s),
		newDictionaryCommand(s),
		newConnectCommand(s),
		newMDTCommand(s),
		newDoctorCommand(s),
		newPurgeCommand(s),
		newRekeyCommand(s),
		newVersionCommand(s),
	)
	return root
}

func noCommand(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("unknown command %q; see %s --help", args[0], cmd.CommandPath())}
	}
	return nil
}

// noArguments refuses arguments.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("unexpected argument %q; see %s --help", args[0], cmd.CommandPath())}
	}
	return nil
}

// oneFolder asks for one argument, the folder to make.
func oneFolder(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) == 0 || args[0] == "":
		return usageError{fmt.Errorf("no folder; give one to make: %s DIR", cmd.CommandPath())}
	case len(args) > 1:
		return noArguments(cmd, args[1:])
	}
	return nil
}

// newHelpCommand is cobra's, but for a topic that does not exist: that is a
// usage error, as it is without help before it.
func newHelpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "help [command]",
		Short: "Help about any command",
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			if err != nil {
				return err
			}
			if err := noCommand(about, rest); err != nil {
				return err
			}
			about.InitDefaultHelpFlag()
			return about.Help()
		},
	}
}

// dateFlag is a flag that holds a day, None where it was not given.
type dateFlag struct{ date *civil.Date }

func (f dateFlag) String() string {
	if f.date == nil {
		return ""
	}
	return f.date.String()
}

func (f dateFlag) Set(text string) error {
	day, err := civil.Parse(text)
	if err != nil {
		return err
	}
	*f.date = day
	return nil
}

func (f dateFlag) Type() string { return "yyyy-mm-dd" }

func today() civil.Date { return civil.FromTime(time.Now()) }
