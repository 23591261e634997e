// Package journal keeps on disk what a lab has done and how to undo it, so that
// any later process can clean up, also after a kill -9. It knows nothing of what
// an op is: ops are kinds and JSON.
//
// A journal is a file of JSON lines: a header, then a record for each thing that
// was about to be done, was done, or was undone. A line is written whole before
// the deed it announces. The files stand below /run, which a reboot clears
// together with what they describe.
package journal

import (
	"encoding/json"
	"time"
)

// Version is the version of the format that this package writes. It reads those
// before it too; version 2 brought Place.Group.
const Version = 2

// Header is the first line of a journal.
type Header struct {
	Version  int               `json:"netlab_journal"`
	Lab      string            `json:"lab"`
	Scenario string            `json:"scenario"`
	Params   map[string]string `json:"params"`
	Created  time.Time         `json:"created"`
	// Lost is how many lines could not be read when the journal was salvaged, and
	// Aside the file that still has them; see Dir.Salvage.
	Lost  int    `json:"lost,omitempty"`
	Aside string `json:"aside,omitempty"`
	// Challenge is what the lab was broken as; empty: it was not.
	Challenge string `json:"challenge,omitempty"`
	// Practice: somebody builds the lab by hand; the journal has none of that.
	Practice bool `json:"practice,omitempty"`
}

// Op is an op as it stands in a journal.
type Op struct {
	Kind string          `json:"kind"`
	Op   json.RawMessage `json:"op"`
}

// Made is the identity of an object that an op has made, both as JSON.
type Made struct {
	Ref json.RawMessage `json:"ref"`
	ID  json.RawMessage `json:"id"`
}

// Place says what an op belongs to.
type Place struct {
	Step  string `json:"step"`
	Group string `json:"group,omitempty"` // what of many alike it is done for, such as "pod2"
}

// Entry is an op and all that the journal says of it.
type Entry struct {
	Seq int // counts from 1 within the journal
	Place
	Op    Op
	Undo  []Op   // in the order to apply
	Taken []Op   // undo taken over from another lab, which needed the same
	Made  []Made // known once Done
	// Done: the op has been applied. An entry that is neither Done nor Undone
	// was announced, and may or may not have been applied.
	Done   bool
	Undone bool
}

// line is one line after the header; one of the fields is set.
type line struct {
	Intent *intent  `json:"intent,omitempty"`
	Done   *done    `json:"done,omitempty"`
	Undone int      `json:"undone,omitempty"` // a Seq
	Take   *take    `json:"take,omitempty"`
	Step   *stepEnd `json:"step,omitempty"`
}

type intent struct {
	Seq int `json:"seq"`
	Place
	Op   Op   `json:"op"`
	Undo []Op `json:"undo,omitempty"`
}

type done struct {
	Seq  int    `json:"seq"`
	Made []Made `json:"made,omitempty"`
}

type take struct {
	Seq  int    `json:"seq"`
	From string `json:"from"` // the lab that was torn down
	Undo []Op   `json:"undo"`
}

type stepEnd struct {
	ID   string    `json:"id"`
	Done bool      `json:"done"` // false: it was begun to be undone
	At   time.Time `json:"at"`
}
