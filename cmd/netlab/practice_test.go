package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"netlab/lab/kernel/kerneltest"
)

// learner is a home with files of a shell's own, and the environment for it.
func learner(t *testing.T, shell string, files map[string]string) []string {
	t.Helper()
	path, err := exec.LookPath(shell)
	if err != nil {
		t.Skip(err)
	}
	home := t.TempDir()
	if err := os.Chmod(home, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		file := filepath.Join(home, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("HOME", home) // for the netlab that is asked about the practice later
	t.Setenv("XDG_STATE_HOME", "")
	return []string{"HOME=" + home, "SHELL=" + path, "ENV=$HOME/.shrc"}
}

// Somebody builds proxyarp in bash, in ways of their own, with hints, a break and a
// skipped step.
func TestPracticeInBash(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	pretendHost(t)
	env := learner(t, "bash", map[string]string{
		".bashrc": "PS1='mine> '\nPROMPT_COMMAND='own=$?'\nalias hint='echo no hint'\ngreet() { echo hello, $1; }\n",
	})
	s := onTerminal(t, 100, env, "practice", "proxyarp")
	s.expect("Build it with any commands")
	s.expect("[1/7] A network stack of its own")
	s.expect("mine> ")
	s.types("greet you; (exit 7)\n") // her own file was read
	s.expect("hello, you\n")
	s.types("echo status $? $own\n") // and the look leaves $? alone
	s.expect("status 7 7\n")
	s.types("ip netns add ns2\n")
	s.expect("no nearer: 0 of 1 stand; missing next: netns ns1\n")
	s.types("sysctl -qw net.ipv4.ip_forward=1\n") // of a later step: no try of this one
	s.expect("missing next: netns ns1\n")
	s.types("sysctl -qw net.ipv4.ip_forward=0; ip netns del ns2; ip netns add ns1\n")
	s.expect("✓ [1/7]")
	s.expect("[2/7] A cable")
	s.expect("mine> ")
	s.types("hint\n")
	s.expect("Hint 1 of 4: A veth pair is a cable")
	s.types("hint\n")
	s.expect("Hint 2 of 4: link veth is missing in the host")
	s.types("hint\n")
	s.expect("$ ip link add veth type ____ peer name c-eth0")
	s.types("netlab practice hint\n") // in full it is the same
	s.expect("$ ip link add veth type veth peer name c-eth0")
	s.types("ip -n ns1 link add c-eth0 up type veth peer name veth netns $$; ip link set veth up\n")
	s.expect("4 of 5 stand; missing next: link c-eth0 (address)")
	s.types("exit\n")
	s.expect("1 of 7 steps are done. It stays as it is.")
	s.expect("netlab practice proxyarp\n")
	s.ends(exitDone)

	s = onTerminal(t, 100, env, "practice", "proxyarp", "--level", "fill")
	s.expect("✓ namespace        tries 2, hints 0")
	s.expect("→ veth")
	s.expect("$ ip -n ns1 addr add ____ dev c-eth0")
	s.expect("mine> ")
	s.types("ip -n ns1 addr add 1.1.1.2/24 dev c-eth0\n")
	s.expect("✓ [2/7]")
	s.expect("$ ip -n ns1 route add default via ____ dev c-eth0")
	s.types("skip\n")
	s.expect("$ ip -n ns1 route add default via 169.254.1.1 dev c-eth0")
	s.expect("✓ [3/7]")
	s.types("ip link set veth down; ip -n ns1 link set c-eth0 down\n")
	s.expect("Of the step veth something is gone: link veth (state)")
	s.types("skip\n")
	s.expect("$ ip link set veth up")
	s.expect("Of the step routes something is gone: route to 169.254.1.1 in ns1")
	s.types("skip\n")
	s.expect("[4/7]")
	s.types("echo 1 > /proc/sys/net/ipv4/ip_forward\n")
	s.expect("✓ [4/7]")
	s.types("for f in conf/all/proxy_arp=1 neigh/veth/proxy_delay=0; do sysctl -qw net/ipv4/$f; done; ip ro add 1.1.1.0/24 dev veth\n")
	s.expect("✓ [5/7]")
	s.expect("✓ [6/7]")
	s.types("iptables -t nat -A POSTROUTING -o veth -j MASQUERADE\n")
	s.expect("not yet: does 203.0.113.80 answer? no answer")
	for _, part := range []string{"table ip mine", "chain ip mine out '{ type nat hook postrouting priority 100; }'"} { // neither is a try
		s.types("nft add " + part + "\n")
		s.expect("not yet: does 203.0.113.80 answer? no answer")
	}
	s.types("nft add rule ip mine out masquerade\n")
	s.expect("Proven: all 7 steps stand")
	s.expect("✓ routes           skipped: netlab did it")
	s.expect("✓ return-route     came with what was there")
	s.expect("✓ masquerade       tries 2, hints 0")
	s.expect("By yourself: 6 of 7 steps.")
	s.expect("Most tries: ")
	s.expect("It does not count as solved")
	s.types("exit\n")
	s.expect("The sandbox is gone")
	s.ends(exitDone)
	if out := sh(t, "netlab status; netlab progress"); !strings.Contains(out, "No lab is up") || !strings.Contains(out, "proxyarp") || !strings.Contains(out, "with the solution") {
		t.Errorf("after all:\n%s", out)
	}
}

// A POSIX sh looks too, keeps the learner's own file, and can begin anew.
func TestPracticeInSh(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	pretendHost(t)
	for _, shell := range []string{"dash", "zsh"} {
		t.Run(shell, func(t *testing.T) {
			env := learner(t, shell, map[string]string{
				".shrc":  "PS1='mine> '\nalias show='echo mine'\n",
				".zshrc": "PROMPT='mine> '\nalias show='echo mine'\nunsetopt zle prompt_cr prompt_sp\n",
			})
			s := onTerminal(t, 100, append(env, "ZDOTDIR="), "practice", "bridge", "--name", shell, "--level", "watch")
			s.expect("$ ip netns add pod1")
			s.expect("mine> ")
			s.types("(exit 7)\n")
			s.expect("mine> ")
			s.types("echo status $?\n")
			s.expect("status 7\n")
			s.types("ip netns add pod1\n")
			s.expect("1 of 3 stand; missing next: netns pod2")
			s.types("show\n")
			s.expect("[1/5]")
			s.expect("mine> ")
			s.types("reset\n")
			s.expect("Begin anew? [y/N]")
			s.types("n\n")
			s.expect("mine> ")
			s.types("reset\n")
			s.expect("Begin anew? [y/N]")
			s.types("y\n")
			s.expect("[1/5]")
			s.expect("$ ip netns add pod1")
			s.expect("mine> ")
			s.types("for n in pod1 pod2 pod-watch; do ip netns add $n; done\n")
			s.expect("✓ [1/5]")
			s.types("solution\n")
			s.expect("$ ip link add br0 type bridge")
			s.types("exit\n")
			s.expect("1 of 5 steps are done")
			s.expect("netlab practice bridge --name " + shell)
			s.ends(exitDone)
		})
	}
}

// Without a terminal there is no shell, and all else can be typed from outside.
func TestPracticeFromOutside(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	pretendHost(t)
	learner(t, "sh", nil)
	sh(t, "netlab practice calico --no-shell | grep -F '[1/6]'; netlab status | grep '0 of 6 steps'")
	for command, want := range map[string]string{
		"netlab practice calico --level easy": "there is no level \"easy\"",
		"netlab practice calio":               "calico",
		"netlab run calico --sandbox":         "is a practice",
		"netlab practice hint nobody":         "no practice is up",
	} {
		if code, out := status(t, command); code != exitUsage || !strings.Contains(out, want) {
			t.Errorf("%s: exit status %d, %s", command, code, out)
		}
	}
	// What stands of a step that is under way is drawn, too.
	if out := sh(t, "netlab exec host -- ip netns add pod2; netlab diagram calico"); !strings.Contains(out, "pod2") || strings.Contains(out, "pod1") {
		t.Errorf("with pod2 alone:\n%s", out)
	}
	if code, out := status(t, "netlab check calico"); code != exitFailed || !strings.Contains(out, "[1/6]") {
		t.Errorf("check: exit status %d, %s", code, out)
	}
	sh(t, `for i in 1 2 3 4 5 6; do netlab practice skip -q; done
		netlab practice check -o json | grep '"proven":true'
		netlab practice skip | grep 'Nothing is missing'
		netlab practice reset; netlab status | grep '0 of 6 steps'
		netlab practice solution -o json | grep -c '"solution"' | grep 6
		netlab teardown calico`)
}

// fish has words of its own; it looks by its event before a prompt.
func TestPracticeInFish(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	pretendHost(t)
	env := learner(t, "fish", map[string]string{".config/fish/config.fish": "function fish_prompt; echo 'mine> '; end\nfunction hint; echo mine; end\n",
		// which is there, so that fish does not make it in the background
		".local/share/fish/generated_completions/none.fish": ""})
	s := onTerminal(t, 100, append(env, "TERM=dumb", "XDG_CONFIG_HOME="), "practice", "bridge")
	s.expect("mine> ")
	s.types("sh -c 'exit 7'\n")
	s.expect("mine> ")
	s.types("echo status $status\n")
	s.expect("status 7")
	s.types("hint\n")
	s.expect("Hint 1 of")
	s.types("for n in pod1 pod2 pod-watch; ip netns add $n; end\n")
	s.expect("✓ [1/5]")
	s.types("netlab teardown; exit\n")
	s.expect("bridge is down")
	s.ends(exitDone)
}

// A practice takes the scenario's own values, and keeps them.
func TestPracticeWithOtherValues(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	challengeHost(t)
	said(t, 2, "netlab practice proxyrp", `did you mean "proxyarp"`)
	said(t, 2, "netlab practice proxyarp --subnet 1.1.1.9/24", "1.1.1.0/24")
	said(t, 0, "netlab practice proxyarp --no-shell --namespace red --subnet 10.9.0.0/24 -q")
	said(t, 0, "netlab practice solution", "ip netns add red", "ip -n red addr add 10.9.0.2/24 dev c-eth0", "-s 10.9.0.0/24")
	said(t, 2, "netlab practice proxyarp --subnet 10.8.0.0/24", "is up with --subnet 10.9.0.0/24")
	said(t, 0, "netlab practice reset")
	said(t, 0, "netlab practice skip", "ip netns add red")
	said(t, 0, "netlab practice proxyarp", "10.9.0.2/24 on c-eth0 in red")
	said(t, 0, "netlab teardown")
	said(t, 0, "netlab practice calico --pods 3 -q; netlab practice skip", "ip netns add pod3")
}
