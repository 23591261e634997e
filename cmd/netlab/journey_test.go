package main

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"netlab/lab"
	"netlab/lab/trace"
	"netlab/scenarios"
)

const (
	podMAC    = "4a:27:1b:ea:dc:a6"
	hostMAC   = "ee:ee:ee:ee:ee:ee"
	upMAC     = "02:00:5e:00:53:02"
	worldMAC  = "02:00:5e:00:53:01"
	broadcast = "ff:ff:ff:ff:ff:ff"
)

// hop is a sighting in short: the four addresses, parted by blanks, a port behind
// its address.
func hop(ns, dev, dir, addresses string, ttl int, changed string, then ...lab.Decision) lab.Hop {
	f := strings.Fields(addresses)
	h := lab.Hop{NS: ns, Dev: dev, Dir: dir, SrcMAC: f[0], DstMAC: f[1], TTL: ttl, Changed: strings.Fields(changed), Then: then}
	h.Src, h.SrcPort = addressAndPort(f[2])
	h.Dst, h.DstPort = addressAndPort(f[3])
	return h
}

func addressAndPort(text string) (netip.Addr, uint16) {
	if a, err := netip.ParseAddrPort(text); err == nil {
		return a.Addr(), a.Port()
	}
	return netip.MustParseAddr(text), 0
}

// decided is a decision: its kind, and pairs of a name and a value.
func decided(kind string, pairs ...string) lab.Decision {
	d := lab.Decision{Kind: kind, Values: map[string]string{}}
	for i := 0; i+1 < len(pairs); i += 2 {
		d.Values[pairs[i]] = pairs[i+1]
	}
	return d
}

func asCopy(h lab.Hop) lab.Hop {
	h.Copy = true
	return h
}

// routedJourney is a pod's ping by a gateway that answers by proxy, with NAT.
func routedJourney() lab.Journey {
	const out, in = lab.DirOut, lab.DirIn
	return lab.Journey{
		From: "ns1", To: netip.MustParseAddr("203.0.113.80"), Probe: lab.ProbeEcho,
		Legs: []lab.Leg{{
			Kind: lab.LegRequest,
			Start: []lab.Decision{
				decided(lab.DecideRoute, "route", "default via 169.254.1.1 dev c-eth0", "dev", "c-eth0", "via", "169.254.1.1", "src", "1.1.1.2"),
				decided(lab.DecideNeighbour, "addr", "169.254.1.1", "dev", "c-eth0", "mac", hostMAC,
					"owner_ns", "", "owner_dev", "veth", "proxy", "yes", "asked", "yes", "state", "REACHABLE"),
			},
			Hops: []lab.Hop{
				hop("ns1", "c-eth0", out, podMAC+" "+hostMAC+" 1.1.1.2 203.0.113.80", 64, "",
					decided(lab.DecideCable, "dev", "c-eth0", "peer", "veth", "peer_ns", "")),
				hop("", "veth", in, podMAC+" "+hostMAC+" 1.1.1.2 203.0.113.80", 64, "",
					decided(lab.DecideRoute, "route", "default via 192.0.2.1 dev up0", "dev", "up0", "via", "192.0.2.1"),
					decided(lab.DecideNAT, "field", "src", "before", "1.1.1.2", "after", "192.0.2.2"),
					decided(lab.DecideNeighbour, "addr", "192.0.2.1", "dev", "up0", "mac", worldMAC,
						"owner_ns", "internet", "owner_dev", "eth0", "state", "STALE")),
				hop("", "up0", out, upMAC+" "+worldMAC+" 192.0.2.2 203.0.113.80", 63, "src_mac dst_mac src ttl",
					decided(lab.DecideCable, "dev", "up0", "peer", "eth0", "peer_ns", "internet")),
				hop("internet", "eth0", in, upMAC+" "+worldMAC+" 192.0.2.2 203.0.113.80", 63, "",
					decided(lab.DecideLocal, "dev", "lo")),
			},
		}, {
			Kind: lab.LegReply,
			Start: []lab.Decision{
				decided(lab.DecideRoute, "route", "192.0.2.0/24 dev eth0 proto kernel scope link src 192.0.2.1 metric 100", "dev", "eth0", "table", "100"),
			},
			Hops: []lab.Hop{
				hop("internet", "eth0", out, worldMAC+" "+upMAC+" 203.0.113.80 192.0.2.2", 64, ""),
				hop("", "up0", in, worldMAC+" "+upMAC+" 203.0.113.80 192.0.2.2", 64, "",
					decided(lab.DecideNAT, "field", "dst", "before", "192.0.2.2", "after", "1.1.1.2")),
				hop("", "veth", out, hostMAC+" "+podMAC+" 203.0.113.80 1.1.1.2", 63, "src_mac dst_mac dst ttl"),
				hop("ns1", "c-eth0", in, hostMAC+" "+podMAC+" 203.0.113.80 1.1.1.2", 63, "",
					decided(lab.DecideLocal, "dev", "c-eth0")),
			},
		}},
		End: lab.Ending{Outcome: lab.Answered, RTT: 118500 * time.Nanosecond},
	}
}

