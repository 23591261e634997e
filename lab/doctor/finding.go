package doctor

import (
	"netlab/lab"
	"netlab/lab/machine"
)

// IDs of findings, under which the words stand, and the Values that go with each.
// Those that are always OK say what the machine is like.
const (
	NamesFree = "names-free" // OK: scenarios; of those whose names and addresses nothing has
	Unread    = "unread"     // Warn: error; something could not be looked at

	Rights   = "rights"    // OK: all that labs take on this machine itself
	NoRights = "no-rights" // OK: missing; a sandbox needs none

	Container = "container" // OK: kind, such as "docker"
	WSL1      = "wsl-one"   // Stop: release
	WSL2      = "wsl-two"   // OK: release

	SandboxWorks  = "sandbox"        // OK
	NoSandbox     = "no-sandbox"     // error
	NoSysctl      = "no-sysctl"      // error: settings can't be written
	KnobForbids   = "knob-forbids"   // key, value: a sysctl that forbids sandboxes
	NoNsenter     = "no-nsenter"     //
	KernelWorks   = "kernel"         // OK: features
	NoNamespaces  = "no-namespaces"  // Stop: error
	NoNAT         = "no-nat"         // error: neither by nftables nor by iptables
	NoXtTarget    = "no-xt-target"   // Warn: error; nftables can
	NoNftables    = "nftables-fails" // OK: error; iptables can
	IptablesIs    = "iptables"       // OK: variant; the other has no rules
	IptablesMixed = "iptables-mixed" // OK: variant; the other has rules
	NoIptables    = "iptables-none"  // OK
	OtherRules    = "other-rules"    // Warn: variant, other, count
	NativeRules   = "native-rules"   // Warn: chains
	ForwardOpen   = "forward-open"   // OK
	ForwardOpened = "forward-opened" // OK: door, and as below; a lab lets its own packets through in chain door
	ForwardDrops  = "forward-drops"  // Stop: backend, family, table, chain, base, rule, by; who set it is one of the By constants
	ForwardMay    = "forward-may"    // Warn: the same; it depends on what can't be known before
	PolicyRule    = "policy-rule"    // Stop: subnet, found: the table that is asked instead, or the refusal
	RPFilter      = "rp-filter"      // OK: value
	RPFilterOff   = "rp-filter-off"  // OK
	ForwardingOn  = "forwarding-on"  // OK
	ForwardingOff = "forwarding-off" // OK
	DefaultRoute  = "default-route"  // OK: dev, via
	BridgeCalls   = "bridge-calls"   // OK: bridged frames pass the firewall

	Metadata   = "metadata"    // Warn: cloud, addr
	NoMetadata = "no-metadata" // OK

	NetworkdTakes       = "networkd-takes"       // Warn: dev, file
	NetworkdTakesRoutes = "networkd-takes-all"   // Warn: dev, file; and ManageForeignRoutes is on
	Networkd            = "networkd"             // OK
	NetworkManagerTakes = "networkmanager-takes" // Warn: dev
	NetworkManager      = "networkmanager"       // OK
	MACPolicy           = "mac-policy"           // OK: policy, file

	LabGone      = "lab-gone"      // Warn: lab
	LabDamaged   = "lab-damaged"   // Warn: lab
	LabAside     = "lab-aside"     // Warn: lab, file; a damaged journal was set aside
	LabUp        = "lab-up"        // OK: lab
	SandboxEmpty = "sandbox-empty" // Warn: name
	MadeByHand   = "made-by-hand"  // Warn: name, dev
	RuleByHand   = "rule-by-hand"  // Warn: rule, subnet
	OrphanRules  = "orphan-rules"  // lab, count: rules or tables that bear a lab's mark, and no journal speaks of it

	ClockPast     = "clock-past"     // Warn: now
	ClockBehind   = "clock-behind"   // Warn: lab, created
	Clock         = "clock"          // OK: now
	StateFull     = "state-full"     // dir, free
	StateNoInodes = "state-inodes"   // Stop: dir, free: how many files can still be made
	StateReadOnly = "state-readonly" // Stop: dir
	StateUnsafe   = "state-unsafe"   // Stop: error
	StateFine     = "state"          // OK: dir, free
)

func graded(g machine.Grade, id string, remedy lab.Command, values []string) machine.Finding {
	f := machine.Finding{ID: id, Grade: g, Remedy: remedy}
	for i := 0; i+1 < len(values); i += 2 {
		if f.Values == nil {
			f.Values = map[string]string{}
		}
		f.Values[values[i]] = values[i+1]
	}
	return f
}

func ok(id string, values ...string) machine.Finding {
	return graded(machine.OK, id, nil, values)
}

func warn(id string, remedy lab.Command, values ...string) machine.Finding {
	return graded(machine.Warn, id, remedy, values)
}

func stop(id string, remedy lab.Command, values ...string) machine.Finding {
	return graded(machine.Stop, id, remedy, values)
}
