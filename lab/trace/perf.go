package trace

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// perf reads tracepoints by perf_event_open(2): unlike an instance in tracefs it is
// the process's own, and gone with it however it ends.
type perf struct {
	fds   []perfFd
	rings [][]byte
	// epoch is when CLOCK_MONOTONIC, by which events are stamped, was 0.
	epoch time.Time
}

// watched is a tracepoint and the events of it that are wanted, in the kernel's
// filter language (Documentation/trace/events.rst).
type watched struct {
	tracepoint
	filter string
}

// event is one that happened.
type event struct {
	time time.Time
	data []byte
	cpu  int // which ring it was in
}

// perfFd is one tracepoint's on one processor; number is the tracepoint's, as it
// was given to openPerf.
type perfFd struct{ fd, number int }

// ringPages is the room for events of one processor, in pages; a power of two.
const ringPages = 16

func openPerf(points ...watched) (*perf, error) {
	p := &perf{epoch: monotonicEpoch()}
	cpus, err := online()
	if err != nil {
		return nil, err
	}
	for _, cpu := range cpus {
		if err := p.watch(cpu, points); err != nil {
			p.close()
			return nil, err
		}
	}
	return p, nil
}

// watch makes one ring for a processor, for all tracepoints.
func (p *perf) watch(cpu int, points []watched) error {
	first := -1
	for number, point := range points {
		attr := unix.PerfEventAttr{
			Type: unix.PERF_TYPE_TRACEPOINT, Size: uint32(unsafe.Sizeof(unix.PerfEventAttr{})), Config: point.id,
			Sample: 1, Sample_type: unix.PERF_SAMPLE_TIME | unix.PERF_SAMPLE_RAW,
			Bits: unix.PerfBitDisabled | unix.PerfBitUseClockID, Clockid: unix.CLOCK_MONOTONIC,
		}
		fd, err := unix.PerfEventOpen(&attr, -1, cpu, -1, unix.PERF_FLAG_FD_CLOEXEC)
		if err != nil {
			return fmt.Errorf("open a perf event: %w", err)
		}
		p.fds = append(p.fds, perfFd{fd, number})
		if point.filter != "" {
			text, err := unix.BytePtrFromString(point.filter)
			if err != nil {
				return err
			}
			if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.PERF_EVENT_IOC_SET_FILTER, uintptr(unsafe.Pointer(text))); errno != 0 {
				return fmt.Errorf("filter a perf event by %s: %w", point.filter, errno)
			}
		}
		if first < 0 {
			first = fd
			ring, err := unix.Mmap(fd, 0, (1+ringPages)*os.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
			if err != nil {
				return fmt.Errorf("map perf events: %w", err)
			}
			p.rings = append(p.rings, ring)
		} else if err := unix.IoctlSetInt(fd, unix.PERF_EVENT_IOC_SET_OUTPUT, first); err != nil {
			return fmt.Errorf("join perf events: %w", err)
		}
	}
	return nil
}

// close waits for RCU, as closing a packet socket does.
func (p *perf) close() {
	for _, ring := range p.rings {
		_ = unix.Munmap(ring)
	}
	for _, f := range p.fds {
		_ = unix.Close(f.fd)
	}
}

// begin hears these tracepoints, and what was heard before is forgotten. Between
// end and begin they cost the machine next to nothing, and opening them again would
// wait for the closing (50 to 70 ms, measured).
func (p *perf) begin(numbers ...int) error {
	p.read()
	for _, f := range p.fds {
		if !slices.Contains(numbers, f.number) {
			continue
		}
		if err := unix.IoctlSetInt(f.fd, unix.PERF_EVENT_IOC_ENABLE, 0); err != nil {
			return fmt.Errorf("begin perf events: %w", err)
		}
	}
	return nil
}

func (p *perf) end() {
	for _, f := range p.fds {
		_ = unix.IoctlSetInt(f.fd, unix.PERF_EVENT_IOC_DISABLE, 0)
	}
}

// read takes the events that are there.
func (p *perf) read() []event {
	var all []event
	for cpu, ring := range p.rings {
		page := (*unix.PerfEventMmapPage)(unsafe.Pointer(&ring[0]))
		data := ring[os.Getpagesize():]
		head, tail := atomic.LoadUint64(&page.Data_head), page.Data_tail
		size := uint64(len(data))
		if head-tail > size {
			tail = head - size
		}
		records := make([]byte, 0, head-tail)
		for at := tail; at < head; at++ {
			records = append(records, data[at%size])
		}
		atomic.StoreUint64(&page.Data_tail, head)
		for _, e := range samples(records, p.epoch) {
			e.cpu = cpu
			all = append(all, e)
		}
	}
	return all
}

// samples reads perf's records (linux/perf_event.h, PERF_RECORD_SAMPLE): a header
// of 8 bytes, then, as they were asked for, the time, and the event after its size.
func samples(records []byte, epoch time.Time) []event {
	const header = 8
	var all []event
	for len(records) >= header {
		kind := binary.NativeEndian.Uint32(records)
		size := int(binary.NativeEndian.Uint16(records[6:]))
		if size < header || size > len(records) {
			break
		}
		body := records[header:size]
		records = records[size:]
		if kind != unix.PERF_RECORD_SAMPLE || len(body) < 12 {
			continue
		}
		at := epoch.Add(time.Duration(binary.NativeEndian.Uint64(body) & (1<<63 - 1)))
		length := int(binary.NativeEndian.Uint32(body[8:]))
		if length < 0 || length > len(body)-12 {
			continue
		}
		all = append(all, event{time: at, data: body[12 : 12+length]})
	}
	return all
}

func nativeNumber(b []byte) (uint64, bool) {
	switch len(b) {
	case 1:
		return uint64(b[0]), true
	case 2:
		return uint64(binary.NativeEndian.Uint16(b)), true
	case 4:
		return uint64(binary.NativeEndian.Uint32(b)), true
	case 8:
		return binary.NativeEndian.Uint64(b), true
	}
	return 0, false
}

// monotonicEpoch is what the wall clock would have shown at CLOCK_MONOTONIC's zero.
func monotonicEpoch() time.Time {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts) // never fails for this clock
	return time.Now().Round(0).Add(-time.Duration(ts.Nano()))
}

// online lists the processors, from a list such as "0-3,6".
func online() ([]int, error) {
	text, err := os.ReadFile("/sys/devices/system/cpu/online")
	if err != nil {
		return nil, fmt.Errorf("list the processors: %w", err)
	}
	var cpus []int
	for part := range strings.SplitSeq(strings.TrimSpace(string(text)), ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		from, err := strconv.Atoi(first)
		to, toErr := strconv.Atoi(last)
		if err = errors.Join(err, toErr); err != nil {
			return nil, fmt.Errorf("list the processors: %w", err)
		}
		for cpu := from; cpu <= to; cpu++ {
			cpus = append(cpus, cpu)
		}
	}
	return cpus, nil
}
