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

// Any two variations hold at once, in either order: both change what is done, and no
// two steps have one ID, which a journal would take for the same step.
func TestTwoVariationsHoldTogether(t *testing.T) {
	facts := lab.Facts{IPv6: true, Uplink: "up0", HostAddr: "192.0.2.2", Outside: "203.0.113.80", Firewall: "nftables"}
	for _, s := range scenarios.All() {
		setting := scenarios.Setting{Lab: s.Name, Values: s.Defaults(), Facts: facts}
		for _, one := range s.Variations {
			for _, other := range s.Variations {
				if one.Name == other.Name || one.Steps == nil || other.Steps == nil {
					continue
				}
				first := one.Steps(setting, s.Steps(setting), one.Values[0])
				before := written(t, first)
				both := other.Steps(setting, first, other.Values[0])
				pair := s.Name + ": " + one.Name + " and " + other.Name
				if written(t, both) == before {
					t.Errorf("%s: the second changes nothing", pair)
				}
				if written(t, first) != before {
					t.Errorf("%s: the second changes the steps of the first", pair)
				}
				if written(t, both) == written(t, other.Steps(setting, s.Steps(setting), other.Values[0])) {
					t.Errorf("%s: the first is lost", pair)
				}
				var ids []string
				for _, step := range both {
					if slices.Contains(ids, step.ID) {
						t.Errorf("%s: two steps are %s", pair, step.ID)
					}
					ids = append(ids, step.ID)
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
