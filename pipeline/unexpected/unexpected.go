// Package unexpected turns a panic into an error that says where in the program it arose, and of
// what kind it is. It refuses to know what a panic was given: that may be a patient's.
package unexpected

import (
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
)

// Failure is a panic that was caught. It keeps nothing of what the panic was given.
type Failure struct {
	Function string // that panicked
	Place    string // its file and line
	Kind     string // what the runtime says, without its numbers; of other panics the type of what they were given
}

func (f *Failure) Error() string {
	return fmt.Sprintf("unexpected failure in %s (%s): %s", f.Function, f.Place, f.Kind)
}

// Panic makes a panic of the function that defers it the function's error. It has to be deferred
// itself, and in each goroutine: what panics in one that does not ends the program.
func Panic(err *error) {
	if given := recover(); given != nil {
		failure := &Failure{Kind: kindOf(given)}
		failure.Function, failure.Place = origin()
		*err = failure
	}
}

// number is one that stands by itself; that of int64 does not.
var number = regexp.MustCompile(`-?\b[0-9]+\b`)

// kindOf names what a panic was given. Only the runtime's own errors are told in words; those hold
// numbers at most, such as an index, which may have been made of a patient's.
func kindOf(given any) string {
	kind := fmt.Sprintf("%T", given)
	if own, ok := given.(runtime.Error); ok && strings.HasPrefix(strings.TrimPrefix(kind, "*"), "runtime.") {
		return number.ReplaceAllString(strings.TrimPrefix(own.Error(), "runtime error: "), "n")
	}
	return "a panic with " + kind
}

// origin is the function that panicked, and its file and line: of what was called when the deferred
// function was, the first that is not the runtime's.
func origin() (function, place string) {
	callers := make([]uintptr, 64)
	frames := runtime.CallersFrames(callers[:runtime.Callers(0, callers)])
	hasPanicked := false
	for {
		frame, more := frames.Next()
		switch {
		case frame.Function == "runtime.gopanic":
			hasPanicked = true
		case hasPanicked && !strings.HasPrefix(frame.Function, "runtime."):
			return path.Base(frame.Function), fmt.Sprintf("%s:%d", filepath.Base(frame.File), frame.Line)
		}
		if !more {
			return "an unknown function", "no line"
		}
	}
}
