package emis

import (
	"bytes"
	"path"
	"regexp"
	"slices"
	"strings"
)

var (
	batchWord  = regexp.MustCompile(`(?i)(^|\P{L})batch(\P{L}|$)`)
	alphanumer = regexp.MustCompile(`[\p{L}\p{Nd}]+`)
)

// onlyPractice finds the only known practice code among the words of the texts,
// "" where there is none or more than one.
func onlyPractice(practices map[string]struct{}, texts ...string) string {
	found := ""
	for _, text := range texts {
		for _, word := range alphanumer.FindAllString(text, -1) {
			code := strings.ToUpper(word)
			if _, known := practices[code]; !known || code == found {
				continue
			}
			if found != "" {
				return ""
			}
			found = code
		}
	}
	return found
}

// tenDigits are those of an NHS number in a text, as they are or parted 3, 3 and 4 by
// what people put there.
var tenDigits = regexp.MustCompile(`(?:^|[^0-9０-９])(` + digit + `{3}` + parting + digit + `{3}` + parting + digit + `{4})(?:$|[^0-9０-９])`)

const (
	digit   = `[0-9０-９]`
	parting = `[\s\x{a0}._,'’‘‐‑–—-]{0,3}`
)

// guids are no numbers of patients, whatever digits they have: a bulk extract's
// files are named with their agreement's.
var guids = regexp.MustCompile(`(?i)` + guidPattern)

// MaskNHSNumbers puts hashes in the place of what reads as an NHS number in a
// text, such as a file's name, and tells whether there was any.
func MaskNHSNumbers(name string) (masked string, holds bool) {
	text := []byte(name)
	searched := guids.ReplaceAllFunc(text, func(guid []byte) []byte { return bytes.Repeat([]byte{'x'}, len(guid)) })
	for at := 0; at < len(text); {
		found := tenDigits.FindSubmatchIndex(searched[at:])
		if found == nil {
			break
		}
		begin, end := at+found[2], at+found[3]
		digits := bytes.Map(func(r rune) rune {
			switch {
			case '0' <= r && r <= '9':
				return r
			case '０' <= r && r <= '９':
				return r - '０' + '0'
			}
			return -1
		}, text[begin:end])
		if isNHSNumber(digits) {
			holds = true
			mask := bytes.Repeat([]byte{'#'}, len(digits))
			text = slices.Replace(text, begin, end, mask...)
			searched = slices.Replace(searched, begin, end, mask...)
			end = begin + len(mask)
		}
		at = end
	}
	return string(text), holds
}

// A treatment is what a file's name alone decides.
type treatment int

const (
	readAsText treatment = iota
	readAsWorkbook
	readAsArchive
	ignoreFile
	refuseFile
)

// dataExtensions are the endings of delimited text; a file without an ending is
// tried as text.
var dataExtensions = map[string]bool{"": true, ".csv": true, ".tsv": true, ".txt": true, ".tab": true, ".psv": true, ".dat": true}

// noData are the endings of what lies about in folders and is never data.
var noData = map[string]bool{
	".db": true, ".ini": true, ".tmp": true, ".lnk": true, ".url": true, ".log": true, ".md": true,
	".doc": true, ".docx": true, ".docm": true, ".rtf": true, ".pdf": true, ".ppt": true, ".pptx": true,
	".msg": true, ".eml": true, ".htm": true, ".html": true, ".ics": true,
	".png": true, ".jpg": true, ".jpeg": true, ".gif": true, ".bmp": true, ".tif": true, ".tiff": true, ".mp4": true,
}

// otherArchives are archives that are not read.
var otherArchives = map[string]bool{".7z": true, ".rar": true, ".gz": true, ".tgz": true, ".tar": true, ".bz2": true, ".xz": true}

func refuseEncrypted(found string) *Refusal {
	return refuse(0, found, "the file that is in it", "decrypt it first, and put what was in it into the inbox under its own name")
}

// treat decides by name what to do with a file of the inbox. Unknown endings
// are refused rather than ignored, because they may be data.
func treat(name string) (treatment, *Refusal) {
	base := strings.ToLower(baseName(name))
	if strings.HasPrefix(base, ".") || strings.HasPrefix(base, "~$") {
		return ignoreFile, nil
	}
	ext := path.Ext(base)
	switch {
	case dataExtensions[ext]:
		return readAsText, nil
	case noData[ext]:
		return ignoreFile, nil
	case ext == ".xlsx" || ext == ".xlsm":
		return readAsWorkbook, nil
	case ext == ".xls" || ext == ".xlsb":
		return refuseFile, refuse(0, "an old or binary workbook ("+ext+")", "a workbook as .xlsx, or delimited text", "open it in a spreadsheet program and save it as .xlsx, or export the search from EMIS as CSV")
	case ext == ".ods":
		return refuseFile, refuse(0, "an OpenDocument workbook (.ods)", "a workbook as .xlsx, or delimited text", "open it in a spreadsheet program and save it as .xlsx, or export the search from EMIS as CSV")
	case ext == ".pgp" || ext == ".gpg" || ext == ".asc": // as bulk extracts arrive
		return refuseFile, refuseEncrypted("an encrypted file (" + ext + ")")
	case otherArchives[ext] || ext == ".zip" && isMember(name):
		return refuseFile, refuse(0, "an archive that is not read ("+ext+")", "exports, or a ZIP archive of them that is in no other", "unpack it, and put its files into the inbox")
	case ext == ".zip":
		return readAsArchive, nil
	}
	return refuseFile, refuse(0, "a file of unknown kind (by its ending)", "an EMIS export as .csv, .tsv, .txt or .xlsx, or a .zip of such", "rename it if it is one, or take it out of the inbox")
}
