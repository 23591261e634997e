package machine

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netlab/lab/kernel"
)

// Preflight reads what on this host would be in the way of a plan. It changes
// nothing, sends nothing, and needs no rights: a caller without them is told so
// in a finding. resolvConfs are the files to read resolvers from; none given
// means ResolvConfs. No findings: go on.
//
// It reads the main routing table only, as ip route does; a policy rule of the
// host may overrule what it says.
func Preflight(k *kernel.Kernel, p Plan, resolvConfs ...string) ([]Finding, error) {
	host, err := k.Namespace(kernel.Host)
	if err != nil {
		return nil, err
	}
	if len(resolvConfs) == 0 {
		resolvConfs = ResolvConfs()
	}
	s := state{limits: readLimits()}
	var allowed bool
	if allowed, s.missing = CanUseHost(); allowed && len(p.Links) > 0 {
		s.veth = haveVeth(host)
	}
	if allowed && p.Bridges {
		s.bridge = haveBridge(host)
	}
	if s.hostNet, err = readNet(host); err != nil {
		return nil, err
	}
	if s.resolvers, err = readResolvers(resolvConfs); err != nil {
		return nil, err
	}
	for _, name := range p.Links {
		_, err := host.Link(name)
		if err == nil {
			s.links = append(s.links, name)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	for _, name := range p.Namespaces {
		taken, err := k.NetnsExists(name)
		if err != nil {
			return nil, err
		}
		if taken {
			s.namespaces = append(s.namespaces, name)
		}
	}
	if len(s.namespaces) > 0 {
		s.spare = p.spareName(k)
	}
	return judge(p, s), nil
}

// spareName proposes another name for the namespaces, or for their beginning,
// with which they are free.
func (p Plan) spareName(k *kernel.Kernel) string {
	const longest = 15 // as netlab takes them
	for step := range 1000 {
		other, free := otherName(p.Name, step+1, longest), true
		for _, name := range p.Namespaces {
			taken, err := k.NetnsExists(other + strings.TrimPrefix(name, p.Name))
			free = free && err == nil && !taken
		}
		if free {
			return other
		}
	}
	return "other"
}

// haveVeth tells whether the kernel can make veth pairs, without making one: it
// asks for a pair with a multicast MAC, which veth itself refuses with
// EADDRNOTAVAIL (veth_validate, drivers/net/veth.c), and a kernel without veth
// refuses as an unknown kind (EOPNOTSUPP). The kernel loads the module to say so.
func haveVeth(host *kernel.Namespace) error {
	return have(host, "veth pair", &netlink.Veth{LinkAttrs: never(), PeerName: neverName + "-2"})
}

// haveBridge does the same for a bridge (br_validate, net/bridge/br_netlink.c).
func haveBridge(host *kernel.Namespace) error {
	return have(host, "bridge", &netlink.Bridge{LinkAttrs: never()})
}

const neverName = "netlab-never"

func never() netlink.LinkAttrs {
	return netlink.LinkAttrs{Name: neverName, HardwareAddr: net.HardwareAddr{0x01, 0, 0x5e, 0, 0, 1}}
}

func have(host *kernel.Namespace, what string, l netlink.Link) error {
	err := host.Netlink.LinkAdd(l)
	switch {
	case errors.Is(err, unix.EADDRNOTAVAIL):
		return nil
	case err != nil:
		return fmt.Errorf("make a %s: %w", what, err)
	}
	// No kernel is known to come here.
	link, err := host.Link(neverName)
	if err != nil {
		return err
	}
	if err := host.Change(func(h *netlink.Handle) error { return h.LinkDel(link) }); err != nil {
		return fmt.Errorf("delete %s: %w", neverName, err)
	}
	return nil
}
