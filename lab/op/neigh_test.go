package op

import (
	"testing"

	"netlab/lab"
	"netlab/lab/kernel/kerneltest"
)

func TestNeighVerify(t *testing.T) {
	mismatches(t, bothUp, NeighAdd{Dev: "veth", Addr: ip4("1.1.1.2"), MAC: "02:00:00:00:00:07"}, []mismatchCase{
		{"deleted", "ip neigh del 1.1.1.2 dev veth", "lladdr", "missing"},
		{"another MAC", "ip neigh replace 1.1.1.2 dev veth lladdr 02:00:00:00:00:08", "lladdr", "02:00:00:00:00:08 permanent"},
		{"not permanent", "ip neigh replace 1.1.1.2 dev veth lladdr 02:00:00:00:00:07 nud stale", "lladdr", "02:00:00:00:00:07 stale"},
		{"on another link", "ip neigh del 1.1.1.2 dev veth; ip neigh add 1.1.1.2 dev h.1 lladdr 02:00:00:00:00:07", "lladdr", "missing"},
		{"link deleted", "ip link del veth", "name", "missing"},
	})
}

func TestNeighTaken(t *testing.T) {
	placesTaken(t, NeighAdd{Dev: "veth", Addr: ip4("1.1.1.2"), MAC: "02:00:00:00:00:07"}, map[string]string{
		"by the same":    bothUp + "ip neigh add 1.1.1.2 dev veth lladdr 02:00:00:00:00:07",
		"by another MAC": bothUp + "ip neigh add 1.1.1.2 dev veth lladdr 02:00:00:00:00:08",
		"by one without": bothUp + "ip neigh add 1.1.1.2 dev veth lladdr 02:00:00:00:00:07 nud noarp",
	})
}

func TestNeighUndoSparesOthers(t *testing.T) {
	for _, tt := range []struct {
		name   string
		byHand string
		want   error
	}{
		{"another MAC", "ip neigh replace 1.1.1.2 dev veth lladdr 02:00:00:00:00:08", lab.ErrChanged},
		{"learned", "ip neigh replace 1.1.1.2 dev veth lladdr 02:00:00:00:00:07 nud stale", lab.ErrGone},
		{"another link", "ip neigh del 1.1.1.2 dev veth; ip neigh add 1.1.1.2 dev h.1 lladdr 02:00:00:00:00:07", lab.ErrGone},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if !kerneltest.Isolate(t) {
				return
			}
			b := newBench(t, bothUp)
			o := NeighAdd{Dev: "veth", Addr: ip4("1.1.1.2"), MAC: "02:00:00:00:00:07"}
			undo := b.inverse(o)
			b.apply(o)
			b.shell(tt.byHand)
			b.refuses(tt.want, undo...)
		})
	}
}

func TestNeighRefused(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	b := newBench(t, bothUp)
	before := b.dump()
	for _, o := range []NeighAdd{
		{Dev: "veth", Addr: ip4("1.1.1.2")}, {Dev: "veth", MAC: "02:00:00:00:00:07"},
		{Dev: "veth", Addr: ip4("fe80::1"), MAC: "02:00:00:00:00:07"}, {Dev: "none", Addr: ip4("1.1.1.2"), MAC: "02:00:00:00:00:07"},
	} {
		if err := o.Apply(b.k); err == nil {
			t.Errorf("%s was done", o.Command())
		}
	}
	b.is(before, "after refusals")
}
