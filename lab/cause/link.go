package cause

import (
	"errors"
	"io/fs"
	"strconv"

	"golang.org/x/sys/unix"

	"netlab/lab"
	"netlab/lab/kernel"
	"netlab/lab/op"
)

func (f *finder) namespaces() error {
	var err error
	if f.host, err = f.kernel.Namespace(kernel.Host); err != nil {
		return err
	}
	f.pod, err = f.kernel.Namespace(f.NS)
	if errors.Is(err, fs.ErrNotExist) {
		f.found(NetnsMissing, op.NetnsAdd{Name: f.NS}.Command(), "ns", f.NS)
		f.end = true
		return nil
	}
	return err
}

// links: without both ends up, whatever else is found follows from that.
func (f *finder) links() (err error) {
	if !f.past(Link) {
		f.end = true
		return nil
	}
	if f.podLink, err = deviceOf(f.pod, f.Dev); err != nil {
		return err
	}
	if f.hostLink, err = deviceOf(f.host, f.HostDev); err != nil {
		return err
	}
	if !f.podLink.there() || !f.hostLink.there() {
		f.end = true
		return f.missingLinks()
	}
	if f.podLink.kind == "veth" && f.hostLink.kind == "veth" &&
		(f.podLink.ParentIndex != f.hostLink.Index || f.hostLink.ParentIndex != f.podLink.Index) {
		f.found(LinkNotPaired, lab.IP(f.NS, "-d", "link", "show", "dev", f.Dev),
			"dev", f.Dev, "host-dev", f.HostDev, "ns", f.NS)
		f.end = true
		return nil
	}
	for _, d := range []device{f.podLink, f.hostLink} {
		if !d.flag(unix.IFF_UP) {
			f.down(d)
			f.end = true
		}
	}
	if f.end {
		return nil
	}
	for _, d := range []device{f.podLink, f.hostLink} {
		if d.flag(unix.IFF_NOARP) {
			f.found(ARPOff, lab.IP(d.n.Name, "link", "set", d.Name, "arp", "on"), "dev", d.Name, "in", d.n.String())
		}
		f.carrier(d)
	}
	return nil
}

func (f *finder) down(d device) {
	f.found(LinkDown, op.LinkSetUp{NS: d.n.Name, Name: d.Name}.Command(), "dev", d.Name, "in", d.n.String())
}

func (f *finder) carrier(d device) {
	if !d.flag(unix.IFF_LOWER_UP) {
		f.found(NoCarrier, lab.IP(d.n.Name, "-d", "link", "show", "dev", d.Name), "dev", d.Name, "in", d.n.String())
	}
}

// missingLinks names the end that has been renamed, left behind or deleted.
func (f *finder) missingLinks() error {
	wired := lab.Command{"ip", "link", "add", f.HostDev, "type", "veth", "peer", "name", f.Dev, "netns", f.NS}
	switch {
	case !f.podLink.there() && !f.hostLink.there():
		f.found(LinkMissing, wired, "dev", f.HostDev, "in", f.host.String(), "found", "")
		return nil
	case f.hostLink.there():
		left, err := deviceOf(f.host, f.Dev)
		if err != nil {
			return err
		}
		if left.there() { // the pod's end was never moved
			f.found(LinkMissing, op.LinkSetNetns{Name: f.Dev, To: f.NS}.Command(), "dev", f.Dev, "in", f.NS, "found", "")
			return nil
		}
		return f.renamed(f.hostLink, f.pod, f.Dev)
	}
	return f.renamed(f.podLink, f.host, f.HostDev)
}

// renamed looks for the missing end of a pair under another name.
func (f *finder) renamed(end device, n *kernel.Namespace, name string) error {
	other, err := n.LinkAt(end.ParentIndex)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err == nil && other.Type() == "veth" && other.Attrs().ParentIndex == end.Index {
		now := other.Attrs().Name
		f.found(LinkMissing, lab.IP(n.Name, "link", "set", "dev", now, "name", name), "dev", name, "in", n.String(), "found", now)
		return nil
	}
	f.found(LinkMissing, lab.IP(n.Name, "link", "show"), "dev", name, "in", n.String(), "found", "")
	return nil
}

// mtu: what is larger than the smaller end takes is lost there without a word.
func (f *finder) mtu() error {
	if f.wants(Host, Outside) && f.podLink.MTU != f.hostLink.MTU {
		want := strconv.Itoa(f.hostLink.MTU)
		f.perhaps(MTUDiffers, lab.IP(f.NS, "link", "set", f.Dev, "mtu", want),
			"dev", f.Dev, "in", f.NS, "host-dev", f.HostDev, "want", want, "found", strconv.Itoa(f.podLink.MTU))
	}
	return nil
}
