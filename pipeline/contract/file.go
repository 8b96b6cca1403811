package contract

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"ltcles/pipeline/civil"
	"ltcles/pipeline/config"
	"ltcles/snomed"
)

// file is the form of a contract file. Values are nodes, so that each problem names its line and
// a code is its digits, never a number.
type file struct {
	ContractYear          yaml.Node     `yaml:"contract_year"`
	Codes                 []fileCode    `yaml:"codes"`
	Segments              []fileSegment `yaml:"segments"`
	Domains               fileDomains   `yaml:"domains"`
	PoundsPerWeightedHead yaml.Node     `yaml:"pounds_per_weighted_head"`
	AdvanceShare          yaml.Node     `yaml:"advance_share"`
	Dates                 fileDates     `yaml:"dates"`
	Instalments           []fileInstal  `yaml:"instalments"`
	Policies              filePolicies  `yaml:"policies"`
	Texts                 fileTexts     `yaml:"status_texts"`
	Assumed               []yaml.Node   `yaml:"assumed"`
}

type fileCode struct {
	Code    yaml.Node `yaml:"code"`
	Term    yaml.Node `yaml:"term"`
	Role    yaml.Node `yaml:"role"`
	Cohort  yaml.Node `yaml:"cohort"`
	Segment yaml.Node `yaml:"segment"`
}

type fileSegment struct {
	Segment      yaml.Node `yaml:"segment"`
	Name         yaml.Node `yaml:"name"`
	MinimumShare yaml.Node `yaml:"minimum_share"`
}

type fileDomains struct {
	Implementation yaml.Node `yaml:"implementation"`
	Assessments    yaml.Node `yaml:"assessments"`
	MDT            yaml.Node `yaml:"mdt"`
}

type fileDates struct {
	CodingDeadline      yaml.Node `yaml:"coding_deadline"`
	LetterDate          yaml.Node `yaml:"letter_date"`
	MitigationOpens     yaml.Node `yaml:"mitigation_opens"`
	MitigationCloses    yaml.Node `yaml:"mitigation_closes"`
	PanelWeek           yaml.Node `yaml:"panel_week"`
	DecisionDate        yaml.Node `yaml:"decision_date"`
	ReconciliationMonth yaml.Node `yaml:"reconciliation_month"`
}

type fileInstal struct {
	Paid   yaml.Node `yaml:"paid"`
	Covers yaml.Node `yaml:"covers"`
}

type filePolicies struct {
	RequireRegular      yaml.Node `yaml:"require_regular"`
	CountWithoutSegment yaml.Node `yaml:"count_without_segment"`
	RequireEligibility  yaml.Node `yaml:"require_eligibility"`
	ReconciliationBasis yaml.Node `yaml:"reconciliation_basis"`
}

type fileTexts struct {
	Regular    []yaml.Node `yaml:"regular"`
	Left       []yaml.Node `yaml:"left"`
	Dead       []yaml.Node `yaml:"dead"`
	NotRegular []yaml.Node `yaml:"not_regular"`
}

// notSet is what a contract file says of a value that nobody has stated; it is not 0.
const notSet = "not set"

type fileReader struct{ *config.File }

func (r fileReader) contract(text []byte, year Year) *Contract {
	var from file
	r.DecodeYAML(text, &from)
	if r.Err() != nil {
		return nil // half a file would raise problems that are not there
	}
	if stated := r.Text(from.ContractYear, "contract_year", 1, "the year that names the file"); stated != "" && stated != string(year) {
		r.Add(from.ContractYear.Line, fmt.Sprintf("contract_year %q", stated), fmt.Sprintf("%q, as the file is named", year), "correct it or rename the file")
	}
	into := &Contract{Year: year}
	into.Segments = r.segments(from.Segments)
	into.Codes = r.codes(from.Codes, into.Segments)
	into.Domains = r.domains(from.Domains)
	into.PencePerWeightedHead = r.pence(from.PoundsPerWeightedHead)
	into.AdvanceShare = r.share(from.AdvanceShare, "advance_share", 0)
	r.dates(from.Dates, into)
	into.Instalments = r.instalments(from.Instalments)
	into.Assumed = r.assumed(from.Assumed)
	into.Policies = r.policies(from.Policies, into)
	into.Texts = r.texts(from.Texts)
	return into
}

