package main

import (
	"context"
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"strings"
	"sync"

	"netlab/lab"
	"netlab/lab/doctor"
	"netlab/lab/kernel"
	"netlab/lab/machine"
	"netlab/scenarios"
)

// resolve looks at the machine before anything is changed: it returns the values
// with those that the machine decides filled in, and what may surprise, or a
// cannotError with all that is in the way. again is the command that was typed, to be
// typed again with other flags; where it takes none of the scenario's, instead is what
// to type in its place.
func (a *app) resolve(ctx context.Context, k *kernel.Kernel, s scenarios.Scenario, labName string, values scenarios.Values, again, instead lab.Command) (scenarios.Values, []machine.Finding, error) {
	_, inside, err := machine.Here()
	if err != nil {
		return nil, nil, err
	}
	v, err := a.survey(k, s, labName, values, again, func(v *survey) []machine.Finding {
		if inside { // a sandbox has nothing of what doctor knows
			return nil
		}
		return doctor.Before(ctx, a.question(k, v, true, labName))
	})
	if err != nil {
		return nil, nil, err
	}
	v.instead = instead
	if machine.Worst(v.found) != machine.Stop {
		taken, err := a.taken(ctx, k, s, labName, v.values, v.plan.Again)
		if err != nil {
			return nil, nil, err
		}
		v.found = append(v.found, taken...)
	}
	if machine.Worst(v.found) == machine.Stop {
		return nil, nil, a.inTheWay(v)
	}
	return v.values, graded(v.found, machine.Warn), nil
}

// What stands in the way beside what machine.Preflight finds, with its Values.
const (
	objectTaken = "taken"       // what
	noIptables  = "no-iptables" // error
	noNftables  = "no-nftables" // error
)

// taken asks each op of the lab whether its place is filled already. What can't
// be asked yet, because an earlier op must come first, is passed over. The error is
// lab.ErrInterrupted when ctx ended before all were asked.
func (a *app) taken(ctx context.Context, k *kernel.Kernel, s scenarios.Scenario, labName string, values scenarios.Values, again lab.Command) ([]machine.Finding, error) {
	setting, err := a.setting(k, s, labName, values)
	if err != nil {
		return nil, err
	}
	var found []machine.Finding
	defer k.Still()() // there may be thousands of pods to ask for
	for _, step := range s.Steps(setting) {
		for _, o := range step.All() {
			if ctx.Err() != nil {
				return nil, lab.ErrInterrupted
			}
			if _, err := o.Inverse(k); errors.Is(err, lab.ErrTaken) {
				found = append(found, machine.Finding{
					ID: objectTaken, Values: map[string]string{"what": o.Command().String()},
					Remedy: machine.With(again, "--name", labName+"2"),
				})
			}
		}
	}
	return found, nil
}

// choosingNAT begins to choose what NAT is done with, and returns what waits for it:
// the programs that are run for that take as long as all else that is looked at. A
// program that leaves something which others would see is run at once.
func (a *app) choosingNAT(k *kernel.Kernel, nat string, again lab.Command) func() (string, *machine.Finding) {
	choose := sync.OnceValues(func() (string, *machine.Finding) { return a.chooseNAT(k, nat, again) })
	if t, err := k.Firewall().IPTables(); err == nil && !t.NFT { // see IPTables.Check
		choose()
	} else {
		go choose()
	}
	return choose
}

// chooseNAT settles what NAT is done with, by trying it without a change, and finds what
// is not as it might be with that.
func (a *app) chooseNAT(k *kernel.Kernel, nat string, again lab.Command) (string, *machine.Finding) {
	var byIptables error
	if nat != "nftables" {
		err := iptablesWorks(k)
		if err == nil {
			return "iptables", nil
		}
		if nat == "iptables" {
			return "", &machine.Finding{
				ID: noIptables, Values: map[string]string{"error": err.Error()},
				Remedy: machine.With(again, "--nat", "nftables"),
			}
		}
		byIptables = err
	}
	err := k.Firewall().TryNftMasquerade()
	if err == nil {
		if byIptables == nil || errors.Is(byIptables, fs.ErrNotExist) {
			return "nftables", nil
		}
		return "nftables", &machine.Finding{
			ID: doctor.NoXtTarget, Grade: machine.Warn, Values: map[string]string{"error": byIptables.Error()},
			Remedy: lab.Command{"modprobe", "xt_MASQUERADE"},
		}
	}
	id := noNftables
	if byIptables != nil {
		id = doctor.NoNAT
	}
	return "", &machine.Finding{ID: id, Values: map[string]string{"error": err.Error()}, Remedy: lab.Command{"modprobe", "nft_masq"}}
}

