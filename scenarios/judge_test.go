package scenarios_test

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"netlab/lab"
	"netlab/lab/kernel"
	"netlab/lab/kernel/kerneltest"
	"netlab/lab/machine"
	"netlab/scenarios"
)

// practised is a scenario's plan in a sandbox's world, built by hand.
type practised struct {
	t       *testing.T
	k       *kernel.Kernel
	plan    lab.Plan
	reached map[string]bool
}

func newPractised(t *testing.T, s scenarios.Scenario, nat string) *practised {
	t.Helper()
	k := kernel.Open()
	t.Cleanup(func() { _ = k.Close() })
	if err := machine.BuildWorld(k); err != nil {
		t.Fatal(err)
	}
	server, err := machine.ServeWhoAmI(k)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	facts := machine.SandboxFacts()
	facts.Firewall, facts.IptablesNFT, facts.IPv6 = nat, true, false
	setting := scenarios.Setting{Values: s.Defaults(), Facts: facts}
	return &practised{
		t: t, k: k, reached: map[string]bool{},
		plan: lab.Plan{Lab: s.Name, Scenario: s.Name, Steps: s.Steps(setting)},
	}
}

// judge remembers what is reached.
func (p *practised) judge() lab.Verdict {
	p.t.Helper()
	v, err := p.plan.Judge(p.t.Context(), p.k, func(id string) bool { return p.reached[id] }, 700*time.Millisecond)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, s := range v.Passed {
		p.reached[s.ID] = true
	}
	return v
}

// next fails the test unless that step is the next one, for want of what is named.
func (p *practised) next(step, missing string) {
	p.t.Helper()
	v := p.judge()
	if v.Next == len(p.plan.Steps) || p.plan.Steps[v.Next].ID != step {
		p.t.Fatalf("next is step %d, not %s: %+v", v.Next, step, v.Missing)
	}
	e := v.Missing.Event("")
	if got := e.ID + e.Values["object"]; got != missing {
		p.t.Errorf("step %s lacks %q, not %q", step, got, missing)
	}
}

func (p *practised) sh(script string) {
	p.t.Helper()
	if out, err := exec.Command("bash", "-ec", script).CombinedOutput(); err != nil {
		p.t.Fatalf("%s: %v\n%s", script, err, out)
	}
}

// Of every scenario, each step is not satisfied before the commands that netlab shows
// for it, nor before the last of them, and is satisfied after it.
func TestEachStepIsSatisfiedByItsOwnCommands(t *testing.T) {
	for _, s := range scenarios.All() {
		t.Run(s.Name, func(t *testing.T) {
			if !kerneltest.Isolate(t) {
				return
			}
			p := newPractised(t, s, "iptables")
			for i, step := range p.plan.Steps {
				for _, o := range step.All() {
					if o.Verify(p.k) == nil { // such as a switch that another one brings along
						continue
					}
					if v := p.judge(); v.Next != i || v.Missing == nil || v.Lost {
						t.Fatalf("before %s of step %s: next is %d, %+v", o.Command(), step.ID, v.Next, v.Missing)
					}
					p.sh(o.Command().String())
				}
			}
			if v := p.judge(); v.Next != len(p.plan.Steps) || v.Missing != nil {
				t.Errorf("after all: next is %d, %+v", v.Next, v.Missing)
			}
		})
	}
}

// The same state is reached in other ways, and that is enough.
func TestEachStepIsSatisfiedByOtherWays(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	p := newPractised(t, scenarios.ProxyARP(), "iptables")
	p.next("namespace", "netns ns1")
	p.sh("unshare -n sh -c 'touch /run/netns/ns1; mount --bind /proc/self/ns/net /run/netns/ns1'")
	p.next("veth", "link veth")
	// Born inside, the peer moved out, and another name for a moment.
	p.sh(`ip netns exec ns1 ip link add name c-eth0 type veth peer name tmp
		ip netns exec ns1 ip link set tmp netns $$
		ip link set tmp name veth; ip link set dev veth up`)
	p.next("veth", "link c-eth0")
	p.sh("nsenter --net=/run/netns/ns1 ip addr add 1.1.1.2/255.255.255.0 dev c-eth0")
	p.next("veth", "link c-eth0")
	p.sh("ip -n ns1 link set c-eth0 up")
	p.next("routes", "route to 169.254.1.1 in ns1")
	p.sh("ip netns exec ns1 ip route add 169.254.1.1 dev c-eth0; ip netns exec ns1 ip route add 0/0 via 169.254.1.1")
	p.next("forwarding", "sysctl net.ipv4.ip_forward")
	p.sh("echo 1 > /proc/sys/net/ipv4/conf/all/forwarding")
	p.next("proxy-arp", "sysctl net.ipv4.conf.veth.proxy_arp")
	p.sh("echo 1 > /proc/sys/net/ipv4/conf/all/proxy_arp")
	p.next("proxy-arp", "sysctl net.ipv4.neigh.veth.proxy_delay")
	p.sh("ip ntable change name arp_cache dev veth proxy_delay 0")
	p.next("return-route", "route to 1.1.1.0/24 in the host")
	p.sh("ip route replace 1.1.1.0/24 dev veth")
	p.next("masquerade", "outside-answers")
	p.sh("nft -f - <<< 'table inet mine { chain out { type nat hook postrouting priority srcnat; oifname up0 masquerade; }; }'")
	if v := p.judge(); v.Next != len(p.plan.Steps) || v.Missing != nil {
		t.Errorf("after all: next is %d, %+v", v.Next, v.Missing)
	}
	// What is lost is named, and the step it was of.
	p.sh("ip -n ns1 route del default")
	v := p.judge()
	if !v.Lost || p.plan.Steps[v.Next].ID != "routes" || !strings.Contains(v.Missing.Event("").Values["object"], "default") {
		t.Errorf("without a default route: %+v", v.Missing)
	}
}

