package trace

import (
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netlab/lab/kernel"
)

// scene is what is known of the namespaces and devices that a packet may cross.
// It is read as it is needed and remembered.
type scene struct {
	kernel  *kernel.Kernel
	from    *space
	spaces  []*space // in the order in which they were found
	named   map[string]*space
	points  []*device // to capture on, in the order in which they were found
	cut     bool
	peers   map[*device]*device
	walked  map[walk]bool
	bridges map[*device][]*device
	goals   []netip.Addr // what is looked for on the way
	unread  error        // the first thing that could not be read
}

// space is one namespace.
type space struct {
	scene   *scene
	n       *kernel.Namespace
	name    string // as it is shown
	devices map[int]*device
	missing map[int]bool
}

// device is a link where it is.
type device struct {
	*netlink.LinkAttrs
	kind  string // "veth" and the like, as ip(8) has it
	space *space
	point bool
	// followed: all that hangs on it has been found.
	followed bool
}

// ethernet tells whether its frames begin with an Ethernet header.
func (d *device) ethernet() bool { return d.EncapType == "ether" || d.EncapType == "loopback" }

// resolves tells whether the kernel asks ARP on it.
func (d *device) resolves() bool {
	return d.ethernet() && d.RawFlags&(unix.IFF_NOARP|unix.IFF_LOOPBACK) == 0
}

func newScene(k *kernel.Kernel) *scene {
	return &scene{kernel: k, named: map[string]*space{}, peers: map[*device]*device{}, walked: map[walk]bool{}, bridges: map[*device][]*device{}}
}

// space opens a namespace, by its name.
func (s *scene) space(name string) (*space, error) {
	if sp := s.named[name]; sp != nil {
		return sp, nil
	}
	n, err := s.kernel.Namespace(name)
	if err != nil {
		return nil, err
	}
	return s.spaceOf(n), nil
}

func (s *scene) spaceOf(n *kernel.Namespace) *space {
	name := s.kernel.Called(n)
	if sp := s.named[name]; sp != nil {
		return sp
	}
	sp := &space{scene: s, n: n, name: name, devices: map[int]*device{}, missing: map[int]bool{}}
	s.spaces = append(s.spaces, sp)
	s.named[name] = sp
	return sp
}

// device is nil for one that is not there.
func (sp *space) device(index int) (*device, error) {
	if d := sp.devices[index]; d != nil || index <= 0 || sp.missing[index] {
		return d, nil
	}
	link, err := sp.link(index)
	if err != nil {
		return nil, err
	}
	if link == nil {
		sp.missing[index] = true
		return nil, nil
	}
	return sp.add(link), nil
}

func (sp *space) add(link netlink.Link) *device {
	attrs := link.Attrs()
	if d := sp.devices[attrs.Index]; d != nil {
		return d
	}
	d := &device{LinkAttrs: attrs, kind: link.Type(), space: sp}
	sp.devices[attrs.Index] = d
	return d
}

// deviceNamed wraps fs.ErrNotExist for one that is not there.
func (sp *space) deviceNamed(name string) (*device, error) {
	link, err := sp.linkNamed(name)
	if err != nil {
		return nil, err
	}
	return sp.add(link), nil
}

// below lists the devices that have d for their master: a bridge's ports.
func (d *device) below() ([]*device, error) {
	links, err := d.space.links()
	if err != nil {
		return nil, err
	}
	var ports []*device
	for _, link := range links {
		if link.Attrs().MasterIndex == d.Index {
			ports = append(ports, d.space.add(link))
		}
	}
	return ports, nil
}

// master is the bridge that d is a port of; nil: none.
func (d *device) master() (*device, error) {
	m, err := d.space.device(d.MasterIndex)
	if err != nil || m == nil || m.kind != "bridge" {
		return nil, err
	}
	return m, nil
}

// peer is the other end of a veth, nil where there is none or its namespace has
// neither a name nor a process.
func (s *scene) peer(d *device) (*device, error) {
	if d.kind != "veth" {
		return nil, nil
	}
	if p, ok := s.peers[d]; ok {
		return p, nil
	}
	p, err := s.findPeer(d)
	if err == nil {
		s.peers[d] = p
		if p != nil {
			s.peers[p] = d
		}
	}
	return p, err
}

func (s *scene) findPeer(d *device) (*device, error) {
	if d.ParentIndex <= 0 {
		return nil, nil
	}
	sp := d.space
	if d.NetNsID >= 0 {
		full := len(s.spaces) >= maxSpaces
		if full {
			name, ok, err := s.kernel.NamedAcross(d.space.n, d.NetNsID)
			if err != nil {
				return nil, s.keep(err)
			}
			if ok && s.named[name] == nil {
				s.cut = true
				return nil, nil
			}
		}
		n, err := sp.across(d.NetNsID)
		if err != nil || n == nil {
			return nil, err
		}
		if s.named[s.kernel.Called(n)] == nil && full {
			s.cut = true
			return nil, nil
		}
		sp = s.spaceOf(n)
	}
	return sp.device(d.ParentIndex)
}

// has tells whether the address is the namespace's own, and on which device. What
// could not be read, the scene knows.
func (sp *space) has(addr netip.Addr) (dev string, ok bool) {
	if !addr.Is4() {
		return "", false
	}
	addrs, err := sp.addrs(nil)
	if err != nil {
		return "", false
	}
	for _, a := range addrs {
		if kernel.Addr(a.IP) == addr {
			if d, err := sp.device(a.LinkIndex); err == nil && d != nil {
				return d.Name, true
			}
		}
	}
	routes, refused, err := sp.routesTo(addr, nil) // 127.0.0.0/8, or a local route
	if err != nil || refused != 0 || routes[0].Type != unix.RTN_LOCAL {
		return "", false
	}
	return "lo", true
}

// portsOf is below, remembered, for a bridge.
func (s *scene) portsOf(bridge *device) ([]*device, error) {
	if ports, ok := s.bridges[bridge]; ok {
		return ports, nil
	}
	ports, err := bridge.below()
	if err != nil {
		return nil, err
	}
	s.bridges[bridge] = ports
	return ports, nil
}
