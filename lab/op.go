// Package lab says what a lab is and how one runs. A lab is a list of steps; a
// step is ops, which change the kernel, and checks, which try the network. The
// engine here knows them by their interfaces only, speaks in events, and
// prints nothing.
package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"netlab/lab/kernel"
)

// Op is one change to the kernel that a person could make with one command: a
// plain value that can be kept as JSON. Everything known of the change is
// derived from it, so that what is shown, done, read back and undone can't
// drift apart.
type Op interface {
	// Kind names the type of op in a journal, such as "route-add".
	Kind() string
	// Command is what a person would type. It reads nothing.
	Command() Command
	// Undo is what takes the change back where nothing stood in its place
	// before, in the order to apply. It reads nothing.
	Undo() []Op
	// Inverse reads what will take the change back on this machine. It is
	// called before Apply and changes nothing. Where Apply can't succeed
	// because the place is taken, it says so with an error wrapping ErrTaken.
	Inverse(*kernel.Kernel) ([]Op, error)
	// Apply makes the change. An undo that finds its object gone returns
	// ErrGone, one that finds it changed by others ErrChanged, and one that finds
	// it in use by others ErrInUse; each has then changed nothing.
	Apply(*kernel.Kernel) error
	// Verify reads back every field that Command names, and returns a *Mismatch
	// for one that is not as the command says.
	Verify(*kernel.Kernel) error
}

// Maker is an Op that makes objects that others can be put into or upon.
type Maker interface {
	Op
	// Makes lists them.
	Makes() []Ref
	// Fresh tells whether the objects stand there as Apply leaves them, with
	// nothing done to them since. It is asked only of an op whose Apply was
	// interrupted before their identity could be written down.
	Fresh(*kernel.Kernel) (bool, error)
}

// Dweller is an Op whose effect lives in other objects, and goes when they go.
type Dweller interface {
	Op
	// Within lists those objects, the nearest last.
	Within() []Ref
}

// within is what a Dweller lists; nil for any other op.
func within(o Op) []Ref {
	if d, ok := o.(Dweller); ok {
		return d.Within()
	}
	return nil
}

// Gatherer is an Op of which many on different objects can be done together, as those
// of a step's groups are: what is read for one is not changed by doing another, so
// that one reading of the kernel serves all.
type Gatherer interface {
	Op
	// Alters is what reads otherwise once Apply is done, as far as such ops look, and
	// in which namespaces.
	Alters() (what kernel.Reading, where []string)
}

// Crowd is a Gatherer that is done sooner for many at once than one by one.
type Crowd interface {
	Gatherer
	// ApplyAll does ops of the receiver's type, of which it need not be one, and
	// tells how many it has done, which are the first, and why not the next: what
	// came after that has changed nothing. It is ErrInterrupted where ctx ended.
	ApplyAll(ctx context.Context, k *kernel.Kernel, ops []Op) (n int, err error)
}

// Bound is a Maker whose objects the kernel takes away, a little later, once other
// objects have gone: a veth pair goes with the namespace of either end.
type Bound interface {
	Maker
	// Bound lists those other objects.
	Bound() []Ref
}

// Sharer is an Op on something that several labs on one machine may need at
// once, such as ip_forward.
type Sharer interface {
	Op
	// Shared names the thing: equal names mean the same thing. Empty: not shared.
	Shared() string
}

// Codec turns ops into JSON and back. The zero Op kinds it knows are its own.
type Codec interface {
	Decode(kind string, data json.RawMessage) (Op, error)
}

var (
	// ErrTaken: the place that an op would fill is filled already, by others.
	ErrTaken = errors.New("taken")
	// ErrGone: what an undo would take away, or a change is about, is not there.
	ErrGone = errors.New("not there")
	// ErrChanged: what an undo would put back was changed by others since.
	ErrChanged = errors.New("changed since by others")
	// ErrInUse: what an undo would take away is used by others.
	ErrInUse = errors.New("in use by others")
)

// Mismatch is the error of a read-back: a field is not as it was set. It wraps
// Err, which may be nil.
type Mismatch struct {
	Object string // what was read, as iproute2 would name it: "link veth"
	Field  string // which field of it: "up"
	Want   string
	Found  string
	Err    error
}

func (m *Mismatch) Error() string {
	return fmt.Sprintf("%s: %s is %s, not %s", m.Object, m.Field, m.Found, m.Want)
}

func (m *Mismatch) Unwrap() error { return m.Err }
