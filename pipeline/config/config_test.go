package config

import (
	"errors"
	"testing"

	"go.yaml.in/yaml/v3"
)

func TestProblem(t *testing.T) {
	tests := []struct {
		problem Problem
		want    string
	}{
		{Problem{"ltcles.yaml", 12, "threads \"x\"", "a number", "correct it"}, `ltcles.yaml:12: threads "x"; expected a number; correct it`},
		{Problem{"ltcles.yaml", 0, "no such file", "", "write it"}, "ltcles.yaml: no such file; write it"},
		{Problem{"ltcles.yaml", 1, "empty", "", ""}, "ltcles.yaml:1: empty"},
	}
	for _, tt := range tests {
		if got := tt.problem.Error(); got != tt.want {
			t.Errorf("%s\nwant %s", got, tt.want)
		}
	}
}

func TestFileReadsStrictly(t *testing.T) {
	type form struct {
		Name yaml.Node            `yaml:"name"`
		List []yaml.Node          `yaml:"list"`
		Map  map[string]yaml.Node `yaml:"map"`
	}
	tests := []struct {
		name, text, want string
	}{
		{"sound", "name: 756261000000100\nlist: [a, b]\n", ""},
		{"nothing", "", ""},
		{"only comments", "# nothing\n", ""},
		{"unknown key", "name: x\nnam: y\n", `f.yaml:2: unknown key "nam"; expected only the documented keys; correct its spelling or remove it`},
		{"key twice", "name: x\nname: y\n", `f.yaml:2: key "name" is already on line 1; expected each key once; remove one of the two`},
		{"value for a list", "list: x\n", "f.yaml:1: found a single value; expected a list (lines that start with -); correct the indentation or the value"},
		{"list for a mapping", "map: [x]\n", "f.yaml:1: found a list; expected a mapping (key: value); correct the indentation or the value"},
		{"list for the file", "- x\n", "f.yaml:1: found a list; expected a mapping (key: value); correct the indentation or the value"},
		{"two documents", "name: x\n---\nname: y\n", "f.yaml:2: a second document; expected one; remove the line --- and what follows it"},
		{"two problems", "a: x\nb: y\n", "f.yaml:1: unknown key \"a\"; expected only the documented keys; correct its spelling or remove it\n" +
			"f.yaml:2: unknown key \"b\"; expected only the documented keys; correct its spelling or remove it"},
	}
	for _, tt := range tests {
		file := &File{Name: "f.yaml"}
		file.DecodeYAML([]byte(tt.text), new(form))
		got := ""
		if err := file.Err(); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%s:\n%s\nwant\n%s", tt.name, got, tt.want)
		}
	}
	for _, broken := range []string{"name: \"x\n", "name: x\n\tlist: y\n", "\xff\xff", "a: &x [*x"} {
		file := &File{Name: "f.yaml"}
		file.DecodeYAML([]byte(broken), new(form))
		if problem := new(Problem); !errors.As(file.Err(), &problem) {
			t.Errorf("%q: %v", broken, file.Err())
		}
	}
}

// A code keeps its digits whatever the quoting, where a number would lose them.
func TestTextIsWhatWasWritten(t *testing.T) {
	file := &File{Name: "f.yaml"}
	form := struct{ A, B, C, D, E, F, G yaml.Node }{}
	file.DecodeYAML([]byte("a: 999999990989121104\nb: \"756261000000100\"\nc: ' x '\nd: 0x10\ne:\nf: [x]\n"), &form)
	for i, tt := range []struct {
		node  yaml.Node
		want  string
		given bool
	}{{form.A, "999999990989121104", true}, {form.B, "756261000000100", true}, {form.C, "x", true}, {form.D, "0x10", true}, {form.E, "", false}, {form.G, "", false}} {
		if got, given := file.Optional(tt.node, "key", "text"); got != tt.want || given != tt.given {
			t.Errorf("%d: %q, %v", i, got, given)
		}
	}
	if err := file.Err(); err != nil {
		t.Fatal(err)
	}
	file.Text(form.G, "g", 7, "text")
	file.Text(form.F, "f", 1, "text")
	file.Text(form.E, "e", 1, "text")
	want := "f.yaml:5: e is missing; expected text; add it\nf.yaml:6: f holds a list or a mapping; expected text; write one value\nf.yaml:7: g is missing; expected text; add it"
	if err := file.Err(); err == nil || err.Error() != want {
		t.Errorf("%v\nwant\n%s", err, want)
	}
}
