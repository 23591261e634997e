package main

import (
	"fmt"
	"strings"

	"netlab/lab"
)

// drawDot is the picture for Graphviz: a cluster for each box, a node for each
// device and for each list, an edge for each cable.
func (a *app) drawDot(pic lab.Picture, title string) string {
	parts := a.pictureParts(pic, false)
	nodes := nodesOf(parts)
	var b strings.Builder
	fmt.Fprintf(&b, "graph netlab {\n  rankdir=LR\n  label=%s\n  labelloc=t\n  labeljust=l\n", dotLines(a.captions(parts, title)))
	b.WriteString("  fontname=\"monospace\"\n  node [shape=box, fontname=\"monospace\"]\n")
	for i, box := range parts.boxes {
		style := "solid"
		if box.cloud {
			style = "\"rounded,dashed\""
		}
		if box.more {
			style = "dashed"
		}
		fmt.Fprintf(&b, "  subgraph cluster_%d {\n    label=%s\n    style=%s\n", i, dotQuoted(starred(box.title, box.isNew)), style)
		if box.isNew {
			b.WriteString("    penwidth=3\n")
		}
		var ids []string
		for _, n := range nodes {
			if n.box != i {
				continue
			}
			pen := ""
			if n.isNew {
				pen = ", penwidth=3"
			}
			fmt.Fprintf(&b, "    %s [label=%s%s]\n", n.id(), dotLines(n.lines), pen)
			ids = append(ids, n.id())
		}
		if len(ids) == 0 {
			fmt.Fprintf(&b, "    %s [style=invis, label=\"\"]\n", emptyNode(i))
		}
		b.WriteString("  }\n")
	}
	for _, c := range parts.cables {
		from, to := nodeOf(nodes, c, 0), nodeOf(nodes, c, 1)
		if c.box[0] == 0 && c.box[1] != parts.outside { // the host to the right
			from, to = to, from
		}
		fmt.Fprintf(&b, "  %s -- %s [penwidth=2]\n", from, to)
	}
	if c := parts.bundle; c != nil {
		fmt.Fprintf(&b, "  %s -- %s [style=dashed]\n", emptyNode(c.box[1]), nodeOf(nodes, *c, 0))
	}
	for _, h := range parts.hangs {
		fmt.Fprintf(&b, "  %s -- %s [penwidth=4]\n", nodeOf(nodes, h, 1), nodeOf(nodes, h, 0))
	}
	b.WriteString("}\n")
	return b.String()
}

// dotQuoted is a DOT string.
func dotQuoted(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}

// dotLines are lines in one label, each from the left.
func dotLines(lines []string) string {
	var b strings.Builder
	for _, line := range lines {
		quoted := dotQuoted(line)
		b.WriteString(quoted[1:len(quoted)-1] + `\l`)
	}
	return `"` + b.String() + `"`
}
