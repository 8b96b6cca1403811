package contract

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"ltcles/pipeline/config"
)

const (
	lettersFolder    = "letters"
	letterExtension  = ".md.tmpl"
	replacedTemplate = "reference/contracts/" + lettersFolder
)

// LetterTemplate reads the template of a kind of letter: overrideDir/letters/<kind>.md.tmpl where it
// is there, else the one built in. Source is the file as its problems name it.
func LetterTemplate(overrideDir, kind string) (source string, text []byte, err error) {
	dir := filepath.Join(overrideDir, lettersFolder)
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", nil, fmt.Errorf("list templates of letters: %w", err)
	}
	known, err := letterTemplates()
	if err != nil {
		return "", nil, err
	}
	for _, entry := range entries {
		// projection.md.tmpl.txt would be overlooked, and the built-in letter sent in its place.
		if !slices.Contains(known, entry.Name()) {
			return "", nil, &config.Problem{
				File:  path.Join(replacedTemplate, entry.Name()),
				Found: "a file that is no template", Expected: strings.Join(known, " or "), Fix: "rename it or move it away",
			}
		}
	}
	file := kind + letterExtension
	if slices.ContainsFunc(entries, func(entry fs.DirEntry) bool { return entry.Name() == file }) {
		text, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			return "", nil, fmt.Errorf("read template %s: %w", path.Join(replacedTemplate, file), err)
		}
		return path.Join(replacedTemplate, file), text, nil
	}
	text, err = builtIn.ReadFile(path.Join(lettersFolder, file))
	if err != nil {
		return "", nil, fmt.Errorf("template of the letter %q: %w", kind, err)
	}
	return "built-in template " + file, text, nil
}

// letterTemplates lists the names that a template may have.
func letterTemplates() (names []string, err error) {
	entries, err := builtIn.ReadDir(lettersFolder)
	if err != nil {
		return nil, fmt.Errorf("list built-in templates: %w", err)
	}
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names, nil
}
