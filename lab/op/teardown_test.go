package op

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"netlab/lab"
	"netlab/lab/journal"
	"netlab/lab/kernel/kerneltest"
)

// everyWay is a lab that makes things of each kind, and deletes some of what was
// there before and of what it has made.
func everyWay() []lab.Op {
	address := AddrAdd{NS: "pod", Link: "eth0", Addr: cidr("10.9.9.9/32"), Scope: "link"}
	route := RouteAdd{Dst: cidr("10.9.9.9/32"), Dev: "cali1", Scope: "link"}
	return []lab.Op{
		NetnsAdd{Name: "pod"},
		VethAdd{Name: "cali1", Peer: "eth0", PeerNS: "pod", MAC: "ee:ee:ee:ee:ee:ee"},
		LinkSetUp{Name: "cali1"}, LinkSetUp{NS: "pod", Name: "eth0"},
		BridgeAdd{Name: "br0"}, LinkSetMaster{Name: "cali1", Master: "br0"}, LinkSetMaster{Name: "cali1"},
		NeighAdd{Dev: "cali1", Addr: ip4("10.9.9.9"), MAC: "02:00:00:00:00:09"},
		address, AddrDel(address), route, RouteDel(route),
		RouteAdd{Dst: cidr("10.99.0.0/16"), Type: "blackhole"},
		RouteAdd{NS: "pod", Dst: cidr("10.9.9.9/32"), Dev: "eth0", Type: "local"},
		LinkSetAddress{Name: "h.1", MAC: "02:00:00:00:00:0a"},
		RouteDelAny{Dst: cidr("0.0.0.0/0"), Dev: "veth"}, AddrDel{Link: "veth", Addr: cidr("10.0.0.1/24")},
	}
}

// Wherever a lab is killed, a teardown by a process that knows only its journal
// leaves everything as it was.
func TestTeardownAfterAKillAnywhere(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	b := newBench(t, theirDefault)
	dir := journal.At(t.TempDir())
	runner := &lab.Runner{Kernel: b.k, Codec: Codec{}, Dir: dir, Machine: "host", Now: time.Now, Emit: func(e lab.Event) {
		if e.Error != "" {
			t.Logf("%s %s: %s", e.Type, e.Command, e.Error)
		}
	}}
	before, ops := b.dump(), everyWay()
	for i := range len(ops) + 1 {
		for _, applied := range []bool{false, true} {
			at := fmt.Sprintf("killed at op %d, applied %v", i, applied)
			j, err := dir.Create(journal.Header{Lab: "x", Scenario: "x", Created: time.Now()})
			if err != nil {
				t.Fatal(err)
			}
			plan := lab.Plan{Lab: "x", Steps: []lab.Step{{ID: "s", Ops: ops[:i]}}}
			if err := runner.Run(t.Context(), plan, j, lab.Options{}); err != nil {
				t.Fatalf("%s: run: %v", at, err)
			}
			if i < len(ops) {
				intend(b, j, ops[i])
			}
			if i < len(ops) && applied {
				b.apply(ops[i])
			}
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			if j, err = dir.Open("x"); err != nil {
				t.Fatal(err)
			}
			if err := runner.Teardown(t.Context(), j); err != nil {
				t.Fatalf("%s: teardown: %v", at, err)
			}
			b.is(before, at)
			if t.Failed() {
				t.FailNow()
			}
		}
	}
}

// intend writes down an op as a lab does that is killed before it can go on.
func intend(b *bench, j *journal.Journal, o lab.Op) {
	b.t.Helper()
	inverse, err := o.Inverse(b.k)
	if err != nil {
		b.t.Fatal(err)
	}
	var encoded []journal.Op
	for _, o := range append([]lab.Op{o}, inverse...) {
		data, err := json.Marshal(o)
		if err != nil {
			b.t.Fatal(err)
		}
		encoded = append(encoded, journal.Op{Kind: o.Kind(), Op: data})
	}
	if _, err := j.Intend(journal.Place{Step: "s"}, encoded[0], encoded[1:]); err != nil {
		b.t.Fatal(err)
	}
}
