package challenges

import (
	"testing"

	"netlab/lab/kernel/kerneltest"
)

// Any right way wins, and what people try in vain, or what only makes it quiet, does
// not.
func TestOtherWays(t *testing.T) {
	const macOf = "$(ip -n {second} -br link show {pod-link} | awk '{print $3}')"
	for name, tt := range map[string]struct {
		vain []string // one after the other
		way  string   // after those; empty: none
	}{
		"deaf-gateway": {
			vain: []string{"sysctl -w net.ipv4.ip_forward=1", "sysctl -w net.ipv4.conf.all.proxy_arp=1"},
			way:  "sysctl -w net.ipv4.ip_forward=0; sysctl -w net.ipv4.ip_forward=1",
		},
		"nobody-home": {
			vain: []string{"sysctl -w net.ipv4.conf.default.proxy_arp=1"},
			way:  "sysctl -w net.ipv4.conf.all.proxy_arp=1",
		},
		"lost-replies": {
			vain: []string{"ip route replace {subnet} dev {host-link} metric 5"},
			way:  "ip route replace {pod} dev {host-link}",
		},
		"suspicious-host": {
			vain: []string{"sysctl -w net.ipv4.conf.all.rp_filter=2", "sysctl -w net.ipv4.conf.all.rp_filter=0"},
			way:  "sysctl -w net.ipv4.conf.all.rp_filter=1; ip route add {pod} dev {host-link}",
		},
		"clean-rules": {
			vain: []string{"iptables -P FORWARD ACCEPT; iptables -F; iptables -I FORWARD -j ACCEPT", "nft flush ruleset"},
			way:  "iptables -t nat -A POSTROUTING -o {uplink} -j MASQUERADE",
		},
		"next-door": {
			vain: []string{"iptables -A FORWARD -s {first-addr} -j ACCEPT"}, // and the replies?
			way:  "iptables -P FORWARD ACCEPT",
		},
		"false-friend": {
			vain: []string{"ip neigh flush all", "ip neigh flush dev {second-link}"},
			way:  "ip neigh replace {second-addr} lladdr " + macOf + " dev {second-link} nud permanent",
		},
		"small-talk": {
			vain: []string{"ip link set {bridge} mtu 1500"},
			way:  "for pod in {namespace} {peer} {watch}; do ip -n $pod link set {pod-link} mtu 1400; done",
		},
		"island": {
			vain: []string{"ip route add {gateway} dev {uplink}"}, // then it answers for the gateway, and knows no way beyond
			way:  "ip route add 0.0.0.0/1 via 192.0.2.1; ip route add 128.0.0.0/1 via 192.0.2.1",
		},
		"wrong-sender": {
			vain: []string{"iptables -t nat -A POSTROUTING -s {subnet} -o {host-link} -j MASQUERADE"},
			way:  "iptables -t nat -A POSTROUTING -s {pod} -j SNAT --to-source 192.0.2.2",
		},
		"new-face": {
			vain: []string{"ip neigh flush all", "ip link set {bridge} down; ip link set {bridge} up"},
			way:  "ip -n {namespace} neigh del {peer-addr} dev {pod-link}",
		},
		"loose-plug": {
			vain: []string{"ip link set {peer-link} down; ip link set {peer-link} up", "ip link set {peer-link} promisc on"},
		},
		"impostor": {
			vain: []string{"ip route flush cache; ip route replace {second-addr} dev {second-link} metric 1"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if !kerneltest.Isolate(t) {
				return
			}
			b := newBench(t, name)
			steps, err := b.c.Steps(b.setting)
			if err != nil {
				t.Fatal(err)
			}
			b.run(steps)
			for _, script := range tt.vain {
				b.shell(script)
				if v := b.judge(); v.Won() {
					t.Errorf("it is won by %s", script)
				}
			}
			if tt.way == "" {
				return
			}
			out := b.shell("set -e\n" + tt.way)
			if v := b.judge(); !v.Won() {
				t.Errorf("%s does not win: %+v\n%s", tt.way, v, out)
			}
		})
	}
}
