package probe

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"netlab/lab/kernel"
)

// replyPatience is how long a reply is waited for once the request was seen to
// leave.
const replyPatience = 300 * time.Millisecond

// followed is what was seen of an echo request.
type followed struct {
	src        netip.Addr // that it bore when it left the device; the zero Addr: it never did
	echoAnswer            // what came of it
	cameBack   bool       // a reply came in by the device
}

// followOut sends the request from ns while it watches a device. The error wraps
// fs.ErrNotExist where a namespace or the device is not there.
func followOut(ctx context.Context, k *kernel.Kernel, patience time.Duration, ns string, e echo, uplinkNS, uplink string) (followed, error) {
	fail := func(err error) (followed, error) { return followed{}, err }
	n, err := k.Namespace(ns)
	if err != nil {
		return fail(err)
	}
	out, err := k.Namespace(uplinkNS)
	if err != nil {
		return fail(err)
	}
	dev, err := out.Link(uplink)
	if err != nil {
		return fail(err)
	}
	eye, err := watch(out, dev.Attrs().Index, leaving(e.marker))
	if err != nil {
		return fail(err)
	}
	defer eye.closeLater()
	back, err := watch(out, dev.Attrs().Index, returning(e.marker))
	if err != nil {
		return fail(err)
	}
	defer back.closeLater()
	s, err := openICMP(n)
	if err != nil {
		return fail(err)
	}
	defer s.close()
	src, a, err := e.follow(ctx, s, eye, patience)
	if err != nil {
		return fail(fmt.Errorf("follow an echo request from %s to %s: %w", n, e.dst, err))
	}
	return followed{src, a, back.waiting()}, nil
}

// follow sends the request on s and returns the source address that it bore
// when watch saw it, the zero Addr if it never did, and what came of it.
func (e echo) follow(ctx context.Context, s, watch *socket, patience time.Duration) (netip.Addr, echoAnswer, error) {
	wait, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	defer watch.until(wait)()
	type reply struct {
		echoAnswer
		err error
	}
	replied := make(chan reply, 1)
	go func() {
		a, err := e.exchange(wait, s)
		replied <- reply{a, err}
		// The request left, if at all, before anything came of it: there is
		// nothing to wait for but what is in the queue already.
		if !watch.waiting() {
			cancel()
		}
	}()
	buf := make([]byte, 128)
	size, _, watchErr := watch.receive(buf)
	if errors.Is(watchErr, unix.ENETDOWN) { // said once, of a device that is down
		size, _, watchErr = watch.receive(buf)
	}
	if wait.Err() != nil {
		watchErr = nil
	}
	if watchErr != nil || size > 0 {
		// After an error, too: the goroutine must not outlive its socket.
		limit := replyPatience
		if watchErr != nil {
			limit = 0
		}
		defer time.AfterFunc(limit, cancel).Stop()
	}
	r := <-replied
	if ctx.Err() != nil && size == 0 {
		return netip.Addr{}, echoAnswer{}, context.Cause(ctx)
	}
	if err := errors.Join(watchErr, r.err); err != nil {
		return netip.Addr{}, echoAnswer{}, err
	}
	src, _, _, _ := splitICMP(buf[:size])
	return src, r.echoAnswer, nil
}
