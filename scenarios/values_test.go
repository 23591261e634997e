package scenarios

import (
	"errors"
	"testing"
)

// tried is a value of one parameter, the others being as they come. Why is the
// reason to refuse it; empty: it is accepted.
type tried struct{ param, value, why string }

func testValues(t *testing.T, s Scenario, all []tried) {
	t.Helper()
	if err := s.Check(s.Defaults()); err != nil {
		t.Errorf("the defaults: %v", err)
	}
	for _, tt := range all {
		v := s.Defaults()
		v[tt.param] = tt.value
		var bad *BadValueError
		err := s.Check(v)
		errors.As(err, &bad)
		switch {
		case tt.why == "" && err != nil:
			t.Errorf("--%s %q: %v", tt.param, tt.value, err)
		case tt.why != "" && (bad == nil || bad.Why != tt.why || bad.Param != tt.param):
			t.Errorf("--%s %q: got %v, want %s", tt.param, tt.value, err, tt.why)
		}
	}
}

func TestScopeRefusesWhatItCantUse(t *testing.T) {
	testValues(t, Scope(), []tried{
		{"namespace", "host", "name-reserved"},
		{"host-link", "all", "name-sysctl"},
		{"pod-link", "lo", "name-lo"},
		{"pod-link", "veth", ""}, // the host's end has that name, in another namespace
		{"subnet", "1.1.1.2/24", "host-bits"},
		{"subnet", "1.1.1.0/31", "prefix-length"},
		{"gateway", "1.1.1.9", "gateway-inside"},
		{"gateway", "1.1.0.254", "gateway-inside"}, // the third one
		{"gateway", "223.255.255.253", ""},
		{"gateway", "223.255.255.254", "gateway-last"},
		{"gateway", "126.255.255.254", "gateway-last"},
		{"gateway", "fe80::1", "address-not-ipv4"},
	})
}

func TestGatewayRefusesWhatItCantUse(t *testing.T) {
	testValues(t, Gateway(), []tried{
		{"namespace", "", "name-empty"},
		{"namespace", "a-pod-with-a-long-name", "name-long"},
		{"pod-address", "10.0.0.1/24", "no-address"},
		{"pod-address", "192.0.2.200", "in-sandbox"},
		{"gateway", "10.244.244.67", "gateway-is-pod"},
		{"gateway", "192.0.2.1", "in-sandbox"},
		{"gateway", "203.0.113.80", "in-sandbox"},
		{"gateway", "203.0.113.81", ""},
		{"gateway", "127.0.0.1", "address-special"},
	})
}
