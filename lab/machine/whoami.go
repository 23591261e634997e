package machine

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"time"

	"netlab/lab/kernel"
)

// WhoAmIAddr is where the server of ServeWhoAmI listens, in Internet. It is
// there alone and not on the gateway's address, so that a connection is routed.
const WhoAmIAddr = Server + ":7777"

const (
	whoAmIPatience = time.Second // for one caller
	whoAmICallers  = 64          // at once; more wait in the listen queue
)

// WhoAmI is a TCP server that tells each caller the source address it saw, as
// one line, and hangs up. It needs nothing to be sent.
type WhoAmI struct {
	listener net.Listener
	done     chan struct{}
}

// ServeWhoAmI starts the server at WhoAmIAddr in the Internet namespace that
// BuildWorld made. It runs until Close, on no thread of its own.
func ServeWhoAmI(k *kernel.Kernel) (*WhoAmI, error) {
	internet, err := k.Namespace(Internet)
	if err != nil {
		return nil, err
	}
	w := &WhoAmI{done: make(chan struct{})}
	err = internet.Do(func() error {
		var lc net.ListenConfig
		lc.SetMultipathTCP(false)
		w.listener, err = lc.Listen(context.Background(), "tcp4", WhoAmIAddr)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listen in %s: %w", internet, err)
	}
	go w.serve()
	return w, nil
}

// Close stops listening and waits until no caller is being answered, 1 s at
// most.
func (w *WhoAmI) Close() error {
	err := w.listener.Close()
	<-w.done
	return err
}

func (w *WhoAmI) serve() {
	defer close(w.done)
	places := make(chan struct{}, whoAmICallers)
	for {
		places <- struct{}{}
		conn, err := w.listener.Accept()
		if err != nil {
			<-places
			break // the listener is closed; the package net retries what passes by itself
		}
		go func() {
			defer func() { <-places }()
			answer(conn)
		}()
	}
	for range whoAmICallers {
		places <- struct{}{}
	}
}

// answer ignores errors: they are the caller's, who has gone.
func answer(conn net.Conn) {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(whoAmIPatience))
	from, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil {
		return
	}
	if _, err := fmt.Fprintln(conn, from.Addr()); err != nil {
		return
	}
	// Closing with unread bytes would reset the connection under the answer.
	if tcp, ok := conn.(*net.TCPConn); ok && tcp.CloseWrite() == nil {
		_, _ = io.Copy(io.Discard, io.LimitReader(conn, 4096))
	}
}
