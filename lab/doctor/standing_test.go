package doctor_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"netlab/lab/doctor"
	"netlab/lab/kernel"
	"netlab/lab/kernel/kerneltest"
	"netlab/lab/machine"
)

// What somebody changes is named, and the commands that are said to undo it do.
func TestChangesAreNamedAndUndone(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := kernel.Open()
	defer k.Close()
	if err := machine.BuildWorld(k); err != nil {
		t.Fatal(err)
	}
	sh := func(script string) {
		t.Helper()
		if out, err := exec.Command("bash", "-ec", script).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", script, err, out)
		}
	}
	standing := func() []doctor.Thing {
		t.Helper()
		things, err := doctor.Standing(k)
		if err != nil {
			t.Fatal(err)
		}
		return things
	}
	sh(`sysctl -qw net.ipv6.conf.up0.addr_gen_mode=1 net.ipv6.conf.up0.disable_ipv6=0; nft add table ip old; nft add chain ip old c '{ type filter hook forward priority 0; policy accept; }'
		ip addr add 192.0.2.9/32 dev up0; ip route add 10.7.0.0/16 via 192.0.2.1; ip neigh add 192.0.2.7 lladdr 02:00:00:00:00:07 dev up0 nud permanent`)
	before, snapshot := standing(), kerneltest.Snapshot(t)
	if changes := doctor.Changes(before, standing()); len(changes) > 0 {
		t.Errorf("nothing has changed but %+v", changes)
	}
	sh(`ip netns add mine; ip link add v1 type veth peer name v2; ip addr add 10.1.0.1/24 dev v1; ip link set v1 up
		ip route add 10.9.0.0/16 via 192.0.2.1 metric 7; ip route add blackhole 10.8.0.0/16; ip route del 10.7.0.0/16
		ip addr del 192.0.2.9/32 dev up0; ip neigh replace 192.0.2.7 lladdr 02:00:00:00:00:08 dev up0 nud permanent
		sysctl -qw net.ipv4.conf.up0.proxy_arp=1; ip rule add from 10.9.9.9 table 7 pref 77
		nft add rule ip old c ip saddr 10.1.1.1 drop; nft chain ip old c '{ policy drop; }'
		ip link set up0 mtu 1400; ip -6 addr add 2001:db8::9/64 dev up0 nodad; nft add table ip6 bare
		nft add table ip new; nft add chain ip new c; nft add rule ip new c drop`)
	var named, undo []string
	for _, c := range doctor.Changes(before, standing()) {
		named = append(named, c.What)
		if len(c.Undo) == 0 {
			t.Errorf("%s can't be undone", c.What)
		}
		undo = append(undo, c.Undo.String())
	}
	for _, want := range []string{
		"netns mine", "link v2", "route 10.9.0.0/16 via 192.0.2.1 dev up0 metric 7", "route blackhole 10.8.0.0/16", "route 10.7.0.0/16 via 192.0.2.1 dev up0",
		"address 192.0.2.9/32 dev up0", "neigh 192.0.2.7 dev up0", "sysctl net.ipv4.conf.up0.proxy_arp", "chain ip old c", "table ip new",
		"link up0 mtu", "address 2001:db8::9/64 dev up0", "table ip6 bare",
	} {
		if !strings.Contains("\n"+strings.Join(named, "\n")+"\n", "\n"+want+"\n") {
			t.Errorf("%s is not named", want)
		}
	}
	if len(named) != 15 { // those, the rule of routing, and the rule in the old chain
		t.Errorf("%d are named:\n%s", len(named), strings.Join(named, "\n"))
	}
	sh(strings.Join(undo, "\n"))
	if diff := cmp.Diff(snapshot, kerneltest.Snapshot(t)); diff != "" {
		t.Errorf("once it is undone (-before +after):\n%s", diff)
	}

	sh(`nft add rule ip old c drop`)
	before, snapshot = standing(), kerneltest.Snapshot(t)
	for what, script := range map[string]string{
		"no routes": "ip route flush table main", "down": "ip link set up0 down", "no addresses": "ip addr flush dev up0",
	} {
		sh(script)
		undo = nil
		for _, c := range doctor.Changes(before, standing()) {
			undo = append(undo, c.Undo.String())
		}
		sh(strings.Join(undo, "\n"))
		if diff := cmp.Diff(snapshot, kerneltest.Snapshot(t)); diff != "" {
			t.Errorf("%s: once %v is undone (-before +after):\n%s", what, undo, diff)
		}
	}
	sh(`nft flush ruleset`)
	if diff := cmp.Diff([]doctor.Change{{What: "table ip old", Gone: true}}, doctor.Changes(before, standing())); diff != "" {
		t.Errorf("with the ruleset flushed (-want +got):\n%s", diff)
	}
}
