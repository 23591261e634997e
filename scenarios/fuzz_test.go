package scenarios

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"netlab/lab"
	"netlab/lab/op"
)

// Whatever stands in a file of words: it is refused, or it has a title and every
// prediction has its one right answer.
func FuzzWords(f *testing.F) {
	files, err := filepath.Glob("*.md")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		name, _, _ := strings.Cut(file, ".")
		f.Add(name, text)
	}
	for _, seed := range []string{
		"", "# x", "# x: t", "# x: t\n\n## s: t\n\n### predict\n\nq\n\n- [x] a\n- [ ] b\n", "# x: t\n\n## s: t\n\n### check c\n\n- a: b\n",
		"# x: t\n\n- a\n", "# x: t\n\n## s: t\n\n### predict\n\n-\n", "# x: t\n\n## s: t\n\n### check c\n\nq\n\n-\n", "# x: t\n\n> q\n", "# x: t\n\n<b>\n",
	} {
		f.Add("x", []byte(seed))
	}
	f.Fuzz(func(t *testing.T, scenario string, source []byte) {
		w, err := parseWords(scenario, source)
		if err != nil {
			return
		}
		if w.Title == "" {
			t.Error("it has no title")
		}
		for id, s := range w.Steps {
			for name, p := range s.Predictions {
				if len(p.Choices) > 0 && (p.Right < 0 || p.Right >= len(p.Choices)) {
					t.Errorf("step %q, prediction %q: the right one is %d of %d", id, name, p.Right, len(p.Choices))
				}
			}
			for name, c := range s.Checks {
				if c.Outcomes == nil {
					t.Errorf("step %q, check %q has no outcomes", id, name)
				}
			}
		}
	})
}

// Whatever is typed for a parameter: it is refused with a reason that has words, or
// a lab can be made of it whose names, addresses and keys are what the kernel takes,
// and whose commands mean to every program what they mean to us.
func FuzzParam(f *testing.F) {
	words, err := os.ReadFile("../cmd/netlab/words/en.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{
		"", "1", "3", "pod", "ns1", "host", "all", "default", "-x", "a/b", "..", "a\nb", "a\x00b", "\x1b[2J", "ü", "1.1.1.0/24", "1.1.1.1", "169.254.1.1",
		"255.255.255.255", "::1", "1.1.1.0/0", "10.0.0.0/8", "+2", "1e3", "0x2", "999999999999999999999", "auto", "nftables", "$(id)", "pod.", "a b",
		"::ffff:1.1.1.1", "fe80::1%eth0", "٣",
	} {
		for i := range 12 {
			f.Add(seed, uint8(i))
		}
	}
	f.Fuzz(func(t *testing.T, value string, which uint8) {
		for _, s := range All() {
			p := s.Params[int(which)%len(s.Params)]
			if n, err := strconv.Atoi(value); err == nil && n > 9 && p.Name == "pods" {
				continue // many are as few, and take long
			}
			values := s.Defaults()
			values[p.Name] = value
			err := s.Check(values)
			var bad *BadValueError
			if err != nil {
				if !errors.As(err, &bad) || !strings.Contains(string(words), `"bad.`+bad.Why+`"`) {
					t.Fatalf("%s --%s %q: an error without words: %v", s.Name, p.Name, value, err)
				}
				continue
			}
			testSafe(t, s, values)
		}
	})
}

// testSafe looks at all that a lab of those values would make.
func testSafe(t *testing.T, s Scenario, values Values) {
	t.Helper()
	name := regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}$`)
	needs := s.Needs(values)
	for _, n := range append(append([]string{s.Home(values)}, needs.Namespaces...), needs.Links...) {
		if !name.MatchString(n) {
			t.Errorf("%s %v makes %q", s.Name, values, n)
		}
	}
	for _, facts := range []lab.Facts{
		{Firewall: "iptables", IPv6: true, RPFilter: 1, Uplink: "up0", HostAddr: "192.0.2.2", Outside: "192.0.2.1", IptablesNFT: true},
		{Firewall: "nftables", BridgeFirewall: true, Uplink: "up0", HostAddr: "192.0.2.2", Outside: "192.0.2.1"},
	} {
		for _, step := range s.Steps(Setting{Lab: "lab", Values: values, Facts: facts}) {
			for _, o := range step.All() {
				if set, ok := o.(op.SysctlSet); ok && (!fs.ValidPath(set.Key) || !strings.HasPrefix(set.Key, "net/")) {
					t.Errorf("%s %v sets %q", s.Name, values, set.Key)
				}
				for _, word := range o.Command() {
					if strings.ContainsAny(word, "\x00\n\r\x1b") {
						t.Errorf("%s %v: %q", s.Name, values, []string(o.Command()))
					}
				}
			}
		}
	}
}

func FuzzLabName(f *testing.F) {
	for _, seed := range []string{"proxyarp", "", "-x", "..", "a/b", "A", "a\n", "ü", strings.Repeat("a", 31), `a"b`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if CheckLabName(name) != nil {
			return
		}
		if !fs.ValidPath(name) || strings.ContainsAny(name, "/ .\"'\\$`\x00\n") || name[0] == '-' || len(name) > 30 {
			t.Errorf("%q would be a lab's name", name)
		}
	})
}
