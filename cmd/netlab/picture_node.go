package main

import (
	"fmt"
	"slices"
	"strings"
)

// pictureNode is what a graph language draws as one node: a device with its
// details, or a list with its title.
type pictureNode struct {
	box, first, last int // which rows of which box
	lines            []string
	isNew            bool
}

func (n pictureNode) id() string { return fmt.Sprintf("n%d_%d", n.box, n.first) }

// nodesOf parts the boxes' rows into nodes.
func nodesOf(parts pictureParts) []pictureNode {
	var nodes []pictureNode
	for i, box := range parts.boxes {
		for j, row := range box.rows {
			if j == 0 || row.section || row.starts {
				nodes = append(nodes, pictureNode{box: i, first: j})
			}
			n := &nodes[len(nodes)-1]
			n.last, n.isNew = j, n.isNew || row.isNew
			text := row.named(plugged(parts.cables, i, j), "↔")
			if row.section {
				text += ":"
			}
			n.lines = append(n.lines, starred(strings.ReplaceAll(text, "  ", " · "), row.isNew))
		}
	}
	return nodes
}

// emptyNode is the name of the node that keeps an empty box open.
func emptyNode(box int) string { return fmt.Sprintf("empty%d", box) }

// nodeOf is the node that an end of a cable is in.
func nodeOf(nodes []pictureNode, c pictureCable, end int) string {
	for _, n := range nodes {
		if n.box == c.box[end] && n.first <= c.row[end] && c.row[end] <= n.last {
			return n.id()
		}
	}
	return "" // every row is in a node
}

// starred marks what is new.
func starred(text string, isNew bool) string {
	if isNew {
		return "* " + text
	}
	return text
}

// captions are what is said of the whole picture.
func (a *app) captions(parts pictureParts, title string) []string {
	lines := slices.Concat([]string{title}, parts.notes, parts.joined)
	if parts.anyNew {
		lines = append(lines, "* "+a.say("picture.new"))
	}
	return lines
}
