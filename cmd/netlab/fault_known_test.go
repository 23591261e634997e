package main

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"netlab/lab/kernel/kerneltest"
	"netlab/lab/kernel/kerneltest/fault"
	"netlab/scenarios"
)

// Faults that have once left something behind, or were told of as something else.
func TestFaultsThatOnceDidHarm(t *testing.T) {
	for _, tt := range []struct {
		name, command string // "run" is of the gateway scenario: it goes on after
		other         bool   // the call is iptables'
		text          string // what the call begins with
		nth           int    // of those calls
		fault         fault.Fault
	}{
		{"killed in the middle of a namespace's deletion", "teardown", false, "remove /run/netns/ns1", 1, fault.Fault{Kill: true}},
		{"a namespace's name can't be removed", "teardown", false, "remove /run/netns/ns1", 1, fault.Fault{Errno: unix.EPERM}},
		{"killed before redirects are put back", "teardown", false, "write /proc/sys/net/ipv4/conf/all/accept_redirects", 1, fault.Fault{Kill: true}},
		{"iptables can't list the chains", "teardown", true, "answer 12/0xa03", 1, fault.Fault{Errno: unix.ENOBUFS}},
		{"the answer to a change is lost", "run", false, "answer of 0/0x0", 6, fault.Fault{Errno: unix.ENOBUFS}},
		{"killed when an address has taken a route along", "run", false, "netlink RTM_NEWROUTE", 4, fault.Fault{Kill: true}},
		{"the end of a dump of the firewall is lost", "teardown", false, "answer 12/0x3", 1, fault.Fault{Errno: unix.ENOBUFS}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if !kerneltest.Isolate(t) {
				return
			}
			s, args := scenarios.ProxyARP(), []string{"teardown", "-q"}
			if tt.command == "run" {
				s, args = scenarios.Gateway(), []string{"run", "gateway", "--no-before", "-q"}
			}
			pretendHostFor(t, s)
			settle(t)
			b := &faultBed{t: t, s: s, before: glanced(t)}
			if tt.command == "teardown" {
				sh(t, "netlab run proxyarp --no-before -q --nat iptables")
			}
			n := 0
			c, f, code, out := b.faulty(func(c fault.Call) *fault.Fault {
				if c.Other == tt.other && strings.HasPrefix(c.Text, tt.text) {
					if n++; n == tt.nth {
						return &tt.fault
					}
				}
				return nil
			}, args...)
			if f == nil {
				t.Fatalf("there is no such call; exit status %d\n%s", code, out)
			}
			what := fmt.Sprintf("%s: %s: %v: exit status %d\n%s", tt.command, c, f, code, out)
			b.said(c, *f, code, out, what)
			if tt.command == "run" {
				if code, out := status(t, "netlab run gateway --no-before -q"); code != exitDone {
					t.Errorf("%s\nand once more: exit status %d\n%s", what, code, out)
				}
			}
			b.down(what)
		})
	}
}

// What went by itself is written down last. That it can't be is said as well.
func TestTheLastRecordThatCannotBeWrittenIsSaid(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	pretendHost(t)
	settle(t)
	b := &faultBed{t: t, s: scenarios.Bridge(), before: glanced(t)}
	last := 0
	for _, broken := range []bool{false, true} {
		sh(t, "netlab run bridge --no-before -q")
		n, fails := 0, &fault.Fault{Errno: unix.EROFS, Again: true}
		c, f, code, out := b.faulty(func(c fault.Call) *fault.Fault {
			if c.Text == "write /run/netlab/labs/bridge.jsonl" {
				if n++; broken && n == last {
					return fails
				}
			}
			return nil
		}, "teardown", "-q")
		if last = n; f != nil {
			if code == exitDone {
				t.Errorf("%s: all is well", c)
			}
			b.said(c, *f, code, out, out)
		}
		b.down(out)
	}
}
