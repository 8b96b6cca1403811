package workspace

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"ltcles/pipeline/config"
	"ltcles/pipeline/contract"
	"ltcles/pipeline/emis"
	"ltcles/snomed"
)

// Settings is ltcles.yaml, with its defaults filled in.
type Settings struct {
	AllowTestNHSNumbers bool                // read the 999 range, for synthetic data
	MaxRejectedShare    contract.Share      // of one file's rows
	KeyFile             string              // relative to the workspace, or absolute
	Threads             int                 // 0: all cores
	MemoryLimit         string              // as DuckDB reads it; "" for the default
	StagedDays          int                 // how long the rows of a file stay staged after their last use; 0: for one run
	Headers             map[string][]string // by field of [emis.Fields]: more headers that mean it
	Layouts             []Layout
	Archives            Archives
	Rulings             contract.Rulings // in the place of the contract files' policies
}

// Archives bounds what one archive or workbook may unpack to. It bears on which
// files are read, which a run's identity states by itself.
type Archives struct {
	MaxEntries int
	MaxBytes   int64
	MaxRatio   int // unpacked bytes to each packed one
}

// Layout is what the settings say of the files whose inbox-relative path matches a pattern.
type Layout struct {
	Files   string                 // a pattern as path.Match reads it
	Headers map[string][]string    // as Settings.Headers, for these files only
	Groups  map[string]snomed.Code // the code that a group of columns stands for, by the group's name
}

const (
	defaultKeyFile  = "secrets/pseudonym.key"
	defaultRejected = "5 %"

	defaultStagedDays = 100
)

const defaultSettings = `# Settings of this workspace. Each line shows its default; remove the # to change it.
# A key that is not one of these is an error.

# Read NHS numbers of the test range 999. Only for synthetic data: real patients are never in it.
#allow_test_nhs_numbers: false

# A file with more than 20 rejected rows, and more than this share of its rows, stops publication.
#max_rejected_share: 5 %

# Rulings where the contract is open. One that is set here holds for every contract year, whatever
# the year's contract file says. The basis of payment must be set, here or there, before a year end
# can be made final: domain_2 (the assessments domain follows activity, the other two are earned in
# full) or whole_contract (all of it follows activity).
#reconciliation_basis:
# Patients whose registration is not regular do not count.
#require_regular: true
# An assessment without a cohort code counts to the target.
#count_without_segment: false
# An assessment without the eligibility code does not count.
#require_eligibility: false

# The key of the pseudonyms: relative to this folder, or anywhere else on this computer. Keep a copy
# of it in a safe place: without it, no later month can be matched with an earlier one.
#key_file: secrets/pseudonym.key

# Processor cores to use; 0 is all of them.
#threads: 0

# Memory for the engine, such as 4GB; a run has 2.5GB where nothing is set, and takes up to 1GB besides.
# What does not fit is on disk, in .ltcles, while the run lasts.
#memory_limit:

# Days for which the rows of a file that was read stay in .ltcles/staged after their last use, so that
# a run need not read the file again; 0 keeps none. They hold no NHS number and no EMIS number.
#staged_days: 100

# How much one ZIP archive or one workbook may unpack to: its entries, their size together, and how
# many times its packed size an entry may be. What exceeds a limit is refused.
#archives:
#  max_entries: 1000
#  max_bytes: 512MB
#  max_ratio: 200

# More column headers, by the field that they mean: practice_code, nhs_number, emis_number, code,
# activity_date, recorded_date, patient_type, registration_status, registered_date, deducted_date,
# death_date.
#headers:
#  practice_code: [Surgery]

# What holds for some files only, by their path below inbox/<period>/: more headers, and the code that
# a group of columns stands for where it has no code column.
#layouts:
#  - files: "*/assessments*.csv"
#    headers:
#      activity_date: [Seen on]
#    groups:
#      LTC assessments: 756261000000100
`

// knownFields are the names of the fields that headers can be added for.
func knownFields() []string {
	fields := emis.Fields()
	names := make([]string, len(fields))
	for i, field := range fields {
		names[i] = string(field)
	}
	return names
}

// settingsYAML is the form of ltcles.yaml.
type settingsYAML struct {
	AllowTestNHSNumbers yaml.Node              `yaml:"allow_test_nhs_numbers"`
	MaxRejectedShare    yaml.Node              `yaml:"max_rejected_share"`
	KeyFile             yaml.Node              `yaml:"key_file"`
	Threads             yaml.Node              `yaml:"threads"`
	MemoryLimit         yaml.Node              `yaml:"memory_limit"`
	StagedDays          yaml.Node              `yaml:"staged_days"`
	Headers             map[string][]yaml.Node `yaml:"headers"`
	Layouts             []layoutYAML           `yaml:"layouts"`
	Archives            archivesYAML           `yaml:"archives"`
	RequireRegular      yaml.Node              `yaml:"require_regular"`
	CountWithoutSegment yaml.Node              `yaml:"count_without_segment"`
	RequireEligibility  yaml.Node              `yaml:"require_eligibility"`
	ReconciliationBasis yaml.Node              `yaml:"reconciliation_basis"`
}