// iptablesWorks has the kernel take a rule that masquerades, in a namespace that is
// thrown away: the legacy variant does not ask it for less.
func iptablesWorks(k *kernel.Kernel) error {
	t, err := k.Firewall().IPTables()
	if err != nil {
		return err
	}
	rule := []string{"-j", "MASQUERADE"}
	tried := false
	err = kernel.Scratch(func() error {
		tried = true
		return t.Append("nat", "POSTROUTING", rule...)
	})
	if !tried { // no namespace can be made: doctor.Before says so
		_, err = t.Check("nat", "POSTROUTING", rule...)
	}
	return err
}

// roomForState refuses a machine on which no journal can be written or, for a lab
// that is not to be built on it itself, nothing about a sandbox.
func (a *app) roomForState(s scenarios.Scenario, labName string, host bool) error {
	found, err := doctor.State(labsDir, host)
	if err != nil || machine.Worst(found) != machine.Stop {
		return err
	}
	return a.inTheWay(&survey{found: found, plan: machine.Plan{Again: runCommand(s, labName, nil)}})
}

// inTheWay names each reason with its remedy. Where several would have the same
// command with other flags, they name the flags alone, and the command comes last.
func (a *app) inTheWay(v *survey) error {
	stops := graded(v.found, machine.Stop)
	var next lab.Command
	for i, f := range stops {
		if _, ok := f.Flags(v.plan.Again); ok && v.instead != nil {
			stops[i].Remedy, next = nil, v.instead
		}
	}
	together := machine.Together(v.plan.Again, stops)
	if together == nil {
		together = next
	}
	lines := []string{a.say("preflight.nothing-changed")}
	for _, f := range stops {
		command := f.Remedy
		if flags, ok := f.Flags(v.plan.Again); ok && together != nil {
			command = flags
		}
		lines = append(lines, "  ✗ "+a.finding(f))
		if len(command) == 0 {
			continue
		}
		lines = append(lines,
			"    "+a.fill("finding.remedy", "what", a.say("remedy."+f.ID), "command", unbroken(command.String())))
		for _, more := range f.More {
			lines = append(lines, "    "+unbroken(more.String()))
		}
		for i, back := range f.Back {
			text := unbroken(back.String())
			if i == 0 {
				text = a.fill("finding.back", "command", text)
			}
			lines = append(lines, "    "+text)
		}
	}
	return &cannotError{Text: strings.Join(lines, "\n"), Next: together.String()}
}

// finding says what is in the way.
func (a *app) finding(f machine.Finding) string {
	values := maps(f.Values, nil)
	switch f.ID {
	case machine.SubnetHoldsOutside:
		values["role"] = a.say("role." + values["role"])
	case doctor.ForwardOpened, doctor.ForwardDrops, doctor.ForwardMay:
		values["base"] = variantOf(values["base"], values["program"])
		values["door"] = variantOf(values["door"], values["program"])
	case machine.NoRight:
		values["missing"] = a.rights(strings.Split(values["missing"], ", "))
	case doctor.NoRights:
		values["missing"] = a.rightsOfRoot(strings.Split(values["missing"], ", "))
	}
	text := scenarios.Fill(a.say("finding."+f.ID), values)
	if by := values["by"]; by != "" && by != doctor.ByUnknown {
		text = a.fill("owner.said", "what", text, "by", a.say("owner."+by))
	}
	return text
}

// variantOf is a chain of a variant of iptables that is not just `iptables` here, as
// the steps call it.
func variantOf(chain, program string) string {
	if program == "" || program == "nft" || program == "iptables" {
		return chain
	}
	return chain + " (" + program + ")"
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
		case machine.ReadOnlySysctl:
			name = a.say("missing.sysctl-read-only")
		}
		named = append(named, name)
	}
	return a.list(named)
}

// rightsOfRoot says besides who has them, to whoever is not.
func (a *app) rightsOfRoot(missing []string) string {
	if os.Geteuid() == 0 {
		return a.rights(missing)
	}
	return a.fill("missing.of-root", "missing", a.rights(missing))
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
	q := doctor.Question{Kernel: k, Plan: planOf(s, labName, values, facts), Facts: facts}
	if labName != "" {
		q.Mark = scenarios.Mark(labName)
	}
	if err == nil {
		facts.Walls, err = doctor.Walls(q)
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

// sandboxed is a setting in a sandbox that was just started.
func (a *app) sandboxed(s scenarios.Scenario, values scenarios.Values) (setting scenarios.Setting, err error) {
	k := kernel.Open()
	defer func() { err = errors.Join(err, k.Close()) }()
	return a.sketch(k, s, s.Name, values, true)
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
