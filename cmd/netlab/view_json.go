package main

import (
	"encoding/json"
	"io"
	"strings"

	"netlab/lab"
)

// jsonVersion is the version of the JSON that netlab prints; see docs/json.md.
const jsonVersion = 1

// jsonEvent is an event as one line of JSON.
type jsonEvent struct {
	Version int `json:"v"`
	lab.Event
	ElapsedMS float64 `json:"elapsed_ms,omitempty"`
}

func (a *app) jsonView() func(lab.Event) {
	return func(e lab.Event) {
		if e.Type == lab.Progress { // for people
			return
		}
		ms := float64(e.Elapsed.Microseconds()) / 1000
		a.printJSON(jsonEvent{Version: jsonVersion, Event: e, ElapsedMS: ms})
	}
}

// printJSON prints one value on one line of stdout. What netlab prints can
// always be encoded, and a closed pipe ends it by SIGPIPE.
func (a *app) printJSON(value any) {
	var text strings.Builder
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(value)
	_, _ = io.WriteString(a.stdout, harmlessJSON(text.String()))
}
