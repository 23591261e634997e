package main

import "netlab/lab"

// circle is a packet that goes round: the hops just before are made again so
// many times, and nothing but the TTL is another each time.
type circle struct{ hops, times int }

// fewest is how often a circle must come again to be told in one line.
const fewest = 2

// circles finds where hops begin to be what those before were, by their places.
func circles(hops []lab.Hop) map[int]circle {
	all := map[int]circle{}
	for at := 1; at < len(hops); at++ {
		for long := 1; long <= at && at+fewest*long <= len(hops); long++ {
			times := 0
			for repeats(hops, at+times*long, long) {
				times++
			}
			if times >= fewest && long > 1 {
				all[at] = circle{long, times}
				at += long*times - 1
				break
			}
		}
	}
	return all
}

// repeats tells whether the hops at a place are the ones before, of a packet that
// has come further.
func repeats(hops []lab.Hop, at, long int) bool {
	if at+long > len(hops) {
		return false
	}
	for i := at; i < at+long; i++ {
		a, b := hops[i-long], hops[i]
		if a.NS != b.NS || a.Dev != b.Dev || a.Dir != b.Dir || a.Src != b.Src || a.Dst != b.Dst || a.SrcMAC != b.SrcMAC ||
			a.DstMAC != b.DstMAC || a.Copy != b.Copy || a.TTL <= b.TTL || a.TTL == 0 {
			return false
		}
	}
	return true
}
