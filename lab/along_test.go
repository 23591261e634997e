package lab_test

import (
	"errors"
	"io/fs"
	"testing"

	"netlab/lab"
	"netlab/lab/kernel/kerneltest"
)

// The objects of these tests are real: only the kernel gives identities.
var (
	space = lab.Ref{Kind: lab.RefNetns, Name: "space"}
	inner = lab.Ref{Kind: lab.RefLink, NS: "space", Name: "inner"}
	outer = lab.Ref{Kind: lab.RefLink, Name: "outer"}
	moved = lab.Ref{Kind: lab.RefLink, NS: "space", Name: "outer-peer"} // by move
)

// nest is objects in objects, and values that live in them.
func nest(w *world) []lab.Step {
	return steps(
		object{w, space},
		object{w, outer},
		object{w, inner},
		set{w: w, Key: "in-space", Value: "1", In: []lab.Ref{space}},
		set{w: w, Key: "on-inner", Value: "1", In: []lab.Ref{space, inner}},
		set{w: w, Key: "free", Value: "1"},
		set{w: w, Key: "on-outer", Value: "1", In: []lab.Ref{outer}},
	)
}

// isolated is a bed in namespaces of its own.
func isolated(t *testing.T) (*bed, bool) {
	t.Helper()
	if !kerneltest.Isolate(t) {
		return nil, false
	}
	return newBed(t), true
}

// gone forgets the values that lived in an object, as the kernel does.
func (w *world) gone(keys ...string) func() error {
	return func() error {
		for _, key := range keys {
			w.put(key, "")
		}
		return nil
	}
}

func (b *bed) nothingLeft(refs ...lab.Ref) {
	b.t.Helper()
	for _, ref := range refs {
		if _, err := ref.Identify(b.k); !errors.Is(err, fs.ErrNotExist) {
			b.t.Errorf("%s: %v", ref, err)
		}
	}
}

func TestWhatGoesAlongIsNotUndoneByItself(t *testing.T) {
	b, ok := isolated(t)
	if !ok {
		return
	}
	b.up("lab", nest(b.w)...)
	b.down("lab")
	b.says("undo-start", "undo s6 restore free ''", "undo s2 remove outer", "undo s1 remove space", "undo-end down")
	b.nothingLeft(space, inner, outer)
}

// The journal says of what goes along that it is there, until it has gone.
func TestWhatGoesAlongIsUndoneWhenWhatItGoesWithIs(t *testing.T) {
	b, ok := isolated(t)
	if !ok {
		return
	}
	b.up("lab", nest(b.w)...)
	b.w.on["remove space"] = fails
	if err := b.teardown("lab"); !errors.Is(err, lab.ErrFailed) {
		t.Errorf("got %v", err)
	}
	b.says("undo-start", "undo s6 restore free ''", "undo s2 remove outer", "undo-fail s1 remove space boom", "undo-end failed")
	if got, want := b.noted("lab"), "space outerx inner in-space=1 on-inner=1 free=1x on-outer=1x : s3 s4 s5"; got != want {
		t.Errorf("the journal says %q, want %q", got, want)
	}
	clear(b.w.on)
	b.w.gone("on-outer")()
	b.up("lab", nest(b.w)...) // a run goes on with what is there
	b.down("lab")
	b.nothingLeft(space, inner, outer)
}

// A link that is moved to a namespace goes with it, and before that with the
// other end.
func TestOfSeveralItGoesAlongWithTheFirstToGo(t *testing.T) {
	b, ok := isolated(t)
	if !ok {
		return
	}
	b.up("lab", steps(object{b.w, space}, object{b.w, outer}, move{}, set{w: b.w, Key: "on-moved", Value: "1", In: []lab.Ref{space, moved}})...)
	b.w.on["remove outer"] = func() error { b.stop(); return nil }
	if err := b.teardown("lab"); !errors.Is(err, lab.ErrInterrupted) {
		t.Errorf("got %v", err)
	}
	b.says("undo-start", "undo s2 remove outer", "undo-end interrupted")
	if got, want := b.noted("lab"), "space outerx outer-peer=spacex on-moved=1x : s1"; got != want {
		t.Errorf("the journal says %q, want %q", got, want)
	}
}
