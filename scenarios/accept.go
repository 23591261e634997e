package scenarios

import (
	"net/netip"
	"strings"

	"netlab/lab"
	"netlab/lab/op"
)

// acceptStep is the step that a lab has only where the host's firewall drops what it
// forwards: without it nobody would reach anybody.
const acceptStep = "accept"

// Mark is the comment by which a lab's rules in tables of others are its own.
func Mark(labName string) string { return "netlab:" + labName }

// mark is an owner's; of what was made by hand, without one, any will do.
func mark(owner string) string {
	if owner == "" {
		return ""
	}
	return Mark(owner)
}

// accept has each wall let through what matches one of those, before any rule of
// others.
func accept(walls []lab.Wall, owner string, matches ...[]string) []lab.Op {
	var ops []lab.Op
	for _, w := range walls {
		for _, match := range matches {
			ops = append(ops, op.IptablesInsert{
				Table: "filter", Chain: w.Chain, Match: match, Comment: mark(owner), Jump: "ACCEPT", NFT: w.NFT, Program: w.Program,
			})
		}
	}
	return ops
}

// replies matches what answers by that device, and nothing that begins there.
func replies(link string) []string {
	return []string{"-o", link, "-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED"}
}

// among matches what goes from one pod to another, both of them in that prefix: one
// rule for all pods, and none of their devices need be named.
func among(pods netip.Prefix) []string { return []string{"-s", pods.String(), "-d", pods.String()} }

// doors names the chains that a lab opens, for use in words: FORWARD where it need
// not open any.
func doors(walls []lab.Wall) string {
	var names []string
	for _, w := range walls {
		name := w.Chain
		if w.Program != "iptables" {
			name += " (" + w.Program + ")"
		}
		names = append(names, name)
	}
	if len(names) == 0 {
		return "FORWARD"
	}
	return strings.Join(names, ", ")
}

// walled is the note of a step that makes the host forward, where its firewall then
// drops it all the same.
func walled(walls []lab.Wall) []lab.Note {
	if len(walls) == 0 {
		return nil
	}
	return []lab.Note{{ID: "firewall"}}
}
