package trace

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"github.com/google/nftables"
	"golang.org/x/sys/unix"
)

// closed: a UDP packet came to where no socket takes it. The kernel says so by ICMP
// at a limited rate only (icmp_ratelimit), so its silence proves nothing.
func (f *finder) closed(g *sighting) (bool, error) {
	if g.proto != unix.IPPROTO_UDP {
		return true, nil
	}
	taken, err := f.space.takesUDP(netip.AddrPortFrom(g.dst, g.dstPort))
	if err != nil || taken {
		return err == nil, err
	}
	if elsewhere, err := f.rewrites(); err != nil || elsewhere {
		return err == nil, err
	}
	f.found(PortClosed, f.inNS(f.space, "ss", "-lun"), "addr", g.dst.String(), "port", decimal(int(g.dstPort)), "proto", "udp")
	return false, nil
}

// rewrites tells whether a packet may have another address or port by the time that
// a socket is looked for: something is registered for NAT as it comes in.
func (f *finder) rewrites() (bool, error) {
	chains, err := f.wall().NftChains()
	if err != nil {
		return false, f.space.unread("read the firewall", err)
	}
	for _, c := range chains {
		if c.Type == nftables.ChainTypeNAT && c.Hooknum != nil && *c.Hooknum == *nftables.ChainHookPrerouting {
			return true, nil
		}
	}
	there, err := f.wall().LegacyTable("nat")
	return there, f.space.unread("read the firewall", err)
}

// takesUDP tells whether a socket of the namespace may take UDP for an address. Of
// those of IPv6, which may take IPv4 too, the port alone is compared. A thread
// visits the namespace to read /proc/net, where sockets are listed whoever owns them.
func (sp *space) takesUDP(to netip.AddrPort) (taken bool, err error) {
	err = sp.n.Do(func() error {
		for _, name := range []string{"udp", "udp6"} {
			table, err := os.ReadFile("/proc/thread-self/net/" + name)
			if errors.Is(err, fs.ErrNotExist) && name == "udp6" { // a kernel without IPv6
				continue
			}
			if err != nil {
				return fmt.Errorf("list the UDP sockets of %s: %w", sp.n, err)
			}
			taken = taken || listed(string(table), to)
		}
		return nil
	})
	return taken, sp.scene.keep(err)
}

// listed tells whether a table of sockets has one for an address, or for all
// addresses, by its second column: ADDRESS:PORT in hexadecimal, the address as it
// stands in memory, the port as a number (udp4_format_sock, net/ipv4/udp.c).
func listed(table string, to netip.AddrPort) bool {
	want := to.Addr().As4()
	for line := range strings.Lines(table) {
		columns := strings.Fields(line)
		if len(columns) < 2 {
			continue
		}
		addr, port, _ := strings.Cut(columns[1], ":")
		if number, err := strconv.ParseUint(port, 16, 16); err != nil || uint16(number) != to.Port() {
			continue
		}
		if len(addr) != 8 {
			return true
		}
		local, err := strconv.ParseUint(addr, 16, 32)
		if err == nil && (local == 0 || uint32(local) == binary.NativeEndian.Uint32(want[:])) {
			return true
		}
	}
	return false
}
