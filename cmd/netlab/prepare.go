package main

import (
	"errors"
	"io/fs"
	"net/netip"
	"strings"

	"netlab/lab"
	"netlab/lab/kernel"
	"netlab/lab/machine"
	"netlab/scenarios"
)

// resolve looks at the machine before anything is changed: it returns the values
// with those that the machine decides filled in, or a cannotError with all that
// is in the way.
func (a *app) resolve(k *kernel.Kernel, s scenarios.Scenario, labName string, values scenarios.Values) (scenarios.Values, error) {
	needs := s.Needs(values)
	outside, _ := netip.ParseAddr(needs.Outside)
	facts, err := machine.Facts(k, outside, "")
	if err != nil {
		return nil, err
	}
	if !outside.IsValid() {
		outside, _ = netip.ParseAddr(facts.Outside)
	}
	subnet, _ := netip.ParsePrefix(needs.Subnet) // checked before
	gateway, _ := netip.ParseAddr(needs.Gateway)
	again := lab.Command{"netlab", "run", s.Name}
	if labName != s.Name {
		again = append(again, "--name", labName)
	}
	found, err := machine.Preflight(k, machine.Plan{
		Again: again, Namespaces: needs.Namespaces, Links: needs.Links,
		NameFlag: "--" + needs.NameParam, Name: values[needs.NameParam],
		Subnet: subnet, SubnetFlag: "--" + needs.SubnetParam,
		Gateway: gateway, Outside: outside, DefaultRoute: needs.DefaultRoute,
	})
	if err != nil {
		return nil, err
	}
	settled := scenarios.Values{}
	if chosen, ok := values["nat"]; ok {
		nat, finding := a.chooseNAT(k, chosen, again)
		if finding != nil {
			found = append(found, *finding)
		}
		settled["nat"] = nat
	}
	if _, ok := values["outside"]; ok {
		settled["outside"] = facts.Outside
	}
	real, err := machine.Facts(k, netip.Addr{}, "")
	if err != nil {
		return nil, err
	}
	if facts.Outside != "" && facts.Outside == real.HostAddr {
		found = append(found, machine.Finding{ID: "outside-is-local", Values: map[string]string{"addr": facts.Outside}, Remedy: append(again[:len(again):len(again)], "--outside", real.Outside)})
	}
	if needs.Gateway != "" && needs.Gateway == real.Outside {
		found = append(found, machine.Finding{ID: "gateway-is-real", Values: map[string]string{"addr": needs.Gateway}, Remedy: append(again[:len(again):len(again)], "--gateway", "169.254.1.1")})
	}
	resolved := maps(values, settled)
	if len(found) == 0 {
		if found, err = a.taken(k, s, labName, resolved, again); err != nil {
			return nil, err
		}
	}
	if len(found) > 0 {
		return nil, a.inTheWay(found)
	}
	return resolved, nil
}

// taken asks each op of the lab whether its place is filled already. What can't
// be asked yet, because an earlier op must come first, is passed over.
func (a *app) taken(k *kernel.Kernel, s scenarios.Scenario, labName string, values scenarios.Values, again lab.Command) ([]machine.Finding, error) {
	setting, err := a.setting(k, s, labName, values)
	if err != nil {
		return nil, err
	}
	var found []machine.Finding
	for _, step := range s.Steps(setting) {
		for _, o := range step.All() {
			if _, err := o.Inverse(k); errors.Is(err, lab.ErrTaken) {
				found = append(found, machine.Finding{
					ID: "taken", Values: map[string]string{"what": o.Command().String()},
					Remedy: append(again[:len(again):len(again)], "--name", labName+"2"),
				})
			}
		}
	}
	return found, nil
}

// chooseNAT settles what NAT is done with, by trying it without a change.
func (a *app) chooseNAT(k *kernel.Kernel, nat string, again lab.Command) (string, *machine.Finding) {
	if nat != "nftables" {
		err := iptablesWorks(k)
		if err == nil {
			return "iptables", nil
		}
		if nat == "iptables" {
			return "", &machine.Finding{
				ID: "no-iptables", Values: map[string]string{"error": err.Error()},
				Remedy: append(append(lab.Command{}, again...), "--nat", "nftables"),
			}
		}
	}
	// Asking for any table tells whether the kernel has nftables at all.
	if _, err := k.Firewall().NftTable("ip", "netlab"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", &machine.Finding{
			ID: "no-nftables", Values: map[string]string{"error": err.Error()}, Remedy: lab.Command{"modprobe", "nf_tables"},
		}
	}
	return "nftables", nil
}

