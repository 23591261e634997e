package scenarios

import (
	"net/netip"
	"slices"
	"strings"

	"netlab/lab"
	"netlab/lab/kernel"
	"netlab/lab/op"
	"netlab/lab/probe"
)

// Variation is one thing that can be other than a lab has it, to see what it is good
// for. Its words stand under the scenario's name and its own.
type Variation struct {
	Name string // as a person knows the thing, such as "proxy_arp"
	// Is is what the lab does, or what the sandbox's machine has. Empty for a
	// parameter, which has a default.
	Is string
	// Values are what it can be instead. Nil: it is the parameter of that name, and
	// Check says what that can be.
	Values []string
	// Steps are the lab's steps with that value in place: the same ones, or with what
	// the machine should have had before the first of them. Nil for a parameter.
	Steps func(s Setting, steps []lab.Step, value string) []lab.Step
}

// machineStep is the ID of a step that stands before a lab's own, and makes the
// machine a different one.
const machineStep = "machine"

// Variation finds a variation by its name.
func (s Scenario) Variation(name string) (Variation, bool) {
	for _, v := range s.Variations {
		if v.Name == name {
			return v, true
		}
	}
	return Variation{}, false
}

// parameter is the variation that a parameter is.
func parameter(name string) Variation { return Variation{Name: name} }

// otherwise edits each op of the lab.
func otherwise(name, is string, values []string, edit func(o lab.Op, value string) lab.Op) Variation {
	return Variation{Name: name, Is: is, Values: values, Steps: func(_ Setting, steps []lab.Step, value string) []lab.Step {
		return edited(steps, func(o lab.Op) lab.Op { return edit(o, value) })
	}}
}

// edited are the steps with other ops; those they were made of stay as they are.
func edited(steps []lab.Step, edit func(lab.Op) lab.Op) []lab.Step {
	all := func(ops []lab.Op) []lab.Op {
		var other []lab.Op
		for _, o := range ops {
			other = append(other, edit(o))
		}
		return other
	}
	other := make([]lab.Step, len(steps))
	for i, s := range steps {
		other[i] = s
		other[i].Ops = all(s.Ops)
		other[i].Groups = make([]lab.Group, len(s.Groups))
		for g, group := range s.Groups {
			other[i].Groups[g] = lab.Group{Name: group.Name, Ops: all(group.Ops)}
		}
	}
	return other
}

// sysctl is a setting of the devices that the lab makes: tree is "conf" or "neigh".
func sysctl(tree, key, is string, values ...string) Variation {
	return otherwise(key, is, values, func(o lab.Op, value string) lab.Op {
		set, ok := o.(op.SysctlSet)
		if ok && strings.HasPrefix(set.Key, "net/ipv4/"+tree+"/") && strings.HasSuffix(set.Key, "/"+key) {
			set.Value = value
			return set
		}
		return o
	})
}

// linkScope is what the pod's route to its gateway says of how far that is.
func linkScope() Variation {
	return otherwise("link-scope", "link", []string{"global"}, func(o lab.Op, value string) lab.Op {
		r, ok := o.(op.RouteAdd)
		if ok && r.NS != kernel.Host && r.Scope == "link" {
			r.Scope = value
			return r
		}
		return o
	})
}

// routeOrder puts a pod's default route before the one to its gateway.
func routeOrder() Variation {
	return Variation{Name: "route-order", Is: "link-first", Values: []string{"default-first"},
		Steps: func(_ Setting, steps []lab.Step, _ string) []lab.Step {
			other := edited(steps, func(o lab.Op) lab.Op { return o })
			for i := range other {
				defaultFirst(other[i].Ops)
				for _, g := range other[i].Groups {
					defaultFirst(g.Ops)
				}
			}
			return other
		}}
}

// defaultFirst swaps two routes where a default route comes right after another.
func defaultFirst(ops []lab.Op) {
	for i := 1; i < len(ops); i++ {
		near, ok := ops[i-1].(op.RouteAdd)
		far, follows := ops[i].(op.RouteAdd)
		if ok && follows && near.NS != kernel.Host && near.NS == far.NS && far.Dst == anywhere() {
			ops[i-1], ops[i] = far, near
		}
	}
}

// podPrefix is how many bits of a pod's address it takes to be its own link's.
func podPrefix(is string, values ...string) Variation {
	return Variation{Name: "pod-prefix", Is: is, Values: values, Steps: func(_ Setting, steps []lab.Step, value string) []lab.Step {
		as := func(p netip.Prefix) netip.Prefix {
			if !p.IsValid() {
				return p
			}
			return netip.MustParsePrefix(p.Addr().String() + "/" + value)
		}
		other := edited(steps, func(o lab.Op) lab.Op {
			a, ok := o.(op.AddrAdd)
			if ok && a.NS != kernel.Host {
				a.Addr = as(a.Addr)
				return a
			}
			return o
		})
		for i, s := range other {
			other[i].Checks = nil
			for _, c := range s.Checks { // that it has its address means this one then
				if p, ok := c.Probe.(probe.LinkUp); ok && p.NS != kernel.Host {
					p.Addr = as(p.Addr)
					c.Probe = p
				}
				other[i].Checks = append(other[i].Checks, c)
			}
		}
		return other
	}}
}

// machineHas puts ops before the lab's own steps: the machine is like that already.
// All that the machine has is one step, whatever makes it: to a journal, steps of one
// ID are the same step.
func machineHas(name, is string, values []string, ops func(s Setting, value string) []lab.Op) Variation {
	return Variation{Name: name, Is: is, Values: values, Steps: func(s Setting, steps []lab.Step, value string) []lab.Step {
		machine := lab.Step{ID: machineStep}
		if len(steps) > 0 && steps[0].ID == machineStep {
			machine.Ops, steps = slices.Clone(steps[0].Ops), steps[1:]
		}
		machine.Ops = append(machine.Ops, ops(s, value)...)
		return append([]lab.Step{machine}, steps...)
	}}
}

// rpFilter is the reverse path filter of all devices (facts.md, section 1).
func rpFilter() Variation {
	return machineHas("rp_filter", "0", []string{"1", "2"}, func(_ Setting, value string) []lab.Op {
		return []lab.Op{op.SysctlSet{Key: "net/ipv4/conf/all/rp_filter", Value: value}}
	})
}

// forwardPolicy is what becomes of a forwarded packet that no rule is about. The lab
// is not told of it, so it opens nothing, as it would on a machine found like that.
func forwardPolicy() Variation {
	const family, table = "ip", "what-if"
	return machineHas("forward-policy", "ACCEPT", []string{"DROP"}, func(_ Setting, value string) []lab.Op {
		return []lab.Op{
			op.NftTableAdd{Family: family, Table: table},
			op.NftChainAdd{Family: family, Table: table, Chain: "FORWARD", Type: "filter", Hook: "forward", Policy: strings.ToLower(value)},
		}
	})
}

// defaultRoute is the host's own.
func defaultRoute() Variation {
	return machineHas("default-route", "up0", []string{"none"}, func(s Setting, _ string) []lab.Op {
		return []lab.Op{op.RouteDelAny{Dst: anywhere(), Dev: s.Facts.Uplink}}
	})
}

// hostForwards: the host routes before the lab has come to it.
func hostForwards() Variation {
	return machineHas("ip_forward", "0", []string{"1"}, func(_ Setting, value string) []lab.Op {
		return []lab.Op{op.SysctlSet{Key: "net/ipv4/ip_forward", Value: value}}
	})
}
