//go:build manual

// With the tag manual, this package is not netlab but the program that writes
// netlab's man pages and completion scripts below a directory, as they stand
// below /usr/share. It is of the same package since they are made of the same
// commands; and apart, so that netlab has none of it.
//
//	SOURCE_DATE_EPOCH=TIME manual DIR
package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"
)

func main() {
	if err := writeManual(os.Args[1:], os.Getenv("SOURCE_DATE_EPOCH")); err != nil {
		fmt.Fprintln(os.Stderr, "manual:", err)
		os.Exit(exitFailed)
	}
}

// writeManual writes everything below the directory args[0]. The pages are dated
// epoch, in seconds since 1970: whoever makes them again gets the same bytes.
func writeManual(args []string, epoch string) error {
	if len(args) != 1 {
		return errors.New("name one directory to write to")
	}
	seconds, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil {
		return fmt.Errorf("SOURCE_DATE_EPOCH: %w", err)
	}
	date := time.Unix(seconds, 0).UTC()
	for _, lang := range languages() {
		if err := writePages(args[0], lang, date); err != nil {
			return fmt.Errorf("man pages in %s: %w", lang, err)
		}
	}
	return writeCompletions(args[0])
}
