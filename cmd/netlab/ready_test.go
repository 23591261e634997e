package main

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"netlab/lab/kernel/kerneltest"
	"netlab/lab/kernel/kerneltest/fault"
)

// What stops a lab, doctor and run name alike, before anything is changed; and what
// may surprise, as far as it is about a lab on the machine itself.
func TestDoctorAndRunFindTheSame(t *testing.T) {
	const orphan = "iptables -t nat -A POSTROUTING -s 1.1.1.0/24 -m comment --comment netlab:proxyarp -j MASQUERADE"
	const fewNamespaces = `for n in {1..50}; do
	sysctl -qw user.max_net_namespaces=$n
	unshare -n true 2>/dev/null && break
done
sysctl -qw user.max_net_namespaces=$((n - 1))`
	for _, tt := range []struct {
		name, script, scenario string
		stops, warns           int
	}{
		{"nothing", "", "proxyarp", 0, 0},
		{"names that are taken", "ip netns add ns1; ip route add 1.1.0.0/16 dev up0", "proxyarp", 2, 0},
		{"a rule that a lab has left", orphan, "proxyarp", 1, 0},
		{"one that concerns another lab", orphan, "ptp", 0, 1},
		{"accept rules and a table that a lab has left", "nft add table ip netlab-proxyarp; iptables -I FORWARD -i veth -m comment --comment netlab:proxyarp -j ACCEPT", "proxyarp", 1, 0},
		{"a policy routing rule", "ip rule add to 1.1.1.0/24 table 99; ip route add default via 192.0.2.1 table 99", "proxyarp", 1, 0},
		{"an administrator's rule", "iptables -A FORWARD -i up0 -j DROP", "proxyarp", 1, 0},
		{"rules by hand, nftables' own, and of the other variant",
			"iptables -t nat -A POSTROUTING -s 1.1.1.0/24 -j MASQUERADE; iptables-legacy -A INPUT -s 9.9.9.9 -j DROP;" +
				"nft 'add table ip mine; add chain ip mine pre { type filter hook prerouting priority 0; }; add rule ip mine pre ip saddr 9.9.9.9 drop'", "proxyarp", 0, 3},
		{"as many namespaces as there may be", fewNamespaces, "bridge", 1, 1},
		{unshareRefused, "true", "bridge", 1, 0},
		{"a legacy iptables, on a kernel without MASQUERADE", withoutMasquerade, "proxyarp", 0, 1},
		{"no namespaces", "sysctl -qw user.max_net_namespaces=0", "bridge", 1, 1},
		{"a state directory that is not ours alone", "mkdir -p /run/netlab/labs; chmod 777 /run/netlab", "bridge", 1, 0},
		{"no room", "mkdir -m 700 /run/netlab; mount -t tmpfs -o size=64k,mode=700 none /run/netlab", "bridge", 1, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if !kerneltest.Isolate(t) {
				return
			}
			if _, err := os.ReadFile("/proc/net/ip_tables_names"); strings.Contains(tt.script, "legacy") && errors.Is(err, fs.ErrPermission) {
				t.Skip("in this user namespace the legacy tables can't be listed, so a run does not ask for them")
			}
			pretendHost(t)
			sh(t, tt.script)
			before := kerneltest.Snapshot(t)
			ask := status
			if tt.name == unshareRefused {
				ask = unsharing
			}
			code, said := ask(t, "netlab doctor -o json "+tt.scenario)
			stops, warns := found(`"id":"[a-z-]+","grade":"stop"`, said), found(`"id":"[a-z-]+","grade":"warn"`, said)
			if len(stops) != tt.stops || len(warns) != tt.warns || code != exitCannot && tt.stops > 0 {
				t.Errorf("doctor ends with %d and finds %v, %v", code, stops, warns)
			}
			first := "namespaces"
			if tt.scenario == "proxyarp" {
				first = "namespace"
			}
			code, said = ask(t, "netlab run -o json --until "+first+" "+tt.scenario)
			if tt.stops == 0 {
				said, _, _ = strings.Cut(said, `"type":"step-start"`)
				for i, w := range warns {
					warns[i], _, _ = strings.Cut(w, ",")
				}
				if diff := cmp.Diff(warns, found(`"id":"[a-z-]+"`, said)); diff != "" || code != exitDone {
					t.Errorf("the run ends with %d, and mentions (-doctor +run):\n%s", code, diff)
				}
				return
			}
			_, text := ask(t, "netlab doctor -q "+tt.scenario)
			reasons := found(`(?m)^  ✗ .*`, said)
			if code != exitCannot || len(reasons) != tt.stops {
				t.Errorf("the run ends with %d, for %v, not %v", code, reasons, stops)
			}
			for _, r := range reasons {
				if !strings.Contains(strings.Join(strings.Fields(text), " "), strings.Join(strings.Fields(r), " ")) {
					t.Errorf("the run stops for %q, doctor for:\n%s", r, text)
				}
			}
			if diff := cmp.Diff(before, kerneltest.Snapshot(t)); diff != "" {
				t.Errorf("the run was refused, and the host is another (-before +after):\n%s", diff)
			}
		})
	}
}

// unshareRefused is a host with a filter of system calls that forbids namespaces, root
// or not.
const unshareRefused = "a seccomp filter"

// unsharing runs a script there.
func unsharing(t *testing.T, script string) (int, string) {
	t.Helper()
	out, err := fault.Run(func(c fault.Call) *fault.Fault {
		if c.Kind != fault.Enter || c.Text != "unshare" {
			return nil
		}
		return &fault.Fault{Errno: unix.EPERM, Again: true}
	}, "bash", "-c", script)
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return exit.ExitCode(), string(out)
	case err != nil:
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
	return 0, string(out)
}

// withoutMasquerade is an iptables of the legacy variant that says what it does where
// the kernel has no xt_MASQUERADE: only when a rule is added is it asked for.
const withoutMasquerade = `mount -t tmpfs none /usr/local/sbin
cat > /usr/local/sbin/iptables <<'END'
#!/bin/sh
case "$*" in
*-A*MASQUERADE*)
	echo "iptables: No chain/target/match by that name." >&2
	exit 1
	;;
esac
exec xtables-legacy-multi iptables "$@"
END
chmod +x /usr/local/sbin/iptables`