var cohortName = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)

func (r fileReader) codes(entries []fileCode, segments []Segment) []CodeEntry {
	var codes []CodeEntry
	first := map[snomed.Code]int{}
	segmentOf := map[string]string{}
	served := map[string]bool{}
	claims := 0
	for _, entry := range entries {
		line := firstLine(entry.Code, entry.Term, entry.Role, entry.Cohort, entry.Segment)
		code := CodeEntry{
			Code: r.code(entry.Code, line),
			Term: r.Text(entry.Term, "term", line, "the code's description"),
			Role: Role(r.Text(entry.Role, "role", line, "claim, eligibility, cohort or mdt")),
			Line: entry.Code.Line,
		}
		if earlier, repeated := first[code.Code]; repeated {
			r.Add(code.Line, fmt.Sprintf("code %q is already on line %d", code.Code, earlier), "each code once", "remove one of the two")
		} else if code.Code != "" {
			first[code.Code] = code.Line
		}
		switch code.Role {
		case Claim, Eligibility, MDT:
			if code.Role == Claim {
				claims++
			}
			r.cohortOnly(entry.Cohort, "cohort", code.Role)
			r.cohortOnly(entry.Segment, "segment", code.Role)
		case Cohort:
			r.cohort(entry, line, &code)
			if other, known := segmentOf[code.Cohort]; known && other != code.Segment {
				r.Add(entry.Segment.Line, fmt.Sprintf("cohort %q in segment %q", code.Cohort, code.Segment), fmt.Sprintf("%q, as for its other code", other), "put a cohort in one segment")
			}
			segmentOf[code.Cohort] = code.Segment
			served[code.Segment] = true
		case "":
		default:
			r.Add(entry.Role.Line, fmt.Sprintf("role %q", code.Role), "claim, eligibility, cohort or mdt", "correct it")
		}
		codes = append(codes, code)
	}
	if claims == 0 {
		r.Add(0, "codes has no code with the role claim", "at least one", "add it")
	}
	unclear := slices.ContainsFunc(codes, func(code CodeEntry) bool {
		return code.Role == Cohort && !slices.Contains(SegmentNames(), code.Segment)
	})
	for _, segment := range segments {
		if segment.MinimumShare != nil && !served[segment.Segment] && !unclear {
			r.Add(0, fmt.Sprintf("segment %q has a minimum and no code", segment.Segment), "a cohort code for it", "add the code, or set the minimum to: "+notSet)
		}
	}
	return codes
}

func (r fileReader) cohort(entry fileCode, line int, code *CodeEntry) {
	code.Cohort = r.Text(entry.Cohort, "cohort", line, "the cohort's name")
	code.Segment = r.Text(entry.Segment, "segment", line, oneOf(SegmentNames()))
	if code.Cohort != "" && !cohortName.MatchString(code.Cohort) {
		r.Add(entry.Cohort.Line, fmt.Sprintf("cohort %q", code.Cohort), "lower-case words joined by _", "correct it")
	}
	if code.Segment == PlaceChoice && code.Cohort != "" && !slices.Contains(Choices(), code.Cohort) {
		r.Add(entry.Cohort.Line, fmt.Sprintf("cohort %q in segment %s", code.Cohort, PlaceChoice), oneOf(Choices())+", which a place can choose", "correct the cohort or the segment")
	}
	if code.Segment != "" && !slices.Contains(SegmentNames(), code.Segment) {
		r.Add(entry.Segment.Line, fmt.Sprintf("segment %q", code.Segment), oneOf(SegmentNames()), "correct it")
	}
}

