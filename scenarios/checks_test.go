package scenarios_test

import (
	"context"
	"errors"
	"net/netip"
	"os/exec"
	"testing"
	"time"

	"netlab/lab"
	"netlab/lab/kernel"
	"netlab/lab/kernel/kerneltest"
	"netlab/lab/machine"
	"netlab/lab/op"
	"netlab/lab/probe"
	"netlab/scenarios"
)

// hosts are the kinds of host that every scenario is tried on.
var hosts = []struct {
	name   string
	sysctl string
	rules  string // a script that makes a firewall
	whoAmI bool
	nat    string
}{
	{name: "with a server outside", whoAmI: true, nat: "nftables"},
	{name: "with a silent outside", nat: "iptables"},
	{name: "rp_filter strict", sysctl: "net.ipv4.conf.all.rp_filter=1", nat: "nftables"},
	{name: "FORWARD drops", nat: "iptables", rules: docker},
	{name: "rp_filter loose", sysctl: "net.ipv4.conf.all.rp_filter=2", nat: "nftables", whoAmI: true},
}

// docker is what Docker does to FORWARD, as far as a lab's packets meet it. Where
// br_netfilter is loaded, they do on a bridge as well.
const docker = "sysctl -qew net.bridge.bridge-nf-call-iptables=1;" +
	"iptables -N DOCKER-USER; iptables -A FORWARD -j DOCKER-USER; iptables -P FORWARD DROP"

// A check that a run tries before its step fails there; every other one fails
// on a host without the lab. All hold after their step. Every op is read back as
// made then, and only then, and the kernel refuses what it should.
func TestChecksFailBeforeTheirStepAndHoldAfter(t *testing.T) {
	for _, s := range scenarios.All() {
		for _, host := range hosts {
			t.Run(s.Name+" "+host.name, func(t *testing.T) {
				if !kerneltest.Isolate(t) {
					return
				}
				k := kernel.Open()
				defer k.Close()
				if err := machine.BuildWorld(k); err != nil {
					t.Fatal(err)
				}
				outside := netip.MustParseAddr(machine.UplinkAddr)
				if host.whoAmI {
					server, err := machine.ServeWhoAmI(k)
					if err != nil {
						t.Fatal(err)
					}
					defer server.Close()
					outside = netip.MustParseAddr(machine.Server)
				}
				if host.sysctl != "" {
					if out, err := exec.Command("sysctl", "-w", host.sysctl).CombinedOutput(); err != nil {
						t.Fatalf("%v: %s", err, out)
					}
				}
				if host.rules != "" {
					if out, err := exec.Command("bash", "-ec", host.rules).CombinedOutput(); err != nil {
						t.Fatalf("%v: %s", err, out)
					}
				}
				facts, err := machine.Facts(k, outside, "")
				if err != nil {
					t.Fatal(err)
				}
				if host.rules != "" {
					facts.Walls = []lab.Wall{{Program: "iptables", NFT: true, Chain: "DOCKER-USER"}}
				}
				facts.Firewall, facts.IptablesNFT = host.nat, true
				if host.whoAmI {
					facts.WhoAmI = machine.WhoAmIAddr
				}
				provenSteps(t, k, s.Steps(scenarios.Setting{Lab: s.Name, Values: s.Defaults(), Facts: facts}))
			})
		}
	}
}

// touches tells whether a lab writes what the check reads.
func touches(steps []lab.Step, read probe.Sysctl) bool {
	for _, step := range steps {
		for _, o := range step.All() {
			if set, ok := o.(op.SysctlSet); ok && set.NS == read.NS && set.Key == read.Key {
				return true
			}
		}
	}
	return false
}

func provenSteps(t *testing.T, k *kernel.Kernel, steps []lab.Step) {
	t.Helper()
	try := func(c lab.Check, patience time.Duration) lab.Observation {
		seen, err := c.Probe.Try(context.Background(), k, patience)
		if err != nil {
			t.Fatalf("check %s: %v", c.ID, err)
		}
		return seen
	}
	fails := func(step lab.Step, before bool) {
		for _, c := range step.Checks {
			if c.Before != before {
				continue
			}
			// That the host was left as it was, holds without the lab too.
			if read, ok := c.Probe.(probe.Sysctl); ok && !touches(steps, read) {
				continue
			}
			if seen := try(c, 200*time.Millisecond); seen.Holds {
				t.Errorf("step %s: check %s holds before it (%s)", step.ID, c.ID, seen.Outcome)
			}
		}
	}
	for _, step := range steps {
		fails(step, false)
	}
	for _, step := range steps {
		for _, r := range step.Refusals {
			if err := r.Op.Apply(k); !errors.Is(err, r.Errno) {
				t.Errorf("step %s: %s: got %v, want %v", step.ID, r.Op.Command(), err, r.Errno)
			}
		}
		fails(step, true)
		for _, o := range step.All() {
			// A sysctl may be so already; what makes something can't be.
			if _, makes := o.(lab.Maker); makes && o.Verify(k) == nil {
				t.Errorf("step %s: %q reads back as made before it is", step.ID, o.Command())
			}
			if err := o.Apply(k); err != nil {
				t.Fatalf("step %s: %s: %v", step.ID, o.Command(), err)
			}
			if err := o.Verify(k); err != nil {
				t.Errorf("step %s: %s: %v", step.ID, o.Command(), err)
			}
		}
		for _, c := range step.Checks {
			if seen := try(c, 3*time.Second); !seen.Holds {
				t.Errorf("step %s: check %s does not hold after it: %s %v", step.ID, c.ID, seen.Outcome, seen.Values)
			}
		}
	}
}
