package main

import (
	"slices"

	"netlab/lab"
)

// drawText prints a picture, with a `*` before what is not in the picture
// before; nil: nothing is marked.
func (a *app) drawText(p *paper, pic lab.Picture, before *lab.Picture, ascii bool) {
	if before != nil {
		pic = pic.Since(*before)
	}
	parts := a.pictureParts(pic)
	for _, line := range a.layOut(parts, p.columns, ascii).lines(p.bold) {
		p.line(line)
	}
	for _, note := range parts.notes {
		p.prose("  ", note, nil)
	}
	if parts.anyNew {
		p.prose("* ", a.say("picture.new"), nil)
	}
}

// layOut finds the widest layout that fits: what is outside to the right of the
// hub, with the other boxes to its left; or to its left too; or one box below
// the other, which always fits.
func (a *app) layOut(parts pictureParts, width int, ascii bool) *canvas {
	left, outside := parts.aroundHub()
	var wide [][][]int
	if len(left) > 0 && len(outside) > 0 && parts.hub == 0 {
		wide = append(wide, [][]int{left, {parts.hub}, outside})
	}
	if len(left) > 0 {
		wide = append(wide, [][]int{slices.Concat(left, outside), {parts.hub}})
	}
	for _, groups := range wide {
		if c := newTextLayout(parts, ascii, groups).columns(width); c != nil {
			return c
		}
	}
	stack := slices.Concat(left, outside)
	below := slices.IndexFunc(stack, func(i int) bool { return i == 0 || i == parts.outside })
	if below < 0 {
		below = len(stack)
	}
	return newTextLayout(parts, ascii, [][]int{slices.Insert(stack, below, parts.hub)}).stack(width)
}

// mostLanes is how many cables can go side by side and still be told apart.
// Where there are more, the other end is named instead.
const mostLanes = 4

// textLayout places boxes on a canvas in columns.
type textLayout struct {
	canvas *canvas
	groups [][]int // the boxes of each column
	boxes  []textBox
	cables []pictureCable // those that are drawn
}

type textBox struct {
	pictureBox
	lines      [][]string // of each row
	x, y, w, h int
	rowY       []int
}

func newTextLayout(parts pictureParts, ascii bool, groups [][]int) *textLayout {
	l := &textLayout{canvas: &canvas{ascii: ascii}, groups: groups}
	column := map[int]int{}
	for g, boxes := range groups {
		for _, i := range boxes {
			column[i] = g
		}
	}
	for _, c := range parts.cables {
		if apart := column[c.box[0]] - column[c.box[1]]; -1 <= apart && apart <= 1 {
			l.cables = append(l.cables, c)
		}
	}
	if len(l.cables) > mostLanes { // but what is outside keeps its cable
		l.cables = slices.DeleteFunc(l.cables, func(c pictureCable) bool { return c.box[1] != parts.outside })
	}
	arrow := "↔"
	if ascii {
		arrow = "<->"
	}
	for i, b := range parts.boxes {
		t := textBox{pictureBox: b}
		for j, row := range b.rows {
			t.lines = append(t.lines, []string{row.named(plugged(l.cables, i, j), arrow)})
		}
		l.boxes = append(l.boxes, t)
	}
	return l
}

// A row has a border, a mark, a blank, its words, a blank and a border.
const (
	rowBegins  = 3
	rowExtra   = rowBegins + 2
	rowDetail  = 2 // how far a detail is moved in
	titleExtra = 6 // the corners, a piece of line and blanks around the title
)

func (r pictureRow) indent() int {
	if r.detail {
		return rowDetail
	}
	return 0
}

// size sets how wide and high the box is at its natural width, or breaks rows
// that don't fit into most columns, between words only.
func (b *textBox) size(most int) {
	b.w = columns(b.title) + titleExtra
	b.h = 2
	for i, row := range b.rows {
		if extra := row.indent() + rowExtra; !row.section && columns(b.lines[i][0])+extra > most {
			b.lines[i] = wrapCommand(b.lines[i][0], most-extra-rowDetail)
		}
		for j, line := range b.lines[i] {
			w := columns(line) + rowExtra + row.indent()
			if j > 0 {
				w += rowDetail
			}
			if row.section {
				w = columns(line) + titleExtra
			}
			b.w = max(b.w, w)
		}
		b.h += len(b.lines[i])
	}
}

// place settles where the rows are.
func (b *textBox) place(x, y int) {
	b.x, b.y, b.rowY = x, y, nil
	y++
	for _, lines := range b.lines {
		b.rowY = append(b.rowY, y)
		y += len(lines)
	}
}

func (l *textLayout) draw(b *textBox) {
	c := l.canvas
	c.frame(b.x, b.y, b.w, b.h, b.cloud)
	c.write(b.x+rowBegins-1, b.y, " "+b.title+" ", b.isNew)
	l.mark(b, b.y, b.isNew)
	for i, row := range b.rows {
		y := b.rowY[i]
		if row.section {
			c.across(b.x, b.x+b.w-1, y)
			c.write(b.x+rowBegins-1, y, " "+row.text+" ", false)
			continue
		}
		for j, line := range b.lines[i] {
			c.write(b.x+rowBegins+row.indent()+min(j, 1)*rowDetail, y+j, line, row.isNew)
		}
		l.mark(b, y, row.isNew)
	}
}

func (l *textLayout) mark(b *textBox, y int, isNew bool) {
	if isNew {
		l.canvas.write(b.x+1, y, "*", true)
	}
}
