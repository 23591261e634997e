package main

import (
	"slices"
	"strconv"

	"netlab/lab"
)

// alike says of groups of ops that are alike what was done for the first of
// them, and of the others only which they are. The zero value begins a step.
type alike struct {
	step, first string
	others      []string
}

// again tells whether the same was shown for another group of the step.
func (g *alike) again(e lab.Event) bool {
	if e.Group == "" {
		return false
	}
	if g.first == "" {
		g.first = e.Group
	}
	if e.Group == g.first {
		return false
	}
	if !slices.Contains(g.others[max(0, len(g.others)-1):], e.Group) {
		g.others = append(g.others, e.Group)
	}
	return true
}

// without is again for a group that something failed for: it is not one of those
// for which the same was done.
func (g *alike) without(e lab.Event) bool {
	another := g.again(e)
	if another {
		g.others = slices.DeleteFunc(g.others, func(name string) bool { return name == e.Group })
	}
	return another
}

// mostNamed is how many groups are named one by one.
const mostNamed = 4

// sameFor names the groups for which the same was done, once, and begins anew.
func (v *textView) sameFor(phase lab.Phase) {
	others := v.alike.others
	v.alike = alike{step: v.alike.step}
	if len(others) == 0 {
		return
	}
	key := "ops.same-for"
	if phase == lab.Planned {
		key = "ops.same-for.planned"
	}
	names := v.list(others)
	if len(others) > mostNamed {
		names = v.fill("ops.more", "count", strconv.Itoa(len(others)), "first", others[0], "last", others[len(others)-1])
	}
	v.prose(indent+"  ", v.fill(key, "names", names), v.dim)
}
