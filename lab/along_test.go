package lab_test

import (
	"errors"
	"io/fs"
	"testing"

	"github.com/vishvananda/netlink"

	"netlab/lab"
	"netlab/lab/kernel"
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

func TestOnlyWhatTheLabMadeIsRemoved(t *testing.T) {
	for _, tt := range []struct {
		name    string
		prepare func(*testing.T, *bed)
		says    []string
		left    []lab.Ref
	}{
		{
			name:    "gone",
			prepare: func(t *testing.T, b *bed) { b.remove(t, outer) },
			says:    []string{"undo-skip s2 remove outer gone", "undo s1 remove space"},
		},
		{
			name: "another link of that name",
			prepare: func(t *testing.T, b *bed) {
				b.remove(t, outer)
				b.make(t, outer)
			},
			says: []string{"undo-skip s2 remove outer replaced", "undo s1 remove space"},
			left: []lab.Ref{outer},
		},
		{
			name: "another namespace of that name",
			prepare: func(t *testing.T, b *bed) {
				b.remove(t, space)
				b.make(t, space)
				b.make(t, inner)
			},
			says: []string{"undo s2 remove outer", "undo-skip s1 remove space replaced"},
			left: []lab.Ref{space, inner},
		},
		{
			name: "the same link under another name",
			prepare: func(t *testing.T, b *bed) {
				b.rename(t, "outer", "renamed")
				b.make(t, lab.Ref{Kind: lab.RefLink, Name: "theirs"})
				b.rename(t, "theirs", "outer") // and another one took its name
			},
			says: []string{"undo s2 remove renamed", "undo s1 remove space"},
			left: []lab.Ref{outer},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, ok := isolated(t)
			if !ok {
				return
			}
			b.up("lab", nest(b.w)...)
			tt.prepare(t, b)
			b.down("lab")
			says := append([]string{"undo-start", "undo s6 restore free ''"}, tt.says...)
			b.says(append(says, "undo-end down")...)
			left := map[lab.Ref]bool{}
			for _, ref := range tt.left {
				left[ref] = true
			}
			for _, ref := range []lab.Ref{space, inner, outer} {
				if _, err := ref.Identify(b.k); (err == nil) != left[ref] {
					t.Errorf("%s: %v", ref, err)
				}
			}
		})
	}
}

func (b *bed) make(t *testing.T, ref lab.Ref) {
	t.Helper()
	if err := makeObject(b.k, ref); err != nil {
		t.Fatal(err)
	}
}

func (b *bed) rename(t *testing.T, from, to string) {
	t.Helper()
	n, err := b.k.Namespace("")
	if err != nil {
		t.Fatal(err)
	}
	link, err := n.Link(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Change(func(h *netlink.Handle) error { return h.LinkSetName(link, to) }); err != nil {
		t.Fatal(err)
	}
}

func (b *bed) remove(t *testing.T, ref lab.Ref) {
	t.Helper()
	if err := (remove{w: newWorld(), Ref: ref}).Apply(b.k); err != nil {
		t.Fatal(err)
	}
}

// An object that was being made when netlab was killed is the lab's as long as
// nobody has touched it.
func TestWhatWasBeingMadeIsRemovedOnlyUntouched(t *testing.T) {
	for name, touched := range map[string]bool{"untouched": false, "touched": true} {
		t.Run(name, func(t *testing.T) {
			b, ok := isolated(t)
			if !ok {
				return
			}
			o := object{b.w, outer}
			if _, err := b.journal("lab").Intend("s1", encoded(t, o), []journalOp{encoded(t, o.Undo()[0])}); err != nil {
				t.Fatal(err)
			}
			b.make(t, outer)
			b.w.touched["outer"] = touched
			b.down("lab")
			if touched {
				b.says("undo-start", "undo-skip s1 remove outer unknown", "undo-end down")
				b.remove(t, outer)
				return
			}
			b.says("undo-start", "undo s1 remove outer", "undo-end down")
			b.nothingLeft(outer)
		})
	}
	t.Run("not there at all", func(t *testing.T) {
		b, ok := isolated(t)
		if !ok {
			return
		}
		o := object{b.w, outer}
		if _, err := b.journal("lab").Intend("s1", encoded(t, o), []journalOp{encoded(t, o.Undo()[0])}); err != nil {
			t.Fatal(err)
		}
		b.down("lab")
		b.says("undo-start", "undo-skip s1 remove outer gone", "undo-end down")
	})
}

// An object that was there before the lab is only worked upon.
func TestWhatWasThereBeforeStays(t *testing.T) {
	b, ok := isolated(t)
	if !ok {
		return
	}
	b.make(t, outer)
	err := b.run("lab", steps(object{b.w, outer}), lab.Options{})
	if !errors.Is(err, lab.ErrTaken) {
		t.Errorf("got %v", err)
	}
	b.down("lab")
	b.events = nil
	b.up("lab", steps(set{w: b.w, Key: "on-outer", Value: "1", In: []lab.Ref{outer}})...)
	b.down("lab")
	b.says("undo-start", "undo s1 restore on-outer ''", "undo-end down")
	if _, err := outer.Identify(b.k); err != nil {
		t.Error(err)
	}
}

func TestAnOpThatFailsAfterItMadeSomethingIsTakenBack(t *testing.T) {
	b, ok := isolated(t)
	if !ok {
		return
	}
	b.w.on["make outer"] = fails
	if err := b.run("lab", steps(object{b.w, outer}), lab.Options{}); !errors.Is(err, errBoom) {
		t.Errorf("got %v", err)
	}
	b.nothingLeft(outer)
	b.down("lab")
}

func TestAnUnknownKindOfObjectHasNoIdentity(t *testing.T) {
	t.Parallel()
	k := kernel.Open()
	if _, err := (lab.Ref{Kind: "chair", Name: "x"}).Identify(k); err == nil {
		t.Error("no error")
	}
	for ref, want := range map[lab.Ref]string{outer: "link outer", inner: "link inner in space", space: "netns space"} {
		if got := ref.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
