package contract

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"ltcles/pipeline/config"
)

//go:embed *.yaml letters/*.md.tmpl
var builtIn embed.FS

const extension = ".yaml"

// Load reads the contract of the year: overrideDir/<year>.yaml where it is there, else the one
// built in. Every problem of the file is reported, one line each.
func Load(overrideDir string, year Year) (*Contract, error) {
	file := string(year) + extension
	entries, err := overrides(overrideDir)
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		// 2026-27.yml would be overlooked, and the built-in contract used in its place.
		if name := entry.Name(); name != file && (strings.EqualFold(name, file) || strings.EqualFold(name, string(year)+".yml")) {
			return nil, &config.Problem{File: overrideName(name), Found: "a contract under another name", Expected: file, Fix: "rename it or move it away"}
		} else if name == file {
			text, err := os.ReadFile(filepath.Join(overrideDir, file))
			if err != nil {
				return nil, fmt.Errorf("read contract %s: %w", overrideName(file), err)
			}
			return decode(overrideName(file), text, year)
		}
	}
	text, ok := BuiltIn(year)
	if !ok {
		return nil, noContract(entries, file, year)
	}
	return decode("built-in contract "+file, text, year)
}

// BuiltIn is the text of the built-in contract file of the year, to start an override from.
func BuiltIn(year Year) ([]byte, bool) {
	text, err := builtIn.ReadFile(string(year) + extension)
	return text, err == nil
}

// Years lists the years that have a contract, built in or in overrideDir, in order.
func Years(overrideDir string) ([]Year, error) {
	entries, err := overrides(overrideDir)
	if err != nil {
		return nil, err
	}
	return years(entries), nil
}

func years(overriding []fs.DirEntry) []Year {
	shipped, err := builtIn.ReadDir(".")
	if err != nil {
		panic(fmt.Sprintf("the embedded contracts cannot be listed: %v", err))
	}
	found := map[Year]bool{}
	for _, entry := range slices.Concat(shipped, overriding) {
		name, isYAML := strings.CutSuffix(entry.Name(), extension)
		if year, err := ParseYear(name); isYAML && err == nil {
			found[year] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// overrides lists the folder of contracts; one that is not there is empty.
func overrides(dir string) ([]fs.DirEntry, error) {
	if dir == "" {
		return nil, nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list contracts: %w", err)
	}
	return entries, nil
}

// overrideName is a contract file as the person in the workspace knows it.
func overrideName(file string) string { return path.Join("reference/contracts", file) }

func noContract(overriding []fs.DirEntry, file string, year Year) error {
	var available []string
	for _, other := range years(overriding) {
		available = append(available, string(other))
	}
	return &config.Problem{
		File:     overrideName(file),
		Found:    fmt.Sprintf("no contract for %s, here or built in", year),
		Expected: "a year that has one: " + strings.Join(available, ", "),
		Fix:      "correct the period, or write this file",
	}
}

func decode(name string, text []byte, year Year) (*Contract, error) {
	sum := sha256.Sum256(text)
	reader := fileReader{File: &config.File{Name: name}}
	decoded := reader.contract(text, year)
	if err := reader.Err(); err != nil {
		return nil, err
	}
	decoded.Source, decoded.SHA256 = name, hex.EncodeToString(sum[:])
	return decoded, nil
}
