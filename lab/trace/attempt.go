package trace

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"netlab/lab"
)

// run is one probe that was sent and followed.
type run struct {
	request   Request
	scene     *scene
	id        *identity
	asking    *device // ARP: what the question goes out on
	start     time.Time
	refused   syscall.Errno // the kernel would not send it
	outcome   outcome
	fdb       map[*device][]fdbEntry // what each bridge knew just before
	unsent    []lab.Decision         // what was decided on a packet that no device was seen to send
	sightings []*sighting            // all frames of the probe's, and all ARP, in order of time
}

// settling is how long no frame must have come until all are taken to be there,
// after the answer has come: copies flooded elsewhere may still be under way on
// another processor.
const settling = 2 * time.Millisecond

// attempt sends one probe and captures until it is answered, refused or lost.
func attempt(ctx context.Context, s *scene, r Request) (*run, error) {
	a := &run{request: r, scene: s, id: newIdentity(r)}
	send, err := a.open(ctx)
	if err != nil {
		return nil, err
	}
	defer send.close()
	filter, err := a.id.filter()
	if err != nil {
		return nil, err
	}
	captures, closing, err := openCaptures(s, filter)
	if err != nil {
		return nil, err
	}
	defer closing()
	cancelled, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("make an event: %w", err)
	}
	watching := make(chan struct{})
	defer unix.Close(cancelled)
	stop := context.AfterFunc(ctx, func() {
		_, _ = unix.Write(cancelled, []byte{1, 0, 0, 0, 0, 0, 0, 0})
		close(watching)
	})
	defer func() {
		if !stop() {
			<-watching
		}
	}()

	if a.fdb, err = s.readFDB(); err != nil {
		return nil, err
	}
	a.start = time.Now()
	var errno syscall.Errno
	if err := send.send(); errors.As(err, &errno) {
		a.refused = errno
	} else if err != nil {
		return nil, err
	}
	frames, err := a.collect(ctx, captures, send, cancelled)
	if err != nil {
		return nil, err
	}
	return a, a.sort(frames)
}

func (a *run) open(ctx context.Context) (sender, error) {
	if a.request.Probe != lab.ProbeARP {
		return openSender(a.scene.from, a.request, a.id)
	}
	dev, err := a.scene.askDevice(a.request)
	if err != nil {
		return nil, err
	}
	a.asking = dev
	return openAsker(ctx, a.scene, a.request, dev)
}

// collect reads frames until the sender is settled, or nothing new was seen for
// the request's patience; for a shorter time where the probe is lost for certain.
func (a *run) collect(ctx context.Context, captures []capture, send sender, cancelled int) ([]raw, error) {
	var frames []raw
	buf := make([]byte, 1<<16)
	seen := map[string]bool{}
	deadline, news, judged := a.start.Add(a.request.Patience), a.start, false
	for {
		wait := time.Until(deadline)
		if !judged {
			wait = min(wait, time.Until(news.Add(stillness)))
		}
		settled := a.refused != 0 || a.outcome.settled()
		if settled {
			wait = settling
		}
		readable, err := poll(captures, send, cancelled, max(wait, 0), settled)
		if err != nil {
			return nil, err
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if !settled {
			a.outcome = send.look()
			if ask, ok := send.(*asker); ok && ask.err != nil {
				return nil, ask.err
			}
		}
		if len(readable) == 0 && (settled || !a.outcome.settled() && time.Until(deadline) <= 0) {
			return frames, nil
		}
		if len(readable) == 0 && !a.outcome.settled() && !judged && time.Since(news) >= stillness {
			if judged = true; a.lost(frames) {
				return frames, nil
			}
		}
		for _, i := range readable {
			some, err := captures[i].read(buf)
			if err != nil {
				return nil, err
			}
			frames = append(frames, some...)
			if a.news(seen, some) {
				news, judged = time.Now(), false
				deadline = news.Add(a.request.Patience)
			}
		}
		if settled && time.Since(deadline) > 0 { // others' ARP never ends
			return frames, nil
		}
	}
}

// news tells whether one of the frames is the probe's, and seen there for the first
// time: neither what is only sent again nor what is others' must keep the wait
// going. On a busy link there is always another's ARP. That of the probe's way need
// not count: once it is answered, the probe itself goes on.
func (a *run) news(seen map[string]bool, frames []raw) bool {
	fresh := false
	for _, f := range frames {
		p, ok := parse(f.data, f.ethernet())
		if !ok || !a.own(p) {
			continue
		}
		key := fmt.Sprint(f.space.name, f.index, f.kind, p.proto, p.src, p.dst, p.icmpType, p.ttl, p.arpOp)
		fresh = fresh || !seen[key] && len(seen) < 4*maxPoints
		seen[key] = true
	}
	return fresh
}

// own tells whether a frame is the probe's, not only one that may belong to it.
func (a *run) own(p packet) bool {
	if a.request.Probe == lab.ProbeARP {
		return a.legOf(&sighting{packet: p, kind: a.kindOf(p)}) != ""
	}
	return p.proto != isARP && a.kindOf(p) != ""
}

// poll waits for a frame, the sender, or the end of the context. It returns which
// captures have something.
func poll(captures []capture, send sender, cancelled int, wait time.Duration, settled bool) ([]int, error) {
	fds := make([]unix.PollFd, 0, len(captures)+2)
	for _, c := range captures {
		fds = append(fds, unix.PollFd{Fd: int32(c.fd), Events: unix.POLLIN})
	}
	fds = append(fds, unix.PollFd{Fd: int32(cancelled), Events: unix.POLLIN})
	if !settled {
		fd, events := send.poll()
		fds = append(fds, unix.PollFd{Fd: int32(fd), Events: events})
	}
	limit := unix.NsecToTimespec(wait.Nanoseconds())
	_, err := unix.Ppoll(fds, &limit, nil)
	if err != nil && !errors.Is(err, unix.EINTR) {
		return nil, fmt.Errorf("wait for frames: %w", err)
	}
	var readable []int
	for i := range captures {
		if fds[i].Revents != 0 {
			readable = append(readable, i)
		}
	}
	return readable, nil
}

// sort makes sightings of the frames, in order of time.
func (a *run) sort(frames []raw) error {
	slices.SortStableFunc(frames, func(x, y raw) int { return x.time.Compare(y.time) })
	clear(a.id.ways) // learned again, in order
	for _, f := range frames {
		if f.time.Before(a.start) { // another's ARP question, of before
			continue
		}
		d, err := f.space.device(f.index)
		if err != nil {
			return err
		}
		p, ok := parse(f.data, f.ethernet())
		if d == nil || !ok || !a.scene.capture(d) {
			continue
		}
		g := &sighting{raw: f, packet: p, device: d, dir: f.dir(), kind: a.kindOf(p)}
		if g.kind != "" {
			a.sightings = append(a.sightings, g)
		}
	}
	return nil
}

// kindOf is the kind of a frame of the probe's, or of any ARP.
func (a *run) kindOf(p packet) string {
	switch {
	case p.proto == isARP && p.arpOp == 1:
		return KindARPRequest
	case p.proto == isARP && p.arpOp == 2:
		return KindARPReply
	case a.request.Probe == lab.ProbeARP:
		return ""
	}
	return a.id.kindOf(p)
}

// ethernet tells whether the frame begins with an Ethernet header.
func (f raw) ethernet() bool {
	d, err := f.space.device(f.index)
	return err == nil && d != nil && d.ethernet()
}
