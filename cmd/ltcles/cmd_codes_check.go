package main

import (
	"archive/zip"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"ltcles/pipeline/contract"
	"ltcles/snomed"
)

// CodesCheckOptions are the options of codes check.
type CodesCheckOptions struct {
	CodesOptions
	RF2    string
	Format string
}

// AddFlags adds the flags of the options.
func (o *CodesCheckOptions) AddFlags(flags *pflag.FlagSet) {
	o.CodesOptions.AddFlags(flags)
	flags.StringVar(&o.RF2, "rf2", "", "the folder of a SNOMED CT release in RF2, unpacked or with its ZIP files in it (required)")
	flags.StringVar(&o.Format, "format", formatTable, "table, csv or json")
}

func newCodesCheckCommand(s streams) *cobra.Command {
	var options CodesCheckOptions
	cmd := &cobra.Command{
		Use:   "check --rf2 DIR",
		Short: "Say how each code of the code book stands in a SNOMED CT release",
		Long: `Reads the release's snapshot files, or its full ones where there is no snapshot, and says of
each code whether it is active, since when, in which module, what it is called, whether that
is what the code book calls it, and what replaces it where it is inactive. Several editions
may lie side by side in the folder, such as the International and the UK one.

The exit code is 4 where a code is inactive or not in the release. A term that the release
does not have for its code is named and fails nothing, since a contract may use words of its
own; it may also be another concept's, so look at it.

` + exitCodes,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return runCodesCheck(cmd.Context(), options, s) },
	}
	options.AddFlags(cmd.Flags())
	return cmd
}

func runCodesCheck(ctx context.Context, o CodesCheckOptions, s streams) error {
	write, ok := map[string]func(io.Writer, []standing) error{
		formatTable: printStandings, formatCSV: writeStandings, formatJSON: encodeStandings,
	}[o.Format]
	switch {
	case !ok:
		return usageError{fmt.Errorf("--format %q; expected table, csv or json", o.Format)}
	case o.RF2 == "":
		return usageError{errors.New("no release; give --rf2 and the folder of a SNOMED CT release")}
	}
	contracts, err := o.contracts()
	if err != nil {
		return err
	}
	standings := codeBook(contracts)
	var codes []snomed.Code
	for _, each := range standings {
		codes = append(codes, each.Code)
	}
	release, err := snomed.ReadRelease(ctx, o.RF2, codes)
	if err != nil {
		return releaseError(err)
	}
	failed, otherwise := judge(standings, release)
	if err := write(s.out, standings); err != nil {
		return err
	}
	fmt.Fprintf(s.err, "%s checked in %s; newest concept of the release: %s\n",
		counted(len(standings), "code"), counted(len(release.Files), "file"), isoDate(release.Newest))
	for _, kind := range release.Lacks {
		fmt.Fprintf(s.err, "the release has no %s file: %s\n", kind, map[bool]string{
			true:  "preferred terms are not known",
			false: "why a code is inactive is not known",
		}[strings.Contains(kind, "Language")])
	}
	if otherwise > 0 {
		fmt.Fprintf(s.err, "%s that the release does not have for the code: see that it is the code which is meant\n", counted(otherwise, "term"))
	}
	if failed > 0 {
		return unverifiedError{failed}
	}
	return nil
}

// releaseError is a fault of what was given, where that is no release.
func releaseError(err error) error {
	var format snomed.FormatError
	var missing snomed.MissingFilesError
	switch {
	case errors.As(err, &format):
		return usageError{format}
	case errors.As(err, &missing):
		return usageError{missing}
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, zip.ErrFormat):
		return usageError{err}
	}
	return err
}

// standing is one code with a term, and how it stands in the release.
type standing struct {
	Years          []string            `json:"years"`
	Code           snomed.Code         `json:"code"`
	Role           string              `json:"role"`
	Cohort         string              `json:"cohort"`
	Term           string              `json:"term"`  // of the code book
	State          string              `json:"state"` // active, inactive, absent
	Since          string              `json:"since"` // when it became that; empty where it is absent
	Module         string              `json:"module"`
	Preferred      string              `json:"preferred_term"`
	FullySpecified string              `json:"fully_specified_name"`
	TermIs         string              `json:"term_is"` // how the code book's term stands; empty where the code is absent
	Reason         string              `json:"reason"`
	Replacements   []standingSuccessor `json:"replacements"`
}

type standingSuccessor struct {
	Association string      `json:"association"`
	Code        snomed.Code `json:"code"`
	Term        string      `json:"term"`
	IsActive    bool        `json:"is_active"`
}

