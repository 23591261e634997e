package scenarios_test

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"

	"netlab/lab"
	"netlab/scenarios"
)

// variants are settings that between them bring up every step, check, note and
// refusal of a scenario.
func variants(s scenarios.Scenario) []scenarios.Setting {
	var all []scenarios.Setting
	for _, facts := range []lab.Facts{
		{},
		{RPFilter: 1, IPv6: true, IPForward: true, BridgeFirewall: true, Firewall: "iptables", Uplink: "up0", HostAddr: "192.0.2.2", Outside: "192.0.2.1"},
		{Firewall: "nftables", WhoAmI: "203.0.113.80:7777"},
		{BridgeFirewall: true, Walls: []lab.Wall{{Program: "iptables", NFT: true, Chain: "DOCKER-USER"}}},
	} {
		all = append(all, scenarios.Setting{Lab: "lab", Values: s.Defaults(), Facts: facts})
	}
	return all
}

func TestEveryStepCheckNoteAndRefusalHasItsWords(t *testing.T) {
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range scenarios.All() {
		for _, e := range entries {
			lang, ok := strings.CutPrefix(e.Name(), s.Name+".")
			lang, isWords := strings.CutSuffix(lang, ".md")
			if !ok || !isWords {
				continue
			}
			t.Run(s.Name+" "+lang, func(t *testing.T) { testWords(t, s, lang) })
		}
	}
}

func testWords(t *testing.T, s scenarios.Scenario, lang string) {
	w, err := scenarios.LoadWords(s.Name, lang)
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(s.Name + "." + lang + ".md")
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, setting := range variants(s) {
		for _, step := range s.Steps(setting) {
			used["## "+step.ID] = true
			words, ok := w.Steps[step.ID]
			if !ok || words.Goal == "" || words.Why == "" || words.Look == "" || words.Help == "" {
				t.Errorf("step %s: title, goal, why, look or help is missing", step.ID)
			}
			for id, p := range words.Predictions {
				if p.Question == "" || p.Answer == "" || len(p.Choices) < 2 {
					t.Errorf("step %s: prediction %q lacks a question, choices or an answer", step.ID, id)
				}
			}
			if len(words.Predictions) == 0 {
				t.Errorf("step %s: nothing to predict", step.ID)
			}
			for _, c := range step.Checks {
				used["### check "+c.ID] = true
				if w.Check(step.ID, c.ID).Question == "" || len(w.Check(step.ID, c.ID).Outcomes) == 0 {
					t.Errorf("step %s: check %s has no words", step.ID, c.ID)
				}
			}
			for _, n := range step.Notes {
				used["### note "+n.ID] = true
				if words.Notes[n.ID] == "" {
					t.Errorf("step %s: note %s has no words", step.ID, n.ID)
				}
			}
			for _, r := range step.Refusals {
				used["### refusal "+r.ID] = true
				if words.Refusals[r.ID] == "" {
					t.Errorf("step %s: refusal %s has no words", step.ID, r.ID)
				}
			}
		}
	}
	for _, heading := range regexp.MustCompile(`(?m)^(## [a-z-]+|### (check|note|refusal) [a-z-]+)`).FindAllString(string(source), -1) {
		if !used[heading] {
			t.Errorf("the words have %q, which the scenario does not", heading)
		}
	}
	known := s.Words(variants(s)[1])
	for _, v := range []string{"via", "dev", "src", "mac", "want", "links", "error", "ttl", "saw", "addrs", "ns", "routed", "line", "from",
		"port", "ports", "type", "value", "pods", "failed", "pod", "to", "hop"} { // from probes
		known[v] = ""
	}
	for _, name := range regexp.MustCompile(`\{([^}]*)\}`).FindAllStringSubmatch(string(source), -1) {
		if _, ok := known[name[1]]; !ok {
			t.Errorf("nothing is known of {%s}", name[1])
		}
	}
}

func TestWordsInNoLanguage(t *testing.T) {
	_, err := scenarios.LoadWords("proxyarp", "xx")
	if err == nil || !strings.Contains(err.Error(), fs.ErrNotExist.Error()) {
		t.Errorf("got %v", err)
	}
}

func TestTheOpeningIsThatOfTheWholeText(t *testing.T) {
	for _, s := range scenarios.All() {
		for _, lang := range []string{"en", "zh"} {
			whole, err := scenarios.LoadWords(s.Name, lang)
			if err != nil {
				t.Fatal(err)
			}
			opening, err := scenarios.LoadOpening(s.Name, lang)
			if err != nil {
				t.Fatal(err)
			}
			if opening.Title != whole.Title || opening.Intro != whole.Intro || len(opening.Steps) > 0 {
				t.Errorf("%s in %s: %+v", s.Name, lang, opening)
			}
		}
	}
}