func (r fileReader) cohortOnly(node yaml.Node, key string, role Role) {
	if text, given := r.Optional(node, key, "nothing"); given {
		r.Add(node.Line, fmt.Sprintf("%s %q for the role %s", key, text, role), "it for the role cohort only", "remove it or correct the role")
	}
}

func (r fileReader) code(node yaml.Node, line int) snomed.Code {
	text := r.Text(node, "code", line, "a SNOMED CT concept identifier")
	if text == "" {
		return ""
	}
	code, err := snomed.Parse(text)
	if err == nil {
		return code
	}
	found, expected := fmt.Sprintf("code %q: %s", text, err), "the 6 to 18 digits of a concept identifier"
	if errors.Is(err, snomed.CheckDigit) {
		body, last := text[:len(text)-1], text[len(text)-1]
		digit, _ := snomed.VerhoeffDigit(body)
		found = fmt.Sprintf("code %q: check digit %c", text, last)
		expected = fmt.Sprintf("%c if the digits before it are right", digit)
	}
	r.Add(node.Line, found, expected, "copy the code again from the contract")
	return ""
}

func (r fileReader) segments(entries []fileSegment) []Segment {
	var segments []Segment
	first := map[string]int{}
	for i, entry := range entries {
		line := firstLine(entry.Segment, entry.Name, entry.MinimumShare)
		segment := Segment{
			Segment:   r.Text(entry.Segment, "segment", line, oneOf(SegmentNames())),
			Name:      r.Text(entry.Name, "name", line, "the segment's name for readers"),
			SortOrder: i + 1,
		}
		minimum := r.Text(entry.MinimumShare, "minimum_share", line, "a share such as 10 %, or the words: "+notSet)
		if minimum != "" && minimum != notSet {
			share := r.share(entry.MinimumShare, "minimum_share", line)
			segment.MinimumShare = &share
		}
		if earlier, repeated := first[segment.Segment]; repeated {
			r.Add(line, fmt.Sprintf("segment %q is already on line %d", segment.Segment, earlier), "each segment once", "remove one of the two")
		} else if segment.Segment != "" {
			first[segment.Segment] = line
			if !slices.Contains(SegmentNames(), segment.Segment) {
				r.Add(entry.Segment.Line, fmt.Sprintf("segment %q", segment.Segment), oneOf(SegmentNames()), "correct it")
			}
		}
		segments = append(segments, segment)
	}
	for _, name := range SegmentNames() {
		if first[name] == 0 {
			r.Add(0, fmt.Sprintf("segments lacks %q", name), "all five", "add it; a minimum that nobody has stated is: "+notSet)
		}
	}
	return segments
}

func (r fileReader) domains(from fileDomains) []Domain {
	at := firstLine(from.Implementation, from.Assessments, from.MDT)
	domains := []Domain{
		{Implementation, r.share(from.Implementation, "domains: implementation", at)},
		{Assessments, r.share(from.Assessments, "domains: assessments", at)},
		{MDTDomain, r.share(from.MDT, "domains: mdt", at)},
	}
	total := Share{}
	for _, domain := range domains {
		total.ppm += domain.Share.ppm
	}
	if total.ppm != million {
		r.Add(at, "domains add up to "+total.String(), "100 %", "correct the shares")
	}
	return domains
}

// mostPence keeps every sum of money within its column, whatever the population.
const mostPence = 100_000

