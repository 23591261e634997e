// Package room gives each round of the benchmark a pretend host of its own: fresh
// network, mount and process namespaces, in which nothing was built before, and
// which the kernel has forgotten before the next round begins.
package room

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"

	"netlab/cmd/netlab-bench/internal/result"
)

// The environment variable that says what a process started by this package is.
const role = "NETLAB_BENCH_ROLE"

const (
	director = "director"
	room     = "room"
)

// Job is one round, or all turns of proxyarp where Turns is not 0.
type Job struct {
	Netlab, Minimal string
	Round           result.Round // what is known before: contestant, lab, pods, round
	Turns           int
	Calls           bool // have the minimal program measure its kernel calls
	Count           bool // count the kernel calls, with strace
	Files           int  // how many files the contestant may have open; 0: as many as we
}

// Done is what came of it.
type Done struct {
	Round result.Round
	Turns []result.Turn
	Small result.Small
	Calls []result.Call
	Count []result.Count
}

// Enter runs this program again as root of a user namespace, with a network and a
// mount namespace: the director, who can make rooms, and nothing outside. It
// returns inside: true there, and false where the director has ended.
func Enter() (inside bool, err error) {
	if os.Getenv(role) == director {
		if err := unix.Mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
			return true, fmt.Errorf("make mounts private: %w", err)
		}
		return true, nil
	}
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), role+"="+director)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		// Its processes' namespace is its own, so that a room may mount procfs.
		Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWNET | unix.CLONE_NEWPID,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
		Pdeathsig:   unix.SIGKILL,
	}
	return false, cmd.Run()
}

// directors is how many network namespaces there are between two rounds: the
// director's.
const directors = 1

// Do has a job done in a room. It returns when nothing is left of it.
func Do(j Job) (Done, error) {
	var d Done
	text, err := json.Marshal(j)
	if err != nil {
		return d, err
	}
	var out bytes.Buffer
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), role+"="+room)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(text), &out, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWNET | unix.CLONE_NEWPID,
		Pdeathsig:  unix.SIGKILL,
	}
	err = cmd.Run()
	if err == nil {
		err = json.Unmarshal(out.Bytes(), &d)
	}
	if err != nil {
		err = fmt.Errorf("%s, %s of %d pods: %w", j.Round.Contestant, j.Round.Lab, j.Round.Pods, err)
	}
	return d, errors.Join(err, WaitForNamespaces(directors))
}

// Inside does the job of a room, when this process is one.
func Inside() bool {
	if os.Getenv(role) != room {
		return false
	}
	var j Job
	err := json.NewDecoder(os.Stdin).Decode(&j)
	if err == nil {
		err = j.do(json.NewEncoder(os.Stdout))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "netlab-bench:", err)
		os.Exit(1)
	}
	return true
}
