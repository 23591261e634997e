package lab_test

import (
	"strings"
	"testing"

	"netlab/lab"
)

func TestBlankedLeavesOutTheTellingPart(t *testing.T) {
	t.Parallel()
	for command, want := range map[string]string{
		"ip netns add ns1": "ip netns ____ ns1",
		"ip link add veth type veth peer name c-eth0":              "ip link add veth type ____ peer name c-eth0",
		"ip link set veth up":                                      "ip link set veth ____",
		"ip link set c-eth0 netns ns1":                             "ip link set c-eth0 ____ ns1",
		"ip -n ns1 addr add 1.1.1.2/24 dev c-eth0":                 "ip -n ns1 addr add ____ dev c-eth0",
		"ip -n ns1 route add 169.254.1.1 dev c-eth0 scope link":    "ip -n ns1 route add 169.254.1.1 dev c-eth0 scope ____",
		"ip -n ns1 route add default via 169.254.1.1 dev c-eth0":   "ip -n ns1 route add default via ____ dev c-eth0",
		"sysctl -w net.ipv4.conf.veth.proxy_arp=1":                 "sysctl -w net.ipv4.conf.veth.____=1",
		"sysctl -w net/ipv4/conf/a.b/proxy_arp=1":                  "sysctl -w net/ipv4/conf/a.b/____=1",
		"ip netns exec ns1 sysctl -w net.ipv4.ip_forward=1":        "ip netns exec ns1 sysctl -w net.ipv4.____=1",
		"iptables -t nat -A POSTROUTING -s 1.1.0/24 -j MASQUERADE": "iptables -t nat -A POSTROUTING -s 1.1.0/24 -j ____",
		"ip link set veth1 master br0":                             "ip link set veth1 master ____",
		"ip route del default dev up0":                             "ip route del default dev ____",
	} {
		if got := lab.Command(strings.Fields(command)).Blanked(); got != want {
			t.Errorf("%s: %s, want %s", command, got, want)
		}
	}
}
