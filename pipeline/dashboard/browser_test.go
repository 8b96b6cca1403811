//go:build withtools

package dashboard_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"ltcles/fixtures"
	"ltcles/pipeline/dashboard"
	"ltcles/pipeline/published"
	"ltcles/pipeline/published/publishedtest"
	"ltcles/pipeline/snapshot"
)

// TestToolsBrowser opens the page of the demonstration in Chromium, with small counts and without.
// AXE names axe-core's script; SCREENSHOTS a folder to put pictures into, for whoever looks at them.
func TestToolsBrowser(t *testing.T) {
	w := publishedtest.Publish(t, t.TempDir(), fixtures.Options{Seed: 1})
	m := materialOf(t, snapshot.Store{Dir: w.Published()})
	for _, suppress := range []bool{false, true} {
		name := map[bool]string{false: "exact", true: "suppressed"}[suppress]
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "page.html")
			if err := os.WriteFile(file, written(t, m, dashboard.Options{Suppress: suppress, Program: "ltcles"}), 0o644); err != nil {
				t.Fatal(err)
			}
			b := browse(t, "file://"+file, name)
			t.Run("figures", func(t *testing.T) { figuresInTheBrowser(t, b, m, suppress) })
			t.Run("finding a practice", func(t *testing.T) { findingAPractice(t, b, m) })
			t.Run("sorting", func(t *testing.T) { sorting(t, b) })
			t.Run("by keyboard", func(t *testing.T) { byKeyboard(t, b) })
			t.Run("charts", func(t *testing.T) { charts(t, b, m) })
			t.Run("print", func(t *testing.T) { printing(t, b, m) })
			t.Run("quiet", func(t *testing.T) { quiet(t, b) }) // before axe, which logs
			t.Run("axe", func(t *testing.T) { axe(t, b, m) })
			t.Run("without scripts", func(t *testing.T) { withoutScripts(t, b) })
		})
	}
}

// TestToolsManyPractices opens a page of as many practices as the area has, and of as many as
// England has.
func TestToolsManyPractices(t *testing.T) {
	m := material(t)
	for _, practices := range []int{200, 6200} {
		t.Run(fmt.Sprint(practices), func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "page.html")
			keep(t, file, written(t, many(m, practices), dashboard.Options{Program: "ltcles"}))
			b := browse(t, "file://"+file, "many")
			last := fmt.Sprintf("M%05d", practices-1)
			ask[bool](t, b, `document.getElementById('find').focus(), true`)
			b.do(t, chromedp.KeyEvent(last+kb.Enter), visible("#practice-"+last+"-title"))
			shown := ask[[]string](t, b, `[...document.querySelectorAll('section.page')].filter(section => section.checkVisibility()).map(section => section.id)`)
			if len(shown) != 1 || shown[0] != "practice-"+last {
				t.Errorf("%v is shown; expected practice-%s", shown, last)
			}
			quiet(t, b)
		})
	}
}

// browser is one page in Chromium, with what it said and asked for.
type browser struct {
	ctx  context.Context
	name string
	url  string

	mu       sync.Mutex
	messages []string
	requests []string
}

func browse(t *testing.T, url, name string) *browser {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath("chromium"), chromedp.NoSandbox, chromedp.Flag("disable-dev-shm-usage", true), chromedp.WindowSize(1280, 900))
	allocated, closeBrowser := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, closePage := chromedp.NewContext(allocated)
	t.Cleanup(func() { closePage(); closeBrowser() })
	b := &browser{ctx: ctx, name: name, url: url}
	if err := chromedp.Listen(ctx, b.hear); err != nil {
		t.Fatal(err)
	}
	call(t, b, network.Enable, network.EnableParams{})
	call(t, b, log.Enable, cdp.Empty{})
	call(t, b, runtime.Enable, cdp.Empty{})
	b.see(t, view{media: "screen", scheme: "light"})
	b.do(t, chromedp.Navigate(url), visible("#area-title"))
	return b
}

// hear keeps what is complained of, and what is asked for.
func (b *browser) hear(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		b.messages = append(b.messages, "exception: "+e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		b.messages = append(b.messages, fmt.Sprintf("console %s: %d values", e.Type, len(e.Args)))
	case *log.EventEntryAdded:
		b.messages = append(b.messages, fmt.Sprintf("%s: %s", e.Entry.Level, e.Entry.Text))
	case *network.EventRequestWillBeSent:
		b.requests = append(b.requests, e.Request.URL)
	}
}

