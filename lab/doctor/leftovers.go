package doctor

import (
	"errors"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"netlab/lab"
	"netlab/lab/journal"
	"netlab/lab/machine"
	"netlab/lab/op"
	"netlab/lab/owned"
)

// left is one lab that a journal speaks of.
type left struct {
	lab     string
	damaged bool
	made    int // namespaces that it says it has made
	gone    int // of them, those that are not there any more
}

// leftovers looks for labs whose namespaces are gone, as after a reboot that kept
// /run or somebody's `ip netns del`, and for sandboxes with no lab in them.
func leftovers(q Question) ([]machine.Finding, error) {
	var found []machine.Finding
	var errs []error
	if q.Root {
		labs, err := readLabs(q)
		found = append(found, judgeLabs(labs)...)
		aside, asideErr := journal.At(q.Labs).Aside()
		if !errors.Is(err, owned.ErrUnsafe) { // as below
			errs = append(errs, err, asideErr)
		}
		for _, file := range slices.Sorted(maps.Keys(aside)) {
			found = append(found, warn(LabAside, lab.Command{"less", file}, "lab", aside[file], "file", file))
		}
	}
	sandboxes, err := machine.List()
	if !errors.Is(err, machine.ErrUnsafeDir) { // which is said elsewhere
		errs = append(errs, err)
	}
	for _, s := range sandboxes {
		labs, err := journal.At(filepath.Join(s.Root(), q.Labs)).Labs()
		if errors.Is(err, fs.ErrNotExist) {
			continue // it has ended meanwhile
		}
		errs = append(errs, err)
		found = append(found, judgeSandbox(s.Name, len(labs), q.Now.Sub(s.Created))...)
	}
	return found, errors.Join(errs...)
}

func readLabs(q Question) ([]left, error) {
	dir := journal.At(q.Labs)
	names, err := dir.Labs()
	if err != nil {
		return nil, err
	}
	var labs []left
	var errs []error
	for _, name := range names {
		l := left{lab: name}
		s, err := dir.Read(name)
		switch {
		case errors.Is(err, fs.ErrNotExist): // torn down meanwhile
			continue
		case errors.Is(err, journal.ErrDamaged):
			l.damaged = true
		case err != nil:
			errs = append(errs, err)
			continue
		default:
			l.made, l.gone = q.namespaces(s)
		}
		labs = append(labs, l)
	}
	return labs, errors.Join(errs...)
}

// namespaces counts those that a lab has made, and those that are gone. What
// can't be told counts as there.
func (q Question) namespaces(s *journal.State) (made, gone int) {
	for _, e := range s.Open() {
		o, err := q.Codec.Decode(e.Op.Kind, e.Op.Op)
		add, ok := o.(op.NetnsAdd)
		if err != nil || !ok || !e.Done {
			continue
		}
		made++
		if taken, err := q.Kernel.NetnsExists(add.Name); err == nil && !taken {
			gone++
		}
	}
	return made, gone
}

func judgeLabs(labs []left) []machine.Finding {
	var found []machine.Finding
	for _, l := range labs {
		switch {
		case l.damaged:
			found = append(found, warn(LabDamaged, lab.Command{"netlab", "teardown", l.lab, "--salvage"}, "lab", l.lab))
		case l.made > 0 && l.gone == l.made:
			found = append(found, warn(LabGone, lab.Command{"netlab", "teardown", l.lab}, "lab", l.lab))
		default:
			found = append(found, ok(LabUp, "lab", l.lab))
		}
	}
	return found
}

// judgeSandbox: one that was made just now has no lab yet.
func judgeSandbox(name string, labs int, age time.Duration) []machine.Finding {
	const young = 10 * time.Second
	if labs > 0 || age < young {
		return nil
	}
	return []machine.Finding{warn(SandboxEmpty, lab.Command{"netlab", "teardown", name}, "name", name)}
}
