package lab

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/vishvananda/netlink"

	"netlab/lab/kernel"
)

// Kinds of object that a Ref can name.
const (
	RefNetns = "netns" // a named network namespace
	RefLink  = "link"  // a network device
)

// Ref names an object as a person would.
type Ref struct {
	Kind string `json:"kind"`         // RefNetns or RefLink
	NS   string `json:"ns,omitempty"` // the namespace a link is in; empty: the host's
	Name string `json:"name"`
}

func (r Ref) String() string {
	if r.NS != "" {
		return r.Kind + " " + r.Name + " in " + r.NS
	}
	return r.Kind + " " + r.Name
}

// Identity is what makes an object that object, whatever it is called. The
// zero value says that nothing is known of it.
type Identity struct {
	// Cookie is a namespace's number, never given out twice; 0 where the kernel
	// has none (before Linux 5.14).
	Cookie uint64 `json:"cookie,omitempty"`
	// Index is a link's ifindex in its namespace; the kernel counts them up.
	Index int `json:"index,omitempty"`
}

// Identify reads the identity of the object that bears the name now. A name
// that nothing bears is an error that wraps fs.ErrNotExist.
func (r Ref) Identify(k *kernel.Kernel) (Identity, error) {
	switch r.Kind {
	case RefNetns:
		n, err := k.Namespace(r.Name)
		if err != nil {
			return Identity{}, err
		}
		cookie, err := n.Cookie()
		return Identity{Cookie: cookie}, err
	case RefLink:
		n, err := k.Namespace(r.NS)
		if err != nil {
			return Identity{}, err
		}
		link, err := n.Link(r.Name)
		if err != nil {
			return Identity{}, err
		}
		return Identity{Index: link.Attrs().Index}, nil
	}
	return Identity{}, fmt.Errorf("unknown kind of object %q", r.Kind)
}

// NameNow is the name that the object of this identity bears now: a link may
// have been renamed. An object that is nowhere is an error wrapping
// fs.ErrNotExist.
func (r Ref) NameNow(k *kernel.Kernel, id Identity) (string, error) {
	if r.Kind != RefLink || id.Index == 0 {
		now, err := r.Identify(k)
		if err == nil && now != id {
			err = fmt.Errorf("%s is another one: %w", r, fs.ErrNotExist)
		}
		return r.Name, err
	}
	n, err := k.Namespace(r.NS)
	if err != nil {
		return "", err
	}
	link, err := n.Netlink.LinkByIndex(id.Index)
	var none netlink.LinkNotFoundError
	if errors.As(err, &none) {
		return "", fmt.Errorf("%s: %w", r, fs.ErrNotExist)
	}
	if err != nil {
		return "", fmt.Errorf("look for %s: %w", r, err)
	}
	return link.Attrs().Name, nil
}
