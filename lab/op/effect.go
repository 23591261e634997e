package op

import (
	"strings"

	"netlab/lab"
	"netlab/lab/kernel"
)

// What can be had in other ways than by the command that an op shows; see
// lab.Effector.

// A rule does the same in another table or in other words, made by iptables or by
// nft: what becomes of a packet tells.

func (IptablesAppend) Effect(*kernel.Kernel) error { return lab.ErrByChecks }
func (IptablesInsert) Effect(*kernel.Kernel) error { return lab.ErrByChecks }
func (NftTableAdd) Effect(*kernel.Kernel) error    { return lab.ErrByChecks }
func (NftChainAdd) Effect(*kernel.Kernel) error    { return lab.ErrByChecks }
func (NftRuleAdd) Effect(*kernel.Kernel) error     { return lab.ErrByChecks }

// Effect: some switches are on for a device where all's is (IN_DEV_ORCONF,
// include/linux/inetdevice.h).
func (o SysctlSet) Effect(k *kernel.Kernel) error {
	err := o.Verify(k)
	part := strings.Split(o.Key, "/")
	if err == nil || o.Value != "1" || len(part) != 5 || part[1] != "ipv4" || part[2] != "conf" {
		return err
	}
	switch part[4] {
	case "proxy_arp", "route_localnet":
		all := SysctlSet{NS: o.NS, Key: "net/ipv4/conf/all/" + part[4], Value: o.Value}
		if all.Verify(k) == nil {
			return nil
		}
	}
	return err
}

// Replaceable: packets may find the same way by another route, such as one with onlink,
// without a scope, or to another prefix.
func (o RouteAdd) Replaceable() bool { return o.Type == "" }

// Replaceable: an entry of the neighbour table's own (`ip neigh add proxy`) has the kernel
// answer for an address, too.
func (o SysctlSet) Replaceable() bool {
	return o.Value == "1" && strings.HasPrefix(o.Key, "net/ipv4/conf/") && strings.HasSuffix(o.Key, "/proxy_arp")
}

var (
	_ lab.Replaceable = RouteAdd{}
	_ lab.Replaceable = SysctlSet{}

	_ lab.Effector = IptablesAppend{}
	_ lab.Effector = IptablesInsert{}
	_ lab.Effector = NftTableAdd{}
	_ lab.Effector = NftChainAdd{}
	_ lab.Effector = NftRuleAdd{}
	_ lab.Effector = SysctlSet{}
	_ lab.Effector = VethAdd{}
)
