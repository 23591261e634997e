package cause

// The causes. Known lists the values of each.
const (
	NetnsMissing        = "netns-missing"
	LinkMissing         = "link-missing"          // one end of the pair, or both, have not that name there
	LinkNotPaired       = "link-not-paired"       // both are there, and are not each other's ends
	LinkDown            = "link-down"             // of either end, or of the uplink
	ARPOff              = "arp-off"               // the device has the flag NOARP
	NoCarrier           = "no-carrier"            // up, and nothing at the other end
	AddressMissing      = "address-missing"       // of the pod
	AddressDuplicate    = "address-duplicate"     // somebody on the path has another's address
	SourceWrong         = "source-wrong"          // the pod would send from an address outside its subnet
	GatewayRouteMissing = "gateway-route-missing" // the pod's route to the gateway itself
	DefaultRouteMissing = "default-route-missing" // in the pod
	PodRouteWrong       = "pod-route-wrong"       // a route in the pod leads elsewhere
	PolicyRule          = "policy-rule"           // a rule (ip-rule(8)) chooses another table, or refuses
	NeighbourWrong      = "neighbour-wrong"       // a fixed entry with a MAC that isn't the other end's
	NeighbourStale      = "neighbour-stale"       // a learned one
	ForwardingOff       = "forwarding-off"        // ip_forward
	ForwardingOffDevice = "forwarding-off-device" // on the way out, or for the replies
	HostRouteMissing    = "host-route-missing"    // the host has no route, which is most often the default route
	HostRouteRefuses    = "host-route-refuses"    // unreachable, blackhole, prohibit
	HostRouteBack       = "host-route-back"       // it leads back to the pod
	GatewayOnHost       = "gateway-on-host"       // the gateway is an address of the host
	ProxyARPOff         = "proxy-arp-off"
	RPFilter            = "rp-filter"            // in force, without the return route
	ReturnRouteMissing  = "return-route-missing" // the host's route to the pod
	ReturnRouteStolen   = "return-route-stolen"  // another route to the pod wins
	FilterDrop          = "filter-drop"          // the host's firewall, somewhere on the way
	MasqueradeMissing   = "masquerade-missing"
	MasqueradeElsewhere = "masquerade-elsewhere" // there is one, for other packets
	MasqueradeShadowed  = "masquerade-shadowed"  // there is one, and an earlier rule ends the chain
	EchoIgnored         = "echo-ignored"         // icmp_echo_ignore_all
	ProxyDelay          = "proxy-delay"          // slow, never silent
	MTUDiffers          = "mtu-differs"          // only large packets are lost
)

// Known lists the causes, and the names of each one's values. Names are as
// iproute2 and nft have them; "in" and "ns" name a namespace for people, "the
// host" for the host. Besides these, "certain" is "no" where a cause may be none.
func Known() map[string][]string {
	return map[string][]string{
		NetnsMissing:        {"ns"},
		LinkMissing:         {"dev", "in", "found"}, // found: the name it bears now, or empty
		LinkNotPaired:       {"dev", "host-dev", "ns"},
		LinkDown:            {"dev", "in"},
		ARPOff:              {"dev", "in"},
		NoCarrier:           {"dev", "in"},
		AddressMissing:      {"dev", "in", "want", "found"}, // found: those it has, or empty
		AddressDuplicate:    {"addr", "dev", "in"},
		SourceWrong:         {"in", "want", "found", "dev"},
		GatewayRouteMissing: {"in", "gateway", "dev"},
		DefaultRouteMissing: {"in", "dst"},
		PodRouteWrong:       {"in", "dst", "want", "found"}, // as `ip route` writes them
		PolicyRule:          {"in", "dst", "found"},         // found: the table, or the refusal
		NeighbourWrong:      {"in", "addr", "dev", "want", "found"},
		NeighbourStale:      {"in", "addr", "dev", "want", "found"},
		ForwardingOff:       {},
		ForwardingOffDevice: {"dev"},
		HostRouteMissing:    {"dst"},
		HostRouteRefuses:    {"dst", "route", "type"},
		HostRouteBack:       {"dst", "route", "dev"},
		GatewayOnHost:       {"gateway", "dev"},
		ProxyARPOff:         {"dev", "gateway"},
		RPFilter:            {"dev", "value", "subnet"},
		ReturnRouteMissing:  {"subnet", "dev"},
		ReturnRouteStolen:   {"pod", "dev", "found"},
		// backend, family, table and chain are where it is dropped, base the chain
		// that the hook enters by; rule is what drops: "policy drop", "drop" or
		// "reject". from and to are devices, "the host" for the host itself.
		FilterDrop:          {"backend", "family", "table", "chain", "base", "hook", "rule", "from", "to"},
		MasqueradeMissing:   {"subnet", "uplink"},
		MasqueradeElsewhere: {"pod", "uplink", "found"},
		MasqueradeShadowed:  {"pod", "uplink", "table", "chain", "rule"},
		EchoIgnored:         {},
		ProxyDelay:          {"dev", "value", "seconds"},
		MTUDiffers:          {"dev", "in", "host-dev", "want", "found"},
	}
}
