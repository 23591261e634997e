package main

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"netlab/lab/kernel/kerneltest"
	"netlab/scenarios/challenges"
)

// asBefore compares the pretend host with what it was.
func asBefore(t *testing.T, what, before string) {
	t.Helper()
	if diff := cmp.Diff(before, kerneltest.Snapshot(t)); diff != "" {
		t.Errorf("%s (-before +after):\n%s", what, diff)
	}
}

// A challenge on the machine itself is broken, repaired and given back there.
func TestChallengeOnTheHost(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	challengeHost(t)
	before := settle(t)
	said(t, 0, "netlab challenge lost-replies --host", "on this machine itself", `"ns1 finds its gateway`)
	said(t, 0, "ip netns list; ip route get 1.1.1.2", "ns1", "1.1.1.2 via 192.0.2.1 dev up0")
	said(t, 0, "netlab status", "lost-replies on this machine")
	said(t, 0, "netlab challenge lost-replies", `"ns1 finds its gateway`) // goes on where it is
	said(t, 1, "netlab challenge check", "2 of 7 checks fail")
	said(t, 0, "netlab challenge hint", "$ ip route get 1.1.1.2")
	said(t, 1, "ip link set veth name away; netlab challenge check", "(link veth is missing in the host)")
	sh(t, "ip link set away name veth")
	said(t, 0, "ip link set veth up; ip route replace 1.1.1.0/24 dev veth; ip route del 1.1.1.2; ip link add mine type bridge")
	said(t, 0, "netlab challenge check", "lost-replies is solved")
	said(t, 0, "netlab challenge leave", "All that netlab changed is undone", "- new: link mine", "$ ip link del mine", "nothing that it changed")
	said(t, 0, "ip link del mine; netlab status", "No lab is up")
	asBefore(t, "after leaving", before)

	said(t, 0, "nft 'table ip old { chain c { drop; }; }'; netlab challenge lost-replies --host -q")
	said(t, 0, "nft delete table ip old; netlab challenge leave", "- gone: table ip old", "can't give a command")
	said(t, 0, "netlab challenge lost-replies --host -q")
	said(t, 0, "netlab challenge reset", `"ns1 finds its gateway`)
	said(t, 0, "ip link add early type bridge; netlab challenge reset -q; netlab teardown", "lost-replies is down", "$ ip link del early", "~gone already")
	sh(t, "ip link del early")
	asBefore(t, "after a teardown", before)

	said(t, 3, "netlab challenge island --host", "only", "~up:") // would take the host's default route
	said(t, 3, "netlab practice gateway --host", "only")
	said(t, 0, "ip netns add ns1; ip addr add 1.1.1.9/24 dev lo")
	said(t, 3, "netlab challenge lost-replies --host", "nothing was changed", "netlab challenge lost-replies")
	said(t, 3, "netlab practice proxyarp --host --gateway 169.254.1.2", "nothing was changed", "try: netlab practice proxyarp --gateway 169.254.1.2", "~--name")
	said(t, 0, "ip netns del ns1; ip addr del 1.1.1.9/24 dev lo; netlab status", "No lab is up")
	asBefore(t, "after refusals", before)
	said(t, 0, "netlab challenge lost-replies -q")
	said(t, 2, "netlab challenge lost-replies --host", "in a sandbox already")
	said(t, 2, "netlab exec host -- netlab challenge deaf-gateway --host", "this shell is in a sandbox")
}

// Those that break settings and rules of the host give it back as it was, though nobody
// has solved them. That a teardown undoes all others too, the tests of each try.
func TestChallengesGiveTheHostBack(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	challengeHost(t)
	before := settle(t)
	all, err := challenges.All("en")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		if c.Sandboxed {
			said(t, 3, "netlab challenge --host "+c.Name)
			continue
		}
		if !slices.Contains([]string{"suspicious-host", "wrong-sender", "clean-rules"}, c.Name) {
			continue
		}
		said(t, 0, "netlab challenge -q --host "+c.Name)
		said(t, 0, "netlab challenge leave")
		if c.Iptables { // the tables that iptables makes when it is asked are nobody's
			sh(t, "for t in nat filter; do nft delete table ip $t 2>/dev/null || true; done")
		}
		asBefore(t, c.Name, before)
	}
}

