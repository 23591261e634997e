package op

import (
	"testing"

	"netlab/lab"
	"netlab/lab/kernel/kerneltest"
)

func TestIptablesPolicyIsSetAndPutBack(t *testing.T) {
	for _, tt := range []struct {
		name  string
		nft   bool
		setup string
	}{
		{"nft, nothing there", true, "true"},
		{"nft, a rule there", true, "iptables -A FORWARD -j ACCEPT"},
		{"nft, another chain there", true, "iptables -A INPUT -j ACCEPT"},
		{"legacy", false, "iptables -A FORWARD -j ACCEPT"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if !kerneltest.Isolate(t) {
				return
			}
			b := newFirewallBench(t, tt.nft)
			b.shell(tt.setup)
			before := b.dump()
			o := IptablesPolicy{Chain: "FORWARD", Policy: "DROP", NFT: tt.nft}
			b.mismatches(o)
			undo, err := o.Inverse(b.k)
			if err != nil {
				t.Fatal(err)
			}
			b.apply(o)
			after := b.dump()
			if again, err := o.Inverse(b.k); err != nil || again != nil {
				t.Errorf("once it is so: %v, %v", again, err)
			}
			b.apply(undo...)
			b.is(before, "after the undo")
			b.types(o)
			b.is(after, "after the printed command")
			b.types(undo...)
			b.is(before, "after the undo's printed commands")

			b.apply(o)
			b.shell("iptables -P FORWARD ACCEPT") // somebody has repaired it
			b.apply(undo...)
			b.is(before, "after an undo of what was repaired")
			if tt.nft {
				b.shell("nft flush ruleset")
				b.refuses(lab.ErrGone, undo...)
			}
		})
	}
}
