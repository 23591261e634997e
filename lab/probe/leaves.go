package probe

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"netlab/lab"
	"netlab/lab/kernel"
)

// Leaves pings Dst once from NS and watches the frames that leave a device on
// the way: it shows what source address the packet bears there, after NAT. A
// thread visits NS and another UplinkNS, each to open a socket. Outcomes:
//
//   - "answered" (holds): it leaves as it should, and Dst answers; "src"
//   - "leaves-as" (holds): it leaves as it should, and Dst stays silent; "src"
//     and, in both, "answered": "yes" or "no"
//   - "leaves-as-another": "src", "want", "answered"
//   - "nothing-leaves": our request did not leave Uplink within patience;
//     "answered", and "error" in ping(8)'s words if it was refused
//   - "missing": no such namespace or device
//
// Once the request was seen, its reply is waited for 300 ms at most.
type Leaves struct {
	NS  string     `json:"ns,omitempty"`
	Dst netip.Addr `json:"dst"`
	// Uplink in UplinkNS is the device to watch.
	UplinkNS string `json:"uplink_ns,omitempty"`
	Uplink   string `json:"uplink"`
	// WantSrc is the source address expected on Uplink.
	WantSrc netip.Addr `json:"want_src"`
}

// replyPatience is how long a reply is waited for that nothing depends on.
const replyPatience = 300 * time.Millisecond

func (p Leaves) Command() lab.Command {
	return lab.In(p.UplinkNS, "tcpdump", "-c1", "-ni", p.Uplink, "icmp")
}

func (p Leaves) Try(ctx context.Context, k *kernel.Kernel, patience time.Duration) (lab.Observation, error) {
	n, err := k.Namespace(p.NS)
	if err != nil {
		return missing(err)
	}
	uplinkNS, err := k.Namespace(p.UplinkNS)
	if err != nil {
		return missing(err)
	}
	uplink, err := uplinkNS.Link(p.Uplink)
	if err != nil {
		return missing(err)
	}
	e, err := newEcho(p.Dst)
	if err != nil {
		return lab.Observation{}, err
	}
	watch, err := watchLeaving(uplinkNS, uplink.Attrs().Index, e.marker)
	if err != nil {
		return lab.Observation{}, err
	}
	// Closing it waits 8 to 21 ms for RCU (facts.md, section 9).
	defer func() { go watch.close() }()
	s, err := openICMP(n)
	if err != nil {
		return lab.Observation{}, err
	}
	defer s.close()

	src, a, err := e.follow(ctx, s, watch, patience)
	if err != nil {
		return lab.Observation{}, fmt.Errorf("follow an echo request from %s to %s: %w", n, p.Dst, err)
	}
	return p.observe(src, a), nil
}

func (p Leaves) observe(src netip.Addr, a echoAnswer) lab.Observation {
	answered := !a.silent() && a.err == ""
	values := map[string]string{"answered": map[bool]string{true: "yes", false: "no"}[answered]}
	if !src.IsValid() {
		if a.err != "" {
			values["error"] = a.err
		}
		return lab.Observation{Outcome: "nothing-leaves", Values: values}
	}
	values["src"] = src.String()
	if src != p.WantSrc {
		values["want"] = addrWords(p.WantSrc)
		return lab.Observation{Outcome: "leaves-as-another", Values: values}
	}
	outcome := "leaves-as"
	if answered {
		outcome = "answered"
	}
	return lab.Observation{Holds: true, Outcome: outcome, Values: values}
}

// follow sends the request on s and returns the source address that it bore
// when watch saw it, the zero Addr if it never did, and what came of it.
func (e echo) follow(ctx context.Context, s, watch *socket, patience time.Duration) (netip.Addr, echoAnswer, error) {
	wait, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	defer watch.until(wait)()
	type reply struct {
		echoAnswer
		err error
	}
	replied := make(chan reply, 1)
	go func() {
		a, err := e.exchange(wait, s)
		replied <- reply{a, err}
		// The request left, if at all, before anything came of it: there is
		// nothing to wait for but what is in the queue already.
		if !watch.waiting() {
			cancel()
		}
	}()
	buf := make([]byte, 128)
	size, _, watchErr := watch.receive(buf)
	if errors.Is(watchErr, unix.ENETDOWN) { // said once, of a device that is down
		size, _, watchErr = watch.receive(buf)
	}
	if wait.Err() != nil {
		watchErr = nil
	}
	if watchErr != nil || size > 0 {
		// After an error, too: the goroutine must not outlive its socket.
		limit := replyPatience
		if watchErr != nil {
			limit = 0
		}
		defer time.AfterFunc(limit, cancel).Stop()
	}
	r := <-replied
	if ctx.Err() != nil && size == 0 {
		return netip.Addr{}, echoAnswer{}, context.Cause(ctx)
	}
	if err := errors.Join(watchErr, r.err); err != nil {
		return netip.Addr{}, echoAnswer{}, err
	}
	src, _, _, _ := splitICMP(buf[:size])
	return src, r.echoAnswer, nil
}
