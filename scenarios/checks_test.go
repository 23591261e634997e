package scenarios_test

import (
	"context"
	"net/netip"
	"os/exec"
	"testing"
	"time"

	"netlab/lab"
	"netlab/lab/kernel"
	"netlab/lab/kernel/kerneltest"
	"netlab/lab/machine"
	"netlab/scenarios"
)

// Every check of every scenario fails before its step and holds after it, and
// every op is read back as made then, and only then.
func TestChecksFailBeforeTheirStepAndHoldAfter(t *testing.T) {
	for _, tt := range []struct {
		name   string
		sysctl string
		whoAmI bool
		nat    string
	}{
		{name: "with a server outside", whoAmI: true, nat: "nftables"},
		{name: "with a silent outside", nat: "iptables"},
		{name: "rp_filter strict", sysctl: "net.ipv4.conf.all.rp_filter=1", nat: "nftables"},
		{name: "rp_filter loose", sysctl: "net.ipv4.conf.all.rp_filter=2", nat: "nftables", whoAmI: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if !kerneltest.Isolate(t) {
				return
			}
			k := kernel.Open()
			defer k.Close()
			if err := machine.BuildWorld(k); err != nil {
				t.Fatal(err)
			}
			outside := netip.MustParseAddr(machine.UplinkAddr)
			if tt.whoAmI {
				server, err := machine.ServeWhoAmI(k)
				if err != nil {
					t.Fatal(err)
				}
				defer server.Close()
				outside = netip.MustParseAddr(machine.Server)
			}
			if tt.sysctl != "" {
				if out, err := exec.Command("sysctl", "-w", tt.sysctl).CombinedOutput(); err != nil {
					t.Fatalf("%v: %s", err, out)
				}
			}
			for _, s := range scenarios.All() {
				facts, err := machine.Facts(k, outside, "")
				if err != nil {
					t.Fatal(err)
				}
				facts.Firewall, facts.IptablesNFT = tt.nat, true
				if tt.whoAmI {
					facts.WhoAmI = machine.WhoAmIAddr
				}
				provenSteps(t, k, s.Steps(scenarios.Setting{Lab: s.Name, Values: s.Defaults(), Facts: facts}))
			}
		})
	}
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
	for _, step := range steps {
		for _, c := range step.Checks {
			if seen := try(c, 200*time.Millisecond); seen.Holds {
				t.Errorf("step %s: check %s holds before it (%s)", step.ID, c.ID, seen.Outcome)
			}
		}
		for _, o := range step.Ops {
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
