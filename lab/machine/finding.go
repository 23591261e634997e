package machine

import (
	"maps"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"netlab/lab"
)

// What Preflight can find in the way, as IDs under which the words stand, and
// the Values that go with each.
const (
	NamespaceTaken      = "namespace-taken"       // name
	LinkTaken           = "link-taken"            // name
	NoDefaultRoute      = "no-default-route"      //
	SubnetHoldsAddress  = "subnet-holds-address"  // subnet, addr, dev
	SubnetOverlapsRoute = "subnet-overlaps-route" // subnet, dst, dev (may be empty)
	SubnetHoldsResolver = "subnet-holds-resolver" // subnet, addr, file
	SubnetHoldsOutside  = "subnet-holds-outside"  // subnet, addr, role: "outside" or "gateway"
	GatewayIsLocal      = "gateway-is-local"      // addr, dev
	NoVeth              = "no-veth"               // error
	NoBridge            = "no-bridge"             // error; of a plan with bridges
	NoRight             = "no-right"              // missing, in words separated by ", "
	NamespacesFew       = "namespaces-few"        // pods, want, most
	MountsFew           = "mounts-few"            // pods, want, most
	MemoryShort         = "memory-short"          // pods, want, most, in MiB
	FlowsFew            = "flows-few"             // Warn: pods, want, most
)

// Finding is one thing that was seen on this machine: in a lab's way, or not.
type Finding struct {
	ID     string
	Grade  Grade
	Values map[string]string
	// Remedy is what a person could type to settle it, or to look at it; More is
	// to be typed after it.
	Remedy lab.Command
	More   []lab.Command
	// Back is what takes the remedy back, where it changes something that is to be
	// as it was once the lab is down.
	Back []lab.Command
}

// Same tells whether two findings are of the same thing, whatever would settle it.
func (f Finding) Same(o Finding) bool { return f.ID == o.ID && maps.Equal(f.Values, o.Values) }

// Grade is how much a finding matters. The zero value is Stop.
type Grade int

// The grades.
const (
	Stop Grade = iota // the lab can't be built, or would do harm
	Warn              // the lab can be built, and something of it may fail or surprise
	OK                // nothing is in the way here
)

// String is the grade as JSON has it.
func (g Grade) String() string { return [...]string{"stop", "warn", "ok"}[g] }

// Worst is the gravest grade of all; without findings it is OK.
func Worst(found []Finding) Grade {
	worst := OK
	for _, f := range found {
		worst = min(worst, f.Grade)
	}
	return worst
}

// Plan is what a lab wants of a host. Fields with the zero value ask for nothing.
type Plan struct {
	// Again is the command that started the lab, such as `netlab run proxyarp`.
	// Remedies add NameFlag, SubnetFlag or --sandbox to it.
	Again lab.Command
	// Namespaces and Links are the names it will give. Both ends of a pair count,
	// where they are made on the host first.
	Namespaces []string
	Links      []string
	// Name is what NameFlag chose, such as --namespace: the name of the only
	// namespace, or what the names of all begin with.
	NameFlag, Name string
	// Subnet will be routed to the lab; SubnetFlag chooses it. Gateway is the
	// address that the lab's inside believes in; Outside the one it will try
	// beyond the host.
	Subnet     netip.Prefix
	SubnetFlag string
	Gateway    netip.Addr
	Outside    netip.Addr
	// DefaultRoute: the host must have one.
	DefaultRoute bool
	// Routes: the host will forward packets for the lab. Bridges: it will switch
	// frames. Translates: it will put its own address on what leaves. Of these
	// Preflight asks for bridges alone; package doctor for all.
	Routes, Bridges, Translates bool
}

// mostTaken is how many names that are taken are told of: the rest will be alike.
const mostTaken = 3

// state is what Preflight reads of a host.
type state struct {
	hostNet
	missing    []string // rights
	veth       error
	bridge     error
	namespaces []string // of the plan's, those taken
	links      []string // of the plan's, those taken
	spare      string   // what NameFlag could be instead
	resolvers  []resolver
	limits     limits
}

