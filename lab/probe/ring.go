package probe

import (
	"context"
	"errors"
	"io/fs"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"netlab/lab"
	"netlab/lab/abreast"
	"netlab/lab/kernel"
)

// Ring has every pod ping the next one, and the last the first: none is left out. Each
// pod forgets its next hop's MAC first, so that it must ask, and what it is told
// is compared. Threads visit the pods to open raw sockets; what the neighbour tables
// have learned of the pods is forgotten after. Outcomes:
//
//   - "all-reached" (holds): "pods", how many
//   - "not-all": "pods"; "failed", how many did not reach the next; of the first one "pod",
//     "to" (an address) and "error", in ping(8)'s words, "no answer" where none came
//   - "wrong-mac": all are reached, and some by another MAC than the one expected: "pods", "failed";
//     of the first "pod", "hop", "mac" and "want"
//   - "other-way": all are reached, and some without asking for the next hop: "pods",
//     "failed"; of the first "pod" and "hop"
//   - "missing": no such namespace or device
type Ring struct {
	Pods []RingPod `json:"pods"` // at least two
	// Gateway is each pod's next hop, and WantMAC the MAC it should have. The zero value:
	// the next pod is on the link, and has its own device's.
	Gateway netip.Addr `json:"gateway,omitzero"`
	WantMAC string     `json:"want_mac,omitempty"`
	// WantTTL is as in Ping.
	WantTTL int `json:"want_ttl,omitempty"`
}

// RingPod is a namespace with a name, its device and address.
type RingPod struct {
	NS   string     `json:"ns"`
	Dev  string     `json:"dev"`
	Addr netip.Addr `json:"addr"`
}

// ringWindow is how many pods ping at once. All namespaces share one neighbour table,
// that has room for 1024 by default (gc_thresh3, settable by the machine alone), and
// each pod takes three entries: its next hop and who asked for it, and on the host
// itself. Each takes two descriptors, too.
const ringWindow = 150

// ringHeard is how many copies of questions may be on their way at once. On a bridge each
// pod's question goes to all pods, by one queue of the CPU that has room for 1000
// (net.core.netdev_max_backlog); what comes on top is dropped.
const ringHeard = 500

// atOnce is how many pods may ask at once.
func (p Ring) atOnce() int {
	if p.Gateway.IsValid() {
		return ringWindow
	}
	return max(1, min(ringWindow, ringHeard/len(p.Pods)))
}

// ringLanes is how many windows are at work side by side: a pod's time is all that of
// a CPU. On one link there is one, since each asks all.
const ringLanes = 2

func (p Ring) lanes() int {
	if p.Gateway.IsValid() {
		return ringLanes
	}
	return 1
}

// ringRange are the pods of a window, without the last.
type ringRange struct{ from, to int }

// windows are all pods, in parts of which as many as there are lanes fill ringWindow.
func (p Ring) windows() []ringRange {
	size := ringWindow / p.lanes()
	var all []ringRange
	for from := 0; from < len(p.Pods); from += size {
		all = append(all, ringRange{from, min(from+size, len(p.Pods))})
	}
	return all
}

// Command is that of the first pod; the others are the same.
func (p Ring) Command() lab.Command {
	return lab.In(p.Pods[0].NS, "ping", "-c1", p.Pods[1].Addr.String())
}

func (p Ring) Try(ctx context.Context, k *kernel.Kernel, patience time.Duration) (lab.Observation, error) {
	if len(p.Pods) < 2 {
		return lab.Observation{}, errors.New("a ring takes two pods")
	}
	values := map[string]string{"pods": strconv.Itoa(len(p.Pods))}
	windows := p.windows()
	all := make([][]*ringMember, len(windows))
	ping := func(i int) (err error) {
		all[i], err = p.window(ctx, windows[i].from, windows[i].to, patience)
		return errors.Join(err, forgetOnHost(k, all[i]))
	}
	_, err := abreast.Do(p.lanes(), 1, len(windows), ping)
	if err == nil {
		err = pingAgain(all, ping)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return missing(err)
	} else if err != nil {
		return lab.Observation{}, err
	}
	var silent, wrong []*ringMember
	for _, m := range slices.Concat(all...) {
		switch {
		case m.problem != "":
			silent = append(silent, m)
		case m.mac != m.want:
			wrong = append(wrong, m)
		}
	}
	switch {
	case len(silent) > 0:
		first := silent[0]
		values["failed"], values["pod"], values["to"], values["error"] = strconv.Itoa(len(silent)), first.pod.NS, first.echo.dst.String(), first.problem
		return lab.Observation{Outcome: "not-all", Values: values}, nil
	case len(wrong) > 0:
		first := wrong[0]
		values["failed"], values["pod"], values["hop"] = strconv.Itoa(len(wrong)), first.pod.NS, first.hop.String()
		if first.mac == "" {
			return lab.Observation{Outcome: "other-way", Values: values}, nil
		}
		values["mac"], values["want"] = first.mac, first.want
		return lab.Observation{Outcome: "wrong-mac", Values: values}, nil
	}
	return lab.Observation{Holds: true, Outcome: "all-reached", Values: values}, nil
}
