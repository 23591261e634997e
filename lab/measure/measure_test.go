package measure

import (
	"context"
	"errors"
	"net/netip"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"netlab/lab/kernel"
	"netlab/lab/kernel/kerneltest"
)

// sh is kerneltest.Sh.
func sh(t *testing.T, commands string) {
	t.Helper()
	kerneltest.Sh(t, commands)
}

// Two ways that are alike.
const twoWays = `
	ip netns add a
	ip netns add b
	ip netns add c
	ip -n a link add ab type veth peer name ba netns b
	ip -n a link add ac type veth peer name ca netns c
	ip -n a addr add 10.0.1.1/24 dev ab
	ip -n a addr add 10.0.2.1/24 dev ac
	ip -n b addr add 10.0.1.2/24 dev ba
	ip -n c addr add 10.0.2.2/24 dev ca
	ip -n a link set ab up
	ip -n a link set ac up
	ip -n b link set ba up
	ip -n c link set ca up
`

var (
	fast = Way{From: "a", To: "b", Addr: netip.MustParseAddr("10.0.1.2")}
	slow = Way{From: "a", To: "c", Addr: netip.MustParseAddr("10.0.2.2")}
)

func TestWaysAreMeasuredInTurns(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := kernel.Open()
	defer k.Close()
	sh(t, twoWays)
	e := Effort{Rounds: 3, Exchanges: 5, Span: 10 * time.Millisecond}
	var steps []int
	r, err := Run(t.Context(), k, []Way{fast, slow}, e, func(done, all int) {
		steps = append(steps, done)
		if all != 9 {
			t.Errorf("%d rounds in all", all)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{1, 2, 3, 4, 5, 6, 7, 8, 9}, steps); diff != "" {
		t.Error(diff)
	}
	for name, f := range map[string]Figure{"RTT": r.RTT, "TCP": r.TCP, "sent": r.Sent, "received": r.Received} {
		for way := range 2 {
			if len(f.Rounds[way]) != e.Rounds || f.Median(way) <= 0 {
				t.Errorf("%s of way %d: %v", name, way, f.Rounds[way])
			}
		}
	}
	for i, sent := range r.Sent.Rounds[0] {
		if got := r.Received.Rounds[0][i]; got > sent {
			t.Errorf("round %d: %f datagrams received of %f", i, got, sent)
		}
	}
}

// A way that is known to be slower is found to be: its far end holds each packet
// against thousands of rules.
func TestASlowWayIsToldFromAFastOne(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := kernel.Open()
	defer k.Close()
	sh(t, twoWays)
	rules := "add table ip slow\nadd chain ip slow in { type filter hook input priority 0 ; }\n"
	for range 10 { // in parts: an ordinary user's netlink message has its limit
		rules += strings.Repeat("add rule ip slow in ip saddr 192.0.2.1 drop\n", 500)
		nft := exec.Command("ip", "netns", "exec", "c", "nft", "-f", "-")
		nft.Stdin = strings.NewReader(rules)
		if out, err := nft.CombinedOutput(); err != nil {
			t.Fatalf("nft: %v\n%s", err, out)
		}
		rules = ""
	}
	r, err := Run(t.Context(), k, []Way{slow, fast}, Effort{Rounds: 3, Exchanges: 11, Span: 20 * time.Millisecond}, nil)
	if err != nil {
		t.Fatal(err)
	}
	// Of the others no single run can be sure: they compete for the CPU.
	if ratio := r.RTT.Ratio(0, 1); ratio.Median < 1.3 {
		t.Errorf("round trips: %+v", ratio)
	}
	t.Logf("RTT %+v, TCP %+v, UDP %+v", r.RTT.Ratio(0, 1), r.TCP.Ratio(0, 1), r.Received.Ratio(0, 1))
}

func TestAWayThatLeadsNowhere(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := kernel.Open()
	defer k.Close()
	sh(t, twoWays+"ip -n c addr flush dev ca\n"+
		"ip -n a neigh add 10.0.2.2 lladdr 02:00:00:00:00:01 dev ac nud permanent\n") // nobody says so
	e := Effort{Rounds: 1, Exchanges: 1, Span: time.Millisecond}
	if _, err := Run(t.Context(), k, []Way{fast, slow}, e, nil); !errors.Is(err, ErrNoAnswer) {
		t.Errorf("got %v", err)
	}
	if _, err := Run(t.Context(), k, []Way{{From: "nowhere", To: "b"}}, e, nil); err == nil {
		t.Error("a way from a namespace that is not there is measured")
	}
}

func TestAnEndedContextEndsTheMeasuring(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := kernel.Open()
	defer k.Close()
	sh(t, twoWays)
	e := Effort{Rounds: 1, Exchanges: 1, Span: time.Hour}
	for kind, end := range map[string]int{"TCP": 1, "UDP": 2} { // after so many rounds
		ctx, cancel := context.WithCancel(t.Context())
		if kind == "TCP" {
			_, err := Run(ctx, k, []Way{fast}, e, func(done, _ int) {
				if done == end {
					cancel()
				}
			})
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s: got %v", kind, err)
			}
			continue
		}
		cancel()
		if _, err := udpRound(ctx, meters(t, k, fast), e, false); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v", kind, err)
		}
	}
}

func meters(t *testing.T, k *kernel.Kernel, ways ...Way) []meter {
	t.Helper()
	var all []meter
	for _, w := range ways {
		m, err := newMeter(k, w)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, m)
	}
	return all
}

func TestTurnsAreTakenBackwardsInEveryOtherRound(t *testing.T) {
	var order []string
	for _, backwards := range []bool{false, true} {
		err := inTurns([]meter{{Way: fast}, {Way: slow}}, backwards, func(_ int, m meter) error {
			order = append(order, m.To)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{"b", "c", "c", "b"}, order); diff != "" {
		t.Error(diff)
	}
}