// A rule of the wrong kind, or for others, is no masquerade.
func TestNoStepIsSatisfiedByWhatHasNoEffect(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	p := newPractised(t, scenarios.ProxyARP(), "iptables")
	last := len(p.plan.Steps) - 1
	for _, step := range p.plan.Steps[:last] {
		for _, o := range step.All() {
			p.sh(o.Command().String())
		}
	}
	p.next("masquerade", "outside-answers")
	p.sh("iptables -t nat -A POSTROUTING -s 9.9.9.0/24 -j MASQUERADE")
	p.next("masquerade", "outside-answers")
	p.sh("iptables -t nat -F POSTROUTING; iptables -t nat -A POSTROUTING -s 1.1.1.2 -o up0 -j SNAT --to-source 192.0.2.2")
	if v := p.judge(); v.Next <= last || v.Missing != nil {
		t.Errorf("SNAT does the same: %+v", v.Missing)
	}
}

// What only a check can tell, a check does tell.
func TestAStepOfRulesHasAFailingCheck(t *testing.T) {
	facts := machine.SandboxFacts()
	facts.Walls = []lab.Wall{{Program: "iptables", Chain: "FORWARD"}}
	for _, nat := range []string{"iptables", "nftables"} {
		facts.Firewall = nat
		for _, s := range scenarios.All() {
			for _, step := range s.Steps(scenarios.Setting{Values: s.Defaults(), Facts: facts}) {
				byCheck, fails := false, false
				for _, o := range step.All() {
					if e, ok := o.(lab.Effector); ok && e.Kind() != "sysctl-set" && e.Kind() != "veth-add" { // those are read
						byCheck = true
					}
				}
				for _, c := range step.Checks {
					fails = fails || c.Before
				}
				if byCheck && !fails {
					t.Errorf("%s: no check of step %s fails before it", s.Name, step.ID)
				}
			}
		}
	}
}

// What nobody could guess is said: what things are called in the end, and what is for
// one pod alone.
func TestStepsSayWhatNobodyCouldGuess(t *testing.T) {
	t.Parallel()
	setting := func(s scenarios.Scenario) scenarios.Setting {
		facts := machine.SandboxFacts()
		facts.Firewall = "iptables"
		return scenarios.Setting{Values: s.Defaults(), Facts: facts}
	}
	cable := scenarios.ProxyARP().Steps(setting(scenarios.ProxyARP()))[1]
	want := []lab.Given{{Link: "veth"}, {NS: "ns1", Link: "c-eth0"}, {NS: "ns1", Link: "c-eth0", Address: "1.1.1.2/24"}}
	if diff := cmp.Diff(want, cable.Given()); diff != "" {
		t.Errorf("step %s: %s", cable.ID, diff)
	}
	host := scenarios.PTP().Steps(setting(scenarios.PTP()))[2]
	link := host.Given()[0].Link
	want = []lab.Given{{Group: "pod1", Link: link, Address: "10.1.1.1/32"}, {Group: "pod1", Route: "10.1.1.2"}}
	if diff := cmp.Diff(want, host.Given()[:2]); diff != "" {
		t.Errorf("step %s: %s", host.ID, diff)
	}
	if inside := scenarios.Calico().Steps(setting(scenarios.Calico()))[2]; len(inside.Given()) != len(inside.Groups) {
		t.Errorf("step %s: the routes are the same in each pod: %+v", inside.ID, inside.Given())
	}
}

// What reaches the same by other routes is another way, and lasts as long as it does.
func TestRoutesOfOnesOwnWillDo(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	p := newPractised(t, scenarios.ProxyARP(), "iptables")
	p.sh(`ip netns add ns1; ip link add veth type veth peer name c-eth0; ip link set c-eth0 netns ns1; ip link set veth up
		ip -n ns1 link set c-eth0 up; ip -n ns1 addr add 1.1.1.2/24 dev c-eth0`)
	p.next("routes", "route to 169.254.1.1 in ns1")
	p.sh("ip -n ns1 route add default dev c-eth0") // leads out, and asks for each address itself
	p.next("routes", "route to 169.254.1.1 in ns1")
	p.sh("ip -n ns1 route replace default via 169.254.1.1 dev c-eth0 onlink")
	v := p.judge()
	if len(v.Passed) != 1 || len(v.Passed[0].Otherwise) != 2 {
		t.Fatalf("%+v", v)
	}
	p.next("forwarding", "sysctl net.ipv4.ip_forward")
	p.sh("sysctl -qw net.ipv4.ip_forward=1")
	p.next("proxy-arp", "sysctl net.ipv4.conf.veth.proxy_arp")
	p.sh("sysctl -qw net.ipv4.neigh.veth.proxy_delay=0")
	p.next("proxy-arp", "sysctl net.ipv4.conf.veth.proxy_arp")
	p.sh("ip neigh add proxy 169.254.1.1 dev veth")
	p.next("return-route", "route to 1.1.1.0/24 in the host")
	p.sh("ip route add 1.1.1.2 dev veth")
	p.next("masquerade", "outside-answers")
	p.sh("iptables -t nat -A POSTROUTING -s 1.1.1.2 -j MASQUERADE")
	if v := p.judge(); v.Missing != nil {
		t.Errorf("%+v", v)
	}
	p.sh("ip -n ns1 route del default")
	if v := p.judge(); !v.Lost || v.Missing == nil || v.Missing.Step != "routes" {
		t.Errorf("without its route: %+v", v)
	}
}
