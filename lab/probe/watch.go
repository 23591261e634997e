package probe

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"

	"golang.org/x/net/bpf"
	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"

	"netlab/lab/kernel"
)

// watch opens a packet socket that receives, from the network header on, only what
// the filter accepts of a device's frames. The filter runs in the kernel, so that
// other traffic wakes nobody. Closing it waits 8 to 21 ms for RCU (facts.md,
// section 9): do that in the background, or where netlab may be about to end, by
// closeLater.
func watch(n *kernel.Namespace, device int, filter []bpf.Instruction) (*socket, error) {
	program, err := bpf.Assemble(filter)
	if err != nil {
		return nil, fmt.Errorf("assemble a packet filter: %w", err)
	}
	code := make([]unix.SockFilter, len(program))
	for i, in := range program {
		code[i] = unix.SockFilter{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	// Protocol 0 receives nothing until bind, when the filter stands.
	s, err := openSocket(n, unix.AF_PACKET, unix.SOCK_DGRAM, 0)
	if err != nil {
		return nil, err
	}
	err = s.with(func(fd int) error {
		err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
			&unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]})
		if err != nil {
			return err
		}
		// Frames that leave are shown to sockets for all protocols only.
		return unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: kernel.NetworkOrder(unix.ETH_P_ALL), Ifindex: device})
	})
	if err != nil {
		go s.close()
		return nil, fmt.Errorf("watch device %d in %s: %w", device, n, err)
	}
	return s, nil
}

// leaving accepts echo requests that leave the device and bear the marker, with 64
// bytes of each: the headers and the marker.
func leaving(marker [16]byte) []bpf.Instruction {
	return passing(unix.PACKET_OUTGOING, ipv4.ICMPTypeEcho, marker)
}

// returning accepts echo replies that come in for the device and bear the marker.
// No firewall's chain has seen them yet, nor conntrack.
func returning(marker [16]byte) []bpf.Instruction {
	return passing(unix.PACKET_HOST, ipv4.ICMPTypeEchoReply, marker)
}

func passing(direction uint32, kind ipv4.ICMPType, marker [16]byte) []bpf.Instruction {
	tests := []fieldTest{
		{bpf.LoadExtension{Num: bpf.ExtType}, direction},
		{bpf.LoadExtension{Num: bpf.ExtProto}, unix.ETH_P_IP},
		{bpf.LoadAbsolute{Off: 9, Size: 1}, unix.IPPROTO_ICMP},
		{bpf.LoadIndirect{Off: 0, Size: 1}, uint32(kind)}, // X: the IP header's length
	}
	for i := 0; i < len(marker); i += 4 {
		tests = append(tests, fieldTest{bpf.LoadIndirect{Off: uint32(icmpHeaderLen + i), Size: 4}, binary.BigEndian.Uint32(marker[i:])})
	}
	return append([]bpf.Instruction{bpf.LoadMemShift{Off: 0}}, accept(tests)...)
}

// arpRequest accepts ARP requests for the target from the device with that MAC
// (RFC 826), in either direction.
func arpRequest(asker net.HardwareAddr, target netip.Addr) []bpf.Instruction {
	const request = 1
	addr := target.As4()
	return accept([]fieldTest{
		{bpf.LoadExtension{Num: bpf.ExtProto}, unix.ETH_P_ARP},
		{bpf.LoadAbsolute{Off: 6, Size: 2}, request},
		{bpf.LoadAbsolute{Off: 8, Size: 4}, binary.BigEndian.Uint32(asker)},
		{bpf.LoadAbsolute{Off: 12, Size: 2}, uint32(binary.BigEndian.Uint16(asker[4:]))},
		{bpf.LoadAbsolute{Off: 24, Size: 4}, binary.BigEndian.Uint32(addr[:])},
	})
}

// fieldTest is what a loaded field must be.
type fieldTest struct {
	load bpf.Instruction
	want uint32
}

// accept takes 64 bytes of a frame that passes all tests.
func accept(tests []fieldTest) []bpf.Instruction {
	var program []bpf.Instruction
	for i, t := range tests {
		refuse := 2*(len(tests)-1-i) + 1 // past the tests that follow, and the acceptance
		program = append(program, t.load, bpf.JumpIf{Cond: bpf.JumpEqual, Val: t.want, SkipFalse: uint8(refuse)})
	}
	return append(program, bpf.RetConstant{Val: 64}, bpf.RetConstant{Val: 0})
}
