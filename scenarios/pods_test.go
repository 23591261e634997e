package scenarios

import (
	"errors"
	"net/netip"
	"testing"
)

// withPods are the scenarios of several pods, each with as many as it takes.
func withPods(t *testing.T) map[string]Values {
	t.Helper()
	found := map[string]Values{}
	for _, s := range All() {
		v := s.Defaults()
		if v["pods"] == "" {
			continue
		}
		v["pods"] = "0"
		var bad *BadValueError
		if err := s.Check(v); !errors.As(err, &bad) || bad.Why != "pod-count" {
			t.Fatalf("%s with 0 pods: %v", s.Name, err)
		}
		v["pods"] = bad.Values["most"]
		found[s.Name] = v
	}
	return found
}

// The kernel takes names of at most 15 characters, and each only once.
func TestNamesOfManyPods(t *testing.T) {
	for name, v := range withPods(t) {
		s, _ := Named(name)
		v["prefix"] = "abcdefghi" // nine, so that -watch fits behind it
		if err := s.Check(v); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		needs := s.Needs(v)
		for _, names := range [][]string{needs.Namespaces, needs.Links} {
			seen := map[string]bool{}
			for _, n := range names {
				if seen[n] || n == "" || len(n) > 15 {
					t.Errorf("%s: %q is there twice, or is no name", name, n)
				}
				seen[n] = true
			}
		}
	}
}

func TestAddressesOfManyPods(t *testing.T) {
	pods := map[string]func(Values) ([]pod, netip.Prefix, netip.Addr){
		"calico": func(v Values) ([]pod, netip.Prefix, netip.Addr) {
			c := newCalico(Setting{Values: v})
			return c.pods, c.cidr, c.gateway
		},
		"ptp": func(v Values) ([]pod, netip.Prefix, netip.Addr) {
			p := newPTP(Setting{Values: v})
			return p.pods, p.subnet, p.gateway
		},
	}
	for name, v := range withPods(t) {
		of, ok := pods[name]
		if !ok {
			continue
		}
		all, subnet, gateway := of(v)
		seen := map[netip.Addr]bool{gateway: true, subnet.Addr(): true, broadcast(subnet): true}
		for _, p := range all {
			if seen[p.addr] || !subnet.Contains(p.addr) {
				t.Fatalf("%s: %s of %s is no pod's own in %s", name, p.addr, p.name, subnet)
			}
			seen[p.addr] = true
		}
	}
}

func TestWiden(t *testing.T) {
	for _, tt := range []struct {
		prefix string
		need   int
		want   string
	}{
		{"10.244.244.64/26", 3, "10.244.244.64/26"},
		{"10.244.244.64/26", 62, "10.244.244.64/26"},
		{"10.244.244.64/26", 63, "10.244.244.0/25"},
		{"10.244.244.64/26", 4001, "10.244.240.0/20"},
		{"10.9.8.0/30", 3, "10.9.8.0/29"},
	} {
		if got := widen(netip.MustParsePrefix(tt.prefix), tt.need); got.String() != tt.want {
			t.Errorf("%s for %d is %s, not %s", tt.prefix, tt.need, got, tt.want)
		}
	}
}

// printf default.pod1 | sha1sum
func TestHostEndIsNamedAsCalicoNamesIt(t *testing.T) {
	if got := caliLink("pod1"); got != "calice0906292e2" {
		t.Error(got)
	}
}

func TestPodValuesThatAreRefused(t *testing.T) {
	for _, tt := range []struct{ scenario, param, value, why string }{
		{"calico", "pods", "1", "pod-count"},
		{"calico", "pods", "4001", "pod-count"},
		{"calico", "pods", "two", "pod-count"},
		{"calico", "pods", "", "pod-count"},
		{"calico", "prefix", "abcdefghij", "prefix-long"},
		{"calico", "prefix", "", "name-empty"},
		{"calico", "prefix", "a/b", "name-letters"},
		{"calico", "pod-cidr", "10.0.0.0/31", "prefix-length"},
		{"calico", "pod-cidr", "10.0.0.0/7", "prefix-length"},
		{"calico", "pod-cidr", "10.0.0.1/24", "host-bits"},
		{"calico", "pod-cidr", "2001:db8::/64", "subnet-not-ipv4"},
		{"calico", "pod-cidr", "ten", "no-subnet"},
		{"calico", "gateway", "10.244.244.70", "gateway-among-pods"},
		{"calico", "gateway", "fe80::1", "address-not-ipv4"},
		{"calico", "gateway", "224.0.0.1", "address-special"},
		{"ptp", "pods", "1", "pod-count"},
		{"ptp", "pods", "1001", "pod-count"},
		{"ptp", "prefix", "abcdefghij", "prefix-long"},
		{"ptp", "subnet", "10.1.1.0/31", "prefix-length"},
		{"ptp", "subnet", "127.0.0.0/8", "subnet-special"},
	} {
		s, _ := Named(tt.scenario)
		v := s.Defaults()
		v[tt.param] = tt.value
		var bad *BadValueError
		if err := s.Check(v); !errors.As(err, &bad) || bad.Param != tt.param || bad.Why != tt.why || !errors.Is(err, ErrBadValue) {
			t.Errorf("%s --%s %q: got %v, want %s", tt.scenario, tt.param, tt.value, err, tt.why)
		}
	}
}
