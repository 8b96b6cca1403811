package workspace

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"ltcles/pipeline/config"
	"ltcles/pipeline/contract"
	"ltcles/pipeline/pseudonym"
)

func TestInitMakesAWorkspace(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "workspace")
	if err := Init(dir); err != nil {
		t.Fatal(err)
	}
	var made []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		name, _ := filepath.Rel(dir, path)
		made = append(made, filepath.ToSlash(name))
		return err
	})
	want := ". .ltcles inbox ltcles.yaml published reference reference/contracts reference/places.csv reference/practices.csv runs secrets secrets/pseudonym.key"
	if err != nil || strings.Join(made, " ") != want {
		t.Errorf("made %s\nwant %s, %v", strings.Join(made, " "), want, err)
	}
	if runtime.GOOS != "windows" {
		for _, private := range []string{"secrets", "inbox", ".ltcles"} {
			if info, err := os.Stat(filepath.Join(dir, private)); err != nil || info.Mode().Perm()&0o077 != 0 {
				t.Errorf("%s is open to others: %v", private, err)
			}
		}
	}
	for name, want := range map[string]string{
		practicesFile: "contract_year,practice_code,practice_name,place,pcn_code,pcn_name,registered_population,weighted_population,annual_target\n",
		placesFile:    "contract_year,place,choice\n",
	} {
		if text, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(text) != want {
			t.Errorf("%s holds %q, %v", name, text, err)
		}
	}

	w, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if w.Settings.MaxRejectedShare.String() != "5 %" || w.Settings.AllowTestNHSNumbers || w.Settings.Threads != 0 || w.Settings.MemoryLimit != "" || w.Settings.StagedDays != 100 {
		t.Errorf("defaults %+v", w.Settings)
	}
	if _, err := pseudonym.Load(w.KeyFile()); err != nil {
		t.Error(err)
	}
	if _, err := w.Reference("2026-27"); err == nil || !strings.Contains(err.Error(), "no practice for 2026-27") {
		t.Errorf("empty lists: %v", err)
	}
}

