package lab

import (
	"sync"
	"sync/atomic"
)

// abreast calls f for each number below n, two at a time where there are many, and
// begins no other once one has failed. It returns the least of those that failed, and
// why; or n. f may be called by several goroutines at once. Two keep the kernel busy,
// which lets one change a network at a time: while it works for one, the other has
// its answer to read.
func abreast(n int, f func(i int) error) (failed int, err error) {
	const lanes, many, run = 2, 64, 16
	if n < many {
		for i := range n {
			if err := f(i); err != nil {
				return i, err
			}
		}
		return n, nil
	}
	var next atomic.Int64
	var stop atomic.Bool
	var mu sync.Mutex
	failed = n
	lane := func() {
		for !stop.Load() {
			to := int(next.Add(run))
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
	var all sync.WaitGroup
	for range lanes {
		all.Go(lane)
	}
	all.Wait()
	return failed, err
}
