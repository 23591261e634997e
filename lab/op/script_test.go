package op

import (
	"testing"

	"netlab/lab/kernel/kerneltest"
)

// The script's own way to put back a route that others had made.
func TestRouteDelAnyScript(t *testing.T) {
	for _, tt := range []struct {
		name, setup string
		op          RouteDelAny
	}{
		{"default", theirDefault, RouteDelAny{Dst: cidr("0.0.0.0/0"), Dev: "veth"}},
		{"subnet", theirDefault + "ip route add 10.9.0.0/16 via 10.0.0.7 mtu 1300; ip route add 10.9.9.0/24 via 10.0.0.7", RouteDelAny{Dst: cidr("10.9.0.0/16"), Dev: "veth"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if !kerneltest.Isolate(t) {
				return
			}
			b := newBench(t, tt.setup)
			before := b.dump()
			save, undo := tt.op.Script()
			do := "was=/run/was; mkdir $was\n"
			for _, line := range append(save, tt.op.Command().String()) {
				do += line + "\n"
			}
			b.shell(do)
			if err := tt.op.Verify(b.k); err != nil {
				t.Error(err)
			}
			back := "was=/run/was\n"
			for _, line := range undo {
				back += line + "\n"
			}
			b.shell(back)
			b.is(before, "after the script's undo")
		})
	}
}
