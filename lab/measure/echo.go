package measure

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"
)

// mostLost is how many echo requests in a row may stay without an answer, before
// which the first of all may wait for two of ARP's, a second apart.
const (
	mostLost  = 3
	resolving = 2500 * time.Millisecond
)

// pinger sends echo requests over a socket that is kept.
type pinger struct {
	socket
	id  uint16
	seq uint16
	buf [256]byte
}

func newPinger(m meter) (*pinger, error) {
	s, err := open(m.from, unix.SOCK_RAW, unix.IPPROTO_ICMP)
	if err != nil {
		return nil, err
	}
	const icmpFilter = 1 // ICMP_FILTER in linux/icmp.h: what the socket does not want
	all := ^uint32(0)
	err = unix.SetsockoptInt(int(s), unix.SOL_RAW, icmpFilter, int(all&^(1<<ipv4.ICMPTypeEchoReply)))
	if err == nil {
		err = unix.Connect(int(s), &unix.SockaddrInet4{Addr: m.Addr.As4()})
	}
	if err != nil {
		s.close()
		return nil, fmt.Errorf("ping %s: %w", m.Addr, err)
	}
	var id [2]byte
	_, _ = rand.Read(id[:]) // never fails (crypto/rand)
	return &pinger{socket: s, id: binary.NativeEndian.Uint16(id[:])}, nil
}

// exchange is how long one echo request and its reply take.
func (p *pinger) exchange() (time.Duration, error) {
	for range mostLost {
		p.seq++
		request := icmp.Message{Type: ipv4.ICMPTypeEcho, Body: &icmp.Echo{ID: int(p.id), Seq: int(p.seq), Data: make([]byte, 56)}}
		packet, err := request.Marshal(nil)
		if err != nil {
			return 0, fmt.Errorf("make an echo request: %w", err)
		}
		sent := time.Now()
		if _, err := p.write(packet); err != nil {
			return 0, fmt.Errorf("send an echo request: %w", err)
		}
		for time.Since(sent) < patience {
			n, silent, err := p.read(p.buf[:])
			took := time.Since(sent)
			if err != nil {
				return 0, fmt.Errorf("receive an echo reply: %w", err)
			}
			if silent {
				break
			}
			if p.answered(p.buf[:n]) {
				return took, nil
			}
		}
	}
	return 0, ErrNoAnswer
}

// warmUp gets a first reply, so that all that is to be resolved on the way is.
func (p *pinger) warmUp(ctx context.Context) error {
	for began := time.Now(); ; {
		_, err := p.exchange()
		if err == nil || !errors.Is(err, ErrNoAnswer) || ctx.Err() != nil || time.Since(began) > resolving {
			return err
		}
	}
}

// answered tells the reply to the last request.
func (p *pinger) answered(packet []byte) bool {
	if len(packet) == 0 {
		return false
	}
	header := int(packet[0]&0xf) * 4
	if len(packet) < header+8 {
		return false
	}
	message := packet[header:]
	return message[0] == byte(ipv4.ICMPTypeEchoReply) &&
		binary.BigEndian.Uint16(message[4:]) == p.id && binary.BigEndian.Uint16(message[6:]) == p.seq
}

// echoRound takes turns with every single exchange.
func echoRound(ctx context.Context, meters []meter, e Effort, backwards bool) ([][]float64, error) {
	pingers := make([]*pinger, len(meters))
	for i, m := range meters {
		p, err := newPinger(m)
		if err != nil {
			return nil, err
		}
		defer p.close()
		pingers[i] = p
		if err := p.warmUp(ctx); err != nil {
			return nil, fmt.Errorf("from %s to %s: %w", m.From, m.Addr, err)
		}
	}
	took := make([][]float64, len(meters))
	for range e.Exchanges {
		err := inTurns(meters, backwards, func(i int, _ meter) error {
			t, err := pingers[i].exchange()
			took[i] = append(took[i], float64(t.Nanoseconds()))
			return err
		})
		if err != nil {
			return nil, err
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		backwards = !backwards
	}
	medians := make([]float64, len(meters))
	for i := range took {
		medians[i] = median(took[i])
	}
	return [][]float64{medians}, nil
}
