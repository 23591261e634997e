package fault

import (
	"encoding/binary"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// socket is what a socket is for.
type socket struct{ domain, protocol int }

// borrow opens the caller's socket here too.
func (w *watch) borrow(n *notif) (fd int, err error) {
	pid := w.process(n)
	pidfd, ok := w.pidfds[pid]
	if !ok {
		if pidfd, err = unix.PidfdOpen(pid, 0); err != nil {
			return 0, err
		}
		w.pidfds[pid] = pidfd
	}
	return unix.PidfdGetfd(pidfd, int(int32(n.args[0])), 0)
}

func (w *watch) socketOf(n *notif) (socket, bool) {
	name := n.file(0)
	if s, ok := w.sockets[name]; ok {
		return s, true
	}
	fd, err := w.borrow(n)
	if err != nil {
		return socket{}, false
	}
	defer unix.Close(fd)
	domain, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
	if err != nil {
		return socket{}, false
	}
	protocol, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PROTOCOL)
	if err != nil {
		return socket{}, false
	}
	s := socket{domain, protocol}
	w.sockets[name] = s
	return s, true
}

// data is what the call sends, as far as its first piece goes.
func (n *notif) data() []byte {
	base, size := n.args[1], n.args[2]
	if n.nr == unix.SYS_SENDMSG { // struct user_msghdr, struct iovec
		header := n.memory(n.args[1], 32)
		if len(header) < 32 {
			return nil
		}
		iov := n.memory(binary.NativeEndian.Uint64(header[16:]), 16)
		if len(iov) < 16 {
			return nil
		}
		base, size = binary.NativeEndian.Uint64(iov), binary.NativeEndian.Uint64(iov[8:])
	}
	return n.memory(base, min(size, 1<<16))
}

func (w *watch) sends(n *notif) (Call, bool) {
	s, ok := w.socketOf(n)
	switch {
	case !ok || s.domain == unix.AF_UNIX:
		return Call{}, false
	case s.domain != unix.AF_NETLINK:
		return Call{Kind: Packet, Text: fmt.Sprintf("send over family %d", s.domain)}, true
	}
	data := n.data()
	c := Call{Kind: Query}
	var all []byte
	for len(data) >= unix.NLMSG_HDRLEN {
		size := binary.NativeEndian.Uint32(data)
		kind, flags := binary.NativeEndian.Uint16(data[4:]), binary.NativeEndian.Uint16(data[6:])
		if size < unix.NLMSG_HDRLEN || int(size) > len(data) {
			break
		}
		if changes(s.protocol, kind, flags) {
			c.Kind = Change
		}
		c.Text += " " + messageName(s.protocol, kind)
		all = append(all, data[4:8]...)
		all = append(all, data[16:size]...) // less what numbers it
		data = data[min((int(size)+3)&^3, len(data)):]
	}
	c.Text = "netlink" + c.Text
	c.key = c.Text + digest(all) + fmt.Sprint(w.space(n))
	return c, true
}

// space tells one network namespace from another.
func (w *watch) space(n *notif) string {
	name, _ := os.Readlink(fmt.Sprintf("/proc/%d/task/%d/ns/net", w.process(n), n.tid))
	return name
}

// changes tells whether a request changes something. Messages of rtnetlink come
// in fours: new, delete, get, set (include/uapi/linux/rtnetlink.h); in nfnetlink
// changes come in batches.
func changes(protocol int, kind, flags uint16) bool {
	if protocol == unix.NETLINK_ROUTE {
		return kind >= unix.RTM_BASE && (kind-unix.RTM_BASE)%4 != 2
	}
	return protocol == unix.NETLINK_NETFILTER && kind == unix.NFNL_MSG_BATCH_BEGIN
}

func messageName(protocol int, kind uint16) string {
	if protocol != unix.NETLINK_ROUTE || kind < unix.RTM_BASE {
		return fmt.Sprintf("%d/%#x", protocol, kind)
	}
	objects := map[uint16]string{0: "LINK", 1: "ADDR", 2: "ROUTE", 3: "NEIGH", 4: "RULE", 12: "NEIGHTBL", 18: "NSID"}
	object := objects[(kind-unix.RTM_BASE)/4]
	if object == "" {
		object = fmt.Sprint(kind)
	}
	return "RTM_" + []string{"NEW", "DEL", "GET", "SET"}[kind%4] + object
}

// receives looks at what is there to be received, and leaves it there.
func (w *watch) receives(n *notif) (Call, bool) {
	s, ok := w.socketOf(n)
	if !ok || s.domain != unix.AF_NETLINK {
		return Call{}, false
	}
	fd, err := w.borrow(n)
	if err != nil {
		return Call{}, false
	}
	defer unix.Close(fd)
	header := make([]byte, unix.NLMSG_HDRLEN)
	got, _, err := unix.Recvfrom(fd, header, unix.MSG_PEEK|unix.MSG_DONTWAIT)
	if err != nil || got < len(header) {
		return Call{}, false // nothing yet: it will be asked again
	}
	kind, flags := binary.NativeEndian.Uint16(header[4:]), binary.NativeEndian.Uint16(header[6:])
	c := Call{Kind: Answer, Text: "answer " + messageName(s.protocol, kind)}
	if kind == unix.NLMSG_ERROR {
		c.Text = "answer of " + messageName(s.protocol, 0)
	}
	if n.nr == unix.SYS_RECVFROM && flags&unix.NLM_F_MULTI != 0 && kind != unix.NLMSG_DONE {
		c.Kind, c.Text = List, "list of "+messageName(s.protocol, kind)
	}
	return c, true
}

// interrupted receives a part of a dump in the caller's stead and marks it.
func (w *watch) interrupted(n *notif) (got int, ok bool) {
	fd, err := w.borrow(n)
	if err != nil {
		return 0, false
	}
	defer unix.Close(fd)
	data := make([]byte, n.args[2])
	got, _, err = unix.Recvfrom(fd, data, unix.MSG_DONTWAIT)
	if err != nil {
		return 0, false
	}
	for rest := data[:got]; len(rest) >= unix.NLMSG_HDRLEN; {
		size := int(binary.NativeEndian.Uint32(rest))
		binary.NativeEndian.PutUint16(rest[6:], binary.NativeEndian.Uint16(rest[6:])|unix.NLM_F_DUMP_INTR)
		rest = rest[min(max((size+3)&^3, unix.NLMSG_HDRLEN), len(rest)):]
	}
	mem, err := os.OpenFile(fmt.Sprintf("/proc/%d/mem", n.tid), os.O_WRONLY, 0)
	if err != nil {
		return 0, false
	}
	defer mem.Close()
	from := make([]byte, unix.SizeofSockaddrNetlink) // the kernel's: port 0
	binary.NativeEndian.PutUint16(from, unix.AF_NETLINK)
	size := make([]byte, 4)
	binary.NativeEndian.PutUint32(size, uint32(len(from)))
	for _, part := range []struct {
		at   uint64
		data []byte
	}{{n.args[1], data[:got]}, {n.args[4], from}, {n.args[5], size}} {
		if part.at == 0 {
			continue
		}
		if _, err := mem.WriteAt(part.data, int64(part.at)); err != nil {
			return 0, false
		}
	}
	return got, true
}

// lose takes a message that was to be received.
func (w *watch) lose(n *notif) {
	fd, err := w.borrow(n)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	_, _, _ = unix.Recvfrom(fd, make([]byte, 1), unix.MSG_DONTWAIT)
}
