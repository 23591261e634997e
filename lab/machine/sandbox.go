// Package machine says where a lab runs: on the host itself, or in a sandbox.
//
// A sandbox is a user, a mount and a network namespace that a small process,
// its holder, keeps alive, with a small internet behind an uplink (BuildWorld).
// It needs no root and touches nothing of the host. It ends with its holder;
// the kernel drops the namespaces when the last process in them has gone.
package machine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"
)

// stopPatience is how long a holder may take to end before it is killed.
const stopPatience = 2 * time.Second

// Sandbox is one that runs, or ran when it was found. It is safe for use by
// several goroutines.
type Sandbox struct {
	Name    string
	PID     int // the holder's
	Created time.Time

	started  *os.File // the holder ends with its last use, but not while this is open; nil: another started it
	entry    entry
	registry registry

	mu    sync.Mutex
	doors *doors // nil until Command needs them
}

// Find looks up a running sandbox of this user. There being none, or none any
// more, is an error that wraps fs.ErrNotExist; what a dead one left is removed.
// Other errors wrap ErrUnsafeDir, ErrDamaged or ErrNewer; nothing is removed
// then.
func Find(name string) (*Sandbox, error) {
	r := openRegistry()
	e, err := r.find(name)
	if err != nil {
		return nil, err
	}
	return &Sandbox{Name: name, PID: e.PID, Created: e.Created, entry: e, registry: r}, nil
}

// List returns the running sandboxes of this user by name. Those that can be
// read are returned beside the error for those that can't.
func List() ([]*Sandbox, error) {
	names, err := openRegistry().names()
	if err != nil {
		return nil, err
	}
	var found []*Sandbox
	var errs []error
	for _, name := range names {
		s, err := Find(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		found = append(found, s)
	}
	return found, errors.Join(errs...)
}

// Root is the path of the sandbox's / as seen from outside, good for reading
// files inside, such as a journal, without entering. It is the holder's: check
// with Find that it lives. Should the number be another user's process by then,
// owned.Dir refuses the way.
func (s *Sandbox) Root() string { return fmt.Sprintf("/proc/%d/root", s.PID) }

// Stop ends the sandbox: SIGTERM to its holder, SIGKILL after 2 s. One that has
// ended already is no error. Processes inside are left alone, and keep the
// namespaces until they end. It closes s too.
func (s *Sandbox) Stop() error {
	if err := endProcess(s.entry.PID, s.entry.StartTime, stopPatience); err != nil {
		return fmt.Errorf("stop sandbox %q: %w", s.Name, err)
	}
	var err error
	if s.started != nil {
		err = s.started.Close()
		s.started = nil
	}
	return errors.Join(err, s.Close(), s.registry.remove(s.Name, s.entry))
}

// Close closes what Command has opened, which would keep the namespaces alive
// for as long as this process. The sandbox goes on.
func (s *Sandbox) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.doors == nil {
		return nil
	}
	err := s.doors.close()
	s.doors = nil
	return err
}
