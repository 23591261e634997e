package trace

import (
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"netlab/lab"
)

// ending says how the journey ended: what came back, or where the packet stopped
// and why.
func (a *run) ending(legs []*leg) (lab.Ending, error) {
	legOf := func(kind string) *leg {
		for _, l := range legs {
			if l.kind == kind {
				return l
			}
		}
		return nil
	}
	request, reply, problem := legOf(lab.LegRequest), legOf(lab.LegReply), legOf(lab.LegError)
	switch {
	case a.refused != 0:
		return a.unsentEnding()
	case a.outcome.answered:
		return lab.Ending{Outcome: lab.Answered, RTT: a.rtt(legs)}, nil
	case a.request.Probe == lab.ProbeARP:
		return a.nobodyEnding(request)
	case problem != nil && (a.outcome.rejected || a.delivered(problem.last())):
		return a.rejectedEnding(request, reply, problem)
	case a.outcome.rejected && reply != nil: // a TCP reset
		return a.resetEnding(request, reply)
	case request == nil:
		return a.nowhereEnding()
	}
	last := request
	if reply != nil {
		last = reply
	}
	end, err := a.stopped(last.last(), last.kind)
	end.Outcome = lab.Lost
	if last == request && end.Leg == lab.LegRequest && a.delivered(last.last()) {
		end.Outcome = lab.Unanswered
	}
	return end, err
}

// at is an ending that names the place.
func at(g *sighting, kind, reason string, look lab.Command, values ...string) lab.Ending {
	return lab.Ending{NS: g.device.space.name, Dev: g.device.Name, Leg: kind, Reason: reason, Look: look, Values: named(values)}
}

func named(values []string) map[string]string {
	if len(values) == 0 {
		return nil
	}
	v := map[string]string{}
	for i := 0; i+1 < len(values); i += 2 {
		v[values[i]] = values[i+1]
	}
	return v
}

// unsentEnding: the kernel refused the packet as it was sent.
func (a *run) unsentEnding() (lab.Ending, error) {
	end := lab.Ending{Outcome: lab.Unsent, NS: a.scene.from.name, Leg: lab.LegRequest}
	f := finder{run: a, space: a.scene.from, kind: lab.LegRequest}
	q := lookup{space: a.scene.from, dst: a.request.To}
	if ok, err := f.route(q); err != nil || !ok {
		return f.into(end), err
	}
	r, err := q.ask()
	if err != nil {
		return end, err
	}
	if r.dev != nil {
		end.Dev = r.dev.Name
	}
	if a.refused == unix.EPERM {
		p := passage{src: r.src, dst: a.request.To, out: r.dev, proto: a.protocol(), icmp: 8, dstPort: a.request.Port}
		if ok, err := f.firewall(p, "output", "postrouting"); err != nil || !ok {
			return f.into(end), err
		}
	}
	end.Reason, end.Values = SendRefused, named([]string{"errno", errnoName(a.refused)})
	end.Look = a.inNS(a.scene.from, "ip", "route", "get", a.request.To.String())
	return end, nil
}

func errnoName(e syscall.Errno) string {
	if name := unix.ErrnoName(e); name != "" {
		return name
	}
	return e.Error()
}

// nowhereEnding: the kernel took the packet, and no device was seen to send it.
func (a *run) nowhereEnding() (lab.Ending, error) {
	end := lab.Ending{Outcome: lab.Lost, NS: a.scene.from.name, Leg: lab.LegRequest}
	f := finder{run: a, space: a.scene.from, kind: lab.LegRequest}
	q := lookup{space: a.scene.from, dst: a.request.To}
	if ok, err := f.route(q); err != nil || !ok {
		return f.into(end), err
	}
	r, err := q.ask()
	if err != nil {
		return end, err
	}
	a.unsent = append(a.unsent, r.decision(true))
	if r.dev == nil {
		end.Reason = Unknown
		return end, nil
	}
	end.Dev = r.dev.Name
	if r.dev.resolves() {
		n, err := a.resolved(r.dev, r.next(q.dst), "")
		if err != nil {
			return end, err
		}
		a.unsent = append(a.unsent, n)
	}
	p := passage{src: r.src, dst: q.dst, out: r.dev, proto: a.protocol(), icmp: 8, dstPort: a.request.Port}
	for _, look := range []func() (bool, error){
		func() (bool, error) { return f.firewall(p, "output", "postrouting") },
		func() (bool, error) { return f.link(r.dev) },
		func() (bool, error) { return f.neighbour(r.dev, r.next(q.dst)) },
	} {
		if ok, err := look(); err != nil || !ok {
			return f.into(end), err
		}
	}
	return f.undecided(end), nil
}

