package trace

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/gopacket/gopacket/pcapgo"

	"netlab/lab"
	"netlab/lab/kernel/kerneltest"
)

// dump is a tcpdump on one device.
type dump struct {
	point Point
	file  string
	cmd   *exec.Cmd
}

// dropsRights tells whether tcpdump can run here: it sets its groups, which an
// ordinary user's namespace doesn't allow.
func dropsRights() bool {
	groups, err := os.ReadFile("/proc/self/setgroups")
	return err != nil || strings.TrimSpace(string(groups)) == "allow"
}

// tcpdump captures on each device until the returned function is called, which
// returns the frames by the names of the points. It waits until tcpdump has
// written all that it is told of each: what it has not read yet when it is stopped
// is lost, and IPv6 alone makes enough other frames to be taken for them.
func tcpdump(t *testing.T, points ...Point) func(atLeast map[string][][]byte) map[string][][]byte {
	t.Helper()
	if _, err := exec.LookPath("tcpdump"); err != nil {
		t.Skip("tcpdump is not installed")
	}
	if !dropsRights() {
		t.Skip("tcpdump can't set its groups in an ordinary user's namespace")
	}
	var dumps []dump
	for i, p := range points {
		d := dump{point: p, file: filepath.Join(t.TempDir(), fmt.Sprintf("%d.pcap", i))}
		argv := []string{"tcpdump", "-Z", "root", "-U", "--immediate-mode", "-i", p.Dev, "-nn", "-e", "-w", d.file}
		if p.NS != "" {
			argv = append([]string{"ip", "netns", "exec", p.NS}, argv...)
		}
		d.cmd = exec.Command(argv[0], argv[1:]...)
		said, err := d.cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := d.cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewReader(said)
		for { // "listening on …" is said once it does
			line, err := lines.ReadString('\n')
			if strings.Contains(line, "listening on") {
				break
			}
			if err != nil {
				t.Fatalf("tcpdump on %s: %v", p.Name(), err)
			}
		}
		go func() { _, _ = io.Copy(io.Discard, lines) }()
		dumps = append(dumps, d)
	}
	return func(atLeast map[string][][]byte) map[string][][]byte {
		t.Helper()
		frames := map[string][][]byte{}
		for _, d := range dumps {
			deadline := time.Now().Add(5 * time.Second) // then the comparison tells what is missing
			for !hasAll(readPcap(t, d.file), atLeast[d.point.Name()]) && time.Now().Before(deadline) {
				time.Sleep(5 * time.Millisecond)
			}
			_ = d.cmd.Process.Signal(syscall.SIGINT)
			if err := d.cmd.Wait(); err != nil {
				t.Errorf("tcpdump on %s: %v", d.point.Name(), err)
			}
			frames[d.point.Name()] = readPcap(t, d.file)
		}
		return frames
	}
}

// hasAll tells whether each of the wanted frames is among those written.
func hasAll(written, wanted [][]byte) bool {
	return !slices.ContainsFunc(wanted, func(w []byte) bool {
		return !slices.ContainsFunc(written, func(b []byte) bool { return bytes.Equal(b, w) })
	})
}

func readPcap(t *testing.T, file string) [][]byte {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := pcapgo.NewReader(f)
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	var frames [][]byte
	for {
		data, _, err := r.ReadPacketData()
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) { // or being written
			return frames
		}
		if err != nil {
			t.Fatal(err)
		}
		frames = append(frames, data)
	}
}

// sameFrames holds what a trace captured against what tcpdump did on the same
// device. Every frame of the trace's must be tcpdump's, byte for byte and in the
// same order; what tcpdump has besides must not be the probe's.
func sameFrames(t *testing.T, r Result, ours, theirs map[string][][]byte) {
	t.Helper()
	for name, frames := range theirs {
		others := slices.DeleteFunc(slices.Clone(frames), func(b []byte) bool {
			return !slices.ContainsFunc(ours[name], func(o []byte) bool { return bytes.Equal(o, b) })
		})
		if diff := cmp.Diff(others, ours[name], cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: tcpdump and the trace differ (-tcpdump +trace):\n%s", name, diff)
		}
		for _, b := range frames {
			if slices.ContainsFunc(ours[name], func(o []byte) bool { return bytes.Equal(o, b) }) {
				continue
			}
			p, ok := parse(b, true)
			if !ok || p.proto == isARP && !belongs(r, p) {
				continue // other protocols, and ARP of the kernel's own
			}
			t.Errorf("%s: tcpdump saw a frame that the trace left out: %+v", name, p)
		}
	}
}

// belongs tells whether an ARP frame asks for, or answers with, an address that a
// neighbour was needed for.
func belongs(r Result, p packet) bool {
	for _, l := range r.Journey.Legs {
		for _, d := range decisions(r, l.Kind, lab.DecideNeighbour) {
			if d["asked"] == "yes" && d["addr"] == p.dst.String() && p.arpOp == 1 {
				return true
			}
		}
	}
	return false
}

func TestEveryFrameIsWhatTcpdumpSaw(t *testing.T) {
	pods := []Point{{NS: "pod1", Dev: "eth0"}, {Dev: "cali1"}, {Dev: "cali2"}, {NS: "pod2", Dev: "eth0"}}
	way := []Point{{NS: "pod1", Dev: "eth0"}, {Dev: "cali1"}, {Dev: "up0"}, {NS: "out", Dev: "eth0"}}
	bridge := []Point{{NS: "p1", Dev: "eth0"}, {Dev: "v1"}, {Dev: "br0"}, {Dev: "v2"}, {Dev: "v3"}, {NS: "p2", Dev: "eth0"}, {NS: "p3", Dev: "eth0"}}
	for _, c := range []struct {
		name, network string
		points        []Point
		request       Request
		serve         bool
	}{
		{name: "routed pods", network: routed, points: pods, request: Request{From: "pod1", To: addr("10.244.1.2")}},
		{name: "TCP", network: routed, points: pods, request: Request{From: "pod1", To: addr("10.244.1.2"), Probe: lab.ProbeTCP, Port: 81}},
		{name: "UDP", network: routed, points: pods, request: Request{From: "pod1", To: addr("10.244.1.2"), Probe: lab.ProbeUDP, Port: 81}},
		{name: "masqueraded", network: routed + snat, points: way, request: Request{From: "pod1", To: addr("203.0.113.80")}},
		{name: "not masqueraded", network: routed, points: way, request: Request{From: "pod1", To: addr("203.0.113.80"), Patience: brief}},
		{name: "no route", network: routed + known + "ip route del default\n", points: way, request: Request{From: "pod1", To: addr("203.0.113.80"), Patience: brief}},
		{name: "bridge", network: bridged, points: bridge, request: Request{From: "p1", To: addr("10.88.0.12"), Also: []string{"p3"}}},
		{name: "ARP on a bridge", network: bridged, points: bridge, request: Request{From: "p1", To: addr("10.88.0.12"), Probe: lab.ProbeARP}},
	} {
		t.Run(strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) {
			if !kerneltest.Isolate(t) {
				return
			}
			k := openKernel(t)
			sh(t, c.network)
			frames := tcpdump(t, c.points...)
			r := follow(t, k, c.request)
			if len(r.Frames) == 0 {
				t.Error("no frames")
			}
			ours := map[string][][]byte{}
			for _, f := range r.Frames {
				name := r.Points[f.Point].Name()
				ours[name] = append(ours[name], f.Data)
			}
			sameFrames(t, r, ours, frames(ours))
		})
	}
}
