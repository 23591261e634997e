package main

import (
	"slices"

	"netlab/lab/machine"
)

// remountSysctl lets sysctls be set where a machine's root may change its mounts.
const remountSysctl = "mount -o remount,rw /proc/sys"

// denied is the error for what this process may not do on this machine: key says that
// it takes root, and next is the same command as root. To root itself that is no
// answer: then it is the machine that forbids it, and that is said.
func (a *app) denied(missing []string, next, key string, pairs ...string) error {
	if onlyReadOnly(missing) {
		return &cannotError{Text: a.say("sysctl-read-only"), Next: remountSysctl}
	}
	return &cannotError{Text: a.fill(key, pairs...), Next: next}
}

// onlyReadOnly: all rights are there, and /proc/sys can't be written all the same.
func onlyReadOnly(missing []string) bool {
	return slices.Equal(missing, []string{machine.ReadOnlySysctl})
}
