package main

import (
	"cmp"
	"slices"
)

const (
	leastGap = 3 // between two columns
	mostGap  = 7
)

// columns places the groups of boxes side by side, cables between them, or
// returns nil where the width doesn't suffice.
func (l *textLayout) columns(width int) *canvas {
	widths, natural := make([]int, len(l.groups)), 0
	for g, group := range l.groups {
		for _, i := range group {
			l.boxes[i].size(width)
			widths[g] = max(widths[g], l.boxes[i].w)
		}
		natural += widths[g]
	}
	gaps := len(l.groups) - 1
	gap := min(mostGap, (width-natural)/gaps)
	if gap < max(leastGap, len(l.cables)) {
		return nil
	}
	tops := l.tops()
	x := 0
	for g, group := range l.groups {
		y := tops[g]
		for _, i := range group {
			b := &l.boxes[i]
			b.w = widths[g]
			b.place(x, y)
			l.draw(b)
			y += b.h
		}
		x += widths[g] + gap
	}
	for g := range gaps {
		l.plug(g, gap)
	}
	return l.canvas
}

// tops are where the columns begin, so that the first cable between two of them
// is straight.
func (l *textLayout) tops() []int {
	tops := make([]int, len(l.groups))
	for g := 1; g < len(l.groups); g++ {
		for _, c := range l.cables {
			from, ok := l.rowIn(g-1, c)
			to, ok2 := l.rowIn(g, c)
			if ok && ok2 {
				tops[g] = tops[g-1] + from - to
				break
			}
		}
	}
	least := slices.Min(tops)
	for g := range tops {
		tops[g] -= least
	}
	return tops
}

// rowIn is how far below a column's top the cable is plugged in.
func (l *textLayout) rowIn(group int, c pictureCable) (int, bool) {
	y := 0
	for _, i := range l.groups[group] {
		b := &l.boxes[i]
		b.place(0, y)
		for end := range 2 {
			if c.box[end] == i {
				return b.rowY[c.row[end]], true
			}
		}
		y += b.h
	}
	return 0, false
}

// plug draws the cables in the gap to the right of a column.
func (l *textLayout) plug(group, gap int) {
	type run struct{ x1, y1, x2, y2 int }
	var runs []run
	bent := 0
	for _, c := range l.cables {
		from, to, row := c.box[0], c.box[1], c.row
		if !slices.Contains(l.groups[group], from) {
			from, to, row = to, from, [2]int{row[1], row[0]}
		}
		a, b := &l.boxes[from], &l.boxes[to]
		r := run{a.x + a.w - 1, a.rowY[row[0]], b.x, b.rowY[row[1]]}
		switch {
		case !slices.Contains(l.groups[group], from):
			continue
		case slices.Contains(l.groups[group], to): // out to the gap and back
			r.x2 = r.x1
		case !slices.Contains(l.groups[group+1], to):
			continue
		}
		if r.y1 != r.y2 {
			bent++
		}
		runs = append(runs, r)
	}
	// Cables that lead up take their lanes from the left, so that none crosses
	// another; those that lead down, from the right.
	slices.SortStableFunc(runs, func(a, b run) int { return cmp.Compare(a.y1, b.y1) })
	up, down := 0, bent
	for _, r := range runs {
		lane := 0
		switch {
		case r.y1 > r.y2:
			up++
			lane = up
		case r.y1 < r.y2:
			lane = down
			down--
		}
		x := r.x1 + lane*(gap+1)/(bent+1)
		l.canvas.across(r.x1, x, r.y1)
		l.canvas.down(x, r.y1, r.y2)
		l.canvas.across(x, r.x2, r.y2)
	}
}

const laneWidth = 2 // of a cable beside a stack

// stack places the boxes one below the other, the cables to their right, or
// returns nil where a row would have to be broken for it and must not be.
func (l *textLayout) stack(width int, breaking bool) *canvas {
	most := width
	if breaking { // at most; the order of the boxes says how many
		most -= laneWidth * min(len(l.cables), mostLanes)
	}
	w, y := 0, 0
	for _, i := range l.groups[0] {
		b := &l.boxes[i]
		b.size(most)
		if b.broken() && !breaking {
			return nil
		}
		w = max(w, b.w)
		b.place(0, y)
		y += b.h
	}
	lanes := l.lanes()
	if !breaking && w+laneWidth*len(lanes) > width {
		return nil
	}
	for _, i := range l.groups[0] {
		l.boxes[i].w = w
		l.draw(&l.boxes[i])
	}
	for lane, spans := range lanes {
		x := w - 1 + laneWidth*(lane+1)
		for _, s := range spans {
			l.canvas.across(w-1, x, s.top)
			l.canvas.across(w-1, x, s.bottom)
			l.canvas.down(x, s.top, s.bottom)
		}
	}
	return l.canvas
}

// span is the rows that a cable runs along.
type span struct{ top, bottom int }

// lanes puts the cables side by side, the shorter ones nearer to the boxes, those
// that are not side by side into one lane.
func (l *textLayout) lanes() [][]span {
	var spans []span
	for _, c := range l.cables {
		y1, y2 := l.boxes[c.box[0]].rowY[c.row[0]], l.boxes[c.box[1]].rowY[c.row[1]]
		spans = append(spans, span{min(y1, y2), max(y1, y2)})
	}
	slices.SortStableFunc(spans, func(a, b span) int { return cmp.Compare(a.bottom-a.top, b.bottom-b.top) })
	var lanes [][]span
	for _, s := range spans {
		lane := slices.IndexFunc(lanes, func(taken []span) bool {
			return !slices.ContainsFunc(taken, func(t span) bool { return t.top <= s.bottom && s.top <= t.bottom })
		})
		if lane < 0 {
			lane = len(lanes)
			lanes = append(lanes, nil)
		}
		lanes[lane] = append(lanes[lane], s)
	}
	return lanes
}
