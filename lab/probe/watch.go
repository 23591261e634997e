package probe

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/net/bpf"
	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"

	"netlab/lab/kernel"
)

// watchLeaving opens a packet socket that receives, from the IP header on, only
// echo requests that leave the device and bear the marker. The filter runs in
// the kernel, so that other traffic wakes nobody.
func watchLeaving(n *kernel.Namespace, device int, marker [16]byte) (*socket, error) {
	program, err := bpf.Assemble(leavingFilter(marker))
	if err != nil {
		return nil, fmt.Errorf("assemble a packet filter: %w", err)
	}
	filter := make([]unix.SockFilter, len(program))
	for i, in := range program {
		filter[i] = unix.SockFilter{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	// Protocol 0 receives nothing until bind, when the filter stands.
	s, err := openSocket(n, unix.AF_PACKET, unix.SOCK_DGRAM, 0)
	if err != nil {
		return nil, err
	}
	err = s.with(func(fd int) error {
		err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
			&unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]})
		if err != nil {
			return err
		}
		// Frames that leave are shown to sockets for all protocols only.
		return unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: networkOrder(unix.ETH_P_ALL), Ifindex: device})
	})
	if err != nil {
		go s.close() // slow, see Leaves
		return nil, fmt.Errorf("watch device %d in %s: %w", device, n, err)
	}
	return s, nil
}

// leavingFilter keeps 64 bytes of each packet it accepts: the headers and the
// marker.
func leavingFilter(marker [16]byte) []bpf.Instruction {
	type test struct {
		load bpf.Instruction
		want uint32
	}
	tests := []test{
		{bpf.LoadExtension{Num: bpf.ExtType}, unix.PACKET_OUTGOING},
		{bpf.LoadExtension{Num: bpf.ExtProto}, unix.ETH_P_IP},
		{bpf.LoadAbsolute{Off: 9, Size: 1}, unix.IPPROTO_ICMP},
		{bpf.LoadIndirect{Off: 0, Size: 1}, uint32(ipv4.ICMPTypeEcho)}, // X: the IP header's length
	}
	for i := 0; i < len(marker); i += 4 {
		tests = append(tests, test{bpf.LoadIndirect{Off: uint32(icmpHeaderLen + i), Size: 4}, binary.BigEndian.Uint32(marker[i:])})
	}
	program := []bpf.Instruction{bpf.LoadMemShift{Off: 0}}
	for i, t := range tests {
		refuse := 2*(len(tests)-1-i) + 1 // past the tests that follow, and the acceptance
		program = append(program, t.load, bpf.JumpIf{Cond: bpf.JumpEqual, Val: t.want, SkipFalse: uint8(refuse)})
	}
	return append(program, bpf.RetConstant{Val: 64}, bpf.RetConstant{Val: 0})
}

// networkOrder is a number as the kernel keeps it in a field of that order.
func networkOrder(v uint16) uint16 {
	return binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, v))
}
