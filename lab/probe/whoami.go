package probe

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"time"

	"netlab/lab"
	"netlab/lab/kernel"
)

// WhoAmI connects to a TCP server that answers with one line, the source
// address it saw, and so shows what address a connection bears when it arrives.
// A thread visits NS until the connection stands. Outcomes:
//
//   - "seen-as" (holds): "saw"
//   - "seen-as-another": "saw" and "want"
//   - "silent": no connection, or no line, within patience
//   - "unreachable": refused; "error" in the tools' words
//   - "missing": no such namespace
//
// A server that answers anything but an address is an error.
type WhoAmI struct {
	NS     string         `json:"ns,omitempty"`
	Server netip.AddrPort `json:"server"`
	// Want is the source address expected.
	Want netip.Addr `json:"want"`
}

func (p WhoAmI) Command() lab.Command {
	return lab.In(p.NS, "nc", p.Server.Addr().String(), fmt.Sprint(p.Server.Port()))
}

// Independent: it has a connection of its own.
func (WhoAmI) Independent() {}

func (p WhoAmI) Try(ctx context.Context, k *kernel.Kernel, patience time.Duration) (lab.Observation, error) {
	n, err := k.Namespace(p.NS)
	if err != nil {
		return missing(err)
	}
	wait, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	line, err := p.ask(wait, n)
	var errno syscall.Errno
	switch {
	case err != nil && ctx.Err() != nil:
		return lab.Observation{}, context.Cause(ctx)
	// A timeout of the kernel's own (ETIMEDOUT) is a timeout, too.
	case err != nil && (wait.Err() != nil || isTimeout(err)):
		return lab.Observation{Outcome: "silent"}, nil
	case errors.As(err, &errno) && refusesPacket(errno):
		return lab.Observation{Outcome: "unreachable", Values: map[string]string{"error": errnoWords(errno)}}, nil
	case err != nil:
		return lab.Observation{}, fmt.Errorf("ask %s from %s: %w", p.Server, n, err)
	}
	saw, err := netip.ParseAddr(strings.TrimSpace(line))
	if err != nil {
		return lab.Observation{}, fmt.Errorf("%s answered %q, which is no address: %w", p.Server, line, err)
	}
	saw = saw.Unmap() // a server on a dual-stack socket sees ::ffff:192.0.2.2
	if saw != p.Want {
		return lab.Observation{Outcome: "seen-as-another",
			Values: map[string]string{"saw": saw.String(), "want": addrWords(p.Want)}}, nil
	}
	return lab.Observation{Holds: true, Outcome: "seen-as", Values: map[string]string{"saw": saw.String()}}, nil
}

// ask returns the server's line.
func (p WhoAmI) ask(wait context.Context, n *kernel.Namespace) (string, error) {
	var conn *net.TCPConn
	err := n.Do(func() (err error) {
		// DialTCP makes its one socket on the calling thread, the visiting one.
		conn, err = new(net.Dialer).DialTCP(wait, "tcp4", netip.AddrPort{}, p.Server)
		return err
	})
	if err != nil {
		return "", err
	}
	defer conn.Close()
	defer context.AfterFunc(wait, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })()
	const longest = 256 // bytes; an address is far shorter
	line, err := bufio.NewReader(io.LimitReader(conn, longest)).ReadString('\n')
	if errors.Is(err, io.EOF) && line != "" {
		err = nil // the last line may lack its end
	}
	return line, err
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}
