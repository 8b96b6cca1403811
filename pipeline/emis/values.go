package emis

import (
	"bytes"
	"errors"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"ltcles/pipeline/civil"
	"ltcles/snomed"
)

// State says what became of a cell's text.
type State string

// The states of a field. Which of them a field can have is said where it is read.
const (
	Blank     State = "blank"
	Valid     State = "valid"
	Invalid   State = "invalid"
	Unknown   State = "unknown"    // a practice that practices.csv does not have; a status text without a meaning
	TestRange State = "test_range" // an NHS number of the 999 range where those are not allowed
	Damaged   State = "damaged"    // a code in scientific notation that cannot be repaired
	Repaired  State = "repaired"   // a code in scientific notation that was
	Other     State = "other"      // a sound code that the code book does not have
	// A description id, or a code of EMIS's own that is no concept id: not what a
	// code column is to hold, and told from a slip of a digit.
	NotConcept State = "not_concept"
	// A concept of EMIS's own, sound but for meaning nothing outside EMIS.
	Local State = "local"
)

// isBlank tells whether a cell shows nothing; Excel's ="" does not.
func isBlank(cell []byte) bool {
	for i := 0; i < len(cell); {
		c := cell[i]
		if c < utf8.RuneSelf {
			if c > ' ' {
				return c == '=' && len(trim(cell[i:])) == 0
			}
			i++
			continue
		}
		r, n := utf8.DecodeRune(cell[i:])
		if !isInvisible(r) {
			return false
		}
		i += n
	}
	return true
}

// isInvisible covers white space, NBSP among it, and the zero-width characters.
func isInvisible(r rune) bool {
	return unicode.IsSpace(r) || r < ' ' || r == '\u200b' || r == '\u200c' || r == '\u200d' || r == '\u2060' || r == '\ufeff'
}

// trim removes what does not show from both ends, and Excel's ="…" around it.
func trim(cell []byte) []byte {
	cell = bytes.TrimFunc(cell, isInvisible)
	if len(cell) >= 3 && cell[0] == '=' && cell[1] == '"' && cell[len(cell)-1] == '"' {
		cell = bytes.TrimFunc(cell[2:len(cell)-1], isInvisible)
	}
	return cell
}

