package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"netlab/lab/kernel/kerneltest"
)

// challengeHost is a pretend host whose user has no progress yet.
func challengeHost(t *testing.T) {
	t.Helper()
	pretendHost(t)
	t.Setenv("XDG_STATE_HOME", t.TempDir())
}

// said runs a script, wants that exit status, and wants those texts in its output,
// and not those behind a ~.
func said(t *testing.T, want int, script string, texts ...string) string {
	t.Helper()
	code, out := status(t, script)
	if code != want {
		t.Fatalf("%s ended with %d, not %d:\n%s", script, code, want, out)
	}
	flat := strings.Join(strings.Fields(out), " ")
	for _, text := range texts {
		not, absent := strings.CutPrefix(text, "~")
		if absent {
			text = not
		}
		if strings.Contains(flat, text) == absent {
			t.Errorf("%s: of %q it must be %v that it is printed:\n%s", script, text, !absent, out)
		}
	}
	return out
}

func TestChallengeIsWonByRepairingIt(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	challengeHost(t)
	before := settle(t)
	said(t, 2, "netlab challenge check", "no challenge is up")
	said(t, 0, "netlab challenge lost-replies", `"ns1 finds its gateway`, "netlab challenge hint")
	said(t, 0, "netlab challenge lost-replies", `"ns1 finds its gateway`) // goes on, and builds nothing
	said(t, 0, "netlab challenge; netlab practice", "→ lost-replies", "→ begun and not solved yet: 1.", "~→ proxyarp")
	said(t, 0, "netlab status", "7 of 7 steps done")
	said(t, 2, "netlab run proxyarp --name lost-replies", "lost-replies")
	for _, check := range []string{"netlab check", "netlab check lost-replies -v", "netlab exec host -- netlab check proxyarp"} {
		said(t, 1, check, "✗ does the host answer at 192.0.2.2?", "3 of 8 checks fail", "~because", "~route del", "~should be")
	}
	said(t, 2, "netlab challenge explain", "when it is repaired")
	said(t, 1, "netlab challenge check", "✓ ns1 has interfaces", "✗ does the host answer at 192.0.2.2?", "3 of 8 checks fail")
	said(t, 0, "netlab challenge hint", "Hint 1 of 2", "$ ip route get 1.1.1.2")
	said(t, 0, "netlab challenge hint", "Hint 2 of 2")
	said(t, 0, "netlab challenge hint", "Hint 2 of 2")

	var v jsonVerdict
	lines := strings.Split(strings.TrimSpace(said(t, 1, "netlab check -o json")), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &v); err != nil || len(lines) != 9 {
		t.Fatalf("%d lines, %v", len(lines), err)
	}
	if diff := cmp.Diff([]string{"host-reachable", "outside-answers", "outside-sees-host"}, v.Fails); diff != "" || v.Won || v.Attempt.Tries != 5 || v.Attempt.Hints != 2 {
		t.Errorf("%+v %s", v, diff)
	}

	said(t, 0, "netlab exec lost-replies host -- netlab challenge leave; test $? = 2", "this shell is in the sandbox")
	said(t, 0, "netlab exec lost-replies host -- ip route del 1.1.1.2")
	said(t, 0, "netlab exec lost-replies host -- netlab challenge check", "lost-replies is solved", "checks 6, hints 2")
	said(t, 0, "netlab challenge explain", "longest prefix")
	said(t, 0, "netlab challenge", "✓ lost-replies", "1 of 13 solved")
	said(t, 0, "netlab challenge leave", "The sandbox is gone", "~ip route")
	said(t, 0, "netlab challenge explain lost-replies", "longest prefix")
	said(t, 0, "netlab progress -o json", `"name":"lost-replies","attempts":1`, `"tries":6,"hints":2`, `"solved":{`)
	if diff := cmp.Diff(before, kerneltest.Snapshot(t)); diff != "" {
		t.Errorf("this machine (-before +after):\n%s", diff)
	}
}

// What is taken away, was not repaired; and what was read off is not solved.
func TestChallengeIsNotWonByOtherMeans(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	challengeHost(t)
	const inside = "netlab exec h host -- "
	said(t, 0, "netlab challenge suspicious-host --name h", "handbook")
	said(t, 0, inside+"ip route add 1.1.1.0/24 dev veth")
	said(t, 0, inside+"sysctl -w net.ipv4.conf.all.rp_filter=0")
	said(t, 1, "netlab challenge check", "It works, but not so", "this was to stay as it is")
	said(t, 0, "netlab challenge reset", "handbook")
	said(t, 1, "netlab challenge check", "4 of 8 checks fail")
	said(t, 0, inside+"netlab challenge reset", "handbook")
	said(t, 0, inside+"ip netns del ns1")
	said(t, 1, "netlab challenge check", "the lab is no longer complete")
	said(t, 0, "netlab challenge reset h", "handbook")
	said(t, 0, "netlab challenge solution", "$ ip route add 1.1.1.0/24 dev veth scope link")
	said(t, 0, inside+"ip route add 1.1.1.0/24 dev veth scope link")
	said(t, 0, "netlab challenge check", "It does not count as solved")
	said(t, 0, "netlab challenge", "0 of 13 solved")
	said(t, 0, "netlab progress", "with the solution")
	said(t, 0, inside+"netlab teardown h")
	said(t, 2, inside+"netlab challenge check; netlab challenge check", "no challenge is up")
}

