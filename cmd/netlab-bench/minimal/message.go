package main

import (
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// batch is netlink messages that go to the kernel in one call.
type batch struct {
	buf    []byte
	start  int   // of the message that is being written
	nested []int // of the attributes that are being written
	calls  *calls
	what   []string // of each message: what it is for
}

// message begins a message: what for, its type, flags besides NLM_F_REQUEST, and
// the header of its family.
func (b *batch) message(what string, kind uint16, flags uint16, header []byte) *batch {
	b.end()
	b.what = append(b.what, what)
	b.start = len(b.buf)
	b.buf = binary.NativeEndian.AppendUint32(b.buf, 0) // the length, when it is known
	b.buf = binary.NativeEndian.AppendUint16(b.buf, kind)
	b.buf = binary.NativeEndian.AppendUint16(b.buf, flags|unix.NLM_F_REQUEST)
	b.buf = append(b.buf, make([]byte, 8)...) // sequence and port, which nobody asks for
	b.buf = append(b.buf, header...)
	return b
}

// end closes the message that is being written.
func (b *batch) end() {
	if len(b.buf) > b.start {
		binary.NativeEndian.PutUint32(b.buf[b.start:], uint32(len(b.buf)-b.start))
	}
}

func (b *batch) attr(kind uint16, value []byte) *batch {
	b.buf = binary.NativeEndian.AppendUint16(b.buf, uint16(unix.SizeofRtAttr+len(value)))
	b.buf = binary.NativeEndian.AppendUint16(b.buf, kind)
	b.buf = append(b.buf, value...)
	for len(b.buf)%unix.NLA_ALIGNTO != 0 {
		b.buf = append(b.buf, 0)
	}
	return b
}

func (b *batch) text(kind uint16, value string) *batch { return b.attr(kind, append([]byte(value), 0)) }

func (b *batch) number(kind uint16, value uint32) *batch {
	return b.attr(kind, binary.NativeEndian.AppendUint32(nil, value))
}

func (b *batch) open(kind uint16) *batch {
	b.nested = append(b.nested, len(b.buf))
	return b.attr(kind|unix.NLA_F_NESTED, nil)
}

func (b *batch) close() *batch {
	last := len(b.nested) - 1
	at := b.nested[last]
	b.nested = b.nested[:last]
	binary.NativeEndian.PutUint16(b.buf[at:], uint16(len(b.buf)-at))
	return b
}

// raw appends bytes to the attribute that is open: a header inside it.
func (b *batch) raw(header []byte) *batch {
	b.buf = append(b.buf, header...)
	return b
}

// send hands the messages to the kernel, which has done them when the call
// returns, and looks for a refusal: without NLM_F_ACK nothing else is answered.
// Only where their times are measured are they sent one by one.
func (b *batch) send(socket int) error {
	b.end()
	rest := b.buf
	for i := range b.what {
		part := rest
		if b.calls != nil {
			part = rest[:binary.NativeEndian.Uint32(rest)]
		}
		rest = rest[len(part):]
		began := b.calls.now()
		if _, err := unix.Write(socket, part); err != nil {
			return fmt.Errorf("send to netlink: %w", err)
		}
		b.calls.add(stageTwo, b.what[i], began)
		if len(rest) == 0 {
			break
		}
	}
	b.buf, b.start, b.what = b.buf[:0], 0, b.what[:0]
	return refusal(socket)
}

// refusal is what the kernel has refused of the messages before.
func refusal(socket int) error {
	var answer [4096]byte
	n, _, err := unix.Recvfrom(socket, answer[:], unix.MSG_DONTWAIT)
	if errors.Is(err, unix.EAGAIN) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read from netlink: %w", err)
	}
	if n < unix.SizeofNlMsghdr+unix.SizeofNlMsgerr {
		return fmt.Errorf("netlink answers %d bytes", n)
	}
	errno := -int32(binary.NativeEndian.Uint32(answer[unix.SizeofNlMsghdr:]))
	kind := binary.NativeEndian.Uint16(answer[unix.SizeofNlMsghdr+8:]) // of the header that follows
	return fmt.Errorf("netlink message of type %d: %w", kind, unix.Errno(errno))
}

// The headers of the families.

func linkHeader(index int32, flags, change uint32) []byte {
	h := make([]byte, 4, unix.SizeofIfInfomsg)
	h = binary.NativeEndian.AppendUint32(h, uint32(index))
	h = binary.NativeEndian.AppendUint32(h, flags)
	return binary.NativeEndian.AppendUint32(h, change)
}

func routeHeader(bits, scope uint8) []byte {
	return []byte{unix.AF_INET, bits, 0, 0, unix.RT_TABLE_MAIN, unix.RTPROT_BOOT, scope, unix.RTN_UNICAST, 0, 0, 0, 0}
}

func addressHeader(bits uint8, index uint32) []byte {
	return binary.NativeEndian.AppendUint32([]byte{unix.AF_INET, bits, 0, unix.RT_SCOPE_UNIVERSE}, index)
}

func socket() (int, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return -1, fmt.Errorf("open netlink: %w", err)
	}
	return fd, nil
}
