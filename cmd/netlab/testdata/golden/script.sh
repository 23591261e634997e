#!/usr/bin/env bash
# proxyarp: a pod whose gateway does not exist
#
# Needs root, ip, sysctl and iptables (or nft). It makes the same changes as netlab run.
# To take it back: netlab script proxyarp --undo | sudo bash
was=/run/netlab-script-proxyarp
set -e
mkdir "$was"   # for what undoing needs; there already: this has been run

# 1. A network stack of its own
ip netns add ns1

# 2. A cable between the host and the pod
ip link add veth type veth peer name c-eth0
sysctl -w net.ipv6.conf.veth.disable_ipv6=1
ip link set veth up
ip link set c-eth0 netns ns1
ip netns exec ns1 sysctl -w net.ipv6.conf.c-eth0.disable_ipv6=1
ip -n ns1 link set c-eth0 up
ip -n ns1 addr add 1.1.1.2/24 dev c-eth0

# 3. Two routes, in this order
# the default route first, on purpose: the kernel refuses
if ip -n ns1 route add default via 169.254.1.1 dev c-eth0; then exit 1; fi
ip -n ns1 route add 169.254.1.1 dev c-eth0 scope link
ip -n ns1 route add default via 169.254.1.1 dev c-eth0

# 4. Let the host route
(cd /proc/sys && grep -H . net/ipv4/ip_forward net/ipv4/conf/all/accept_redirects net/ipv4/conf/*/forwarding) | sed 's/:/=/' >> "$was"/sysctl
sysctl -w net.ipv4.ip_forward=1
sysctl -w net.ipv4.conf.veth.forwarding=1

# 5. Answer for the gateway
sysctl -w net.ipv4.conf.veth.proxy_arp=1
sysctl -w net.ipv4.neigh.veth.proxy_delay=0

# 6. The way back
ip route add 1.1.1.0/24 dev veth scope link

# 7. Borrow the host's address
iptables-save | grep -q '^\*nat' || touch "$was"/no-nat
iptables -t nat -A POSTROUTING -s 1.1.1.0/24 -m comment --comment netlab:proxyarp -j MASQUERADE
