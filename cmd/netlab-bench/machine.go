package main

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"netlab/cmd/netlab-bench/internal/result"
)

// thisMachine says where figures come from.
func thisMachine() result.Machine {
	m := result.Machine{
		Date: time.Now().UTC().Format(time.DateOnly), CPUs: runtime.NumCPU(),
		CPU: field("/proc/cpuinfo", "model name", ":"), OS: strings.Trim(field("/etc/os-release", "PRETTY_NAME", "="), `"`),
		Versions: map[string]string{"Go": strings.TrimPrefix(runtime.Version(), "go")},
	}
	var u unix.Utsname
	if unix.Uname(&u) == nil {
		m.Kernel = unix.ByteSliceToString(u.Release[:])
	}
	for _, p := range []string{"iproute2", "containernetworking-plugins", "mininet", "iputils-arping"} {
		out, err := exec.Command("dpkg-query", "-W", "-f", "${Version}", p).Output()
		if err == nil && len(out) > 0 { // not there, or no Debian: it is left out
			m.Versions[p] = string(out)
		}
	}
	return m
}

// field is what a file of lines says of a key.
func field(path, key, sign string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if k, value, ok := strings.Cut(line, sign); ok && strings.TrimSpace(k) == key {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
