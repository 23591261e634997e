package contest

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBatchesHoldEachCommandOfTheScript(t *testing.T) {
	b, err := newBatches(`#!/usr/bin/env bash
# calico: pods
was=/run/x
set -e
mkdir "$was"   # for what undoing needs
ip netns add pod1
ip link add cali1 type veth peer name eth0 netns pod1
sysctl -w net.ipv6.conf.cali1.disable_ipv6=1
ip netns exec pod1 sysctl -w net.ipv6.conf.eth0.disable_ipv6=1
ip -n pod1 link set eth0 up
(cd /proc/sys && grep -H . net/ipv4/ip_forward) | sed 's/:/=/' >> "$was"/sysctl
`)
	if err != nil {
		t.Fatal(err)
	}
	want := &batches{
		ip:       []string{"netns add pod1", "link add cali1 type veth peer name eth0 netns pod1"},
		settings: []string{"net.ipv6.conf.cali1.disable_ipv6=1"},
		pods:     []string{"pod1"},
		inside: map[string]*pod{"pod1": {
			settings: []string{"net.ipv6.conf.eth0.disable_ipv6=1"}, ip: []string{"link set eth0 up"},
		}},
	}
	if diff := cmp.Diff(want, b, cmp.AllowUnexported(batches{}, pod{})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if _, err := newBatches("iptables -A FORWARD -j ACCEPT\n"); err == nil {
		t.Error("a command is left out, and nobody says so")
	}
}