// bridgedJourney is a question by ARP that a bridge floods.
func bridgedJourney() lab.Journey {
	ask, answer := podMAC+" "+broadcast+" 10.9.0.11 10.9.0.12", upMAC+" "+podMAC+" 10.9.0.12 10.9.0.11"
	return lab.Journey{
		From: "pod1", To: netip.MustParseAddr("10.9.0.12"), Probe: lab.ProbeARP,
		Legs: []lab.Leg{{
			Kind: lab.LegRequest,
			Hops: []lab.Hop{
				hop("pod1", "eth0", lab.DirOut, ask, 0, ""),
				hop("", "veth1", lab.DirIn, ask, 0, "", decided(lab.DecideBridge, "dev", "br0", "mac", broadcast, "flooded", "yes")),
				asCopy(hop("", "veth3", lab.DirOut, ask, 0, "")),
				asCopy(hop("pod3", "eth0", lab.DirIn, ask, 0, "")),
				hop("", "veth2", lab.DirOut, ask, 0, ""),
				hop("pod2", "eth0", lab.DirIn, ask, 0, "", decided(lab.DecideLocal, "dev", "eth0")),
			},
		}, {
			Kind: lab.LegReply,
			Hops: []lab.Hop{
				hop("pod2", "eth0", lab.DirOut, answer, 0, ""),
				hop("", "veth2", lab.DirIn, answer, 0, "", decided(lab.DecideBridge, "dev", "br0", "mac", podMAC, "port", "veth1")),
				hop("", "veth1", lab.DirOut, answer, 0, ""),
				hop("pod1", "eth0", lab.DirIn, answer, 0, ""),
			},
		}},
		End: lab.Ending{Outcome: lab.Answered, RTT: 2340 * time.Microsecond},
	}
}

// portsJourney has the longest names and addresses that there can be.
func portsJourney() lab.Journey {
	way := podMAC + " " + hostMAC + " 100.100.100.200:54321 100.100.200.100:65535"
	translated := upMAC + " " + worldMAC + " 192.168.100.200:61234 100.100.200.100:65535"
	return lab.Journey{
		From: "pid:4194304", To: netip.MustParseAddr("100.100.200.100"), Probe: lab.ProbeTCP, Port: 65535,
		Legs: []lab.Leg{{
			Kind: lab.LegRequest,
			Hops: []lab.Hop{
				hop("pid:4194304", "cali12345678901", lab.DirOut, way, 255, ""),
				hop("", "cali0db0293d5b3", lab.DirIn, way, 255, "",
					decided(lab.DecideNAT, "field", "src", "before", "100.100.100.200", "after", "192.168.100.200"),
					decided(lab.DecideNAT, "field", "src_port", "before", "54321", "after", "61234")),
				hop("", "enp0s31f6np0d1", lab.DirOut, translated, 254, "src_mac dst_mac src src_port ttl"),
			},
		}},
		End: lab.Ending{
			Outcome: lab.Lost, NS: "", Dev: "enp0s31f6np0d1", Leg: lab.LegRequest, Reason: trace.LeftCaptures, Values: map[string]string{"dev": "enp0s31f6np0d1"},
			DropUnread: trace.DropNotAllowed,
		},
	}
}

