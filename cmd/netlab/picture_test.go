package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fatih/color"
	"github.com/google/go-cmp/cmp"

	"netlab/lab"
	"netlab/lab/op"
	"netlab/scenarios"
)

// pictured is an app that draws, with no machine behind it.
func pictured(t *testing.T) *app { return picturedIn(t, "en") }

func picturedIn(t *testing.T, lang string) *app {
	t.Helper()
	c, err := readCatalog(lang)
	if err != nil {
		t.Fatal(err)
	}
	return &app{catalog: c, output: "text", stdout: io.Discard}
}

func pictureFacts() lab.Facts {
	return lab.Facts{Uplink: "up0", HostAddr: "192.0.2.2", Outside: "203.0.113.80", Firewall: "iptables"}
}

func proxyarpSteps() []lab.Step {
	s := scenarios.ProxyARP()
	return s.Steps(scenarios.Setting{Lab: s.Name, Values: s.Defaults(), Facts: pictureFacts()})
}

// pods are several pods on one host, each by a cable of its own.
func pods(n int, device string) []lab.Step {
	prefix := netip.MustParsePrefix
	var ops []lab.Op
	for i := 1; i <= n; i++ {
		ns, dev := fmt.Sprintf("pod%d", i), fmt.Sprintf("%s%d", device, i)
		addr := prefix(fmt.Sprintf("10.244.%d.%d/32", i/250, i%250))
		ops = append(ops,
			op.NetnsAdd{Name: ns},
			op.VethAdd{Name: dev, Peer: "eth0"},
			op.LinkSetUp{Name: dev},
			op.LinkSetNetns{Name: "eth0", To: ns},
			op.LinkSetUp{NS: ns, Name: "eth0"},
			op.AddrAdd{NS: ns, Link: "eth0", Addr: addr},
			op.RouteAdd{NS: ns, Dst: prefix("169.254.1.1/32"), Dev: "eth0", Scope: "link"},
			op.RouteAdd{NS: ns, Dst: prefix("0.0.0.0/0"), Via: netip.MustParseAddr("169.254.1.1"), Dev: "eth0"},
			op.RouteAdd{Dst: addr, Dev: dev, Scope: "link"},
		)
	}
	return []lab.Step{{ID: "pods", Ops: ops}}
}

// cabled are two namespaces with a cable between them, the host apart.
func cabled() []lab.Step {
	return []lab.Step{{ID: "cable", Ops: []lab.Op{
		op.NetnsAdd{Name: "red"}, op.NetnsAdd{Name: "blue"},
		op.VethAdd{NS: "red", Name: "r0", Peer: "b0"},
		op.LinkSetNetns{NS: "red", Name: "b0", To: "blue"},
		op.VethAdd{NS: "red", Name: "in", Peer: "self"},
	}}}
}

func (a *app) textOf(pic lab.Picture, before *lab.Picture, width int, ascii bool) string {
	var b bytes.Buffer
	plain := color.New()
	plain.DisableColor()
	a.drawText(&paper{w: &b, columns: width, bold: plain, dim: plain, green: plain, red: plain}, pic, before, ascii)
	return b.String()
}

