package room

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"netlab/cmd/netlab-bench/internal/contest"
	"netlab/cmd/netlab-bench/internal/result"
	"netlab/cmd/netlab-bench/internal/ring"
	"netlab/lab/kernel"
	"netlab/lab/machine"
)

// answered is within what a ping has to be answered: on a machine under load, too.
const answered = 10 * time.Second

// scratch is where a contestant may write: on the room's own tmpfs.
const scratch = "/run/netlab-bench"

func (j Job) do(out *json.Encoder) error {
	if err := furnish(); err != nil {
		return err
	}
	if j.Files > 0 {
		limit := unix.Rlimit{Cur: uint64(j.Files), Max: uint64(j.Files)}
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
			return fmt.Errorf("limit open files: %w", err)
		}
	}
	d := Done{Round: j.Round}
	var err error
	switch {
	case j.Turns > 0:
		if d.Turns, err = proxyARP(j.Netlab, j.Turns); err == nil {
			d.Small, err = small(j.Netlab, j.Turns)
		}
	case j.Count:
		d.Count, err = j.count(j.Round)
	case j.Calls:
		d.Calls, err = calls(j.Minimal, j.Round)
	default:
		err = j.round(&d.Round)
	}
	if err != nil {
		return err
	}
	return out.Encode(d)
}

// furnish mounts what the contestants write to, and builds the pretend host.
func furnish() error {
	for _, m := range []struct{ what, where, options string }{
		{"tmpfs", "/run", "mode=755"}, {"sysfs", "/sys", ""}, {"proc", "/proc", ""},
	} {
		if err := unix.Mount(m.what, m.where, m.what, 0, m.options); err != nil {
			return fmt.Errorf("mount %s: %w", m.where, err)
		}
	}
	if err := os.Mkdir(scratch, 0o755); err != nil {
		return err
	}
	k := kernel.Open()
	defer k.Close()
	return machine.BuildWorld(k)
}

// ofRoom is how many network namespaces there are besides the lab's: the
// director's, the room's and the pretend host's internet.
const ofRoom = directors + 2

func (j Job) round(r *result.Round) error {
	before, err := links()
	if err != nil {
		return err
	}
	c, err := contest.New(r.Contestant, contest.Bed{
		Netlab: j.Netlab, Minimal: j.Minimal, Lab: r.Lab, Pods: r.Pods, Dir: scratch,
	})
	if err != nil {
		return err
	}
	if err := c.Prepare(); err != nil {
		return err
	}
	stop := func() int { return 0 }
	if r.Watched {
		r.Limit = j.Files
		stop = watchFiles()
	}
	began := time.Now()
	used, err := c.Build()
	r.Build, r.BuildCPU, r.RSS = since(began), used.CPU, used.RSS
	r.Files = stop()
	if err != nil {
		return err
	}
	began = time.Now()
	if err := ring.Ping(c.Namespaces(), answered); err != nil {
		return fmt.Errorf("the lab does not work: %w", err)
	}
	r.Ring = since(began)
	if r.Watched {
		if err := breakSome(j.Netlab, c.Namespaces(), r); err != nil {
			return err
		}
	}
	if (r.Contestant == result.Netlab || r.Contestant == result.NoBefore) && !r.Watched {
		if err := ask(j.Netlab, c.Namespaces(), r); err != nil {
			return err
		}
	}
	return takeAway(c, before, r)
}

// takeAway measures how long it takes to take a lab away: until the program says
// so, until its devices are gone, and until its namespaces are.
func takeAway(c contest.Contestant, before map[string]bool, r *result.Round) error {
	after, err := links()
	if err != nil {
		return err
	}
	var made []string
	for name := range after {
		if !before[name] {
			made = append(made, name)
		}
	}
	slices.Sort(made)
	began := time.Now()
	if err := c.Undo(); err != nil {
		return err
	}
	if r.Contestant != result.Netlab && r.Contestant != result.Minimal {
		return nil // they leave it to the end of the room
	}
	r.UndoReturned = since(began)
	if err := waitForDevices(made); err != nil {
		return err
	}
	r.UndoGone = since(began)
	if err := WaitForNamespaces(ofRoom); err != nil {
		return err
	}
	r.UndoFreed = since(began)
	return nil
}

func since(began time.Time) float64 { return float64(time.Since(began).Microseconds()) / 1000 }
