package scenarios_test

import (
	"errors"
	"net/netip"
	"strconv"
	"testing"

	"netlab/lab"
	"netlab/lab/op"
	"netlab/scenarios"
)

func bridgeValues(pairs ...string) scenarios.Values {
	v := scenarios.Bridge().Defaults()
	for i := 0; i+1 < len(pairs); i += 2 {
		v[pairs[i]] = pairs[i+1]
	}
	return v
}

func TestBridgeRefusesWhatItCanNotBuild(t *testing.T) {
	for _, tt := range []struct {
		param, value string
		why          string // empty: it is taken
		also         []string
	}{
		{param: "pods", value: "2"},
		{param: "pods", value: "900"},
		{param: "pods", value: "901", why: "pod-count"},
		{param: "pods", value: "1", why: "pod-count"},
		{param: "pods", value: "many", why: "pod-count"},
		{param: "subnet", value: "10.9.8.0/30"},
		{param: "subnet", value: "10.9.8.7/24", why: "host-bits"},
		{param: "subnet", value: "10.9.8.0/31", why: "prefix-length"},
		{param: "subnet", value: "fd00::/64", why: "subnet-not-ipv4"},
		{param: "subnet", value: "127.0.0.0/24", why: "subnet-special"},
		{param: "prefix", value: "ninechars"},
		{param: "prefix", value: "ten-chars-", why: "prefix-long"},
		{param: "prefix", value: "", why: "name-empty"},
		{param: "prefix", value: "a/b", why: "name-letters"},
		{param: "bridge", value: "a-name-too-long.", why: "name-long"},
		{param: "bridge", value: "all", why: "name-sysctl"},
		{param: "bridge", value: "v-pod2", why: "bridge-is-cable"},
		{param: "bridge", value: "v-pod3"},
		{param: "bridge", value: "v-pod3", also: []string{"pods", "3"}, why: "bridge-is-cable"},
	} {
		err := scenarios.Bridge().Check(bridgeValues(append(tt.also, tt.param, tt.value)...))
		var bad *scenarios.BadValueError
		switch {
		case tt.why == "" && err != nil:
			t.Errorf("--%s %q: %v", tt.param, tt.value, err)
		case tt.why != "" && (!errors.As(err, &bad) || bad.Why != tt.why || bad.Param != tt.param):
			t.Errorf("--%s %q: got %v, want %s", tt.param, tt.value, err, tt.why)
		}
	}
}

// All names are different and fit, and all addresses are in one subnet that is as
// wide as it must be.
func TestBridgeNamesAndAddresses(t *testing.T) {
	for _, tt := range []struct {
		values scenarios.Values
		pods   int
		bits   int
	}{
		{bridgeValues(), 3, 24},
		{bridgeValues("pods", "254"), 255, 23}, // the last address is for broadcasts
		{bridgeValues("pods", "253"), 254, 24},
		{bridgeValues("pods", "2", "subnet", "10.9.8.4/30"), 3, 29},
		{bridgeValues("pods", "900", "prefix", "ninechars"), 901, 22},
	} {
		s := scenarios.Bridge()
		needs := s.Needs(tt.values)
		seen := map[string]bool{}
		for _, name := range append(needs.Namespaces, needs.Links...) {
			if seen[name] || len(name) > 15 {
				t.Errorf("%q is not unique, or too long", name)
			}
			seen[name] = true
		}
		if len(needs.Namespaces) != tt.pods || len(needs.Links) != tt.pods+1 {
			t.Errorf("%d namespaces and %d links", len(needs.Namespaces), len(needs.Links))
		}
		var subnet netip.Prefix
		addrs := map[netip.Addr]bool{}
		for _, step := range s.Steps(scenarios.Setting{Values: tt.values}) {
			for _, o := range step.All() {
				add, ok := o.(op.AddrAdd)
				if !ok {
					continue
				}
				subnet = add.Addr.Masked()
				if addrs[add.Addr.Addr()] || add.Addr.Bits() != tt.bits || add.Addr.Addr() == subnet.Addr() {
					t.Errorf("%s has %s", add.NS, add.Addr)
				}
				addrs[add.Addr.Addr()] = true
			}
		}
		last := subnet.Addr().As4()
		host := uint32(last[2])<<8 | uint32(last[3])
		host |= 1<<(32-tt.bits) - 1
		last[2], last[3] = byte(host>>8), byte(host)
		if len(addrs) != tt.pods || addrs[netip.AddrFrom4(last)] {
			t.Errorf("%d addresses for %d pods in %s", len(addrs), tt.pods, subnet)
		}
	}
}

// On a host that routes, nothing can be shown of one that does not: it is said.
func TestBridgeOnAHostThatRoutes(t *testing.T) {
	for _, routes := range []bool{false, true} {
		setting := scenarios.Setting{Values: bridgeValues(), Facts: lab.Facts{IPForward: routes}}
		noted, checked := false, false
		for _, step := range scenarios.Bridge().Steps(setting) {
			for _, n := range step.Notes {
				noted = noted || n.ID == "forwarding-on"
			}
			for _, c := range step.Checks {
				checked = checked || c.ID == "no-router"
			}
			for _, o := range step.All() {
				if set, ok := o.(op.SysctlSet); ok && set.Key == "net/ipv4/ip_forward" {
					t.Error("the lab changes ip_forward")
				}
			}
		}
		if noted != routes || checked == routes {
			t.Errorf("ip_forward is %s: noted %v, checked %v", strconv.FormatBool(routes), noted, checked)
		}
	}
}
