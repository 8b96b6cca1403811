// Package config knows how the files that people write by hand are read: strictly, every
// problem in one pass, each problem one line that names the file, the line, what was found,
// what was expected and the fix. It refuses to know what the files mean.
package config

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Problem is one thing that is wrong in a file that a person writes. Any error that errors.As
// finds one in is a fault of configuration, not of the program.
type Problem struct {
	File     string // as the person knows it, relative to the workspace
	Line     int    // 0 where it is about the file as a whole
	Found    string
	Expected string
	Fix      string
}

func (p *Problem) Error() string {
	var text strings.Builder
	text.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&text, ":%d", p.Line)
	}
	fmt.Fprintf(&text, ": %s", p.Found)
	if p.Expected != "" {
		fmt.Fprintf(&text, "; expected %s", p.Expected)
	}
	if p.Fix != "" {
		fmt.Fprintf(&text, "; %s", p.Fix)
	}
	return text.String()
}

// File collects the problems of one file while it is read.
type File struct {
	Name     string
	problems []*Problem
}

// Add notes a problem; the reading goes on.
func (f *File) Add(line int, found, expected, fix string) {
	f.problems = append(f.problems, &Problem{File: f.Name, Line: line, Found: found, Expected: expected, Fix: fix})
}

// Err joins the problems in the order of their lines, each an error of one line; nil for none.
func (f *File) Err() error {
	slices.SortStableFunc(f.problems, func(a, b *Problem) int { return cmp.Compare(a.Line, b.Line) })
	var joined []error
	for _, problem := range f.problems {
		joined = append(joined, problem)
	}
	return errors.Join(joined...)
}

// DecodeYAML fills into from the one document in text. Unknown and repeated keys, further
// documents and broken YAML are problems. Keys that hold a yaml.Node are left to Text.
func (f *File) DecodeYAML(text []byte, into any) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	err := decoder.Decode(into)
	if errors.Is(err, io.EOF) {
		return
	}
	if err != nil {
		f.addYAML(err)
		return
	}
	var further yaml.Node
	if err := decoder.Decode(&further); err == nil {
		f.Add(further.Line, "a second document", "one", "remove the line --- and what follows it")
	} else if !errors.Is(err, io.EOF) {
		f.addYAML(err)
	}
}

// Text is what a person wrote for key, whatever the quoting: 756261000000100 stays its digits.
// It is empty, and a problem, where the key is absent, blank, or holds a list or a mapping; at
// is the line to name where the key is absent.
func (f *File) Text(node yaml.Node, key string, at int, expected string) string {
	text, given := f.Optional(node, key, expected)
	if !given && node.Kind != yaml.MappingNode && node.Kind != yaml.SequenceNode {
		f.Add(max(at, node.Line), key+" is missing", expected, "add it")
	}
	return text
}

// Optional is Text for a key that may be absent or blank.
func (f *File) Optional(node yaml.Node, key, expected string) (text string, given bool) {
	value := &node
	for value.Kind == yaml.AliasNode {
		value = value.Alias
	}
	switch {
	case value.Kind == 0 || value.Tag == "!!null":
		return "", false
	case value.Kind != yaml.ScalarNode:
		f.Add(node.Line, key+" holds a list or a mapping", expected, "write one value")
		return "", false
	}
	text = strings.TrimSpace(value.Value)
	return text, text != ""
}

// Bool is Optional for true or false.
func (f *File) Bool(node yaml.Node, key string) (value, given bool) {
	text, given := f.Optional(node, key, "true or false")
	if given && text != "true" && text != "false" {
		f.Add(node.Line, fmt.Sprintf("%s %q", key, text), "true or false", "correct it")
	}
	return text == "true", given
}

var (
	yamlLine     = regexp.MustCompile(`^(?:yaml: )?line (\d+): (.*)$`)
	unknownField = regexp.MustCompile(`^field (.*) not found in type \S+$`)
	repeatedKey  = regexp.MustCompile(`^mapping key (".*") already defined at line (\d+)$`)
	wrongShape   = regexp.MustCompile(`^cannot unmarshal !!(\w+)(?: .*)? into (.*)$`)
)

// addYAML puts the library's messages, which name Go types, in the words of the file.
func (f *File) addYAML(err error) {
	messages := []string{err.Error()}
	if typed := new(yaml.TypeError); errors.As(err, &typed) {
		messages = typed.Errors
	}
	for _, message := range messages {
		line := 0
		if parts := yamlLine.FindStringSubmatch(message); parts != nil {
			line, _ = strconv.Atoi(parts[1])
			message = parts[2]
		}
		if parts := unknownField.FindStringSubmatch(message); parts != nil {
			f.Add(line, fmt.Sprintf("unknown key %q", parts[1]), "only the documented keys", "correct its spelling or remove it")
		} else if parts := repeatedKey.FindStringSubmatch(message); parts != nil {
			f.Add(line, "key "+parts[1]+" is already on line "+parts[2], "each key once", "remove one of the two")
		} else if parts := wrongShape.FindStringSubmatch(message); parts != nil {
			f.Add(line, "found "+shapeFound(parts[1]), shapeWanted(parts[2]), "correct the indentation or the value")
		} else {
			f.Add(line, "not YAML: "+strings.TrimPrefix(message, "yaml: "), "", "correct the line, or the one above it")
		}
	}
}

func shapeFound(tag string) string {
	switch tag {
	case "map":
		return "a mapping (key: value)"
	case "seq":
		return "a list"
	}
	return "a single value"
}

func shapeWanted(goType string) string {
	switch {
	case strings.HasPrefix(goType, "[]"):
		return "a list (lines that start with -)"
	case strings.HasPrefix(goType, "map") || strings.Contains(goType, "."):
		return "a mapping (key: value)"
	}
	return "a single value"
}
