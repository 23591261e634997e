package probe

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netlab/lab"
	"netlab/lab/kernel"
)

// Netns asks whether a namespace is there and is a network stack of its own.
// It moves no thread and waits for nothing. Outcomes:
//
//   - "own-stack" (holds): "links" lists its devices, comma between
//   - "host-stack": the name leads to the host's own namespace
//   - "missing"
type Netns struct {
	Name string `json:"name"`
}

func (p Netns) Command() lab.Command { return lab.IP(p.Name, "-br", "link") }

func (p Netns) Try(_ context.Context, k *kernel.Kernel, _ time.Duration) (lab.Observation, error) {
	n, err := k.Namespace(p.Name)
	if err != nil {
		return missing(err)
	}
	host, err := k.Namespace(kernel.Host)
	if err != nil {
		return lab.Observation{}, err
	}
	same, err := sameNamespace(n, host)
	if err != nil {
		return lab.Observation{}, err
	}
	if same {
		return lab.Observation{Outcome: "host-stack"}, nil
	}
	links, err := kernel.Dump(n.Netlink.LinkList)
	if err != nil {
		return lab.Observation{}, fmt.Errorf("list links in %s: %w", n, err)
	}
	return lab.Observation{Holds: true, Outcome: "own-stack", Values: map[string]string{"links": linkNames(links)}}, nil
}

func linkNames(links []netlink.Link) string {
	names := make([]string, len(links))
	for i, l := range links {
		names[i] = l.Attrs().Name
	}
	return strings.Join(names, ", ")
}

// sameNamespace compares by inode: both are held open, so neither number can
// have been given away.
func sameNamespace(a, b *kernel.Namespace) (bool, error) {
	var as, bs unix.Stat_t
	if err := unix.Fstat(a.Fd(), &as); err != nil {
		return false, fmt.Errorf("identify the network namespace of %s: %w", a, err)
	}
	if err := unix.Fstat(b.Fd(), &bs); err != nil {
		return false, fmt.Errorf("identify the network namespace of %s: %w", b, err)
	}
	return as.Dev == bs.Dev && as.Ino == bs.Ino, nil
}
