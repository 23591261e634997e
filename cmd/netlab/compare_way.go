package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netlab/lab"
	"netlab/lab/kernel"
	"netlab/lab/probe"
	"netlab/lab/trace"
)

// patienceWithout is how long a pod that gets no answer is waited for.
const patienceWithout = 500 * time.Millisecond

// comparedWay is what was found out about one lab, besides how fast it is.
type comparedWay struct {
	Scenario string            `json:"scenario"`
	Params   map[string]string `json:"params"`
	From     string            `json:"from"`
	To       string            `json:"to"` // a namespace, as From
	Watch    string            `json:"watch"`
	Journey  lab.Journey       `json:"journey"`
	// Hops is how many devices saw the request, Routed how often somebody took one
	// off its ttl, TTL what was left of that on arrival.
	Hops   int `json:"hops"`
	Routed int `json:"routed"`
	TTL    int `json:"ttl"`
	// NextHop is what From asked for by ARP, and the answer.
	NextHop lab.Decision `json:"next_hop"`
	// Neighbours is From's neighbour table after the exchange.
	Neighbours []comparedNeighbour `json:"neighbours"`
	// Heard is what Watch heard of it all.
	Heard []comparedHeard `json:"heard,omitempty"`
	// WithoutForwarding: From reaches To while ip_forward is 0.
	WithoutForwarding bool `json:"without_forwarding"`
}

type comparedNeighbour struct {
	Addr string `json:"addr"`
	MAC  string `json:"mac,omitempty"`
}

type comparedHeard struct {
	Kind string `json:"kind"` // as in trace.Heard
	Src  string `json:"src"`
	Dst  string `json:"dst"`
}

// follow sends one echo request, which nobody has asked the way for yet.
func (b *builtLab) follow(ctx context.Context, k *kernel.Kernel) (comparedWay, error) {
	w := comparedWay{
		Scenario: b.scenario.Name, Params: b.values,
		From: b.talk.From, To: b.talk.To, Watch: b.talk.Watch,
	}
	if err := forgetNeighbours(k, b.talk.From); err != nil {
		return w, err
	}
	result, err := trace.Run(ctx, k, trace.Request{From: b.talk.From, To: b.talk.Addr, Also: []string{b.talk.Watch}})
	if err != nil {
		return w, err
	}
	w.Journey = result.Journey
	if w.Journey.End.Outcome != lab.Answered {
		return w, fmt.Errorf("%s: a packet from %s to %s: %s: %w", w.Scenario, w.From, b.talk.Addr, w.Journey.End.Outcome, lab.ErrFailed)
	}
	w.count()
	for _, h := range result.Heard[b.talk.Watch] {
		w.Heard = append(w.Heard, comparedHeard{h.Kind, h.Hop.Src.String(), h.Hop.Dst.String()})
	}
	w.Neighbours, err = neighboursOf(k, b.talk.From)
	return w, err
}

// count reads from the request's way what it had to go through.
func (w *comparedWay) count() {
	for _, leg := range w.Journey.Legs {
		if leg.Kind != lab.LegRequest {
			continue
		}
		first := 0
		for _, hop := range leg.Hops {
			if hop.Copy {
				continue
			}
			if w.Hops++; first == 0 {
				first = hop.TTL
			}
			w.TTL = hop.TTL
		}
		w.Routed = first - w.TTL
		for _, d := range leg.Start {
			if d.Kind == lab.DecideNeighbour {
				w.NextHop = d
			}
		}
	}
}

// forgetNeighbours empties a pod's neighbour table, so that it has to ask again.
func forgetNeighbours(k *kernel.Kernel, ns string) error {
	n, err := k.Namespace(ns)
	if err != nil {
		return err
	}
	entries, err := kernel.Dump(func() ([]netlink.Neigh, error) { return n.Netlink.NeighList(0, netlink.FAMILY_V4) })
	if err != nil {
		return fmt.Errorf("list the neighbours of %s: %w", n, err)
	}
	for _, e := range entries {
		err := n.Change(func(h *netlink.Handle) error { return h.NeighDel(&e) })
		if err != nil && !errors.Is(err, unix.ENOENT) {
			return fmt.Errorf("delete neighbour %s of %s: %w", e.IP, n, err)
		}
	}
	return nil
}

func neighboursOf(k *kernel.Kernel, ns string) ([]comparedNeighbour, error) {
	n, err := k.Namespace(ns)
	if err != nil {
		return nil, err
	}
	entries, err := kernel.Dump(func() ([]netlink.Neigh, error) { return n.Netlink.NeighList(0, netlink.FAMILY_V4) })
	if err != nil {
		return nil, fmt.Errorf("list the neighbours of %s: %w", n, err)
	}
	var all []comparedNeighbour
	for _, e := range entries {
		if e.State&netlink.NUD_NOARP == 0 { // lo's, and what needs no asking
			all = append(all, comparedNeighbour{e.IP.String(), e.HardwareAddr.String()})
		}
	}
	return all, nil
}

// withoutForwarding turns the host's forwarding off for as long as it takes to try
// each way, and puts it back.
func withoutForwarding(ctx context.Context, k *kernel.Kernel, labs []*builtLab, ways []comparedWay) (err error) {
	const key = "net/ipv4/ip_forward"
	host, err := k.Namespace(kernel.Host)
	if err != nil {
		return err
	}
	was, err := host.Sysctl(key)
	if err != nil {
		return err
	}
	if err := host.SetSysctl(key, "0"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, host.SetSysctl(key, was)) }()
	for i, b := range labs {
		seen, err := probe.Ping{NS: b.talk.From, Dst: b.talk.Addr}.Try(ctx, k, patienceWithout)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		ways[i].WithoutForwarding = seen.Holds
	}
	return nil
}
