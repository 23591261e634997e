package kernel

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"sync"

	"github.com/vishvananda/netlink"
)

// lists are what was read of a namespace while it was still.
type lists struct {
	mu     sync.Mutex
	at     [kinds]int64 // the epochs of what follows, 0: not read
	links  []netlink.Link
	named  map[string]netlink.Link // by name and by altname
	index  map[int]netlink.Link
	one    map[string]netlink.Link // what was asked for one by one; nil: no such link
	oneAt  int64                   // the epoch of those
	addrs  map[int][]netlink.Addr
	routes map[int]map[netip.Prefix][]netlink.Route // by table and destination
	files  map[string]*os.File                      // of sysctls, by key
	dirs   map[string]*os.File                      // of sysctls, by what their keys begin with
}

func (l *lists) forgo(what Reading) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range kinds {
		if what&(1<<i) != 0 {
			l.at[i] = 0
		}
	}
	if what&ReadLinks != 0 {
		l.oneAt = 0
	}
}

func (l *lists) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.at, l.one, l.oneAt = [kinds]int64{}, nil, 0
	l.links, l.named, l.index, l.addrs, l.routes = nil, nil, nil, nil, nil
	for _, files := range []map[string]*os.File{l.files, l.dirs} {
		for _, f := range files {
			_ = f.Close() // what was written was answered
		}
	}
	l.files, l.dirs = nil, nil
}

// Links lists the links.
func (n *Namespace) Links() ([]netlink.Link, error) {
	if !n.pause.on.Load() {
		return Dump(n.Netlink.LinkList)
	}
	n.lists.mu.Lock()
	defer n.lists.mu.Unlock()
	err := n.readLinks()
	return n.lists.links, err
}

// readLinks fills the lists of links, if they are not good still. The caller holds
// their lock.
func (n *Namespace) readLinks() error {
	l, epoch := &n.lists, n.pause.epoch[linkKind].Load()
	if n.pause.fresh(linkKind, l.at[linkKind]) {
		return nil
	}
	links, err := n.slimLinks()
	if err != nil {
		return err
	}
	l.links, l.at[linkKind] = links, epoch
	l.named, l.index = make(map[string]netlink.Link, len(links)), make(map[int]netlink.Link, len(links))
	for _, link := range links {
		attrs := link.Attrs()
		l.named[attrs.Name], l.index[attrs.Index] = link, link
		for _, other := range attrs.AltNames {
			l.named[other] = link
		}
	}
	return nil
}

// linkNamed is nil for no such link. The host's are listed, for many will be asked for;
// of a pod's, which are few, one is sooner had than all.
func (n *Namespace) linkNamed(name string) (netlink.Link, error) {
	n.lists.mu.Lock()
	defer n.lists.mu.Unlock()
	if n.Name != Host && !n.pause.fresh(linkKind, n.lists.at[linkKind]) {
		return n.oneLink(name)
	}
	if err := n.readLinks(); err != nil {
		return nil, err
	}
	return n.lists.named[name], nil
}

// LinkAt is the link of that index. One that is not there is an error that wraps
// fs.ErrNotExist.
func (n *Namespace) LinkAt(index int) (netlink.Link, error) {
	if !n.pause.on.Load() {
		link, err := n.Netlink.LinkByIndex(index)
		var none netlink.LinkNotFoundError
		if errors.As(err, &none) {
			return nil, fmt.Errorf("no link %d in %s: %w", index, n, fs.ErrNotExist)
		}
		return link, err
	}
	n.lists.mu.Lock()
	defer n.lists.mu.Unlock()
	if err := n.readLinks(); err != nil {
		return nil, err
	}
	if link := n.lists.index[index]; link != nil {
		return link, nil
	}
	return nil, fmt.Errorf("no link %d in %s: %w", index, n, fs.ErrNotExist)
}

// oneLink asks for a link by its name or an altname, and remembers it. The caller holds
// the lists' lock.
func (n *Namespace) oneLink(name string) (netlink.Link, error) {
	l, epoch := &n.lists, n.pause.epoch[linkKind].Load()
	if !n.pause.fresh(linkKind, l.oneAt) {
		l.one, l.oneAt = map[string]netlink.Link{}, epoch
	}
	if link, known := l.one[name]; known {
		return link, nil
	}
	link, err := n.Netlink.LinkByName(name)
	var none netlink.LinkNotFoundError
	switch {
	case errors.As(err, &none):
		link = nil
	case err != nil:
		return nil, err
	default:
		link = slim(link)
	}
	l.one[name] = link
	return link, nil
}
