// Package trace follows one packet. It finds the devices that the packet may cross,
// across namespaces, captures on all of them, sends one probe, and tells from the
// frames that bear the probe's id where it went, what each namespace decided, and,
// if it stopped, where and why. It changes nothing in any namespace but what the
// probe itself makes the kernel learn; the ARP probe alone asks afresh.
package trace

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"netlab/lab"
	"netlab/lab/kernel"
)

// Request is what to send, and from where.
type Request struct {
	// From is a namespace as kernel.Kernel.Namespace names it: empty for the host,
	// or "pid:N".
	From  string
	To    netip.Addr // IPv4, of one host
	Probe string     // lab.ProbeEcho (also when empty), ProbeARP, ProbeTCP, ProbeUDP
	Port  uint16     // of TCP and UDP
	// Dev is the device to ask on, for ARP; empty: the one that the route to To
	// leaves by.
	Dev string
	// Patience is how long to wait for an answer after the last frame was seen;
	// 0 is one second.
	Patience time.Duration
	// Also are namespaces to watch although they are not on the way.
	Also []string
}

// Result is what came of a Request.
type Result struct {
	Journey lab.Journey
	// Frames are all of the probe's, and of the ARP that belongs to it, in order
	// of time.
	Frames []Frame
	// Points are the places of capture, in the order in which they were found.
	Points []Point
	// Heard is what was seen in each of Request.Also, in order of time; a
	// namespace that heard nothing has an empty list.
	Heard map[string][]Heard
	// Cut: there were more devices than are captured on (see maxPoints).
	Cut bool
}

// Point is a device that was captured on.
type Point struct {
	NS, Dev string // as in lab.Hop
	// Ethernet: its frames begin with an Ethernet header, otherwise with IP.
	Ethernet bool
}

// Frame is one frame as it was at a Point.
type Frame struct {
	Point int       // of Result.Points
	Dir   string    // lab.DirOut or DirIn
	Time  time.Time // the kernel's own
	Kind  string    // KindRequest and the like
	Data  []byte
	// Type and Code are ICMP's; 0 for others, and Kind tells which it is.
	Type, Code int
	// Flags are TCP's: "SYN", "SYN-ACK", "RST", or empty.
	Flags string
	// Hop is what lab.Journey says of this frame, without decisions.
	Hop lab.Hop
	// Unsummed: the transport checksum was left to a device that this frame has
	// not reached yet, and may never need (checksum offload), so it is wrong here.
	Unsummed bool
	// Summed: it was Unsummed, and Data has the checksum worked out. Only a Comment
	// of WritePcapng sees it.
	Summed bool
}

// Heard is one frame at a namespace that was watched besides.
type Heard struct {
	Kind string // KindRequest and the like
	Hop  lab.Hop
}

// Kinds of Frame.
const (
	KindRequest    = "request"
	KindReply      = "reply"
	KindError      = "error"       // an ICMP error that quotes one of the others
	KindMore       = "more"        // the rest of a TCP connection; ICMP redirects
	KindARPRequest = "arp-request" // "who has …?"
	KindARPReply   = "arp-reply"
)

const defaultPatience = time.Second

// maxTries is how often the probe is sent to follow it all the way: a frame may
// leave by a cable that nothing but the packet itself could point out, as after
// NAT; then the namespaces behind it are watched, and another probe is sent.
const maxTries = 3

// ErrIPv6 is what a Request to an IPv6 address gets.
var ErrIPv6 = errors.New("only IPv4 can be followed")

// Run sends the probe and follows it. A probe that gets lost is no error. What can't be
// read on the way is one: nothing is told that rests on what was not seen. A thread
// visits each namespace on the way to open sockets there.
func Run(ctx context.Context, k *kernel.Kernel, r Request) (Result, error) {
	if err := r.settle(k); err != nil {
		return Result{}, err
	}
	clock, err := startClock()
	if err != nil {
		return Result{}, err
	}
	defer clock.close()
	listening := make(chan *drops, 1)
	var deaf func()
	go func() {
		d, stop := listen(k, r)
		deaf = stop
		listening <- d
	}()
	s, err := discover(k, r)
	drops := <-listening
	defer deaf()
	if err == nil {
		err = s.unread
	}
	if err != nil {
		return Result{}, err
	}
	if err := clock.wait(); err != nil {
		return Result{}, err
	}
	for try := 1; ; try++ {
		a, err := attempt(ctx, s, r)
		if err == nil && try < maxTries && s.beyond(a.sightings) {
			drops.forget()
			continue
		}
		var result Result
		if err == nil {
			result, err = a.result(drops)
		}
		if err == nil {
			err = s.unread
		}
		if err != nil {
			return Result{}, fmt.Errorf("follow a packet from %s to %s: %w", s.from.n, r.To, err)
		}
		return result, nil
	}
}

// settle checks the request and fills in what is left to be chosen.
func (r *Request) settle(k *kernel.Kernel) error {
	if r.Probe == "" {
		r.Probe = lab.ProbeEcho
	}
	if r.Patience <= 0 {
		r.Patience = defaultPatience
	}
	r.To = r.To.Unmap()
	switch {
	case r.To.Is6():
		return fmt.Errorf("%s: %w", r.To, ErrIPv6)
	case !r.To.IsValid() || r.To.IsUnspecified() || r.To.IsMulticast() || r.To == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return fmt.Errorf("%s is not an IPv4 address of one host", r.To)
	}
	switch r.Probe {
	case lab.ProbeEcho, lab.ProbeARP:
	case lab.ProbeTCP, lab.ProbeUDP:
		if r.Port == 0 {
			return fmt.Errorf("a %s probe needs a port", r.Probe)
		}
	default:
		return fmt.Errorf("unknown probe %q", r.Probe)
	}
	n, err := k.Namespace(r.From)
	if err != nil {
		return err
	}
	r.From = k.Called(n)
	for i, name := range r.Also {
		n, err := k.Namespace(name)
		if err != nil {
			return err
		}
		r.Also[i] = k.Called(n)
	}
	return nil
}
