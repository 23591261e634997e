package main

import (
	"cmp"
	"encoding/json"
	"io"
	"maps"
	"slices"
	"time"
)

// calls says how long kernel calls took, by what they were for. One made by new
// measures; a nil one does not.
type calls struct{ took map[string]*call }

// call is all calls of a kind.
type call struct {
	Stage string  `json:"stage"` // "namespaces" or "netlink": the two run side by side
	Call  string  `json:"call"`
	Count int     `json:"count"`
	MS    float64 `json:"ms"` // in all
}

func (c *calls) add(stage, name string, began time.Time) {
	if c == nil {
		return
	}
	if c.took[name] == nil {
		c.took[name] = &call{Stage: stage, Call: name}
	}
	c.took[name].Count++
	c.took[name].MS += float64(time.Since(began).Nanoseconds()) / 1e6
}

// now is the time where it is measured.
func (c *calls) now() time.Time {
	if c == nil {
		return time.Time{}
	}
	return time.Now()
}

// print prints the kinds as a JSON array, the dearest first.
func (c *calls) print(w io.Writer) error {
	all := slices.SortedFunc(maps.Values(c.took), func(a, b *call) int { return cmp.Compare(b.MS, a.MS) })
	return json.NewEncoder(w).Encode(all)
}
