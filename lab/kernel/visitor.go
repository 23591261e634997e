package kernel

import (
	"fmt"
	"os"
	"runtime"
	"sync"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// visitors are threads that visit namespaces, one after another: to make a thread
// takes ten times as long as to send one. Between two visits they wait in the
// host's namespace, since a thread keeps the one it is in alive. They are locked
// for good, so no other goroutine ever runs on one (facts.md, section 8). The
// zero value has none yet.
type visitors struct {
	mu     sync.Mutex
	idle   []*visitor
	closed bool
}

// mostIdle is how many threads are kept; at times there may be more.
const mostIdle = 2

type visitor struct {
	visits chan visit
	home   *os.File // the namespace it waits in
}

type visit struct {
	fd   int
	work func() error
	done chan<- error
}

// send runs work on a thread in the namespace of that descriptor.
func (v *visitors) send(fd int, work func() error) error {
	one, err := v.take()
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	one.visits <- visit{fd: fd, work: work, done: done}
	return <-done
}

func (v *visitors) take() (*visitor, error) {
	v.mu.Lock()
	if last := len(v.idle) - 1; last >= 0 {
		one := v.idle[last]
		v.idle = v.idle[:last]
		v.mu.Unlock()
		return one, nil
	}
	v.mu.Unlock()
	home, err := os.OpenFile(namespacePath(Host), os.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open the host's network namespace: %w", err)
	}
	one := &visitor{visits: make(chan visit), home: home}
	go one.wait(v)
	return one, nil
}

// wait makes the visits it is given. A thread that can't come home again ends.
func (one *visitor) wait(v *visitors) {
	runtime.LockOSThread()
	defer one.home.Close()
	for next := range one.visits {
		err := netns.Set(netns.NsHandle(next.fd))
		if err == nil {
			err = next.work()
		} else {
			err = fmt.Errorf("enter a network namespace: %w", err)
		}
		kept := netns.Set(netns.NsHandle(int(one.home.Fd()))) == nil && v.keep(one)
		next.done <- err
		if !kept {
			return
		}
	}
}

// keep takes back a visitor that came home, unless there are enough.
func (v *visitors) keep(one *visitor) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.closed || len(v.idle) >= mostIdle {
		return false
	}
	v.idle = append(v.idle, one)
	return true
}

// close sends the waiting threads away.
func (v *visitors) close() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.closed = true
	for _, one := range v.idle {
		close(one.visits)
	}
	v.idle = nil
}
