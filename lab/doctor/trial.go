package doctor

import (
	"context"
	"errors"
	"os"
	"strings"
	"syscall"

	"netlab/lab"
	"netlab/lab/kernel"
	"netlab/lab/machine"
)

// trial is one throwaway namespace, and what the kernel let us do in it.
type trial struct {
	tried machine.Tried
	err   error // the namespace could not be made
}

// trials are those that were made: as a sandbox has it, and as root has it on
// the machine itself.
type trials struct {
	sandbox trial
	host    *trial // nil: labs run in sandboxes only
	nsenter error  // the program that sandboxes are entered by
	root    bool   // who asks is root already, wherever the lab is to run
}

func try(ctx context.Context, root bool) trials {
	host := make(chan *trial, 1)
	go func() {
		if !root {
			host <- nil
			return
		}
		var t trial
		if t.err = makeNamespace(); t.err == nil {
			t.tried, t.err = machine.Try(ctx, false)
		}
		host <- &t
	}()
	t := trials{root: os.Geteuid() == 0}
	t.sandbox.tried, t.sandbox.err = machine.Try(ctx, true)
	t.host, t.nsenter = <-host, machine.HaveNsenter()
	return t
}

// makeNamespace makes a namespace as a lab does, and throws it away.
func makeNamespace() error { return kernel.Scratch(func() error { return nil }) }

// judge tells what is in the way, and whether a sandbox can be made with all in
// it that the plan needs.
func (t trials) judge(p machine.Plan, root bool, k kind) (found []machine.Finding, sandbox bool) {
	grade := machine.Stop
	if root { // who has the machine itself
		grade = machine.Warn
	}
	found = t.judgeSandbox(p.Again, grade, k)
	inside := judgeFeatures(p, t.sandbox.tried)
	sandbox = len(found) == 0 && machine.Worst(inside) != machine.Stop
	if sandbox {
		found = append(found, ok(SandboxWorks))
	}
	switch {
	case t.host == nil:
		return append(found, inside...), sandbox
	case t.host.err != nil:
		if len(p.Again) > 0 && !sandbox {
			return append(found, stop(NoNamespaces, nil, "error", t.host.err.Error())), sandbox
		}
		return append(found, stop(NoNamespaces, with(p.Again, "--sandbox"), "error", t.host.err.Error())), sandbox
	}
	return append(found, judgeFeatures(p, t.host.tried)...), sandbox
}

// judgeSandbox names what keeps a sandbox from being made.
func (t trials) judgeSandbox(again lab.Command, grade machine.Grade, k kind) []machine.Finding {
	var found []machine.Finding
	if t.nsenter != nil {
		found = append(found, graded(grade, NoNsenter, lab.Command{"apt-get", "install", "util-linux"}, nil))
	}
	remedy, writable := append(lab.Command{"sudo"}, again...), lab.Command{"mount", "-o", "remount,rw", "/proc/sys"}
	switch {
	case k.container != "":
		remedy = lab.Command{containerProgram(k.container), "run", "--privileged", "-it", "IMAGE"}
		writable = remedy
	case t.root || grade == machine.Warn:
		remedy = nil
	}
	var denied *machine.NamespacesError
	switch {
	case errors.As(t.sandbox.err, &denied) && len(denied.Knobs) > 0:
		for _, knob := range denied.Knobs {
			found = append(found, graded(grade, KnobForbids, lab.Command{"sysctl", "-w", knob.Key + "=" + knob.Want},
				[]string{"key", knob.Key, "value", knob.Value}))
		}
	case errors.Is(t.sandbox.err, syscall.ENOSPC):
		found = append(found, graded(grade, NoSandbox, lab.Command{"lsns", "-t", "user"}, []string{"error", t.sandbox.err.Error()}))
	case t.sandbox.err != nil:
		found = append(found, graded(grade, NoSandbox, remedy, []string{"error", t.sandbox.err.Error()}))
	case t.sandbox.tried[machine.TrySysctl] != "": // /proc/sys is read-only in most containers
		found = append(found, graded(grade, NoSysctl, writable, []string{"error", t.sandbox.tried[machine.TrySysctl]}))
	}
	return found
}

// namespaces looks for a sysctl that keeps root too from making a namespace.
func namespaces(Question) ([]machine.Finding, error) { return judgeLimits(machine.Forbidden()), nil }

func judgeLimits(knobs []machine.Knob) []machine.Finding {
	var found []machine.Finding
	for _, k := range knobs {
		found = append(found, stop(NoNamespaces, lab.Command{"sysctl", "-w", k.Key + "=" + k.Want}, "error", k.Key+" is "+k.Value))
	}
	return found
}

// containerProgram is the program that starts such containers.
func containerProgram(kind string) string {
	if kind == "podman" || kind == "oci" {
		return "podman"
	}
	return "docker"
}

// judgeFeatures holds what the kernel can do against what the plan needs.
func judgeFeatures(p machine.Plan, tried machine.Tried) []machine.Finding {
	if tried == nil {
		return nil
	}
	var found []machine.Finding
	var works []string
	load := func(module string) lab.Command { return lab.Command{"modprobe", module} }
	if said := tried[machine.TryVeth]; said != "" {
		found = append(found, stop(machine.NoVeth, load("veth"), "error", said))
	} else {
		works = append(works, "veth")
	}
	if said := tried[machine.TryBridge]; said == "" {
		works = append(works, "bridge")
	} else if p.Bridges {
		found = append(found, stop(machine.NoBridge, load("bridge"), "error", said))
	}
	nft, byIptables := nftSaid(tried), tried[machine.TryIptables]
	_, haveIptables := tried[machine.TryIptables]
	iptablesWorks := haveIptables && byIptables == ""
	switch {
	case nft == "" && haveIptables && !iptablesWorks:
		works = append(works, "MASQUERADE (nft)")
		if p.Translates {
			found = append(found, warn(NoXtTarget, load("xt_MASQUERADE"), "error", byIptables))
		}
	case nft == "" && iptablesWorks:
		works = append(works, "MASQUERADE (nft, iptables)")
	case nft == "":
		works = append(works, "MASQUERADE (nft)")
	case iptablesWorks:
		works = append(works, "MASQUERADE (iptables)")
		found = append(found, ok(NoNftables, "error", nft))
	case p.Translates:
		found = append(found, stop(NoNAT, load("nft_masq"), "error", nft))
	}
	if len(works) == 0 {
		return found
	}
	return append([]machine.Finding{ok(KernelWorks, "features", strings.Join(works, ", "))}, found...)
}

// nftSaid is why nftables can't translate here; empty: it can.
func nftSaid(tried machine.Tried) string {
	if said := tried[machine.TryNftables]; said != "" {
		return said
	}
	return tried[machine.TryNftMasquerade]
}

func with(c lab.Command, flags ...string) lab.Command {
	return append(append(lab.Command{}, c...), flags...)
}
