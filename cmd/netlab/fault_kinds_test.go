package main

import (
	"strings"

	"golang.org/x/sys/unix"

	"netlab/lab/kernel/kerneltest/fault"
)

// faultsOf are what can go wrong with a kind of call. What is refused for good is
// refused whenever it is asked for; the rest passes. Netlink is not interrupted by
// a signal (EINTR): its sockets don't block. Dumps are, by changes (Interrupted).
func faultsOf(call fault.Call) []fault.Fault {
	forGood := func(errnos ...unix.Errno) (all []fault.Fault) {
		for _, e := range errnos {
			all = append(all, fault.Fault{Errno: e, Again: true})
		}
		return all
	}
	once := func(errnos ...unix.Errno) (all []fault.Fault) {
		for _, e := range errnos {
			all = append(all, fault.Fault{Errno: e})
		}
		return all
	}
	switch call.Kind {
	case fault.Change:
		if strings.Contains(call.Text, "12/0xa02") || strings.Contains(call.Text, "12/0xa05") {
			// EBUSY at the end of a table or a chain says that somebody uses it: it is left then.
			return append(forGood(unix.EPERM), once(unix.ENOBUFS)...)
		}
		return append(forGood(unix.EPERM, unix.EEXIST, unix.EBUSY), once(unix.ENOBUFS)...)
	case fault.Query:
		return append(forGood(unix.EPERM), once(unix.ENOBUFS)...)
	case fault.Answer: // what was asked for is done, and nobody is told
		return once(unix.ENOBUFS)
	case fault.List:
		return []fault.Fault{{Interrupted: true}, {Interrupted: true, Again: true}, {Errno: unix.ENOBUFS}}
	case fault.Packet:
		return once(unix.EPERM, unix.ENOBUFS, unix.EINTR)
	case fault.Socket:
		return once(unix.EPERM, unix.EMFILE, unix.ENOBUFS)
	case fault.Sysctl:
		return append(forGood(unix.EPERM, unix.EROFS), once(unix.EBUSY, unix.EINTR)...)
	case fault.State:
		return append(forGood(unix.ENOSPC, unix.EROFS), once(unix.EIO, unix.EINTR)...)
	case fault.Name:
		return once(unix.EPERM, unix.EROFS, unix.ENOSPC)
	case fault.Mount:
		return once(unix.EPERM, unix.EBUSY, unix.ENOMEM)
	case fault.Enter:
		return once(unix.EPERM, unix.ENOSPC, unix.ENOMEM)
	case fault.Exec:
		return once(unix.EPERM, unix.ENOENT, unix.ENOMEM)
	}
	return nil
}