// bare removes what spreadsheets and people put into numbers (R1): blanks,
// NBSP and zero-width characters anywhere, apostrophes and ="…"; and hyphens.
func bare(dst, cell []byte) []byte {
	for _, r := range string(trim(cell)) {
		if isInvisible(r) || r == '\'' || r == '’' || r == '‘' || r == '-' || r == '‐' || r == '‑' {
			continue
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst
}

// ReadNHSNumber reads an NHS number (R1): Blank, Valid, TestRange or Invalid. The
// ten digits are appended to dst where the state is Valid.
//
// A number of the 999 range is TestRange whatever its check digit, unless
// allowTest says that such numbers are read like any other.
func ReadNHSNumber(dst, cell []byte, allowTest bool) ([]byte, State) {
	begin := len(dst)
	dst = bare(dst, cell)
	digits := dst[begin:]
	if len(digits) == 0 {
		return dst, Blank
	}
	if len(digits) != 10 {
		return dst[:begin], Invalid
	}
	sum, same := 0, true
	for i, c := range digits {
		if c < '0' || c > '9' {
			return dst[:begin], Invalid
		}
		same = same && c == digits[0]
		if i < 9 {
			sum += (10 - i) * int(c-'0')
		}
	}
	if !allowTest && bytes.HasPrefix(digits, []byte("999")) {
		return dst[:begin], TestRange
	}
	check := (11 - sum%11) % 11 // 10 is no digit, so it matches none
	if same || check != int(digits[9]-'0') {
		return dst[:begin], Invalid
	}
	return dst, Valid
}

// isNHSNumber tells whether a cell holds an NHS number, of the test range or not.
func isNHSNumber(cell []byte) bool {
	_, state := ReadNHSNumber(nil, cell, true)
	return state == Valid
}

// ReadEMISNumber reads an EMIS number: digits as a rule, but whatever has one is the
// practice's own number for the patient. Stray quotes are none of it. Empty where
// the cell is blank, holds no digit but 0, or is prose: "N/A", "-" and a footer's "Page 1 of 3"
// are nobody's number, and would make one patient of all who have none.
func ReadEMISNumber(dst, cell []byte) []byte {
	begin := len(dst)
	for _, r := range string(trim(cell)) {
		if isInvisible(r) || r == '\'' || r == '’' || r == '‘' || r == '"' {
			continue
		}
		dst = utf8.AppendRune(dst, r)
	}
	number := withoutPointZero(dst[begin:])
	if !bytes.ContainsAny(number, "123456789") || isProse(trim(cell)) {
		return dst[:begin]
	}
	return append(dst[:begin], number...)
}

// isProse tells several words, one of them of two letters or more, from a number however it is
// written.
func isProse(text []byte) bool {
	words := bytes.Fields(text)
	return len(words) > 1 && slices.ContainsFunc(words, func(word []byte) bool {
		return len(bytes.Trim(word, "0123456789.,;:/()-")) > 1 && bytes.IndexFunc(word, unicode.IsLetter) >= 0
	})
}

// withoutPointZero removes the ".0" that a number stored as a float leaves.
func withoutPointZero(text []byte) []byte {
	point := bytes.LastIndexByte(text, '.')
	if point <= 0 || point == len(text)-1 {
		return text
	}
	for _, c := range text[point+1:] {
		if c != '0' {
			return text
		}
	}
	return text[:point]
}

// A Book is the SNOMED CT codes that a reader may know.
type Book struct {
	codes map[string]snomed.Code
}

// NewBook is the book of these codes.
func NewBook(codes []snomed.Code) *Book {
	b := &Book{codes: make(map[string]snomed.Code, len(codes))}
	for _, c := range codes {
		b.codes[string(c)] = c
	}
	return b
}

// read reads a code cell (R2): Blank, Valid (in the book), Repaired (in the
// book, from scientific notation), Other or Local (sound, not in the book: its
// text goes no further, since any number may stand in a cell), Damaged, Invalid or
// NotConcept.
func (b *Book) read(cell []byte) (snomed.Code, State) {
	text := trim(cell)
	if bar := bytes.IndexByte(text, '|'); bar >= 0 {
		text = trim(text[:bar])
	}
	text = bytes.TrimLeft(text, "'’‘")
	if len(text) == 0 {
		return "", Blank
	}
	text = withoutPointZero(text)
	if code, ok := b.codes[string(text)]; ok {
		return code, Valid
	}
	if mantissa, exponent, ok := scientific(text); ok {
		return b.repair(mantissa, exponent)
	}
	if isRounded(text) || isOtherScientific(text) {
		return "", Damaged
	}
	_, err := snomed.Parse(string(text))
	switch isLocal := isEMISLocal(string(text)); {
	case err == nil && isLocal:
		return "", Local
	case err == nil:
		return "", Other
	case isLocal && !errors.Is(err, snomed.LeadingZero):
		return "", NotConcept
	case errors.Is(err, snomed.DescriptionID) && snomed.VerhoeffValid(string(text)):
		return "", NotConcept
	}
	return "", Invalid
}

// emisNamespace is the SNOMED CT namespace of EMIS's own codes.
const emisNamespace = "1000006"

// isEMISLocal tells an identifier of EMIS's own namespace, which stands before the
// partition and the check digit, whether or not the check digit is right: a
// spreadsheet puts a 0 in its place.
func isEMISLocal(text string) bool {
	at := len(text) - len("nnnnnnnppc")
	if at < 1 || len(text) > 18 || text[at+7] != '1' || text[at+8] > '1' {
		return false
	}
	_, isNumber := number([]byte(text))
	return isNumber && text[at:at+7] == emisNamespace
}

// isRounded recognises what becomes of a code that was once shown as 7.56E+14 and is
// written out again: 756000000000000, whose check digit happens to be right. No
// identifier that long ends in six zeros, because one of more than eleven digits
// has a namespace before its last three.
func isRounded(text []byte) bool {
	_, isNumber := number(text)
	return isNumber && len(text) >= 12 && bytes.HasSuffix(text, []byte("000000"))
}

// scientific takes "7.56261E+14" apart: the digits that it shows, 756261, and
// the power of ten of the first of them, 14.
func scientific(text []byte) (digits string, exponent int, ok bool) {
	at := bytes.IndexAny(text, "eE")
	if at <= 0 {
		return "", 0, false
	}
	power := bytes.TrimPrefix(text[at+1:], []byte("+"))
	if len(power) == 0 || len(power) > 3 {
		return "", 0, false
	}
	for _, c := range power {
		if c < '0' || c > '9' {
			return "", 0, false
		}
		exponent = 10*exponent + int(c-'0')
	}
	whole, fraction, _ := strings.Cut(string(text[:at]), ".")
	digits = whole + fraction
	if len(whole) != 1 || strings.Trim(digits, "0123456789") != "" {
		return "", 0, false
	}
	return digits, exponent, true
}

var otherScientific = regexp.MustCompile(`^\+?[0-9]+(?:[.,][0-9]+)? ?[eE] ?\+?[0-9]{1,3}$`)

// isOtherScientific recognises scientific notation of another form, 7,56261E+14 or 756.261 E12:
// it has a point, a comma or a sign, which codes of older terminologies such as 66E2 have not.
func isOtherScientific(text []byte) bool {
	return bytes.ContainsAny(text, "eE") && bytes.ContainsAny(text, ".,+") && otherScientific.Match(text)
}

// repair finds the one code that prints like this at this precision. Fewer
// than six significant digits name no code: at three, the claim code and the
// eligibility code print alike.
func (b *Book) repair(digits string, exponent int) (snomed.Code, State) {
	if len(digits) < 6 {
		return "", Damaged
	}
	var found snomed.Code
	for _, code := range b.codes {
		if len(code) == exponent+1 && roundTo(string(code), len(digits)) == digits {
			if found != "" {
				return "", Damaged
			}
			found = code
		}
	}
	if found == "" {
		return "", Damaged
	}
	return found, Repaired
}

// roundTo gives the first n digits of number, rounded half up; zeros follow a
// number that has fewer. It is "" where rounding would add a digit.
func roundTo(number string, n int) string {
	if len(number) <= n {
		return number + strings.Repeat("0", n-len(number))
	}
	digits := []byte(number[:n])
	if number[n] < '5' {
		return string(digits)
	}
	for i := n - 1; i >= 0; i-- {
		if digits[i] < '9' {
			digits[i]++
			return string(digits)
		}
		digits[i] = '0'
	}
	return ""
}

// readDate reads a date cell (R3): Blank, Valid or Invalid. A two-digit year is
// of this century, unless that would be more than two years after asAt; with
// no asAt it always is.
func readDate(cell []byte, asAt civil.Date) (civil.Date, State) {
	return readDateNoting(cell, asAt, &Centuries{})
}

// Centuries is what as-at decided of the years of two digits that were read (R3), as
// numbers like 20260630: the latest day that is of this century, and the earliest
// that would be too late in it. 0 is none.
type Centuries struct {
	Latest  int `json:"latest"`
	TooLate int `json:"too_late"`
}

// SameAt tells whether as-at, if it had been this day, would have decided the same.
func (c Centuries) SameAt(asAt civil.Date) bool {
	limit := twoYearsAfter(asAt)
	return c.Latest <= limit && (c.TooLate == 0 || c.TooLate > limit)
}

// readDateNoting is readDate, and notes what rests on as-at.
func readDateNoting(cell []byte, asAt civil.Date, met *Centuries) (civil.Date, State) {
	text := trim(cell)
	if len(text) > 0 && text[0] == '\'' {
		text = trim(text[1:])
	}
	if len(text) == 0 {
		return civil.None, Blank
	}
	d, rest, ok := datePart(text, asAt, met)
	if !ok || !isTimeOrNothing(rest) {
		return civil.None, Invalid
	}
	return d, Valid
}

func datePart(text []byte, asAt civil.Date, met *Centuries) (d civil.Date, rest []byte, ok bool) {
	if len(text) >= 10 && text[4] == '-' && text[7] == '-' {
		year, okY := number(text[:4])
		month, okM := number(text[5:7])
		day, okD := number(text[8:10])
		d, ok = civil.Of(year, month, day)
		return d, text[10:], ok && okY && okM && okD
	}
	sep := bytes.IndexAny(text, "-/.")
	if sep < 1 || sep > 2 {
		return civil.None, nil, false
	}
	day, okD := number(text[:sep])
	if named := text[sep] == '-' && len(text) > sep+4 && text[sep+4] == '-'; named {
		month, okM := monthNumber(text[sep+1 : sep+4])
		d, rest, ok = yearPart(text[sep+5:], month, day, asAt, met)
		return d, rest, ok && okD && okM
	}
	if sep != 2 || len(text) < 10 || text[5] != text[2] {
		return civil.None, nil, false
	}
	month, okM := number(text[3:5])
	year, okY := number(text[6:10])
	d, ok = civil.Of(year, month, day)
	return d, text[10:], ok && okD && okM && okY
}

// yearPart reads a year of four or of two digits.
func yearPart(text []byte, month, day int, asAt civil.Date, met *Centuries) (civil.Date, []byte, bool) {
	digits := 0
	for digits < len(text) && digits < 5 && text[digits] >= '0' && text[digits] <= '9' {
		digits++
	}
	year, _ := number(text[:digits])
	switch digits {
	case 4:
	case 2:
		year += 2000
		if !asAt.IsNone() && met.isTooLate(10_000*year+100*month+day, asAt) {
			year -= 100
		}
	default:
		return civil.None, nil, false
	}
	d, ok := civil.Of(year, month, day)
	return d, text[digits:], ok
}

// isTooLate tells whether a day is more than two years after as-at, and notes it.
func (c *Centuries) isTooLate(day int, asAt civil.Date) bool {
	if day <= twoYearsAfter(asAt) {
		c.Latest = max(c.Latest, day)
		return false
	}
	if c.TooLate == 0 || day < c.TooLate {
		c.TooLate = day
	}
	return true
}

func twoYearsAfter(asAt civil.Date) int {
	year, month, day := asAt.YMD()
	return 10_000*(year+2) + 100*int(month) + day
}

func number(digits []byte) (int, bool) {
	n := 0
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int(c-'0')
	}
	return n, len(digits) > 0
}

func monthNumber(name []byte) (int, bool) {
	const names = "janfebmaraprmayjunjulaugsepoctnovdec"
	at := strings.Index(names, strings.ToLower(string(name)))
	return at/3 + 1, at >= 0 && at%3 == 0
}

// isTimeOrNothing accepts what may follow a date: a time of day in the forms
// that EMIS, Excel and ISO 8601 write.
func isTimeOrNothing(rest []byte) bool {
	if len(rest) == 0 {
		return true
	}
	if rest[0] != ' ' && rest[0] != 'T' {
		return false
	}
	text := strings.ToUpper(string(bytes.TrimSpace(rest[1:])))
	text = strings.TrimSuffix(text, "Z")
	if at := strings.LastIndexAny(text, "+-"); at > 0 {
		if strings.Trim(text[at+1:], "0123456789:") != "" {
			return false
		}
		text = text[:at]
	}
	if noon := strings.TrimSuffix(strings.TrimSuffix(text, "AM"), "PM"); noon != text {
		text = strings.TrimSpace(noon)
	}
	parts := strings.Split(text, ":")
	if len(parts) < 2 || len(parts) > 3 {
		return false
	}
	for i, part := range parts {
		if i == 2 {
			part, _, _ = strings.Cut(part, ".")
		}
		n, ok := number([]byte(part))
		if !ok || len(part) > 2 || n > 59 {
			return false
		}
	}
	return true
}