// lostJourney is dropped by a firewall on its way back.
func lostJourney() lab.Journey {
	j := routedJourney()
	j.Legs[1].Hops = j.Legs[1].Hops[:2]
	j.End = lab.Ending{
		Outcome: lab.Lost, NS: "", Dev: "up0", Leg: lab.LegReply, Reason: trace.NoRoute, Values: map[string]string{"dst": "1.1.1.2"}, Drop: "IP_INNOROUTES",
		Look: lab.Command{"ip", "route", "get", "1.1.1.2", "from", "203.0.113.80", "iif", "up0"},
	}
	return j
}

// A followed packet is shown in every width and language, with nothing broken.
func TestJourneysAreAsWrittenDown(t *testing.T) {
	journeys := []lab.Journey{routedJourney(), bridgedJourney(), portsJourney(), lostJourney()}
	for _, lang := range languages() {
		for _, width := range []int{60, 80, 120} {
			name := fmt.Sprintf("journey-%d-%s.txt", width, lang)
			t.Run(name, func(t *testing.T) {
				t.Setenv("COLUMNS", strconv.Itoa(width))
				var stdout bytes.Buffer
				a := &app{stdout: &stdout, ascii: width == 60 && lang == english}
				if err := a.speak(lang); err != nil {
					t.Fatal(err)
				}
				for _, j := range journeys {
					v := &journeyView{app: a, paper: a.paper(), room: a.pictureWidth(), lab: "way"}
					v.showJourney(j, true)
					v.line("")
				}
				testWidth(t, width, name, stdout.String())
				testWhole(t, journeys, stdout.String())
				path := filepath.Join("testdata", "golden", name)
				if *update {
					if err := os.WriteFile(path, stdout.Bytes(), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(string(want), stdout.String()); diff != "" {
					t.Errorf("%s (-want +got; go test ./cmd/netlab -run Journeys -update writes it anew):\n%s", path, diff)
				}
			})
		}
	}
}

// testWhole looks for every address of every hop on one line, in their order.
func testWhole(t *testing.T, journeys []lab.Journey, printed string) {
	t.Helper()
	var want []string
	for _, j := range journeys {
		for _, leg := range j.Legs {
			for _, h := range leg.Hops {
				want = append(want, h.SrcMAC, h.DstMAC, withPort(h.Src.String(), h.SrcPort), withPort(h.Dst.String(), h.DstPort))
			}
		}
	}
	for _, value := range want {
		at := regexp.MustCompile(regexp.QuoteMeta(value) + `\*?(\s|$)`).FindStringIndex(printed)
		if at == nil {
			t.Fatalf("%q is missing or out of order before:\n%s", value, printed)
		}
		printed = printed[at[0]:]
	}
}

// A changed value is marked without ink, and bold with it; a copy is called one.
func TestMarksNeedNoInk(t *testing.T) {
	a := &app{stdout: &bytes.Buffer{}}
	if err := a.speak(english); err != nil {
		t.Fatal(err)
	}
	v := &journeyView{app: a, paper: a.paper()}
	if got := v.cell(hopCell{"63", true}, false); got != "63*" {
		t.Errorf("changed, without ink: %q", got)
	}
	if got := v.hopRow(asCopy(hop("pod3", "eth0", lab.DirIn, podMAC+" "+broadcast+" 10.9.0.11 10.9.0.12", 0, ""))).dir; got != "← copy" {
		t.Errorf("a copy, without ink: %q", got)
	}
	v.bold.EnableColor()
	if got := v.cell(hopCell{"63", true}, false); !strings.HasPrefix(got, "\x1b[1m63*") {
		t.Errorf("changed, with ink: %q", got)
	}
}

// A check's packet is shown below the check's line, and what the marks mean once;
// before the step only with -v, and never with -q.
func TestJourneyOfACheckIsShownBelowItsLine(t *testing.T) {
	holds := true
	j := routedJourney()
	after := lab.Event{
		Type: lab.CheckDone, Step: "masquerade", ID: "outside-answers", Phase: lab.After, Holds: &holds, Outcome: "answered", Journey: &j,
	}
	before := after
	before.Phase = lab.Before
	for _, tt := range []struct {
		name           string
		quiet, verbose bool
		events         []lab.Event
		titles, marks  int
	}{
		{name: "after", events: []lab.Event{after}, titles: 1, marks: 1},
		{name: "twice", events: []lab.Event{after, after}, titles: 2, marks: 1},
		{name: "before", events: []lab.Event{before}},
		{name: "before, verbose", verbose: true, events: []lab.Event{before, after}, titles: 2, marks: 1},
		{name: "quiet", quiet: true, events: []lab.Event{after}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var stdout bytes.Buffer
			a := &app{stdout: &stdout, quiet: tt.quiet, verbose: tt.verbose}
			if err := a.speak(english); err != nil {
				t.Fatal(err)
			}
			s := scenarios.ProxyARP()
			v, err := a.textView(s, scenarios.Setting{Values: s.Defaults()}, false)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range tt.events {
				v.show(e)
			}
			got := stdout.String()
			if n := strings.Count(got, "\n    request: "); n != tt.titles {
				t.Errorf("%d journeys, want %d:\n%s", n, tt.titles, got)
			}
			if n := strings.Count(got, "\n    → out"); n != tt.marks {
				t.Errorf("the marks are explained %d times, want %d:\n%s", n, tt.marks, got)
			}
		})
	}
}

// A handout keeps the way of a packet as well.
func TestTranscriptKeepsAJourney(t *testing.T) {
	a := &app{stdout: &bytes.Buffer{}}
	if err := a.speak(chinese); err != nil {
		t.Fatal(err)
	}
	s := scenarios.ProxyARP()
	v, err := a.textView(s, scenarios.Setting{Values: s.Defaults()}, false)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "handout.md")
	file, err := openTranscript(path)
	if err != nil {
		t.Fatal(err)
	}
	kept, holds, j := &transcript{file: file, view: v}, true, routedJourney()
	kept.keep(lab.Event{
		Type: lab.CheckDone, Step: "masquerade", ID: "outside-answers", Phase: lab.After, Holds: &holds, Outcome: "answered", Journey: &j,
	})
	if err := kept.close(); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile("(?s)```console\n请求：ns1 发给 203.0.113.80 的 ICMP echo 请求\n.*\n✓ 收到应答，用时 0.118 ms\n```\n").Match(got) {
		t.Errorf("kept: %s", got)
	}
}

