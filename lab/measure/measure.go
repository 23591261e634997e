// Package measure tells what a way between two namespaces costs: how long an echo
// request takes there and back, how much TCP gets through, and how many small
// datagrams. Several ways are measured in turns, round by round, so that whatever
// else the machine does meets all of them alike.
//
// A thread visits a namespace to open sockets only; they are blocking, with a
// timeout, so that what is measured is the kernel and not Go's poller.
package measure

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"netlab/lab/kernel"
)

// Way is what is measured: from a namespace to an address of another one. Both
// are named as kernel.Kernel.Namespace names them.
type Way struct {
	From, To string
	Addr     netip.Addr // an IPv4 address of To
}

// Effort says how much is measured. All fields are at least 1.
type Effort struct {
	Rounds    int           // of each kind
	Exchanges int           // echo requests a round and way
	Span      time.Duration // of sending, a round and way, for TCP and UDP each
}

// DatagramSize is how much each datagram of Result.Received carries, in bytes.
const DatagramSize = 64

// Result is what was measured.
type Result struct {
	// RTT is the time from an echo request to its reply, in nanoseconds; a round's
	// value is the median of its exchanges.
	RTT Figure
	// TCP is what one connection brought over, in bits a second.
	TCP Figure
	// Sent and Received are small datagrams a second; the socket's buffer at the
	// receiver drops what is read too late.
	Sent, Received Figure
}

// ErrNoAnswer: what was sent did not come through at all.
var ErrNoAnswer = errors.New("nothing comes through")

// Run measures all ways, in turns. ctx ends it between two attempts. progress is
// told after each round of how many of all rounds are done; it may be nil.
func Run(ctx context.Context, k *kernel.Kernel, ways []Way, e Effort, progress func(done, all int)) (Result, error) {
	if e.Rounds < 1 || e.Exchanges < 1 || e.Span < 1 {
		return Result{}, fmt.Errorf("no effort to measure with: %+v", e)
	}
	var r Result
	done := 0
	for _, kind := range []struct {
		name  string
		round func(context.Context, []meter, Effort, bool) ([][]float64, error)
		into  []*Figure
	}{
		{"round trips", echoRound, []*Figure{&r.RTT}},
		{"TCP", tcpRound, []*Figure{&r.TCP}},
		{"UDP", udpRound, []*Figure{&r.Sent, &r.Received}},
	} {
		meters := make([]meter, len(ways))
		for i, w := range ways {
			m, err := newMeter(k, w)
			if err != nil {
				return Result{}, err
			}
			meters[i] = m
		}
		for i := range e.Rounds {
			values, err := kind.round(ctx, meters, e, i%2 == 1)
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				return Result{}, fmt.Errorf("measure %s: %w", kind.name, err)
			}
			for n, figure := range kind.into {
				figure.add(values[n])
			}
			if done++; progress != nil {
				progress(done, 3*e.Rounds)
			}
		}
	}
	return r, nil
}

// meter is a way with its namespaces at hand.
type meter struct {
	Way
	from, to *kernel.Namespace
}

func newMeter(k *kernel.Kernel, w Way) (meter, error) {
	from, err := k.Namespace(w.From)
	if err != nil {
		return meter{}, err
	}
	to, err := k.Namespace(w.To)
	return meter{Way: w, from: from, to: to}, err
}

// inTurns runs one attempt for each way, backwards in every other round: a
// machine that gets faster or slower does so for the first and the last alike.
func inTurns(meters []meter, backwards bool, attempt func(i int, m meter) error) error {
	for n := range meters {
		i := n
		if backwards {
			i = len(meters) - 1 - n
		}
		if err := attempt(i, meters[i]); err != nil {
			return fmt.Errorf("from %s to %s: %w", meters[i].From, meters[i].Addr, err)
		}
	}
	return nil
}
