package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"netlab/lab/kernel/kerneltest"
)

// running tells whether a process is there and not dead.
func running(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	state := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))[0]
	return state != "Z" && state != "X"
}

// Whichever process of a lab in a sandbox is killed, the others end with their last
// use, and what is left of the lab can be torn down.
func TestNoProcessOutlivesItsUse(t *testing.T) {
	for _, tt := range []struct {
		name string
		kill func(outer, inner, holder int) []int
		// interrupt: what is left then of netlab is asked to end, as by Ctrl-C.
		interrupt func(outer, inner, holder int) int
		up        bool // the lab is there after
	}{
		{name: "the holder",
			kill:      func(_, _, holder int) []int { return []int{holder} },
			interrupt: func(outer, _, _ int) int { return outer }},
		{name: "the netlab inside",
			kill: func(_, inner, _ int) []int { return []int{inner} }, up: true},
		{name: "the netlab outside",
			kill:      func(outer, _, _ int) []int { return []int{outer} },
			interrupt: func(_, inner, _ int) int { return inner }},
		{name: "both", up: true,
			kill: func(outer, inner, _ int) []int { return []int{outer, inner} }},
		{name: "all",
			kill: func(outer, inner, holder int) []int { return []int{outer, inner, holder} }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if !kerneltest.Isolate(t) {
				return
			}
			pretendHost(t)
			cmd := exec.Command("netlab", "run", "proxyarp", "--sandbox", "--teardown", "--step", "--auto", "1h")
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait() }()
			outer, inner, holder := cmd.Process.Pid, 0, 0
			waitFor(t, "a lab with a journal", func() bool {
				var l jsonLab
				out, _ := exec.Command("netlab", "status", "-o", "json").Output()
				if json.Unmarshal(out, &l) != nil || l.Scenario == "" || l.Holder == 0 {
					return false
				}
				for _, task := range tasks(outer) {
					for _, child := range task {
						if child != l.Holder {
							inner = child
						}
					}
				}
				holder = l.Holder
				return inner != 0
			})
			t.Cleanup(func() { // of a test that failed
				for _, pid := range []int{outer, inner, holder} {
					_ = unix.Kill(pid, unix.SIGKILL)
				}
			})
			for _, pid := range tt.kill(outer, inner, holder) {
				if err := unix.Kill(pid, unix.SIGKILL); err != nil {
					t.Fatal(err)
				}
			}
			if tt.interrupt != nil {
				if err := unix.Kill(tt.interrupt(outer, inner, holder), unix.SIGINT); err != nil {
					t.Fatal(err)
				}
			}
			<-ended
			waitFor(t, "the netlab inside to end", func() bool { return !running(inner) })
			if tt.up {
				if !running(holder) {
					t.Error("the sandbox has gone with a lab in it")
				}
				sh(t, "netlab teardown proxyarp")
			}
			waitFor(t, "the holder to end", func() bool { return !running(holder) })
			if out := sh(t, "netlab status -o json"); out != "" {
				t.Errorf("left: %s", out)
			}
		})
	}
}

// tasks are the children of each of a process's threads.
func tasks(pid int) (children [][]int) {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, file := range files {
		text, _ := os.ReadFile(file)
		var of []int
		for _, word := range strings.Fields(string(text)) {
			if child, err := strconv.Atoi(word); err == nil {
				of = append(of, child)
			}
		}
		children = append(children, of)
	}
	return children
}