// circling is a packet that two routers send to one another until its TTL runs out.
func circling(ttl int) lab.Journey {
	there, back := upMAC+" "+worldMAC+" 1.1.1.2 198.51.100.7", worldMAC+" "+upMAC+" 1.1.1.2 198.51.100.7"
	j := lab.Journey{From: "ns1", To: netip.MustParseAddr("198.51.100.7"), Probe: lab.ProbeEcho, Legs: []lab.Leg{{Kind: lab.LegRequest}},
		End: lab.Ending{Outcome: lab.Lost, NS: "internet", Dev: "eth0", Leg: lab.LegRequest, Reason: trace.TTLExceeded, Values: map[string]string{"in": "internet"}}}
	for ; ttl > 1; ttl -= 2 {
		j.Legs[0].Hops = append(j.Legs[0].Hops,
			hop("", "up0", lab.DirOut, there, ttl, ""), hop("internet", "eth0", lab.DirIn, there, ttl, ""),
			hop("internet", "eth0", lab.DirOut, back, ttl-1, ""), hop("", "up0", lab.DirIn, back, ttl-1, ""))
	}
	return j
}

// A packet that goes in a circle is told once, and how often it did.
func TestACircleIsToldOnce(t *testing.T) {
	for _, tt := range []struct {
		ttl, rows int
		want      string
	}{
		{ttl: 64, rows: 4, want: "the same 4 hops 31 more times"},
		{ttl: 4, rows: 8},
	} {
		var stdout bytes.Buffer
		a := &app{stdout: &stdout}
		if err := a.speak(english); err != nil {
			t.Fatal(err)
		}
		(&journeyView{app: a, paper: a.paper(), room: 120}).showJourney(circling(tt.ttl), true)
		got := stdout.String()
		if n := strings.Count(got, "198.51.100.7 "); n < tt.rows || n > tt.rows+1 {
			t.Errorf("TTL %d: %d rows, want %d:\n%s", tt.ttl, n, tt.rows, got)
		}
		if !strings.Contains(got, tt.want) || !strings.Contains(got, "its TTL ran out in internet") {
			t.Errorf("TTL %d:\n%s", tt.ttl, got)
		}
	}
}

