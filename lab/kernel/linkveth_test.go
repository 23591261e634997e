package kernel

import (
	"os/exec"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vishvananda/netlink"

	"netlab/lab/kernel/kerneltest"
)

// What is read of a veth in short is what the library reads of it.
func TestLinksAreListedAsTheLibraryReadsThem(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	out, err := exec.Command("bash", "-e", "-c", `
		mkdir -p /run/netns; ip netns add pod
		ip link set lo up
		ip link add br0 type bridge
		ip link add here numtxqueues 3 numrxqueues 2 type veth peer name there numtxqueues 1
		ip link property add dev here altname other altname with-more-than-fifteen-letters
		ip link set here master br0; ip link set here up
		ip link add away address ee:ee:ee:ee:ee:ee type veth peer name eth0 netns pod`).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	k := Open()
	defer k.Close()
	host, err := k.Namespace(Host)
	if err != nil {
		t.Fatal(err)
	}
	links, err := dumpLinks()
	if err != nil {
		t.Fatal(err)
	}
	want, err := Dump(host.Netlink.LinkList)
	if err != nil {
		t.Fatal(err)
	}
	for i := range want {
		want[i] = slim(want[i])
	}
	if diff := cmp.Diff(want, links); diff != "" {
		t.Errorf("-library +ours:\n%s", diff)
	}
	if i := len(links); i < 5 || links[i-1].(*netlink.GenericLink).LinkType != "veth" {
		t.Errorf("only these links: %v", links)
	}
	if slimVeth([]byte("too short")) != nil {
		t.Error("it reads what is no message")
	}
}
