package main

import (
	"strconv"

	"netlab/lab"
)

// pictureBox is a namespace, or what is outside, as rows of words: what every
// form of the picture shows, each in its own way.
type pictureBox struct {
	title string
	rows  []pictureRow
	cloud bool // not a namespace of this machine
	more  bool // stands for others that are left out
	isNew bool
}

// pictureRow is one line in a box.
type pictureRow struct {
	text    string
	isNew   bool
	section bool     // the title of the rows below it
	starts  bool     // what follows is about this row, not about one above
	device  *lab.End // the row begins a device, where its cable is plugged in
	detail  bool     // the row says more of the device above
	port    bool     // the row is about ports of the bridge above, which device rows hang off
	bundle  bool     // the row stands for devices of groups that are left out
	of      string   // the bridge that the device is a port of
	peer    string   // the other end of the device's cable, for where none is drawn
}

// named is the row with the other end of its cable, where none is drawn.
func (r pictureRow) named(plugged bool, arrow string) string {
	if r.peer == "" || plugged {
		return r.text
	}
	return r.text + "  " + arrow + " " + r.peer
}

// Beyond these a picture is not read any more; the rest is counted.
const (
	mostSpaces = 6 // namespaces besides the host
	mostRows   = 8 // devices, routes or rules in one of them
)

// spaceBox is a namespace in rows. Folded, what devices have in common is said
// once for all of them.
func (a *app) spaceBox(s *lab.Space, folded bool) pictureBox {
	box := pictureBox{title: s.Name, isNew: s.New}
	if s.Name == "" {
		box.title = a.say("picture.host")
	}
	if s.Missing {
		box.title = a.fill("picture.missing", "name", box.title)
	}
	box.devices(a, s, folded)
	if len(s.Devices) == 0 && s.Name != "" && !s.Missing {
		box.add(pictureRow{text: a.say("picture.only-lo"), isNew: s.New})
	}
	if len(s.Flags) > 0 {
		box.add(pictureRow{text: a.say("picture.settings"), section: true})
	}
	for _, f := range s.Flags {
		box.add(pictureRow{text: flagText(f), isNew: f.New})
	}
	if len(s.Routes) > 0 {
		box.add(pictureRow{text: a.say("picture.routes"), section: true})
	}
	box.some(a, len(s.Routes), s.More.Routes, s.More.New.Routes, func(i int) pictureRow {
		return pictureRow{text: s.Routes[i].String(), isNew: s.Routes[i].New}
	})
	for rules := s.Rules; len(rules) > 0; {
		n := 1
		for n < len(rules) && rules[n].Table == rules[0].Table && rules[n].Chain == rules[0].Chain {
			n++
		}
		box.add(pictureRow{text: rules[0].Kind + " " + rules[0].Chain, section: true})
		left := 0
		if n == len(rules) {
			left = s.More.Rules
		}
		box.some(a, n, left, s.More.New.Rules, func(i int) pictureRow {
			return pictureRow{text: rules[i].Text, isNew: rules[i].New}
		})
		rules = rules[n:]
	}
	return box
}

func flagText(f lab.Flag) string { return f.Key + "=" + f.Value }

func (b *pictureBox) add(row pictureRow) { b.rows = append(b.rows, row) }

// some adds the rows, or the first of them, with how many more there are: those,
// and what the picture has left out.
func (b *pictureBox) some(a *app, count, left int, leftNew bool, row func(int) pictureRow) {
	shown := count
	if count > mostRows {
		shown = mostRows - 1
	}
	for i := range shown {
		b.add(row(i))
	}
	more := pictureRow{text: a.moreText(count - shown + left), isNew: leftNew}
	for i := shown; i < count; i++ {
		more.isNew = more.isNew || row(i).isNew
	}
	if count-shown+left > 0 {
		b.add(more)
	}
}

func (a *app) moreText(count int) string {
	return a.fill("picture.more", "count", strconv.Itoa(count))
}

// spaceName is what a namespace is called in a picture.
func (a *app) spaceName(ns string) string {
	if ns == "" {
		return a.say("picture.host")
	}
	return ns
}
