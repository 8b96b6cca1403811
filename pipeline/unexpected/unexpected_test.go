package unexpected

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// patient is what no message may hold.
const patient = 9990000018

// A borrowed error says that it is the runtime's, and is not.
type borrowed struct{ text string }

func (b borrowed) Error() string { return b.text }
func (borrowed) RuntimeError()   {}

func TestPanic(t *testing.T) {
	var nobody *Failure
	var any any = fmt.Sprint(patient)
	many, at, zero := make([]int, 3), patient, 0
	for _, test := range []struct {
		name  string
		panic func()
		kind  string
	}{
		{"text", func() { panic(any) }, "a panic with string"},
		{"error", func() { panic(fmt.Errorf("patient %d", at)) }, "a panic with *errors.errorString"},
		{"number", func() { panic(at) }, "a panic with int"},
		{"nil", func() { panic(nil) }, "panic called with nil argument"},
		{"index", func() { many[at] = 1 }, "index out of range [n] with length n"},
		{"negative index", func() { many[-at] = 1 }, "index out of range [n]"},
		{"slice", func() { many = many[at:] }, "slice bounds out of range [n:n]"},
		{"type", func() { at = any.(int) }, "interface conversion: interface {} is string, not int"},
		{"pointer", func() { nobody.Kind = "" }, "invalid memory address or nil pointer dereference"},
		{"division", func() { at /= zero }, "integer divide by zero"},
		{"length", func() { many = make([]int, -at) }, "makeslice: len out of range"},
		{"library", func() { any = strings.Repeat("x", -at) }, "a panic with "},
		{"borrowed", func() { panic(borrowed{fmt.Sprint(patient)}) }, "a panic with unexpected.borrowed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := func() (err error) {
				defer Panic(&err)
				test.panic()
				return nil
			}()
			var failure *Failure
			if !errors.As(err, &failure) {
				t.Fatalf("%v; want a failure", err)
			}
			if !strings.HasPrefix(failure.Kind, test.kind) {
				t.Errorf("kind %q; want %q", failure.Kind, test.kind)
			}
			if strings.Contains(fmt.Sprintf("%+v %v", *failure, err), fmt.Sprint(patient)) {
				t.Errorf("%v holds what the panic was given", err)
			}
			place := `^unexpected failure in unexpected\.TestPanic\.func[0-9]+ \(unexpected_test\.go:[0-9]+\): `
			if test.name == "library" {
				place = `^unexpected failure in strings\.Repeat \(strings\.go:[0-9]+\): `
			}
			if !regexp.MustCompile(place).MatchString(err.Error()) {
				t.Errorf("%v; want %s", err, place)
			}
		})
	}
}

func TestPanicLeavesTheRestAlone(t *testing.T) {
	want := errors.New("as it is")
	err := func() (err error) {
		defer Panic(&err)
		return want
	}()
	if !errors.Is(err, want) {
		t.Errorf("%v; want %v", err, want)
	}
}
