package lab

import (
	"context"
	"iter"
	"syscall"
	"time"

	"netlab/lab/kernel"
)

// Step is one lesson: what is changed, and what can be observed after it that
// could not be before. Its words stand elsewhere, under the same IDs.
type Step struct {
	ID       string
	Refusals []Refusal // tried first, to show that the kernel won't
	Ops      []Op
	Groups   []Group // done after Ops, one after the other
	Checks   []Check
	Notes    []Note
}

// Group is what a step does for one of many that are alike, such as a pod: the
// same ops as the other groups of the step, with other values. The first is
// shown in full.
type Group struct {
	Name string // what it is done for, such as "pod2"; not empty
	Ops  []Op
}

// All are the step's ops in the order to apply, each with the name of its group,
// empty for those that are in none.
func (s Step) All() iter.Seq2[string, Op] {
	return func(yield func(string, Op) bool) {
		for _, o := range s.Ops {
			if !yield("", o) {
				return
			}
		}
		for _, g := range s.Groups {
			for _, o := range g.Ops {
				if !yield(g.Name, o) {
					return
				}
			}
		}
	}
}

// Refusal is a change that the kernel is expected to refuse.
type Refusal struct {
	ID    string // names its words
	Op    Op
	Errno syscall.Errno // what the kernel must answer
}

// Check is an observable consequence of a step.
type Check struct {
	ID    string
	Probe Probe
	// Before: the check is also tried before its step in a run, where it must
	// not hold, to show that the step is what makes the difference.
	Before bool
	// Until is the ID of a later step that ends what the check sees: once that is
	// done, the check is no longer tried. Empty: it holds to the end.
	Until string
}

// Note is something to be said of a step on this machine, or of the machine.
type Note struct {
	ID     string            `json:"id"`
	Values map[string]string `json:"values,omitempty"`
	// Command settles it, or shows it; nil: nothing is to be done.
	Command Command `json:"command,omitempty"`
}

// Probe tries the network as a person would. It is a plain value.
type Probe interface {
	// Command is what a person would type to see the same. It reads nothing.
	Command() Command
	// Try makes one fresh attempt and reports what was seen. It waits for an
	// answer no longer than patience and changes nothing that outlasts it but
	// caches. The error is for an attempt that could not be made at all.
	Try(ctx context.Context, k *kernel.Kernel, patience time.Duration) (Observation, error)
}

// Independent is a Probe that may be tried while others like it are: it makes a
// fresh flow of its own, and neither forgets nor counts what theirs leave behind.
type Independent interface {
	Probe
	Independent()
}

// Observation is what a probe saw, in no language: an outcome and its values.
type Observation struct {
	Holds   bool
	Outcome string            // one of the probe's own, such as "silent"
	Values  map[string]string // such as "mac"
	// Journey is the way of the packet that was sent, where the probe followed it.
	Journey *Journey
}

// Cause is what a failed check was found to fail for, in no language.
type Cause struct {
	ID     string
	Values map[string]string
	// Repair is a command that settles it, or where none can be named, one that
	// shows it.
	Repair Command
}

// Facts are what a scenario must know of the machine it will run on.
type Facts struct {
	// RPFilter is the reverse path filter in force on a device made now: the
	// larger of conf/all and conf/default (or of conf/all and the device's own
	// once it exists).
	RPFilter int `json:"rp_filter"`
	// IPv6: the kernel has IPv6, so links must be told to keep quiet.
	IPv6 bool `json:"ipv6"`
	// IPForward: the host routes already (net.ipv4.ip_forward is 1).
	IPForward bool `json:"ip_forward,omitempty"`
	// BridgeFirewall: br_netfilter hands what a bridge of the host passes on to
	// iptables, FORWARD included (net.bridge.bridge-nf-call-iptables is 1).
	BridgeFirewall bool `json:"bridge_firewall,omitempty"`
	// Uplink is the device of the host's default route, HostAddr the address
	// the host uses as source on it.
	Uplink string `json:"uplink"`
	// Router is the gateway of that route; empty where it has none.
	Router   string `json:"router,omitempty"`
	HostAddr string `json:"host_addr"`
	// Outside is the address to try beyond the host; on a host, the gateway.
	Outside string `json:"outside"`
	// WhoAmI is the address and port of a server outside that answers with the
	// source address it saw. Empty where there is none.
	WhoAmI string `json:"who_am_i,omitempty"`
	// Firewall is "iptables" or "nftables", what NAT is to be done with.
	Firewall string `json:"firewall"`
	// IptablesNFT: the iptables here is the one that works through nf_tables.
	IptablesNFT bool `json:"iptables_nft,omitempty"`
	// Walls are what drops the packets that the host is to forward for the lab, as
	// if the lab had not opened it yet. Those that a lab can't open are not here.
	Walls []Wall `json:"walls,omitempty"`
}

// Wall is a firewall that drops what the host forwards unless a rule lets it
// through: FORWARD in the filter table of one variant of iptables.
type Wall struct {
	// Program is the iptables that has it, by its name on this machine, such as
	// "iptables-legacy", and NFT its variant.
	Program string `json:"program"`
	NFT     bool   `json:"nft,omitempty"`
	// Chain is where rules of others belong, before all else: DOCKER-USER, where
	// Docker has made that, or FORWARD itself.
	Chain string `json:"chain"`
}
