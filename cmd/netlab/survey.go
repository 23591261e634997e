package main

import (
	"net/netip"
	"os"
	"strings"

	"netlab/lab"
	"netlab/lab/doctor"
	"netlab/lab/kernel"
	"netlab/lab/machine"
	"netlab/lab/op"
	"netlab/scenarios"
)

// survey is what a lab would want of this machine, and what is in its way.
type survey struct {
	plan   machine.Plan
	facts  lab.Facts
	found  []machine.Finding
	values scenarios.Values // with those that the machine decides
	// instead is to be typed where plan.Again takes no flags; nil: it does.
	instead lab.Command
}

// survey looks at the names and addresses that the scenario takes, at what NAT is
// to be done with, and at what is to be tried outside. more, if any, is what else to
// look at; what it finds comes last.
func (a *app) survey(k *kernel.Kernel, s scenarios.Scenario, labName string, values scenarios.Values, again lab.Command, more func(*survey) []machine.Finding) (*survey, error) {
	needs := s.Needs(values)
	outside, _ := netip.ParseAddr(needs.Outside)
	facts, err := machine.Facts(k, outside, "")
	if err != nil {
		return nil, err
	}
	v := &survey{facts: facts, plan: planOf(s, labName, values, facts)}
	v.plan.Again = again
	chosen, translates := values["nat"]
	nat := func() (string, *machine.Finding) { return "", nil }
	if translates {
		nat = a.choosingNAT(k, chosen, v.plan.Again)
		defer nat() // no program is left running
	}
	preflight, err := machine.Preflight(k, v.plan)
	if err != nil {
		return nil, err
	}
	settled := scenarios.Values{}
	if _, ok := values["outside"]; ok {
		settled["outside"] = facts.Outside
	}
	real, err := machine.Facts(k, netip.Addr{}, "")
	if err != nil {
		return nil, err
	}
	if facts.Outside != "" && facts.Outside == real.HostAddr {
		v.found = append(v.found, machine.Finding{
			ID: outsideIsLocal, Values: map[string]string{"addr": facts.Outside}, Remedy: v.again("--outside", real.Outside),
		})
	}
	if needs.Gateway != "" && needs.Gateway == real.Outside {
		v.found = append(v.found, machine.Finding{
			ID: gatewayIsReal, Values: map[string]string{"addr": needs.Gateway}, Remedy: v.again("--gateway", "169.254.1.1"),
		})
	}
	if more != nil {
		v.found = append(v.found, more(v)...)
	}
	if translates {
		var finding *machine.Finding
		if settled["nat"], finding = nat(); finding != nil {
			preflight = append(preflight, *finding)
		}
	}
	v.found = append(preflight, v.found...)
	v.values = maps(values, settled)
	return v, nil
}

// What a survey finds beside machine.Preflight.
const (
	outsideIsLocal = "outside-is-local" // addr
	gatewayIsReal  = "gateway-is-real"  // addr
)

func (v *survey) again(flags ...string) lab.Command {
	return machine.With(v.plan.Again, flags...)
}

// planOf is what the lab takes of a host, and what it makes the host do: its own
// changes say that.
func planOf(s scenarios.Scenario, labName string, values scenarios.Values, facts lab.Facts) machine.Plan {
	needs := s.Needs(values)
	p := machine.Plan{
		Again:      runCommand(s, labName, values),
		Namespaces: needs.Namespaces, Links: needs.Links,
		NameFlag: "--" + needs.NameParam, Name: values[needs.NameParam],
		SubnetFlag: "--" + needs.SubnetParam, DefaultRoute: needs.DefaultRoute,
	}
	p.Subnet, _ = netip.ParsePrefix(needs.Subnet) // checked before
	p.Gateway, _ = netip.ParseAddr(needs.Gateway)
	p.Outside, _ = netip.ParseAddr(needs.Outside)
	if !p.Outside.IsValid() {
		p.Outside, _ = netip.ParseAddr(facts.Outside)
	}
	if facts.Firewall == "" {
		facts.Firewall = "nftables" // which of the two makes no difference here
	}
	for _, step := range s.Steps(scenarios.Setting{Lab: labName, Values: values, Facts: facts}) {
		for _, o := range step.All() {
			switch o := o.(type) {
			case op.BridgeAdd:
				p.Bridges = true
			case op.NftRuleAdd, op.IptablesAppend:
				p.Translates = true
			case op.SysctlSet:
				forwards := o.Key == "net/ipv4/ip_forward" || strings.HasSuffix(o.Key, "/forwarding")
				p.Routes = p.Routes || o.NS == kernel.Host && forwards && o.Value == "1"
			}
		}
	}
	return p
}

// runCommand is what runs the lab with those values.
func runCommand(s scenarios.Scenario, labName string, values scenarios.Values) lab.Command {
	return beginning("run", s, labName, values)
}

// beginning is the command that runs a scenario with those values, or begins a practice
// of it.
func beginning(verb string, s scenarios.Scenario, labName string, values scenarios.Values) lab.Command {
	c := startOf(verb, s.Name, labName)
	for _, p := range s.Params {
		if v, ok := values[p.Name]; ok && v != p.Default {
			c = append(c, "--"+p.Name, v)
		}
	}
	return c
}

// question is what to ask of doctor about a survey, for a lab that is to be built
// on this machine itself, or in a sandbox; own are the names of such labs.
func (a *app) question(k *kernel.Kernel, v *survey, host bool, own ...string) doctor.Question {
	return doctor.Question{
		Kernel: k, Plan: v.plan, Facts: v.facts, Files: os.DirFS("/"), Labs: labsDir, Codec: op.Codec{}, Now: a.now(), Root: host, Own: own,
	}
}

// graded are the findings of a grade.
func graded(found []machine.Finding, g machine.Grade) []machine.Finding {
	var some []machine.Finding
	for _, f := range found {
		if f.Grade == g {
			some = append(some, f)
		}
	}
	return some
}
