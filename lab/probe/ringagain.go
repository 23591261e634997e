package probe

import (
	"context"
	"errors"
	"slices"
	"time"

	"netlab/lab/kernel"
)

// ringSilent is of how many windows silence may be for want of room. More, and it is
// the pods'.
const ringSilent = 4

// again has windows with a silent pod ping once more, one window at a time: of so many
// pods, some may have found no room in the table of neighbours, which others on this
// machine fill, too, and whose oldest entries are dropped after a few seconds. A lab of
// one window is not asked twice.
func (p Ring) again(ctx context.Context, k *kernel.Kernel, windows []ringRange, all [][]*ringMember, errs []error, patience time.Duration) {
	var silent []int
	for i, members := range all {
		if slices.ContainsFunc(members, func(m *ringMember) bool { return m.problem == noAnswer }) {
			silent = append(silent, i)
		}
	}
	if len(windows) == 1 || len(silent) > ringSilent {
		return
	}
	for _, i := range silent {
		all[i], errs[i] = p.window(ctx, windows[i].from, windows[i].to, patience)
		errs[i] = errors.Join(errs[i], forgetOnHost(k, all[i]))
	}
}
