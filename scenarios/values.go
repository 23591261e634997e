package scenarios

import (
	"net/netip"
	"regexp"
)

// checkName accepts what the kernel takes as a device name (dev_valid_name,
// net/core/dev.c: at most 15 characters), less what would not survive a command
// line, a path or a sysctl key.
func checkName(param, name string) error {
	switch {
	case name == "":
		return badValue(param, name, "name-empty")
	case len(name) > 15:
		return badValue(param, name, "name-long")
	case param == "namespace" && name == "host":
		return badValue(param, name, "name-reserved")
	case name == "all", name == "default":
		return badValue(param, name, "name-sysctl")
	case !regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`).MatchString(name):
		return badValue(param, name, "name-letters")
	}
	return nil
}

// checkSubnet accepts an IPv4 prefix from /8 to /30 of ordinary unicast
// addresses, written without host bits.
func checkSubnet(param, value string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(value)
	switch {
	case err != nil:
		return p, badValue(param, value, "no-subnet")
	case !p.Addr().Is4():
		return p, badValue(param, value, "subnet-not-ipv4")
	case p.Bits() < 8 || p.Bits() > 30:
		return p, badValue(param, value, "prefix-length")
	case p != p.Masked():
		return p, badValue(param, value, "host-bits", "meant", p.Masked().String())
	case !ordinary(p.Addr()):
		return p, badValue(param, value, "subnet-special")
	}
	return p, nil
}

func checkAddr(param, value string) (netip.Addr, error) {
	a, err := netip.ParseAddr(value)
	switch {
	case err != nil:
		return a, badValue(param, value, "no-address")
	case !a.Is4():
		return a, badValue(param, value, "address-not-ipv4")
	case !ordinary(a):
		return a, badValue(param, value, "address-special")
	}
	return a, nil
}

// ordinary excludes 0.0.0.0/8, 127.0.0.0/8, multicast and 240.0.0.0/4 (RFC 6890).
func ordinary(a netip.Addr) bool {
	first := a.As4()[0]
	return first != 0 && first != 127 && first < 224
}

// single is the prefix of one address, anywhere that of all.
func single(addr netip.Addr) netip.Prefix { return netip.PrefixFrom(addr, addr.BitLen()) }
func anywhere() netip.Prefix              { return netip.PrefixFrom(netip.IPv4Unspecified(), 0) }

// CheckLabName accepts what can stand in a file's name, a rule's comment and an
// nftables table's name. The error wraps ErrBadValue.
func CheckLabName(name string) error {
	if !regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,29}$`).MatchString(name) {
		return badValue("name", name, "lab-name")
	}
	return nil
}
