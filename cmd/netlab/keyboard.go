package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"netlab/lab"
)

// keyboard reads single keys from a terminal. Line editing and echo are off as
// long as it is open; Ctrl-C stays a signal, and output is as ever. The zero
// value has no terminal: every wait for a key ends with its time.
type keyboard struct {
	tty   *os.File
	saved *unix.Termios
	typed []rune // read and not asked for yet
}

// openKeyboard takes the terminal over. Close gives it back.
func openKeyboard(tty *os.File) (*keyboard, error) {
	if !term.IsTerminal(int(tty.Fd())) {
		return &keyboard{}, nil
	}
	saved, err := unix.IoctlGetTermios(int(tty.Fd()), unix.TCGETS)
	if err != nil {
		return nil, fmt.Errorf("read the terminal's settings: %w", err)
	}
	k := &keyboard{tty: tty, saved: saved}
	return k, k.take()
}

// take turns line editing and echo off.
func (k *keyboard) take() error {
	if k.tty == nil {
		return nil
	}
	single := *k.saved
	single.Lflag &^= unix.ICANON | unix.ECHO
	single.Cc[unix.VMIN], single.Cc[unix.VTIME] = 1, 0
	if err := unix.IoctlSetTermios(int(k.tty.Fd()), unix.TCSETS, &single); err != nil {
		return fmt.Errorf("set the terminal to single keys: %w", err)
	}
	return nil
}

// give puts the terminal back as it was.
func (k *keyboard) give() error {
	if k.tty == nil {
		return nil
	}
	if err := unix.IoctlSetTermios(int(k.tty.Fd()), unix.TCSETS, k.saved); err != nil {
		return fmt.Errorf("put the terminal's settings back: %w", err)
	}
	return nil
}

// drop forgets the keys that were typed and not read.
func (k *keyboard) drop() {
	k.typed = nil
	if k.tty != nil {
		_ = unix.IoctlSetInt(int(k.tty.Fd()), unix.TCFLSH, unix.TCIFLUSH) // a key too many is no harm
	}
}

// errNoKey: the time was up before a key was typed.
var errNoKey = errors.New("no key")

// read waits for a key: for that long, or with 0 for as long as it takes. Keys
// of several bytes, such as arrows, are passed over. The end of ctx, or of the
// terminal, is lab.ErrInterrupted.
func (k *keyboard) read(ctx context.Context, limit time.Duration) (rune, error) {
	if limit > 0 {
		timed, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		key, err := k.await(timed)
		if err != nil && ctx.Err() == nil && timed.Err() != nil {
			return 0, errNoKey
		}
		return key, err
	}
	return k.await(ctx)
}

func (k *keyboard) await(ctx context.Context) (rune, error) {
	if k.tty == nil {
		<-ctx.Done()
		return 0, lab.ErrInterrupted
	}
	wake, stop, err := os.Pipe()
	if err != nil {
		return 0, fmt.Errorf("wait for a key: %w", err)
	}
	defer wake.Close()
	defer context.AfterFunc(ctx, func() { _ = stop.Close() })()
	defer stop.Close()
	for {
		if len(k.typed) > 0 {
			key := k.typed[0]
			k.typed = k.typed[1:]
			return key, nil
		}
		fds := []unix.PollFd{{Fd: int32(k.tty.Fd()), Events: unix.POLLIN}, {Fd: int32(wake.Fd()), Events: unix.POLLIN}}
		if _, err := unix.Poll(fds, -1); err != nil && !errors.Is(err, unix.EINTR) {
			return 0, fmt.Errorf("wait for a key: %w", err)
		}
		if ctx.Err() != nil {
			return 0, lab.ErrInterrupted
		}
		if fds[0].Revents == 0 {
			continue
		}
		buf := make([]byte, 64)
		n, err := unix.Read(int(k.tty.Fd()), buf)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil || n == 0 { // the terminal is gone
			return 0, lab.ErrInterrupted
		}
		if buf[0] != '\x1b' {
			k.typed = []rune(string(buf[:n]))
		}
	}
}
