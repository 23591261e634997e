package lab_test

import (
	"encoding/json"
	"fmt"
	"sync"

	"netlab/lab"
	"netlab/lab/kernel"
)

// world is what the fake ops change: values under keys, and for objects that
// have an identity, the kernel. It is safe for use by several labs at once.
type world struct {
	mu     sync.Mutex
	values map[string]string
	// on is what a command's Apply, or what a probe's Try, does before all else.
	// An error is its result.
	on map[string]func() error
	// wrong has what Verify finds for a key, whatever is there.
	wrong map[string]string
	// touched names made objects that are not as they were made.
	touched map[string]bool
}

func newWorld() *world {
	return &world{values: map[string]string{}, on: map[string]func() error{}, wrong: map[string]string{}, touched: map[string]bool{}}
}

func (w *world) before(command lab.Command) error {
	w.mu.Lock()
	hook := w.on[command.String()]
	w.mu.Unlock()
	if hook == nil {
		return nil
	}
	return hook()
}

func (w *world) get(key string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.values[key]
}

func (w *world) put(key, value string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.values[key] = value
	if value == "" {
		delete(w.values, key)
	}
}

// Decode makes world a lab.Codec.
func (w *world) Decode(kind string, data json.RawMessage) (lab.Op, error) {
	switch kind {
	case "set":
		o := set{w: w}
		err := json.Unmarshal(data, &o)
		return o, err
	case "restore":
		o := restore{w: w}
		err := json.Unmarshal(data, &o)
		return o, err
	case "make":
		o := object{w: w}
		err := json.Unmarshal(data, &o)
		return o, err
	case "remove":
		o := remove{w: w}
		err := json.Unmarshal(data, &o)
		return o, err
	case "move":
		return move{}, nil
	case "move-back":
		return moveBack{}, nil
	}
	return nil, fmt.Errorf("unknown kind of op %q", kind)
}

// set sets a key, as sysctl does. With Share it is something that labs share;
// it lives in In.
type set struct {
	w          *world
	Key, Value string
	Share      bool
	In         []lab.Ref
}

// restore puts a key back.
type restore struct {
	w              *world
	Key, Was, Left string
	Share          bool
	In             []lab.Ref
}

func (set) Kind() string     { return "set" }
func (restore) Kind() string { return "restore" }

func (o set) Command() lab.Command     { return lab.Command{"set", o.Key, o.Value} }
func (o restore) Command() lab.Command { return lab.Command{"restore", o.Key, o.Was} }

func (o set) Within() []lab.Ref     { return o.In }
func (o restore) Within() []lab.Ref { return o.In }

func (o set) Undo() []lab.Op {
	return []lab.Op{restore{w: o.w, Key: o.Key, Left: o.Value, Share: o.Share, In: o.In}}
}
func (o restore) Undo() []lab.Op                           { return nil }
func (o restore) Inverse(*kernel.Kernel) ([]lab.Op, error) { return nil, nil }

func (o set) Inverse(*kernel.Kernel) ([]lab.Op, error) {
	was := o.w.get(o.Key)
	if was == o.Value {
		return nil, nil
	}
	return []lab.Op{restore{w: o.w, Key: o.Key, Was: was, Left: o.Value, Share: o.Share, In: o.In}}, nil
}

func (o set) Shared() string     { return shareName(o.Share, o.Key) }
func (o restore) Shared() string { return shareName(o.Share, o.Key) }

func shareName(share bool, key string) string {
	if !share {
		return ""
	}
	return key
}

func (o set) Apply(*kernel.Kernel) error {
	if err := o.w.before(o.Command()); err != nil {
		return err
	}
	o.w.put(o.Key, o.Value)
	return nil
}

func (o restore) Apply(*kernel.Kernel) error {
	if err := o.w.before(o.Command()); err != nil {
		return err
	}
	switch now := o.w.get(o.Key); {
	case now == o.Was:
		return nil
	case now == "":
		return fmt.Errorf("%s: %w", o.Key, lab.ErrGone)
	case now != o.Left:
		return fmt.Errorf("%s is %s, the lab left %s: %w", o.Key, now, o.Left, lab.ErrChanged)
	}
	o.w.put(o.Key, o.Was)
	return nil
}

func (o set) Verify(*kernel.Kernel) error     { return o.w.verify(o.Key, o.Value) }
func (o restore) Verify(*kernel.Kernel) error { return o.w.verify(o.Key, o.Was) }

func (w *world) verify(key, want string) error {
	found := w.get(key)
	if wrong, ok := w.wrong[key]; ok {
		found = wrong
	}
	if found != want {
		return &lab.Mismatch{Object: "key " + key, Field: "value", Want: want, Found: found}
	}
	return nil
}

// steps is a plan of one op a step, in order, for tests that care for ops only.
func steps(ops ...lab.Op) []lab.Step {
	var all []lab.Step
	for i, o := range ops {
		all = append(all, lab.Step{ID: fmt.Sprint("s", i+1), Ops: []lab.Op{o}})
	}
	return all
}

var (
	_ lab.Codec   = (*world)(nil)
	_ lab.Sharer  = set{}
	_ lab.Maker   = object{}
	_ lab.Dweller = remove{}
)
