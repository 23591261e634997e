package trace

// Reasons why a journey ended as it did. Known lists the values of each. A
// namespace in a value is named as in lab.Journey; lab.Ending.NS is the one that
// the reason was found in.
const (
	// NoRoute: the namespace has no route to "dst".
	NoRoute = "no-route"
	// UnreachableRoute: the route that matches refuses: "type" is unreachable,
	// blackhole or prohibit, "route" the entry.
	UnreachableRoute = "unreachable-route"
	// RefusingRule: a rule of `ip rule` refuses: "type" is unreachable, blackhole or
	// prohibit, "rule" as `ip rule` prints it.
	RefusingRule = "refusing-rule"
	// NoNeighbour: nobody answered the ARP question for "addr" on "dev". "state"
	// is the neighbour entry's; "asked" is "yes" where the question was seen.
	// "router", "router_dev" and "why" and "route" are as in NobodyHas.
	NoNeighbour = "no-neighbour"
	// RPFilter: the source "src" came in on "dev", and the way back to it is by
	// another ("back", empty: none); "value" is the rp_filter in force.
	RPFilter = "rp-filter"
	// ForwardingOff: the packet is for another, and the sysctl "key" is 0; "dev" is
	// the device that it came in on.
	ForwardingOff = "forwarding-off"
	// Firewall: a rule dropped or rejected it. "backend", "family", "table",
	// "chain", "base", "hook" and "rule" are as package cause has them for a
	// filter-drop. "certain" is "no" where a rule only may have.
	Firewall = "firewall"
	// LinkDown: the device "dev" in "in" is down.
	LinkDown = "link-down"
	// Unplugged: the cable's end "port" in "in" is no port of "bridge" there, and
	// its other end, "owner_dev" in "owner_ns", is whom the frame is for.
	Unplugged = "unplugged"
	// IsolatedPorts: the ports "port" and "other" of "bridge" are both isolated.
	IsolatedPorts = "isolated-ports"
	// NoCarrier: the device "dev" in "in" is up, and nothing is at its other end.
	NoCarrier = "no-carrier"
	// MTU: the packet was larger than "mtu" and must not be divided.
	MTU = "mtu"
	// Martian: the source "src" can't come from outside: it is the namespace's own,
	// or no host's. With "dst" instead, it is that which can't: a loopback address.
	Martian = "martian-source"
	// WrongMAC: the frame was for "mac", which is not the device "dev"'s, "own".
	WrongMAC = "wrong-mac"
	// PortClosed: nothing listens on "port" of "proto" at "addr".
	PortClosed = "port-closed"
	// TCPReset: somebody other than "addr" reset the connection to its "port", and
	// no rule that can be read says why. "made_in" is the namespace that did, where
	// it is known.
	TCPReset = "tcp-reset"
	// EchoIgnored: the sysctl "key" is not 0.
	EchoIgnored = "echo-ignored"
	// NoAnswer: the packet reached the namespace that has "addr", which sent
	// nothing back, for a reason that netlab can't see: a program's, most often.
	NoAnswer = "no-answer"
	// LeftCaptures: the packet left by "dev", to where netlab can't look, and
	// nothing came back.
	LeftCaptures = "left-the-captures"
	// NobodyHas: nobody on the link answered ARP for "addr". With "router" and
	// "router_dev", the one that might have proxied, "why" says why it didn't:
	// proxy-arp-off, forwarding-off, no-route, refusing-route (which is "route"),
	// same-device, rp-filter, refusing-rule (which is "rule"), arp-ignore, arp-off.
	NobodyHas = "nobody-has-address"
	// TTLExceeded: too many hops. A loop, most often. "from" said so, or, where
	// nothing was heard, "in" is where the last hop was.
	TTLExceeded = "ttl-exceeded"
	// ICMPError: a namespace that netlab can't look into, "from", refused it: ICMP
	// "type" and "code".
	ICMPError = "icmp-error"
	// SendRefused: the sender's kernel refused it with "errno".
	SendRefused = "send-refused"
	// Unknown: the packet stopped, and nothing that netlab can read says why.
	Unknown = "unknown"
)

// Known lists the reasons, and the names of each one's values.
func Known() map[string][]string {
	return map[string][]string{
		NoRoute:          {"dst"},
		UnreachableRoute: {"dst", "type", "route"},
		NoNeighbour:      {"addr", "dev", "state", "asked", "router", "router_dev", "why", "route", "rule"},
		RPFilter:         {"src", "dev", "value", "back"},
		ForwardingOff:    {"key", "dev"},
		Firewall:         {"backend", "family", "table", "chain", "base", "hook", "rule", "certain"},
		LinkDown:         {"dev", "in"},
		NoCarrier:        {"dev", "in"},
		MTU:              {"mtu", "from"},
		Martian:          {"src", "dst", "dev"},
		RefusingRule:     {"dst", "type", "rule"},
		WrongMAC:         {"mac", "own", "dev"},
		PortClosed:       {"addr", "port", "proto"},
		EchoIgnored:      {"key"},
		NoAnswer:         {"addr"},
		LeftCaptures:     {"dev"},
		NobodyHas:        {"addr", "dev", "router", "router_dev", "why", "route", "rule"},
		TTLExceeded:      {"from", "in"},
		TCPReset:         {"addr", "port", "made_in"},
		Unplugged:        {"port", "in", "bridge", "owner_ns", "owner_dev"},
		IsolatedPorts:    {"bridge", "port", "other"},
		ICMPError:        {"from", "type", "code"},
		SendRefused:      {"errno"},
		Unknown:          {},
	}
}
