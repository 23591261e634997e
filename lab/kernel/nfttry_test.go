package kernel

import (
	"testing"

	"github.com/google/nftables"

	"netlab/lab/kernel/kerneltest"
)

func TestTryingToMasqueradeLeavesNothing(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := Open()
	t.Cleanup(func() { _ = k.Close() })
	for range 2 { // the connection is of use afterwards
		if err := k.Firewall().TryNftMasquerade(); err != nil {
			t.Fatal(err)
		}
		if chains, err := k.Firewall().NftChains(); err != nil || len(chains) > 0 {
			t.Fatalf("left behind: %v, %v", chains, err)
		}
	}
	if _, err := k.Firewall().NftTable("ip", "netlab-try"); err == nil {
		t.Error("the table is there")
	}
	// What the kernel refuses is refused here too: a chain of that name is of another type.
	if err := k.Firewall().AddNftTable("ip", "netlab-try"); err != nil {
		t.Fatal(err)
	}
	err := k.Firewall().AddNftChain(&nftables.Chain{
		Table: &nftables.Table{Family: nftables.TableFamilyIPv4, Name: "netlab-try"}, Name: "postrouting",
		Type: nftables.ChainTypeFilter, Hooknum: nftables.ChainHookPostrouting, Priority: nftables.ChainPriorityFilter,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Firewall().TryNftMasquerade(); err == nil {
		t.Error("nothing was tried")
	}
}
