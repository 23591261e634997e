package op

import (
	"testing"

	"netlab/lab"
	"netlab/lab/kernel/kerneltest"
)

func TestLinkSetMTUIsPutBackUnlessOthersHaveChangedIt(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	b := newBench(t, pair)
	before := b.dump()
	o := LinkSetMTU{Name: "veth", MTU: 1400}
	b.differs(o, "mtu", "1500")
	undo := b.inverse(o)
	b.apply(o)
	after := b.dump()
	b.apply(undo...)
	b.is(before, "after the undo")
	b.types(o)
	b.is(after, "after the printed command")
	b.types(undo...)
	b.is(before, "after the undo's printed command")
	if again := b.inverse(LinkSetMTU{Name: "veth", MTU: 1500}); again != nil {
		t.Errorf("what is so already would be undone by %v", again)
	}
	b.apply(o)
	b.shell("ip link set veth mtu 1300")
	b.refuses(lab.ErrChanged, undo...)
}
