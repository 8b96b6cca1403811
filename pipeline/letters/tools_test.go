//go:build withtools

package letters

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"ltcles/pipeline/published/publishedtest"
	"ltcles/pipeline/workspace"
)

// What poppler reads off the pages is what was laid out, word for word, and for three practices
// every figure is the one that is reckoned by hand.
func TestToolsPagesSayWhatTheTablesDo(t *testing.T) {
	for name, w := range map[string]*workspace.Workspace{
		"Provisional": publishedtest.YearEnd(t, false), "Final": publishedtest.YearEnd(t, true), "Projection": publishedtest.Workspace(t),
	} {
		reader, c := open(t, w, "")
		folder := filepath.Join(t.TempDir(), "letters")
		report := write(t, Config{Reader: reader, Contract: c, TemplatesDir: w.ContractsDir(), Output: folder})
		texts := markdowns(t, w, "")
		for _, letter := range report.Letters {
			file := filepath.Join(folder, letter.File)
			information := run(t, "pdfinfo", file)
			pages := pagesOf(t, information)
			if pages > 3 || !strings.Contains(information, "A4") || !strings.Contains(information, letter.Name) {
				t.Errorf("%s:\n%s", letter.File, information)
			}
			var got []string
			for page := 1; page <= pages; page++ {
				got = append(got, wordsOfPage(t, file, page, pages, name, letter)...)
			}
			want := wordsOf(texts[letter.Practice])
			if at := firstDifference(got, want); at >= 0 {
				t.Errorf("%s %s: from word %d the pages say %q; the letter says %q", name, letter.File, at, part(got, at), part(want, at))
			}
		}
		if name == "Final" {
			for practice, figures := range handReckoned() {
				text := strings.Join(strings.Fields(strings.ReplaceAll(run(t, "pdftotext", "-raw", filepath.Join(folder, practice+"-performance-2026-27.pdf"), "-"), "\u00a0", " ")), " ")
				for _, figure := range figures {
					if !strings.Contains(text, figure) {
						t.Errorf("%s lacks %q:\n%s", practice, figure, text)
					}
				}
			}
		}
	}
}

// handReckoned are the figures of one practice below 80 %, one between that and 100 %, and one above.
func handReckoned() map[string][]string {
	value := []string{
		"1,234.56 weighted patients × £8.40 a head = £10,370.30", "Implementation 20 % £2,074.06 £1,659.25 £2,074.06 £414.81", "MDT approach 25 % £2,592.57 £2,074.06 £2,592.57 £518.51",
		"80 % of each domain, £8,296.25 together", "10 April 2027 (to be confirmed) Coding deadline", "8 May 2027 (to be confirmed) Mitigation window closes",
		"29 May 2027 (to be confirmed) Decisions on mitigation", "June 2027 Payment or recoupment of the balance",
	}
	return map[string][]string{
		publishedtest.Below: slices.Concat(value, []string{
			"12 assessments counted against a target of 20: 60.0 %. On these figures £207.42 of what was paid in advance is to be recouped.",
			"Annual target 20 Patients assessed, each once 13 Of these in no segment, and so not counted 1 Counted towards the target 12",
			"Claims for 1 patient who had left your practice by 31 March 2027, and for 1 patient who had died by then",
			"Population health management 10 % 2 0 0 2 no Cardiovascular disease 10 % 2 12 12 0 yes Respiratory 10 % 2 0 0 2 no Place choice: diabetes 10 % 2 0 0 2 no Severe mental illness 3 % 1 0 0 1 no",
			"7 assessments are lacking", "at least 7 more", "Coded by the deadline 12 Coded after it 0 Nothing shows when they were coded 0",
			"Assessments 55 % £5,703.67 £4,562.94 £3,422.20 −£1,140.74", "Together 100 % £10,370.30 £8,296.25 £8,088.83 −£207.42",
			"£5,703.67 × 12 ÷ 20 = £3,422.20. With the other two, £8,088.83.", "Earned £8,088.83 less the advance £8,296.25 = −£207.42.",
			"£6,222.18 would be earned and the balance would be −£2,074.07", "What remains, £207.42, is recouped in the payment run of June 2027.",
		}),
		publishedtest.Between: slices.Concat(value, []string{
			"18 assessments counted against a target of 20: 90.0 %. On these figures £1,503.68 is to be paid to your practice.",
			"Coded by the deadline 16 Coded after it 2", "£570.36 of what you have earned is held", "Assessments 55 % £5,703.67 £4,562.94 £5,133.30 £570.36",
			"Together 100 % £10,370.30 £8,296.25 £9,799.93 £1,503.68", "£5,703.67 × 18 ÷ 20 = £5,133.30. With the other two, £9,799.93.",
			"£9,333.27 would be earned and the balance would be £1,037.02", "£1,503.68, is paid in the payment run of June 2027.",
		}),
		publishedtest.Above: slices.Concat(value, []string{
			publishedtest.AboveName + " (Y90003)",
			"24 assessments counted against a target of 20: 120.0 %. On these figures £2,074.05 is to be paid to your practice.",
			"Assessments 55 % £5,703.67 £4,562.94 £5,703.67 £1,140.73", "Together 100 % £10,370.30 £8,296.25 £10,370.30 £2,074.05",
			"£5,703.67 × 20 ÷ 20 = £5,703.67. With the other two, £10,370.30. Activity above the target is not paid for.",
			"all of what the advance left open, £2,074.05, in the payment run of June 2027",
		}),
	}
}

