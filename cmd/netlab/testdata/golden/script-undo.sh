#!/usr/bin/env bash
# proxyarp: a pod whose gateway does not exist
#
# Needs root, ip, sysctl and iptables (or nft). It makes the same changes as netlab run.
# To take it back: netlab script proxyarp --undo | sudo bash
was=/run/netlab-script-proxyarp

# 7. Borrow the host's address
iptables -t nat -D POSTROUTING -s 1.1.1.0/24 -m comment --comment netlab:proxyarp -j MASQUERADE
if [ -e "$was"/no-nat ]; then
  iptables -t nat -X POSTROUTING
  nft list table ip nat | grep -q chain || nft delete table ip nat
fi

# 4. Let the host route
sysctl -qe -p "$was"/sysctl

# 2. A cable between the host and the pod
ip link del veth

# 1. A network stack of its own
ip netns del ns1

rm -r "$was"
