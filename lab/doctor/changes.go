package doctor

import (
	"slices"
	"strings"

	"netlab/lab"
)

// Change is a thing that is not as it was.
type Change struct {
	What    string
	Was, Is string // Thing.Is before and now, where both were there
	Gone    bool   // it was there, and is not
	// Undo makes it as it was; empty: no single command does.
	Undo lab.Command
}

// Changes are what is otherwise now than before, in an order in which it can be undone:
// what is in a thing that is new, such as a rule in a table, is not named beside it, nor
// what went with a table, or comes back by itself.
func Changes(before, now []Thing) []Change {
	was, is := byName(before), byName(now)
	var changes []Change
	var fresh []string
	for _, t := range now {
		b, known := was[t.What]
		switch {
		case known && b.Is == t.Is:
		case known:
			changes = append(changes, Change{What: t.What, Was: b.Is, Is: t.Is, Undo: b.Back})
		case len(t.Away) == 0: // a setting of a link that is new
		case t.With != "" && slices.Contains(fresh, t.With):
			fresh = append(fresh, t.What)
		case slices.ContainsFunc(fresh, func(f string) bool { return within(t.What, f) }):
		default:
			fresh = append(fresh, t.What)
			changes = append(changes, Change{What: t.What, Undo: t.Away})
		}
	}
	for _, b := range before {
		if _, there := is[b.What]; there || strings.HasPrefix(b.What, "sysctl ") || strings.HasPrefix(b.Of, "link ") {
			continue
		}
		c := Change{What: b.What, Gone: true, Undo: b.Back}
		if b.Of != "" { // a chain has to be made, and only whoever made it knows how
			c.Undo = nil
		}
		comes := slices.ContainsFunc(changes, func(c Change) bool {
			return slices.Contains(b.By, c.What) || c.Gone && strings.HasPrefix(c.What, "table ") && within(b.What, c.What)
		})
		if !comes {
			changes = append(changes, c)
		}
	}
	return changes
}

// within tells whether a thing goes with another: addresses, routes and neighbours with
// their link, chains and rules with their table.
func within(what, other string) bool {
	if name, ok := strings.CutPrefix(other, "link "); ok {
		return strings.Contains(what+" ", " dev "+name+" ")
	}
	kind, name, _ := strings.Cut(other, " ")
	_, rest, _ := strings.Cut(what, " ")
	return (kind == "table" || kind == "chain") && strings.HasPrefix(rest+" ", name+" ")
}

func byName(things []Thing) map[string]Thing {
	m := map[string]Thing{}
	for _, t := range things {
		m[t.What] = t
	}
	return m
}
