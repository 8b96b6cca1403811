package letters

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"ltcles/pipeline/config"
	"ltcles/pipeline/contract"
	"ltcles/pipeline/published"
	"ltcles/pipeline/published/publishedtest"
	"ltcles/pipeline/snapshot"
	"ltcles/pipeline/workspace"
)

func TestYearEnd(t *testing.T) {
	provisional, final := publishedtest.YearEnd(t, false), publishedtest.YearEnd(t, true)
	t.Run("performance letters", func(t *testing.T) { performanceLetters(t, provisional, final) })
	t.Run("write", func(t *testing.T) { writeLetters(t, final) })
	t.Run("templates", func(t *testing.T) { templates(t, provisional) })
}

// Every figure of a letter, of practices whose money is reckoned by hand: 1,234.56 × £8.40 is
// £10,370.30; 20, 55 and 25 % of it £2,074.06, £5,703.67 (the odd penny) and £2,592.57; 80 % of
// these £1,659.25, £4,562.94 and £2,074.06.
func performanceLetters(t *testing.T, provisional, final *workspace.Workspace) {
	value := []string{
		"1. **Contract value.** 1,234.56 weighted patients × £8.40 a head = £10,370.30.\n",
		"Implementation 20 %, Assessments 55 %, MDT approach 25 %. Odd pence",
		"3. **Advance.** 80 % of each domain, £8,296.25 together, paid in",
		"| Implementation | 20 % | £2,074.06 | £1,659.25 |", "| Assessments | 55 % | £5,703.67 | £4,562.94 |", "| MDT approach | 25 % | £2,592.57 | £2,074.06 |",
	}
	dates := []string{
		"| 31 March 2027 | Last day", "| 10 April 2027 (to be confirmed) | Coding deadline |", "| 8 May 2027 (to be confirmed) | Mitigation window closes |",
		"| Week of 11 May 2027 (to be confirmed) |", "| 29 May 2027 (to be confirmed) |", "| June 2027 | Payment or recoupment of the balance |",
		"from 30 April 2027 (to be confirmed)", "no appeal", "- patients who decline\n", "- faults in recording or coding\n", "this year's are to be confirmed.",
	}
	tests := map[string]struct{ has, lacks []string }{
		publishedtest.Below: {
			has: []string{
				"**Below Surgery** (Y90001)", "Synthetic PCN, Blackpool",
				"> **12 assessments counted against a target of 20: 60.0 %.** On these figures £207.42 of what was paid in advance is to be recouped.",
				"| Annual target | 20 |", "| Patients assessed, each once | 13 |", "| Of these in no segment, and so not counted | 1 |",
				"| **Counted towards the target** | **12** |", "| **Achievement: counted ÷ target** | **60.0 %** |", "in no segment counted too | 65.0 % |",
				"Claims for 1 patient who had left your practice by 31 March 2027, and for 1 patient who had died by then",
				"| Cardiovascular disease | 10 % | 2 | 12 | 12 | 0 | yes |", "| Respiratory | 10 % | 2 | 0 | 0 | 2 | **no** |", "| Severe mental illness | 3 % | 1 | 0 | 0 | 1 | **no** |",
				"1 of the 5 minimums is met, and 7 assessments are lacking, added up over the segments.", "at least 7 more would have been needed",
				"| Coded by the deadline | 12 |", "| Coded after it | 0 |", "Nothing of what you have earned is held.",
				"£3,422.20 | −£1,140.74 |", "**£8,088.83** | **−£207.42** |",
				"£5,703.67 × 12 ÷ 20 = £3,422.20. With the other two, £8,088.83.", "Earned £8,088.83 less the advance £8,296.25 = −£207.42.",
				"the whole contract value follows activity, £6,222.18 would be earned and the balance would be −£2,074.07.",
				"less than 80 % of your target", "£1,140.74 of that advance is not supported", "left open of them, £933.32, is set against it",
				"£207.42, is recouped in the payment run of June 2027.**", "payment plan",
			},
		},
		publishedtest.Between: {
			has: []string{
				"> **18 assessments counted against a target of 20: 90.0 %.** On these figures £1,503.68 is to be paid to your practice.",
				"| Coded by the deadline | 16 |", "| Coded after it | 2 |", "**£570.36 of what you have earned is held**", "It is never recouped.",
				"5 of the 5 minimums are met, and no assessment is lacking.", "none is lacking either", "No claim was taken out",
				"£5,133.30 | £570.36 |", "**£9,799.93** | **£1,503.68** |", "£5,703.67 × 18 ÷ 20 = £5,133.30. With the other two, £9,799.93.",
				"£9,333.27 would be earned and the balance would be £1,037.02", "between 80 % and 100 % of your target",
				"£1,503.68, is paid in the payment run of June 2027.**", "£570.36 is held until it is confirmed",
			},
			lacks: []string{"recouped in the payment run", "payment plan"},
		},
		publishedtest.Above: {
			has: []string{
				`**=cmd\|'/c calc'\!A1 \*Above\* \<b\>Surgery\</b\> \& Sons** (Y90003)`,
				"> **24 assessments counted against a target of 20: 120.0 %.** On these figures £2,074.05 is to be paid to your practice.",
				"| not chosen | not chosen | 2 | **no** |", "choice between diabetes and frailty is not recorded",
				"£5,703.67 × 20 ÷ 20 = £5,703.67. With the other two, £10,370.30. Activity above the target is not paid for.",
				"more than your target", "£2,074.05, in the payment run of June 2027**", "bring no further payment",
			},
			lacks: []string{"recouped in the payment run", "payment plan"},
		},
		publishedtest.Missing: {
			has: []string{
				"> **No file of your practice was read for this year end, so your activity is not known.**", "That is not the same as no activity",
				"**£10,370.30** | **£8,296.25** | **not known** | **not known** |", "Without files of your practice what you earned is not known",
			},
			lacks: []string{"| 0 |", "£0.00", "## Your assessments", "## What this means", " 0 assessments"},
		},
		publishedtest.Targetless: {
			has: []string{
				"> **No annual target is set for your practice.** 5 assessments count,", "| Annual target | not set |", "| **Counted towards the target** | **5** |",
				"| Respiratory | 10 % | not set | 1 | 1 | – | – |", "Without a target what you earned is not known", "**not known** | **not known** |",
			},
			lacks: []string{"Achievement", "£0.00", "## What this means", "minimums are met"},
		},
		publishedtest.Populationless: {
			has: []string{
				"> **20 assessments counted against a target of 20: 100.0 %.** What that earns cannot be computed yet",
				"No weighted population is recorded for your practice, so the value of your contract, the advance and the balance are not known.",
			},
			lacks: []string{"£", "## What this means"},
		},
	}
	for name, w := range map[string]*workspace.Workspace{"provisional": provisional, "final": final} {
		letters := markdowns(t, w, "2026-27")
		isFinal := w == final
		for code, want := range tests {
			has, lacks := slices.Concat(want.has, dates), want.lacks
			if code != publishedtest.Populationless {
				has = append(has, value...)
			}
			if isFinal {
				lacks = append(lacks, "provisional", "this basis is to be confirmed")
			} else {
				has = append(has, "**This letter is provisional.**")
			}
			check(t, name+" letter to "+code, letters[code], has, lacks)
		}
		for code, text := range letters {
			if key := patientKey.FindString(text); key != "" {
				t.Errorf("%s letter to %s holds a patient key", name, code)
			}
		}
		basisMarked := strings.Contains(letters[publishedtest.Below], "(this basis is to be confirmed)")
		if basisMarked == isFinal {
			t.Errorf("%s letter: basis marked to be confirmed %t", name, basisMarked)
		}
	}
}