const patience = 4 * time.Minute

func (b *browser) do(t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

// ask runs a script in the page, waits for what it promises, and returns that.
func ask[T any](t *testing.T, b *browser, script string) T {
	t.Helper()
	return run(t, b, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
}

func run[T any](t *testing.T, b *browser, action chromedp.Action[T]) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, action)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func call[P, R any](t *testing.T, b *browser, command cdp.Command[P, R], params P) {
	t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if _, err := chromedp.Call(ctx, command, params); err != nil {
		t.Fatal(err)
	}
}

// visible waits until an element is seen. It asks the page, since to follow the nodes of a large
// one takes minutes.
func visible(selector string) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Evaluate[bool](fmt.Sprintf(`(async () => {
			while (!document.querySelector('%s')?.checkVisibility()) await new Promise(done => setTimeout(done, 20));
			return true;
		})()`, selector), chromedp.EvalAwaitPromise)(ctx, target)
		return chromedp.Void{}, err
	}
}

// show goes to a section.
func (b *browser) show(t *testing.T, id string) {
	t.Helper()
	ask[bool](t, b, fmt.Sprintf("location.hash = '#%s', true", id))
	b.do(t, visible("#"+id+"-title"))
}

// shot takes a picture of the page as it stands.
func (b *browser) shot(t *testing.T, what string) {
	t.Helper()
	if folder := os.Getenv("SCREENSHOTS"); folder != "" {
		keep(t, filepath.Join(folder, b.name+"-"+what+".png"), run(t, b, chromedp.FullScreenshot(100)))
	}
}

func keep(t *testing.T, file string, bytes []byte) {
	t.Helper()
	if err := os.WriteFile(file, bytes, 0o644); err != nil {
		t.Fatal(err)
	}
}

// quiet: nothing was complained of, nothing was fetched but the file itself.
func quiet(t *testing.T, b *browser) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, message := range b.messages {
		t.Errorf("the browser says %s", message)
	}
	if len(b.requests) == 0 {
		t.Error("not even the page was asked for")
	}
	for _, url := range b.requests {
		if !strings.HasPrefix(url, b.url) && url != "about:blank" {
			t.Errorf("the page asks for %.100s", url)
		}
	}
}

// cells are the texts of a table as it is shown.
func cells(t *testing.T, b *browser, table string) [][]string {
	t.Helper()
	return ask[[][]string](t, b, fmt.Sprintf(`[...document.querySelectorAll('.current table[data-table=%s] tbody tr')].map(row => [...row.cells].map(cell => cell.innerText))`, table))
}

// settled is when what a page does after a change of its size is done.
const settled = `new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`

// unfold opens the tables behind the charts, or closes them.
func unfold(t *testing.T, b *browser, isOpen bool) {
	t.Helper()
	ask[bool](t, b, fmt.Sprintf(`document.querySelectorAll('.current details').forEach(details => details.open = %t), `+settled, isOpen))
}

func figuresInTheBrowser(t *testing.T, b *browser, m *dashboard.Material, suppress bool) {
	league := cells(t, b, "practices")
	if len(league) != len(m.Year.Practices) {
		t.Fatalf("%d practices are listed; expected %d", len(league), len(m.Year.Practices))
	}
	for i, p := range m.Year.Practices {
		want := countText(p.Position.Counted)
		if suppress && !p.IsMissing() {
			want = suppressedText(*p.Position.Counted)
		}
		equal(t, p.Code+" counted", league[i][5], want)
		b.show(t, "practice-"+p.Code)
		equal(t, p.Code+" on its card", run(t, b, chromedp.Text(chromedp.CSS(".current .card .value"))), want)
		if !suppress && !p.IsMissing() {
			unfold(t, b, true)
			segments, months := cells(t, b, "segments"), cells(t, b, "months")
			for at, s := range p.Segments {
				equal(t, p.Code+" "+s.Segment, segments[at][1]+" "+segments[at][3], countText(s.AssessedPatients)+" "+judgedText(s.Shortfall, p))
			}
			equal(t, p.Code+" so far", months[len(months)-1][2], countText(p.Position.Counted))
		}
	}
	b.show(t, "area")
}

func suppressedText(n int64) string {
	switch {
	case n == 0:
		return "0"
	case n <= 7:
		return "1 to 7"
	}
	return published.Grouped((n + 2) / 5 * 5)
}