func (r fileReader) pence(node yaml.Node) map[string]*int64 {
	const expected = "a mapping from each place to pounds, such as 8.40, or the words: " + notSet
	if node.Kind != yaml.MappingNode || len(node.Content) == 0 {
		r.Add(node.Line, "pounds_per_weighted_head names no place", expected, "add the places")
		return nil
	}
	places := map[string]*int64{}
	first := map[string]int{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		place := strings.TrimSpace(key.Value)
		if place == "" {
			r.Add(key.Line, "a place without a name", expected, "add its name")
			continue
		}
		if earlier, repeated := first[place]; repeated {
			r.Add(key.Line, fmt.Sprintf("place %q is already on line %d", place, earlier), "each place once", "remove one of the two")
			continue
		}
		first[place] = key.Line
		text := r.Text(*value, "the value of "+place, key.Line, "pounds, such as 8.40, or the words: "+notSet)
		places[place] = nil
		if text == "" || text == notSet {
			continue
		}
		pence, ok := fixedPoint(strings.TrimPrefix(text, "£"), 2)
		if !ok || pence == 0 || pence >= mostPence {
			r.Add(value.Line, fmt.Sprintf("%s: %q", place, text), "pounds below 1,000 with at most two decimals, such as 8.40, or the words: "+notSet, "correct it")
			continue
		}
		places[place] = &pence
	}
	return places
}

func (r fileReader) share(node yaml.Node, key string, at int) Share {
	text := r.Text(node, key, at, "a share such as 10 %")
	if text == "" {
		return Share{}
	}
	share, err := ParseShare(text)
	if err != nil {
		r.Add(node.Line, fmt.Sprintf("%s %q", key, text), "a percentage from 0 % to 100 %, such as 10 %", "correct it")
	}
	return share
}

func (r fileReader) dates(from fileDates, into *Contract) {
	at := firstLine(from.CodingDeadline, from.LetterDate, from.MitigationOpens, from.MitigationCloses,
		from.PanelWeek, from.DecisionDate, from.ReconciliationMonth)
	read := func(node yaml.Node, key string) civil.Date {
		const expected = "yyyy-MM-dd, or the words: " + notSet
		text := r.Text(node, key, at, expected)
		if text == "" || text == notSet {
			return civil.None
		}
		date, err := civil.Parse(text)
		if err != nil {
			r.Add(node.Line, fmt.Sprintf("%s %q", key, text), expected, "correct it")
		} else if date <= into.Year.End() {
			r.Add(node.Line, fmt.Sprintf("%s %s", key, date), "a day after the year end, "+into.Year.End().String(), "correct it")
		}
		return date
	}
	into.CodingDeadline = read(from.CodingDeadline, "coding_deadline")
	into.LetterDate = read(from.LetterDate, "letter_date")
	into.MitigationOpens = read(from.MitigationOpens, "mitigation_opens")
	into.MitigationCloses = read(from.MitigationCloses, "mitigation_closes")
	into.PanelWeek = read(from.PanelWeek, "panel_week")
	into.DecisionDate = read(from.DecisionDate, "decision_date")
	if strings.TrimSpace(from.CodingDeadline.Value) == notSet {
		r.Add(from.CodingDeadline.Line, "coding_deadline is not set", "yyyy-MM-dd: every claim is judged by it", "add it")
	}
	if !into.MitigationOpens.IsNone() && !into.MitigationCloses.IsNone() && into.MitigationCloses < into.MitigationOpens {
		r.Add(from.MitigationCloses.Line, "mitigation_closes is before mitigation_opens", "a day on or after it", "correct it")
	}
	into.ReconciliationMonth = r.month(from.ReconciliationMonth, "reconciliation_month", at)
	if month := into.ReconciliationMonth; !month.IsNone() && month <= into.Year.End() {
		r.Add(from.ReconciliationMonth.Line, "reconciliation_month "+month.String()[:len("2027-06")], "a month after the year end, "+into.Year.End().String(), "correct it")
	}
}

func (r fileReader) month(node yaml.Node, key string, at int) civil.Date {
	const expected = "a month, such as 2027-06"
	text := r.Text(node, key, at, expected)
	if text == "" {
		return civil.None
	}
	first, err := civil.Parse(text + "-01")
	if err != nil {
		r.Add(node.Line, fmt.Sprintf("%s %q", key, text), expected, "correct it")
	}
	return first
}

