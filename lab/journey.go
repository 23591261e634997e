package lab

import (
	"net/netip"
	"time"
)

// Journey is the way of one probe through the namespaces that it crossed, as it
// was captured, in no language. The zero value is of a probe never sent.
type Journey struct {
	// From is the namespace that sent the probe: its name, "" for the host's, or
	// "pid:N" for one that is known by a process only.
	From string     `json:"from"`
	To   netip.Addr `json:"to"`
	// Probe is ProbeEcho, ProbeARP, ProbeTCP or ProbeUDP; Port is the last two's.
	Probe string `json:"probe"`
	Port  uint16 `json:"port,omitempty"`
	// Legs are the request's way, and that of what came back, if anything did.
	Legs []Leg  `json:"legs,omitempty"`
	End  Ending `json:"end"`
}

// What a Journey is made with.
const (
	ProbeEcho = "icmp-echo"
	ProbeARP  = "arp"
	ProbeTCP  = "tcp"
	ProbeUDP  = "udp"
)

// Leg is one packet's way, from where it was made to where it was last seen.
type Leg struct {
	// Kind is LegRequest, LegReply or LegError. To an ARP question there may be
	// several replies, each by another.
	Kind string `json:"kind"`
	// Type and Code are an ICMP error's (RFC 792); nil: it is none.
	Type *int `json:"icmp_type,omitempty"`
	Code *int `json:"icmp_code,omitempty"`
	// Flags are those of TCP's answer: "SYN-ACK" or "RST".
	Flags string `json:"flags,omitempty"`
	// Start is what its sender decided before the first hop.
	Start []Decision `json:"start,omitempty"`
	Hops  []Hop      `json:"hops,omitempty"`
}

// Kinds of Leg: what was sent, the answer to it, an ICMP error about it.
const (
	LegRequest = "request"
	LegReply   = "reply"
	LegError   = "error"
)

// Directions of a Hop, as seen from the namespace.
const (
	DirOut = "out"
	DirIn  = "in"
)

// Hop is one sighting of the packet at a device, and what the namespace then
// decided. The four things that a packet needs to get on are in each: SrcIP, SrcMAC,
// DstIP and DstMAC.
type Hop struct {
	NS  string `json:"ns"` // as in Journey.From
	Dev string `json:"dev"`
	Dir string `json:"dir"` // DirOut or DirIn
	// The Ethernet addresses; empty where the device has none.
	SrcMAC string `json:"src_mac,omitempty"`
	DstMAC string `json:"dst_mac,omitempty"`
	// The IP addresses, and for ARP the sender's and the target's.
	Src netip.Addr `json:"src"`
	Dst netip.Addr `json:"dst"`
	// SrcPort and DstPort are TCP's or UDP's; 0 for others.
	SrcPort uint16 `json:"src_port,omitempty"`
	DstPort uint16 `json:"dst_port,omitempty"`
	TTL     int    `json:"ttl,omitempty"` // 0: the packet has none, as ARP
	// Changed names the fields above, by their JSON names, that differ from the
	// hop before in this leg.
	Changed []string `json:"changed,omitempty"`
	// Copy: the packet was flooded here as well; the way did not go on from it.
	Copy bool `json:"copy,omitempty"`
	// After is the time since the probe was sent, in nanoseconds.
	After time.Duration `json:"after_ns"`
	// Then is what the namespace decided after this sighting, in the order of the
	// kernel's own path. Before the first hop of a leg there is Leg's Start.
	Then []Decision `json:"then,omitempty"`
}

// Decision is one thing that sent a packet on, or stopped it, in no language.
// Kind says which of Values are there.
type Decision struct {
	Kind   string            `json:"kind"`
	Values map[string]string `json:"values,omitempty"`
}

// Kinds of Decision, with their values.
const (
	// DecideRoute: the routing table was asked. "route" as `ip route` prints the
	// entry that matched, "dev", "via" where there is a gateway, "table" where it
	// is not main, "src" where the sender's address was chosen by it.
	DecideRoute = "route"
	// DecideNeighbour: "addr" was resolved on "dev" to "mac". "owner_ns" and
	// "owner_dev" say whose MAC that is, where it is known; "proxy" is "yes" where
	// that namespace has not got the address; "state" is the entry's, such as
	// REACHABLE or PERMANENT; "asked" is "yes" where an ARP request was seen for
	// it during the journey.
	DecideNeighbour = "neighbour"
	// DecideNAT: the packet's "field" (src, dst, src_port, dst_port) went from
	// "before" to "after".
	DecideNAT = "nat"
	// DecideBridge: the bridge "dev" sent it on: "mac" was behind "port", "how" it
	// knew that is learned, static or, for a MAC of its own, local; or, where
	// "flooded" is "yes", it went to every other port: "mac" was behind none
	// known, or there is no "mac" and it was for a group.
	DecideBridge = "bridge"
	// DecideLocal: the address is the namespace's own ("dev" has it).
	DecideLocal = "local"
	// DecideCable: "dev" is a cable's end; the other one is "peer" in "peer_ns".
	DecideCable = "cable"
)

// Ending is how a journey ended, in no language.
type Ending struct {
	// Outcome is Answered, Rejected (an ICMP error or a TCP reset came back), Lost,
	// Unanswered or Unsent.
	Outcome string `json:"outcome"`
	// NS and Dev are where the packet was seen last, if it did not come back.
	NS  string `json:"ns,omitempty"`
	Dev string `json:"dev,omitempty"`
	// Leg is the kind of leg that ended there.
	Leg string `json:"leg,omitempty"`
	// Reason is an ID, empty for Answered: see package trace's Known for all, and
	// for the Values that go with each. Look is a command that shows the reason, or
	// that settles it; it may be empty.
	Reason string            `json:"reason,omitempty"`
	Values map[string]string `json:"values,omitempty"`
	Look   Command           `json:"look,omitempty"`
	// Drop is the kernel's own drop reason, such as NETFILTER_DROP; empty where
	// the kernel did not tell, see DropUnread.
	Drop string `json:"drop,omitempty"`
	// DropUnread says why there is no Drop, for a packet that did not come back:
	// "not-allowed" to read it, "unsupported" by this kernel, or "not-seen": no
	// drop was seen that is certainly this packet's.
	DropUnread string `json:"drop_unread,omitempty"`
	// Notes are what is odd besides, in whatever way it ended.
	Notes []Oddity `json:"notes,omitempty"`
	// RTT is the time from the probe to its answer, in nanoseconds; 0: none came.
	RTT time.Duration `json:"rtt_ns,omitempty"`
}

// Oddity is something odd that was seen on the way. Kind says which of Values are there.
type Oddity struct {
	Kind   string            `json:"kind"`
	Values map[string]string `json:"values"`
}

// Kinds of Oddity, with their values.
const (
	// OddDuplicate: two answered ARP for "addr": "mac", which came first, and
	// "other"; each with an "_ns" and a "_dev" where it is known whose it is.
	OddDuplicate = "duplicate-address"
	// OddElsewhere: "addr" is in "owner_ns", on "owner_dev"; "ns", which is joined
	// to it by a cable, sent the packet elsewhere, by "route".
	OddElsewhere = "sent-elsewhere"
)

// Outcomes of a journey.
const (
	Answered = "answered"
	Rejected = "refused"
	Lost     = "lost"
	Unsent   = "unsent"
	// Unanswered: it reached the namespace that has the address, and nothing came
	// back.
	Unanswered = "unanswered"
)
