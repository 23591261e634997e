package probe

import (
	"context"
	"net/netip"
	"time"

	"netlab/lab"
	"netlab/lab/kernel"
)

// Unanswered pings Dst once from NS and wants no reply, for a reason that can be
// seen: the request leaves the uplink, for nobody on this side has Dst. Silence
// alone would prove nothing. A thread visits NS and another UplinkNS, each to open
// a socket. Outcomes:
//
//   - "went-upstream" (holds): it left Uplink, with source "src", and no reply came
//     within 300 ms; "error" in ping(8)'s words where a router beyond it, "from",
//     refused it
//   - "answered": "from"; "src" where it left Uplink for it
//   - "silent-inside": it did not leave Uplink within patience, and nothing came
//   - "unreachable": it did not leave Uplink, and was refused: "error", and "from"
//     where that came by ICMP
//   - "missing": no such namespace or device
type Unanswered struct {
	NS  string     `json:"ns,omitempty"`
	Dst netip.Addr `json:"dst"`
	// Uplink in UplinkNS is the device to watch.
	UplinkNS string `json:"uplink_ns,omitempty"`
	Uplink   string `json:"uplink"`
}

func (p Unanswered) Command() lab.Command { return lab.In(p.NS, "ping", "-c1", p.Dst.String()) }

func (p Unanswered) Try(ctx context.Context, k *kernel.Kernel, patience time.Duration) (lab.Observation, error) {
	e, err := newEcho(p.Dst)
	if err != nil {
		return lab.Observation{}, err
	}
	f, err := followOut(ctx, k, patience, p.NS, e, p.UplinkNS, p.Uplink)
	if err != nil {
		return missing(err)
	}
	values := map[string]string{}
	if f.src.IsValid() {
		values["src"] = f.src.String()
	}
	if f.from.IsValid() {
		values["from"] = f.from.String()
	}
	if f.err != "" {
		values["error"] = f.err
	}
	switch {
	case !f.silent() && f.err == "":
		return lab.Observation{Outcome: "answered", Values: values}, nil
	case f.src.IsValid():
		return lab.Observation{Holds: true, Outcome: "went-upstream", Values: values}, nil
	case f.err != "":
		return lab.Observation{Outcome: "unreachable", Values: values}, nil
	}
	return lab.Observation{Outcome: "silent-inside"}, nil
}
