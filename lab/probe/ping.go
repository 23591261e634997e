package probe

import (
	"context"
	"net/netip"
	"strconv"
	"time"

	"netlab/lab"
	"netlab/lab/kernel"
)

// Ping sends an ICMP echo request with a fresh identifier, and so a fresh flow
// to connection tracking, and the same once more after half a second's silence. A thread visits NS to open a raw socket. Outcomes:
//
//   - "answered" (holds): "from", "ttl" as it arrived, "rtt_us" in microseconds
//   - "answered-by-another": the reply to our request bears another source
//     than Dst; the same values
//   - "other-ttl": Dst answered, and the reply's ttl is not WantTTL; the same values
//     and "want"
//   - "silent": nothing came within patience
//   - "unreachable": NS's kernel refused to send, or an ICMP error came for
//     our request; "error" in ping(8)'s words, and "from" where it came by ICMP
//   - "missing": no such namespace
//
// While NS's lo is down, the kernel can't deliver its own "Destination Host
// Unreachable" to NS itself: an ARP request without an answer is then "silent".
type Ping struct {
	NS  string     `json:"ns,omitempty"`
	Dst netip.Addr `json:"dst"`
	// WantTTL is the ttl expected of the reply as it arrives: what its sender gave
	// it, less one for each router on the way. 0: any.
	WantTTL int `json:"want_ttl,omitempty"`
	// Size is how many bytes of data the request carries behind its ICMP header, as
	// ping(8)'s -s; 1472 fill an Ethernet frame. 0: what tells one request from
	// another, 16.
	Size int `json:"size,omitempty"`
}

func (p Ping) Command() lab.Command {
	c := lab.In(p.NS, "ping", "-c1")
	if p.Size != 0 {
		c = append(c, "-s", strconv.Itoa(p.Size))
	}
	return append(c, p.Dst.String())
}

// Independent: its identifier tells it from all others.
func (Ping) Independent() {}

func (p Ping) Try(ctx context.Context, k *kernel.Kernel, patience time.Duration) (lab.Observation, error) {
	n, err := k.Namespace(p.NS)
	if err != nil {
		return missing(err)
	}
	e, err := newEcho(p.Dst)
	if err != nil {
		return lab.Observation{}, err
	}
	e.padding = max(0, p.Size-len(e.marker))
	s, err := openICMP(n)
	if err != nil {
		return lab.Observation{}, err
	}
	defer s.close()
	wait, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	sent := time.Now()
	a, err := e.exchange(wait, s)
	if err != nil {
		return lab.Observation{}, err
	}
	if a.silent() && ctx.Err() != nil {
		return lab.Observation{}, context.Cause(ctx)
	}
	return p.observe(a, time.Since(sent)), nil
}

func (p Ping) observe(a echoAnswer, rtt time.Duration) lab.Observation {
	if a.silent() {
		return lab.Observation{Outcome: "silent"}
	}
	values := map[string]string{}
	if a.from.IsValid() {
		values["from"] = a.from.String()
	}
	if a.err != "" {
		values["error"] = a.err
		return lab.Observation{Outcome: "unreachable", Values: values}
	}
	values["ttl"] = strconv.Itoa(a.ttl)
	values["rtt_us"] = strconv.FormatInt(rtt.Microseconds(), 10)
	if a.from != p.Dst {
		return lab.Observation{Outcome: "answered-by-another", Values: values}
	}
	if p.WantTTL != 0 && a.ttl != p.WantTTL {
		values["want"] = strconv.Itoa(p.WantTTL)
		return lab.Observation{Outcome: "other-ttl", Values: values}
	}
	return lab.Observation{Holds: true, Outcome: "answered", Values: values}
}
