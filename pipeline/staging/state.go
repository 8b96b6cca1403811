package staging

import (
	"fmt"
	"slices"
)

// A State is what the cells of a row say besides its codes, dates and numbers. A
// file has few of them, so that a staged row has the state's number in their
// place, and each state is told to the engine once.
type State struct {
	IsDeleted          bool
	IsMalformed        bool
	IsDummy            bool
	PracticeState      string
	NHSState           string
	PatientType        string
	RegistrationStatus string
	InvalidStatusDate  string
	CodeState          string
	ActivityState      string
	RecordedState      string
}

// part is one field of a state: its word, and the words that there are. Words are
// added at a list's end, so that a number keeps its meaning.
type part struct {
	word  *string
	words []string
}

func (s *State) parts() [8]part {
	texts := []string{"", "blank", "unknown", "regular", "left", "dead", "not_regular"}
	days := []string{"", "blank", "valid", "invalid"}
	return [8]part{
		{&s.PracticeState, []string{"", "blank", "valid", "unknown"}},
		{&s.NHSState, []string{"", "blank", "valid", "invalid", "test_range"}},
		{&s.PatientType, texts},
		{&s.RegistrationStatus, texts},
		{&s.InvalidStatusDate, []string{"", "registered_date", "deducted_date", "death_date"}},
		{&s.CodeState, []string{"", "blank", "valid", "repaired", "other", "local", "damaged", "invalid", "not_concept"}},
		{&s.ActivityState, days},
		{&s.RecordedState, days},
	}
}

// Number is the state's own number, the same in every file.
func (s State) Number() (int32, error) {
	number := int32(0)
	for _, flag := range []bool{s.IsDeleted, s.IsMalformed, s.IsDummy} {
		number *= 2
		if flag {
			number++
		}
	}
	for _, part := range s.parts() {
		i := slices.Index(part.words, *part.word)
		if i < 0 {
			return 0, fmt.Errorf("state %q; expected one of %q", *part.word, part.words)
		}
		number = number*int32(len(part.words)) + int32(i)
	}
	return number, nil
}

// states numbers the states of one file's rows.
type states struct {
	last       State // most rows are as the one before
	lastNumber int32
	numbers    map[State]int32
}

func (s *states) number(of State) (int32, error) {
	if s.numbers != nil && of == s.last {
		return s.lastNumber, nil
	}
	number, known := s.numbers[of]
	if !known {
		var err error
		if number, err = of.Number(); err != nil {
			return 0, err
		}
		if s.numbers == nil {
			s.numbers = map[State]int32{}
		}
		s.numbers[of] = number
	}
	s.last, s.lastNumber = of, number
	return number, nil
}

// seen lists the states in the order of their numbers.
func (s *states) seen() []State {
	seen := make([]State, 0, len(s.numbers))
	for state := range s.numbers {
		seen = append(seen, state)
	}
	slices.SortFunc(seen, func(a, b State) int { return int(s.numbers[a]) - int(s.numbers[b]) })
	return seen
}
