package kernel

import "runtime"

// The main thread must never visit another namespace. Go can't end that thread
// with its goroutine as it ends others: it would stand in the foreign namespace
// for good, and /proc/self, which is the main thread's, would show that one as
// the host's.
//
// A goroutine that is locked in an init keeps the main thread to itself, and it
// goes on to be main's.
func init() { runtime.LockOSThread() }
