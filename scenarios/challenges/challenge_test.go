package challenges

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"netlab/lab"
	"netlab/lab/journal"
	"netlab/lab/kernel"
	"netlab/lab/kernel/kerneltest"
	"netlab/lab/machine"
	"netlab/lab/op"
	"netlab/scenarios"
)

// bench is a sandbox's world with a challenge in it.
type bench struct {
	t       *testing.T
	c       Challenge
	k       *kernel.Kernel
	setting scenarios.Setting
	runner  *lab.Runner
	journal *journal.Journal
}

func newBench(t *testing.T, name string) *bench {
	t.Helper()
	c, err := Load(name, original)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, c: c, k: kernel.Open()}
	t.Cleanup(func() { _ = b.k.Close() })
	if err := machine.BuildWorld(b.k); err != nil {
		t.Fatal(err)
	}
	server, err := machine.ServeWhoAmI(b.k)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	facts := machine.SandboxFacts()
	facts.Firewall = "iptables"
	program, err := b.k.Firewall().IPTables()
	if err != nil {
		t.Skip(err)
	}
	facts.IptablesNFT = program.NFT
	b.setting = scenarios.Setting{Lab: "broken", Values: c.Values(), Facts: facts}
	dir := journal.At(t.TempDir())
	b.runner = &lab.Runner{Kernel: b.k, Codec: op.Codec{}, Dir: dir, Now: time.Now, Machine: "sandbox", Emit: func(e lab.Event) {
		if e.Type == lab.OpFailed || e.Type == lab.CheckDone && e.Phase == lab.After && !*e.Holds || e.Type == lab.UndoFail {
			t.Errorf("%s: %s %s %s %v", e.Type, e.ID, e.Command, e.Error, e.Values)
		}
	}}
	if b.journal, err = dir.Create(journal.Header{Lab: "broken", Scenario: c.Scenario.Name, Created: time.Now()}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.journal.Close() })
	return b
}

// run does the steps that are not done yet.
func (b *bench) run(steps []lab.Step) {
	b.t.Helper()
	if err := b.runner.Run(b.t.Context(), lab.Plan{Lab: "broken", Steps: steps}, b.journal, lab.Options{NoBefore: true}); err != nil {
		b.t.Fatal(err)
	}
}

// judge waits briefly: what answers here, answers at once.
func (b *bench) judge() Verdict {
	b.t.Helper()
	v, err := b.c.Judge(b.t.Context(), b.k, b.setting, 400*time.Millisecond, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return v
}

// incomplete tells whether a part of the lab is gone, so that it can't be won.
func (b *bench) incomplete() bool {
	b.t.Helper()
	gone, err := b.c.gone(b.k, b.setting)
	if err != nil {
		b.t.Fatal(err)
	}
	return len(gone) > 0 && !Verdict{Gone: gone}.Won()
}

func (b *bench) shell(script string) string {
	b.t.Helper()
	cmd := exec.Command("bash", "-c", b.c.Fill(script, b.setting))
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		b.t.Fatalf("%s: %v", script, err)
	}
	return string(out)
}

// Each challenge begins whole, shows its symptom and no other once it is broken, has
// true hints, and is won by its solution.
func TestChallenges(t *testing.T) {
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) {
			if !kerneltest.Isolate(t) {
				return
			}
			b := newBench(t, name)
			b.shell("ping -c1 -W2 192.0.2.1") // what is in the host's caches is in both
			before := kerneltest.Snapshot(t)
			steps, err := b.c.Steps(b.setting)
			if err != nil {
				t.Fatal(err)
			}
			whole := b.c.Scenario.Steps(b.setting)
			b.run(whole)
			if v := b.judge(); !v.Won() && len(b.c.Keep) == 0 || len(v.Fails) > 0 {
				t.Fatalf("before it is broken: %+v", v)
			}
			b.run(steps)
			v := b.judge()
			if diff := cmp.Diff(b.c.Fails, v.Fails); diff != "" {
				t.Errorf("the symptom (-as told +as it is):\n%s", diff)
			}
			if !cmp.Equal(b.c.Last, v.Waiting) || len(v.Gone) > 0 {
				t.Errorf("once broken: waiting %v, gone %v", v.Waiting, v.Gone)
			}
			b.proves("claim", b.c.Claims)
			b.proves("hint", b.c.Hints)
			if again := b.judge(); !slices.Equal(again.Fails, v.Fails) {
				t.Errorf("looking has changed it: %v, then %v", v.Fails, again.Fails)
			}
			b.shell("set -e\n" + strings.Join(b.c.Solution, "\n"))
			if v := b.judge(); !v.Won() {
				t.Errorf("the solution does not win: %+v", v)
			}
			b.shell(map[string]string{
				"proxyarp": "ip link del {host-link}", "calico": "ip link del {first-link}", "bridge": "ip link del {bridge}",
			}[b.c.Scenario.Name])
			if !b.incomplete() {
				t.Error("nobody sees that a part of the lab is gone")
			}
			if err := b.runner.Teardown(t.Context(), b.journal); err != nil {
				t.Errorf("teardown: %v", err)
			}
			if !b.incomplete() {
				t.Error("it is won by tearing it down")
			}
			if b.c.Iptables { // the learner's own rules are the learner's; a sandbox takes them along
				b.shell("nft delete table ip nat; nft delete table ip filter")
			}
			if diff := cmp.Diff(before, kerneltest.Snapshot(t)); diff != "" {
				t.Errorf("after teardown (-before +after):\n%s", diff)
			}
		})
	}
}

// proves runs what shows that what is said is so.
func (b *bench) proves(what string, proofs []Proof) {
	b.t.Helper()
	for i, p := range proofs {
		out := b.shell(p.Command)
		for _, want := range p.Shows {
			not, absent := strings.CutPrefix(want, "~ ")
			if absent {
				want = not
			}
			if want = b.c.Fill(want, b.setting); strings.Contains(flat(out), flat(want)) == absent {
				b.t.Errorf("%s %d: %s\nprints\n%s, and of %q it must be %v that it is there", what, i+1, p.Command, out, want, !absent)
			}
		}
	}
}

// flat is a text with one blank for any number of them.
func flat(text string) string { return strings.Join(strings.Fields(text), " ") }
