package main

import (
	"slices"
	"strconv"

	"netlab/lab"
)

// What a packet needs to get on, and how far it may still go. The names are the
// same in every language.
const (
	colSrcMAC = iota
	colDstMAC
	colSrcIP
	colDstIP
	colTTL
	hopColumns
)

func hopColumn(i int) string {
	return [hopColumns]string{"SrcMAC", "DstMAC", "SrcIP", "DstIP", "TTL"}[i]
}

const changedMark = "*"

// hopTable is a journey's hops in one of three forms: the widest that fits.
type hopTable struct {
	form            hopForm
	rows            [][]hopRow // of each leg
	ns, dev, dir    int        // how wide those are
	cells           [hopColumns]int
	first, second   int // of what stands side by side in formPair and formStack
	withTTL         bool
	macsFit, allFit bool // formStack: two MACs in a line, and two IP addresses too
}

type hopForm int

const (
	formWide  hopForm = iota // a line a hop
	formPair                 // MACs, and the IP addresses below them
	formStack                // the place, and the addresses below it with their names
)

// hopRow is a hop as it is printed.
type hopRow struct {
	ns, dev, dir string
	cells        [hopColumns]hopCell
	copy         bool
}

type hopCell struct {
	text    string
	changed bool
}

// hopTable makes rows of all hops of a journey, so that its legs are aligned.
func (v *journeyView) hopTable(j lab.Journey) hopTable {
	t := hopTable{ns: columns(v.say("table.ns")), dev: columns(v.say("table.dev"))}
	for i := range t.cells {
		t.cells[i] = len(hopColumn(i))
	}
	for _, leg := range j.Legs {
		var rows []hopRow
		for _, hop := range leg.Hops {
			r := v.hopRow(hop)
			rows = append(rows, r)
			t.ns, t.dev, t.dir = max(t.ns, columns(r.ns)), max(t.dev, columns(r.dev)), max(t.dir, columns(r.dir))
			for i, c := range r.cells {
				t.cells[i] = max(t.cells[i], columns(c.text)+len(changedMark))
			}
			t.withTTL = t.withTTL || hop.TTL > 0
		}
		t.rows = append(t.rows, rows)
	}
	t.first = max(t.cells[colSrcMAC], t.cells[colSrcIP])
	t.second = max(t.cells[colDstMAC], t.cells[colDstIP])
	room := v.room - columns(v.in) - len(indent)
	place := t.ns + 1 + t.dev + 1 + t.dir + 2
	ttl := 0
	if t.withTTL {
		ttl = 1 + t.cells[colTTL]
	}
	switch {
	case place+t.cells[colSrcMAC]+1+t.cells[colDstMAC]+1+t.cells[colSrcIP]+1+t.cells[colDstIP]+ttl <= room:
		t.form = formWide
	case place+t.first+1+t.second+ttl <= room:
		t.form = formPair
	default:
		t.form = formStack
		const names = len(indent) + stackName + 1 + stackName
		t.macsFit = names+t.cells[colSrcMAC]+t.cells[colDstMAC] <= room
		t.allFit = names+t.first+t.second <= room
		if !t.allFit {
			t.first = t.cells[colSrcMAC] // nothing is below it
		}
	}
	return t
}

// stackName is how much room the name of a column takes before its value.
const stackName = len("SrcMAC ")

func (v *journeyView) hopRow(h lab.Hop) hopRow {
	r := hopRow{ns: v.space(h.NS), dev: h.Dev, dir: "→", copy: h.Copy}
	if h.Dir == lab.DirIn {
		r.dir = "←"
	}
	if h.Copy {
		r.dir += " " + v.say("table.copy")
	}
	ttl := "-"
	if h.TTL > 0 {
		ttl = strconv.Itoa(h.TTL)
	}
	changed := changedColumns(h.Changed)
	for i, text := range [hopColumns]string{
		colSrcMAC: orDash(h.SrcMAC), colDstMAC: orDash(h.DstMAC),
		colSrcIP: withPort(h.Src.String(), h.SrcPort), colDstIP: withPort(h.Dst.String(), h.DstPort),
		colTTL: ttl,
	} {
		r.cells[i] = hopCell{text, slices.Contains(changed, hopColumn(i))}
	}
	return r
}

// changedColumns are the columns in which something changed, of lab.Hop's names.
func changedColumns(names []string) []string {
	var all []string
	for i, fields := range [hopColumns][]string{
		colSrcMAC: {"src_mac"}, colDstMAC: {"dst_mac"},
		colSrcIP: {"src", "src_port"}, colDstIP: {"dst", "dst_port"}, colTTL: {"ttl"},
	} {
		if slices.ContainsFunc(fields, func(name string) bool { return slices.Contains(names, name) }) {
			all = append(all, hopColumn(i))
		}
	}
	return all
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

func withPort(addr string, port uint16) string {
	if port == 0 {
		return addr
	}
	return addr + ":" + strconv.Itoa(int(port))
}