func TestPicturesAreAsWrittenDown(t *testing.T) {
	a := pictured(t)
	f := pictureFacts()
	whole := lab.PictureAt(f, proxyarpSteps(), "")
	var steps strings.Builder
	for i, s := range proxyarpSteps() {
		before := lab.PictureAt(f, proxyarpSteps()[:i], "")
		fmt.Fprintf(&steps, "%s\n%s\n", s.ID, a.textOf(lab.PictureAt(f, proxyarpSteps(), s.ID), &before, 80, false))
	}
	marked := lab.PictureAt(f, proxyarpSteps(), "proxy-arp").Since(lab.PictureAt(f, proxyarpSteps(), "forwarding"))
	for name, got := range map[string]string{
		"60.txt":       a.textOf(whole, nil, 60, false),
		"80.txt":       a.textOf(whole, nil, 80, false),
		"120.txt":      a.textOf(whole, nil, 120, false),
		"60-ascii.txt": a.textOf(whole, nil, 60, true),
		"80-ascii.txt": a.textOf(marked, nil, 80, true),
		"steps.txt":    steps.String(),
		"mermaid.mmd":  a.drawMermaid(marked, "proxyarp"),
		"dot.dot":      a.drawDot(marked, "proxyarp"),
		"svg.svg":      a.drawSVG(marked, "proxyarp"),
		"pods.txt":     a.textOf(lab.PictureAt(f, pods(3, "cali"), ""), nil, 80, false) + a.textOf(lab.PictureAt(f, pods(3, "cali"), ""), nil, 60, false),
		"many.txt":     a.textOf(lab.PictureAt(f, pods(1000, "cali"), ""), nil, 80, false),
		"cable.txt":    a.textOf(lab.PictureAt(f, cabled(), ""), nil, 80, false) + a.textOf(lab.PictureAt(f, cabled(), ""), nil, 60, true),
	} {
		golden(t, name, got)
	}
}

// golden compares with a file, or writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", "golden", "diagram-"+name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got; go test ./cmd/netlab -run 'Pictures|Scenes' -update writes it anew):\n%s", path, diff)
	}
}

// Whatever is drawn fits, in every language's widths, and nothing that a person
// copies is broken.
func TestPicturesFitAndBreakNothing(t *testing.T) {
	english, chinese := pictured(t), picturedIn(t, "zh")
	f := pictureFacts()
	long := f
	long.Uplink = "enp0s31f6abcdef"
	pictures := map[string]lab.Picture{
		"proxyarp":   lab.PictureAt(f, proxyarpSteps(), ""),
		"step":       lab.PictureAt(f, proxyarpSteps(), "veth").Since(lab.PictureAt(f, nil, "")),
		"one pod":    lab.PictureAt(f, pods(1, "cali"), ""),
		"three pods": lab.PictureAt(f, pods(3, "cali"), ""),
		"long names": lab.PictureAt(long, pods(3, "abcdefghijklm-"), ""),
		"many pods":  lab.PictureAt(f, pods(40, "cali"), ""),
		"cable":      lab.PictureAt(f, cabled(), ""),
		"calico":     lab.PictureAt(f, calicoLike(1000), ""),
		"bridge":     lab.PictureAt(long, bridgeLike(1000), ""),
		"ptp":        lab.PictureAt(f, ptpLike(), ""),
		"alone":      lab.PictureAt(f, lonely(), ""),
		"no uplink":  lab.PictureAt(lab.Facts{RPFilter: 2}, proxyarpSteps(), ""),
		"nothing":    lab.PictureAt(lab.Facts{}, nil, ""),
	}
	for name, pic := range pictures {
		for _, s := range pic.Spaces {
			for i, d := range s.Devices {
				if d.MAC == "" {
					d.MAC = fmt.Sprintf("02:00:5e:00:53:%02x", i)
				}
			}
		}
		for lang, a := range map[string]*app{"en": english, "zh": chinese} {
			for width := 60; width <= 130; width++ {
				text := a.textOf(pic, nil, width, false)
				for line := range strings.Lines(text) {
					if got := columns(strings.TrimSuffix(line, "\n")); got > width {
						t.Errorf("%s, %s, %d columns: %d in %q", name, lang, width, got, line)
					}
				}
				for _, whole := range copied(a, pic) {
					if !strings.Contains(text, whole) {
						t.Errorf("%s, %s, %d columns: no %q in one piece in\n%s", name, lang, width, whole, text)
					}
				}
				if err := framed(text); err != nil {
					t.Errorf("%s, %s, %d columns: %v in\n%s", name, lang, width, err, text)
				}
			}
		}
	}
}

// copied is what must be found whole: what is in the boxes, one for a row.
func copied(a *app, pic lab.Picture) []string {
	var all []string
	for _, b := range a.pictureParts(pic, true).boxes {
		for _, r := range b.rows {
			if !r.section {
				all = append(all, r.text)
			}
		}
	}
	return all
}

