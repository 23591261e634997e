package trace

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"netlab/lab"
)

// network is where the IP header starts, for a filter: negative offsets count
// from there, so that frames with and without an Ethernet header are alike
// (SKF_NET_OFF, linux/filter.h).
const network = 1<<32 - 0x100000

// filter is the program that the kernel runs on every frame of a namespace, so that
// other traffic wakes nobody. What it lets pass is looked at again by identity:
// it passes all ARP and all ICMP errors, which are few.
func (id *identity) filter() ([]unix.SockFilter, error) {
	var b builder
	b.load(bpf.LoadExtension{Num: bpf.ExtProto})
	b.jump(unix.ETH_P_ARP, "accept", "")
	b.jump(unix.ETH_P_IP, "", "refuse")
	b.load(bpf.LoadMemShift{Off: network}) // X: the IP header's length
	b.load(bpf.LoadAbsolute{Off: network + 9, Size: 1})
	switch id.probe {
	case lab.ProbeTCP:
		b.jump(unix.IPPROTO_TCP, "probe", "")
	case lab.ProbeUDP:
		b.jump(unix.IPPROTO_UDP, "probe", "")
	}
	b.jump(unix.IPPROTO_ICMP, "", "refuse")
	b.load(bpf.LoadIndirect{Off: network, Size: 1})
	for _, kind := range []uint32{3, 4, 5, 11, 12} { // see packet.isError
		b.jump(kind, "accept", "")
	}
	if id.probe == lab.ProbeEcho {
		b.jump(8, "probe", "")
		b.jump(0, "probe", "")
	}
	b.always("refuse")
	b.label("probe")
	switch id.probe {
	case lab.ProbeEcho:
		b.marker(id.marker)
	case lab.ProbeUDP:
		for _, at := range []uint32{0, 2} {
			b.load(bpf.LoadIndirect{Off: network + at, Size: 2})
			b.jump(uint32(id.port), "accept", "")
			if id.source != 0 {
				b.jump(uint32(id.source), "accept", "")
			}
		}
		b.marker(id.marker)
	case lab.ProbeTCP:
		b.load(bpf.LoadIndirect{Off: network + 4, Size: 4})
		b.jump(id.isn, "accept", "")
		b.jump(id.isn+1, "accept", "")
		b.load(bpf.LoadIndirect{Off: network + 8, Size: 4})
		b.jump(id.isn+1, "accept", "")
		b.jump(id.isn+2, "accept", "")
	}
	b.label("refuse")
	b.load(bpf.RetConstant{Val: 0})
	b.label("accept")
	b.load(bpf.RetConstant{Val: 1 << 18})
	return b.assemble()
}

// builder writes a filter whose jumps lead to labels, or, where a label is empty,
// to the next instruction. Jumps lead forward only.
type builder struct {
	program []bpf.Instruction
	jumps   []labelled
	labels  map[string]int
}

type labelled struct {
	at          int
	then, other string
}

func (b *builder) load(in bpf.Instruction) { b.program = append(b.program, in) }

func (b *builder) label(name string) {
	if b.labels == nil {
		b.labels = map[string]int{}
	}
	b.labels[name] = len(b.program)
}

func (b *builder) jump(value uint32, then, other string) {
	b.jumps = append(b.jumps, labelled{len(b.program), then, other})
	b.load(bpf.JumpIf{Cond: bpf.JumpEqual, Val: value})
}

func (b *builder) always(to string) { b.jump(0, to, to) }

func (b *builder) marker(m [16]byte) {
	for i := 0; i < len(m); i += 4 {
		b.load(bpf.LoadIndirect{Off: network + 8 + uint32(i), Size: 4})
		then := ""
		if i+4 == len(m) {
			then = "accept"
		}
		b.jump(binary.BigEndian.Uint32(m[i:]), then, "refuse")
	}
}

func (b *builder) assemble() ([]unix.SockFilter, error) {
	skip := func(at int, label string) uint8 {
		if label == "" {
			return 0
		}
		return uint8(b.labels[label] - at - 1)
	}
	for _, j := range b.jumps {
		in := b.program[j.at].(bpf.JumpIf)
		in.SkipTrue, in.SkipFalse = skip(j.at, j.then), skip(j.at, j.other)
		b.program[j.at] = in
	}
	raw, err := bpf.Assemble(b.program)
	if err != nil {
		return nil, fmt.Errorf("assemble a packet filter: %w", err)
	}
	filter := make([]unix.SockFilter, len(raw))
	for i, in := range raw {
		filter[i] = unix.SockFilter{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	return filter, nil
}