// rejectedEnding: an ICMP error came back.
func (a *run) rejectedEnding(request, reply, problem *leg) (lab.Ending, error) {
	by := problem.first()
	last := request.last()
	if last == nil {
		return a.localError(by)
	}
	kind := lab.LegRequest
	if reply != nil && reply.last() != nil && reply.last().device.space == by.device.space && by.packet.quoted != nil && by.packet.quoted.src == reply.last().src {
		last, kind = reply.last(), lab.LegReply
	}
	end := at(last, kind, ICMPError, nil, "from", by.src.String(), "type", decimal(int(by.icmpType)), "code", decimal(int(by.icmpCode)))
	end.Outcome = lab.Rejected
	const unreachable, exceeded = 3, 11
	const fragmentation, port = 4, 3
	switch {
	case by.dir == lab.DirIn: // made where netlab can't look
		return end, nil
	case by.icmpType == exceeded:
		end.Reason, end.Values = TTLExceeded, named([]string{"from", by.src.String()})
		return end, nil
	case by.icmpType == unreachable && by.icmpCode == fragmentation:
		end.Reason, end.Values = MTU, named([]string{"mtu", decimal(int(by.icmpRest & 0xffff)), "from", by.src.String()})
		return end, nil
	}
	why, err := a.stopped(last, kind)
	if err != nil {
		return end, err
	}
	if (why.Reason == NoAnswer || a.delivered(last) && why.Values["certain"] == "no") && by.icmpType == unreachable && by.icmpCode == port {
		return a.closedPort(last), nil
	}
	if why.Reason == Unknown || why.Reason == NoAnswer || why.Reason == LeftCaptures {
		return end, nil
	}
	why.Outcome = lab.Rejected
	return why, nil
}

// localError: the sender's own kernel said it, to itself.
func (a *run) localError(by *sighting) (lab.Ending, error) {
	end, err := a.nowhereEnding()
	end.Outcome = lab.Rejected
	if end.Reason == Unknown {
		end.Reason = ICMPError
		end.Values = named([]string{"from", by.src.String(), "type", decimal(int(by.icmpType)), "code", decimal(int(by.icmpCode))})
	}
	return end, err
}

// resetEnding: a TCP reset came back. A firewall may have sent it as well.
func (a *run) resetEnding(request, reply *leg) (lab.Ending, error) {
	last, maker := request.last(), reply.madeIn()
	end := lab.Ending{Outcome: lab.Rejected, Leg: lab.LegRequest}
	values := []string{"addr", a.request.To.String(), "port", decimal(int(a.request.Port))}
	switch {
	case last != nil && last.device.space == maker:
		end.NS, end.Dev = maker.name, last.device.Name
	case last == nil && maker == a.scene.from: // it never got out of the sender
		end.NS = maker.name
	default: // made elsewhere than where it was seen last
		if maker != nil {
			end.NS, values = maker.name, append(values, "made_in", maker.name)
		}
		end.Reason, end.Values = TCPReset, named(values)
		return end, nil
	}
	f := finder{run: a, space: maker, kind: lab.LegRequest}
	ok, err := f.resets(last)
	if err != nil {
		return end, err
	}
	switch {
	case !ok:
		return f.into(end), nil
	case a.delivered(last):
		return a.closedPort(last), nil
	}
	if end = f.undecided(end); end.Reason == Unknown {
		end.Reason, end.Values = TCPReset, named(append(values, "made_in", maker.name))
	}
	return end, nil
}

// resets looks for the rule that refused the SYN in the namespace that made the
// reset. last is nil where the sender's own did.
func (f *finder) resets(last *sighting) (bool, error) {
	q := lookup{space: f.space, dst: f.request.To}
	if last != nil {
		q.dst = last.dst
	}
	r, err := q.ask()
	if err != nil {
		return false, err
	}
	switch {
	case last == nil:
		p := passage{src: r.src, dst: q.dst, out: r.dev, proto: f.protocol(), dstPort: f.request.Port}
		return f.firewall(p, "output", "postrouting")
	case f.delivered(last):
		return f.firewall(f.passage(last, f.enters(last), nil), "prerouting", "input")
	}
	return f.firewall(f.passage(last, f.enters(last), r.dev), "prerouting", "forward", "postrouting")
}

func (a *run) closedPort(last *sighting) lab.Ending {
	proto, option := "tcp", "-ltn"
	if a.request.Probe == lab.ProbeUDP {
		proto, option = "udp", "-lun"
	}
	end := at(last, lab.LegRequest, PortClosed, a.inNS(last.device.space, "ss", option),
		"addr", last.dst.String(), "port", decimal(int(last.dstPort)), "proto", proto)
	end.Outcome = lab.Rejected
	return end
}

func (a *run) protocol() byte {
	switch a.request.Probe {
	case lab.ProbeTCP:
		return unix.IPPROTO_TCP
	case lab.ProbeUDP:
		return unix.IPPROTO_UDP
	}
	return unix.IPPROTO_ICMP
}

// inNS is a command as it is typed for a namespace: ip(8) takes a name, others are
// entered by `ip netns exec`; one without a name is entered by its process.
func (a *run) inNS(sp *space, words ...string) lab.Command {
	if pid, ok := strings.CutPrefix(sp.name, "pid:"); ok {
		return append(lab.Command{"nsenter", "-t", pid, "-n"}, words...)
	}
	if words[0] == "ip" {
		return lab.IP(sp.name, words[1:]...)
	}
	return lab.In(sp.name, words...)
}