// What came back is named in the leg's title, what is odd below the end, and a
// value of the engine's is never left in braces.
func TestJourneysNameWhatCameBack(t *testing.T) {
	kind, code := 3, 3
	udp := lab.Journey{From: "ns1", To: netip.MustParseAddr("203.0.113.80"), Probe: lab.ProbeUDP, Port: 9, Legs: []lab.Leg{{
		Kind: lab.LegError, Type: &kind, Code: &code,
		Hops: []lab.Hop{hop("internet", "eth0", lab.DirOut, worldMAC+" "+upMAC+" 203.0.113.80 192.0.2.2", 64, "")},
	}}, End: lab.Ending{Outcome: lab.Unanswered, NS: "internet", Dev: "eth0", Leg: lab.LegRequest, Reason: trace.NoNeighbour,
		Values: map[string]string{"addr": "169.254.1.1", "dev": "eth0", "router": "", "router_dev": "veth", "why": "refusing-route", "route": "blackhole 169.254.1.1"},
		Notes:  []lab.Oddity{{Kind: lab.OddElsewhere, Values: map[string]string{"addr": "10.0.0.2", "owner_ns": "pod2", "owner_dev": "eth0", "ns": "", "route": "default via 192.0.2.1 dev up0"}}}}}
	tcp := lab.Journey{From: "ns1", To: udp.To, Probe: lab.ProbeTCP, Port: 9, Legs: []lab.Leg{{
		Kind: lab.LegReply, Flags: "RST", Hops: udp.Legs[0].Hops,
	}}, End: lab.Ending{Outcome: lab.Rejected, NS: "", Dev: "up0", Leg: lab.LegRequest, Reason: trace.TCPReset,
		Values: map[string]string{"addr": "203.0.113.80", "port": "9", "made_in": ""},
		Notes:  []lab.Oddity{{Kind: lab.OddDuplicate, Values: map[string]string{"addr": "203.0.113.80", "mac": upMAC, "other": hostMAC}}}}}
	var stdout bytes.Buffer
	a := &app{stdout: &stdout}
	if err := a.speak(english); err != nil {
		t.Fatal(err)
	}
	wide := a.paper()
	wide.columns = 1000
	for _, j := range []lab.Journey{udp, tcp} {
		(&journeyView{app: a, paper: wide, room: 120}).showJourney(j, true)
	}
	got := stdout.String()
	for _, want := range []string{
		"an ICMP error from 203.0.113.80, port unreachable", "the TCP answer of 203.0.113.80, RST", "no answer came back",
		"a route of the host refuses it: blackhole", "10.0.0.2 is in pod2, on eth0", "two answer for 203.0.113.80", "the host sent a TCP reset",
	} {
		if !strings.Contains(strings.ReplaceAll(got, scenarios.Unbroken, " "), want) {
			t.Errorf("%q is missing from:\n%s", want, got)
		}
	}
	if strings.ContainsAny(got, "{}") {
		t.Errorf("a value is left open:\n%s", got)
	}
}
