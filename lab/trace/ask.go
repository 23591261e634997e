package trace

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"netlab/lab"
	"netlab/lab/kernel"
	"netlab/lab/probe"
)

// asker asks an ARP question: the namespace's own kernel does, afresh.
type asker struct {
	kernel   *kernel.Kernel
	ask      probe.Neighbour
	patience time.Duration
	done     int // an eventfd: the question is settled
	cancel   context.CancelFunc
	result   chan asked
	ctx      context.Context
	sent     bool
	err      error
}

type asked struct {
	lab.Observation
	err error
}

func openAsker(ctx context.Context, s *scene, r Request, dev *device) (*asker, error) {
	if !dev.resolves() {
		return nil, fmt.Errorf("%s in %s does not use ARP", dev.Name, dev.space.n)
	}
	if name, ok := s.from.has(r.To); ok {
		return nil, fmt.Errorf("%s has %s itself, on %s: nobody would answer", s.from.n, r.To, name)
	}
	done, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("make an event: %w", err)
	}
	a := &asker{kernel: s.kernel, ask: probe.Neighbour{NS: s.from.n.Name, Dev: dev.Name, Target: r.To},
		patience: r.Patience, done: done, result: make(chan asked, 1)}
	a.ctx, a.cancel = context.WithCancel(ctx)
	return a, nil
}

func (a *asker) poll() (int, int16) { return a.done, unix.POLLIN }

func (a *asker) send() error {
	a.sent = true
	go func() {
		o, err := a.ask.Try(a.ctx, a.kernel, a.patience)
		a.result <- asked{o, err}
		_, _ = unix.Write(a.done, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	}()
	return nil
}

func (a *asker) look() outcome {
	select {
	case r := <-a.result:
		a.result <- r
		a.err = r.err
		return outcome{answered: r.Holds, rejected: !r.Holds}
	default:
		return outcome{}
	}
}

// close waits for the question's end, since it forgets what it left behind.
func (a *asker) close() {
	a.cancel()
	if a.sent {
		<-a.result
	}
	_ = unix.Close(a.done)
}

// askDevice is the device that an ARP request to the target goes out on.
func (s *scene) askDevice(r Request) (*device, error) {
	if r.Dev != "" {
		return s.from.deviceNamed(r.Dev)
	}
	d, err := s.from.deviceTowards(r.To)
	if err == nil && d == nil {
		err = fmt.Errorf("%s has no route to %s, so a device must be named to ask on", s.from.n, r.To)
	}
	return d, err
}

// deviceTowards is nil where there is no route.
func (sp *space) deviceTowards(to netip.Addr) (*device, error) {
	routes, refused, err := sp.routesTo(to, nil)
	if err != nil || refused != 0 {
		return nil, err
	}
	return sp.device(routes[0].LinkIndex)
}
