package probe

import (
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/net/ipv4"
)

// errnoWords is an errno as the tools print it: the C library's words, which
// Go has with a small first letter.
func errnoWords(errno syscall.Errno) string {
	words := errno.Error()
	if words == "" {
		return "errno " + strconv.Itoa(int(errno))
	}
	return strings.ToUpper(words[:1]) + words[1:]
}

// icmpWords is an ICMP error (RFC 792, RFC 1812 section 5.2.7.1) as ping(8)
// prints it. nextHopMTU counts for "fragmentation needed" only.
func icmpWords(kind ipv4.ICMPType, code int, nextHopMTU uint16) string {
	switch kind {
	case ipv4.ICMPTypeTimeExceeded:
		if code == 1 {
			return "Frag reassembly time exceeded"
		}
		return "Time to live exceeded"
	case ipv4.ICMPTypeParameterProblem:
		return "Parameter problem"
	}
	switch code {
	case 0:
		return "Destination Net Unreachable"
	case 1:
		return "Destination Host Unreachable"
	case 2:
		return "Destination Protocol Unreachable"
	case 3:
		return "Destination Port Unreachable"
	case 4:
		return "Frag needed and DF set (mtu = " + strconv.Itoa(int(nextHopMTU)) + ")"
	case 5:
		return "Source Route Failed"
	case 6:
		return "Destination Net Unknown"
	case 7:
		return "Destination Host Unknown"
	case 8:
		return "Source Host Isolated"
	case 9:
		return "Destination Net Prohibited"
	case 10:
		return "Destination Host Prohibited"
	case 11:
		return "Destination Net Unreachable for Type of Service"
	case 12:
		return "Destination Host Unreachable for Type of Service"
	case 13:
		return "Packet filtered"
	case 14:
		return "Precedence Violation"
	case 15:
		return "Precedence Cutoff"
	}
	return "Dest Unreachable, Bad Code: " + strconv.Itoa(code)
}
