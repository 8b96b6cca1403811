package emis

import "bytes"

// listSample is how many lines decide whether a text is a number list.
const listSample = 100

// isNumberList recognises a headerless list, one NHS number per line: of its
// first lines at least half hold ten digits and nothing else. The delimiter is
// the one that trails the numbers, if any.
func isNumberList(head []byte) (delimiter byte, ok bool) {
	l := &lines{buf: head, end: len(head), eof: true, line: 1}
	numbers, total := 0, 0
	counts := map[byte]int{}
	for total < listSample {
		end, next, more, err := l.at(0)
		if err != nil || !more {
			break
		}
		line := l.text(0, end)
		l.take(next, 1)
		if isBlank(line) {
			continue
		}
		total++
		for _, d := range delimiters {
			counts[d] += bytes.Count(line, []byte{d})
		}
		if isTenDigits(line) {
			numbers++
		}
	}
	delimiter = ','
	for _, d := range delimiters {
		if counts[d] > counts[delimiter] {
			delimiter = d
		}
	}
	return delimiter, total > 0 && 2*numbers >= total
}

func isTenDigits(line []byte) bool {
	digits := bare(nil, bytes.Trim(bytes.TrimRight(line, ",;|\t \r"), `="`))
	if len(digits) != 10 {
		return false
	}
	_, ok := number(digits)
	return ok
}