func (r standingSuccessor) String() string {
	text := fmt.Sprintf("%s %s", r.Association, r.Code)
	if r.Term != "" {
		text += " |" + r.Term + "|"
	}
	if !r.IsActive {
		text += " (not active)"
	}
	return text
}

// codeBook lists the codes of the contracts, each once for each term that it has in them.
func codeBook(contracts []*contract.Contract) []standing {
	var all []standing
	for _, c := range contracts {
		for _, code := range c.Codes {
			at := slices.IndexFunc(all, func(s standing) bool { return s.Code == code.Code && s.Term == code.Term })
			if at < 0 {
				at = len(all)
				all = append(all, standing{Code: code.Code, Role: string(code.Role), Cohort: code.Cohort, Term: code.Term})
			}
			all[at].Years = append(all[at].Years, string(c.Year))
		}
	}
	return all
}

// judge fills in what the release says. It counts the codes that are not active, and those that
// are called otherwise.
func judge(standings []standing, release *snomed.Release) (failed, otherwise int) {
	for i := range standings {
		s := &standings[i]
		s.Replacements = []standingSuccessor{}
		concept, ok := release.Concepts[s.Code]
		if !ok {
			s.State = "absent"
			failed++
			continue
		}
		s.State = "active"
		if !concept.Active {
			s.State = "inactive"
			failed++
		}
		s.Since, s.Module = isoDate(concept.EffectiveTime), concept.Module
		s.Preferred, s.FullySpecified, s.Reason = concept.Preferred, concept.FullySpecified, concept.Reason
		agreement := concept.Agrees(s.Term)
		if agreement == snomed.IsNone || agreement == snomed.IsInactive {
			otherwise++
		}
		s.TermIs = string(agreement)
		for _, r := range concept.Replacements {
			s.Replacements = append(s.Replacements, standingSuccessor{r.Association, r.Code, r.Term, r.Active})
		}
	}
	return failed, otherwise
}

// isoDate writes an effective time as people write a day.
func isoDate(effectiveTime string) string {
	if len(effectiveTime) != len("20260401") {
		return effectiveTime
	}
	return effectiveTime[:4] + "-" + effectiveTime[4:6] + "-" + effectiveTime[6:]
}

func printStandings(to io.Writer, standings []standing) error {
	out := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "code\tyears\tstate\tsince\tmodule\tterm is\tterm")
	for _, s := range standings {
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", s.Code, strings.Join(s.Years, ", "), s.State, cmp.Or(s.Since, "-"), cmp.Or(s.Module, "-"), cmp.Or(s.TermIs, "-"), s.Term)
	}
	if err := out.Flush(); err != nil {
		return err
	}
	for _, s := range standings {
		if s.TermIs == string(snomed.IsNone) || s.TermIs == string(snomed.IsInactive) {
			fmt.Fprintf(to, "%s is %q in the release, %q in the code book\n", s.Code, cmp.Or(s.Preferred, s.FullySpecified), s.Term)
		}
		if s.State == "inactive" {
			fmt.Fprintf(to, "%s is inactive since %s, reason: %s\n", s.Code, s.Since, cmp.Or(s.Reason, "not known"))
			for _, r := range s.Replacements {
				fmt.Fprintf(to, "  %s\n", r)
			}
			if len(s.Replacements) == 0 {
				fmt.Fprintln(to, "  the release names nothing in its place")
			}
		}
		if s.State == "absent" {
			fmt.Fprintf(to, "%s is not in the release: the wrong edition, or a code that was never one\n", s.Code)
		}
	}
	return nil
}

func writeStandings(to io.Writer, standings []standing) error {
	header := []string{"years", "code", "role", "cohort", "term", "state", "since", "module", "preferred_term", "fully_specified_name", "term_is", "reason", "replacements"}
	return writeTable(to, header, len(standings), func(i int) []string {
		s := standings[i]
		var replacements []string
		for _, r := range s.Replacements {
			replacements = append(replacements, r.String())
		}
		return []string{strings.Join(s.Years, ", "), string(s.Code), s.Role, s.Cohort, s.Term, s.State, s.Since, s.Module,
			s.Preferred, s.FullySpecified, s.TermIs, s.Reason, strings.Join(replacements, "; ")}
	})
}

func encodeStandings(to io.Writer, standings []standing) error {
	out := json.NewEncoder(to)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	return out.Encode(standings)
}
