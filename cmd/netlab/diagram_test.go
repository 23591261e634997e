package main

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"netlab/lab/journal"
	"netlab/lab/kernel/kerneltest"
)

// Of a lab that is up, MACs and states are the kernel's; what was broken by hand
// shows.
func TestDiagramOfALabThatIsUp(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	pretendHost(t)
	diagram := func(args ...string) (int, string) {
		var stdout, stderr bytes.Buffer
		a := &app{
			args: args, stdin: &bytes.Buffer{}, stdout: &stdout, stderr: &stderr, now: ticking(), labs: journal.At(labsDir),
		}
		code := a.main()
		return code, stdout.String() + stderr.String()
	}
	must := func(args ...string) string {
		t.Helper()
		code, out := diagram(args...)
		if code != exitDone {
			t.Fatalf("%v: exit status %d\n%s", args, code, out)
		}
		return out
	}
	mac := func(in, dev string) string {
		return strings.TrimSpace(sh(t, "ip "+in+" -br link show "+dev+" | awk '{print $3}'"))
	}
	plan := must("diagram", "proxyarp", "--nat", "nftables")
	if regexp.MustCompile(`([0-9a-f]{2}:){5}`).MatchString(plan) {
		t.Errorf("MACs in a plan:\n%s", plan)
	}
	must("run", "proxyarp", "--until", "forwarding", "-q")
	live := must("diagram")
	for _, want := range []string{mac("-n ns1", "c-eth0"), mac("", "veth"), mac("", "up0"), "4 of 7 steps", "1.1.1.2/24", "nobody answers"} {
		if want == "" || !strings.Contains(live, want) {
			t.Errorf("no %q in\n%s", want, live)
		}
	}
	if strings.Contains(live, "*") || strings.Contains(live, "proxy_arp=1") {
		t.Errorf("marks without --until, or what is not done yet:\n%s", live)
	}
	t.Setenv("COLUMNS", "60")
	marked := must("diagram", "proxyarp", "--until", "veth")
	if got := len(regexp.MustCompile(`[│┤]\*`).FindAllString(marked, -1)); got != 5 { // two devices with their MACs, and an address
		t.Errorf("%d marks, want 5, in\n%s", got, marked)
	}
	if code, out := diagram("diagram", "--until", "proxy-arp"); code != exitUsage || !strings.Contains(out, "--until proxy-arp") {
		t.Errorf("a step that is not done: exit status %d, %s", code, out)
	}
	if code, out := diagram("diagram", "--until", "nope"); code != exitUsage {
		t.Errorf("a step that isn't one: exit status %d, %s", code, out)
	}
	sh(t, "ip -n ns1 link set c-eth0 down")
	if broken := must("diagram"); !strings.Contains(broken, "c-eth0  down") || !strings.Contains(broken, "its other end is not") {
		t.Errorf("c-eth0 is down, drawn is\n%s", broken)
	}
	sh(t, "ip link del veth")
	if broken := must("diagram"); !strings.Contains(broken, "c-eth0  missing") || !strings.Contains(broken, "veth  missing") {
		t.Errorf("the cable is gone, drawn is\n%s", broken)
	}
	sh(t, "ip netns del ns1")
	if broken := must("diagram", "-o", "json"); !strings.Contains(broken, `"missing":true`) {
		t.Errorf("ns1 is gone, drawn is\n%s", broken)
	}
}
