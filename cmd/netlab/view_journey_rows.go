package main

import "strings"

// header writes the columns' names; formStack has them beside its values.
func (v *journeyView) header(t hopTable) {
	if t.form == formStack {
		return
	}
	place := pad(v.say("table.ns"), t.ns) + " " + pad(v.say("table.dev"), t.dev) + strings.Repeat(" ", 1+t.dir+2)
	v.hopLines(t, v.in+indent+v.dim.Sprint(place), func(i int) string { return pad(v.dim.Sprint(hopColumn(i)), t.cells[i]) })
}

// row writes a hop.
func (v *journeyView) row(t hopTable, r hopRow) {
	if t.form == formStack {
		v.stack(t, r)
		return
	}
	place := pad(r.ns, t.ns) + " " + pad(r.dev, t.dev) + " " + pad(r.dir, t.dir)
	if r.copy {
		place = v.dim.Sprint(place)
	}
	v.hopLines(t, v.in+indent+place+"  ", func(i int) string { return pad(v.cell(r.cells[i], r.copy), t.cells[i]) })
}

// hopLines places the cells of a row or of the header behind its place: in one
// line or in two.
func (v *journeyView) hopLines(t hopTable, place string, cell func(int) string) {
	ttl := ""
	if t.withTTL {
		ttl = " " + cell(colTTL)
	}
	if t.form == formWide {
		v.line(place + cell(colSrcMAC) + " " + cell(colDstMAC) + " " + cell(colSrcIP) + " " + cell(colDstIP) + ttl)
		return
	}
	wider := func(i, width int) string { return cell(i) + strings.Repeat(" ", width-t.cells[i]) }
	v.line(place + wider(colSrcMAC, t.first) + " " + wider(colDstMAC, t.second) + ttl)
	v.line(strings.Repeat(" ", columns(place)) + wider(colSrcIP, t.first) + " " + cell(colDstIP))
}

// stack writes a hop with the names beside the values, for a narrow terminal.
func (v *journeyView) stack(t hopTable, r hopRow) {
	place := r.ns + " " + r.dev + " " + r.dir
	if r.copy {
		place = v.dim.Sprint(place)
	} else {
		place = v.bold.Sprint(place)
	}
	if t.withTTL {
		place += "  " + v.dim.Sprint(hopColumn(colTTL)) + " " + v.cell(r.cells[colTTL], r.copy)
	}
	v.line(v.in + indent + place)
	in := v.in + indent + indent
	named := func(i int) string {
		return pad(v.dim.Sprint(hopColumn(i)), stackName) + v.cell(r.cells[i], r.copy)
	}
	two := func(first, second int, fit bool) {
		if fit {
			v.line(in + pad(named(first), stackName+t.first) + " " + named(second))
			return
		}
		v.line(in + named(first))
		v.line(in + named(second))
	}
	two(colSrcMAC, colDstMAC, t.macsFit)
	two(colSrcIP, colDstIP, t.allFit)
}

// cell is a cell's text with its mark: what changed has a `*` and is bold, so
// that it is seen without ink too.
func (v *journeyView) cell(c hopCell, copied bool) string {
	switch {
	case c.changed:
		return v.bold.Sprint(c.text + changedMark)
	case copied:
		return v.dim.Sprint(c.text)
	}
	return c.text
}

// pad fills text, whose ink takes no room, up to a width.
func pad(printed string, width int) string {
	return printed + strings.Repeat(" ", max(0, width-columns(printed)))
}
