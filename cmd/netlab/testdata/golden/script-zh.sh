#!/usr/bin/env bash
# proxyarp: 网关并不存在的 Pod
#
# 需要 root，以及 ip、sysctl 和 iptables（或 nft）。所做的改动和 netlab run 一样。
# 撤销：netlab script proxyarp --undo | sudo bash
was=/run/netlab-script-proxyarp
set -e
mkdir "$was"   # 存放撤销时要用的数据；目录已存在，说明脚本执行过了

# 1. 一套独立的网络协议栈
ip netns add ns1

# 2. 宿主机和 Pod 之间的一根网线
ip link add veth type veth peer name c-eth0
sysctl -w net.ipv6.conf.veth.disable_ipv6=1
ip link set veth up
ip link set c-eth0 netns ns1
ip netns exec ns1 sysctl -w net.ipv6.conf.c-eth0.disable_ipv6=1
ip -n ns1 link set c-eth0 up
ip -n ns1 addr add 1.1.1.2/24 dev c-eth0

# 3. 两条路由，先后有别
# 故意先加默认路由，看内核怎样拒绝
if ip -n ns1 route add default via 169.254.1.1 dev c-eth0; then exit 1; fi
ip -n ns1 route add 169.254.1.1 dev c-eth0 scope link
ip -n ns1 route add default via 169.254.1.1 dev c-eth0

# 4. 让宿主机转发
(cd /proc/sys && grep -H . net/ipv4/ip_forward net/ipv4/conf/all/accept_redirects net/ipv4/conf/*/forwarding) | sed 's/:/=/' >> "$was"/sysctl
sysctl -w net.ipv4.ip_forward=1
sysctl -w net.ipv4.conf.veth.forwarding=1

# 5. 替网关应答
sysctl -w net.ipv4.conf.veth.proxy_arp=1
sysctl -w net.ipv4.neigh.veth.proxy_delay=0

# 6. 回程路由
ip route add 1.1.1.0/24 dev veth scope link

# 7. 借用宿主机的地址
iptables-save | grep -q '^\*nat' || touch "$was"/no-nat
iptables -t nat -A POSTROUTING -s 1.1.1.0/24 -m comment --comment netlab:proxyarp -j MASQUERADE
