package main

import (
	"testing"

	"netlab/lab/kernel"
	"netlab/lab/machine"
	"netlab/scenarios"
)

// labCase is a scenario on a pretend host, as tests go through them.
type labCase struct {
	scenario scenarios.Scenario
	name     string
	setup    string // a script that makes the host a special one
	flags    string // the scenario's
}

// otherValues chooses, for each scenario, other values than the defaults.
var otherValues = map[string]string{
	"gateway":  "--namespace pod --pod-address 10.9.8.7 --gateway 169.254.7.7",
	"scope":    "--namespace pod --host-link h.1 --pod-link eth0 --subnet 10.9.8.0/29 --gateway 169.254.7.7",
	"bridge":   "--pods 3 --subnet 10.9.8.0/30 --prefix long-name --bridge sw.1",
	"proxyarp": "--namespace pod --host-link h.1 --pod-link eth0 --subnet 10.9.8.0/29 --gateway 169.254.7.7",
	"calico":   "--pods 3 --pod-cidr 10.9.8.0/30 --prefix p --gateway 169.254.7.7",
	"ptp":      "--pods 3 --subnet 10.9.8.0/30 --prefix p",
}

func TestEveryScenarioIsTriedWithOtherValues(t *testing.T) {
	for _, s := range scenarios.All() {
		if otherValues[s.Name] == "" {
			t.Errorf("otherValues has none for %s", s.Name)
		}
	}
}

// ownCases are what only some scenarios have.
var ownCases = map[string][]labCase{
	"proxyarp": {
		{name: "iptables-legacy", setup: useLegacy},
		{name: "nftables", flags: "--nat nftables"},
	},
}

// labCases are all scenarios, each as it comes, on those hosts, and as its own
// cases say.
func labCases(hosts ...labCase) []labCase {
	var all []labCase
	for _, s := range scenarios.All() {
		for _, c := range append(append([]labCase{{name: "as it comes"}}, hosts...), ownCases[s.Name]...) {
			c.scenario, c.name = s, s.Name+" "+c.name
			all = append(all, c)
		}
	}
	return all
}

// pretendHostFor makes a pretend host that the scenario runs on: for one that
// runs in sandboxes alone, it is marked as a sandbox.
func pretendHostFor(t *testing.T, s scenarios.Scenario) {
	t.Helper()
	pretendHost(t)
	if !s.Sandboxed {
		return
	}
	k := kernel.Open()
	t.Cleanup(func() { _ = k.Close() })
	server, err := machine.ServeWhoAmI(k)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	if err := machine.SandboxMarker("pretended").Write(); err != nil {
		t.Fatal(err)
	}
}
