package main

import (
	"encoding/json"
	"errors"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"netlab/lab"
	"netlab/lab/kernel/kerneltest"
	"netlab/lab/kernel/kerneltest/fault"
)

// What can't be read while a packet is followed is said, whichever it is. That the
// packet was lost, or why, is not: netlab has not seen it.
func TestWhatATraceCannotReadIsSaid(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	pretendHost(t)
	sh(t, "netlab run bridge --no-before -q; netlab run proxyarp --no-before -q")
	notAnswering := "ip netns exec pod2 sysctl -qw net.ipv4.icmp_echo_ignore_all="
	const rule, refusing = "ip rule ", " to 203.0.113.80 iif veth prohibit"
	queries := []string{"ROUTE", "LINK", "ADDR", "NEIGH", "RULE"}
	refused := map[string]bool{}
	for _, tt := range []struct{ name, before, command, after string }{
		{"it is answered", "", "trace bridge pod1 pod2", ""},
		{"nobody resolves the next hop", "", "trace bridge pod1 10.244.1.77 --timeout 200ms", ""},
		{"a rule refuses it", rule + "add" + refusing, "trace proxyarp ns1 203.0.113.80 --timeout 200ms", rule + "del" + refusing},
		{"nobody answers ARP", "", "trace bridge pod1 10.244.1.77 --arp --timeout 200ms", ""},
		{"a port is down", "ip link set v-pod2 down", "trace bridge pod1 pod2 --timeout 200ms", "ip link set v-pod2 up"},
		{"a check", "", "check bridge", ""},
		{"a check that fails", notAnswering + "1", "check bridge", notAnswering + "0"},
	} {
		sh(t, tt.before)
		for _, query := range queries {
			said, hit, err := refusedOnceSent(query, tt.command+" -o json")
			var exit *exec.ExitError
			if err != nil && !errors.As(err, &exit) {
				t.Fatalf("%s: %s: %v\n%s", tt.name, query, err, said)
			}
			if !hit {
				continue
			}
			refused[query] = true
			if err == nil || !strings.Contains(said, "operation not permitted") {
				t.Errorf("%s: %s can't be read: %v\n%s", tt.name, query, err, said)
			}
			for line := range strings.Lines(said) {
				var e struct {
					Command, Outcome string
					End              *lab.Ending
				}
				if json.Unmarshal([]byte(line), &e) != nil {
					continue
				}
				if e.End != nil || strings.HasPrefix(e.Command, "netlab trace ") && e.Outcome != lab.Untried {
					t.Errorf("%s: %s can't be read, and yet it knows:\n%s", tt.name, query, line)
				}
			}
		}
		sh(t, tt.after)
	}
	for _, query := range queries {
		if !refused[query] {
			t.Errorf("nothing has asked for %s", query)
		}
	}
}

// refusedOnceSent refuses every query of a kind from the first packet on; ARP, which the
// kernel sends, from the first on.
func refusedOnceSent(query, command string) (said string, hit bool, err error) {
	sent := strings.Contains(command, "--arp")
	out, err := fault.Run(func(c fault.Call) *fault.Fault {
		sent = sent || c.Kind == fault.Packet
		if !sent || c.Kind != fault.Query || !strings.Contains(c.Text, "RTM_GET"+query) {
			return nil
		}
		hit = true
		return &fault.Fault{Errno: unix.EPERM, Again: true}
	}, "netlab", strings.Fields(command)...)
	return string(out), hit, err
}
