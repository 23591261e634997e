package lab

import (
	"slices"
	"strconv"
)

// Picture is what a lab's network looks like, as its ops say: nothing in it is
// drawn by a scenario. Elements stand in the order in which they came to be,
// the host first.
type Picture struct {
	Spaces []*Space `json:"namespaces"`
	// Outside is what lies beyond the host's uplink; nil: nothing is known.
	Outside *Outside `json:"outside,omitempty"`
	// More is how many groups, such as pods, are left out: those after mostDrawn.
	More    int  `json:"more,omitempty"`
	MoreNew bool `json:"more_new,omitempty"`
	// Live: MACs and states were read from the kernel.
	Live bool `json:"live,omitempty"`
}

// Space is a network namespace with what is in it.
type Space struct {
	Name    string    `json:"name,omitempty"` // empty: the host
	Flags   []Flag    `json:"flags,omitempty"`
	Devices []*Device `json:"devices,omitempty"`
	Routes  []Route   `json:"routes,omitempty"`
	Rules   []Rule    `json:"rules,omitempty"`
	// More counts what the groups that are left out have here.
	More    More `json:"more,omitzero"`
	Missing bool `json:"missing,omitempty"` // Live: it is not there
	New     bool `json:"new,omitempty"`
}

// Device is a network device.
type Device struct {
	Name   string `json:"name"`
	Kind   string `json:"kind,omitempty"`   // "veth", "bridge", …; empty: not known
	Master string `json:"master,omitempty"` // the bridge that it is a port of
	Peer   *End   `json:"peer,omitempty"`   // the other end of its cable
	Uplink bool   `json:"uplink,omitempty"` // the host's way outside, there before the lab
	// Unrouted: the lab took away the default route that led out of the uplink.
	Unrouted bool        `json:"unrouted,omitempty"`
	State    DeviceState `json:"state,omitempty"`
	// MAC is what the lab set or, Live, what it is. Otherwise the kernel draws one
	// that nobody knows beforehand.
	MAC    string  `json:"mac,omitempty"`
	MACNew bool    `json:"mac_new,omitempty"` // the lab has set it, on a device that need not be New
	Ports  int     `json:"ports,omitempty"`   // Live, of a bridge: how many it has, whoever's they are
	Addrs  []Addr  `json:"addrs,omitempty"`
	Neighs []Neigh `json:"neighbours,omitempty"`
	Flags  []Flag  `json:"flags,omitempty"`
	New    bool    `json:"new,omitempty"` // it was not there before, or not in this state
}

// End is a device as a cable's end.
type End struct {
	NS   string `json:"ns,omitempty"`
	Name string `json:"name"`
}

// DeviceState says whether a device can carry packets.
type DeviceState string

// The states of a device. The last two are seen only on a live one.
const (
	StateUnknown   DeviceState = ""
	StateDown      DeviceState = "down"
	StateUp        DeviceState = "up"
	StateNoCarrier DeviceState = "no-carrier" // up, but its other end is not
	StateMissing   DeviceState = "missing"
)

// Addr is an address of a device, as `ip addr` writes it.
type Addr struct {
	Addr string `json:"addr"`
	New  bool   `json:"new,omitempty"`
}

// Neigh is an entry of the neighbour table that the lab has put there for good.
type Neigh struct {
	Addr string `json:"addr"`
	MAC  string `json:"mac"`
	New  bool   `json:"new,omitempty"`
}

// String is the entry as `ip neigh` writes it of a device.
func (n Neigh) String() string { return n.Addr + " lladdr " + n.MAC }

// Flag is a setting that the picture would be wrong without.
type Flag struct {
	Key   string `json:"key"` // such as "proxy_arp", or "all/proxy_arp" of the namespace
	Value string `json:"value"`
	New   bool   `json:"new,omitempty"`
}

// Route is a route in the words of `ip route`.
type Route struct {
	Type   string `json:"type,omitempty"` // such as "blackhole"; empty: unicast
	Dst    string `json:"dst"`
	Via    string `json:"via,omitempty"`
	Dev    string `json:"dev,omitempty"`
	Scope  string `json:"scope,omitempty"`
	Src    string `json:"src,omitempty"`
	Onlink bool   `json:"onlink,omitempty"`
	New    bool   `json:"new,omitempty"`
}

// String is the route as one would type it.
func (r Route) String() string {
	s := r.Dst
	if r.Type != "" {
		s = r.Type + " " + s
	}
	for _, part := range []struct{ word, value string }{
		{" via ", r.Via}, {" dev ", r.Dev}, {" scope ", r.Scope}, {" src ", r.Src},
	} {
		if part.value != "" {
			s += part.word + part.value
		}
	}
	if r.Onlink {
		s += " onlink"
	}
	return s
}

// Rule is a rule of the firewall, without the comment that marks it as ours.
type Rule struct {
	Kind  string `json:"kind"` // "nat" or "filter"
	Table string `json:"table"`
	Chain string `json:"chain"`
	Text  string `json:"rule"` // in the words of iptables or nft
	New   bool   `json:"new,omitempty"`
}

// Outside is what is beyond the host. A lab tries Addr, which need not be the
// gateway.
type Outside struct {
	Addr string `json:"addr"`
}

// Drawer is an Op that is seen in a picture. One that is not draws nothing.
type Drawer interface {
	Draw(*Picture)
}

// PictureAt is the picture once the steps up to and with until are done; empty:
// all of them. Before any step there is the machine around the lab.
func PictureAt(f Facts, steps []Step, until string) Picture {
	host := &Space{}
	p := Picture{Spaces: []*Space{host}}
	if f.RPFilter > 0 { // otherwise it makes no difference
		host.Flags = append(host.Flags, Flag{Key: "rp_filter", Value: strconv.Itoa(f.RPFilter)})
	}
	if f.Uplink != "" {
		up := &Device{Name: f.Uplink, Uplink: true}
		if f.HostAddr != "" {
			up.Addrs = []Addr{{Addr: f.HostAddr}}
		}
		host.Devices = append(host.Devices, up)
	}
	if f.Outside != "" {
		p.Outside = &Outside{Addr: f.Outside}
	}
	drawn := grouped{&p, map[*Space]bool{}}
	for _, step := range steps {
		drawn.do(step)
		if step.ID == until {
			break
		}
	}
	p.uplinkLast()
	return p
}

// uplinkLast puts the host's uplink after the lab's own devices.
func (p *Picture) uplinkLast() {
	host := p.Spaces[0]
	slices.SortStableFunc(host.Devices, func(a, b *Device) int {
		switch {
		case a.Uplink == b.Uplink:
			return 0
		case a.Uplink:
			return 1
		}
		return -1
	})
}
