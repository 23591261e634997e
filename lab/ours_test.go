package lab_test

import (
	"errors"
	"testing"

	"github.com/vishvananda/netlink"

	"netlab/lab"
	"netlab/lab/kernel"
)

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
			if _, err := b.journal("lab").Intend(journalPlace{Step: "s1"}, encoded(t, o), []journalOp{encoded(t, o.Undo()[0])}); err != nil {
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
		if _, err := b.journal("lab").Intend(journalPlace{Step: "s1"}, encoded(t, o), []journalOp{encoded(t, o.Undo()[0])}); err != nil {
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
