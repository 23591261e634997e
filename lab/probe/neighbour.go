package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/vishvananda/netlink"

	"netlab/lab"
	"netlab/lab/kernel"
)

// Neighbour asks "who has TARGET?" on a device: NS's own kernel sends the ARP
// request, as it would for a packet, but no packet is sent. What the kernel knew
// of Target on Dev is forgotten first, so that the question is a fresh one; an
// answer stays in the neighbour table, as any does, silence leaves nothing. A
// thread visits NS to open a netlink socket. Outcomes:
//
//   - "answered" (holds): "mac"
//   - "answered-by-another": "mac", and "want", the one expected
//   - "silent": no answer within patience, or the kernel has given up asking; holds
//     where WantSilence, and then the first does not
//   - "missing": no such namespace or device, WantDev included
//
// A permanent entry for Target is an error: the kernel then never asks.
type Neighbour struct {
	NS     string     `json:"ns,omitempty"`
	Dev    string     `json:"dev"`
	Target netip.Addr `json:"target"`
	// WantDev in WantNS is the device whose MAC, as it is now, is expected for an
	// answer. Empty: any will do.
	WantNS  string `json:"want_ns,omitempty"`
	WantDev string `json:"want_dev,omitempty"`
	// WantMAC is the MAC expected, where that is known beforehand; WantDev then
	// counts for nothing.
	WantMAC string `json:"want_mac,omitempty"`
	// WantSilence: nobody should answer.
	WantSilence bool `json:"want_silence,omitempty"`
}

func (p Neighbour) Command() lab.Command {
	return lab.In(p.NS, "arping", "-c1", "-I", p.Dev, p.Target.String())
}

func (p Neighbour) Try(ctx context.Context, k *kernel.Kernel, patience time.Duration) (lab.Observation, error) {
	if !p.Target.Is4() {
		return lab.Observation{}, fmt.Errorf("ARP asks for IPv4 addresses, not %s", p.Target)
	}
	n, dev, err := deviceIn(k, p.NS, p.Dev)
	if err != nil {
		return missing(err)
	}
	want, err := wantedMAC(k, p.WantMAC, p.WantNS, p.WantDev)
	if err != nil {
		return missing(err)
	}
	activated(ctx, n, dev)
	q := arpQuestion{n: n, dev: dev.Attrs().Index, target: p.Target}
	mac, err := q.ask(ctx, patience)
	if err != nil {
		return lab.Observation{}, fmt.Errorf("ask for %s on %s in %s: %w", p.Target, p.Dev, n, err)
	}
	switch {
	case mac == nil:
		return lab.Observation{Holds: p.WantSilence, Outcome: "silent"}, nil
	case want != nil && want.String() != mac.String():
		return lab.Observation{Outcome: "answered-by-another",
			Values: map[string]string{"mac": mac.String(), "want": want.String()}}, nil
	}
	return lab.Observation{Holds: !p.WantSilence, Outcome: "answered", Values: map[string]string{"mac": mac.String()}}, nil
}

// wantedMAC is the MAC itself, or where that is empty, a device's; nil: any.
func wantedMAC(k *kernel.Kernel, mac, ns, dev string) (net.HardwareAddr, error) {
	if mac != "" {
		return net.ParseMAC(mac)
	}
	return macAt(k, ns, dev)
}

// macAt is the MAC of a device as it is now, nil for no device.
func macAt(k *kernel.Kernel, ns, dev string) (net.HardwareAddr, error) {
	if dev == "" {
		return nil, nil
	}
	_, link, err := deviceIn(k, ns, dev)
	if err != nil {
		return nil, err
	}
	return link.Attrs().HardwareAddr, nil
}

// arpQuestion is one question to the neighbour table of a namespace.
type arpQuestion struct {
	n      *kernel.Namespace
	dev    int
	target netip.Addr
}

// ask returns nil for silence.
func (q arpQuestion) ask(ctx context.Context, patience time.Duration) (mac net.HardwareAddr, err error) {
	if err := q.forget(); err != nil {
		return nil, err
	}
	news, err := q.listen() // after forget, whose own news would be taken for an answer
	if err != nil {
		return nil, err
	}
	defer news.close()
	wait, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	defer news.until(wait)()
	defer func() {
		if mac == nil {
			err = errors.Join(err, q.tidy())
		}
	}()
	// NTF_USE without an address: "find it out", as `ip neigh replace … use`.
	if err := q.n.Netlink.NeighSet(q.entry(netlink.NTF_USE)); err != nil {
		return nil, err
	}
	// Other traffic may have asked since forget, and have its answer already:
	// that is no news any more.
	if mac, err = q.lookUp(); mac != nil || err != nil {
		return mac, err
	}
	mac, err = q.await(news)
	if errors.Is(err, os.ErrDeadlineExceeded) { // news may have been lost
		mac, err = q.lookUp()
	}
	if mac == nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return mac, err
}
