package measure

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// chunk is how much is written and read at once, in bytes: enough that the system
// calls don't count.
const chunk = 256 << 10

func tcpRound(ctx context.Context, meters []meter, e Effort, backwards bool) ([][]float64, error) {
	rates := make([]float64, len(meters))
	err := inTurns(meters, backwards, func(i int, m meter) (err error) {
		rates[i], err = m.transfer(ctx, e.Span)
		return err
	})
	return [][]float64{rates}, err
}

// transfer sends as much as goes over one connection for that long, and returns
// what arrived, in bits a second.
func (m meter) transfer(ctx context.Context, span time.Duration) (float64, error) {
	out, in, err := m.connect()
	if err != nil {
		return 0, err
	}
	defer in.close()
	sent := make(chan error, 1)
	go func() {
		defer out.close()
		sent <- pour(ctx, out, span)
	}()
	bytes, took, err := drink(in)
	if err = errors.Join(err, <-sent); err != nil {
		return 0, err
	}
	if bytes == 0 {
		return 0, ErrNoAnswer
	}
	return float64(bytes) * 8 / took.Seconds(), nil
}

// connect makes a connection along the way and returns its two ends.
func (m meter) connect() (out, in socket, err error) {
	listening, err := open(m.to, unix.SOCK_STREAM, unix.IPPROTO_TCP)
	if err != nil {
		return -1, -1, err
	}
	defer listening.close()
	at, err := listening.bind(m.Addr)
	if err != nil {
		return -1, -1, err
	}
	if err := unix.Listen(int(listening), 1); err != nil {
		return -1, -1, fmt.Errorf("listen: %w", err)
	}
	if out, err = open(m.from, unix.SOCK_STREAM, unix.IPPROTO_TCP); err != nil {
		return -1, -1, err
	}
	if err := unix.Connect(int(out), at); err != nil {
		out.close()
		return -1, -1, fmt.Errorf("connect: %w", noAnswer(err))
	}
	fd, _, err := unix.Accept4(int(listening), unix.SOCK_CLOEXEC)
	if err != nil {
		out.close()
		return -1, -1, fmt.Errorf("accept: %w", err)
	}
	in = socket(fd)
	wait := unix.NsecToTimeval(patience.Nanoseconds()) // not inherited from the listening one
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wait); err != nil {
		out.close()
		in.close()
		return -1, -1, fmt.Errorf("set a timeout: %w", err)
	}
	return out, in, nil
}

// noAnswer marks what connect says when its patience ends.
func noAnswer(err error) error {
	if errors.Is(err, unix.EINPROGRESS) || errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EHOSTUNREACH) {
		return fmt.Errorf("%w: %w", ErrNoAnswer, err)
	}
	return err
}

// pour writes until the span is over.
func pour(ctx context.Context, out socket, span time.Duration) error {
	buf := make([]byte, chunk)
	for began := time.Now(); time.Since(began) < span && ctx.Err() == nil; {
		if _, err := out.write(buf); err != nil {
			return fmt.Errorf("send: %w", err)
		}
	}
	return ctx.Err()
}

// drink reads until the other end closes, and counts from the first bytes on.
func drink(in socket) (bytes int, took time.Duration, err error) {
	buf := make([]byte, chunk)
	var began time.Time
	for {
		n, silent, err := in.read(buf)
		if err != nil {
			return bytes, took, fmt.Errorf("receive: %w", err)
		}
		if n == 0 || silent {
			return bytes, took, nil
		}
		if began.IsZero() { // that one is the start, and does not count
			began = time.Now()
			continue
		}
		bytes += n
		took = time.Since(began)
	}
}