// wordsOfPage is a page's words without what stands above and below the text, which has to be there.
func wordsOfPage(t *testing.T, file string, page, pages int, standing string, letter Entry) []string {
	t.Helper()
	number := strconv.Itoa(page)
	text := strings.Join(strings.Fields(run(t, "pdftotext", "-raw", "-f", number, "-l", number, file, "-")), " ")
	for _, frame := range []string{
		standing + " LTC LES 2026-27 · " + letter.Practice + " · " + letter.Name, // drawn in this order, after the text
		"As at " + Day{letter.AsAt}.String() + " · run " + letter.Period + "-",
		fmt.Sprintf("Page %d of %d", page, pages),
	} {
		if strings.Count(text, frame) != 1 {
			t.Errorf("%s, page %d: %q stands there %d times", letter.File, page, frame, strings.Count(text, frame))
		}
	}
	before, _, _ := strings.Cut(text, standing+" LTC LES")
	return strings.Fields(strings.ReplaceAll(before, "\u00a0", " "))
}

var (
	ruleOfTable = regexp.MustCompile(`(?m)^\|[-:|]+$`)
	marks       = regexp.MustCompile(`(?m)^(#+|>) |\\$`)
	bullets     = regexp.MustCompile(`(?m)^- `)
	escaped     = regexp.MustCompile(`\\([[:punct:]])`)
)

// wordsOf is the Markdown's words without its marks.
func wordsOf(markdown string) []string {
	const star, bar = "\ue000", "\ue001" // in the place of those that are no marks
	text := strings.NewReplacer(`\*`, star, `\|`, bar).Replace(markdown)
	text = ruleOfTable.ReplaceAllString(text, "")
	text = marks.ReplaceAllString(text, "")
	text = bullets.ReplaceAllString(text, "• ")
	text = escaped.ReplaceAllString(text, "$1")
	text = strings.NewReplacer("**", "", "|", " ", "\u00a0", " ").Replace(text)
	return strings.Fields(strings.NewReplacer(star, "*", bar, "|").Replace(text))
}

func firstDifference(got, want []string) int {
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			return i
		}
	}
	return -1
}

func part(words []string, at int) string {
	return strings.Join(words[min(max(0, at-3), len(words)):min(len(words), at+8)], " ")
}

var saysPages = regexp.MustCompile(`(?m)^Pages: +(\d+)$`)

func pagesOf(t *testing.T, information string) int {
	t.Helper()
	found := saysPages.FindStringSubmatch(information)
	if found == nil {
		t.Fatalf("no pages in\n%s", information)
	}
	pages, err := strconv.Atoi(found[1])
	if err != nil {
		t.Fatal(err)
	}
	return pages
}

func run(t *testing.T, program string, arguments ...string) string {
	t.Helper()
	out, err := exec.Command(program, arguments...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", program, arguments, err, out)
	}
	return string(out)
}
