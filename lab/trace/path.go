package trace

import (
	"context"
	"errors"
	"io/fs"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"netlab/lab"
	"netlab/lab/kernel"
)

// Path is a lab.Probe. It sends one probe from NS to Dst and follows it on its whole way; the
// observation has the journey. See Run for what it touches. Where one is lost and
// nothing says why, as when a queue of the kernel's was full, another is sent, which
// counts. Outcomes:
//
//   - "answered" (holds, unless Upstream or WantReason is set): "ttl" of the request as it
//     arrived and "routed", how many namespaces passed it on by routing; "rtt_us"
//     in microseconds; for ARP "mac", the answer
//   - "upstream" (holds if Upstream is set): the request left by that device, and
//     nothing came back; "dev", "src" as it left
//   - "other-ttl": answered, but not as WantTTL says: "ttl", "want"
//   - "heard": a frame of it was seen where none should be: "ns", "dev"
//   - "lost", "refused", "unsent": "ns" and "dev" where it was seen last, and
//     "reason", as in lab.Ending; the first holds if it is lost for WantReason
//   - "missing": no such namespace: "ns"
type Path struct {
	NS  string     `json:"ns,omitempty"`
	Dst netip.Addr `json:"dst"`
	// ARP asks who has Dst, instead of pinging it.
	ARP bool `json:"arp,omitempty"`
	// WantTTL is the TTL that the request must arrive with; 0: any.
	WantTTL int `json:"want_ttl,omitempty"`
	// Upstream is the host's device by which the request must leave, to be heard
	// of no more. Empty: it must be answered.
	Upstream string `json:"upstream,omitempty"`
	// WantReason is what it must be lost for, such as NobodyHas. Empty: it must be
	// answered.
	WantReason string `json:"want_reason,omitempty"`
	// Unheard are namespaces in which nothing of it may be seen.
	Unheard []string `json:"unheard,omitempty"`
}

// How long it waits for an answer that should not come. An ARP answer by proxy may
// take 0.8 s (facts.md, section 2); of what has gone upstream, an early answer is
// worth waiting for, and no other.
const (
	quiet         = 900 * time.Millisecond
	quietUpstream = 300 * time.Millisecond
)

func (p Path) Command() lab.Command {
	from := p.NS
	if from == kernel.Host {
		from = "host"
	}
	c := lab.Command{"netlab", "trace", from, p.Dst.String()}
	if p.ARP {
		c = append(c, "--arp")
	}
	return c
}

func (p Path) Try(ctx context.Context, k *kernel.Kernel, patience time.Duration) (lab.Observation, error) {
	for _, ns := range append([]string{p.NS}, p.Unheard...) {
		if _, err := k.Namespace(ns); err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return lab.Observation{Outcome: "missing", Values: map[string]string{"ns": ns}}, nil
			}
			return lab.Observation{}, err
		}
	}
	r := Request{From: p.NS, To: p.Dst, Patience: patience, Also: slices.Clone(p.Unheard)}
	if p.ARP {
		r.Probe = lab.ProbeARP
	}
	switch {
	case p.Upstream != "":
		r.Patience = min(r.Patience, quietUpstream)
	case p.WantReason != "":
		r.Patience = min(r.Patience, quiet)
	}
	result, err := Run(ctx, k, r)
	if err == nil && unexplained(result.Journey.End) && !p.observe(result).Holds {
		result, err = Run(ctx, k, r)
	}
	if err != nil {
		return lab.Observation{}, err
	}
	o := p.observe(result)
	o.Journey = &result.Journey
	return o, nil
}

// unexplained tells whether the probe was lost for no reason that could be read.
func unexplained(end lab.Ending) bool {
	silent := end.Reason == NobodyHas || end.Reason == NoNeighbour
	return end.Outcome == lab.Lost && (end.Reason == Unknown || silent && end.Values["why"] == "")
}

func (p Path) observe(r Result) lab.Observation {
	end := r.Journey.End
	if end.Outcome == lab.Unanswered { // to a check, that is lost
		end.Outcome = lab.Lost
	}
	for _, ns := range p.Unheard {
		if heard := r.Heard[ns]; len(heard) > 0 {
			return lab.Observation{Outcome: "heard", Values: map[string]string{"ns": ns, "dev": heard[0].Hop.Dev}}
		}
	}
	if p.Upstream != "" && end.Outcome == lab.Lost {
		if hop, ok := leaves(r.Journey, p.Upstream); ok {
			return lab.Observation{Holds: true, Outcome: "upstream",
				Values: map[string]string{"dev": hop.Dev, "src": hop.Src.String()}}
		}
	}
	if end.Outcome != lab.Answered {
		asWanted := p.WantReason != "" && end.Outcome == lab.Lost && end.Reason == p.WantReason
		return lab.Observation{Holds: asWanted, Outcome: end.Outcome,
			Values: map[string]string{"ns": end.NS, "dev": end.Dev, "reason": end.Reason}}
	}
	values := p.arrival(r.Journey)
	if want := strconv.Itoa(p.WantTTL); p.WantTTL != 0 && values["ttl"] != want {
		values["want"] = want
		return lab.Observation{Outcome: "other-ttl", Values: values}
	}
	return lab.Observation{Holds: p.Upstream == "" && p.WantReason == "", Outcome: "answered", Values: values}
}

// leaves finds the hop of the request at which it left the host by a device.
func leaves(j lab.Journey, dev string) (lab.Hop, bool) {
	for _, leg := range j.Legs {
		for _, h := range leg.Hops {
			if leg.Kind == lab.LegRequest && h.NS == kernel.Host && h.Dev == dev && h.Dir == lab.DirOut && !h.Copy {
				return h, true
			}
		}
	}
	return lab.Hop{}, false
}

// arrival is what is told of a request that was answered.
func (p Path) arrival(j lab.Journey) map[string]string {
	values := map[string]string{"rtt_us": strconv.FormatInt(j.End.RTT.Microseconds(), 10)}
	for _, leg := range j.Legs {
		var first, last lab.Hop
		for _, h := range leg.Hops {
			if h.Copy {
				continue
			}
			if first.Dev == "" {
				first = h
			}
			last = h
		}
		switch {
		case leg.Kind == lab.LegRequest && !p.ARP:
			values["ttl"] = strconv.Itoa(last.TTL)
			values["routed"] = strconv.Itoa(first.TTL - last.TTL)
		case leg.Kind == lab.LegReply && p.ARP && values["mac"] == "": // the one that came first
			values["mac"] = first.SrcMAC
		}
	}
	return values
}
