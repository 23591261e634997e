package main

import (
	"fmt"
	"strconv"
	"strings"

	"netlab/lab"
)

// pictureBox is a namespace, or what is outside, as rows of words: what every
// form of the picture shows, each in its own way.
type pictureBox struct {
	title string
	rows  []pictureRow
	cloud bool // not a namespace of this machine
	isNew bool
}

// pictureRow is one line in a box.
type pictureRow struct {
	text    string
	isNew   bool
	section bool     // the title of the rows below it
	device  *lab.End // the row begins a device, where its cable is plugged in
	detail  bool     // the row says more of the device above
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

// spaceBox is a namespace in rows.
func (a *app) spaceBox(s *lab.Space) pictureBox {
	box := pictureBox{title: s.Name, isNew: s.New}
	if s.Name == "" {
		box.title = a.say("picture.host")
	}
	if s.Missing {
		box.title = a.fill("picture.missing", "name", box.title)
	}
	box.devices(a, s)
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
	box.some(a, len(s.Routes), func(i int) pictureRow {
		return pictureRow{text: s.Routes[i].String(), isNew: s.Routes[i].New}
	})
	for rules := s.Rules; len(rules) > 0; {
		n := 1
		for n < len(rules) && rules[n].Table == rules[0].Table && rules[n].Chain == rules[0].Chain {
			n++
		}
		box.add(pictureRow{text: rules[0].Kind + " " + rules[0].Chain, section: true})
		box.some(a, n, func(i int) pictureRow { return pictureRow{text: rules[i].Text, isNew: rules[i].New} })
		rules = rules[n:]
	}
	return box
}

func flagText(f lab.Flag) string { return f.Key + "=" + f.Value }

func (b *pictureBox) add(row pictureRow) { b.rows = append(b.rows, row) }

// some adds the rows, or the first of them with how many more there are.
func (b *pictureBox) some(a *app, count int, row func(int) pictureRow) {
	shown := count
	if count > mostRows {
		shown = mostRows - 1
	}
	for i := range shown {
		b.add(row(i))
	}
	more := pictureRow{text: a.fill("picture.more", "count", strconv.Itoa(count-shown))}
	for i := shown; i < count; i++ {
		more.isNew = more.isNew || row(i).isNew
	}
	if count > shown {
		b.add(more)
	}
}

// devices adds a namespace's devices. The uplink is never among those left out.
func (b *pictureBox) devices(a *app, s *lab.Space) {
	shown := s.Devices
	if len(shown) > mostRows {
		shown = shown[:mostRows-1]
	}
	for i, d := range s.Devices {
		if i == len(shown) {
			b.add(pictureRow{
				text:  a.fill("picture.more", "count", strconv.Itoa(len(s.Devices)-len(shown))),
				isNew: anyNewSpace([]*lab.Space{{Devices: s.Devices[i:]}}),
			})
		}
		if i < len(shown) || d.Uplink {
			b.device(a, s, d)
		}
	}
}

func (b *pictureBox) device(a *app, s *lab.Space, d *lab.Device) {
	row := pictureRow{text: d.Name, isNew: d.New, device: &lab.End{NS: s.Name, Name: d.Name}}
	var about []string
	if d.Kind != "" && d.Kind != "veth" {
		about = append(about, d.Kind)
	}
	if d.Uplink {
		about = append(about, a.say("picture.uplink"))
	}
	if d.Master != "" {
		about = append(about, a.fill("picture.port", "bridge", d.Master))
	}
	if d.State != lab.StateUnknown {
		about = append(about, a.say("picture.state."+string(d.State)))
	}
	if len(about) > 0 {
		row.text += "  " + strings.Join(about, ", ")
	}
	if d.Peer != nil {
		row.peer = d.Peer.Name
		if d.Peer.NS != s.Name {
			row.peer = fmt.Sprintf("%s (%s)", d.Peer.Name, a.spaceName(d.Peer.NS))
		}
	}
	b.add(row)
	if d.MAC != "" {
		b.add(pictureRow{text: a.fill("picture.mac", "mac", d.MAC), detail: true, isNew: d.New})
	}
	for _, x := range d.Addrs {
		b.add(pictureRow{text: x.Addr, detail: true, isNew: x.New})
	}
	for _, f := range d.Flags {
		b.add(pictureRow{text: flagText(f), detail: true, isNew: f.New})
	}
}

// spaceName is what a namespace is called in a picture.
func (a *app) spaceName(ns string) string {
	if ns == "" {
		return a.say("picture.host")
	}
	return ns
}
