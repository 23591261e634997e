package probe

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// ringAgain is after how long a request that was not answered is sent again: of many at
// once, some are lost.
const ringAgain = 40 * time.Millisecond

// exchangeAll has all members send, so many at once, and waits until each has an answer or
// patience with it is over: in one loop, with one epoll. Most have been answered when the
// sending returns, for the kernel takes a packet through a veth at once.
func exchangeAll(ctx context.Context, members []*ringMember, atOnce int, patience time.Duration) error {
	poll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return fmt.Errorf("wait for answers: %w", err)
	}
	defer unix.Close(poll)
	for i, m := range members {
		m.number = int32(i)
	}
	asking := members[:0:0] // who is waiting for an answer
	waiting := members
	events := make([]unix.EpollEvent, 64)
	buf := make([]byte, 2048)
	for len(asking)+len(waiting) > 0 {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		now := time.Now()
		for len(asking) < atOnce && len(waiting) > 0 {
			waiting[0].until = now.Add(patience)
			asking, waiting = append(asking, waiting[0]), waiting[1:]
		}
		if err := askAgain(asking, now, poll, buf); err != nil {
			return err
		}
		asking = slices.DeleteFunc(asking, func(m *ringMember) bool { return m.done })
		if len(asking) == 0 {
			continue
		}
		n, err := unix.EpollWait(poll, events, 10) // a signal is seen soon enough
		if err != nil && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("wait for answers: %w", err)
		}
		for _, e := range events[:max(n, 0)] {
			members[e.Fd].receive(buf)
		}
	}
	return nil
}

// askAgain sends for those whose turn it is, and gives those up that have waited enough.
// Those that are not answered at once are waited for by poll.
func askAgain(asking []*ringMember, now time.Time, poll int, buf []byte) error {
	for _, m := range asking {
		if m.done || now.Before(m.next) {
			continue
		}
		if now.After(m.until) {
			m.done, m.problem = true, noAnswer
			continue
		}
		m.next = now.Add(ringAgain)
		if err := m.send(); err != nil {
			return err
		}
		m.receive(buf)
		if m.done || m.polled {
			continue
		}
		m.polled = true
		e := unix.EpollEvent{Events: unix.EPOLLIN, Fd: m.number} // Fd is ours to choose
		if err := unix.EpollCtl(poll, unix.EPOLL_CTL_ADD, m.icmp, &e); err != nil {
			return fmt.Errorf("wait for answers: %w", err)
		}
	}
	return nil
}

// receive takes in what has come, up to the answer.
func (m *ringMember) receive(buf []byte) {
	for !m.done {
		size, _, err := unix.Recvfrom(m.icmp, buf, 0)
		if err != nil {
			return
		}
		a := m.echo.answer(buf[:size])
		if a.silent() {
			continue
		}
		m.done, m.problem, m.ttl = true, a.err, a.ttl
		if a.err == "" && a.from != m.echo.dst {
			m.problem = "from " + a.from.String()
		}
	}
}