func TestInitLeavesWhatIsThere(t *testing.T) {
	made := filepath.Join(t.TempDir(), "made")
	if err := Init(made); err != nil {
		t.Fatal(err)
	}
	key, err := os.ReadFile(filepath.Join(made, "secrets", "pseudonym.key"))
	if err != nil {
		t.Fatal(err)
	}
	if err := Init(made); err == nil || !strings.Contains(err.Error(), "a workspace is there already") {
		t.Errorf("second init: %v", err)
	}
	if after, err := os.ReadFile(filepath.Join(made, "secrets", "pseudonym.key")); err != nil || string(after) != string(key) {
		t.Errorf("the key changed: %v", err)
	}

	other := t.TempDir()
	if err := os.WriteFile(filepath.Join(other, "notes.txt"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Init(other); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("init in a folder of something else: %v", err)
	}
	if entries, err := os.ReadDir(other); err != nil || len(entries) != 1 {
		t.Errorf("%d entries, %v", len(entries), err)
	}
	if _, err := Open(other); err == nil || !strings.Contains(err.Error(), "ltcles init") {
		t.Errorf("open: %v", err)
	}
	if err := Init(filepath.Join(other, "notes.txt")); err == nil {
		t.Error("init on a file")
	}
}

// Every line that the settings file offers is a setting: with each # before a key removed, it is
// read, and but for the examples it changes nothing.
func TestDefaultSettingsAreReal(t *testing.T) {
	asMade, err := readSettings([]byte(defaultSettings))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(defaultSettings) {
		if bare, isOffered := strings.CutPrefix(line, "#"); isOffered && !strings.HasPrefix(line, "# ") || strings.HasPrefix(line, "#  ") {
			line = bare
		}
		lines = append(lines, line)
	}
	offered, err := readSettings([]byte(strings.Join(lines, "")))
	if err != nil {
		t.Fatal(err)
	}
	if len(offered.Layouts) != 1 || len(offered.Headers) != 1 || len(offered.Layouts[0].Groups) != 1 {
		t.Fatalf("the examples were not read: %+v", offered)
	}
	offered.Layouts, offered.Headers = nil, asMade.Headers
	ruled, err := contract.Load("", "2026-27")
	if err != nil {
		t.Fatal(err)
	}
	policies := ruled.Policies
	if ruled.Rule(offered.Rulings); offered.Rulings == asMade.Rulings || ruled.Policies != policies {
		t.Errorf("the rulings offered make %+v of %+v", ruled.Policies, policies)
	}
	offered.Rulings = asMade.Rulings
	if !reflect.DeepEqual(asMade, offered) {
		t.Errorf("%+v\nas offered %+v", asMade, offered)
	}
}

func TestSettings(t *testing.T) {
	settings, err := readSettings([]byte(`
allow_test_nhs_numbers: true
max_rejected_share: 0.125
key_file: /safe/place.key
threads: 2
memory_limit: 4GB
staged_days: 7
archives: {max_entries: 20, max_bytes: 2GB, max_ratio: 50}
headers: {practice_code: [Surgery, "Site"]}
layouts:
  - files: "*/claims*.csv"
    groups: {Claims: 756261000000100}
require_regular: false
require_eligibility: true
reconciliation_basis: whole_contract
`))
	if err != nil {
		t.Fatal(err)
	}
	layout := settings.Layouts[0]
	if !settings.AllowTestNHSNumbers || settings.MaxRejectedShare.PPM() != 125_000 || settings.Threads != 2 || settings.MemoryLimit != "4GB" || settings.StagedDays != 7 || settings.Archives != (Archives{20, 2 << 30, 50}) ||
		strings.Join(settings.Headers["practice_code"], " ") != "Surgery Site" || layout.Files != "*/claims*.csv" || layout.Groups["Claims"] != "756261000000100" {
		t.Errorf("%+v", settings)
	}
	if r := settings.Rulings; r.RequireRegular == nil || *r.RequireRegular || r.CountWithoutSegment != nil || r.RequireEligibility == nil || !*r.RequireEligibility ||
		r.ReconciliationBasis != contract.WholeContract {
		t.Errorf("rulings %+v", r)
	}
	if runtime.GOOS != "windows" {
		w := Workspace{Dir: "w", Settings: settings}
		if w.KeyFile() != "/safe/place.key" {
			t.Errorf("key file %s", w.KeyFile())
		}
	}
}

func TestSettingsProblems(t *testing.T) {
	tests := []struct{ text, want string }{
		{"alow_test_nhs_numbers: true", `ltcles.yaml:1: unknown key "alow_test_nhs_numbers"; `},
		{"allow_test_nhs_numbers: yes", `ltcles.yaml:1: allow_test_nhs_numbers "yes"; expected true or false`},
		{"require_regular: no", `ltcles.yaml:1: require_regular "no"; expected true or false`},
		{"count_without_segment: [true]", `ltcles.yaml:1: count_without_segment holds a list or a mapping; expected true or false`},
		{"require_eligibility: 1", `ltcles.yaml:1: require_eligibility "1"; `},
		{"threads: 2\nreconciliation_basis: domain 2", `ltcles.yaml:2: reconciliation_basis "domain 2"; expected domain_2 or whole_contract; correct it`},
		{"policies: {require_regular: true}", `ltcles.yaml:1: unknown key "policies"; `},
		{"max_rejected_share: 5", `ltcles.yaml:1: max_rejected_share "5"; expected a share such as 5 %, or a number from 0 to 1`},
		{"max_rejected_share: 101 %", `ltcles.yaml:1: max_rejected_share "101 %"; `},
		{"threads: -1", `ltcles.yaml:1: threads "-1"; `},
		{"threads: two", `ltcles.yaml:1: threads "two"; `},
		{"staged_days: -1", `ltcles.yaml:1: staged_days "-1"; expected a number of days from 0 (none are kept) to 3660; correct it`},
		{"memory_limit: lots", `ltcles.yaml:1: memory_limit "lots"; expected an amount from 8MB to 100TB, such as 4GB`},
		{"memory_limit: 0GB", `ltcles.yaml:1: memory_limit "0GB"; `},
		{"memory_limit: 7.9 MiB", `ltcles.yaml:1: memory_limit "7.9 MiB"; `},
		{"memory_limit: 99999999999999TB", `ltcles.yaml:1: memory_limit "99999999999999TB"; `},
		{"memory_limit: 4GB; SET x", `ltcles.yaml:1: memory_limit "4GB; SET x"; `},
		{"archives: {max_files: 5}", `ltcles.yaml:1: unknown key "max_files"; `},
		{"archives: {max_entries: 0}", `ltcles.yaml:1: max_entries "0"; expected a whole number from 1 to 65535`},
		{"archives:\n  max_bytes: 512", `ltcles.yaml:2: max_bytes "512"; expected an amount such as 512MB`},
		{"archives: {max_ratio: many}", `ltcles.yaml:1: max_ratio "many"; expected a whole number from 1 to 1100`},
		{"headers: {practice: [Surgery]}", `ltcles.yaml:1: headers names the field "practice"; expected one of practice_code, `},
		{"headers: {practice_code: Surgery}", `ltcles.yaml:1: found a single value; expected a list`},
		{"headers:\n  code: [Which]\n  nhs_number: [which ]", `ltcles.yaml:3: header "which" is also under code; `},
		{"headers:\n  recorded_date:\n    - NHS-number", `ltcles.yaml:3: "NHS-number" already means nhs_number; expected a header that means nothing yet; remove it from recorded_date`},
		{"headers: {code: ['#']}", `ltcles.yaml:1: header "#" has no letter and no digit; `},
		{"headers:\n  code: [Which]\n  nhs_number: [WHICH!]", `ltcles.yaml:3: header "WHICH!" is also under code; `},
		{"headers: {code: [X]}\nlayouts:\n  - files: '*'\n    headers: {recorded_date: [x]}", `ltcles.yaml:4: header "x" is also under code; `},
		{"layouts:\n  - files: '*'\n    headers: {code: [Date]}", `ltcles.yaml:3: "Date" already means activity_date; `},
		{"layouts:\n  - files: '*'\n    groups: {Frail: 756261000000100, FRAIL.: 756161000000107}", `ltcles.yaml:3: group "Frail" reads like group "FRAIL."; `},
		{"layouts:\n  - headers: {code: [X]}", `ltcles.yaml: files is missing; `},
		{"layouts:\n  - files: a[b\n", `ltcles.yaml:2: files "a[b": an open bracket; `},
		{"layouts:\n  - files: '*'\n    groups: {G: 756261000000101}", `ltcles.yaml:3: group "G": code "756261000000101" check digit does not match; `},
	}
	for _, tt := range tests {
		_, err := readSettings([]byte(tt.text))
		if problem := new(config.Problem); !errors.As(err, &problem) || !strings.HasPrefix(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s:\n%v\nwant %s", tt.text, err, tt.want)
		}
	}
}

func TestSettingsHashIsOfWhatBearsOnFigures(t *testing.T) {
	hash := func(text string) string {
		settings, err := readSettings([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return settings.sha256()
	}
	plain := hash(defaultSettings)
	for _, same := range []string{"", "threads: 2", "memory_limit: 1GB", "staged_days: 0", "key_file: /else/where", "max_rejected_share: 0.05", "reconciliation_basis:", "headers: {}", "layouts: []", "archives: {max_entries: 7}"} {
		if hash(same) != plain {
			t.Errorf("%q is another run", same)
		}
	}
	seen := map[string]string{plain: "the default"}
	for _, other := range []string{"allow_test_nhs_numbers: true", "max_rejected_share: 6 %", "headers: {code: [X]}", "reconciliation_basis: domain_2", "reconciliation_basis: whole_contract",
		"require_regular: true", "require_regular: false", "count_without_segment: true", "require_eligibility: true", "layouts: [{files: '*'}]",
		"layouts: [{files: '*', groups: {G: 756261000000100}}]"} {
		if same, known := seen[hash(other)]; known {
			t.Errorf("%q reads as %s", other, same)
		}
		seen[hash(other)] = other
	}
}