// framed checks that every upright line goes on from where it begins to where it
// ends: then every row is as wide as it seems.
func framed(text string) error {
	grid := map[[2]int]rune{}
	y := 0
	for line := range strings.Lines(text) {
		x := 0
		for _, r := range strings.TrimSuffix(line, "\n") {
			grid[[2]int{x, y}] = r
			x += columns(string(r))
		}
		y++
	}
	for at, r := range grid {
		if strings.ContainsRune("│├┤┌┐╭╮┬┼", r) && !strings.ContainsRune("│├┤└┘╰╯┴┼", grid[[2]int{at[0], at[1] + 1}]) {
			return fmt.Errorf("the line at column %d ends in row %d", at[0], at[1])
		}
		if strings.ContainsRune("─├┌└╭╰┬┴┼", r) && !strings.ContainsRune("─┤┐┘╮╯┬┴┼* ", grid[[2]int{at[0] + 1, at[1]}]) {
			return fmt.Errorf("the line in row %d ends at column %d", at[1], at[0])
		}
	}
	return nil
}

func TestSVGIsWellFormedAndSelfContained(t *testing.T) {
	a := pictured(t)
	for name, pic := range map[string]lab.Picture{
		"step":    lab.PictureAt(pictureFacts(), proxyarpSteps(), "veth").Since(lab.PictureAt(pictureFacts(), nil, "")),
		"pods":    lab.PictureAt(pictureFacts(), pods(3, "cali"), ""),
		"cable":   lab.PictureAt(pictureFacts(), cabled(), ""),
		"calico":  lab.PictureAfter(pictureFacts(), calicoLike(5), 2),
		"bridge":  lab.PictureAfter(pictureFacts(), bridgeLike(5), 1),
		"nothing": lab.PictureAt(lab.Facts{}, nil, ""),
	} {
		svg := a.drawSVG(pic, `<"&'> `+name)
		dec := xml.NewDecoder(strings.NewReader(svg))
		for {
			_, err := dec.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v in\n%s", name, err, svg)
			}
		}
		without := strings.Replace(svg, `xmlns="http://www.w3.org/2000/svg"`, "", 1)
		for _, no := range []string{"http", "<script", "url(", "@import", "href"} {
			if strings.Contains(without, no) {
				t.Errorf("%s: %q in the file", name, no)
			}
		}
		if !strings.Contains(svg, "prefers-color-scheme: dark") {
			t.Errorf("%s: no dark colours", name)
		}
		if got, want := strings.Contains(svg, `class="new"`), pic.News(); got != want {
			t.Errorf("%s: has marks %v, want %v", name, got, want)
		}
	}
}

// Nothing that a label holds can end it.
func TestGraphLabelsAreQuoted(t *testing.T) {
	if got, want := dotQuoted(`a"b\c`), `"a\"b\\c"`; got != want {
		t.Errorf("DOT: %s, want %s", got, want)
	}
	if got, want := mermaidQuoted([]string{`a"b`, "* c<d>#"}), `"a#quot;b<br/>#42; c#lt;d#gt;#35;"`; got != want {
		t.Errorf("Mermaid: %s, want %s", got, want)
	}
}

// The graph languages' own programs take what is drawn, where they are there.
func TestGraphvizTakesTheDot(t *testing.T) {
	dot, err := exec.LookPath("dot")
	if err != nil {
		t.Skip("no Graphviz")
	}
	a := pictured(t)
	for name, pic := range map[string]lab.Picture{
		"proxyarp": lab.PictureAt(pictureFacts(), proxyarpSteps(), ""),
		"many":     lab.PictureAt(pictureFacts(), pods(20, "cali"), ""),
		"calico":   lab.PictureAt(pictureFacts(), calicoLike(5), ""),
		"bridge":   lab.PictureAt(pictureFacts(), bridgeLike(5), ""),
		"nothing":  lab.PictureAt(lab.Facts{}, nil, ""),
	} {
		cmd := exec.Command(dot, "-Tsvg")
		cmd.Stdin = strings.NewReader(a.drawDot(pic, name))
		if out, err := cmd.CombinedOutput(); err != nil || bytes.Contains(out, []byte("Error")) {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}