func (r fileReader) instalments(entries []fileInstal) []Instalment {
	var instalments []Instalment
	last := civil.None
	for _, entry := range entries {
		line := firstLine(entry.Paid, entry.Covers)
		instalment := Instalment{
			PaidMonth: r.month(entry.Paid, "paid", line),
			Covers:    r.Text(entry.Covers, "covers", line, "the month that the instalment is for"),
		}
		if !instalment.PaidMonth.IsNone() {
			if instalment.PaidMonth < last {
				r.Add(line, "an instalment paid before the one above it", "instalments in the order of payment", "move it up")
			}
			last = instalment.PaidMonth
		}
		instalments = append(instalments, instalment)
	}
	if len(instalments) == 0 {
		r.Add(0, "instalments is empty", "at least one", "add the months in which the advance is paid")
	}
	return instalments
}

func (r fileReader) policies(from filePolicies, into *Contract) Policies {
	policies := Policies{
		RequireRegular:      r.yes(from.RequireRegular, "require_regular", true),
		CountWithoutSegment: r.yes(from.CountWithoutSegment, "count_without_segment", false),
		RequireEligibility:  r.yes(from.RequireEligibility, "require_eligibility", false),
		ReconciliationBasis: Domain2,
	}
	basis, given := ReadBasis(r.File, from.ReconciliationBasis)
	if given {
		policies.ReconciliationBasis = basis
	}
	policies.ReconciliationBasisAssumed = !given || into.IsAssumed(basisKey)
	return policies
}

func (r fileReader) yes(node yaml.Node, key string, otherwise bool) bool {
	if value, given := r.Bool(node, key); given {
		return value
	}
	return otherwise
}

func (r fileReader) texts(from fileTexts) map[string]Meaning {
	texts := map[string]Meaning{}
	first := map[string]int{}
	for _, group := range []struct {
		meaning Meaning
		texts   []yaml.Node
	}{{Regular, from.Regular}, {Left, from.Left}, {Dead, from.Dead}, {NotRegular, from.NotRegular}} {
		if len(group.texts) == 0 {
			r.Add(0, fmt.Sprintf("status_texts has no text for %s", group.meaning), "at least one", "add the texts that mean it")
		}
		for _, node := range group.texts {
			text := FoldText(r.Text(node, "a text of status_texts", node.Line, "the text as EMIS shows it"))
			if earlier, repeated := first[text]; repeated {
				r.Add(node.Line, fmt.Sprintf("status text %q is already on line %d", text, earlier), "each text once, whatever its case", "remove one of the two")
				continue
			}
			if text != "" {
				first[text], texts[text] = node.Line, group.meaning
			}
		}
	}
	return texts
}

// assumable are the keys whose value may be carried over from another year.
func assumable() []string {
	return []string{
		"advance_share", "codes", "coding_deadline", "decision_date", "domains", "instalments", "letter_date",
		"minimum_share", "mitigation_closes", "mitigation_opens", "panel_week", "pounds_per_weighted_head",
		basisKey, "reconciliation_month",
	}
}

func (r fileReader) assumed(nodes []yaml.Node) []string {
	var keys []string
	for _, node := range nodes {
		key := r.Text(node, "a key of assumed", node.Line, "a key of this file")
		switch {
		case key == "":
		case !slices.Contains(assumable(), key):
			r.Add(node.Line, fmt.Sprintf("assumed names %q", key), oneOf(assumable()), "correct it")
		case slices.Contains(keys, key):
			r.Add(node.Line, fmt.Sprintf("assumed names %q twice", key), "each key once", "remove one of the two")
		default:
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// firstLine is where an entry begins: the first line that one of its values is on, 0 for none.
func firstLine(nodes ...yaml.Node) int {
	line := 0
	for _, node := range nodes {
		if node.Line > 0 && (line == 0 || node.Line < line) {
			line = node.Line
		}
	}
	return line
}

func oneOf(names []string) string {
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}
