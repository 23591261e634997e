package main

import (
	"strings"

	"github.com/clipperhouse/displaywidth"
	"github.com/fatih/color"
)

// canvas is a grid of terminal cells, for boxes, lines between them, and words.
// Lines are kept as directions, so that where they meet they join.
type canvas struct {
	rows  [][]cell
	ascii bool
}

type cell struct {
	text  string // a character, "" for none
	after bool   // the second half of the wide character to the left
	bold  bool
	lines direction
	round bool // a corner is round
}

type direction uint8

const (
	toUp direction = 1 << iota
	toDown
	toLeft
	toRight
)

func (c *canvas) at(x, y int) *cell {
	for len(c.rows) <= y {
		c.rows = append(c.rows, nil)
	}
	for len(c.rows[y]) <= x {
		c.rows[y] = append(c.rows[y], cell{})
	}
	return &c.rows[y][x]
}

// write puts words on the canvas, over lines.
func (c *canvas) write(x, y int, text string, bold bool) {
	g := displaywidth.StringGraphemes(text)
	for g.Next() {
		*c.at(x, y) = cell{text: g.Value(), bold: bold}
		for i := 1; i < g.Width(); i++ {
			*c.at(x+i, y) = cell{after: true}
		}
		x += g.Width()
	}
}

func (c *canvas) across(x1, x2, y int) {
	x1, x2 = min(x1, x2), max(x1, x2)
	for x := x1; x < x2; x++ {
		c.at(x, y).lines |= toRight
		c.at(x+1, y).lines |= toLeft
	}
}

func (c *canvas) down(x, y1, y2 int) {
	y1, y2 = min(y1, y2), max(y1, y2)
	for y := y1; y < y2; y++ {
		c.at(x, y).lines |= toDown
		c.at(x, y+1).lines |= toUp
	}
}

// frame draws a box of that width and height, its borders included.
func (c *canvas) frame(x, y, w, h int, round bool) {
	c.across(x, x+w-1, y)
	c.across(x, x+w-1, y+h-1)
	c.down(x, y, y+h-1)
	c.down(x+w-1, y, y+h-1)
	for _, corner := range [][2]int{{x, y}, {x + w - 1, y}, {x, y + h - 1}, {x + w - 1, y + h - 1}} {
		c.at(corner[0], corner[1]).round = round
	}
}

// lines are the rows as text; ink colours what is bold.
func (c *canvas) lines(ink *color.Color) []string {
	lines := make([]string, len(c.rows))
	for i, row := range c.rows {
		var line, bold strings.Builder
		flush := func() {
			if bold.Len() > 0 {
				line.WriteString(ink.Sprint(bold.String()))
				bold.Reset()
			}
		}
		for _, cell := range row {
			switch {
			case cell.after:
			case cell.bold:
				bold.WriteString(cell.text)
			default:
				flush()
				line.WriteString(c.glyph(cell))
			}
		}
		flush()
		lines[i] = strings.TrimRight(line.String(), " ")
	}
	return lines
}

func (c *canvas) glyph(x cell) string {
	switch {
	case x.text != "":
		return x.text
	case x.lines == 0:
		return " "
	case !c.ascii:
		runes := []rune(lineRunes)
		if x.round {
			runes = []rune(roundRunes)
		}
		return string(runes[x.lines])
	case x.round && x.lines == toDown|toRight, x.round && x.lines == toDown|toLeft:
		return "."
	case x.round && x.lines == toUp|toRight, x.round && x.lines == toUp|toLeft:
		return "'"
	case x.lines&(toUp|toDown) == 0:
		return "-"
	case x.lines&(toLeft|toRight) == 0:
		return "|"
	}
	return "+"
}

// lineRunes are the line characters by the directions they go; roundRunes are
// the same with round corners.
const (
	lineRunes  = " ╵╷│╴┘┐┤╶└┌├─┴┬┼"
	roundRunes = " ╵╷│╴╯╮┤╶╰╭├─┴┬┼"
)
