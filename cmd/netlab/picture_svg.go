package main

import (
	_ "embed"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"

	"netlab/lab"
)

// svgStyle has the colours, light and dark. It needs no font of its own.
//
//go:embed picture.css
var svgStyle string

// Measures of the SVG form. A monospaced font's characters are 0.60 em wide at
// most; counted with a little more, words end before their box does.
const (
	svgFont    = 18
	svgChar    = 10.95
	svgLine    = 28
	svgHead    = 44 // a box's title
	svgLeft    = 30 // from the box's side to its words; the mark stands there
	svgRight   = 18
	svgBottom  = 10
	svgMargin  = 28
	svgAcross  = 120 // between columns
	svgBelow   = 26  // between boxes of a column
	svgLeast   = 560 // the picture's width
	svgSection = 30
)

// svgBox is a box in its place.
type svgBox struct {
	pictureBox
	x, y, w, h float64
	middle     []float64 // of each row
}

// drawSVG is the picture as a file of its own: no script, nothing to load. It
// names no size, so that a browser shows it as large as it can, on a projector.
func (a *app) drawSVG(pic lab.Picture, title string) string {
	parts := a.pictureParts(pic, true)
	d := &svgDrawing{}
	for i, b := range parts.boxes {
		b.rows = slices.Clone(b.rows)
		for j, r := range b.rows {
			b.rows[j].text = r.named(plugged(parts.cables, i, j), "↔")
		}
		d.boxes = append(d.boxes, measured(b))
	}
	groups := svgColumns(parts)
	width, bottom := d.place(groups, parts)
	heading := wrap(title, int((width-2*svgMargin)/svgChar))
	top := float64(svgMargin + svgLine*len(heading) + 16)
	for i := range d.boxes {
		d.boxes[i].shift(top)
	}
	bottom += top
	for i, line := range heading {
		d.text("title", svgMargin, svgMargin+svgFont+float64(i*svgLine), line)
	}
	for _, c := range parts.cables {
		d.cable(groups, c, "cable")
	}
	if parts.bundle != nil {
		d.cable(groups, *parts.bundle, "cable bundle")
	}
	for _, b := range d.boxes {
		d.box(b)
	}
	for _, h := range parts.hangs {
		d.segment(h)
	}
	// Sockets last: a cable ends in them.
	for _, c := range parts.cables {
		d.sockets(groups, c)
	}
	bottom += 34
	for n, note := range slices.Concat(parts.notes, parts.joined) {
		mark := fmt.Sprintf(`<circle class="nobody" cx="%s" cy="%s" r="7"/>`, px(svgMargin+9), px(bottom-6))
		if n >= len(parts.notes) {
			mark = fmt.Sprintf(`<path class="segment" d="M%s %sV%sM%[1]s %[4]sH%s"/>`,
				px(svgMargin+5), px(bottom-15), px(bottom+3), px(bottom-6), px(svgMargin+17))
		}
		d.printf("%s", mark)
		for _, line := range wrap(note, int((width-2*svgMargin-svgLeft)/svgChar)) {
			d.text("row", svgMargin+svgLeft, bottom, line)
			bottom += svgLine
		}
	}
	if parts.anyNew {
		d.text("new", svgMargin+4, bottom, "*")
		d.text("row", svgMargin+svgLeft, bottom, a.say("picture.new"))
		bottom += svgLine
	}
	height := bottom - svgLine + svgMargin
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="title desc" viewBox="0 0 %[1]s %[2]s" font-size="%[3]d">
<title id="title">%[4]s</title>
<desc id="desc">%[5]s</desc>
<style>
%[6]s</style>
<rect class="paper" width="%[1]s" height="%[2]s"/>
%[7]s</svg>
`, px(width), px(height), svgFont, escaped(title), escaped(a.described(parts)), svgStyle, d.String())
}

// described is the picture in words, for those who can't see it.
func (a *app) described(parts pictureParts) string {
	var all []string
	for _, b := range parts.boxes {
		text := b.title
		for i, r := range b.rows {
			text += map[bool]string{true: ": ", false: "; "}[i == 0] + r.named(false, "↔")
			if r.of != "" {
				text += ", " + a.fill("picture.port", "bridge", r.of)
			}
		}
		all = append(all, text)
	}
	return strings.Join(slices.Concat(all, parts.notes, parts.joined), ". ")
}

// svgColumns has the hub in the middle, what is outside to its right, the rest to
// its left. What is outside stays on the left where the hub is not the host.
func svgColumns(parts pictureParts) [][]int {
	left, outside := parts.aroundHub()
	groups := [][]int{left, {parts.hub}, outside}
	if parts.hub != 0 {
		groups = [][]int{slices.Concat(left, outside), {parts.hub}}
	}
	return slices.DeleteFunc(groups, func(g []int) bool { return len(g) == 0 })
}

func measured(b pictureBox) svgBox {
	s := svgBox{pictureBox: b, h: svgHead}
	wide := columns(b.title)
	for _, r := range b.rows {
		if r.section {
			s.h += svgSection - svgLine
		}
		s.middle = append(s.middle, s.h+svgLine/2)
		s.h += svgLine
		wide = max(wide, columns(r.text)+r.indent())
	}
	s.w = svgLeft + svgRight + svgChar*float64(wide)
	s.h += svgBottom
	return s
}

func (b *svgBox) shift(y float64) {
	b.y += y
	for i := range b.middle {
		b.middle[i] += y
	}
}

// svgDrawing collects the elements.
type svgDrawing struct {
	strings.Builder
	boxes []svgBox
}

// place puts the columns side by side, so that the first cable between two of
// them is straight. It returns the picture's width and the boxes' lower end.
func (d *svgDrawing) place(groups [][]int, parts pictureParts) (width, bottom float64) {
	x := float64(svgMargin)
	highest := 0.0
	for g, group := range groups {
		y, w := 0.0, 0.0
		for _, i := range group {
			d.boxes[i].x = x
			d.boxes[i].shift(y)
			y += d.boxes[i].h + svgBelow
			w = max(w, d.boxes[i].w)
		}
		for _, i := range group {
			d.boxes[i].w = w
		}
		if g > 0 {
			d.level(groups[g-1], group, parts.cables)
		}
		for _, i := range group {
			highest = min(highest, d.boxes[i].y)
		}
		x += w + svgAcross
	}
	for i := range d.boxes {
		d.boxes[i].shift(-highest)
		bottom = max(bottom, d.boxes[i].y+d.boxes[i].h)
	}
	return max(x-svgAcross+svgMargin, svgLeast), bottom
}

// level moves a column up or down to make its first cable to the one before
// straight.
func (d *svgDrawing) level(before, group []int, cables []pictureCable) {
	for _, c := range cables {
		for end := range 2 {
			from, to := c.box[end], c.box[1-end]
			if slices.Contains(before, from) && slices.Contains(group, to) {
				by := d.boxes[from].middle[c.row[end]] - d.boxes[to].middle[c.row[1-end]]
				for _, i := range group {
					d.boxes[i].shift(by)
				}
				return
			}
		}
	}
}

func (d *svgDrawing) printf(format string, args ...any) {
	fmt.Fprintf(d, format+"\n", args...)
}

func (d *svgDrawing) text(class string, x, y float64, text string) {
	d.printf(`<text class="%s" x="%s" y="%s">%s</text>`, class, px(x), px(y), escaped(text))
}

func escaped(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder takes everything
	return b.String()
}

// px is a length without needless digits.
func px(x float64) string { return strings.TrimSuffix(fmt.Sprintf("%.1f", x), ".0") }