func findingAPractice(t *testing.T, b *browser, m *dashboard.Material) {
	p := m.Year.Practices[2]
	find := chromedp.CSS("#find")
	typed := func(text string) []string {
		b.do(t, chromedp.SendKeys(find, text))
		return ask[[]string](t, b, `[...document.querySelectorAll('#found a')].map(link => link.getAttribute('href'))`)
	}
	said := func() string { return ask[string](t, b, `document.getElementById('found-count').textContent`) }
	if found := typed(strings.ToLower(p.Code)); len(found) != 1 || found[0] != "#practice-"+p.Code {
		t.Errorf("%s finds %v", p.Code, found)
	}
	equal(t, "what is said", said(), "1 practice found")
	b.do(t, chromedp.SendKeys(find, kb.Enter), visible("#practice-"+p.Code+"-title"))
	equal(t, "what has the focus", ask[string](t, b, `document.activeElement.id`), "practice-"+p.Code+"-title")
	equal(t, "what is left to find", ask[string](t, b, `document.getElementById('find').value`), "")

	// By a part of the name, in any case, with the place; and by what is not there.
	if found := typed("PRACTICE 03 east"); len(found) != 1 || found[0] != "#practice-"+p.Code {
		t.Errorf("name and place find %v", found)
	}
	b.do(t, chromedp.SendKeys(find, kb.Escape))
	typed("zzz")
	equal(t, "what is said of what is not there", said(), "0 practices found")
	b.do(t, chromedp.SendKeys(find, kb.Escape))
	b.show(t, "area")
}

func sorting(t *testing.T, b *browser) {
	heading := `#area table[data-table=practices] thead th:nth-child(6)`
	standing := func() string {
		b.do(t, chromedp.Click(chromedp.CSS(heading+" button")))
		return ask[string](t, b, fmt.Sprintf(`document.querySelector('%s').getAttribute('aria-sort')`, heading))
	}
	equal(t, "sorted", standing(), "descending")
	last := int64(1 << 40)
	for _, row := range cells(t, b, "practices") {
		n := int64(-1)
		switch row[5] {
		case "no data":
		case "1 to 7":
			n = 4
		default:
			n = number(t, row[5])
		}
		if n > last {
			t.Errorf("%d follows %d", n, last)
		}
		last = n
	}
	equal(t, "sorted again", standing(), "ascending")
}

// byKeyboard walks from the top: the skip link, the page's title, the search.
func byKeyboard(t *testing.T, b *browser) {
	b.do(t, chromedp.Navigate("about:blank"), chromedp.Navigate(b.url), visible("#area-title"))
	for _, want := range []string{"#main", "#area", "find"} {
		b.do(t, chromedp.KeyEvent(kb.Tab))
		equal(t, "tab", ask[string](t, b, `document.activeElement.id || document.activeElement.getAttribute('href')`), want)
	}
	b.do(t, chromedp.KeyEvent("practice"), chromedp.KeyEvent(kb.ArrowDown), chromedp.KeyEvent(kb.ArrowDown))
	equal(t, "arrow down twice", ask[string](t, b, `document.activeElement.getAttribute('href')`), "#practice-Y90002")
	b.do(t, chromedp.KeyEvent(kb.Enter), visible("#practice-Y90002-title"))
	b.show(t, "area")
}

// drawn waits until each chart of the section that is shown has been drawn, and reports its size
// and how many colours it has.
const drawn = `(async () => {
	const charts = [];
	for (const canvas of document.querySelectorAll('.current canvas')) {
		canvas.scrollIntoView({behavior: 'instant'});
		const figure = canvas.closest('figure');
		for (let tries = 0; tries < 100 && !(Chart.getChart(canvas) && canvas.width) && !figure.classList.contains('nochart'); tries++) await new Promise(done => setTimeout(done, 50));
		if (figure.classList.contains('nochart')) continue;
		if (!canvas.width) throw new Error('the chart ' + canvas.getAttribute('aria-label') + ' has no area');
		const colours = new Set();
		const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
		for (let at = 0; at < pixels.length; at += 4) if (pixels[at + 3] === 255) colours.add(pixels[at] << 16 | pixels[at + 1] << 8 | pixels[at + 2]);
		charts.push({name: figure.querySelector('table').dataset.table, width: canvas.clientWidth, height: canvas.clientHeight, colours: colours.size, label: canvas.getAttribute('aria-label')});
	}
	window.scrollTo({top: 0, behavior: 'instant'});
	return charts;
})()`

