package kernel

import (
	"maps"

	"golang.org/x/sys/unix"
)

// Lend calls work and then closes the namespaces that it opened but for as many as
// there are descriptors for, so that any number can be worked in.
func (k *Kernel) Lend(work func() error) error {
	k.mu.Lock()
	before := maps.Clone(k.spaces)
	k.mu.Unlock()
	err := work()
	k.mu.Lock()
	defer k.mu.Unlock()
	for name, n := range k.spaces {
		if len(k.spaces) > k.most {
			if before[name] != n {
				delete(k.spaces, name)
				_ = n.close() // it was read only, or what was written was answered
			}
		}
	}
	return err
}

// roomForMore tells whether one more namespace can stay open.
func (k *Kernel) roomForMore() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.spaces) < k.most
}

// Together is how many namespaces can be worked in at once, with a few sysctls open in
// each. A process may have 1024 descriptors by default (RLIMIT_NOFILE); Go asks for as
// many as it may.
func Together() int {
	const most, ofEach, others = 1000, 4, 100
	return max(1, min(most, (descriptors()-others)/ofEach))
}

// mostOpen is how many namespaces may stay open besides, by two descriptors each.
func mostOpen() int { return max(0, min(2000, (descriptors()-4*Together()-200)/2)) }

func descriptors() int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	return int(min(limit.Cur, 1<<16))
}
