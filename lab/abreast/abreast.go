// Package abreast does many pieces of work side by side.
package abreast

import (
	"sync"
	"sync/atomic"
)

// Two calls f for each number below n, two at a time where there are many, and is Do
// else. Two keep the kernel busy, which lets one change a network at a time: while it
// works for one, the other has its answer to read.
func Two(n int, f func(i int) error) (failed int, err error) {
	const lanes, many, run = 2, 64, 16
	if n < many {
		return Do(1, n, n, f)
	}
	return Do(lanes, run, n, f)
}

// Do calls f for each number below n in so many lanes, each of which takes a run of the
// next ones that are left, and begins no other once one has failed. It returns the least
// of those that failed, and why; or n. With one lane f is called by the caller's
// goroutine and in order, else by several at once.
func Do(lanes, run, n int, f func(i int) error) (failed int, err error) {
	var next atomic.Int64
	var stop atomic.Bool
	var mu sync.Mutex
	failed = n
	lane := func() {
		for !stop.Load() {
			to := int(next.Add(int64(run)))
			for i := to - run; i < min(to, n) && !stop.Load(); i++ {
				if e := f(i); e != nil {
					stop.Store(true)
					mu.Lock()
					if i < failed {
						failed, err = i, e
					}
					mu.Unlock()
				}
			}
			if to >= n {
				return
			}
		}
	}
	var others sync.WaitGroup
	for range lanes - 1 {
		others.Go(lane)
	}
	lane()
	others.Wait()
	return failed, err
}
