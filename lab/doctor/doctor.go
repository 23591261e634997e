// Package doctor looks a machine over for what could get in a lab's way, beyond
// the names and addresses that machine.Preflight looks at: the kernel, the
// firewall, the settings in force, the programs that manage links, what earlier
// labs left. It changes nothing and sends nothing. What it tries, it tries in
// namespaces that are thrown away.
//
// Each file has one subject: a state of the machine, a reader that fills it,
// and a judge that makes findings of it and reads nothing.
package doctor

import (
	"context"
	"io/fs"
	"slices"
	"time"

	"netlab/lab"
	"netlab/lab/kernel"
	"netlab/lab/machine"
)

// Question is what to look at, and for what.
type Question struct {
	Kernel *kernel.Kernel
	// Plan is what the lab wants, and Facts are those of the machine.
	Plan  machine.Plan
	Facts lab.Facts
	// Files are the machine's, from its / on. Labs is where the journals stand,
	// and Codec reads them.
	Files fs.FS
	Labs  string
	Codec lab.Codec
	Now   time.Time
	// Mark is the comment of the rules that are the lab's own already; empty: none
	// are, or they count as anybody's. Only Walls asks.
	Mark string
	// Root: the lab would be built on the machine itself. Otherwise only what a
	// sandbox needs is looked at.
	Root bool
	// Own are the names of the labs that are to be built.
	Own []string

	gentle bool // ask iptables-legacy only where that registers no table
}

// Examination is what came of a question.
type Examination struct {
	Found []machine.Finding
	// Sandbox: a sandbox can be made here, with all that the lab needs in it.
	Sandbox bool
}

// check is one subject's reader and judge.
type check func(Question) ([]machine.Finding, error)

// Before looks at all that concerns a lab that is about to be built on this machine
// itself. Of the trial it makes no more than a namespace: what else it would find in
// the lab's way, machine.Preflight and who asks for NAT find by asking the kernel. Only
// where no namespace can be made it makes the whole, to say why. It takes some
// 3 ms, and 5 ms more for each chain that iptables must be asked for.
func Before(ctx context.Context, q Question) []machine.Finding {
	q.gentle = true
	made := make(chan error, 1)
	go func() { made <- makeNamespace() }()
	rest := q.look(append(onHost(), clock)...)
	k := readPlatform(q.Files)
	found := judgePlatform(k)
	if <-made != nil {
		why, _ := try(ctx, true).judge(q.Plan, true, k)
		found = append(found, unsaid(why, rest)...)
	}
	return append(found, rest...)
}

// onHost are the subjects that matter for labs on the machine itself alone.
func onHost() []check {
	return []check{
		namespaces, iptables, native, forwarding, settings, policyRules, metadata, networkd, networkManager, macPolicy, byHand, orphanRules,
	}
}

// look asks all of them. What can't be read is a finding too.
func (q Question) look(checks ...check) []machine.Finding {
	var found []machine.Finding
	for _, look := range checks {
		some, err := look(q)
		if err != nil {
			some = append(some, warn(Unread, nil, "error", err.Error()))
		}
		found = append(found, some...)
	}
	return found
}

// State looks at where the journals of labs on this machine itself are written, or
// what is kept of sandboxes: before anything is, be it only a lock.
func State(labs string, host bool) ([]machine.Finding, error) {
	return stateDir(Question{Labs: labs, Root: host})
}

// unsaid is a trial without what the rest says already, with the reason.
func unsaid(trial, rest []machine.Finding) []machine.Finding {
	return slices.DeleteFunc(trial, func(f machine.Finding) bool {
		return f.ID == NoNamespaces && slices.ContainsFunc(rest, func(o machine.Finding) bool { return o.ID == NoNamespaces })
	})
}

// Examine looks at everything. It takes some 50 ms.
func Examine(ctx context.Context, q Question) Examination {
	tried := make(chan trials, 1)
	go func() { tried <- try(ctx, q.Root) }() // on its own: it waits for processes
	checks := []check{stateDir, clock, leftovers}
	if q.Root {
		checks = append(onHost(), checks...)
	}
	rest := q.look(checks...)
	k := readPlatform(q.Files)
	_, missing := machine.CanUseHost()
	found := append(judgePlatform(k), judgeRights(q.Root, missing)...)
	trial, sandbox := (<-tried).judge(q.Plan, q.Root, k)
	trial = unsaid(trial, rest)
	for _, f := range rest {
		sandbox = sandbox && !(f.Grade == machine.Stop && ofState(f.ID))
	}
	return Examination{Found: append(append(found, trial...), rest...), Sandbox: sandbox}
}