// A practice on the machine itself: what was there is not the learner's, and what they
// build goes with a teardown, also what nobody has looked at.
func TestPracticeOnTheHost(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	challengeHost(t)
	sh(t, "sysctl -qw net.ipv4.ip_forward=1")
	before := settle(t)
	said(t, 0, "netlab practice proxyarp --host", "on this machine itself", "[1/7]")
	said(t, 0, "netlab teardown", "proxyarp is down", "~this undoes it", "~gone already")
	asBefore(t, "after nothing", before)

	said(t, 0, "netlab practice proxyarp --host -q")
	said(t, 0, "ip netns add ns1; ip -n ns1 link add c-eth0 type bridge")
	said(t, 1, "netlab practice check", "[1/7]")
	said(t, 0, "ip netns del ns1; ip netns add ns1") // another one
	said(t, 0, "ip link add veth type veth peer name c-eth0; ip link set c-eth0 netns ns1; ip link set veth up")
	said(t, 0, "ip -n ns1 link set c-eth0 up; ip -n ns1 addr add 1.1.1.2/24 dev c-eth0")
	said(t, 0, "ip -n ns1 route add 169.254.1.1 dev c-eth0 scope link; ip -n ns1 route add default via 169.254.1.1 dev c-eth0")
	said(t, 1, "netlab practice check", "✓ [3/7]", "✓ [4/7]")
	said(t, 0, "netlab practice proxyarp", "was so on this machine before")
	said(t, 0, "sysctl -qw net.ipv4.conf.all.proxy_arp=1 net.ipv4.neigh.veth.proxy_delay=0; ip route add 1.1.1.0/24 dev veth")
	said(t, 0, "nft 'table ip mine { chain out { type nat hook postrouting priority 100; oifname up0 masquerade; }; }'")
	said(t, 0, "netlab practice check", "Proven", "By yourself: 6 of 7 steps", "This practice is solved")
	said(t, 0, "netlab teardown", "new: table ip mine", "$ nft delete table ip mine", "sysctl -w net.ipv4.conf.all.proxy_arp=0")
	said(t, 0, "nft delete table ip mine; sysctl -qw net.ipv4.conf.all.proxy_arp=0")
	asBefore(t, "after a teardown", before)

	said(t, 0, "netlab practice proxyarp --host -q")
	said(t, 0, "netlab practice skip -q; netlab practice skip -q; netlab practice skip -q")
	said(t, 0, "ip link add early type bridge; netlab practice reset", "[1/7]")
	said(t, 0, "ip netns add ns1; ip -n ns1 link add c-eth0 type bridge") // nobody looks
	said(t, 0, "netlab teardown", "new: link early")
	said(t, 0, "ip link del early; netlab practice proxyarp --host -q; netlab teardown", "~this undoes it")
	asBefore(t, "after a teardown without a look", before)
	said(t, 0, "netlab practice proxyarp --host -q --name other --subnet 10.9.0.0/24")
	said(t, 0, "netlab run proxyarp -q --no-before") // takes names that the practice has left free so far
	said(t, 1, "netlab practice check other")
	said(t, 0, "netlab teardown other; netlab check proxyarp -q")
	said(t, 0, "netlab teardown proxyarp")
	asBefore(t, "after a lab beside it", before)
	if out, _ := exec.Command("ls", "-A", hostDir, practiceDir).CombinedOutput(); strings.Contains(string(out), "proxyarp") {
		t.Errorf("left in %s: %s", hostDir, out)
	}
}

// The learner's own shell opens on this machine, and what it built goes with a reset.
func TestShellsOfExercisesOnTheHost(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	challengeHost(t)
	before := settle(t)
	s := onTerminal(t, 80, []string{"SHELL=/bin/sh", "PS1=> "}, "challenge", "loose-plug", "--host")
	s.expect("is alone")
	s.expect("> ")
	s.types("ip link set v-pod2 master br0; netlab challenge check; exit\r")
	s.expect("loose-plug is solved")
	s.expect("nothing that it changed on this machine is left")
	s.ends(0)
	asBefore(t, "after a challenge", before)

	env := append(learner(t, "bash", map[string]string{".bashrc": "PS1='mine> '\n"}), "XDG_STATE_HOME="+os.Getenv("XDG_STATE_HOME"))
	s = onTerminal(t, 100, env, "practice", "proxyarp", "--host")
	s.expect("mine> ")
	s.types("ip netns add ns1\n")
	s.expect("✓ [1/7]")
	s.types("reset\n")
	s.expect("Begin anew? [y/N]")
	s.types("y\n")
	s.expect("[1/7]")
	s.expect("mine> ")
	s.types("ip netns add ns1\n")
	s.expect("✓ [1/7]")
	s.types("netlab teardown; exit\n")
	s.expect("proxyarp is down")
	s.ends(0)
	asBefore(t, "after a practice", before)
}

// Whoever is killed while an exercise on the machine begins leaves nothing that a
// teardown does not undo, and may begin it again.
func TestExercisesOnTheHostKilledAnywhere(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	challengeHost(t)
	for _, tt := range []struct {
		args  string
		every int
	}{{"challenge wrong-sender --host -q --no-shell", 13}, {"practice proxyarp --host -q --no-shell", 7}} {
		if kills := killEvery(t, strings.Fields(tt.args), 1+rand.IntN(tt.every), tt.every); kills == 0 {
			t.Errorf("%s: not killed once", tt.args)
		}
	}
}
