package probe

import (
	"testing"

	"netlab/lab/kernel/kerneltest"
)

func TestBridgeNamesWhatIsMissing(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	sh(t, "ip netns add sw")
	p := Bridge{NS: "sw", Name: "br0"}
	tryEach(t, openKernel(t), []trial{
		{name: "no namespace", probe: Bridge{NS: "nowhere", Name: "br0"}, want: fails("missing", nil)},
		{name: "no device", probe: p, want: fails("missing", nil)},
		{name: "no bridge", setup: "ip -n sw link add v0 type veth peer name v1", probe: Bridge{NS: "sw", Name: "v0"},
			want: fails("no-bridge", values{"type": "veth"})},
		{name: "down", setup: "ip -n sw link add br0 type bridge", probe: p, want: fails("down", nil)},
		{name: "without a port", setup: "ip -n sw link set br0 up", probe: p,
			want: holds("switching", values{"ports": "0"})},
		{name: "with a port", setup: "ip -n sw link set v0 master br0", probe: p,
			want: holds("switching", values{"ports": "1"})},
	})
}
