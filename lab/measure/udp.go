package measure

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

func udpRound(ctx context.Context, meters []meter, e Effort, backwards bool) ([][]float64, error) {
	sent, received := make([]float64, len(meters)), make([]float64, len(meters))
	err := inTurns(meters, backwards, func(i int, m meter) (err error) {
		sent[i], received[i], err = m.shower(ctx, e.Span)
		return err
	})
	return [][]float64{sent, received}, err
}

// shower sends small datagrams one by one, as fast as it can, for that long, and
// returns how many were sent and how many were received, a second.
func (m meter) shower(ctx context.Context, span time.Duration) (sent, received float64, err error) {
	in, err := open(m.to, unix.SOCK_DGRAM, unix.IPPROTO_UDP)
	if err != nil {
		return 0, 0, err
	}
	defer in.close()
	at, err := in.bind(m.Addr)
	if err != nil {
		return 0, 0, err
	}
	out, err := open(m.from, unix.SOCK_DGRAM, unix.IPPROTO_UDP)
	if err != nil {
		return 0, 0, err
	}
	defer out.close()
	if err := unix.Connect(int(out), at); err != nil {
		return 0, 0, fmt.Errorf("connect: %w", err)
	}
	var over atomic.Bool // all is sent
	type count struct {
		datagrams int
		err       error
	}
	counted := make(chan count, 1)
	go func() {
		n, err := gather(in, &over)
		counted <- count{n, err}
	}()
	datagrams, took, err := scatter(ctx, out, span)
	over.Store(true)
	_, wakeErr := out.write(nil) // whoever waits for more; a full buffer has nobody waiting
	got := <-counted
	if err = errors.Join(err, wakeErr, got.err); err != nil {
		return 0, 0, err
	}
	if got.datagrams == 0 {
		return 0, 0, ErrNoAnswer
	}
	return float64(datagrams) / took.Seconds(), float64(got.datagrams) / took.Seconds(), nil
}

// scatter sends until the span is over. It keeps its thread, which need not be
// found again after each system call.
func scatter(ctx context.Context, out socket, span time.Duration) (datagrams int, took time.Duration, err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread() // it has visited nowhere
	buf := make([]byte, DatagramSize)
	const between = 64 // how many are sent between two looks at the clock
	for began := time.Now(); ; {
		for range between {
			if _, err := out.write(buf); err != nil {
				return 0, 0, fmt.Errorf("send a datagram: %w", noAnswer(err))
			}
		}
		datagrams += between
		if took = time.Since(began); took >= span {
			return datagrams, took, nil
		}
		if ctx.Err() != nil {
			return 0, 0, ctx.Err()
		}
	}
}

// gather counts until all is sent and nothing is left to be read. A veth hands
// a datagram on before sending it returns, unless the kernel leaves that to
// ksoftirqd: what then comes a moment later is not counted.
func gather(in socket, over *atomic.Bool) (datagrams int, err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	buf := make([]byte, DatagramSize)
	for {
		flags := 0
		if over.Load() {
			flags = unix.MSG_DONTWAIT
		}
		n, _, err := unix.Recvfrom(int(in), buf, flags)
		switch {
		case err == nil && n > 0:
			datagrams++
		case errors.Is(err, unix.EAGAIN) && over.Load():
			return datagrams, nil
		case err == nil, errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
		default:
			return 0, fmt.Errorf("receive datagrams: %w", err)
		}
	}
}
