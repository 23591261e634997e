package trace

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"netlab/lab"
	"netlab/lab/kernel"
)

// capture is a packet socket that receives the probe's frames on every device of
// one namespace.
type capture struct {
	space *space
	fd    int
}

// raw is a frame as it was captured.
type raw struct {
	space    *space
	index    int // of the device
	kind     uint8
	time     time.Time
	data     []byte
	unsummed bool
}

func (f raw) dir() string {
	if f.kind == unix.PACKET_OUTGOING {
		return lab.DirOut
	}
	return lab.DirIn
}

func openCapture(sp *space, filter []unix.SockFilter) (capture, error) {
	fd := -1
	err := sp.n.Do(func() (err error) {
		// Protocol 0 receives nothing until bind, when the filter stands.
		fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		return err
	})
	if err != nil {
		return capture{}, fmt.Errorf("open a packet socket in %s: %w", sp.n, err)
	}
	c := capture{sp, fd}
	const room = 1 << 22 // bytes; the kernel gives what it may
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, room)
	for _, set := range []func() error{
		func() error {
			return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
				&unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]})
		},
		func() error { return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1) },
		func() error { return unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_AUXDATA, 1) },
		func() error { // every device, and all protocols: only so are frames seen that leave
			return unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: kernel.NetworkOrder(unix.ETH_P_ALL)})
		},
	} {
		if err := set(); err != nil {
			c.close()
			return capture{}, fmt.Errorf("watch the devices of %s: %w", sp.n, err)
		}
	}
	return c, nil
}

// close waits 8 to 21 ms for RCU (facts.md, section 9).
func (c capture) close() { _ = unix.Close(c.fd) }

// openCaptures watches all namespaces of the scene. closing gives them back, off
// the caller's way.
func openCaptures(s *scene, filter []unix.SockFilter) (all []capture, closing func(), err error) {
	all = make([]capture, len(s.spaces))
	errs := make([]error, len(s.spaces))
	var opening sync.WaitGroup
	for i, sp := range s.spaces {
		opening.Go(func() { all[i], errs[i] = openCapture(sp, filter) })
	}
	opening.Wait()
	closing = func() {
		for i, c := range all {
			if errs[i] == nil {
				go c.close()
			}
		}
	}
	if err := errors.Join(errs...); err != nil {
		closing()
		return nil, nil, err
	}
	return all, closing, nil
}

// read takes what is there. It waits for nothing.
func (c capture) read(buf []byte) ([]raw, error) {
	var frames []raw
	oob := make([]byte, 256)
	for {
		size, oobSize, _, from, err := unix.Recvmsg(c.fd, buf, oob, unix.MSG_DONTWAIT|unix.MSG_TRUNC)
		switch {
		case errors.Is(err, unix.EAGAIN):
			return frames, nil
		case errors.Is(err, unix.EINTR), errors.Is(err, unix.ENETDOWN): // a device went down
			continue
		case err != nil:
			return frames, fmt.Errorf("receive frames in %s: %w", c.space.n, err)
		}
		ll, ok := from.(*unix.SockaddrLinklayer)
		if !ok || size > len(buf) {
			continue
		}
		f := raw{space: c.space, index: ll.Ifindex, kind: ll.Pkttype, data: append([]byte{}, buf[:size]...)}
		f.annotate(oob[:oobSize])
		frames = append(frames, f)
	}
}

// annotate reads what the kernel says beside a frame.
func (f *raw) annotate(oob []byte) {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return
	}
	for _, m := range messages {
		switch {
		case m.Header.Level == unix.SOL_SOCKET && m.Header.Type == unix.SO_TIMESTAMPNS:
			if len(m.Data) >= int(unsafe.Sizeof(unix.Timespec{})) {
				ts := (*unix.Timespec)(unsafe.Pointer(&m.Data[0]))
				f.time = time.Unix(ts.Unix())
			}
		case m.Header.Level == unix.SOL_PACKET && m.Header.Type == unix.PACKET_AUXDATA:
			if len(m.Data) >= int(unsafe.Sizeof(unix.TpacketAuxdata{})) {
				f.aux((*unix.TpacketAuxdata)(unsafe.Pointer(&m.Data[0])))
			}
		}
	}
}

func (f *raw) aux(aux *unix.TpacketAuxdata) {
	f.unsummed = aux.Status&unix.TP_STATUS_CSUMNOTREADY != 0
	const macs = 12 // bytes before the tag
	if aux.Status&unix.TP_STATUS_VLAN_VALID == 0 || len(f.data) < macs {
		return
	}
	// The kernel keeps a VLAN tag beside the frame: put it back where it was.
	tag := binary.BigEndian.AppendUint16(nil, unix.ETH_P_8021Q)
	if aux.Status&unix.TP_STATUS_VLAN_TPID_VALID != 0 {
		tag = binary.BigEndian.AppendUint16(nil, aux.Vlan_tpid)
	}
	tag = binary.BigEndian.AppendUint16(tag, aux.Vlan_tci)
	f.data = append(append(append([]byte{}, f.data[:macs]...), tag...), f.data[macs:]...)
}
