// Package fault makes the kernel calls of a program fail, one at a time, for
// tests: the program is the real one and knows nothing of it. A filter of system
// calls (seccomp(2), SECCOMP_RET_USER_NOTIF) asks the test about each call that
// changes or reads the network, the firewall, a sysctl, a mount, a program to run
// or the state directory; the test lets it happen, refuses it, or kills the
// program before it. Calls of all threads are counted together, in the order in
// which they are made, and so are those of programs that the program runs.
package fault

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Kind says what a call is about, which decides what can go wrong with it.
type Kind string

const (
	Change Kind = "change" // a netlink request that changes something
	Query  Kind = "query"  // one that reads
	Answer Kind = "answer" // what the kernel answers to a request
	List   Kind = "list"   // a part of a dump
	Packet Kind = "packet" // a probe's packet is sent
	Socket Kind = "socket" // a socket for netlink or packets is opened
	Sysctl Kind = "sysctl" // a file below /proc/sys is opened or written
	State  Kind = "state"  // a file of the state directory is opened, written, removed
	Name   Kind = "name"   // a namespace's name is made or removed
	Mount  Kind = "mount"  // a file system is mounted or unmounted
	Enter  Kind = "enter"  // a namespace is made or entered
	Exec   Kind = "exec"   // a program is run
)

// Call is one kernel call.
type Call struct {
	N    int // counts from 1
	Kind Kind
	Text string // what is called, with its object
	// Other: it is a program that makes the call which our program runs.
	Other bool
	key   string // tells that it is the same call once more
}

func (c Call) String() string {
	by := ""
	if c.Other {
		by = " by a program that it runs"
	}
	return fmt.Sprintf("call %d%s, %s %s", c.N, by, c.Kind, c.Text)
}

// Fault is what happens instead of a call.
type Fault struct {
	// Errno is what the call is refused with. An Answer refused with ENOBUFS is lost,
	// as when a socket's buffer overruns (netlink(7)).
	Errno unix.Errno
	// Again: so is the very same call when it is made again. A program may ask for
	// a refused change a second time.
	Again bool
	// Interrupted: a dump is marked as one that others changed under way
	// (NLM_F_DUMP_INTR). Only for a List.
	Interrupted bool
	// Kill: the program is killed before the call. What it has started goes on.
	Kill bool
}

func (f Fault) String() string {
	switch {
	case f.Kill:
		return "killed"
	case f.Interrupted && f.Again:
		return "dump interrupted, always"
	case f.Interrupted:
		return "dump interrupted"
	case f.Again:
		return fmt.Sprintf("%s, always", unix.ErrnoName(f.Errno))
	}
	return unix.ErrnoName(f.Errno)
}
