package machine

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"strings"
)

// resolver is a name server that this host asks.
type resolver struct {
	addr netip.Addr
	file string // where it is written down
}

// ResolvConfs are the files that name this host's resolvers: resolv.conf(5), and
// what systemd-resolved asks behind its own 127.0.0.53.
func ResolvConfs() []string {
	return []string{"/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"}
}

// readResolvers reads the IPv4 resolvers of the files that exist, each once.
func readResolvers(files []string) ([]resolver, error) {
	var found []resolver
	seen := map[netip.Addr]bool{}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read resolvers: %w", err)
		}
		for _, addr := range parseResolvers(string(b)) {
			if !seen[addr] {
				seen[addr] = true
				found = append(found, resolver{addr, file})
			}
		}
	}
	return found, nil
}

// parseResolvers takes the IPv4 nameserver lines; others are passed over, as the
// C library does.
func parseResolvers(text string) []netip.Addr {
	var found []netip.Addr
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) < 2 || words[0] != "nameserver" {
			continue
		}
		if addr, err := netip.ParseAddr(words[1]); err == nil && addr.Unmap().Is4() {
			found = append(found, addr.Unmap())
		}
	}
	return found
}
