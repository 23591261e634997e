package scenarios_test

import (
	"encoding/json"
	"slices"
	"testing"

	"netlab/lab"
	"netlab/scenarios"
)

// Each value of a variation makes other steps of the lab's, and leaves those alone.
func TestVariationsDoOtherThanTheLab(t *testing.T) {
	facts := lab.Facts{IPv6: true, Uplink: "up0", HostAddr: "192.0.2.2", Outside: "203.0.113.80", Firewall: "nftables"}
	for _, s := range scenarios.All() {
		var names []string
		for _, v := range s.Variations {
			if slices.Contains(names, v.Name) {
				t.Errorf("%s has two of %s", s.Name, v.Name)
			}
			names = append(names, v.Name)
			if _, isParam := s.Defaults()[v.Name]; isParam != (v.Values == nil) || isParam != (v.Steps == nil) || isParam != (v.Is == "") {
				t.Errorf("%s: %s is neither a parameter nor anything else", s.Name, v.Name)
			}
			for _, value := range v.Values {
				if value == v.Is {
					t.Errorf("%s: %s is %s already", s.Name, v.Name, value)
				}
				setting := scenarios.Setting{Lab: s.Name, Values: s.Defaults(), Facts: facts}
				steps := s.Steps(setting)
				before := written(t, steps)
				if written(t, v.Steps(setting, steps, value)) == before {
					t.Errorf("%s: %s=%s changes nothing that is done", s.Name, v.Name, value)
				}
				if written(t, steps) != before {
					t.Errorf("%s: %s=%s changes the lab's own steps", s.Name, v.Name, value)
				}
			}
		}
	}
}

// written is all that steps do and ask, in their order.
func written(t *testing.T, steps []lab.Step) string {
	t.Helper()
	text, err := json.Marshal(steps)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
