package main

import "io"

// writeOutput writes to standard output or, where a file is named, whole or not at all to that.
func writeOutput(file string, out io.Writer, write func(to io.Writer) error) error {
	if file == "" {
		return write(out)
	}
	return writeWhole(file, write)
}
