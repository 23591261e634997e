package lab_test

import (
	"errors"
	"syscall"
	"testing"

	"netlab/lab"
)

func TestARefusal(t *testing.T) {
	t.Parallel()
	const unreachable = syscall.ENETUNREACH
	for _, tt := range []struct {
		name  string
		apply func(*world) error
		undo  error
		event string
		noted string
		fails bool
	}{
		{
			name:  "is shown",
			apply: func(*world) error { return unreachable },
			event: "refused s1 no set a 1 network is unreachable",
			noted: "a=1x a=1 : s1",
		},
		{
			name:  "that changes something all the same is taken back",
			apply: func(w *world) error { w.put("a", "1"); return unreachable },
			event: "refused s1 no set a 1 network is unreachable",
			noted: "a=1x a=1 : s1",
		},
		{
			name:  "that is none is taken back and fails",
			apply: func(*world) error { return nil },
			event: "op-failed s1 set a 1 the kernel was expected to refuse this (network is unreachable), and did not",
			noted: "a=1x :",
			fails: true,
		},
		{
			name:  "for another reason fails",
			apply: func(*world) error { return syscall.EPERM },
			event: "op-failed s1 set a 1 operation not permitted",
			noted: "a=1x :",
			fails: true,
		},
		{
			name:  "that can't be taken back fails",
			apply: func(w *world) error { w.put("a", "1"); return unreachable },
			undo:  errBoom,
			event: "op-failed s1 set a 1 network is unreachable | restore a '': boom",
			noted: "a=1! :",
			fails: true,
		},
		{
			name:  "is not one for what its undo says",
			apply: func(w *world) error { w.put("a", "1"); return syscall.EPERM },
			undo:  unreachable,
			event: "op-failed s1 set a 1 operation not permitted | restore a '': network is unreachable",
			noted: "a=1! :",
			fails: true,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t)
			tries := 0
			b.w.on["set a 1"] = func() error {
				if tries++; tries > 1 {
					return nil
				}
				return tt.apply(b.w)
			}
			if tt.undo != nil {
				b.w.on["restore a ''"] = func() error { return tt.undo }
			}
			o := set{w: b.w, Key: "a", Value: "1"} // the same op is done right after, as in proxyarp
			err := b.run("lab", []lab.Step{{
				ID: "s1", Refusals: []lab.Refusal{{ID: "no", Op: o, Errno: unreachable}}, Ops: []lab.Op{o},
			}}, lab.Options{})
			if errors.Is(err, lab.ErrFailed) != tt.fails || !tt.fails && err != nil {
				t.Errorf("got %v", err)
			}
			if got := b.said()[2]; got != tt.event {
				t.Errorf("event %q, want %q", got, tt.event)
			}
			if got := b.noted("lab"); got != tt.noted {
				t.Errorf("the journal says %q, want %q", got, tt.noted)
			}
			clear(b.w.on)
			b.down("lab")
			b.has()
		})
	}
}

// What the lab has done already, the kernel itself refuses to do twice. It needs no
// undo of its own, so none is written down.
func TestARefusalOfWhatStandsAlready(t *testing.T) {
	t.Parallel()
	const exists = syscall.EEXIST
	for _, tt := range []struct {
		name  string
		again error // what the kernel says to the second
		event string
		fails bool
	}{
		{name: "is shown", again: exists, event: "refused s2 twice set a 1 file exists"},
		{
			name: "that is none fails", fails: true,
			event: "op-failed s2 set a 1 the kernel was expected to refuse this (file exists), and did not",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t)
			o, tries := set{w: b.w, Key: "a", Value: "1"}, 0
			b.w.on["set a 1"] = func() error {
				if tries++; tries == 2 {
					return tt.again
				}
				return nil
			}
			err := b.run("lab", []lab.Step{
				{ID: "s1", Ops: []lab.Op{o}},
				{ID: "s2", Refusals: []lab.Refusal{{ID: "twice", Op: o, Errno: exists}}},
			}, lab.Options{})
			if errors.Is(err, lab.ErrFailed) != tt.fails || !tt.fails && err != nil {
				t.Errorf("got %v", err)
			}
			if got := b.said()[6]; got != tt.event {
				t.Errorf("event %q, want %q", got, tt.event)
			}
			if got := b.noted("lab"); got != "a=1 : s1" {
				t.Errorf("the journal says %q", got)
			}
			b.has("a", "1")
			b.down("lab")
			b.has()
		})
	}
}
