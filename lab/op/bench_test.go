package op

import (
	"errors"
	"net/netip"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"netlab/lab"
	"netlab/lab/kernel"
	"netlab/lab/kernel/kerneltest"
)

// bench is a test's own network, and what the real tools say of it.
type bench struct {
	t *testing.T
	k *kernel.Kernel
}

// newBench is for a test that runs isolated. IPv6 is off on devices to come: its
// addresses come and go by themselves.
func newBench(t *testing.T, setup string) *bench {
	t.Helper()
	b := &bench{t: t, k: kernel.Open()}
	t.Cleanup(func() {
		if err := b.k.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, tool := range []string{"ip", "sysctl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("this test compares with the real tool: %v", err)
		}
	}
	b.shell("mkdir -p /run/netns; sysctl -qw net.ipv6.conf.default.disable_ipv6=1")
	b.shell(setup)
	return b
}

// netns is the set-up of a namespace, quiet as the bench's own.
func netns(name string) string {
	return "ip netns add " + name + "; ip netns exec " + name + " sysctl -qw net.ipv6.conf.default.disable_ipv6=1\n"
}

func (b *bench) shell(script string) {
	b.t.Helper()
	out, err := exec.Command("bash", "-e", "-c", script).CombinedOutput()
	if err != nil {
		b.t.Fatalf("%s: %v\n%s", script, err, out)
	}
}

// dump is every link, address, route and sysctl of every namespace in the tools'
// own words, without what changes by itself: the carrier, and what follows it.
func (b *bench) dump() string {
	b.t.Helper()
	out, err := exec.Command("bash", "-c", `
		dump() {
			echo "## in '$1'"
			$2 ip -d -j -p link; $2 ip -d -j -p addr; $2 ip -d -j -p route show table all; $2 ip -j -p neigh show nud permanent
			$2 grep -rH . /proc/sys/net/ipv4 /proc/sys/net/ipv6 | sort
		}
		dump
		for ns in $(ls /run/netns); do dump $ns "ip netns exec $ns"; done`).Output()
	if err != nil {
		b.t.Fatalf("dump: %v", err)
	}
	var kept []string
	changing := regexp.MustCompile(`"(operstate|qdisc)":|/icmp_msgs_|/tcp_fastopen_key:|/flush:`)
	carrier := regexp.MustCompile(`,"(NO-CARRIER|LOWER_UP|M-DOWN)"|"(NO-CARRIER|LOWER_UP|M-DOWN)",?|"linkdown"`)
	for _, line := range strings.Split(string(out), "\n") {
		if !changing.MatchString(line) {
			kept = append(kept, carrier.ReplaceAllString(line, ""))
		}
	}
	return strings.Join(kept, "\n")
}

func (b *bench) is(want, what string) {
	b.t.Helper()
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(b.dump(), "\n")); diff != "" {
		b.t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// resembles is the same for things made anew: less MACs and ifindexes.
func (b *bench) resembles(want, what string) {
	b.t.Helper()
	mask := func(dump string) []string { return strings.Split(kerneltest.Masked(dump), "\n") }
	if diff := cmp.Diff(mask(want), mask(b.dump())); diff != "" {
		b.t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func (b *bench) inverse(o lab.Op) []lab.Op {
	b.t.Helper()
	before := b.dump()
	undo, err := o.Inverse(b.k)
	if err != nil {
		b.t.Fatalf("inverse of %s: %v", o.Command(), err)
	}
	b.is(before, "after reading the inverse")
	return undo
}

func (b *bench) apply(ops ...lab.Op) {
	b.t.Helper()
	for _, o := range ops {
		if err := o.Apply(b.k); err != nil {
			b.t.Fatalf("apply %s: %v", o.Command(), err)
		}
		if err := o.Verify(b.k); err != nil {
			b.t.Fatalf("verify %s: %v", o.Command(), err)
		}
	}
}

// types runs the printed commands where process 1 is in the bench's namespace: a
// link comes back to the host by `netns 1`.
func (b *bench) types(ops ...lab.Op) {
	b.t.Helper()
	for _, o := range ops {
		asPid1 := "trap : EXIT\n" + o.Command().String() // a last command would replace the shell, as process 1
		b.shell("unshare --pid --fork bash -c " + lab.Command{asPid1}.String())
	}
}

// refuses wants the apply of each op to fail with that error, changing nothing.
func (b *bench) refuses(want error, ops ...lab.Op) {
	b.t.Helper()
	before := b.dump()
	for _, o := range ops {
		if err := o.Apply(b.k); !errors.Is(err, want) {
			b.t.Errorf("apply %s: %v, want %v", o.Command(), err, want)
		}
	}
	b.is(before, "after a refusal")
}

// differs wants the read-back of the op to find that in that field.
func (b *bench) differs(o lab.Op, field, found string) {
	b.t.Helper()
	err := o.Verify(b.k)
	var m *lab.Mismatch
	if !errors.As(err, &m) {
		b.t.Errorf("verify %s: %v, want a mismatch of %s, found %s", o.Command(), err, field, found)
	} else if m.Field != field || m.Found != found {
		b.t.Errorf("verify %s: field %q found %q, want %q and %q", o.Command(), m.Field, m.Found, field, found)
	}
}

func (b *bench) fresh(o lab.Maker, want bool) {
	b.t.Helper()
	if got, err := o.Fresh(b.k); err != nil || got != want {
		b.t.Errorf("%s: fresh is %v, %v, want %v", o.Command(), got, err, want)
	}
}

// mismatchCase changes by hand one thing that an op has made.
type mismatchCase struct {
	name         string
	byHand       string // run after the op was applied
	field, found string
}

// mismatches applies the op anew for each case, in namespaces of the case's own.
func mismatches(t *testing.T, setup string, o lab.Op, cases []mismatchCase) {
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			if !kerneltest.Isolate(t) {
				return
			}
			b := newBench(t, setup)
			b.apply(o)
			b.shell(tt.byHand)
			b.differs(o, tt.field, tt.found)
		})
	}
}

func cidr(s string) netip.Prefix { return netip.MustParsePrefix(s) }
func ip4(s string) netip.Addr    { return netip.MustParseAddr(s) }

// freshCase does something by hand to what an op has made.
type freshCase struct {
	name   string
	byHand string
	want   bool
}

func freshness(t *testing.T, setup string, o lab.Maker, cases []freshCase) {
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			if !kerneltest.Isolate(t) {
				return
			}
			b := newBench(t, setup)
			b.apply(o)
			b.shell(tt.byHand)
			b.fresh(o, tt.want)
		})
	}
}

// placesTaken wants the inverse to say so of a place that was filled by hand.
func placesTaken(t *testing.T, o lab.Op, setups map[string]string) {
	for name, setup := range setups {
		t.Run(name, func(t *testing.T) {
			if !kerneltest.Isolate(t) {
				return
			}
			b := newBench(t, setup)
			before := b.dump()
			if _, err := o.Inverse(b.k); !errors.Is(err, lab.ErrTaken) {
				t.Errorf("inverse of %s: %v, want %v", o.Command(), err, lab.ErrTaken)
			}
			b.is(before, "after reading only")
		})
	}
}