func TestChallengeByChance(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	challengeHost(t)
	said(t, 2, "netlab challenge --seed 3", "--random")
	said(t, 2, "netlab challenge island --random", "either")
	said(t, 2, "netlab challenge iland", `"island"`)
	first := said(t, 0, "netlab challenge --random --seed 3 --name a -o json | tail -n1")
	second := said(t, 0, "netlab challenge --random --seed 3 --name b -o json | tail -n1")
	if second = strings.Replace(second, `"lab":"b"`, `"lab":"a"`, 1); first != second || !strings.Contains(first, `"symptom":`) {
		t.Errorf("the same seed gave %q and %q", first, second)
	}
	said(t, 2, "netlab challenge hint", "several")
	said(t, 0, "netlab challenge hint a -o json", `"type":"hint"`)
	said(t, 0, "netlab challenge leave a && netlab challenge leave b")
}

// What counts is kept with the lab: the user's own file may be lost, or there is none.
func TestChallengeCountsWithoutTheUsersFile(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	challengeHost(t)
	state := os.Getenv("XDG_STATE_HOME")
	const repair = "netlab exec host -- ip link set v-pod2 master br0"
	said(t, 0, "netlab challenge loose-plug", "is alone")
	said(t, 0, "netlab challenge hint", "Hint 1 of 2")
	if err := os.RemoveAll(filepath.Join(state, "netlab")); err != nil {
		t.Fatal(err)
	}
	said(t, 0, "netlab challenge hint", "Hint 2 of 2")
	said(t, 0, repair)
	said(t, 0, "netlab challenge check -o json", `"tries":1,"hints":2,"won":`)
	said(t, 0, "netlab progress -o json", `"attempts":1,`, `"hints":2,"won":`, `"solved":{`)
	said(t, 0, "netlab challenge leave")

	t.Setenv("XDG_STATE_HOME", "")
	t.Setenv("HOME", "")
	said(t, 0, "netlab challenge loose-plug", "is alone", "not kept")
	said(t, 0, "netlab challenge hint", "Hint 1 of 2")
	said(t, 0, "netlab challenge hint", "Hint 2 of 2")
	said(t, 2, "netlab challenge explain", "when it is repaired")
	said(t, 0, "netlab challenge solution", "ip link set v-pod2 master br0")
	said(t, 0, repair)
	said(t, 0, "netlab challenge check", "It does not count as solved")
	said(t, 0, "netlab challenge explain", "makes an interface a port")
	said(t, 0, "netlab challenge reset", "is alone")
	said(t, 0, repair)
	said(t, 0, "netlab challenge check", "loose-plug is solved. Time 0 s", "checks 1, hints 0")
	said(t, 0, "netlab challenge leave")
}

// On a terminal the learner gets a shell in the sandbox, may leave it and come back,
// and once it is won the sandbox goes with the shell.
func TestChallengeOpensAShell(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	challengeHost(t)
	env := []string{"SHELL=/bin/sh", "PS1=> "}
	s := onTerminal(t, 80, env, "challenge", "loose-plug")
	s.expect("is alone")
	s.expect("> ")
	s.types("exit\r")
	s.expect("It is not repaired yet")
	s.expect("netlab challenge leave loose-plug")
	s.ends(0)
	s = onTerminal(t, 80, env, "challenge", "loose-plug")
	s.expect("is alone")
	s.expect("> ")
	s.types("ip link set v-pod2 master br0; netlab challenge check; exit\r")
	s.expect("loose-plug is solved")
	s.expect("Type exit")
	s.expect("The sandbox is gone")
	s.ends(0)
	said(t, 0, "netlab status", "No lab is up")
}

// Whoever tears the lab down in the shell is not told that it stays.
func TestShellOfWhatIsTornDownSaysNoFarewell(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	challengeHost(t)
	for exercise, name := range map[string]string{"challenge": "loose-plug", "practice": "bridge"} {
		s := onTerminal(t, 80, []string{"SHELL=/bin/sh", "PS1=> "}, exercise, name)
		s.expect("> ")
		s.types("netlab teardown; exit\r")
		s.expect(name + " is down")
		s.ends(0)
		if out := s.printed(); strings.Contains(out, "stays as it is") || strings.Contains(out, "go on") {
			t.Errorf("%s: nothing is up, and it says:\n%s", exercise, out)
		}
	}
	said(t, 0, "netlab progress --lang zh", "开始：检查 0 次", "开始：试了 0 次")
}
