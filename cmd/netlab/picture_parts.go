package main

import (
	"slices"
	"strconv"

	"netlab/lab"
)

// pictureCable joins two rows of two boxes.
type pictureCable struct {
	box, row [2]int
}

// plugged tells whether one of the cables leads to that row.
func plugged(cables []pictureCable, box, row int) bool {
	return slices.ContainsFunc(cables, func(c pictureCable) bool {
		return c.box[0] == box && c.row[0] == row || c.box[1] == box && c.row[1] == row
	})
}

// pictureParts is the picture ready to be laid out. The hub is the box that most
// cables lead to.
type pictureParts struct {
	boxes   []pictureBox
	cables  []pictureCable
	hub     int
	outside int            // the box of what is outside, or -1
	hangs   []pictureCable // each port of a bridge, and its bridge: in one box
	bundle  *pictureCable  // from a row that stands for the devices left out to the box that does; nil: none
	notes   []string       // on gateways that exist nowhere
	joined  []string       // on what bridges make of their ports
	anyNew  bool
}

// pictureParts parts a picture. Folded, what devices have in common is said once
// for all of them.
func (a *app) pictureParts(pic lab.Picture, folded bool) pictureParts {
	parts := pictureParts{outside: -1, anyNew: pic.News()}
	spaces, hidden := pic.Spaces, 0
	if len(spaces) > 1+mostSpaces {
		hidden = len(spaces) - mostSpaces
		spaces = spaces[:mostSpaces]
	}
	ends := map[lab.End][2]int{} // where each device is drawn
	cables := make([]int, len(spaces))
	for i, s := range spaces {
		box := a.spaceBox(s, folded)
		for j, row := range box.rows {
			if row.device != nil {
				ends[*row.device] = [2]int{i, j}
			}
		}
		for _, d := range s.Devices {
			if d.Peer != nil && d.Peer.NS != s.Name {
				cables[i]++
			}
		}
		if cables[i] > cables[parts.hub] {
			parts.hub = i
		}
		parts.boxes = append(parts.boxes, box)
	}
	for _, s := range spaces {
		for _, d := range s.Devices {
			if d.Peer != nil {
				parts.join(ends, lab.End{NS: s.Name, Name: d.Name}, *d.Peer)
			}
		}
	}
	if hidden > 0 {
		parts.boxes = append(parts.boxes, pictureBox{
			title: a.fill("picture.more-spaces", "count", strconv.Itoa(hidden)), more: true,
			isNew: anyNewSpace(pic.Spaces[mostSpaces:]),
		})
	}
	if pic.More > 0 {
		parts.addMore(a.fill("picture.more-alike", "count", strconv.Itoa(pic.More)), pic.MoreNew)
	}
	for i, box := range parts.boxes {
		parts.hangs = append(parts.hangs, hanging(i, box)...)
	}
	if pic.Outside != nil {
		a.addOutside(&parts, pic, ends)
	}
	parts.notes, parts.joined = a.nobodyNotes(pic.Nobodies(), pic.More), a.bridgeNotes(pic)
	return parts
}

// nobodyNotes say of each gateway that exists nowhere who answers for it.
func (a *app) nobodyNotes(nobodies []lab.Nobody, left int) []string {
	var addrs []string
	by, asking := map[string][]string{}, map[string]int{}
	for _, n := range nobodies {
		if asking[n.Addr] == 0 {
			addrs = append(addrs, n.Addr)
		}
		asking[n.Addr]++
		if n.By != nil {
			by[n.Addr] = append(by[n.Addr], n.By.Name)
		}
	}
	var notes []string
	for _, addr := range addrs {
		devices := by[addr]
		key := "picture.nobody-answered"
		switch {
		case len(devices) == 0:
			key = "picture.nobody"
		case len(devices) < asking[addr]:
			key = "picture.nobody-partly"
		}
		if len(devices) > mostRows {
			devices = append(devices[:mostRows-1:mostRows-1], "...")
		}
		dev := a.list(devices)
		if left > 0 && key == "picture.nobody-answered" {
			dev = a.fill("picture.on-more", "dev", a.list(devices), "count", strconv.Itoa(left))
		}
		notes = append(notes, a.fill(key, "addr", addr, "dev", dev))
	}
	return notes
}

// bridgeNotes say of each bridge with ports what that makes of them.
func (a *app) bridgeNotes(pic lab.Picture) []string {
	var notes []string
	for _, s := range pic.Spaces {
		for _, d := range s.Devices {
			ports := slices.ContainsFunc(s.Devices, func(p *lab.Device) bool { return p.Master == d.Name })
			if ports && d.Kind == "bridge" {
				notes = append(notes, a.fill("picture.segment", "bridge", d.Name))
			}
		}
	}
	return notes
}

// addMore adds the box that stands for the groups left out.
func (p *pictureParts) addMore(title string, isNew bool) {
	for i, box := range p.boxes {
		for j, row := range box.rows {
			if row.bundle && p.bundle == nil {
				p.bundle = &pictureCable{box: [2]int{i, len(p.boxes)}, row: [2]int{j, -1}}
			}
		}
	}
	p.boxes = append(p.boxes, pictureBox{title: title, more: true, isNew: isNew})
}

// hanging are the rows in a box that hang off a bridge above them.
func hanging(i int, box pictureBox) []pictureCable {
	var all []pictureCable
	bridge := 0
	for j, row := range box.rows {
		switch {
		case row.of != "":
			all = append(all, pictureCable{box: [2]int{i, i}, row: [2]int{bridge, j}})
		case row.device != nil:
			bridge = j
		}
	}
	return all
}

func anyNewSpace(spaces []*lab.Space) bool {
	return lab.Picture{Spaces: spaces}.News()
}

// aroundHub are the other boxes, the host last among them, and apart from them
// what is outside.
func (p pictureParts) aroundHub() (others, outside []int) {
	for i := range p.boxes {
		if i != 0 && i != p.hub && i != p.outside {
			others = append(others, i)
		}
	}
	if p.hub != 0 {
		others = append(others, 0)
	}
	if p.outside >= 0 {
		outside = []int{p.outside}
	}
	return others, outside
}

// join adds the cable between two devices once, if both are drawn, in two boxes.
func (p *pictureParts) join(ends map[lab.End][2]int, from, to lab.End) {
	a, ok := ends[from]
	b, ok2 := ends[to]
	if ok && ok2 && a[0] < b[0] {
		p.cables = append(p.cables, pictureCable{box: [2]int{a[0], b[0]}, row: [2]int{a[1], b[1]}})
	}
}

// addOutside adds what is beyond the host, at the end of its uplink.
func (a *app) addOutside(p *pictureParts, pic lab.Picture, ends map[lab.End][2]int) {
	p.outside = len(p.boxes)
	p.boxes = append(p.boxes, pictureBox{
		title: a.say("picture.outside"), cloud: true, rows: []pictureRow{{text: pic.Outside.Addr}},
	})
	for _, d := range pic.Spaces[0].Devices {
		if at, ok := ends[lab.End{Name: d.Name}]; ok && d.Uplink {
			p.cables = append(p.cables, pictureCable{box: [2]int{0, p.outside}, row: [2]int{at[1], 0}})
		}
	}
}
