package op

import (
	"strings"

	"netlab/lab"
	"netlab/lab/kernel"
)

// Aspect is what of the kernel an op changes, by its kind; empty for one that is not
// known.
func Aspect(o lab.Op) kernel.Aspect {
	object, _, _ := strings.Cut(o.Kind(), "-")
	return map[string]kernel.Aspect{
		"netns": kernel.Names, "link": kernel.LinksSet, "veth": kernel.LinksSet, "bridge": kernel.LinksSet,
		"addr": kernel.AddrsSet, "route": kernel.RoutesSet, "neigh": kernel.NeighsSet, "sysctl": kernel.SysctlsSet,
		"iptables": kernel.WallsSet, "nft": kernel.WallsSet,
	}[object]
}
