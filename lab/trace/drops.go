package trace

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"netlab/lab"
	"netlab/lab/kernel"
)

// Why there is no lab.Ending.Drop.
const (
	// DropNotAllowed: the kernel shows its drop reasons to the machine's root alone.
	DropNotAllowed = "not-allowed"
	// DropUnsupported: this kernel has none, or no tracepoints.
	DropUnsupported = "unsupported"
	// DropNotSeen: no drop was seen that is certainly this packet's. The kernel may
	// hold it still, as one that waits for an ARP answer.
	DropNotSeen = "not-seen"
)

// drops hears which packets the kernel drops, and why. An event of skb:kfree_skb
// names neither a namespace nor a device, only where the packet stands in memory.
// net:netif_receive_skb says the same of each that comes in on a device: both
// together tell which one was dropped.
type drops struct {
	using   sync.Mutex // one trace at a time
	opening sync.Once
	perf    *perf
	free    tracepoint
	receive tracepoint
	unread  string
	heard   []event
}

// dropsKey is what a Kernel keeps drops by.
type dropsKey struct{}

// Tracepoints that drops hears, by their places in openPerf's list.
const (
	hearFree = iota
	hearShort
	hearTCP
)

// listen begins to hear drops for one trace. Where another trace listens at this
// moment, it is by means of its own.
func listen(k *kernel.Kernel, r Request) (d *drops, stop func()) {
	d = k.Keep(dropsKey{}, func() io.Closer { return &drops{} }).(*drops)
	if !d.using.TryLock() {
		d = &drops{}
		d.using.Lock()
		stop = func() { _ = d.Close() }
	} else {
		stop = func() {
			if d.perf != nil {
				d.perf.end()
			}
			d.heard = nil
			d.using.Unlock()
		}
	}
	d.opening.Do(d.open)
	if d.perf == nil {
		return d, stop
	}
	receive := hearShort
	if r.Probe == lab.ProbeTCP {
		receive = hearTCP
	}
	if err := d.perf.begin(hearFree, receive); err != nil {
		stop()
		return &drops{unread: unreadFor(err)}, func() {}
	}
	return d, stop
}

func (d *drops) open() {
	points, err := tracepoints("skb/kfree_skb", "net/netif_receive_skb")
	if err != nil {
		d.unread = unreadFor(err)
		return
	}
	d.free, d.receive = points[0], points[1]
	if _, ok := d.free.fields["reason"]; !ok { // before Linux 5.17
		d.unread = DropUnsupported
		return
	}
	d.perf, err = openPerf(
		watched{d.free, fmt.Sprintf("protocol==%d", unix.ETH_P_IP)},
		// What may be the probe, by its length in bytes from the IP header on.
		watched{d.receive, fmt.Sprintf("len==%d", 20+8+len(identity{}.marker))},
		watched{d.receive, "len>=40 && len<=64"}, // TCP with or without options
	)
	if err != nil {
		d.perf, d.unread = nil, unreadFor(err)
	}
}

func unreadFor(err error) string {
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
		return DropNotAllowed
	}
	return DropUnsupported
}

// Close gives the events back, off the caller's way.
func (d *drops) Close() error {
	if d.perf != nil {
		go d.perf.close()
	}
	return nil
}

// forget drops what was heard of a try before.
func (d *drops) forget() {
	if d.perf != nil {
		d.perf.read()
	}
}

// explain adds the kernel's own reason for a packet that did not come back.
func (d *drops) explain(legs []*leg, end *lab.Ending) {
	if end.Outcome == lab.Answered {
		return
	}
	if d.perf == nil {
		end.DropUnread = d.unread
		return
	}
	d.heard = append(d.heard, d.perf.read()...)
	slices.SortStableFunc(d.heard, func(a, b event) int { return a.time.Compare(b.time) })
	for _, l := range legs {
		if l.kind != end.Leg {
			continue
		}
		if reason := d.reasonOf(l, end.Reason); reason != "" {
			end.Drop = reason
			return
		}
	}
	end.DropUnread = DropNotSeen
}

// once is how long the kernel takes at most to drop a packet that came in, on the
// same processor. Later, the place in memory may be another packet's, freed and
// taken again unseen; not while one waits for an ARP answer.
const once = time.Millisecond

// reasonOf finds the packet in memory by where it last came in, and its drop by
// that. why is the reason that was found otherwise.
func (d *drops) reasonOf(l *leg, why string) string {
	var last *sighting
	for _, g := range l.main {
		if g.dir == lab.DirIn {
			last = g
		}
	}
	if last == nil || last.device.space != l.last().device.space {
		return ""
	}
	from, ok := d.received(last)
	if !ok {
		return ""
	}
	where, _ := d.receive.number(d.heard[from].data, "skbaddr")
	for _, e := range d.heard[from+1:] {
		if d.is(e, d.receive) {
			if at, ok := d.receive.number(e.data, "skbaddr"); ok && at == where && !d.isOn(e, last) {
				return "" // it went on, or the place is another packet's by now
			}
			continue
		}
		if at, ok := d.free.number(e.data, "skbaddr"); !ok || at != where {
			continue
		}
		number, _ := d.free.number(e.data, "reason")
		name := d.free.reasons[number]
		waited := why == NoNeighbour && strings.HasPrefix(name, "NEIGH_")
		if !waited && (e.cpu != d.heard[from].cpu || e.time.Sub(d.heard[from].time) > once) {
			return ""
		}
		switch name {
		case "":
			return strconv.FormatUint(number, 10)
		case "NOT_SPECIFIED", "CONSUMED", "NOT_DROPPED_YET":
			return ""
		}
		return name
	}
	return ""
}

// around is how far the time of a frame and that of its event may be apart: the
// frame is stamped when it is put in a processor's queue, and the event is when it
// is taken out.
const around = 5 * time.Millisecond

// received is the event of the frame's coming in. Where several frames of the same
// length came in on a device of that name at that time, it is none: one of them
// may be another's.
func (d *drops) received(g *sighting) (int, bool) {
	found, count := 0, 0
	for i, e := range d.heard {
		apart := e.time.Sub(g.time)
		if d.is(e, d.receive) && apart > -around/10 && apart < around && d.isOn(e, g) {
			found = i
			count++
		}
	}
	return found, count == 1
}

func (d *drops) is(e event, p tracepoint) bool {
	id, ok := p.number(e.data, "common_type")
	return ok && id == p.id
}

// isOn tells whether the event is of a frame of that length on that device.
func (d *drops) isOn(e event, g *sighting) bool {
	name, ok := d.receive.words(e.data, "name")
	length, _ := d.receive.number(e.data, "len")
	header := 0
	if g.device.ethernet() {
		header = 14
	}
	return ok && name == g.device.Name && int(length) == len(g.data)-header
}
