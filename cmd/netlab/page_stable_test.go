package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net"
	"regexp"
	"strings"
	"time"

	"netlab/lab"
)

// The examples that stand in a page for what takes its time.
const (
	exampleRun      = 640 * time.Millisecond
	exampleTeardown = 42 * time.Millisecond
	exampleRTT      = 61 * time.Microsecond
	exampleHop      = 7 * time.Microsecond // from one sighting to the next
)

var macPattern = regexp.MustCompile(`\b[0-9a-f]{2}(:[0-9a-f]{2}){5}\b`)

// stableEvents reads a run's JSON lines, with examples in the place of what is
// different in each run: the MACs that the kernel draws, and times. Each MAC that
// comes is another example, in the order in which they come; those that a
// command sets are what they are.
func stableEvents(printed string, set map[string]bool) ([]lab.Event, error) {
	examples := map[string]string{}
	printed = macPattern.ReplaceAllStringFunc(printed, func(mac string) string {
		if set[mac] || !drawn(mac) {
			return mac
		}
		if examples[mac] == "" {
			examples[mac] = exampleMAC(len(examples))
		}
		return examples[mac]
	})
	var events []lab.Event
	for line := range strings.Lines(printed) {
		var e jsonEvent
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			return nil, fmt.Errorf("%w in %s", err, line)
		}
		stable(&e.Event)
		events = append(events, e.Event)
	}
	return events, nil
}

func stable(e *lab.Event) {
	switch e.Type {
	case lab.RunEnd:
		e.Elapsed = exampleRun
	case lab.UndoEnd:
		e.Elapsed = exampleTeardown
	}
	if _, ok := e.Values["rtt_us"]; ok {
		e.Values["rtt_us"] = fmt.Sprint(exampleRTT.Microseconds())
	}
	if e.Journey == nil {
		return
	}
	at := time.Duration(0)
	for _, leg := range e.Journey.Legs {
		for i := range leg.Hops {
			leg.Hops[i].After = at
			at += exampleHop
		}
	}
	if e.Journey.End.RTT != 0 {
		e.Journey.End.RTT = exampleRTT
	}
}

// drawn tells whether the kernel may have drawn a MAC: it is of one station,
// administered locally (IEEE 802, the two low bits of the first byte), and not
// all the same, as Calico's is.
func drawn(mac string) bool {
	addr, err := net.ParseMAC(mac)
	return err == nil && addr[0]&3 == 2 && mac != strings.Repeat(mac[:3], 5)+mac[:2]
}

// exampleMAC is the nth example: looks drawn, and is the same each time.
func exampleMAC(n int) string {
	sum := sha256.Sum256([]byte{byte(n)})
	addr := net.HardwareAddr(sum[:6])
	addr[0] = addr[0]&^3 | 2
	return addr.String()
}