// A program of the caller's is not run as root, and no library of the caller's is
// loaded, except by what the caller has asked to run.
func TestTheCallersEnvironmentIsForTheCallersPrograms(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	pretendHost(t)
	dir := t.TempDir()
	for _, name := range []string{"iptables", "iptables-save", "nsenter", "ip", "sh", "modprobe"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/bash\necho $0 >> "+dir+"/ran\nexit 1\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	netlab := filepath.Join(os.Getenv(binaryDir), "netlab")
	run := func(want int, args ...string) string {
		t.Helper()
		cmd := exec.Command(netlab, args...)
		cmd.Env = []string{"PATH=" + dir, "LD_PRELOAD=" + dir + "/none.so", "XTABLES_LIBDIR=" + dir, "BASH_ENV=" + dir + "/env", "ENV=" + dir + "/env", "LC_ALL=C.UTF-8", "MINE=x"}
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != want {
			t.Errorf("netlab %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	for _, flags := range [][]string{{}, {"--sandbox"}} {
		// The dynamic linker would say that it can't load what LD_PRELOAD names.
		if out := run(0, append([]string{"run", "proxyarp", "-v"}, flags...)...); strings.Contains(out, "none.so") {
			t.Errorf("a program of netlab's has loaded a library of the caller's:\n%s", out)
		}
		out := run(0, "exec", "proxyarp", "host", "--", "/usr/bin/env")
		for _, v := range []string{"PATH=" + dir + ":/usr/local/sbin:/usr/sbin:/sbin", "LD_PRELOAD=" + dir + "/none.so", "MINE=x", "NETLAB_LAB=proxyarp", "XTABLES_LIBDIR=" + dir} {
			if !strings.Contains(out, v+"\n") {
				t.Errorf("%v: a program of the caller's has no %s:\n%s", flags, v, out)
			}
		}
		if strings.Contains(out, "NETLAB_CALLE") {
			t.Errorf("%v: a program of the caller's sees what netlab has put away:\n%s", flags, out)
		}
		run(0, "teardown", "proxyarp")
	}
	if ran, err := os.ReadFile(dir + "/ran"); err == nil {
		t.Errorf("programs of the caller's were run: %s", ran)
	}
}

// A name that somebody else gave to a device does nothing to the terminal of who
// follows a packet.
func TestANameThatATerminalWouldObeyIsShown(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	pretendHost(t)
	const hostile = "\x1b[2J\a\u202e"
	sh(t, `ip netns add ns1 && ip -n ns1 link set lo up
		ip link add h1 type veth peer name x netns ns1 && ip -n ns1 link set x name $'`+hostile+`'
		ip addr add 10.9.0.1/24 dev h1 && ip link set h1 up
		ip -n ns1 addr add 10.9.0.2/24 dev $'`+hostile+`' && ip -n ns1 link set $'`+hostile+`' up`)
	for _, command := range []string{
		"netlab trace ns1 10.9.0.1", "netlab trace ns1 10.9.0.1 -o json", "netlab trace ns1 10.9.0.77 --timeout 1s", "netlab trace ns1 10.77.0.1",
		"netlab trace ns1 10.9.0.1 --arp --dev $'\x1b[2Jx'", "netlab exec $'\x1b[2J' -- ls", "netlab run $'\x1b[2J'", "netlab run proxyarp --transcript $'/none/\x1b[2J'",
	} {
		_, out := status(t, command)
		if out == "" || strings.ContainsAny(out, "\x1b\a\u202e") {
			t.Errorf("%s: %q", command, out)
		}
	}
	if _, out := status(t, "netlab trace ns1 10.9.0.1"); !strings.Contains(out, `\x1b[2J\x07\u202e`) {
		t.Errorf("the name is not shown:\n%s", out)
	}
}

// What only root can set up: a stranger's link, and a program that is set-user-ID.
// The test is not isolated: in namespaces of our own there are no other users.
func TestRootIsNotLedAstray(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	const stranger = 65534
	dir := t.TempDir()
	target := filepath.Join(dir, "precious")
	link := filepath.Join(dir, "notes.md")
	for _, err := range []error{os.WriteFile(target, nil, 0o600), os.Symlink(target, link), os.Lchown(link, stranger, stranger)} {
		if err != nil {
			t.Skipf("only root can give files away: %v", err)
		}
	}
	for _, args := range [][]string{
		{"run", "proxyarp", "--sandbox", "--name", "astray", "--transcript", link},
	} {
		cmd := exec.Command(filepath.Join(os.Getenv(binaryDir), "netlab"), args...)
		out, _ := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != exitUsage || !strings.Contains(string(out), "belongs to user") {
			t.Errorf("netlab %v: exit status %d\n%s", args, cmd.ProcessState.ExitCode(), out)
		}
		if text, err := os.ReadFile(target); err != nil || len(text) > 0 {
			t.Errorf("netlab %v: the file behind the link holds %q, %v", args, text, err)
		}
	}

	for at := dir; len(at) > len(os.TempDir()); at = filepath.Dir(at) {
		if err := os.Chmod(at, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	suid := filepath.Join(dir, "netlab")
	// Written by another process: a program that this one has open for writing, be it
	// in a child that another test is about to start, can't be run (ETXTBSY).
	if out, err := exec.Command("cp", filepath.Join(os.Getenv(binaryDir), "netlab"), suid).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := os.Chmod(suid, 0o755|os.ModeSetuid); err != nil {
		t.Fatal(err)
	}
	var mount unix.Statfs_t
	if err := unix.Statfs(dir, &mount); err != nil || mount.Flags&unix.ST_NOSUID != 0 {
		t.Skip("no program can be set-user-ID here")
	}
	cmd := exec.Command(suid, "status")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: stranger, Gid: stranger}}
	if out, _ := cmd.CombinedOutput(); cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != exitCannot {
		t.Errorf("as another user's it goes on: %s", out)
	}
}
