package op

import (
	"slices"

	"netlab/lab"
	"netlab/lab/kernel"
)

// Halfway is what completes the restore if it is stopped after its first write.
// Writing ip_forward turns others along with it, which are then written back, each
// by itself: in between they look as if somebody had turned forwarding off by hand,
// and that would be left alone. ok is false where there is nothing in between.
func (o SysctlRestore) Halfway(k *kernel.Kernel) (rest lab.Op, ok bool, err error) {
	first := o.first()
	several := slices.ContainsFunc(o.Values, func(v SysctlWas) bool { return v.Key != first.Key && !v.Follows })
	if o.Again || !several || first.Key != ipForward && first.Key != allForwarding {
		return nil, false, nil
	}
	n, err := undoNamespace(k, o.NS)
	if err != nil {
		return nil, false, err
	}
	now, err := n.Sysctl(first.Key)
	if err != nil || !sameValue(now, first.Left) { // it will not be written
		return nil, false, err
	}
	o.Again = true
	return o, true, nil
}

// brings is what writing the first value back makes of another.
func (o SysctlRestore) brings(key string) string {
	if key == allRedirects {
		return opposite(o.first().Was)
	}
	return o.first().Was
}
