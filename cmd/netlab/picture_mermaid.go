package main

import (
	"fmt"
	"slices"
	"strings"

	"netlab/lab"
)

// drawMermaid is the picture as a Mermaid flowchart, as code hosts draw it in a
// Markdown file: a subgraph for each box.
func (a *app) drawMermaid(pic lab.Picture, title string) string {
	parts := a.pictureParts(pic, false)
	nodes := nodesOf(parts)
	var b strings.Builder
	for _, line := range a.captions(parts, title) {
		fmt.Fprintf(&b, "%%%% %s\n", line)
	}
	// Without it, Mermaid breaks routes after 200 pixels.
	b.WriteString("%%{init: {\"flowchart\": {\"wrappingWidth\": 700}}}%%\n")
	b.WriteString("flowchart LR\n")
	var fresh []string
	for i, box := range parts.boxes {
		fmt.Fprintf(&b, "  subgraph box%d[%s]\n", i, mermaidQuoted([]string{starred(box.title, box.isNew)}))
		if box.isNew {
			fresh = append(fresh, fmt.Sprintf("box%d", i))
		}
		some := false
		for _, n := range nodes {
			if n.box != i {
				continue
			}
			some = true
			open, shut := "[", "]"
			if box.cloud {
				open, shut = "([", "])"
			}
			fmt.Fprintf(&b, "    %s%s%s%s\n", n.id(), open, mermaidQuoted(n.lines), shut)
			if n.isNew {
				fresh = append(fresh, n.id())
			}
		}
		if !some { // Mermaid takes an empty subgraph for a node
			fmt.Fprintf(&b, "    %s[\" \"]\n", emptyNode(i))
		}
		b.WriteString("  end\n")
	}
	for _, c := range parts.cables {
		from, to := nodeOf(nodes, c, 0), nodeOf(nodes, c, 1)
		if c.box[0] == 0 && c.box[1] != parts.outside {
			from, to = to, from
		}
		fmt.Fprintf(&b, "  %s --- %s\n", from, to)
	}
	if c := parts.bundle; c != nil {
		fmt.Fprintf(&b, "  %s -.- %s\n", emptyNode(c.box[1]), nodeOf(nodes, *c, 0))
	}
	for _, h := range parts.hangs { // thick
		fmt.Fprintf(&b, "  %s === %s\n", nodeOf(nodes, h, 1), nodeOf(nodes, h, 0))
	}
	for i, note := range slices.Concat(parts.notes, parts.joined) {
		fmt.Fprintf(&b, "  note%d>%s]\n", i, mermaidQuoted([]string{note}))
	}
	if len(fresh) > 0 {
		fmt.Fprintf(&b, "  new>%s]\n", mermaidQuoted([]string{starred(a.say("picture.new"), true)}))
		b.WriteString("  classDef fresh stroke-width:4px\n")
		fmt.Fprintf(&b, "  class %s fresh\n", strings.Join(fresh, ","))
	}
	return b.String()
}

// mermaidQuoted is a label. Its marks are entities: Mermaid reads a `*` at the
// start of a line as a list, and has its own meaning for some others.
func mermaidQuoted(lines []string) string {
	escape := strings.NewReplacer("#", "#35;", `"`, "#quot;", "<", "#lt;", ">", "#gt;", "&", "#amp;", "`", "#96;", "* ", "#42; ")
	quoted := make([]string, len(lines))
	for i, line := range lines {
		quoted[i] = escape.Replace(line)
	}
	return `"` + strings.Join(quoted, "<br/>") + `"`
}
