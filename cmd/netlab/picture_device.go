package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"netlab/lab"
)

// devices adds a namespace's devices. The uplink is never among those left out.
func (b *pictureBox) devices(a *app, s *lab.Space, folded bool) {
	var built, uplinks []*lab.Device
	for _, d := range s.Devices {
		if d.Uplink {
			uplinks = append(uplinks, d)
		} else {
			built = append(built, d)
		}
	}
	shown := portsBelow(built)
	var hidden []*lab.Device
	if len(s.Devices) > mostRows {
		most := min(len(shown), mostRows-1)
		shown, hidden = shown[:most], shown[most:]
	}
	left := len(hidden) + s.More.Devices
	leftNew := s.More.New.Devices || anyNewSpace([]*lab.Space{{Devices: hidden}})
	for len(shown) > 0 {
		c := commonOf(shown, folded)
		for _, d := range shown[:c.count] {
			b.device(a, s, d, c)
		}
		first := shown[0]
		shown = shown[c.count:]
		if len(shown) == 0 && len(hidden) == 0 && left > 0 { // those left out are like the last
			b.moreDevices(a, left, leftNew)
			b.rows[len(b.rows)-1].bundle = true
			c.count, left = c.count+left, 0
		}
		b.common(a, first, c)
	}
	if left > 0 {
		b.moreDevices(a, left, leftNew)
	}
	for _, d := range uplinks {
		b.device(a, s, d, common{})
	}
}

// portsBelow are the devices with the ports of each bridge right below it.
func portsBelow(devices []*lab.Device) []*lab.Device {
	var sorted []*lab.Device
	for _, d := range devices {
		if hasMaster(devices, d) {
			continue
		}
		sorted = append(sorted, d)
		for _, port := range devices {
			if port.Master == d.Name && hasMaster(devices, port) {
				sorted = append(sorted, port)
			}
		}
	}
	return sorted
}

// hasMaster tells whether the bridge that d is a port of is among the devices. A
// bridge is nobody's port.
func hasMaster(devices []*lab.Device, d *lab.Device) bool {
	return d.Master != "" && !d.Uplink && slices.ContainsFunc(devices, func(m *lab.Device) bool {
		return m.Name == d.Master && m.Master == ""
	})
}

// common is what so many devices in a row have in common, and is said once.
type common struct {
	count      int
	mac, flags bool
}

// commonOf looks from the first of the devices how far they are alike. One that
// has nothing in common with the next stands for itself.
func commonOf(devices []*lab.Device, folded bool) common {
	first := devices[0]
	c := common{count: 1, mac: first.MAC != "", flags: len(first.Flags) > 0}
	for _, d := range devices[1:] {
		if !folded || d.Kind != first.Kind || d.Master != first.Master || !slices.Equal(d.Flags, first.Flags) {
			break
		}
		c.count++
		c.mac = c.mac && d.MAC == first.MAC && macNew(d) == macNew(first)
	}
	if c.count == 1 || !c.mac && !c.flags {
		return common{count: 1}
	}
	return c
}

func macNew(d *lab.Device) bool { return d.New || d.MACNew }

// common says once what the devices above have in common with d.
func (b *pictureBox) common(a *app, d *lab.Device, c common) {
	if !c.mac && !c.flags {
		return
	}
	b.add(pictureRow{
		text: a.fill("picture.each", "count", strconv.Itoa(c.count)), starts: true, port: b.rows[len(b.rows)-1].port,
	})
	if c.mac {
		b.mac(a, d)
	}
	if c.flags {
		b.flags(d)
	}
}

// moreDevices says how many devices are left out, below others like them.
func (b *pictureBox) moreDevices(a *app, count int, isNew bool) {
	row := pictureRow{text: a.moreText(count), isNew: isNew, starts: true}
	for i := len(b.rows) - 1; i >= 0; i-- {
		if above := b.rows[i]; above.device != nil {
			row.port, row.of = above.port, above.of
			break
		}
	}
	b.add(row)
}

// device adds a device: its row, and what it does not have in common with others.
func (b *pictureBox) device(a *app, s *lab.Space, d *lab.Device, c common) {
	row := pictureRow{text: d.Name, isNew: d.New, device: &lab.End{NS: s.Name, Name: d.Name}, starts: true}
	var about []string
	if d.Kind != "" && d.Kind != "veth" {
		about = append(about, d.Kind)
	}
	if d.Ports > 0 {
		about = append(about, a.fill("picture.ports", "count", strconv.Itoa(d.Ports)))
	}
	if d.Uplink {
		about = append(about, a.say("picture.uplink"))
	}
	if d.Unrouted {
		about = append(about, a.say("picture.unrouted"))
	}
	if hasMaster(s.Devices, d) {
		row.port, row.of = true, d.Master
	} else if d.Master != "" {
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
	if d.MAC != "" && !c.mac {
		b.mac(a, d)
	}
	for _, x := range d.Addrs {
		b.detail(x.Addr, x.New)
	}
	for _, x := range d.Neighs {
		b.detail(a.fill("picture.neigh", "entry", x.String()), x.New)
	}
	if !c.flags {
		b.flags(d)
	}
}

func (b *pictureBox) mac(a *app, d *lab.Device) {
	b.detail(a.fill("picture.mac", "mac", d.MAC), macNew(d))
}

func (b *pictureBox) flags(d *lab.Device) {
	for _, f := range d.Flags {
		b.detail(flagText(f), f.New)
	}
}

// detail says more of what is above.
func (b *pictureBox) detail(text string, isNew bool) {
	b.add(pictureRow{text: text, isNew: isNew, detail: true, port: b.rows[len(b.rows)-1].port})
}
