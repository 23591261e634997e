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
	parts := a.pictureParts(pic, true)
	for _, line := range a.layOut(parts, p.columns, ascii).lines(p.bold) {
		p.line(line)
	}
	for _, note := range slices.Concat(parts.notes, parts.joined) {
		p.prose("  ", note, nil)
	}
	if parts.anyNew {
		p.prose("* ", a.say("picture.new"), nil)
	}
}

// layOut finds the widest layout that fits: what is outside to the right of the
// hub, with the other boxes to its left; or to its left too; or one box below
// the other, with the cables' ends named if there is no room for cables. Only what
// does not fit at all is broken.
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
	groups := [][]int{slices.Insert(stack, below, parts.hub)}
	plain, named := newTextLayout(parts, ascii, groups), newTextLayout(parts, ascii, groups)
	named.nameCables(parts)
	for _, l := range []*textLayout{plain, named} {
		if c := l.stack(width, false); c != nil {
			return c
		}
	}
	return newTextLayout(parts, ascii, groups).stack(width, true)
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
	hangs  []pictureCable // ports and their bridges
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
	for _, b := range parts.boxes {
		l.boxes = append(l.boxes, textBox{pictureBox: b})
	}
	l.hangs = parts.hangs
	l.nameRows()
	if len(l.cables) > mostLanes {
		l.nameCables(parts)
	}
	return l
}

// nameCables names the other ends of the cables instead of drawing them. Only
// what is outside keeps its cable.
func (l *textLayout) nameCables(parts pictureParts) {
	l.cables = slices.DeleteFunc(l.cables, func(c pictureCable) bool { return c.box[1] != parts.outside })
	l.nameRows()
}

func (l *textLayout) nameRows() {
	arrow := "↔"
	if l.canvas.ascii {
		arrow = "<->"
	}
	for i := range l.boxes {
		b := &l.boxes[i]
		b.lines = nil
		for j, row := range b.rows {
			b.lines = append(b.lines, []string{row.named(plugged(l.cables, i, j), arrow)})
		}
	}
}

// A row has a border, a mark, a blank, its words, a blank and a border.
const (
	rowBegins  = 3
	rowExtra   = rowBegins + 2
	rowDetail  = 2 // how far a detail is moved in
	rowPort    = 3 // how far a port is moved in, to hang off its bridge
	titleExtra = 6 // the corners, a piece of line and blanks around the title
)

func (r pictureRow) indent() int {
	in := 0
	if r.detail {
		in += rowDetail
	}
	if r.port {
		in += rowPort
	}
	return in
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

// broken tells whether a row had to be broken.
func (b *textBox) broken() bool {
	return slices.ContainsFunc(b.lines, func(lines []string) bool { return len(lines) > 1 })
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
	for _, h := range l.hangs {
		if i := h.box[0]; b == &l.boxes[i] {
			x, top, y := b.x+rowBegins, b.rowY[h.row[0]], b.rowY[h.row[1]]
			c.down(x, top, y)
			c.at(x, y).lines |= toRight
			c.at(x+1, y).lines |= toLeft | toRight
		}
	}
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
