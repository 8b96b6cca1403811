package snapshot

import "fmt"

// Problem is one thing that is wrong with what is published, in one line.
type Problem struct {
	File  string // slash path inside published/
	Table string // empty where it is no table
	What  string
}

func (p Problem) String() string {
	if p.Table == "" {
		return p.File + ": " + p.What
	}
	return fmt.Sprintf("%s (%s): %s", p.File, p.Table, p.What)
}

// shownAlike is how many problems of one kind in one file are told one by one.
const shownAlike = 3

// report collects problems in the order in which they are found, and counts those that are
// like others.
type report struct {
	groups []*alike
	byKind map[string]*alike

	told func(done, total int64) // how many rows of tables are verified; nil where nobody asks
	rows struct{ done, total int64 }
}

type alike struct {
	shown []Problem
	more  int
}

func newReport() *report { return &report{byKind: map[string]*alike{}} }

func (r *report) add(file, table, format string, args ...any) {
	kind := file + "\x00" + format
	group := r.byKind[kind]
	if group == nil {
		group = &alike{}
		r.byKind[kind] = group
		r.groups = append(r.groups, group)
	}
	if len(group.shown) == shownAlike {
		group.more++
		return
	}
	group.shown = append(group.shown, Problem{File: file, Table: table, What: fmt.Sprintf(format, args...)})
}

// progress adds verified rows, and says so.
func (r *report) progress(rows int64) {
	r.rows.done += rows
	if r.told != nil && rows > 0 {
		r.told(r.rows.done, max(r.rows.done, r.rows.total))
	}
}

// count is how many problems there are so far.
func (r *report) count() (n int) {
	for _, group := range r.groups {
		n += len(group.shown) + group.more
	}
	return n
}

func (r *report) problems() []Problem {
	var list []Problem
	for _, group := range r.groups {
		list = append(list, group.shown...)
		if group.more > 0 {
			last := group.shown[len(group.shown)-1]
			last.What = fmt.Sprintf("and %d more like the last", group.more)
			list = append(list, last)
		}
	}
	return list
}