func iptablesWorks(k *kernel.Kernel) error {
	t, err := k.Firewall().IPTables()
	if err != nil {
		return err
	}
	_, err = t.Check("nat", "POSTROUTING", "-j", "MASQUERADE")
	return err
}

// inTheWay names each reason with its remedy.
func (a *app) inTheWay(found []machine.Finding) error {
	lines := []string{a.say("preflight.nothing-changed")}
	for _, f := range found {
		lines = append(lines,
			"  ✗ "+a.finding(f),
			"    "+a.fill("finding.remedy", "what", a.say("remedy."+f.ID), "command", unbroken(f.Remedy.String())))
	}
	return &cannotError{Text: strings.Join(lines, "\n")}
}

// finding says what is in the way.
func (a *app) finding(f machine.Finding) string {
	values := maps(f.Values, nil)
	switch f.ID {
	case machine.SubnetHoldsOutside:
		values["role"] = a.say("role." + values["role"])
	case machine.NoRight:
		values["missing"] = a.rights(strings.Split(values["missing"], ", "))
	}
	return scenarios.Fill(a.say("finding."+f.ID), values)
}

// rights lists what is missing; capabilities and files have no other name.
func (a *app) rights(missing []string) string {
	var named []string
	for _, name := range missing {
		switch name {
		case machine.MissingNetns:
			name = a.say("missing.netns")
		case machine.MissingMountns:
			name = a.say("missing.mountns")
		}
		named = append(named, name)
	}
	return a.list(named)
}

// setting is what the scenario's steps depend on, on this machine, for values
// that are resolved.
func (a *app) setting(k *kernel.Kernel, s scenarios.Scenario, labName string, values scenarios.Values) (scenarios.Setting, error) {
	outside, _ := netip.ParseAddr(values["outside"])
	link := ""
	if links := s.Needs(values).Links; len(links) > 0 {
		link = links[0]
	}
	facts, err := machine.Facts(k, outside, link)
	if err != nil {
		return scenarios.Setting{}, err
	}
	facts.Firewall = values["nat"] // empty where nothing is to be translated
	if facts.Firewall == "iptables" {
		facts.IptablesNFT, err = iptablesIsNFT(k)
	}
	return scenarios.Setting{Lab: labName, Values: values, Facts: facts}, err
}

// iptablesIsNFT tells which variant iptables is; one that is not there is
// neither, which is no error: there may be nothing to do with it.
func iptablesIsNFT(k *kernel.Kernel) (bool, error) {
	t, err := k.Firewall().IPTables()
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return t.NFT, nil
}

// sketch is a setting for showing a scenario without running it: on a sandbox
// that need not exist, or on this machine, which is only read.
func (a *app) sketch(k *kernel.Kernel, s scenarios.Scenario, labName string, values scenarios.Values, sandbox bool) (scenarios.Setting, error) {
	nat := values["nat"]
	if nat == "auto" {
		nat = "nftables"
		if _, err := k.Firewall().IPTables(); err == nil {
			nat = "iptables"
		}
	}
	if nat != "" {
		values = maps(values, scenarios.Values{"nat": nat})
	}
	if !sandbox {
		return a.setting(k, s, labName, values)
	}
	facts := machine.SandboxFacts()
	facts.Firewall = nat
	if values["outside"] != "" {
		facts.Outside = values["outside"]
	}
	var err error
	if nat == "iptables" {
		facts.IptablesNFT, err = iptablesIsNFT(k)
	}
	return scenarios.Setting{Lab: labName, Values: values, Facts: facts}, err
}

// maps is a with the values of b over it.
func maps(a, b scenarios.Values) scenarios.Values {
	c := scenarios.Values{}
	for k, v := range a {
		c[k] = v
	}
	for k, v := range b {
		c[k] = v
	}
	return c
}
