package challenges

import (
	"errors"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"netlab/lab/machine"
	"netlab/scenarios"
)

// What a text names, by braces or as a command, it names in every language.
func TestAllLanguagesNameTheSame(t *testing.T) {
	for _, name := range Names() {
		c, err := Load(name, original)
		if err != nil {
			t.Fatal(err)
		}
		source, err := fs.ReadFile(files, name+".zh.md")
		if err != nil {
			t.Fatal(err)
		}
		zh, err := c.Translated(source)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(named(c.Words), named(zh.Words)); diff != "" {
			t.Errorf("%s (-en +zh):\n%s", name, diff)
		}
		if c.Words.Title == zh.Words.Title {
			t.Errorf("%s: the title is not translated", name)
		}
	}
}

// named is what each text names, in any order, and which outcomes a check has.
func named(w Words) map[string][]string {
	texts := map[string]string{"symptom": w.Symptom, "solution": w.Solution, "explanation": w.Explanation}
	for i, h := range w.Hints {
		texts["hint "+string(rune('1'+i))] = h
	}
	for id, check := range w.Checks {
		texts["check "+id] = check.Question
		for outcome, text := range check.Outcomes {
			texts["check "+id+" "+outcome] = text
		}
	}
	found := map[string][]string{}
	for place, text := range texts {
		all := regexp.MustCompile(`\{[a-z-]+\}`).FindAllString(text, -1)
		slices.Sort(all)
		found[place] = slices.Compact(all)
	}
	return found
}

// Whatever is in braces has a value, and all that breaks, keeps or checks is known.
func TestChallengesNameWhatThereIs(t *testing.T) {
	for _, name := range Names() {
		for _, lang := range []string{"en", "zh"} {
			c, err := Load(name, lang)
			if err != nil {
				t.Fatal(err)
			}
			s := scenarios.Setting{Lab: "lab", Values: c.Values(), Facts: machine.SandboxFacts()}
			s.Facts.Firewall = "iptables"
			texts := slices.Concat(c.Broken, c.Keep, c.Solution, c.Words.Hints, []string{c.Words.Symptom, c.Words.Explanation, c.Words.Solution})
			for _, h := range slices.Concat(c.Hints, c.Claims) {
				texts = append(append(texts, h.Command), h.Shows...)
			}
			for _, text := range texts {
				if left := regexp.MustCompile(`\{[a-z-]+\}`).FindString(c.Fill(text, s)); left != "" {
					t.Errorf("%s in %s: %s has no value in %q", name, lang, left, text)
				}
			}
			steps, err := c.Steps(s)
			if err != nil {
				t.Fatal(err)
			}
			if n := len(c.Scenario.Steps(s)); len(steps) <= n || !BreaksIn(steps[n].ID) || BreaksIn(steps[n-1].ID) {
				t.Errorf("%s: of %d steps, %d do not break it", name, len(steps), n)
			}
			checks, err := c.checks(s)
			if err != nil {
				t.Fatal(err)
			}
			for _, id := range append(slices.Clone(c.Fails), c.Last...) {
				if !slices.ContainsFunc(checks, func(p placed) bool { return p.ID == id }) {
					t.Errorf("%s: there is no check %q", name, id)
				}
			}
		}
	}
}

func TestThereAreEnough(t *testing.T) {
	all, err := All("en")
	if err != nil {
		t.Fatal(err)
	}
	levels, bases := map[int]int{}, map[string]int{}
	for i, c := range all {
		levels[c.Level]++
		bases[c.Scenario.Name]++
		if i > 0 && all[i-1].Level > c.Level {
			t.Errorf("%s comes before %s", all[i-1].Name, c.Name)
		}
	}
	if len(all) < 12 || len(levels) != 3 || len(bases) < 3 {
		t.Errorf("%d challenges, of levels %v and scenarios %v", len(all), levels, bases)
	}
	if _, err := Load("none", "en"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("one that there is not: %v", err)
	}
}

const whole = `# x: A title

- scenario: proxyarp
- level: 1

## symptom

"It is broken."

- fails: forwards

## broken

    sysctl

## hint

Look.

    $ sysctl net.ipv4.ip_forward
    0

## solution

    sysctl

## explanation

Why.
`

// fenced has the indented lines of whole as blocks.
func fenced(text string) string {
	return regexp.MustCompile(`(?m)(^    .*\n)+`).ReplaceAllString(text, "```sh\n$0```\n")
}

func TestParseSaysWhatIsWrong(t *testing.T) {
	if _, err := Parse("x", []byte(fenced(whole))); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ from, to, want string }{
		{"# x: A title", "# y: A title", `the title names "y"`},
		{"- scenario: proxyarp", "- scenario: none", `no scenario "none"`},
		{"- scenario: proxyarp\n", "", "it has no scenario"},
		{"- level: 1", "- level: 4", "a level is 1, 2 or 3"},
		{"- level: 1", "- colour: red", `nobody asks for "colour"`},
		{"- fails: forwards\n", "", "it has no fails"},
		{"## hint", "## clue", `no heading "clue"`},
		{"Look.\n", "", "hint 1 says nothing"},
		{"    $ sysctl net.ipv4.ip_forward\n    0\n", "", "hint 1 has no block"},
		{"    $ sysctl net", "    sysctl net", "a command behind `$ `"},
		{"    0\n", "", "and what it prints"},
		{"## broken", "## broken\n\nWords.", "no text has its place here"},
		{"Why.", "Why.\n\n    ls", "no commands have their place here"},
		{"Why.\n", "", "it has no explanation"},
	} {
		text := strings.Replace(whole, tt.from, tt.to, 1)
		if _, err := Parse("x", []byte(fenced(text))); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q for %q: %v, want %q", tt.to, tt.from, err, tt.want)
		}
	}
	c, err := Parse("x", []byte(fenced(whole)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Translated([]byte("# x: T\n\n## symptom\n\nS\n\n## explanation\n\nE\n")); err == nil {
		t.Error("a translation without the hint is taken")
	}
}

// What would cut a host off, or reach beyond it, is for sandboxes only.
func TestWhatBreaksAHostStaysInASandbox(t *testing.T) {
	for _, name := range Names() {
		c, err := Load(name, "en")
		if err != nil {
			t.Fatal(err)
		}
		s := scenarios.Setting{Lab: "lab", Values: c.Values(), Facts: machine.SandboxFacts()}
		s.Facts.Firewall = "iptables"
		steps, err := c.Steps(s)
		if err != nil {
			t.Fatal(err)
		}
		breaks := c.Scenario.Sandboxed
		for _, step := range steps {
			for _, o := range step.Ops {
				if !BreaksIn(step.ID) {
					continue
				}
				line := o.Command().String()
				for _, of := range []string{ // of the host itself
					`^ip route (del|add|replace) default`, `^ip (link set|addr del).* up0`, `^iptables -P`, `^sysctl -w .*\.up0\.`,
					`^sysctl -w net\.ipv4\.(ip_forward|conf\.all\.forwarding)=0`,
				} {
					breaks = breaks || regexp.MustCompile(of).MatchString(line)
				}
			}
		}
		if breaks != c.Sandboxed {
			t.Errorf("%s: it must be %v that it needs a sandbox", name, breaks)
		}
	}
}
