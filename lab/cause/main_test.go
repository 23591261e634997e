package cause_test

import (
	"net/netip"
	"os/exec"
	"testing"

	"netlab/lab"
	"netlab/lab/cause"
	"netlab/lab/kernel"
	"netlab/lab/machine"
	"netlab/scenarios"
)

// pod is a live lab of the scenario proxyarp, on a pretend host.
type pod struct {
	scenario scenarios.Scenario
	setting  scenarios.Setting
}

// build makes the lab in the test's own namespaces. NAT is done with firewall:
// "iptables" or "nftables".
func build(t testing.TB, firewall string) pod {
	t.Helper()
	k := kernel.Open()
	defer k.Close()
	if err := machine.BuildWorld(k); err != nil {
		t.Fatal(err)
	}
	facts, err := machine.Facts(k, netip.MustParseAddr(machine.Server), "")
	if err != nil {
		t.Fatal(err)
	}
	facts.Firewall, facts.IptablesNFT = firewall, true
	s := scenarios.ProxyARP()
	p := pod{s, scenarios.Setting{Lab: "proxyarp", Values: s.Defaults(), Facts: facts}}
	for _, step := range s.Steps(p.setting) {
		for _, o := range step.Ops {
			if err := o.Apply(k); err != nil {
				t.Fatalf("%s: %v", o.Command(), err)
			}
		}
	}
	return p
}

// find looks for what keeps a goal from working, as a process that has built
// nothing.
func (p pod) find(t testing.TB, goal cause.Goal) []lab.Cause {
	t.Helper()
	k := kernel.Open()
	defer k.Close()
	path := p.scenario.Path(p.setting, "")
	path.Goal = goal
	causes, err := cause.Find(t.Context(), k, path)
	if err != nil {
		t.Fatal(err)
	}
	return causes
}

func bash(t testing.TB, script string) {
	t.Helper()
	if out, err := exec.Command("bash", "-ec", script).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
}

func ids(causes []lab.Cause) []string {
	var ids []string
	for _, c := range causes {
		ids = append(ids, c.ID)
	}
	return ids
}