func TestProjectionLetters(t *testing.T) {
	w := publishedtest.Workspace(t)
	letters := markdowns(t, w, "")
	reader, _ := open(t, w, "")
	year, err := reader.Year(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	missing := 0
	for _, p := range year.Practices {
		position, money := p.Position, p.Reconciliation
		has, lacks := []string{"# Projection letter, 2026-27", "It is a projection, not a decision."}, []string{"provisional"}
		switch {
		case p.IsMissing():
			missing++
			has = append(has, "No file of your practice was read for June 2026")
			lacks = append(lacks, "| 0 |", "## Your assessments", "## What this would mean")
		case position.AnnualTarget == nil:
			has = append(has, "No annual target is set", "| Annual target | not set |", "Without a target what you earn is not known")
			lacks = append(lacks, "## What this would mean")
		default:
			has = append(has,
				"**Projected for 31 March 2027 at the pace so far** | **"+published.Grouped(*position.ProjectedYearEnd)+"** |",
				"| **Counted towards the target** | **"+published.Grouped(*position.Counted)+"** |",
				"Projected earned "+money.ProjectedEarnedValue.Pounds()+" less the advance "+money.AdvanceValue.Pounds()+" = "+money.ProjectedBalance.Pounds()+".",
				"If nothing more were done it would be "+money.Balance.Pounds()+".",
				"would earn "+money.EarnedValueOtherBasis.Pounds()+", and the balance would be "+money.BalanceOtherBasis.Pounds(),
				"falls due by the end of June 2026", money.AdvancePaidToDate.Pounds()+" of it", "(this basis is to be confirmed)",
			)
		}
		check(t, "letter to "+p.Code, letters[p.Code], has, lacks)
	}
	if missing == 0 {
		t.Error("no practice is missing, so its letter is not tried")
	}
}

var patientKey = regexp.MustCompile(`[0-9a-f]{64}`)

// check compares without telling blanks that do not break from others.
func check(t *testing.T, what, text string, has, lacks []string) {
	t.Helper()
	text = strings.ReplaceAll(text, "\u00a0", " ")
	for _, each := range has {
		if !strings.Contains(text, each) {
			t.Errorf("%s lacks %q", what, each)
		}
	}
	for _, each := range lacks {
		if strings.Contains(text, each) {
			t.Errorf("%s says %q", what, each)
		}
	}
	if t.Failed() {
		t.Logf("%s:\n%s", what, text)
		t.FailNow()
	}
}

// What falls short of a share of the target does not read as that share.
func TestPercentOf(t *testing.T) {
	for _, tt := range []struct {
		part, whole int64
		want        string
	}{{7996, 10000, "79.9 %"}, {8, 10, "80.0 %"}, {1999, 2000, "99.9 %"}, {0, 7, "0.0 %"}, {2500, 20, "12,500.0 %"}, {1, 0, notKnown}} {
		if got := strings.ReplaceAll(percentOf(&tt.part, &tt.whole), "\u00a0", " "); got != tt.want {
			t.Errorf("%d of %d: %s; want %s", tt.part, tt.whole, got, tt.want)
		}
	}
	if got := percentOf(nil, new(int64(5))); got != notKnown {
		t.Errorf("of what is not known: %s", got)
	}
}

func TestBand(t *testing.T) {
	c, err := contract.Load("", "2026-27")
	if err != nil {
		t.Fatal(err)
	}
	for counted, want := range map[int64]Band{
		79: {IsBelow: true}, 80: {IsBetween: true}, 100: {IsBetween: true}, 101: {IsAbove: true}, 0: {IsBelow: true},
	} {
		if got := (writing{contract: c}).band(&counted, new(int64(100))); got != want {
			t.Errorf("%d of 100: %+v; want %+v", counted, got, want)
		}
	}
}

func writeLetters(t *testing.T, w *workspace.Workspace) {
	reader, c := open(t, w, "")
	dir := t.TempDir()
	config := Config{Reader: reader, Contract: c, TemplatesDir: w.ContractsDir(), Output: filepath.Join(dir, "new", "letters")}
	report := write(t, config)
	if report.Kind != Performance || len(report.Letters) != 6 {
		t.Fatalf("wrote %d letters of kind %s", len(report.Letters), report.Kind)
	}
	checkIndex(t, config.Output, reader)

	t.Run("the same bytes again", func(t *testing.T) {
		again := config
		again.Output = filepath.Join(dir, "again")
		write(t, again)
		for _, name := range names(t, config.Output) {
			if !bytes.Equal(read(t, config.Output, name), read(t, again.Output, name)) {
				t.Errorf("%s differs", name)
			}
		}
	})
	t.Run("taken", func(t *testing.T) {
		var taken TakenError
		if _, err := Write(context.Background(), config); !errors.As(err, &taken) {
			t.Errorf("letters were written over: %v", err)
		}
		config.Replace = true
		write(t, config)
		config.Practices = []string{publishedtest.Above}
		if _, err := Write(context.Background(), config); !errors.As(err, &taken) || !strings.Contains(err.Error(), "holds Y90001-performance-2026-27.pdf, which would go") {
			t.Errorf("letters to other practices: %v", err)
		}
		config.Output = filepath.Join(dir, "one")
		write(t, config)
		write(t, config)
		if got := names(t, config.Output); !slices.Equal(got, []string{"Y90003-performance-2026-27.pdf", "index.csv"}) {
			t.Errorf("replaced by %v", got)
		}
		if err := os.WriteFile(filepath.Join(config.Output, "mine.txt"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Write(context.Background(), config); !errors.As(err, &taken) || !strings.Contains(err.Error(), "holds mine.txt") {
			t.Errorf("a file that is no letter: %v", err)
		}
		config.Output = t.TempDir()
		if err := os.WriteFile(filepath.Join(config.Output, "index.csv"), []byte("a,b\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Write(context.Background(), config); !errors.As(err, &taken) {
			t.Errorf("another index: %v", err)
		}
	})
	t.Run("the folder that one is in", func(t *testing.T) {
		t.Chdir(t.TempDir())
		var taken TakenError
		if _, err := Write(context.Background(), Config{Reader: reader, Contract: c, Output: "."}); !errors.As(err, &taken) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a folder that cannot be made", func(t *testing.T) {
		file := filepath.Join(dir, "file")
		if err := os.WriteFile(file, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		var taken TakenError
		if _, err := Write(context.Background(), Config{Reader: reader, Contract: c, Output: filepath.Join(file, "letters")}); !errors.As(err, &taken) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a practice that is not there", func(t *testing.T) {
		var unknown UnknownPracticeError
		if _, err := Write(context.Background(), Config{Reader: reader, Contract: c, Output: filepath.Join(dir, "x"), Practices: []string{"Y99999"}}); !errors.As(err, &unknown) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("interrupted", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		stopped := Config{Reader: reader, Contract: c, Output: filepath.Join(dir, "stopped"), Progress: func(int, int) { cancel() }}
		if _, err := Write(ctx, stopped); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		for _, name := range names(t, dir) {
			if strings.Contains(name, "stopped") {
				t.Errorf("%s is left behind", name)
			}
		}
	})
	t.Run("a contract that the period was not published by", func(t *testing.T) {
		changed := *c
		changed.PencePerWeightedHead = map[string]*int64{"Blackpool": new(int64(900)), "West Lancashire": new(int64(900))}
		_, err := Write(context.Background(), Config{Reader: reader, Contract: &changed, Output: filepath.Join(dir, "y")})
		want := "built-in contract 2026-27.yaml: the contract value of Y90001 is £11,111.04 by this contract and the settings, and £10,370.30 as 2026-27 is published; " +
			"expected the contract and settings that the period was published by; put them back, or run the period again"
		if err == nil || err.Error() != want {
			t.Errorf("got %v", err)
		}
	})
}

func write(t *testing.T, c Config) *Report {
	t.Helper()
	report, err := Write(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// checkIndex compares the index with the tables, asked in SQL.
func checkIndex(t *testing.T, folder string, reader *published.Reader) {
	t.Helper()
	lines, err := csv.NewReader(bytes.NewReader(read(t, folder, "index.csv"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var got [][]string
	files := []string{"index.csv"}
	for _, line := range lines[1:] {
		files = append(files, line[2])
		got = append(got, []string{line[0], line[8], line[9], line[10], line[14], line[15], line[16], line[17], line[18], line[19], line[21]})
	}
	slices.Sort(files)
	if inFolder := names(t, folder); !slices.Equal(files, inFolder) {
		t.Errorf("the index lists %v; the folder holds %v", files, inFolder)
	}
	if name := lines[3][1]; name != "'"+publishedtest.AboveName {
		t.Errorf("the index names Y90003 %q", name)
	}
	var want [][]string
	err = reader.Query(context.Background(), `
		select position.practice_code, coverage.state, coalesce(cast(position.annual_target as varchar), ''), coalesce(cast(counted as varchar), ''),
			coalesce(cast(contract_value as varchar), ''), coalesce(cast(advance_value as varchar), ''), coalesce(cast(earned_value as varchar), ''),
			coalesce(cast(held_value as varchar), ''), coalesce(cast(balance as varchar), ''), coalesce(direction, ''),
			case position.practice_code when 'Y90004' then 'no files' when 'Y90005' then 'no target' when 'Y90006' then 'no contract value' else '' end
		from fact_practice_position as position
		inner join fact_reconciliation as money on money.practice_code = position.practice_code
		inner join fact_coverage as coverage on coverage.practice_code = position.practice_code
		order by 1`, func(scan func(into ...any) error) error {
		line := make([]string, 11)
		into := make([]any, len(line))
		for i := range line {
			into[i] = &line[i]
		}
		want = append(want, line)
		return scan(into...)
	})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("the index has\n%q\nthe tables\n%q", got, want)
	}
	if directions := got[0][9] + " " + got[1][9]; directions != "recoup pay" {
		t.Errorf("the directions are %s", directions)
	}
}

// A template of the workspace takes the place of the built-in one, and its faults name it and the line.
func templates(t *testing.T, w *workspace.Workspace) {
	reader, c := open(t, w, "")
	dir := filepath.Join(w.ContractsDir(), "letters")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	const file = "reference/contracts/letters/performance.md.tmpl"
	for _, tt := range []struct{ name, text, want string }{
		{"a name that is not there", "one\ntwo {{.Achievment}}\n", file + ":2: <.Achievment>: can't evaluate field Achievment in type Letter; expected"},
		{"deeper", "{{range .Segments}}\n{{.Nmae}}{{end}}", file + ":2: <.Nmae>: can't evaluate field Nmae in type Segment; expected"},
		{"broken", "one\n{{if}}x{{end}}", file + ":2: missing value for if; expected"},
		{"left open", "one\n{{if .IsFinal}}\n", file + ":3: unexpected EOF; expected"},
		{"a function that is not there", "{{shout .Year}}", file + `:1: function "shout" not defined; expected`},
		{"a key that cannot be assumed", "{{if .IsAssumed \"money\"}}x{{end}}", file + `:1: <.IsAssumed>: error calling IsAssumed: the contract file has no key "money" that can be assumed; expected`},
		{"an image", "# A\n\ntext ![logo](x.png)\n", file + `: an image near "text ![logo](x.png)"; expected headings`},
		{"HTML", "<div>x</div>\n", file + `: HTML near "<div>x</div>"; expected headings`},
		{"HTML within", "a <b>x</b>\n", file + `: HTML near "a <b>x</b>"; expected headings`},
		{"code", "```\nx\n```\n", file + `: a block of code near "x"; expected headings`},
		{"a deep heading", "#### x\n", file + `: a heading below the third level near "x"; expected headings`},
	} {
		if err := os.WriteFile(filepath.Join(dir, "performance.md.tmpl"), []byte(tt.text), 0o644); err != nil {
			t.Fatal(err)
		}
		output := filepath.Join(t.TempDir(), "letters")
		_, err := Write(context.Background(), Config{Reader: reader, Contract: c, TemplatesDir: w.ContractsDir(), Output: output})
		var problem *config.Problem
		if !errors.As(err, &problem) || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s: %v; want %s", tt.name, err, tt.want)
		}
		if _, err := os.Stat(output); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: there is a folder", tt.name)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "performance.md.tmpl"), []byte("# Ours, {{.Practice.Name}}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := markdowns(t, w, "")[publishedtest.Below]; got != "# Ours, Below Surgery\n" {
		t.Errorf("the workspace's template gave %q", got)
	}
	if err := os.Rename(filepath.Join(dir, "performance.md.tmpl"), filepath.Join(dir, "performance.md.tmpl.txt")); err != nil {
		t.Fatal(err)
	}
	if _, err := loadTemplate(w.ContractsDir(), Performance); err == nil || !strings.HasPrefix(err.Error(), "reference/contracts/letters/performance.md.tmpl.txt: a file that is no template; expected performance.md.tmpl or projection.md.tmpl") {
		t.Errorf("a template under another name: %v", err)
	}
}

// open opens a workspace's published period with its contract.
func open(t *testing.T, w *workspace.Workspace, period string) (*published.Reader, *contract.Contract) {
	t.Helper()
	reader, err := published.Open(context.Background(), snapshot.Store{Dir: w.Published()}, period, published.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := reader.Close(); err != nil {
			t.Error(err)
		}
	})
	c, err := contract.Load(w.ContractsDir(), contract.Year(reader.Period.ContractYear))
	if err != nil {
		t.Fatal(err)
	}
	c.Rule(w.Settings.Rulings)
	return reader, c
}

// markdowns are the texts that are laid out, by practice.
func markdowns(t *testing.T, w *workspace.Workspace, period string) map[string]string {
	t.Helper()
	reader, c := open(t, w, period)
	year, err := reader.Year(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	of, err := contract.ParsePublished(reader.Period.Period)
	if err != nil {
		t.Fatal(err)
	}
	template, err := loadTemplate(w.ContractsDir(), KindOf(of))
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, practice := range year.Practices {
		text, err := template.markdown(writing{contract: c, period: of, at: reader.Period, year: year}.letter(practice))
		if err != nil {
			t.Fatal(err)
		}
		texts[practice.Code] = string(text)
	}
	return texts
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

func read(t *testing.T, dir, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}
