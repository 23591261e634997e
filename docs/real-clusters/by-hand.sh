#!/usr/bin/env bash
# Two pods on one node, wired as Calico wires them, with iproute2 alone: for trying
# `netlab trace` where there is no cluster. It makes them in the namespaces that it
# is run in, so it wants to have some of its own, which end with it:
#
#	unshare -Urnm bash docs/real-clusters/by-hand.sh
#
# The pods' namespaces have names as containerd gives them, but shorter; the trace
# is told the pid of a process in one, as one knows a container.
set -euo pipefail

if [ -n "$(ip -o link show up)" ]; then # where nothing has been set up, not even lo is
	echo "this wants namespaces of its own: unshare -Urnm bash $0" >&2
	exit 1
fi
mount -t tmpfs -o mode=755 tmpfs /run # where ip keeps the names of namespaces

pids=()
trap 'kill "${pids[@]}"' EXIT

# The node: a link with its address, and the default route, without which the
# kernel answers ARP for nobody else.
ip link set lo up
ip link add eth0 type veth peer name wire
ip link set wire up
ip link set eth0 up
ip addr add 172.18.0.3/16 dev eth0
ip route add default via 172.18.0.1
sysctl -qw net.ipv4.ip_forward=1

# pod NAMESPACE LINK ADDRESS MAC
pod() {
	ip netns add "$1"
	ip link add "$2" address ee:ee:ee:ee:ee:ee type veth peer name eth0 address "$4" netns "$1"
	sysctl -qw "net.ipv4.neigh.$2.proxy_delay=0" "net.ipv4.conf.$2.proxy_arp=1" "net.ipv4.conf.$2.forwarding=1"
	ip link set "$2" up
	ip -n "$1" link set eth0 up
	ip -n "$1" route add 169.254.1.1 dev eth0 scope link
	ip -n "$1" route add default via 169.254.1.1 dev eth0
	ip -n "$1" addr add "$3/32" dev eth0
	ip route add "$3/32" dev "$2" scope link
	ip neigh add "$3" lladdr "$4" dev "$2" nud permanent # as Felix, Calico's agent, does

	nsenter --net="/run/netns/$1" sleep infinity &
	pids+=("$!")
	until [ "/proc/$!/ns/net" -ef "/run/netns/$1" ]; do sleep 0.01; done
}
pod cni-6f0f3a52 cali5f2b7c90d31 10.244.58.66 5a:1c:0e:77:9b:02
pod cni-b90a7d14 cali9e04a1d6b7f 10.244.58.67 9e:d3:41:6b:20:c7

netlab trace "${pids[0]}" 10.244.58.67
echo
netlab trace "${pids[0]}" 169.254.1.1 --arp