type archivesYAML struct {
	MaxEntries yaml.Node `yaml:"max_entries"`
	MaxBytes   yaml.Node `yaml:"max_bytes"`
	MaxRatio   yaml.Node `yaml:"max_ratio"`
}

type layoutYAML struct {
	Files   yaml.Node              `yaml:"files"`
	Headers map[string][]yaml.Node `yaml:"headers"`
	Groups  map[string]yaml.Node   `yaml:"groups"`
}

var memoryLimit = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?) ?([KMGT])i?B$`)

// isMemoryLimit tells an amount of memory that the engine can work with from one that it cannot.
func isMemoryLimit(text string) bool {
	parts := memoryLimit.FindStringSubmatch(text)
	if parts == nil {
		return false
	}
	amount, err := strconv.ParseFloat(parts[1], 64)
	megabytes := amount * map[string]float64{"K": 1e-3, "M": 1, "G": 1e3, "T": 1e6}[parts[2]]
	return err == nil && megabytes >= 8 && megabytes <= 100e6
}

func readSettings(text []byte) (Settings, error) {
	file := &config.File{Name: SettingsFile}
	var from settingsYAML
	file.DecodeYAML(text, &from)
	if err := file.Err(); err != nil {
		return Settings{}, err
	}
	settings := Settings{KeyFile: defaultKeyFile, StagedDays: defaultStagedDays}
	settings.AllowTestNHSNumbers, _ = file.Bool(from.AllowTestNHSNumbers, "allow_test_nhs_numbers")
	settings.MaxRejectedShare = rejectedShare(file, from.MaxRejectedShare)
	if given, ok := file.Optional(from.KeyFile, "key_file", "a path"); ok {
		settings.KeyFile = given
	}
	if given, ok := file.Optional(from.Threads, "threads", "a number of cores"); ok {
		threads, err := strconv.Atoi(given)
		if err != nil || threads < 0 || threads > 4096 {
			file.Add(from.Threads.Line, fmt.Sprintf("threads %q", given), "a number of cores from 0 (all) to 4096", "correct it")
		}
		settings.Threads = threads
	}
	if given, ok := file.Optional(from.MemoryLimit, "memory_limit", "an amount such as 4GB"); ok {
		settings.MemoryLimit = given
		if !isMemoryLimit(given) {
			file.Add(from.MemoryLimit.Line, fmt.Sprintf("memory_limit %q", given), "an amount from 8MB to 100TB, such as 4GB", "correct it")
		}
	}
	if given, ok := file.Optional(from.StagedDays, "staged_days", "a number of days"); ok {
		days, err := strconv.Atoi(given)
		if err != nil || days < 0 || days > 3660 {
			file.Add(from.StagedDays.Line, fmt.Sprintf("staged_days %q", given), "a number of days from 0 (none are kept) to 3660", "correct it")
		}
		settings.StagedDays = days
	}
	settings.Headers = headers(file, from.Headers, 0, nil)
	for _, entry := range from.Layouts {
		settings.Layouts = append(settings.Layouts, layout(file, entry, settings.Headers))
	}
	settings.Archives = archives(file, from.Archives)
	settings.Rulings = rulings(file, from)
	return settings, file.Err()
}

func rulings(file *config.File, from settingsYAML) (into contract.Rulings) {
	read := func(node yaml.Node, key string) *bool {
		value, given := file.Bool(node, key)
		if !given {
			return nil
		}
		return &value
	}
	into.RequireRegular = read(from.RequireRegular, "require_regular")
	into.CountWithoutSegment = read(from.CountWithoutSegment, "count_without_segment")
	into.RequireEligibility = read(from.RequireEligibility, "require_eligibility")
	into.ReconciliationBasis, _ = contract.ReadBasis(file, from.ReconciliationBasis)
	return into
}

var binaryAmount = regexp.MustCompile(`^([1-9][0-9]{0,5}) ?([KMG])i?B$`)

// archives reads the limits of archives. An amount such as 512MB is counted in
// steps of 1,024, as file managers do.
func archives(file *config.File, from archivesYAML) Archives {
	into := Archives{MaxEntries: 1000, MaxBytes: 512 << 20, MaxRatio: 200}
	whole := func(node yaml.Node, name string, most int, value *int) {
		given, ok := file.Optional(node, name, "a whole number")
		if !ok {
			return
		}
		n, err := strconv.Atoi(given)
		if err != nil || n < 1 || n > most {
			file.Add(node.Line, fmt.Sprintf("%s %q", name, given), fmt.Sprintf("a whole number from 1 to %d", most), "correct it")
			return
		}
		*value = n
	}
	whole(from.MaxEntries, "max_entries", 65_535, &into.MaxEntries)
	whole(from.MaxRatio, "max_ratio", 1100, &into.MaxRatio)
	if given, ok := file.Optional(from.MaxBytes, "max_bytes", "an amount such as 512MB"); ok {
		parts := binaryAmount.FindStringSubmatch(given)
		if parts == nil {
			file.Add(from.MaxBytes.Line, fmt.Sprintf("max_bytes %q", given), "an amount such as 512MB or 2GB", "correct it")
			return into
		}
		n, _ := strconv.ParseInt(parts[1], 10, 64)
		into.MaxBytes = n << map[string]int{"K": 10, "M": 20, "G": 30}[parts[2]]
	}
	return into
}

func rejectedShare(file *config.File, node yaml.Node) contract.Share {
	given, ok := file.Optional(node, "max_rejected_share", "a share such as "+defaultRejected)
	if !ok {
		given = defaultRejected
	}
	parse := contract.ParseFraction
	if strings.HasSuffix(given, "%") {
		parse = contract.ParseShare
	}
	share, err := parse(given)
	if err != nil {
		file.Add(node.Line, fmt.Sprintf("max_rejected_share %q", given), "a share such as 5 %, or a number from 0 to 1", "correct it")
	}
	return share
}

// headers reads more headers; each header text means one field, and not another
// than it means by itself or for every file.
func headers(file *config.File, from map[string][]yaml.Node, at int, forAll map[string][]string) map[string][]string {
	into := map[string][]string{}
	means, everywhere := map[string]string{}, map[string]string{}
	for field, texts := range forAll {
		for _, text := range texts {
			everywhere[emis.Plain(text)] = field
		}
	}
	for _, field := range slices.Sorted(maps.Keys(from)) {
		line := at
		if len(from[field]) > 0 {
			line = from[field][0].Line
		}
		if known := knownFields(); !slices.Contains(known, field) {
			file.Add(line, fmt.Sprintf("headers names the field %q", field), "one of "+strings.Join(known, ", "), "correct it")
			continue
		}
		for _, node := range from[field] {
			text := file.Text(node, "a header of "+field, line, "the text of a column header")
			if text == "" {
				continue
			}
			folded := emis.Plain(text)
			if folded == "" {
				file.Add(node.Line, fmt.Sprintf("header %q has no letter and no digit", text), "the text of a column header", "correct it")
				continue
			}
			if builtIn, known := emis.Means(text); known && string(builtIn) != field {
				file.Add(node.Line, fmt.Sprintf("%q already means %s", text, builtIn), "a header that means nothing yet", "remove it from "+field)
				continue
			}
			other, taken := means[folded]
			if other == "" && everywhere[folded] != field {
				other, taken = everywhere[folded], everywhere[folded] != ""
			}
			if taken {
				file.Add(node.Line, fmt.Sprintf("header %q is also under %s", text, other), "each header under one field", "remove one of the two")
				continue
			}
			means[folded] = field
			into[field] = append(into[field], text)
		}
	}
	return into
}

func layout(file *config.File, from layoutYAML, forAll map[string][]string) Layout {
	into := Layout{Groups: map[string]snomed.Code{}}
	into.Files = file.Text(from.Files, "files", 0, "a pattern such as */assessments*.csv")
	if _, err := path.Match(into.Files, ""); err != nil {
		file.Add(from.Files.Line, fmt.Sprintf("files %q: an open bracket", into.Files), "a pattern such as */assessments*.csv", "close it, or write it as \\[")
	}
	into.Headers = headers(file, from.Headers, from.Files.Line, forAll)
	named := map[string]string{}
	for _, group := range slices.Sorted(maps.Keys(from.Groups)) {
		node := from.Groups[group]
		text := file.Text(node, "the code of group "+strconv.Quote(group), from.Files.Line, "a SNOMED CT concept identifier")
		if text == "" {
			continue
		}
		code, err := snomed.Parse(text)
		if err != nil {
			file.Add(node.Line, fmt.Sprintf("group %q: code %q %s", group, text, err), "a code of the contract", "copy the code again from the contract")
			continue
		}
		if other, taken := named[emis.Plain(group)]; taken {
			file.Add(node.Line, fmt.Sprintf("group %q reads like group %q", group, other), "each group once, whatever its case, spaces and punctuation", "remove one of the two")
			continue
		}
		named[emis.Plain(group)] = group
		into.Groups[group] = code
	}
	return into
}

// sha256 is of what bears on figures, in one spelling: comments, order and quoting in the file do
// not count.
func (s Settings) sha256() string {
	text, err := json.Marshal(struct {
		AllowTestNHSNumbers bool
		MaxRejectedPPM      int64
		Headers             map[string][]string
		Layouts             []Layout
		contract.Rulings
	}{s.AllowTestNHSNumbers, s.MaxRejectedShare.PPM(), s.Headers, s.Layouts, s.Rulings})
	if err != nil {
		panic(fmt.Sprintf("settings of plain values do not marshal: %v", err))
	}
	return hashOf(text)
}
