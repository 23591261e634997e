package main

import (
	"slices"
	"strings"
)

// box draws a box with its rows. What is new has a mark and a ground of its own.
func (d *svgDrawing) box(b svgBox) {
	class := "box"
	switch {
	case b.cloud:
		class = "box cloud"
	case b.more:
		class = "box more"
	}
	if b.isNew {
		class += " fresh"
	}
	radius := 8
	if b.cloud {
		radius = 24
	}
	d.printf(`<rect class="%s" x="%s" y="%s" width="%s" height="%s" rx="%d"/>`, class, px(b.x), px(b.y), px(b.w), px(b.h), radius)
	const base = svgFont / 3 // from the middle of a line to where its letters stand
	if b.isNew {
		d.text("new", b.x+svgLeft-18, b.y+svgHead/2+base+2, "*")
	}
	d.text("name", b.x+svgLeft, b.y+svgHead/2+base+2, b.title)
	for i, r := range b.rows {
		y := b.middle[i]
		if r.section {
			d.printf(`<path class="rule" d="M%s %sH%s"/>`, px(b.x), px(y-svgLine/2+2), px(b.x+b.w))
			d.text("section", b.x+svgLeft, y+base, r.text)
			continue
		}
		if r.isNew {
			d.printf(`<rect class="ground" x="%s" y="%s" width="%s" height="%d" rx="4"/>`, px(b.x+6), px(y-svgLine/2+1), px(b.w-12), svgLine-2)
			d.text("new", b.x+svgLeft-18, y+base+1, "*")
		}
		x := b.x + svgLeft + svgChar*float64(r.indent())
		name, about, cut := strings.Cut(r.text, "  ")
		if r.device == nil || !cut {
			d.text(map[bool]string{true: "device", false: "row"}[r.device != nil], x, y+base, r.text)
			continue
		}
		d.text("device", x, y+base, name)
		d.text("about", x+svgChar*float64(columns(name)+2), y+base, about)
	}
}

// segment draws what joins a port to its bridge, in one box: all ports of a bridge
// hang off one line.
func (d *svgDrawing) segment(h pictureCable) {
	b := d.boxes[h.box[0]]
	x := b.x + svgLeft + svgChar/2
	d.printf(`<path class="segment" d="M%s %sV%sH%s"/>`,
		px(x), px(b.middle[h.row[0]]+svgLine/2-2), px(b.middle[h.row[1]]), px(x+2*svgChar))
}

// ends are where a cable leaves its two boxes, and in which direction: 1 to the
// right, -1 to the left.
func (d *svgDrawing) ends(groups [][]int, c pictureCable) (x, y, way [2]float64) {
	column := func(box int) int {
		return slices.IndexFunc(groups, func(g []int) bool { return slices.Contains(g, box) })
	}
	for end := range 2 {
		b := d.boxes[c.box[end]]
		x[end], y[end], way[end] = b.x+b.w, b.y+svgHead/2, 1
		if row := c.row[end]; row >= 0 {
			y[end] = b.middle[row]
		}
		if column(c.box[end]) > column(c.box[1-end]) {
			x[end], way[end] = b.x, -1
		}
	}
	return x, y, way
}

// cable draws a cable between two boxes: a straight one where they face each
// other at one height, else a bent one.
func (d *svgDrawing) cable(groups [][]int, c pictureCable, class string) {
	x, y, way := d.ends(groups, c)
	const reach = svgAcross / 2
	d.printf(`<path class="%s" d="M%s %sC%s %s %s %s %s %s"/>`,
		class, px(x[0]), px(y[0]), px(x[0]+reach*way[0]), px(y[0]), px(x[1]+reach*way[1]), px(y[1]), px(x[1]), px(y[1]))
}

func (d *svgDrawing) sockets(groups [][]int, c pictureCable) {
	x, y, _ := d.ends(groups, c)
	for end := range 2 {
		d.printf(`<rect class="socket" x="%s" y="%s" width="12" height="16" rx="3"/>`, px(x[end]-6), px(y[end]-8))
	}
}