// judge holds a plan against a host.
func judge(p Plan, s state) []Finding {
	var found []Finding
	add := func(id string, remedy lab.Command, values ...string) {
		f := Finding{ID: id, Remedy: remedy}
		for i := 0; i+1 < len(values); i += 2 {
			if f.Values == nil {
				f.Values = map[string]string{}
			}
			f.Values[values[i]] = values[i+1]
		}
		found = append(found, f)
	}
	if len(s.missing) > 0 {
		add(NoRight, p.withRights(), "missing", strings.Join(s.missing, ", "))
	}
	if s.veth != nil {
		add(NoVeth, lab.Command{"modprobe", "veth"}, "error", s.veth.Error())
	}
	if s.bridge != nil {
		add(NoBridge, lab.Command{"modprobe", "bridge"}, "error", s.bridge.Error())
	}
	for _, name := range s.namespaces[:min(len(s.namespaces), mostTaken)] {
		add(NamespaceTaken, p.again(p.NameFlag, s.spare), "name", name)
	}
	for _, name := range s.links[:min(len(s.links), mostTaken)] {
		add(LinkTaken, lab.IP("", "link", "show", "dev", name), "name", name)
	}
	found = append(found, judgeLimits(len(p.Namespaces), s.limits)...)
	way, routed := s.defaultRoute()
	if !routed && p.DefaultRoute {
		add(NoDefaultRoute, p.again("--sandbox"))
	}
	for _, a := range s.addrs {
		if a.addr == p.Gateway {
			add(GatewayIsLocal, lab.IP("", "address", "show", "dev", a.dev), "addr", a.addr.String(), "dev", a.dev)
		}
	}
	if p.Subnet.IsValid() {
		elsewhere := p.again(p.SubnetFlag, s.freeSubnet(p).String())
		for _, c := range s.clashes(p.Subnet) {
			add(c.id, elsewhere, append(c.values, "subnet", p.Subnet.String())...)
		}
		for _, far := range []struct {
			role string
			addr netip.Addr
		}{{"outside", p.Outside}, {"gateway", way.gateway}} {
			if p.Subnet.Contains(far.addr) && (far.role == "outside" || far.addr != p.Outside) {
				add(SubnetHoldsOutside, elsewhere,
					"addr", far.addr.String(), "role", far.role, "subnet", p.Subnet.String())
			}
		}
	}
	return found
}

// again is the plan's command with more flags; see With.
func (p Plan) again(flags ...string) lab.Command { return With(p.Again, flags...) }

// withRights is the command by which the lab has the rights: sudo, or a sandbox
// for a root who lacks them, as in a container.
func (p Plan) withRights() lab.Command {
	if os.Geteuid() == 0 {
		return p.again("--sandbox")
	}
	return append(lab.Command{"sudo"}, p.Again...)
}

type clash struct {
	id     string
	values []string
}

// clashes lists what on the host a route to subnet would get in the way of.
func (s state) clashes(subnet netip.Prefix) []clash {
	var found []clash
	named := map[string]bool{} // devices whose address is said already
	for _, a := range s.addrs {
		if subnet.Contains(a.addr) {
			named[a.dev] = true
			found = append(found, clash{SubnetHoldsAddress, []string{"addr", a.addr.String(), "dev", a.dev}})
		}
	}
	overlaps := 0
	for _, r := range s.routes {
		// The halves 0.0.0.0/1 and 128.0.0.0/1 are how VPNs write a default route.
		if r.dst.Bits() <= 1 || !r.dst.Overlaps(subnet) || r.kernel && named[r.dev] {
			continue
		}
		if overlaps++; overlaps > mostTaken {
			continue
		}
		found = append(found, clash{SubnetOverlapsRoute, []string{"dst", r.dst.String(), "dev", r.dev}})
	}
	for _, v := range s.resolvers {
		if subnet.Contains(v.addr) {
			found = append(found, clash{SubnetHoldsResolver, []string{"addr", v.addr.String(), "file", v.file}})
		}
	}
	return found
}

// freeSubnet proposes a subnet that clashes with nothing, as large as the
// plan's but at most a /16.
func (s state) freeSubnet(p Plan) netip.Prefix {
	way, _ := s.defaultRoute()
	free := netip.Prefix{}
	for i := range 256 {
		bits := max(p.Subnet.Bits(), 16)
		try := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(99 + i), 0, 0}), bits)
		if i >= 128 { // all of 10/8 may be a company's
			try = netip.PrefixFrom(netip.AddrFrom4([4]byte{198, 18, byte(i), 0}), bits).Masked() // benchmarking, RFC 2544
		}
		if !free.IsValid() {
			free = try
		}
		if len(s.clashes(try)) == 0 && !try.Contains(p.Gateway) &&
			!try.Contains(p.Outside) && !try.Contains(way.gateway) {
			return try
		}
	}
	return free
}

// otherName counts a name up: ns1, ns2. It stays within max bytes.
func otherName(name string, step, max int) string {
	stem := strings.TrimRight(name, "0123456789")
	n, err := strconv.Atoi(name[len(stem):])
	if err != nil {
		stem, n = name, 1
	}
	digits := strconv.Itoa(n + step)
	if len(stem)+len(digits) > max {
		stem = stem[:max-len(digits)]
	}
	return stem + digits
}