type chart struct {
	Name    string `json:"name"`
	Label   string `json:"label"`
	Width   int    `json:"width"`
	Height  int    `json:"height"`
	Colours int    `json:"colours"`
}

func charts(t *testing.T, b *browser, m *dashboard.Material) {
	for id, least := range map[string]int{"area": 3, "place-1": 2, "practice-" + m.Year.Practices[1].Code: 2} {
		b.show(t, id)
		found := ask[[]chart](t, b, drawn)
		if len(found) < least {
			t.Errorf("%s has %d charts; expected at least %d", id, len(found), least)
		}
		for _, c := range found {
			if c.Width < 200 || c.Height < 100 || c.Colours < 5 || c.Label == "" {
				t.Errorf("%s: chart %+v; expected one with an area, colours and a label", id, c)
			}
		}
		b.shot(t, id)
	}
}

func printing(t *testing.T, b *browser, m *dashboard.Material) {
	b.show(t, "practice-"+m.Year.Practices[1].Code)
	paper := run(t, b, chromedp.PrintToPDF(chromedp.PDFPaper(chromedp.PaperA4), chromedp.PDFPrintBackground()))
	if pages := bytes.Count(paper, []byte("/Type /Page\n")); pages < 1 || pages > 12 {
		t.Errorf("one practice prints on %d pages", pages)
	}
	if folder := os.Getenv("SCREENSHOTS"); folder != "" {
		keep(t, filepath.Join(folder, b.name+".pdf"), paper)
	}
	b.show(t, "area")
}

// The ways in which a page is read.
type view struct {
	name   string
	phone  bool
	media  string
	scheme string
}

func views() []view {
	return []view{{"dark", false, "screen", "dark"}, {"phone", true, "screen", "light"}, {"print", false, "print", "light"}, {"light", false, "screen", "light"}}
}

func (b *browser) see(t *testing.T, v view) {
	t.Helper()
	if v.phone {
		b.do(t, chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile))
	} else {
		b.do(t, chromedp.EmulateViewport(1280, 900))
	}
	call(t, b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: v.media, Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: v.scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}, // what scrolls smoothly cannot be clicked
	}})
}

func axe(t *testing.T, b *browser, m *dashboard.Material) {
	script, err := os.ReadFile(os.Getenv("AXE"))
	if err != nil {
		t.Fatalf("AXE is to name axe-core's script: %v", err)
	}
	ask[bool](t, b, string(script)+"\n;true")
	ids := []string{"area", "place-1", "practice-" + m.Year.Practices[1].Code}
	for _, p := range m.Year.Practices {
		if p.IsMissing() {
			ids = append(ids, "practice-"+p.Code)
		}
	}
	for _, v := range views() {
		b.see(t, v)
		for _, id := range ids {
			b.show(t, id)
			ask[[]chart](t, b, drawn)
			b.shot(t, v.name+"-"+id)
			unfold(t, b, true)
			result := ask[struct {
				Passes     int               `json:"passes"`
				Violations []json.RawMessage `json:"violations"`
			}](t, b, `axe.run(document).then(found => ({passes: found.passes.length, violations: found.violations.map(each => ({id: each.id, help: each.help, nodes: each.nodes.slice(0, 3).map(node => node.html.slice(0, 200) + ' ' + (node.failureSummary || ''))}))}))`)
			unfold(t, b, false)
			for _, violation := range result.Violations {
				t.Errorf("%s in %s: %s", id, v.name, violation)
			}
			if result.Passes < 15 {
				t.Errorf("%s in %s: %d rules of axe passed; expected at least 15", id, v.name, result.Passes)
			}
			if wide := ask[[2]int](t, b, `[document.documentElement.scrollWidth, document.documentElement.clientWidth]`); wide[0] > wide[1] {
				t.Errorf("%s in %s: %d pixels wide on %d", id, v.name, wide[0], wide[1])
			}
		}
	}
}

// withoutScripts: every section is there, and nothing asks to type.
func withoutScripts(t *testing.T, b *browser) {
	call(t, b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	b.do(t, chromedp.Navigate("about:blank"), chromedp.Navigate(b.url))
	sections := run(t, b, chromedp.Nodes(chromedp.CSSAll("section.page"), chromedp.NodeVisible))
	searches := run(t, b, chromedp.Nodes(chromedp.CSSAll(".find[hidden]")))
	if len(sections) < 12 || len(searches) != 1 {
		t.Errorf("%d sections are shown and %d searches hidden; expected every section, and the search hidden", len(sections), len(searches))
	}
}
