package scenarios

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"net/netip"

	"netlab/lab"
	"netlab/lab/op"
)

// calicoMAC is what Calico gives the host's end of every pod's cable.
const calicoMAC = "ee:ee:ee:ee:ee:ee"

// caliLink is the name that Calico gives the host's end of a workload's veth: a
// hash of its Kubernetes namespace and name (VethNameForWorkload, libcalico-go).
func caliLink(name string) string {
	sum := sha1.Sum(fmt.Append(nil, "default.", name))
	return "cali" + hex.EncodeToString(sum[:])[:11]
}

// calicoQueues is how many queues Calico's plugin gives each end of a cable where its
// num_queues names none. It is fewer than the kernel would give, and sooner made.
const calicoQueues = 1

// calicoCable makes a pod's cable as Calico's plugin does, the pod's end in place.
func calicoCable(f lab.Facts, link, ns string) []lab.Op {
	ops := []lab.Op{op.VethAdd{Name: link, MAC: calicoMAC, Peer: podLink, PeerNS: ns, Queues: calicoQueues}}
	ops = append(ops, quiet(f, "", link)...)
	ops = append(ops, quiet(f, ns, podLink)...)
	return append(ops, op.LinkSetUp{Name: link}, op.LinkSetUp{NS: ns, Name: podLink})
}

// calicoInside is in the plugin's order: the address comes when its way out is
// there.
func calicoInside(ns string, gateway netip.Addr, pod netip.Prefix) []lab.Op {
	return []lab.Op{
		op.RouteAdd{NS: ns, Dst: single(gateway), Dev: podLink, Scope: "link"},
		op.RouteAdd{NS: ns, Dst: anywhere(), Via: gateway, Dev: podLink},
		op.AddrAdd{NS: ns, Link: podLink, Addr: pod},
	}
}
