package probe

import (
	"context"
	"net/netip"
	"time"

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
//   - "reply-lost": it leaves as it should, and a reply came in by Uplink, but not to
//     NS: a firewall on the way back drops it, or a route is missing; "src" and
//     "answered"
//   - "leaves-as-another": "src", "want", "answered"
//   - "nothing-leaves": our request did not leave Uplink within patience;
//     "answered", and "error" in ping(8)'s words if it was refused
//   - "missing": no such namespace or device
//
// Once the request was seen, its reply is waited for 300 ms at most. One that leaves as
// another is followed by one with another identifier: conntrack may know the first
// one's still from before, with what NAT has made of it then, for 30 s
// (net.netfilter.nf_conntrack_icmp_timeout).
type Leaves struct {
	NS  string     `json:"ns,omitempty"`
	Dst netip.Addr `json:"dst"`
	// Uplink in UplinkNS is the device to watch.
	UplinkNS string `json:"uplink_ns,omitempty"`
	Uplink   string `json:"uplink"`
	// WantSrc is the source address expected on Uplink.
	WantSrc netip.Addr `json:"want_src"`
}

func (p Leaves) Command() lab.Command {
	return lab.In(p.UplinkNS, "tcpdump", "-c1", "-ni", p.Uplink, "icmp")
}

func (p Leaves) Try(ctx context.Context, k *kernel.Kernel, patience time.Duration) (lab.Observation, error) {
	var echoes [2]echo
	for i := range echoes {
		e, err := newEcho(p.Dst)
		if err != nil {
			return lab.Observation{}, err
		}
		echoes[i] = e
	}
	return p.send(ctx, k, patience, echoes)
}

func (p Leaves) send(ctx context.Context, k *kernel.Kernel, patience time.Duration, echoes [2]echo) (o lab.Observation, err error) {
	for _, e := range echoes {
		f, err := followOut(ctx, k, patience, p.NS, e, p.UplinkNS, p.Uplink)
		if err != nil {
			return missing(err)
		}
		if o = p.observe(f); o.Outcome != "leaves-as-another" {
			break
		}
	}
	return o, nil
}

func (p Leaves) observe(f followed) lab.Observation {
	answered := !f.silent() && f.err == ""
	values := map[string]string{"answered": map[bool]string{true: "yes", false: "no"}[answered]}
	if !f.src.IsValid() {
		if f.err != "" {
			values["error"] = f.err
		}
		return lab.Observation{Outcome: "nothing-leaves", Values: values}
	}
	values["src"] = f.src.String()
	if f.src != p.WantSrc {
		values["want"] = addrWords(p.WantSrc)
		return lab.Observation{Outcome: "leaves-as-another", Values: values}
	}
	outcome := "leaves-as"
	switch {
	case answered:
		outcome = "answered"
	case f.cameBack && f.silent():
		return lab.Observation{Outcome: "reply-lost", Values: values}
	}
	return lab.Observation{Holds: true, Outcome: outcome, Values: values}
}
